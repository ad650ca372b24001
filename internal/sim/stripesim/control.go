package stripesim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// ErrNoSuchObject: control was asked for an object that no account has.
var ErrNoSuchObject = errors.New("stripesim: no such object")

// locate finds an object of any account and gives a call that acts on that account. The lock is held.
func locate[T resource](s *Server, id string) (*call, T, error) {
	for _, a := range s.accounts {
		if t, ok := find[T](a, id); ok {
			return &call{server: s, account: a, params: &node{}}, t, nil
		}
	}
	var none T
	return nil, none, fmt.Errorf("%w: %s", ErrNoSuchObject, id)
}

func plain(err *apiError) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("stripesim: %s", err.message)
}

// CancelIntent cancels a PaymentIntent as somebody at Stripe's dashboard would.
func (s *Server) CancelIntent(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, pi, err := locate[*paymentIntent](s, id)
	if err != nil {
		return err
	}
	return plain(c.cancel(pi, "requested_by_customer"))
}

// PayIntent pays a PaymentIntent as somebody at Stripe's dashboard would, with a card of their own.
func (s *Server) PayIntent(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, pi, err := locate[*paymentIntent](s, id)
	if err != nil {
		return err
	}
	switch pi.status {
	case requiresPaymentMethod, requiresConfirmation, requiresAction:
	default:
		return plain(c.unexpectedState(pi, "The PaymentIntent cannot be paid: its status is %s.", pi.status))
	}
	m := c.newMethod(tokenCard(cardByNumber("4242424242424242"), s.now().Year()), billing{})
	pi.method, pi.lastError, pi.next, pi.authenticated = m.id, nil, nil, ""
	return plain(c.charge(pi, m, false))
}

// FinishChallenge answers an intent's 3-D Secure challenge as the payer would; it takes payment and setup intents.
func (s *Server) FinishChallenge(id string, passed bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, pi, err := locate[*paymentIntent](s, id); err == nil {
		return plain(c.finishChallenge(pi, passed))
	}
	c, si, err := locate[*setupIntent](s, id)
	if err != nil {
		return err
	}
	return plain(c.finishSetupChallenge(si, passed))
}

// UpdateCard is what a card's bank tells Stripe's account updater: a new expiration, and a new number if one is given (a documented test card's). The payment method stays the same.
func (s *Server) UpdateCard(id string, month, year int64, number string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, m, err := locate[*paymentMethod](s, id)
	if err != nil {
		return err
	}
	if m.customer == "" {
		return fmt.Errorf("stripesim: the payment method %s is attached to no customer: Stripe updates saved cards only", id)
	}
	k, was := *m.card, object{"exp_month": m.card.expMonth, "exp_year": m.card.expYear}
	k.expMonth, k.expYear = month, year
	if number != "" {
		if k.testCard = cardByNumber(number); k.testCard == nil {
			return fmt.Errorf("stripesim: that is no documented test card")
		}
		was["last4"], was["fingerprint"] = m.card.last4(), m.card.fingerprint()
	}
	if month < 1 || month > 12 {
		return fmt.Errorf("stripesim: a month is between 1 and 12")
	}
	m.card = &k
	c.emitChange("payment_method.automatically_updated", m.render(), object{"card": was})
	return nil
}

// SettleRefund ends a pending refund, or lets one that had succeeded fail after all.
func (s *Server) SettleRefund(id string, arrived bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, f, err := locate[*refund](s, id)
	if err != nil {
		return err
	}
	return plain(c.settleRefund(f, arrived))
}

// OpenDispute lets the cardholder contest a charge, for a reason as Stripe names them, and returns the dispute's id.
func (s *Server) OpenDispute(chargeID, reason string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ch, err := locate[*charge](s, chargeID)
	if err != nil {
		return "", err
	}
	if ch.status != "succeeded" || !ch.captured || ch.disputed {
		return "", fmt.Errorf("stripesim: the charge %s cannot be disputed", chargeID)
	}
	if reason == "" {
		reason = "fraudulent"
	}
	return c.openDispute(ch, reason).id, nil
}

// CloseDispute decides a dispute.
func (s *Server) CloseDispute(id string, won bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, d, err := locate[*dispute](s, id)
	if err != nil {
		return err
	}
	return plain(c.closeDispute(d, won))
}

// control serves the same over HTTP. It asks for no key: it is for a loopback address only.
func (s *Server) control(mux *http.ServeMux) {
	act := func(pattern string, f func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
			v, err := f(r)
			status := http.StatusOK
			if err != nil {
				v, status = map[string]string{"error": err.Error()}, http.StatusConflict
				if errors.Is(err, ErrNoSuchObject) {
					status = http.StatusNotFound
				}
				if _, bad := errors.AsType[badInput](err); bad {
					status = http.StatusBadRequest
				}
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(v)
		})
	}
	done := func(err error) (any, error) { return map[string]bool{"done": err == nil}, err }

	act("GET /control/stripe/faults", func(*http.Request) (any, error) { return s.Faults(), nil })
	set := func(r *http.Request) (any, error) {
		var f Faults
		d := json.NewDecoder(r.Body)
		d.DisallowUnknownFields()
		if err := d.Decode(&f); err != nil {
			return nil, badInput{err}
		}
		if err := s.SetFaults(f); err != nil {
			return nil, badInput{err}
		}
		return s.Faults(), nil
	}
	act("PUT /control/stripe/faults", set)
	act("POST /control/stripe/faults", set)
	act("GET /control/stripe/books", func(*http.Request) (any, error) { return s.Books(), nil })
	act("POST /control/stripe/intents/{id}/cancel", func(r *http.Request) (any, error) { return done(s.CancelIntent(r.PathValue("id"))) })
	act("POST /control/stripe/intents/{id}/pay", func(r *http.Request) (any, error) { return done(s.PayIntent(r.PathValue("id"))) })
	act("POST /control/stripe/payment_methods/{id}/update", func(r *http.Request) (any, error) {
		month, monthErr := strconv.ParseInt(r.FormValue("exp_month"), 10, 64)
		year, yearErr := strconv.ParseInt(r.FormValue("exp_year"), 10, 64)
		if monthErr != nil || yearErr != nil {
			return nil, badInput{fmt.Errorf("exp_month and exp_year must be numbers")}
		}
		return done(s.UpdateCard(r.PathValue("id"), month, year, r.FormValue("number")))
	})
	act("POST /control/stripe/charges/{id}/dispute", func(r *http.Request) (any, error) {
		id, err := s.OpenDispute(r.PathValue("id"), r.FormValue("reason"))
		return map[string]string{"dispute": id}, err
	})
	act("POST /control/stripe/disputes/{id}/{end}", func(r *http.Request) (any, error) {
		end := r.PathValue("end")
		if end != "won" && end != "lost" {
			return nil, badInput{fmt.Errorf("a dispute is won or lost")}
		}
		return done(s.CloseDispute(r.PathValue("id"), end == "won"))
	})
	act("POST /control/stripe/payouts", func(r *http.Request) (any, error) {
		amount, err := strconv.ParseInt(r.FormValue("amount"), 10, 64)
		if err != nil {
			return nil, badInput{fmt.Errorf("amount must be whole cents")}
		}
		id, err := s.Payout(r.FormValue("account"), amount)
		return map[string]string{"payout": id}, err
	})
	act("POST /control/stripe/payouts/{id}/fail", func(r *http.Request) (any, error) { return done(s.FailPayout(r.PathValue("id"))) })
	act("POST /control/stripe/refunds/{id}/{end}", func(r *http.Request) (any, error) {
		end := r.PathValue("end")
		if end != "succeed" && end != "fail" {
			return nil, badInput{fmt.Errorf("a refund can succeed or fail")}
		}
		return done(s.SettleRefund(r.PathValue("id"), end == "succeed"))
	})
}

// badInput is a control request that makes no sense.
type badInput struct{ error }

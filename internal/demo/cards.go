package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"paylink/internal/account"
	"paylink/internal/sqldb"
	"paylink/internal/trail"
)

// cards are the cards on file of the town, as their owners have added them: each by one of Stripe's test payment methods (docs.stripe.com/testing), so that no card number is written
// down here. A client's first is the main one.
var cards = []struct {
	clientID, method string
	expired          bool
}{
	{"100047", "pm_card_visa", false},
	{"100047", "pm_card_authenticationRequired", false}, // off session the bank wants its owner
	{"100047", "pm_card_mastercard", true},
	{"100043", "pm_card_mastercard_debit", false},   // Tampa settles to an account of its own, which charges a copy
	{"100045", "pm_card_chargeCustomerFail", false}, // can be kept, and is declined when it is charged
}

// Cards puts the town's cards on file: at the simulated Stripe, whose address and secret key it is given, and in the database. The simulator forgets everything when it ends, so that
// each start of the town calls it: what Stripe still knows stays as it is, and what it has forgotten is made anew.
func Cards(ctx context.Context, db *sqldb.DB, stripe, key string) error {
	now, err := db.Now(ctx)
	if err != nil {
		return err
	}
	s := supplier{stripe, key}
	customers := map[string]string{}
	for i, one := range cards {
		id := fmt.Sprintf("card-demo-%s-%d", one.clientID, i)
		if old, err := db.Card(ctx, id); err == nil {
			if m, err := s.method(ctx, http.MethodGet, "payment_methods/"+old.PaymentMethod, nil); err == nil && m.Customer == old.Customer {
				customers[one.clientID] = old.Customer
				continue
			}
		} else if !errors.Is(err, account.ErrNotFound) {
			return err
		}
		if customers[one.clientID] == "" {
			made, err := s.method(ctx, http.MethodPost, "customers", url.Values{"metadata[client]": {one.clientID}})
			if err != nil {
				return err
			}
			customers[one.clientID] = made.ID
		}
		m, err := s.method(ctx, http.MethodPost, "payment_methods/"+one.method+"/attach", url.Values{"customer": {customers[one.clientID]}})
		if err == nil && one.expired { // it was good when it was added
			past := now.AddDate(0, -2, 0)
			m, err = s.method(ctx, http.MethodPost, "payment_methods/"+m.ID, url.Values{"card[exp_month]": {strconv.Itoa(int(past.Month()))}, "card[exp_year]": {strconv.Itoa(past.Year())}})
		}
		if err != nil {
			return err
		}
		if err := db.AddCard(ctx, account.Card{
			ID: id, ClientID: one.clientID, Customer: m.Customer, PaymentMethod: m.ID, Brand: m.Card.Brand, Last4: m.Card.Last4, Funding: m.Card.Funding, Fingerprint: m.Card.Fingerprint, ExpMonth: m.Card.ExpMonth, ExpYear: m.Card.ExpYear,
			TermsVersion: "1", TermsLanguage: "en", AddedAt: now.AddDate(0, -3, 0).Add(time.Duration(i) * time.Minute),
		}, trail.Entry{ID: fmt.Sprintf("%s-%d", id, now.UnixNano()), Actor: trail.Actor{Kind: trail.Client, ID: one.clientID}, Act: "add card", Detail: "ending " + m.Card.Last4}); err != nil {
			return err
		}
	}
	return nil
}

// supplier is the simulated Stripe, over its own wire.
type supplier struct{ url, key string }

// made is a customer or a payment method as Stripe answers with it.
type made struct {
	ID, Customer string
	Card         struct {
		Brand, Last4, Funding, Fingerprint string
		ExpMonth                           int `json:"exp_month"`
		ExpYear                            int `json:"exp_year"`
	}
}

func (s supplier) method(ctx context.Context, verb, path string, form url.Values) (made, error) {
	var m made
	r, err := http.NewRequestWithContext(ctx, verb, s.url+"/v1/"+path, strings.NewReader(form.Encode()))
	if err != nil {
		return m, err
	}
	r.Header.Set("Authorization", "Bearer "+s.key)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Do(r)
	if err != nil {
		return m, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return m, fmt.Errorf("the simulated Stripe answers %s to %s", answer.Status, path)
	}
	return m, json.NewDecoder(answer.Body).Decode(&m)
}

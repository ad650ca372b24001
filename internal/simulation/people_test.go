package simulation

import (
	"context"
	"errors"
	"time"

	"paylink/internal/desk/payer"
	"paylink/internal/link"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/quote"
	"paylink/internal/trail"
)

// town are the vehicles that are paid for: one alone, two of one account at a connected Stripe account with past due, one with a credit, and one whose credit covers all of it.
var town = [][]vehicle{
	{{"100042", "veh_dana_civic", "0142"}},
	{{"100043", "veh_marcus_f150", "0143"}, {"100043", "veh_marcus_camry", "0143"}},
	{{"100048", "veh_ines_corolla", "0148"}},
	{{"100045", "veh_omar_pam", "0145"}},
	{{"100042", "veh_dana_civic", "0142"}, {"100046", "veh_lucia_sentra", "0146"}},
}

var agentActor = trail.Actor{Kind: trail.Staff, ID: "staff-agent"}

// person begins somebody's doings.
func (w *world) person(name string, after time.Duration, body func()) {
	w.begin(name, nil, after, func(*task) { body() }).person = true
}

// agent sells one vehicle's days, by one link or several.
func (w *world) agent(v vehicle) {
	for rounds := 1 + w.chance.IntN(4)/3; rounds > 0; rounds-- {
		key := w.newID()
		sell := func(ctx context.Context) (pay.Payment, error) { return w.machine.Send(ctx, w.order(v, key, false)) }
		if w.happens(takes) {
			card := w.bank.enter(w.anyCard())
			w.bank.cards[card].saved = true
			sell = func(ctx context.Context) (pay.Payment, error) {
				return w.machine.Collect(ctx, pay.Collection{
					Order: w.order(v, key, true), Door: pay.ByAgent, Saved: pay.SavedCard{Customer: "cus_1", PaymentMethod: card, Card: w.bank.cards[card].face()}, Terms: terms, Language: "en",
				})
			}
		}
		send := func() (id string, err error) {
			w.asks("send "+v.id, func(ctx context.Context) error {
				p, failed := sell(ctx)
				if live := (*pay.LiveError)(nil); errors.As(failed, &live) {
					id = live.PaymentID
				} else if failed == nil {
					id = p.ID
				}
				err = failed
				w.expect(failed, pay.ErrLive, pay.ErrNeedsReview, pay.ErrUnavailable, pay.ErrBrand, pay.ErrClosed, errNothingDue)
				return failed
			})
			return id, err
		}
		if w.happens(doubleClick) {
			w.person("double click", w.between(0, 200*time.Millisecond), func() { send() })
		}
		id, _ := send()
		for range 3 {
			if id == "" || w.quiet {
				break
			}
			w.pause(w.between(5*time.Second, 4*time.Minute))
			switch {
			case w.happens(resends):
				w.asks("resend "+id, func(ctx context.Context) error {
					err := w.machine.Resend(ctx, id, agentActor)
					w.expect(err, pay.ErrClosed, pay.ErrElsewhere, pay.ErrResends, pay.ErrNeedsReview)
					return err
				})
			case w.happens(revokes):
				w.revoke(id)
			case w.happens(sendsOver):
				key = w.newID()
				if over, _ := send(); over != "" {
					id = over
				}
			}
		}
		if w.quiet {
			return
		}
		w.pause(w.between(time.Second, 5*time.Minute))
	}
}

// revoke is an agent's; what the agent reads counts as told.
func (w *world) revoke(id string) {
	w.asks("revoke "+id, func(ctx context.Context) error {
		state, err := w.machine.Revoke(ctx, id, agentActor, pay.ReasonAgent, "changed their mind")
		w.expect(err, pay.ErrClosed, pay.ErrNeedsReview)
		if s := w.bySale[id]; err == nil && state.Closed() {
			s.ended, s.endedAs = w.now, payer.Cancelled
		}
		return err
	})
}

var errNothingDue = errors.New("nothing is due")

// finance gives money back, and decides about what is left to a person.
func (w *world) finance() {
	for !w.quiet {
		w.pause(w.between(20*time.Second, 3*time.Minute))
		for _, s := range w.sales {
			switch {
			case s.State.Sold() && s.Charged > 0 && w.happens(givesBack):
				amount := money.Cents(0)
				if w.rolls(0.5) {
					amount = 1 + money.Cents(w.chance.Int64N(int64(s.Charged)))
				}
				w.asks("refund "+s.ID, func(ctx context.Context) error {
					err := w.machine.Refund(ctx, pay.AskBack{PaymentID: s.ID, Amount: amount, Why: "the device was returned", By: financeActor})
					w.expect(err, pay.ErrTooMuch, pay.ErrRefunding, pay.ErrAccountBusy, pay.ErrUnclear)
					return err
				})
			case s.State == pay.PaidAfterClose && s.Held && s.Refunding == pay.NoRefund:
				as := pay.Refunded
				if w.rolls(0.5) {
					as = pay.Applied
				}
				w.asks("decide "+s.ID, func(ctx context.Context) error {
					err := w.machine.Decide(ctx, s.ID, as, financeActor, "looked up at Stripe")
					w.expect(err, pay.ErrTotalMoved, pay.ErrAccountBusy, pay.ErrRefunding, pay.ErrClosed, pay.ErrUnavailable, pay.ErrUnclear)
					return err
				})
			}
		}
	}
}

var financeActor = trail.Actor{Kind: trail.Staff, ID: "staff-finance"}

// expect breaks the seed on an error that neither a fault nor the situation explains.
func (w *world) expect(err error, known ...error) {
	if err == nil || ours(err) {
		return
	}
	for _, k := range known {
		if errors.Is(err, k) {
			return
		}
	}
	w.breaks("an error that nothing explains: %v", err)
}

// order is for 30 days of a vehicle. free: nothing may be left to charge, since the account's credit covers it.
func (w *world) order(v vehicle, key string, free bool) pay.Order {
	return pay.Order{
		ClientID: v.client, VehicleID: v.id, FormKey: key, By: agentActor, Detail: "the client's number",
		Link: link.Link{Phone: phone.Stored("+1804555" + v.last4), OwnNumber: true, Language: "en", SentBy: "staff-agent"},
		Price: func(f pay.Facts) (pay.Frozen, error) {
			in := quote.Input{AsOf: f.Location.Today(f.Now), Days: 30, Location: f.Location, Vehicle: f.Vehicle, Account: f.Standing}
			s, err := quote.Price(in)
			if err == nil && s.TotalDue <= 0 && !free {
				err = errNothingDue
			}
			return pay.Frozen{Input: in, Summary: s, Vehicle: f.Vehicle.Label, Location: f.Location.Name, Zone: f.Location.Zone}, err
		},
	}
}

// payer is one phone that the text has come to.
func (w *world) payer(token string, l link.Link) {
	if w.rolls(0.06) {
		return // never looked at
	}
	w.pause(w.between(time.Second, 40*time.Second))
	cookie := ""
	var page payer.Page
	var oldNonce, oldCard string
	open := func() bool {
		for range 3 {
			var s link.Session
			answered, err := w.asks("open", func(ctx context.Context) error {
				got, err := w.desk.Open(ctx, token, "phone", cookie)
				w.expect(err, link.ErrUnknown, payer.ErrDoor)
				s = got
				return err
			})
			if answered && err == nil {
				cookie = s.Sign(keys)
				return true
			}
			w.pause(w.between(time.Second, 20*time.Second))
		}
		return false
	}
	if !open() {
		return
	}
	session := func() link.Session {
		s, err := link.ReadSession(keys, cookie, w.now)
		w.expect(err)
		return s
	}
	look := func() bool {
		answered, err := w.asks("page", func(ctx context.Context) error {
			got, err := w.desk.Page(ctx, session())
			w.expect(err)
			if err == nil {
				w.told(got)
				page = got
			}
			return err
		})
		return answered && err == nil
	}
	for polls := 0; polls < 12 && !w.quiet; polls++ {
		if !look() {
			w.pause(w.between(time.Second, 10*time.Second))
			continue
		}
		switch page.Place {
		case payer.Payable:
			nonce := page.Nonce
			switch {
			case w.happens(notMine):
				w.asks("not mine", func(ctx context.Context) error {
					err := w.desk.Refuse(ctx, session(), nonce)
					w.expect(err, pay.ErrClosed, pay.ErrElsewhere, pay.ErrNeedsReview, pay.ErrOtherLink)
					return err
				})
				continue
			case w.rolls(0.03):
				return
			case w.happens(lastSecond):
				w.pause(max(0, page.Payment.ExpiresAt.Sub(w.now)+w.between(-2*time.Second, time.Second)))
			default:
				w.pause(w.between(2*time.Second, 60*time.Second)) // typing a card number
			}
			pm := w.bank.enter(w.anyCard())
			if oldCard != "" && w.happens(sameCard) {
				pm = oldCard
			}
			if oldNonce != "" && w.happens(backButton) {
				nonce = oldNonce
			}
			oldNonce, oldCard = nonce, pm
			press := func() {
				w.asks("pay", func(ctx context.Context) error {
					got, _, err := w.desk.Pay(ctx, session(), payer.Press{PaymentMethod: pm, Terms: terms, Nonce: nonce, Language: "en", Address: "198.51.100.7", UserAgent: "a phone"})
					w.expect(err, pay.ErrClosed, pay.ErrElsewhere, pay.ErrOtherLink, pay.ErrNotReady, pay.ErrBrand, pay.ErrUnavailable, pay.ErrNeedsReview)
					if err == nil {
						w.told(got)
					}
					w.toTheEnd()
					return err
				})
			}
			if w.happens(doubleTap) {
				w.person("second tap", w.between(0, 300*time.Millisecond), press)
			}
			press()
		case payer.Confirming:
			id := page.Attempt.ID
			pi := w.bank.find(page.Payment.IntentID)
			if w.happens(abandons) {
				return
			}
			wait := w.between(5*time.Second, 60*time.Second)
			if w.happens(lateBank) {
				wait = w.between(time.Minute, 9*time.Minute)
			}
			w.pause(wait)
			w.bank.challenge(pi, w.rolls(0.8))
			if w.rolls(0.2) {
				return // and does not come back
			}
			w.asks("continue", func(ctx context.Context) error {
				got, _, err := w.desk.Continue(ctx, session(), id)
				w.expect(err)
				if err == nil {
					w.told(got)
				}
				return err
			})
		case payer.Checking, payer.Elsewhere:
			w.pause(w.between(3*time.Second, 30*time.Second))
		default:
			return
		}
	}
}

// toTheEnd: a press that no fault has met does not come back while its own confirm is on its way, whether or not anybody still waits for it.
func (w *world) toTheEnd() {
	for _, s := range w.sales {
		for _, a := range s.attempts {
			if a.by == w.running && !w.running.hurt && a.n == s.Attempt && s.State == pay.Paying && s.Phase == 1 {
				w.breaks("a press of %s came back before it was at its end", s.ID)
			}
		}
	}
}

// wallets are what cards people have: a seed has one of them.
var wallets = [][]cardKind{
	{good, good, good, poor, secure, secure, securePoor, secureTwo, slow, amex},
	{poor, poor, poor, poor, securePoor, good, good},
	{secure, secure, secure, securePoor, secureTwo, good},
	{slow, slowPoor, slowPoor, good, poor, secure},
}

func (w *world) anyCard() cardKind { return w.wallet[w.chance.IntN(len(w.wallet))] }

// desk at the service center: money for a vehicle is taken there while its link is open.
func (w *world) center(v vehicle) {
	var from string
	if err := w.raw.QueryRow(`SELECT paid_to FROM vehicles WHERE id = $1`, v.id).Scan(&from); err != nil {
		w.breaks("%v", err)
		return
	}
	day, err := time.Parse(time.DateOnly, from)
	if err != nil {
		w.breaks("%v", err)
		return
	}
	to := day.AddDate(0, 0, 14).Format(time.DateOnly)
	if _, err := w.raw.Exec(`UPDATE vehicles SET paid_to = $1 WHERE id = $2`, to, v.id); err != nil {
		w.breaks("%v", err)
		return
	}
	w.moves = append(w.moves, move{v.id, from, to, ""})
	w.say("service center: %s is paid to %s", v.id, to)
}

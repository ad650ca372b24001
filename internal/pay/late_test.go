package pay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"paylink/internal/account"
	"paylink/internal/link"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/sim/stripesim"
	"paylink/internal/sqldb"
	"paylink/internal/trail"
)

var finance = trail.Actor{Kind: trail.Staff, ID: "staff-finance"}

// refund has finance give money back; 0 is all that is left.
func (s *sale) refund(amount money.Cents) error {
	return s.b.till.Refund(s.b.ctx, pay.AskBack{PaymentID: s.id, Amount: amount, Why: "the device was returned", By: finance})
}

func (s *sale) decide(as pay.State) error {
	return s.b.till.Decide(s.b.ctx, s.id, as, finance, "looked up at Stripe")
}

// refunds are this payment's, as Stripe has them.
func (s *sale) refunds() (out []stripesim.Refund) {
	in := s.view().Payment.IntentID
	for _, books := range s.b.stripe.Books().Accounts {
		for _, r := range books.Refunds {
			if r.Intent == in {
				out = append(out, r)
			}
		}
	}
	return out
}

// givenBack holds that so much has gone back of a payment, here and at Stripe, in how many refunds it may be.
func (s *sale) givenBack(want pay.State, amount money.Cents) {
	s.b.Helper()
	s.is(want)
	var there money.Cents
	for _, r := range s.refunds() {
		if r.Status == "succeeded" || r.Status == "pending" {
			there += money.Cents(r.Amount)
		}
	}
	v := s.view()
	if there != amount || v.Payment.GivenBack != amount || v.Payment.Refunding != pay.NoRefund {
		s.b.Errorf("given back %s here, %s at Stripe, want %s; refunding %d", v.Payment.GivenBack, there, amount, v.Payment.Refunding)
	}
	s.b.balanced()
}

// applied holds that money which came after closing has bought what it was meant for.
func (s *sale) applied() {
	s.b.Helper()
	s.is(pay.Applied)
	v := s.view()
	if to := s.paidTo(); to != string(v.Payment.PaidTo()) || s.b.account(v.Payment.ClientID, "unapplied") != 0 {
		s.b.Errorf("Paid To Date is %s, want %s; unapplied %s", to, v.Payment.PaidTo(), s.b.account(v.Payment.ClientID, "unapplied"))
	}
	if n := s.b.one(`SELECT COUNT(*) FROM invoices WHERE payment_id = $1`, s.id); n != 1 {
		s.b.Errorf("%d invoices", n)
	}
	s.b.balanced()
}

func (s *sale) paidTo() string {
	return s.b.text(`SELECT paid_to FROM vehicles WHERE id = $1`, s.view().Payment.VehicleID)
}

// standing is all that the books say of a client, account by account.
func (b *town) standing(client string) string {
	b.Helper()
	rows := need(b.raw.Query(`SELECT account, SUM(amount) FROM postings WHERE client_id = $1 GROUP BY account HAVING SUM(amount) <> 0 ORDER BY account`, client))(b)
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var name string
		var sum int64
		if err := rows.Scan(&name, &sum); err != nil {
			b.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s %d", name, sum))
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return strings.Join(out, ", ")
}

func (b *town) noAlarms(want int) {
	b.Helper()
	if len(b.alarms) != want {
		b.Errorf("%d alarms, want %d: %+v", len(b.alarms), want, b.alarms)
	}
}

// --- Refunds --------------------------------------------------------------------------------------------------------------------------------

func TestAWholeRefundLeavesTheBooksAsIfNothingHadBeenSold(t *testing.T) {
	for _, c := range []struct{ client, vehicle, phone string }{
		{"100042", "veh_dana_civic", "0142"},
		{"100043", "veh_marcus_f150", "0143"}, // past due is owed again
		{"100051", "veh_gene_silverado", "0151"},
	} {
		t.Run(c.client, func(t *testing.T) {
			everywhere(t, options{}, func(b *town) {
				before := b.standing(c.client)
				s := b.sendTo(c.client, c.vehicle, c.phone)
				from := s.paidTo()
				s.pays(visa)
				s.paid()
				charged := s.view().Payment.Charged
				if charged != s.view().Payment.Amount() || charged == 0 {
					b.Fatalf("charged %s", charged)
				}
				if err := s.refund(0); err != nil {
					b.Fatal(err)
				}
				s.givenBack(pay.Paid, charged)
				if got := b.standing(c.client); got != before {
					b.Errorf("the books say\n%s, and before the sale they said\n%s", got, before)
				}
				if s.paidTo() != from {
					b.Errorf("Paid To Date is %s, and was %s", s.paidTo(), from)
				}
				if sum, n := b.one(`SELECT SUM(total) FROM invoices WHERE payment_id = $1`, s.id), b.one(`SELECT COUNT(*) FROM invoices WHERE payment_id = $1`, s.id); sum != 0 || n != 2 {
					b.Errorf("%d invoices sum up to %d", n, sum)
				}
				if lines := b.one(`SELECT SUM(l.amount) FROM invoice_lines l JOIN invoices i ON i.id = l.invoice_id WHERE i.payment_id = $1`, s.id); lines != 0 {
					b.Errorf("the lines sum up to %d", lines)
				}
				r := s.view().Refunds[0]
				if r.By != finance || r.Why == "" || r.State != pay.RefundDone || r.StripeID == "" || b.one(`SELECT COUNT(*) FROM trail WHERE object = $1 AND act = 'refund payment' AND actor_id = 'staff-finance'`, s.id) != 1 {
					b.Errorf("on record is %+v", r)
				}
				// And it can be sold again.
				again := b.sendTo(c.client, c.vehicle, c.phone)
				again.pays(visa)
				again.paid()
			})
		})
	}
}

func TestAPartOfAPaymentGoesBackAndMovesNoDate(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		before := b.standing("100043")
		s := b.sendTo("100043", "veh_marcus_f150", "0143") // 82.88 of service and tax, and 42.37 of past due
		s.pays(visa)
		s.paid()
		to := s.paidTo()
		for _, part := range []money.Cents{1001, 1, 3333} {
			if err := s.refund(part); err != nil {
				b.Fatal(err)
			}
		}
		s.givenBack(pay.Paid, 4335)
		if s.paidTo() != to {
			b.Error("the Paid To Date has moved")
		}
		if owed := b.account("100043", "receivable"); owed != 0 {
			b.Errorf("%s are owed after a part of the service was given back", owed)
		}
		if err := s.refund(12525 - 4335 + 1); !errors.Is(err, pay.ErrTooMuch) {
			b.Errorf("more than was charged: %v", err)
		}
		if err := s.refund(-1); !errors.Is(err, pay.ErrTooMuch) {
			b.Errorf("less than nothing: %v", err)
		}
		if err := s.refund(5000); err != nil { // 93.35 in all: the service, and 10.47 of the past due
			b.Fatal(err)
		}
		s.givenBack(pay.Paid, 9335)
		if owed := b.account("100043", "receivable"); owed != 1047 || b.account("100043", "revenue_monitoring") != 0 || b.account("100043", "tax_payable") != 0 {
			b.Errorf("%s are owed: %s", owed, b.standing("100043"))
		}
		if err := s.refund(0); err != nil {
			b.Fatal(err)
		}
		s.givenBack(pay.Paid, 12525)
		if got := b.standing("100043"); got != before {
			b.Errorf("all parts together:\n%s, and before the sale\n%s", got, before)
		}
		if s.paidTo() == to {
			b.Error("the whole has gone back, and the Paid To Date has not")
		}
		if err := s.refund(0); !errors.Is(err, pay.ErrTooMuch) {
			b.Errorf("once more: %v", err)
		}
	})
}

func TestARefundIsMadeOnceWhateverBecomesOfItsAnswer(t *testing.T) {
	for _, kind := range []string{stripesim.TimeoutBefore, stripesim.TimeoutAfter, stripesim.BrokenJSON, stripesim.Down503, stripesim.Conflict409, stripesim.Rate429} {
		t.Run(kind, func(t *testing.T) {
			here(t, options{timeout: 300 * time.Millisecond}, func(b *town) {
				s := b.send()
				s.pays(visa)
				b.faults(stripesim.Rule{Op: "refund", Kind: kind, Times: 2})
				if err := s.refund(4000); err != nil {
					b.Fatal(err)
				}
				if s.view().Payment.Refunding != pay.RefundAsked {
					b.Fatal("it is not known to wait")
				}
				if err := s.refund(1000); !errors.Is(err, pay.ErrRefunding) {
					b.Errorf("another refund meanwhile: %v", err)
				}
				b.pass(2 * time.Minute)
				s.givenBack(pay.Paid, 4000)
				if n := len(s.refunds()); n != 1 {
					b.Errorf("%d refunds", n)
				}
				b.noAlarms(0)
			})
		})
	}
}

// The process that wrote a refund down is gone: whoever looks next makes it, once.
func TestARefundThatWasOnlyWrittenDownIsMade(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		s.pays(visa)
		b.faults(stripesim.Rule{Op: "retrieve", Kind: stripesim.Down503}) // it gets no further than the list that is read before a send
		if err := s.refund(0); err != nil {
			b.Fatal(err)
		}
		if len(s.refunds()) != 0 || s.view().Waiting() == nil {
			b.Fatal("it was sent though nobody knew what went back before")
		}
		b.faults()
		b.pass(2 * time.Minute)
		s.givenBack(pay.Paid, 9858)
	})
}

func TestTwoAtOnceRefundOnce(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		s := b.send()
		s.pays(visa)
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() { errs[i] = s.refund(0) })
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil && !errors.Is(err, pay.ErrRefunding) && !errors.Is(err, pay.ErrTooMuch) {
				b.Errorf("refused with %v", err)
			}
		}
		b.pass(2 * time.Minute)
		s.givenBack(pay.Paid, 9858)
		if n := len(s.refunds()); n != 1 {
			b.Errorf("%d refunds", n)
		}
	})
}

// TestTwoWhoSendOneRefundMakeOne: both have read that nothing has gone back yet. That the second makes no other is the key's doing.
func TestTwoWhoSendOneRefundMakeOne(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		s.pays(visa)
		slow := b.machine(b.db, b.till.Carrier)
		slow.Gateway = &beforeRefund{Gateway: b.gateway, do: func() {
			if err := b.till.Tend(b.ctx, s.id); err != nil {
				b.Error(err)
			}
		}}
		if err := slow.Refund(b.ctx, pay.AskBack{PaymentID: s.id, Amount: 4000, Why: "sold twice", By: finance}); err != nil {
			b.Fatal(err)
		}
		b.pass(time.Minute)
		s.givenBack(pay.Paid, 4000)
		if n := len(s.refunds()); n != 1 {
			b.Errorf("%d refunds", n)
		}
	})
}

// beforeRefund lets something happen before a refund is sent, after the lists were read.
type beforeRefund struct {
	pay.Gateway
	do func()
}

func (g *beforeRefund) Refund(ctx context.Context, r pay.RefundRequest) (pay.GivenBack, error) {
	g.do()
	return g.Gateway.Refund(ctx, r)
}

func TestARefundWhoseKeyIsDeadWaitsForAPerson(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		s.pays(visa)
		b.faults(stripesim.Rule{Op: "refund", Kind: stripesim.Error500RolledBack, Times: 1})
		if err := s.refund(0); err != nil {
			b.Fatal(err)
		}
		b.pass(10 * time.Minute)
		if v := s.view(); v.Payment.Refunding != pay.RefundStuck || len(s.refunds()) != 0 {
			b.Fatalf("refunding %d, %d refunds", v.Payment.Refunding, len(s.refunds()))
		}
		if len(b.alarms) == 0 {
			b.Error("nobody was told")
		}
		if err := b.till.DropRefund(b.ctx, s.id, finance, "Stripe shows no refund"); err != nil {
			b.Fatal(err)
		}
		if err := s.refund(0); err != nil {
			b.Fatal(err)
		}
		s.givenBack(pay.Paid, 9858)
	})
}

// A 500 that takes effect an hour later after all is found, and nothing goes back twice.
func TestARefundThatRollsForwardIsFound(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		s.pays(visa)
		b.faults(stripesim.Rule{Op: "refund", Kind: stripesim.Error500Forward, Times: 1, DelayMS: 3_600_000})
		if err := s.refund(5000); err != nil {
			b.Fatal(err)
		}
		b.pass(2 * time.Hour)
		s.givenBack(pay.Paid, 5000)
	})
}

func TestStripesNoToARefundIsToldAndLeavesThePaymentAsItWas(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		s.pays(visa)
		if _, err := b.stripe.OpenDispute(s.charge0(), "fraudulent"); err != nil {
			b.Fatal(err)
		}
		if err := s.refund(0); err != nil {
			b.Fatal(err)
		}
		v := s.view()
		if v.Payment.Refunding != pay.NoRefund || len(v.Refunds) != 1 || v.Refunds[0].State != pay.RefundNotMade || v.Refunds[0].Code == "" || v.Payment.GivenBack != 0 {
			b.Errorf("it is left as %+v", v.Refunds)
		}
		if len(b.alarms) == 0 {
			b.Error("nobody was told")
		}
	})
}

// charge0 is the charge that paid.
func (s *sale) charge0() string {
	for _, a := range s.view().Attempts {
		if a.State == pay.Succeeded {
			return a.ChargeID
		}
	}
	s.b.Fatal("nothing was charged")
	return ""
}

func TestARefundThatFailsLaterIsReversed(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		s := b.send()
		s.pays(visa)
		sold, to := b.standing("100042"), s.paidTo()
		if err := s.refund(0); err != nil {
			b.Fatal(err)
		}
		s.givenBack(pay.Paid, 9858)
		if err := b.stripe.SettleRefund(s.refunds()[0].ID, false); err != nil {
			b.Fatal(err)
		}
		s.hear("refund.failed")
		s.givenBack(pay.Paid, 0)
		if got := b.standing("100042"); got != sold || s.paidTo() != to {
			b.Errorf("the books say\n%s\nnot\n%s\nand Paid To Date %s, not %s", got, sold, s.paidTo(), to)
		}
		b.noAlarms(1)
		if err := s.refund(0); err != nil { // another way was found
			b.Fatal(err)
		}
		s.givenBack(pay.Paid, 9858)
	})
}

// hear brings an event as a webhook would.
func (s *sale) hear(kind string) {
	s.b.Helper()
	if err := s.b.till.Heard(s.b.ctx, pay.Notice{ID: "evt_" + newID(), Type: kind, IntentID: s.view().Payment.IntentID, Account: s.view().Payment.StripeAccount, At: s.b.clock.Now()}); err != nil {
		s.b.Fatal(err)
	}
	s.b.tend()
}

func TestAPendingRefundIsLookedAtUntilItIsThere(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		s.pays(visa)
		if err := b.stripe.SetFaults(stripesim.Faults{RefundPending: 1, SettleMS: 7_200_000}); err != nil {
			b.Fatal(err)
		}
		if err := s.refund(0); err != nil {
			b.Fatal(err)
		}
		if s.view().Refunds[0].State != pay.RefundOnWay {
			b.Fatalf("it is %s", s.view().Refunds[0].State)
		}
		b.pass(4 * time.Hour)
		if s.view().Refunds[0].State != pay.RefundDone {
			b.Errorf("it is %s", s.view().Refunds[0].State)
		}
		s.givenBack(pay.Paid, 9858)
	})
}

// Money given back in Stripe's dashboard is heard of and booked, and counts against what is left.
func TestARefundMadeAtStripeIsBooked(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		s.pays(visa)
		b.dashboardRefund(s, 5000)
		s.hear("charge.refunded")
		s.givenBack(pay.Paid, 5000)
		if r := s.view().Refunds[0]; r.By != trail.ByStripe {
			b.Errorf("made by %v", r.By)
		}
		if err := s.refund(4859); !errors.Is(err, pay.ErrTooMuch) {
			b.Errorf("more than is left: %v", err)
		}
		b.dashboardRefund(s, 858) // and nobody has heard of this one
		if err := s.refund(4858); err != nil {
			b.Fatal(err)
		}
		s.givenBack(pay.Paid, 5858)
		if last := s.view().Refunds[1]; last.State != pay.RefundNotMade && s.view().Refunds[2].State != pay.RefundNotMade {
			b.Errorf("what was too much was asked for: %+v", s.view().Refunds)
		}
	})
}

// dashboardRefund gives money back as somebody in Stripe's dashboard does: without our metadata.
func (b *town) dashboardRefund(s *sale, amount money.Cents) {
	b.Helper()
	v := s.view()
	b.stripeSays(v.Payment.StripeAccount, "refunds", url.Values{"payment_intent": {v.Payment.IntentID}, "amount": {strconv.Itoa(int(amount))}})
}

// stripeSays posts to Stripe as somebody else with our key does, and returns the id of what it made.
func (b *town) stripeSays(account, what string, form url.Values) string {
	b.Helper()
	r := need(http.NewRequestWithContext(b.ctx, http.MethodPost, b.supplier+"/v1/"+what, strings.NewReader(form.Encode())))(b)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "Bearer "+stripeSecret)
	if account != "" {
		r.Header.Set("Stripe-Account", account)
	}
	answer := need(http.DefaultClient.Do(r))(b)
	defer func() { _ = answer.Body.Close() }()
	var made struct{ ID string }
	if err := json.NewDecoder(answer.Body).Decode(&made); err != nil || answer.StatusCode != http.StatusOK {
		b.Fatalf("Stripe answered %d to %s", answer.StatusCode, what)
	}
	return made.ID
}

func TestARefundWhosePaidToDateHasMovedOnCallsForAPerson(t *testing.T) {
	here(t, options{}, func(b *town) {
		first := b.send()
		first.pays(visa)
		second := b.send()
		second.pays(visa)
		to := second.paidTo()
		if err := first.refund(0); err != nil {
			b.Fatal(err)
		}
		first.givenBack(pay.Paid, 9858)
		if second.paidTo() != to {
			b.Errorf("the date that the second payment set has moved to %s", second.paidTo())
		}
		b.noAlarms(1)
	})
}

func TestNothingIsGivenBackWhileAnotherPaymentOfTheAccountIsInFlight(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		s.pays(visa)
		next := b.send()
		next.pays(bank)
		if err := s.refund(0); !errors.Is(err, pay.ErrAccountBusy) {
			b.Errorf("meanwhile: %v", err)
		}
		next.bank(true)
		next.comesBack()
		next.paid()
		if err := s.refund(100); err != nil {
			b.Error(err)
		}
	})
}

func TestWhatWasNotPaidIsNotGivenBack(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		if err := s.refund(0); !errors.Is(err, pay.ErrNotCharged) {
			b.Errorf("an open one: %v", err)
		}
		s.revoke()
		if err := s.refund(0); !errors.Is(err, pay.ErrNotCharged) {
			b.Errorf("a closed one: %v", err)
		}
	})
}

// --- Money after closing (T16) ------------------------------------------------------------------------------------------------------------------

// late makes a payment close and then be charged: a cancel that never arrives, and somebody at Stripe's dashboard.
func (b *town) late(client, vehicle, phone string, close func(s *sale)) *sale {
	b.Helper()
	s := b.sendTo(client, vehicle, phone)
	b.faults(stripesim.Rule{Op: "cancel", Kind: stripesim.Down503})
	close(s)
	if err := b.stripe.PayIntent(s.view().Payment.IntentID); err != nil {
		b.Fatal(err)
	}
	b.faults()
	return s
}

func expire(s *sale) { s.b.pass(link.Life + time.Second) }
func revoke(s *sale) { s.revoke() }

func TestMoneyAfterClosingIsAppliedOrGoesBack(t *testing.T) {
	t.Run("after its time: it buys what it was meant for", func(t *testing.T) {
		everywhere(t, options{}, func(b *town) {
			s := b.late("100043", "veh_marcus_f150", "0143", expire)
			b.pass(time.Minute)
			s.applied()
			if owed := b.account("100043", "receivable"); owed != 0 {
				b.Errorf("%s are still owed", owed)
			}
			if err := s.refund(0); err != nil { // as anything that was paid
				b.Fatal(err)
			}
			s.givenBack(pay.Applied, 12525)
			if owed := b.account("100043", "receivable"); owed != 4237 {
				b.Errorf("%s are owed again", owed)
			}
		})
	})
	t.Run("after a revoke: it goes back", func(t *testing.T) {
		everywhere(t, options{}, func(b *town) {
			before := b.standing("100042")
			s := b.late("100042", "veh_dana_civic", "0142", revoke)
			b.pass(time.Minute)
			s.givenBack(pay.Refunded, 9858)
			if got := b.standing("100042"); got != before {
				b.Errorf("the books say %s, not %s", got, before)
			}
		})
	})
	t.Run("the account has moved on: it goes back", func(t *testing.T) {
		here(t, options{}, func(b *town) {
			s := b.late("100042", "veh_dana_civic", "0142", func(s *sale) {
				expire(s)
				if _, err := b.raw.Exec(`UPDATE vehicles SET paid_to = '2027-01-01' WHERE id = 'veh_dana_civic'`); err != nil {
					b.Fatal(err)
				}
			})
			b.pass(time.Minute)
			s.givenBack(pay.Refunded, 9858)
		})
	})
	t.Run("another link of the vehicle is open: that one is superseded", func(t *testing.T) {
		everywhere(t, options{}, func(b *town) {
			var next *sale
			s := b.late("100043", "veh_marcus_f150", "0143", func(s *sale) {
				expire(s)
				next = b.sendTo("100043", "veh_marcus_f150", "0143") // it has reserved the same past due
			})
			b.pass(time.Minute)
			s.applied()
			next.unpaid(pay.Superseded)
		})
	})
	t.Run("what it counted is reserved by another vehicle's link: it goes back", func(t *testing.T) {
		here(t, options{}, func(b *town) {
			var next *sale
			s := b.late("100043", "veh_marcus_f150", "0143", func(s *sale) {
				expire(s)
				next = b.sendTo("100043", "veh_marcus_camry", "0143")
			})
			b.pass(time.Minute)
			s.givenBack(pay.Refunded, 12525)
			next.pays(visa)
			next.paid()
		})
	})
	t.Run("another payment of the account is in flight: it goes back", func(t *testing.T) {
		here(t, options{}, func(b *town) {
			next := b.sendTo("100043", "veh_marcus_f150", "0143") // it counts the past due, so that the late one counts none: its own quote holds
			s := b.late("100043", "veh_marcus_camry", "0143", func(*sale) {
				b.pass(link.Life / 2)
				if err := b.till.Resend(b.ctx, next.id, finance); err != nil {
					b.Fatal(err)
				}
				b.pass(link.Life/2 + time.Second)
				next.pays(bank)
			})
			s.is(pay.Expired)
			if v := s.view(); !v.Payment.Holds(v.Facts) {
				b.Fatal("its quote does not hold: that alone sends the money back")
			}
			b.pass(time.Minute)
			s.givenBack(pay.Refunded, 8288)
			next.bank(true)
			next.comesBack()
			next.paid()
		})
	})
	t.Run("its refund is refused: a person decides", func(t *testing.T) {
		here(t, options{}, func(b *town) {
			s := b.late("100042", "veh_dana_civic", "0142", revoke)
			b.stripe.OpenDispute(b.charges()[0].ID, "fraudulent")
			b.pass(time.Minute)
			if v := s.view(); v.Payment.State != pay.PaidAfterClose || !v.Payment.Held || v.Payment.Refunding != pay.NoRefund {
				b.Errorf("%s, held %v", v.Payment.State, v.Payment.Held)
			}
		})
	})
	t.Run("it failed to go back: a person decides", func(t *testing.T) {
		here(t, options{}, func(b *town) {
			s := b.late("100042", "veh_dana_civic", "0142", revoke)
			b.pass(time.Minute)
			if err := b.stripe.SettleRefund(s.refunds()[0].ID, false); err != nil {
				b.Fatal(err)
			}
			s.hear("charge.refund.updated")
			if v := s.view(); v.Payment.State != pay.PaidAfterClose || !v.Payment.Held || v.Payment.GivenBack != 0 {
				b.Errorf("%s, held %v", v.Payment.State, v.Payment.Held)
			}
			b.balanced()
			if err := s.decide(pay.Refunded); err != nil {
				b.Fatal(err)
			}
			s.givenBack(pay.Refunded, 9858)
		})
	})
	t.Run("it went back at Stripe already: nothing more goes back", func(t *testing.T) {
		here(t, options{}, func(b *town) {
			s := b.late("100042", "veh_dana_civic", "0142", revoke)
			b.dashboardRefund(s, 9858)
			b.pass(time.Minute)
			s.givenBack(pay.Refunded, 9858)
			if n := len(s.refunds()); n != 1 {
				b.Errorf("%d refunds", n)
			}
		})
	})
}

func TestAboveFiveAnHourAPersonDecides(t *testing.T) {
	here(t, options{}, func(b *town) {
		var late []*sale
		for range 7 {
			s := b.late("100042", "veh_dana_civic", "0142", revoke)
			b.pass(time.Minute)
			late = append(late, s)
			if s.state() != pay.Refunded {
				break
			}
		}
		last := late[len(late)-1]
		if len(late) != 6 || last.state() != pay.PaidAfterClose || !last.view().Payment.Held {
			b.Fatalf("the %dth is %s", len(late), last.state())
		}
		b.pass(2 * time.Hour) // a person has to: time alone decides nothing
		last.is(pay.PaidAfterClose)
		if err := last.decide(pay.Applied); err != nil {
			b.Fatal(err)
		}
		last.applied()
	})
}

// --- Reviews (T23) ------------------------------------------------------------------------------------------------------------------------------

func TestFinanceDecidesAReviewByWhatStripeShows(t *testing.T) {
	review := func(b *town, charged bool) *sale {
		s := b.send()
		if charged {
			if err := b.stripe.PayIntent(s.view().Payment.IntentID); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := b.raw.Exec(`UPDATE payments SET state = 'review', next_ms = NULL WHERE id = $1`, s.id); err != nil {
			b.Fatal(err)
		}
		return s
	}
	t.Run("paid", func(t *testing.T) {
		everywhere(t, options{}, func(b *town) {
			s := review(b, true)
			if err := s.decide(pay.Revoked); !errors.Is(err, pay.ErrCharged) {
				b.Errorf("revoked though it was charged: %v", err)
			}
			if err := s.decide(pay.Paid); err != nil {
				b.Fatal(err)
			}
			s.is(pay.Paid)
			b.pass(time.Second) // what went back meanwhile is looked for
			b.balanced()
		})
	})
	t.Run("refunded", func(t *testing.T) {
		here(t, options{}, func(b *town) {
			s := review(b, true)
			if err := s.decide(pay.Refunded); err != nil {
				b.Fatal(err)
			}
			s.givenBack(pay.Refunded, 9858)
		})
	})
	t.Run("revoked", func(t *testing.T) {
		here(t, options{}, func(b *town) {
			s := review(b, false)
			for _, as := range []pay.State{pay.Paid, pay.Refunded} {
				if err := s.decide(as); !errors.Is(err, pay.ErrNotCharged) {
					b.Errorf("%s though nothing was charged: %v", as, err)
				}
			}
			if err := s.decide(pay.Revoked); err != nil {
				b.Fatal(err)
			}
			s.unpaid(pay.Revoked)
		})
	})
}

// --- Disputes -----------------------------------------------------------------------------------------------------------------------------------

func TestADisputeIsRecordedWithItsEvidence(t *testing.T) {
	for _, won := range []bool{true, false} {
		t.Run(map[bool]string{true: "won", false: "lost"}[won], func(t *testing.T) {
			everywhere(t, options{}, func(b *town) {
				s := b.send()
				s.pays(visa)
				sold := b.standing("100042")
				id, err := b.stripe.OpenDispute(s.charge0(), "product_not_received")
				if err != nil {
					b.Fatal(err)
				}
				s.hear("charge.dispute.created")
				v := s.view()
				if len(v.Disputes) != 1 || v.Disputes[0].ID != id || v.Disputes[0].Amount != 9858 || v.Disputes[0].Reason != "product_not_received" || v.Disputes[0].EvidenceBy.IsZero() {
					b.Fatalf("on record is %+v", v.Disputes)
				}
				if taken := b.account("100042", "disputes"); taken != 9858 {
					b.Errorf("the bank has taken %s", taken)
				}
				b.noAlarms(1)
				d := v.Disputes[0]
				var file map[string]any
				if err := json.Unmarshal([]byte(d.Evidence), &file); err != nil || file["reference"] != v.Payment.Reference() || file["summary_sha256"] != v.Payment.SummaryHash || len(d.EvidenceHash) != 64 {
					b.Errorf("the evidence file: %v", err)
				}
				for _, secret := range append([]string{"8045550142", visa, "client_secret"}, b.tokens...) {
					if strings.Contains(d.Evidence, secret) {
						b.Errorf("the evidence file holds %q", secret)
					}
				}
				if err := b.stripe.CloseDispute(id, won); err != nil {
					b.Fatal(err)
				}
				b.pass(2 * time.Hour) // nobody tells; it is looked at
				v = s.view()
				if want := map[bool]string{true: "won", false: "lost"}[won]; v.Disputes[0].Status != want || v.Disputes[0].EvidenceHash != d.EvidenceHash {
					b.Errorf("it is %s", v.Disputes[0].Status)
				}
				taken := b.account("100042", "disputes")
				if won && taken != 0 || !won && taken != 9858 {
					b.Errorf("the bank has kept %s", taken)
				}
				if won {
					b.noAlarms(1)
				} else {
					b.noAlarms(2)
				}
				_ = sold
				b.balanced()
			})
		})
	}
}

// --- After a restore ------------------------------------------------------------------------------------------------------------------------------

func TestInReconcileOnlyModeNothingIsOfferedAndEverythingClosesByAnAnsweredCancel(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		open, busy := b.send(), b.sendTo("100046", "veh_lucia_sentra", "0146")
		busy.pays(bank)
		old := open.try(visa)
		b.till.Paused = true
		if _, err := open.charge(old); !errors.Is(err, pay.ErrPaused) {
			b.Errorf("pays: %v", err)
		}
		if _, err := b.till.Send(b.ctx, b.order("100047", "veh_hal_outback", "0147")); !errors.Is(err, pay.ErrPaused) {
			b.Errorf("send: %v", err)
		}
		if _, err := b.till.Collect(b.ctx, b.collection("100047", "veh_hal_outback", "0147", visa)); !errors.Is(err, pay.ErrPaused) {
			b.Errorf("charge a card on file: %v", err)
		}
		if n := b.one(`SELECT COUNT(*) FROM payments WHERE client_id = '100047'`); n != 0 {
			b.Error("a payment was begun")
		}
		if err := b.till.Resend(b.ctx, open.id, finance); !errors.Is(err, pay.ErrPaused) {
			b.Errorf("resend: %v", err)
		}
		if err := b.db.Awaken(b.ctx); err != nil {
			b.Fatal(err)
		}
		b.faults(stripesim.Rule{Op: "cancel", Kind: stripesim.Down503})
		b.pass(time.Minute)
		open.is(pay.Open)
		b.faults()
		b.pass(time.Minute)
		open.unpaid(pay.Expired)
		busy.unpaid(pay.Expired)
	})
}

// What was charged after the backup was made: the books learn of it, a person decides, and what has gone back already does not go back again.
func TestChargesThatABackupDoesNotKnowAreFound(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		known := b.send()
		if err := b.stripe.PayIntent(known.view().Payment.IntentID); err != nil {
			b.Fatal(err)
		}
		back := b.sendTo("100051", "veh_gene_silverado", "0151")
		if err := b.stripe.PayIntent(back.view().Payment.IntentID); err != nil {
			b.Fatal(err)
		}
		b.dashboardRefund(back, 13908)
		lost := b.sendTo("100046", "veh_lucia_sentra", "0146")
		intent := lost.view().Payment.IntentID
		if err := b.stripe.PayIntent(intent); err != nil {
			b.Fatal(err)
		}
		for _, table := range []string{"messages", "links"} {
			if _, err := b.raw.Exec(`DELETE FROM `+table+` WHERE payment_id = $1`, lost.id); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := b.raw.Exec(`DELETE FROM payments WHERE id = $1`, lost.id); err != nil {
			b.Fatal(err)
		}
		b.till.Paused = true
		if err := b.db.Awaken(b.ctx); err != nil {
			b.Fatal(err)
		}
		b.pass(time.Minute)
		for range 2 { // whoever finds it, and however often
			if err := b.till.Rebuild(b.ctx, "", intent); err != nil {
				b.Fatal(err)
			}
		}
		known.is(pay.PaidAfterClose)
		back.givenBack(pay.Refunded, 13908)
		lost.is(pay.PaidAfterClose)
		for _, s := range []*sale{known, lost} {
			if v := s.view(); !v.Payment.Held || v.Payment.Reason != pay.ReasonRestored {
				b.Errorf("held %v, %s", v.Payment.Held, v.Payment.Reason)
			}
		}
		if err := known.decide(pay.Applied); err != nil {
			b.Fatal(err)
		}
		known.applied()
		if err := lost.decide(pay.Applied); err != nil { // nobody knows any more what was sold: it is the client's credit
			b.Fatal(err)
		}
		if credit := b.account("100046", "client_credit"); credit != -8550 {
			b.Errorf("%s of credit", -credit)
		}
		if err := lost.refund(0); err != nil {
			b.Fatal(err)
		}
		lost.givenBack(pay.Applied, 8550)
		if credit := b.account("100046", "client_credit"); credit != 0 {
			b.Errorf("%s of credit are left", -credit)
		}
	})
}

func TestAChargeOfAClientWhomNobodyKnowsIsNotForgotten(t *testing.T) {
	here(t, options{}, func(b *town) {
		in, err := b.gateway.CreateIntent(b.ctx, pay.IntentRequest{Key: "k", Amount: 500, PaymentID: newID(), ClientID: "999999", LocationID: "loc"})
		if err != nil {
			b.Fatal(err)
		}
		if err := b.stripe.PayIntent(in.ID); err != nil {
			b.Fatal(err)
		}
		if err := b.till.Rebuild(b.ctx, "", in.ID); !errors.Is(err, account.ErrNotFound) && !errors.Is(err, pay.ErrNotFound) {
			b.Errorf("got %v", err)
		}
	})
}

// A PaymentIntent was made and its id lost, its payment closed without it, and somebody pays it in the dashboard: the event's metadata finds the payment.
func TestAPaymentIntentWhoseAnswerWasLostIsFoundByItsEvent(t *testing.T) {
	here(t, options{stripeToo: true, timeout: 300 * time.Millisecond}, func(b *town) {
		if err := b.stripe.SetFaults(stripesim.Faults{Rules: []stripesim.Rule{{Op: "create", Kind: stripesim.TimeoutAfter, Times: 1}, {Op: "create", Kind: stripesim.Down503}}, Webhooks: stripesim.WebhookFaults{Off: true}}); err != nil {
			b.Fatal(err)
		}
		p := need(b.till.Send(b.ctx, b.order("100042", "veh_dana_civic", "0142")))(b)
		s := &sale{b: b, id: p.ID}
		b.tend()
		b.pass(2 * time.Minute)
		s.is(pay.Expired)
		if s.view().Payment.IntentID != "" {
			b.Fatal("it was not lost")
		}
		b.faults()
		var intent string
		for _, books := range b.stripe.Books().Accounts {
			for _, in := range books.Intents {
				intent = in.ID
			}
		}
		if err := b.stripe.PayIntent(intent); err != nil {
			b.Fatal(err)
		}
		b.until("the webhook is heard", func() bool { b.tend(); return s.state().Booked() })
		b.pass(time.Minute)
		if s.state() != pay.Refunded && s.state() != pay.Applied {
			b.Errorf("it is %s", s.state())
		}
		b.balanced()
	})
}

// The process that charged is gone before it could write the answer down: the payer need not wait for the end of its lease.
func TestWhatAProcessThatIsGoneHasChargedIsSeenSoon(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		try := s.try(visa)
		ctx, kill := context.WithCancel(b.ctx)
		gone := *b.till // a process of its own: the one that stays hears of the text meanwhile
		gone.Store = goneAfterClaim{b.db, kill}
		if _, err := gone.Charge(ctx, try); err == nil {
			b.Fatal("it was not killed")
		}
		s.is(pay.Paying)
		if err := b.stripe.PayIntent(s.view().Payment.IntentID); err != nil {
			b.Fatal(err)
		}
		b.pass(6 * time.Second)
		s.is(pay.Paid)
		b.balanced()
	})
}

// goneAfterClaim is a store of a process that ends right after the claim.
type goneAfterClaim struct {
	*sqldb.DB
	kill func()
}

func (g goneAfterClaim) Apply(ctx context.Context, id string, decide func(pay.View) (pay.Change, error)) error {
	if err := g.DB.Apply(ctx, id, decide); err != nil {
		return err
	}
	g.kill()
	return nil
}

func (g goneAfterClaim) View(ctx context.Context, id string) (pay.View, error) {
	v, err := g.DB.View(ctx, id)
	if err == nil && v.Payment.State == pay.Paying {
		return v, errors.New("the process is gone")
	}
	return v, err
}

// A refund that failed before anybody had seen it has moved money twice at Stripe, and is booked twice here.
func TestARefundThatHadFailedBeforeItWasSeenIsBookedThereAndBack(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		s.pays(visa)
		sold := b.standing("100042")
		b.dashboardRefund(s, 9858)
		if err := b.stripe.SettleRefund(s.refunds()[0].ID, false); err != nil {
			b.Fatal(err)
		}
		s.hear("refund.failed")
		s.givenBack(pay.Paid, 0)
		if got := b.standing("100042"); got != sold || s.paidTo() != string(s.view().Payment.PaidTo()) {
			b.Errorf("the books say %s, not %s", got, sold)
		}
		if n := b.one(`SELECT COUNT(*) FROM invoices WHERE payment_id = $1`, s.id); n != 3 {
			b.Errorf("%d invoices", n)
		}
		b.noAlarms(1)
	})
}

// Two payments have set the same Paid To Date, one after the first was given back: what happens to the first then moves nothing.
func TestADateThatAnotherPaymentHasSetIsNotMovedBack(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		first := b.send()
		first.pays(visa)
		if err := first.refund(0); err != nil {
			b.Fatal(err)
		}
		second := b.send()
		second.pays(visa)
		second.paid()
		if first.view().Payment.PaidTo() != second.view().Payment.PaidTo() {
			b.Fatal("they have not set the same date")
		}
		if err := b.stripe.SettleRefund(first.refunds()[0].ID, false); err != nil {
			b.Fatal(err)
		}
		first.hear("refund.failed")
		first.givenBack(pay.Paid, 0)
		if err := first.refund(0); err != nil {
			b.Fatal(err)
		}
		first.givenBack(pay.Paid, 9858)
		second.paid()
	})
}

// A look that began before the webhook came must not put its own time over the webhook's: what was read is older than what the webhook tells of.
func TestAWebhookIsNotLostToALookThatBeganBefore(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		s := b.send()
		intent := s.view().Payment.IntentID
		told := func(kind string) {
			if err := b.till.Heard(b.ctx, pay.Notice{ID: "evt_" + newID(), Type: kind, IntentID: intent, At: b.clock.Now()}); err != nil {
				b.Fatal(err)
			}
		}
		b.clock.move(time.Second)
		told("payment_intent.created")
		slowly := *b.till
		slowly.Gateway = &slow{Gateway: b.gateway, meanwhile: func() {
			b.clock.move(time.Second)
			if err := b.stripe.PayIntent(intent); err != nil {
				b.Fatal(err)
			}
			told("payment_intent.succeeded")
		}}
		if err := slowly.Tend(b.ctx, s.id); err != nil {
			b.Fatal(err)
		}
		s.is(pay.Open)
		b.tend()
		s.is(pay.Paid)
		b.balanced()
	})
}

// slow is a Gateway whose first look at a PaymentIntent takes so long that something happens before its answer comes home.
type slow struct {
	pay.Gateway
	meanwhile func()
}

func (g *slow) Intent(ctx context.Context, account, id string) (pay.Intent, error) {
	in, err := g.Gateway.Intent(ctx, account, id)
	if f := g.meanwhile; f != nil {
		g.meanwhile = nil
		f()
	}
	return in, err
}

package pay_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"paylink/internal/link"
	"paylink/internal/pay"
	"paylink/internal/sim/stripesim"
	"paylink/internal/sim/twiliosim"
	"paylink/internal/sms"
	"paylink/internal/trail"
)

// newest is the sale's newest text.
func (s *sale) newest() sms.Message {
	s.b.Helper()
	all := need(s.b.db.Messages(s.b.ctx, s.id))(s.b)
	if len(all) == 0 {
		s.b.Fatal("no text was written")
	}
	return all[len(all)-1]
}

// texts counts what the carrier was given.
func (b *town) texts() (n int) {
	for _, m := range b.twilio.Messages() {
		if m.Direction != "inbound" {
			n++
		}
	}
	return n
}

func (b *town) twilioFaults(rules ...twiliosim.Rule) {
	b.Helper()
	b.twilio.SetFaults(twiliosim.Faults{Rules: rules})
}

func TestATextIsHandedOverAndItsDeliveryIsTold(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		s := b.send()
		sent := b.twilio.Messages()[0]
		if want := 9*time.Minute + 30*time.Second; sent.ValidityPeriod != want || sent.To != number("0142").E164() {
			b.Errorf("valid for %s, want %s", sent.ValidityPeriod, want)
		}
		b.until("delivered", func() bool { return s.newest().Status == sms.Delivered })
		if m := s.newest(); m.Box != "" || m.SID == "" || m.HandedAt.IsZero() || m.EndedAt.IsZero() || m.Tries != 1 {
			b.Errorf("it is %s, tries %d, box kept %v", m.Status, m.Tries, m.Box != "")
		}
		b.pass(time.Hour)
		if n := b.texts(); n != 1 {
			b.Errorf("%d texts", n)
		}
	})
}

func TestADeliveryWithoutCallbacksIsAskedFor(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.sendTo("100042", "veh_dana_civic", "0198")
		b.until("the phone has it", func() bool { return b.twilio.Messages()[0].Status == "delivered" })
		b.pass(31 * time.Second)
		if m := s.newest(); m.Status != sms.Delivered || !m.NextAt.IsZero() {
			b.Errorf("it is %s, next %s", m.Status, m.NextAt)
		}
	})
}

// TestALostAnswerIsResolvedAndNotRepeated: a text is sent at most once more, and only if the carrier does not have it.
func TestALostAnswerIsResolvedAndNotRepeated(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		kind      string
		times     int
		callbacks bool
		texts     int // given to the carrier in the end
		status    sms.Status
	}{
		{"taken, and a callback tells", twiliosim.TimeoutAfter, 1, true, 1, sms.Delivered},
		{"taken, and the list tells", twiliosim.TimeoutAfter, 1, false, 1, sms.Delivered},
		{"taken, and the answer breaks off", twiliosim.BrokenJSON, 1, false, 1, sms.Delivered},
		{"not taken: once more", twiliosim.TimeoutBefore, 1, true, 1, sms.Delivered},
		{"not taken twice: given up", twiliosim.Error500, 2, true, 0, sms.Failed},
		{"down: once more, and given up", twiliosim.Down503, 0, true, 0, sms.Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			here(t, options{timeout: 700 * time.Millisecond}, func(b *town) {
				f := twiliosim.Faults{Rules: []twiliosim.Rule{{Op: "send", Kind: c.kind, Times: c.times}}}
				if !c.callbacks {
					f.Callbacks.Never = 1
				}
				b.twilio.SetFaults(f)
				s := b.send()
				if m := s.newest(); m.Status != sms.Unclear && m.SID == "" {
					b.Fatalf("after a lost answer it is %s", m.Status)
				}
				tries := 0
				for range 150 { // two and a half minutes, in which the carrier works in real time
					b.pass(time.Second)
					tries = max(tries, s.newest().Tries)
					if m := s.newest(); m.SID != "" && m.Status != c.status && m.EndedAt.IsZero() {
						b.until("the phone has it", func() bool { return b.twilio.Messages()[0].Status == "delivered" })
					}
				}
				if m := s.newest(); m.Status != c.status || m.Box != "" {
					b.Errorf("it is %s, box kept %v", m.Status, m.Box != "")
				}
				if n := b.texts(); n != c.texts || tries > 2 {
					b.Errorf("%d texts after %d tries, want %d", n, tries, c.texts)
				}
				s.is(pay.Open) // the agent may resend it
			})
		})
	}
}

func TestWhatTheCarrierRefusesIsToldAtOnce(t *testing.T) {
	t.Parallel()
	for number, code := range map[string]int{"+15005550001": 21211, "+15005550009": 21614, "+15005550003": 21408, "+18045550197": 21610} {
		t.Run(number, func(t *testing.T) {
			here(t, options{}, func(b *town) {
				o := b.order("100042", "veh_dana_civic", "0142")
				o.Link.Phone = phoneOf(number)
				s := &sale{b: b, id: need(b.till.Send(b.ctx, o))(b).ID}
				b.tend()
				if m := s.newest(); m.Status != sms.Failed || m.ErrorCode != code || m.Box != "" || !m.NextAt.IsZero() {
					b.Errorf("it is %s, error %d", m.Status, m.ErrorCode)
				}
				out := need(b.db.OptedOut(b.ctx, number))(b)
				if out != (code == 21610) {
					b.Errorf("opted out: %v", out)
				}
			})
		})
	}
}

func TestACarrierThatAsksToSlowDownIsObeyed(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.sendTo("100042", "veh_dana_civic", "0199")
		if m := s.newest(); m.Status != sms.Waiting || m.Box == "" || m.Tries != 0 {
			b.Fatalf("it is %s, tries %d", m.Status, m.Tries)
		}
		b.pass(3 * time.Second)
		if m := s.newest(); m.Status.Rank() < sms.Queued.Rank() || b.texts() != 1 {
			b.Errorf("it is %s, %d texts", m.Status, b.texts())
		}
	})
}

func TestALinkThatCanNotBeHandedOverInTimeIsClosed(t *testing.T) {
	t.Parallel()
	t.Run("the carrier asks to slow down for ever", func(t *testing.T) {
		here(t, options{}, func(b *town) {
			b.twilioFaults(twiliosim.Rule{Op: "send", Kind: twiliosim.Rate429})
			s := b.send()
			b.pass(2 * time.Minute)
			s.unpaid(pay.Expired)
			if s.view().Payment.Reason != pay.ReasonNotSent || s.newest().Status != sms.Dropped {
				b.Errorf("because %s, the text is %s", s.view().Payment.Reason, s.newest().Status)
			}
		})
	})
	t.Run("Stripe is down", func(t *testing.T) {
		here(t, options{}, func(b *town) {
			b.faults(stripesim.Rule{Op: "create", Kind: stripesim.Down503, Rate: 1})
			s := b.send()
			b.pass(2 * time.Minute)
			s.unpaid(pay.Expired)
			if s.view().Payment.Reason != pay.ReasonNotSent || b.texts() != 0 {
				b.Errorf("because %s, %d texts", s.view().Payment.Reason, b.texts())
			}
		})
	})
	t.Run("Redis is down", func(t *testing.T) {
		here(t, options{}, func(b *town) {
			b.mini.SetError("LOADING")
			s := b.send()
			b.pass(2 * time.Minute)
			b.mini.SetError("")
			s.unpaid(pay.Expired)
			if b.texts() != 0 {
				b.Errorf("%d texts without a door that lets them in", b.texts())
			}
		})
	})
	t.Run("Stripe refuses the account", func(t *testing.T) {
		here(t, options{}, func(b *town) {
			if _, err := b.raw.Exec(`UPDATE locations SET stripe_account = 'acct_that_is_gone' WHERE id = 'VA-RIC'`); err != nil {
				b.Fatal(err)
			}
			s := b.send()
			s.unpaid(pay.Expired)
			if len(b.alarms) != 1 {
				b.Errorf("%d alarms", len(b.alarms))
			}
		})
	})
}

func TestAPaymentIntentThatIsMadeLateIsMadeOnce(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{stripesim.TimeoutAfter, stripesim.TimeoutBefore, stripesim.BrokenJSON, stripesim.Error500, stripesim.Conflict409, stripesim.Rate429} {
		t.Run(kind, func(t *testing.T) {
			here(t, options{timeout: 700 * time.Millisecond}, func(b *town) {
				b.faults(stripesim.Rule{Op: "create", Kind: kind, Times: 2})
				s := b.send()
				b.pass(10 * time.Second)
				s.is(pay.Open)
				if n := len(b.stripe.Books().Accounts[b.stripe.Books().Platform].Intents); n != 1 || b.texts() != 1 {
					b.Errorf("%d PaymentIntents, %d texts", n, b.texts())
				}
				if s.pays(visa) != pay.Paid {
					b.Fatal("not paid")
				}
				s.paid()
			})
		})
	}
}

func TestALinkThatIsRevokedBeforeItsTextLeavesIsNotTexted(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		p := need(b.till.Send(b.ctx, b.order("100042", "veh_dana_civic", "0142")))(b)
		s := &sale{b: b, id: p.ID}
		s.revoke()
		b.tend()
		if m := s.newest(); m.Status != sms.Dropped || m.Box != "" || b.texts() != 0 {
			b.Errorf("it is %s, %d texts", m.Status, b.texts())
		}
		s.unpaid(pay.Revoked)
	})
}

// --- Opt-out --------------------------------------------------------------------------------------------------------------------------------

func TestStopCountsAtOnce(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		out := func() bool { return need(b.db.OptedOut(b.ctx, number("0142").E164()))(b) }
		b.twilio.Reply(number("0142").E164(), "Stop.")
		b.until("it is remembered", out)
		if err := b.till.Resend(b.ctx, s.id, trail.BySystem); err != nil {
			b.Fatal(err)
		}
		b.tend()
		if m := s.newest(); m.Status != sms.Failed || m.ErrorCode != 21610 {
			b.Errorf("a resend is %s, error %d", m.Status, m.ErrorCode)
		}
		b.twilio.Reply(number("0142").E164(), "START")
		b.until("it is lifted", func() bool { return !out() })
	})
}

// TestAnOptOutThatOnlyWeKnowIsHonoured: the Spanish words are not Twilio's, so that it would go on sending.
func TestAnOptOutThatOnlyWeKnowIsHonoured(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		s := b.send()
		if err := b.till.Replied(b.ctx, number("0142"), sms.Stop); err != nil {
			b.Fatal(err)
		}
		if err := b.till.Resend(b.ctx, s.id, trail.BySystem); err != nil {
			b.Fatal(err)
		}
		b.tend()
		if m := s.newest(); m.Status != sms.Failed || m.ErrorCode != 21610 || m.Box != "" || !m.NextAt.IsZero() {
			b.Errorf("a resend is %s, error %d, box kept %v", m.Status, m.ErrorCode, m.Box != "")
		}
		if s.pays(visa) != pay.Paid {
			b.Fatal("not paid")
		}
		if err := b.till.TextReceipt(b.ctx, s.id, trail.BySystem); err != nil {
			b.Fatal(err)
		}
		b.tend()
		if b.texts() != 1 {
			b.Errorf("%d texts to a number that wants none", b.texts()-1)
		}
	})
}

// --- Receipts -------------------------------------------------------------------------------------------------------------------------------

func TestAReceiptIsTextedOnceAndNotForEverAskedFor(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.sendTo("100042", "veh_dana_civic", "0190") // its texts stay queued for ever
		if err := b.till.TextReceipt(b.ctx, s.id, trail.BySystem); !errors.Is(err, pay.ErrClosed) {
			b.Errorf("before it is paid: %v", err)
		}
		s.pays(visa)
		for range 2 {
			if err := b.till.TextReceipt(b.ctx, s.id, trail.BySystem); err != nil {
				b.Fatal(err)
			}
		}
		b.tend()
		if n := b.texts(); n != 2 {
			b.Errorf("%d texts", n)
		}
		b.twilio.SetFaults(twiliosim.Faults{Rules: []twiliosim.Rule{{Op: "list", Kind: twiliosim.Down503}}, Callbacks: twiliosim.Callbacks{Never: 1}})
		b.pass(5 * time.Hour)
		if due := b.nextDue(); !due.IsZero() {
			b.Errorf("five hours later something is still due at %s", due)
		}
	})
}

// --- Crashes --------------------------------------------------------------------------------------------------------------------------------

var errKilled = errors.New("the process was killed here")

// dying is a store that dies at its n-th write: from then on nothing is written, as if the process had been killed.
type dying struct {
	pay.Store
	left int
}

func (d *dying) alive() error {
	if d.left--; d.left < 0 {
		return errKilled
	}
	return nil
}

func (d *dying) Apply(ctx context.Context, id string, decide func(pay.View) (pay.Change, error)) error {
	if err := d.alive(); err != nil {
		return err
	}
	return d.Store.Apply(ctx, id, decide)
}

func (d *dying) TakeMessage(ctx context.Context, id string, lease time.Duration) (sms.Message, bool, error) {
	if err := d.alive(); err != nil {
		return sms.Message{}, false, err
	}
	return d.Store.TakeMessage(ctx, id, lease)
}

func (d *dying) SaveMessage(ctx context.Context, m sms.Message) error {
	if err := d.alive(); err != nil {
		return err
	}
	return d.Store.SaveMessage(ctx, m)
}

func (d *dying) HandOver(ctx context.Context, m sms.Message, from sms.Status) (bool, error) {
	if err := d.alive(); err != nil {
		return false, err
	}
	return d.Store.HandOver(ctx, m, from)
}

func (d *dying) OptOut(ctx context.Context, e164 string) error {
	if err := d.alive(); err != nil {
		return err
	}
	return d.Store.OptOut(ctx, e164)
}

// TestAProcessKilledAtAnyStepOfTheSendingIsCarriedOn: another process goes on where SQL stands; one text goes out, one PaymentIntent is made, and the link pays.
func TestAProcessKilledAtAnyStepOfTheSendingIsCarriedOn(t *testing.T) {
	t.Parallel()
	for step := range 5 {
		t.Run(string(rune('0'+step)), func(t *testing.T) {
			here(t, options{}, func(b *town) {
				p := need(b.till.Send(b.ctx, b.order("100042", "veh_dana_civic", "0142")))(b)
				s := &sale{b: b, id: p.ID}
				killed := b.machine(&dying{Store: b.db, left: step}, b.till.Carrier)
				err := killed.Deliver(b.ctx, s.newest().ID)
				if step < 4 && !errors.Is(err, errKilled) {
					b.Fatalf("it was not killed at write %d: %v", step, err)
				}
				b.pass(3 * time.Minute) // past the lease of whoever died
				s.is(pay.Open)
				if n := b.texts(); n != 1 {
					b.Errorf("%d texts", n)
				}
				if n := len(b.stripe.Books().Accounts[b.stripe.Books().Platform].Intents); n != 1 {
					b.Errorf("%d PaymentIntents", n)
				}
				if pass, err := b.door.Look(b.ctx, s.view().Link.Digest, "test"); err != nil || pass.PaymentID != s.id {
					b.Errorf("the door: %v", err)
				}
				if m := s.newest(); m.Status == sms.Waiting || m.Status == sms.Unclear || m.Box != "" {
					b.Errorf("the text is %s", m.Status)
				}
				if s.pays(visa) != pay.Paid {
					b.Fatal("not paid")
				}
				s.paid()
			})
		})
	}
}

// TestAProcessKilledAtAnyStepOfACharge: whatever was committed, the sweeper of another process finds the truth, and one charge at most.
func TestAProcessKilledAtAnyStepOfACharge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		card string
		left int // writes that still succeed; the claim is the first
		want []pay.State
	}{
		{"before the claim", visa, 0, []pay.State{pay.Open}},
		{"after the charge", visa, 1, []pay.State{pay.Paid}},
		{"after the decline", poor, 1, []pay.State{pay.Open}},
		{"after 3-D Secure was asked for", bank, 1, []pay.State{pay.NeedsAction}},
	} {
		t.Run(c.name, func(t *testing.T) {
			everywhere(t, options{}, func(b *town) {
				s := b.send()
				killed := b.machine(&dying{Store: b.db, left: c.left}, b.till.Carrier)
				if _, err := killed.Charge(b.ctx, s.try(c.card)); !errors.Is(err, errKilled) {
					b.Fatalf("it was not killed: %v", err)
				}
				b.pass(pay.ConfirmLease + 10*time.Second)
				if got := s.state(); !slices.Contains(c.want, got) {
					b.Errorf("it is %s, want %v", got, c.want)
				}
				b.pass(15 * time.Minute)
				if c.want[0] == pay.Paid {
					s.paid()
				} else {
					s.unpaid(pay.Expired)
				}
			})
		})
	}
}

func TestAProcessKilledBetweenClosingAndCancelling(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		s := b.send()
		b.faults(stripesim.Rule{Op: "cancel", Kind: stripesim.TimeoutBefore, Times: 1})
		killed := b.machine(&dying{Store: b.db, left: 1}, b.till.Carrier)
		_, _ = killed.Revoke(b.ctx, s.id, trail.BySystem, pay.ReasonAgent, "")
		s.is(pay.Revoked)
		if v := s.view(); !v.Payment.CancelDue {
			b.Fatal("nobody knows that its PaymentIntent is to be cancelled")
		}
		b.pass(time.Minute)
		s.unpaid(pay.Revoked)
	})
}

// --- Forms ----------------------------------------------------------------------------------------------------------------------------------

func TestASecondClickSendsNothingTwice(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		o := b.order("100042", "veh_dana_civic", "0142")
		first := need(b.till.Send(b.ctx, o))(b)
		second := need(b.till.Send(b.ctx, o))(b)
		if first.ID != second.ID {
			b.Error("a second payment")
		}
		b.tend()
		if n := b.texts(); n != 1 {
			b.Errorf("%d texts", n)
		}
		(&sale{b: b, id: first.ID}).revoke()
		third := need(b.till.Send(b.ctx, o))(b)
		if third.ID != first.ID || b.one(`SELECT COUNT(*) FROM payments`) != 1 {
			b.Error("the same form has sent another link after the first was cancelled")
		}
		b.tend()
		if n := b.texts(); n != 1 {
			b.Errorf("%d texts", n)
		}
	})
}

func TestAResendThatRacesAnOldTextThatIsGivenUpLives(t *testing.T) {
	here(t, options{}, func(b *town) {
		b.twilioFaults(twiliosim.Rule{Op: "send", Kind: twiliosim.Rate429})
		s := b.send()
		b.pass(pay.HandOver - 5*time.Second)
		old := s.newest()
		// A worker has read the old text and is about to give it up, when the agent resends it.
		stop := &between{Store: b.db, do: func() {
			b.twilioFaults()
			if err := b.till.Resend(b.ctx, s.id, trail.BySystem); err != nil {
				b.Error(err)
			}
		}}
		b.clock.move(6 * time.Second)
		if err := b.machine(stop, b.till.Carrier).Deliver(b.ctx, old.ID); err != nil {
			b.Fatal(err)
		}
		b.tend()
		s.is(pay.Open)
		if m := s.newest(); m.ID == old.ID || m.Status.Rank() < sms.Queued.Rank() {
			b.Errorf("the new text is %s", m.Status)
		}
		if left := s.view().Payment.ExpiresAt.Sub(b.clock.Now()); left < link.Life-time.Minute {
			b.Errorf("%s left", left)
		}
	})
}

// between lets something happen between a worker's reading and its deciding.
type between struct {
	pay.Store
	do func()
}

func (s *between) Apply(ctx context.Context, id string, decide func(pay.View) (pay.Change, error)) error {
	if s.do != nil {
		do := s.do
		s.do = nil
		do()
	}
	return s.Store.Apply(ctx, id, decide)
}

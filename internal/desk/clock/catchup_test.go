package clock_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"paylink/internal/demo"
	"paylink/internal/desk/clock"
	"paylink/internal/pay"
)

// hears is a catch-up that notes what comes through its door.
func (s *shop) hears() (c *clock.CatchUp, heard *[]pay.Notice) {
	heard = new([]pay.Notice)
	return &clock.CatchUp{Events: s.gateway, Heard: s.db, Hear: func(ctx context.Context, n pay.Notice) error {
		*heard = append(*heard, n)
		return s.till.Heard(ctx, n)
	}, Found: s.till.Rebuild}, heard
}

func (s *shop) tend() {
	s.Helper()
	payments, _, err := s.db.Due(s.Context(), 100)
	s.must(err)
	for _, id := range payments {
		s.must(s.till.Tend(s.Context(), id))
	}
}

func (s *shop) state(p pay.Payment) pay.State {
	s.Helper()
	p, err := s.db.Payment(s.Context(), p.ID)
	s.must(err)
	return p.State
}

func TestWithoutWebhooksEverythingIsHeardAllTheSame(t *testing.T) {
	onBoth(t, func(s *shop) {
		dana, marcus := s.send("100042", "veh_dana_civic"), s.send("100043", "veh_marcus_f150")
		c, heard := s.hears()
		s.must(s.stripe.PayIntent(dana.IntentID))
		s.must(s.stripe.CancelIntent(marcus.IntentID))
		s.must(c.Round(t.Context()))
		s.tend()
		if s.state(dana) != pay.Paid || s.state(marcus) != pay.Revoked {
			s.Fatalf("the payments are %s and %s", s.state(dana), s.state(marcus))
		}
		types := map[string]string{}
		for _, n := range *heard {
			types[n.Type+" "+n.IntentID] = n.Account
		}
		if account, ok := types["payment_intent.succeeded "+dana.IntentID]; !ok || account != "" {
			s.Errorf("heard: %+v", *heard)
		}
		if account := types["payment_intent.canceled "+marcus.IntentID]; account != demo.TampaAccount {
			s.Errorf("heard: %+v", *heard)
		}
		if len(types) != 2 {
			s.Errorf("heard of what does not concern us: %v", types)
		}
		// What was heard is not heard again, though a day and two hours are listed each time.
		*heard = nil
		s.must(c.Round(t.Context()))
		if len(*heard) != 0 {
			s.Errorf("heard again: %+v", *heard)
		}
		// What happens to a charge afterwards concerns us too.
		s.at(opens.Add(time.Hour))
		back := s.giveBack("", dana.IntentID, 858)
		s.must(s.stripe.SettleRefund(back.ID, false))
		_, err := s.stripe.OpenDispute(s.stripe.Books().Accounts[s.stripe.Books().Platform].Charges[0].ID, "fraudulent")
		s.must(err)
		s.must(c.Round(t.Context()))
		var got []string
		for _, n := range *heard {
			if n.IntentID != dana.IntentID {
				s.Errorf("heard of %s: %+v", n.IntentID, n)
			}
			got = append(got, n.Type)
		}
		if want := []string{"charge.refunded", "charge.refund.updated", "charge.dispute.created", "charge.dispute.funds_withdrawn"}; !slices.Equal(got, want) {
			s.Errorf("heard %v, want %v: oldest first", got, want)
		}
	})
}

func TestEventsAreHeardOldestFirstAndOfAllPages(t *testing.T) {
	onOne(t, func(s *shop) {
		const many = 230
		for n := range many {
			s.at(opens.Add(time.Duration(n) * time.Second))
			in, err := s.gateway.CreateIntent(t.Context(), pay.IntentRequest{Key: newID(), Amount: 100, PaymentID: fmt.Sprint(n)})
			s.must(err)
			_, err = s.gateway.Cancel(t.Context(), "", in.ID)
			s.must(err)
		}
		c, heard := s.hears()
		s.must(c.Round(t.Context()))
		if len(*heard) != many {
			s.Fatalf("%d were heard", len(*heard))
		}
		for i := range many - 1 {
			if (*heard)[i+1].At.Before((*heard)[i].At) {
				s.Fatal("a later event was heard before an earlier one")
			}
		}
	})
}

func TestEventsOfMoreThanADayAgoAreLeft(t *testing.T) {
	onOne(t, func(s *shop) {
		p := s.send("100042", "veh_dana_civic")
		s.must(s.stripe.CancelIntent(p.IntentID))
		c, heard := s.hears()
		s.at(opens.Add(clock.CatchUpOver + time.Second))
		s.must(c.Round(t.Context()))
		if len(*heard) != 0 {
			s.Errorf("heard %+v", *heard)
		}
		s.at(opens.Add(clock.CatchUpOver))
		s.must(c.Round(t.Context()))
		if len(*heard) != 1 {
			s.Errorf("heard %+v", *heard)
		}
	})
}

func TestWhatFailsOnOneAccountOrEventHoldsUpNoOther(t *testing.T) {
	onOne(t, func(s *shop) {
		_, err := s.raw.Exec(`UPDATE locations SET stripe_account = 'acct_0nobody' WHERE stripe_account = '' AND id = 'MD-BAL'`)
		s.must(err)
		first, second := s.send("100042", "veh_dana_civic"), s.send("100043", "veh_marcus_f150")
		s.must(s.stripe.CancelIntent(first.IntentID))
		s.must(s.stripe.CancelIntent(second.IntentID))
		c, heard := s.hears()
		listen := c.Hear
		boom := errors.New("boom")
		c.Hear = func(ctx context.Context, n pay.Notice) error {
			if n.IntentID == first.IntentID {
				return boom
			}
			return listen(ctx, n)
		}
		err = c.Round(t.Context())
		if no, ok := errors.AsType[*pay.RequestError](err); !ok || no.Status != 403 || !errors.Is(err, boom) {
			s.Errorf("the round says %v", err)
		}
		if len(*heard) != 1 || (*heard)[0].IntentID != second.IntentID {
			s.Errorf("heard %+v", *heard)
		}
		// What failed is tried again in the next round.
		c.Hear = listen
		_ = c.Round(t.Context())
		if len(*heard) != 2 {
			s.Errorf("heard %+v", *heard)
		}
	})
}

func TestATaskIsDoneAtOnceAndAfterEveryWaitUntilTheEnd(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var done []string
	clock.Every(ctx, func(context.Context) {
		if done = append(done, "wait"); len(done) == 4 {
			stop()
		}
	}, func(context.Context) { done = append(done, "task") })
	if !slices.Equal(done, []string{"task", "wait", "task", "wait"}) {
		t.Error(done)
	}
}

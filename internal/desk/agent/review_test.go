package agent_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"paylink/internal/desk/agent"
	"paylink/internal/pay"
	"paylink/internal/staff"
)

// ends puts a payment into a state that it ends in.
func (b *bench) ends(paymentID string, s pay.State) {
	b.Helper()
	b.must(b.db.Apply(b.ctx, paymentID, func(v pay.View) (pay.Change, error) {
		change := pay.Change{Life: v.Payment.Life}
		change.Life.State = s
		return change, nil
	}))
}

func TestMoneyThatNobodyHasDecidedAboutBlocksItsVehicle(t *testing.T) {
	b := start(t)
	who := b.as(staff.Agent)
	summary := func(client, vehicle string) agent.Summary {
		b.Helper()
		s, err := b.desk.Summary(b.ctx, who, agent.Choice{ClientID: client, VehicleID: vehicle, Days: 30})
		b.must(err)
		return s
	}
	m := b.message()
	m.ClientID, m.VehicleID, m.Phone = "100043", "veh_marcus_f150", "804 555 0143"
	m.Shown = summary(m.ClientID, m.VehicleID).Summary.TotalDue
	for _, c := range []struct {
		ends    pay.State
		blocked agent.Blocked
	}{{pay.Expired, ""}, {pay.PaidAfterClose, agent.NeedsReview}} {
		m.FormKey = newID()
		p, err := b.desk.Send(b.ctx, who, m)
		b.must(err)
		b.ends(p.ID, c.ends)
		b.pass(time.Second)
		if got := summary("100043", "veh_marcus_f150").Blocked; got != c.blocked {
			b.Errorf("after %s it is blocked by %q, want %q", c.ends, got, c.blocked)
		}
		if got := summary("100043", "veh_marcus_camry").Blocked; got != "" {
			b.Errorf("after %s the other vehicle is blocked by %q", c.ends, got)
		}
	}
	m.FormKey = newID()
	if _, err := b.desk.Send(b.ctx, who, m); !errors.Is(err, pay.ErrNeedsReview) {
		b.Errorf("another payment was taken: %v", err)
	}
	// One in review keeps its vehicle's place, or has closed before: nothing can be sent either way.
	for client, vehicle := range map[string]string{"100042": "veh_dana_civic", "100051": "veh_gene_silverado"} {
		m.ClientID, m.VehicleID, m.Phone, m.FormKey = client, vehicle, "804 555 0199", newID()
		m.Consent, m.Payer, m.Shown = true, "Ana", summary(client, vehicle).Summary.TotalDue
		p, err := b.desk.Send(b.ctx, who, m)
		b.must(err)
		if client == "100051" {
			b.ends(p.ID, pay.Expired)
		}
		b.ends(p.ID, pay.Review)
		if got := summary(client, vehicle).Blocked; got != agent.NeedsReview {
			b.Errorf("%s is blocked by %q", client, got)
		}
	}
}

func TestInReconcileOnlyModeNothingIsSent(t *testing.T) {
	b := start(t)
	who := b.as(staff.Agent)
	p, err := b.desk.Send(b.ctx, who, b.message())
	b.must(err)
	b.desk.Paused = true
	s, err := b.desk.Summary(b.ctx, who, agent.Choice{ClientID: "100043", VehicleID: "veh_marcus_f150", Days: 30})
	b.must(err)
	if s.Blocked != agent.Paused {
		b.Errorf("it is blocked by %q", s.Blocked)
	}
	for range 2 { // in time, and when its time is up
		st, err := b.desk.Status(b.ctx, who, p.ID)
		b.must(err)
		if st.CanResend || st.MayAnew || !strings.Contains(st.Headline, "Payments are paused") || strings.Contains(st.Headline+st.Next, "No payment was taken") {
			b.Errorf("it says %q, %q; resend %v", st.Headline, st.Next, st.CanResend)
		}
		b.pass(11 * time.Minute)
	}
}

func TestNothingIsSentWhileTheCardProcessorDoesNotAnswer(t *testing.T) {
	b := start(t)
	who := b.as(staff.Agent)
	m := b.message()
	p, err := b.desk.Send(b.ctx, who, m)
	b.must(err)
	b.down.Store(true)
	if same, err := b.desk.Send(b.ctx, who, m); err != nil || same.ID != p.ID {
		b.Errorf("the same form, sent twice: %v", err) // its link is out
	}
	other := m
	other.ClientID, other.VehicleID, other.Phone, other.Shown, other.FormKey = "100043", "veh_marcus_f150", "804 555 0143", 12525, newID()
	summary := func(client, vehicle string) agent.Blocked {
		b.Helper()
		s, err := b.desk.Summary(b.ctx, who, agent.Choice{ClientID: client, VehicleID: vehicle, Days: 30})
		b.must(err)
		return s.Blocked
	}
	if got := summary("100043", "veh_marcus_f150"); got != agent.NotAnswering {
		b.Errorf("it is blocked by %q", got)
	}
	if got := summary("100050", "veh_rita_focus"); got != agent.InCollections {
		b.Errorf("what does not pass by itself is not said: %q", got)
	}
	before, err := b.desk.Pulse(b.ctx, who, "100043")
	b.must(err)
	var blocked *agent.BlockedError
	if _, err := b.desk.Send(b.ctx, who, other); !errors.As(err, &blocked) || blocked.Why != agent.NotAnswering {
		b.Errorf("it is sent: %v", err)
	}
	if err := b.desk.Resend(b.ctx, who, p.ID); !errors.As(err, &blocked) || blocked.Why != agent.NotAnswering {
		b.Errorf("it is sent again: %v", err)
	}
	if trail := b.trail("veh_marcus_f150"); !strings.Contains(strings.Join(trail, "; "), "not_answering") {
		b.Errorf("the trail says %q", trail)
	}
	if _, err := b.desk.Cancel(b.ctx, who, p.ID, "x"); err != nil { // money is asked about all the same
		b.Error(err)
	}
	b.down.Store(false)
	if after, err := b.desk.Pulse(b.ctx, who, "100043"); err != nil || after.Version == before.Version {
		b.Errorf("no page learns that it is back: %v", err)
	}
	if _, err := b.desk.Send(b.ctx, who, other); err != nil {
		b.Error(err)
	}
}

package office_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"paylink/internal/desk/office"
	"paylink/internal/pay"
	"paylink/internal/staff"
)

// TestASupervisorFindsNoPaymentOfElsewhere: by whatever method of the desk, and in no list or count.
func TestASupervisorFindsNoPaymentOfElsewhere(t *testing.T) {
	onBoth(t, func(b *bench) {
		dana, omar := b.sent("100042", "veh_dana_civic"), b.sent("100045", "veh_omar_pam")
		for _, v := range []pay.View{dana, omar} {
			b.must(b.s.DB.Apply(b.ctx, v.Payment.ID, func(v pay.View) (pay.Change, error) {
				c := pay.Change{Life: v.Payment.Life}
				c.Life.State, c.Life.NextAt = pay.Review, time.Time{}
				return c, nil
			}))
		}
		supervisor := as(staff.Supervisor)
		supervisor.Locations = []string{"PA-HAR", "OR-PDX"}
		give := office.GiveBack{PaymentID: dana.Payment.ID, Amount: 100, Why: "x", FormKey: "a form"}
		asking := map[string]func() error{
			"Payment":     func() error { _, err := b.desk.Payment(b.ctx, supervisor, dana.Payment.ID); return err },
			"Look":        func() error { _, _, err := b.desk.Look(b.ctx, supervisor, give); return err },
			"Trail":       func() error { _, err := b.desk.Trail(b.ctx, supervisor, office.TrailAsk{}); return err },
			"TrailFile":   func() error { _, err := b.desk.TrailFile(b.ctx, supervisor, office.TrailAsk{}); return err },
			"Refund":      func() error { return b.desk.Refund(b.ctx, supervisor, give) },
			"Decide":      func() error { return b.desk.Decide(b.ctx, supervisor, dana.Payment.ID, pay.Paid, "x") },
			"Drop":        func() error { return b.desk.Drop(b.ctx, supervisor, dana.Payment.ID, "x") },
			"Clear":       func() error { return b.desk.Clear(b.ctx, supervisor, dana.Payment.ID, "x") },
			"EvidencePDF": func() error { _, err := b.desk.EvidencePDF(b.ctx, supervisor, dana.Payment.ID, ""); return err },
			"Evidence":    func() error { _, err := b.desk.Evidence(b.ctx, supervisor, dana.Payment.ID, ""); return err },
		}
		for m := range reflect.TypeFor[*office.Desk]().Methods() {
			if asking[m.Name] == nil && m.Name != "Waiting" && m.Name != "Count" {
				b.Errorf("nothing asks %s for somebody who may not see the payment", m.Name)
			}
		}
		for name, ask := range asking {
			want := staff.ErrNotAllowed // a role that is limited to locations includes none of these
			if name == "Payment" {
				want = pay.ErrNotFound
			}
			if err := ask(); !errors.Is(err, want) {
				b.Errorf("%s: %v", name, err)
			}
		}
		r, err := b.s.DB.Record(b.ctx, dana.Payment.ID)
		b.must(err)
		hidden := 0
		for _, e := range r.Trail {
			if e.Act == "see payment" && e.Refused == "outside of their locations" {
				hidden++
			}
		}
		if hidden != 1 {
			b.Errorf("%d lines in the trail say that it was asked for", hidden)
		}

		if _, err := b.desk.Payment(b.ctx, supervisor, omar.Payment.ID); err != nil {
			b.Error(err)
		}
		for _, c := range []struct {
			locations []string
			want      int
		}{{nil, 2}, {[]string{"PA-HAR", "VA-RIC"}, 2}, {[]string{"PA-HAR", "OR-PDX"}, 1}, {[]string{"OR-PDX"}, 0}, {[]string{"PA_HAR", "%"}, 0}} {
			supervisor.Locations = c.locations
			list, err := b.desk.Waiting(b.ctx, supervisor, office.Waits{})
			b.must(err)
			n, err := b.desk.Count(b.ctx, supervisor)
			b.must(err)
			if len(list.Items) != c.want || list.Count != c.want || n != c.want {
				b.Errorf("at %v there wait %d, counted %d and %d; want %d", c.locations, len(list.Items), list.Count, n, c.want)
			}
		}
	})
}

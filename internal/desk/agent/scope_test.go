package agent_test

import (
	"database/sql"
	"errors"
	"reflect"
	"strings"
	"testing"

	"paylink/internal/account"
	"paylink/internal/desk/agent"
	"paylink/internal/lang"
	"paylink/internal/pay"
	"paylink/internal/staff"
)

// asking calls one method of the desk for somebody: of client 100043, about the vehicle or payment that is given.
type asking func(b *bench, who staff.Member, vehicleID, paymentID string) error

// seeing and doing are all methods of the desk that concern a client; free are those that don't. A method that is none of them fails the test.
var (
	seeing = map[string]asking{
		"Client": func(b *bench, who staff.Member, _, _ string) error {
			_, err := b.desk.Client(b.ctx, who, "100043")
			return err
		},
		"History": func(b *bench, who staff.Member, _, _ string) error {
			_, err := b.desk.History(b.ctx, who, agent.Client{Client: account.Client{ID: "100043"}}, agent.HistoryAsk{})
			return err
		},
		"Invoice": func(b *bench, who staff.Member, vehicleID, _ string) error {
			i, err := b.desk.AddInvoice(b.ctx, b.as(staff.Agent), fees(vehicleID))
			b.must(err)
			_, err = b.desk.Invoice(b.ctx, who, i.ID)
			return err
		},
		"InvoicePDF": func(b *bench, who staff.Member, vehicleID, _ string) error {
			i, err := b.desk.AddInvoice(b.ctx, b.as(staff.Agent), fees(vehicleID))
			b.must(err)
			_, _, err = b.desk.InvoicePDF(b.ctx, who, i.ID, lang.English)
			return err
		},
		"Payments": func(b *bench, who staff.Member, _, _ string) error {
			_, _, err := b.desk.Payments(b.ctx, who, "100043", "")
			return err
		},
		"Notes": func(b *bench, who staff.Member, _, _ string) error {
			_, _, err := b.desk.Notes(b.ctx, who, "100043", "")
			return err
		},
		"Cards": func(b *bench, who staff.Member, _, _ string) error {
			_, err := b.desk.Cards(b.ctx, who, "100043")
			return err
		},
		"Appointments": func(b *bench, who staff.Member, _, _ string) error {
			_, _, err := b.desk.Appointments(b.ctx, who, "100043")
			return err
		},
		"Number": func(b *bench, who staff.Member, _, _ string) error {
			_, err := b.desk.Number(b.ctx, who, "100043", "(804) 555-0142")
			return err
		},
		"WriteNote": func(b *bench, who staff.Member, _, _ string) error {
			return b.desk.WriteNote(b.ctx, who, "100043", "Called back.", newID())
		},
		"Access": func(b *bench, who staff.Member, _, _ string) error {
			_, _, err := b.desk.Access(b.ctx, who, "100043")
			return err
		},
		"Invite": func(b *bench, who staff.Member, _, _ string) error {
			return b.desk.Invite(b.ctx, who, "100043", newID(), true)
		},
		"Pulse": func(b *bench, who staff.Member, _, _ string) error {
			_, err := b.desk.Pulse(b.ctx, who, "100043")
			return err
		},
		"Status": func(b *bench, who staff.Member, _, paymentID string) error {
			_, err := b.desk.Status(b.ctx, who, paymentID)
			return err
		},
	}
	doing = map[string]asking{
		"Summary": func(b *bench, who staff.Member, vehicleID, _ string) error {
			_, err := b.desk.Summary(b.ctx, who, agent.Choice{ClientID: "100043", VehicleID: vehicleID, Days: 30})
			return err
		},
		"Send": func(b *bench, who staff.Member, vehicleID, _ string) error {
			m := b.message()
			m.ClientID, m.VehicleID, m.Phone = "100043", vehicleID, "(804) 555-0143"
			_, err := b.desk.Send(b.ctx, who, m)
			return err
		},
		"FeeList": func(b *bench, who staff.Member, vehicleID, _ string) error {
			_, err := b.desk.FeeList(b.ctx, who, "100043", vehicleID)
			return err
		},
		"FeeSummary": func(b *bench, who staff.Member, vehicleID, _ string) error {
			_, err := b.desk.FeeSummary(b.ctx, who, fees(vehicleID))
			return err
		},
		"AddInvoice": func(b *bench, who staff.Member, vehicleID, _ string) error {
			_, err := b.desk.AddInvoice(b.ctx, who, fees(vehicleID))
			return err
		},
		"Taking": func(b *bench, who staff.Member, vehicleID, _ string) error {
			_, err := b.desk.Taking(b.ctx, who, agent.Wish{ClientID: "100043", VehicleID: vehicleID})
			return err
		},
		"Take": func(b *bench, who staff.Member, vehicleID, _ string) error {
			_, err := b.desk.Take(b.ctx, who, agent.CardCharge{Choice: agent.Choice{ClientID: "100043", VehicleID: vehicleID, Days: 30}, Consent: true})
			return err
		},
		"Resend": func(b *bench, who staff.Member, _, paymentID string) error {
			return b.desk.Resend(b.ctx, who, paymentID)
		},
		"Cancel": func(b *bench, who staff.Member, _, paymentID string) error {
			_, err := b.desk.Cancel(b.ctx, who, paymentID, "Wrong vehicle or days")
			return err
		},
	}
	free = []string{"Search"}
)

// fees are a missed appointment, which no location taxes.
func fees(vehicleID string) agent.FeeOrder {
	fee := map[string]string{"veh_marcus_f150": "fee-FL-TPA-5", "veh_marcus_camry": "fee-VA-RIC-0"}[vehicleID]
	return agent.FeeOrder{ClientID: "100043", VehicleID: vehicleID, Fees: []agent.FeeChoice{{FeeID: fee, Count: 1, Shown: 3_500}}, Shown: 3_500, FormKey: newID()}
}

// TestNobodySeesOrDoesWhatIsElsewhere: leads and supervisors who are limited to locations find no client of another, by whatever method, and do nothing for a vehicle that is serviced elsewhere.
func TestNobodySeesOrDoesWhatIsElsewhere(t *testing.T) {
	b := start(t)
	known := map[string]bool{}
	for _, name := range free {
		known[name] = true
	}
	for name := range seeing {
		known[name] = true
	}
	for name := range doing {
		known[name] = true
	}
	for m := range reflect.TypeFor[*agent.Desk]().Methods() {
		if !known[m.Name] {
			t.Errorf("nothing asks %s for somebody who may not see the client; add it to seeing or doing, or to free if it concerns no client", m.Name)
		}
	}

	// Marcus has two vehicles; one is moved to Richmond.
	raw, err := sql.Open("sqlite", strings.TrimPrefix(b.url, "sqlite:"))
	b.must(err)
	t.Cleanup(func() { b.must(raw.Close()) })
	_, err = raw.ExecContext(b.ctx, `UPDATE vehicles SET location_id = 'VA-RIC' WHERE id = 'veh_marcus_camry'`)
	b.must(err)
	send := func(vehicleID string) string {
		m := b.message()
		m.ClientID, m.VehicleID, m.Phone = "100043", vehicleID, "(804) 555-0143"
		s, err := b.desk.Summary(b.ctx, b.as(staff.Agent), m.Choice)
		b.must(err)
		m.Shown = s.Frozen.Summary.TotalDue
		p, err := b.desk.Send(b.ctx, b.as(staff.Agent), m)
		b.must(err)
		return p.ID
	}
	truck, camry := send("veh_marcus_f150"), send("veh_marcus_camry")
	at := func(role staff.Role, locations ...string) staff.Member {
		who := b.as(role)
		who.Locations = locations
		return who
	}
	hidden := func(who staff.Member) (n int) {
		b.must(raw.QueryRowContext(b.ctx, `SELECT COUNT(*) FROM trail WHERE actor_id = $1 AND client_id = '100043' AND refused = 'outside of their locations'`, who.ID).Scan(&n))
		return n
	}
	refused := func(who staff.Member) (n int) {
		b.must(raw.QueryRowContext(b.ctx, `SELECT COUNT(*) FROM trail WHERE actor_id = $1 AND client_id = '100043' AND refused = $2`, who.ID, staff.ErrNotAllowed.Error()).Scan(&n))
		return n
	}
	no := func(err error) bool { return errors.Is(err, account.ErrNotFound) || errors.Is(err, pay.ErrNotFound) }
	all := func(each func(name string, ask asking, does bool)) {
		for name, ask := range seeing {
			each(name, ask, false)
		}
		for name, ask := range doing {
			each(name, ask, true)
		}
	}

	for _, role := range []staff.Role{staff.Lead, staff.Supervisor} {
		elsewhere, partly := at(role, "OR-PDX", "TN-KNX"), at(role, "TN-KNX", "VA-RIC")
		all(func(name string, ask asking, _ bool) {
			before := hidden(elsewhere)
			for _, of := range [][2]string{{"veh_marcus_f150", truck}, {"veh_marcus_camry", camry}} {
				if err := ask(b, elsewhere, of[0], of[1]); !no(err) {
					t.Errorf("%s: a %s elsewhere gets %v", name, role, err)
				}
			}
			if n := hidden(elsewhere) - before; n != 2 {
				t.Errorf("%s: %d lines in the trail say that a %s asked for what is elsewhere", name, n, role)
			}
		})
		all(func(name string, ask asking, does bool) {
			before := refused(partly)
			err := ask(b, partly, "veh_marcus_f150", truck)
			if n := refused(partly) - before; does != errors.Is(err, staff.ErrNotAllowed) || does != (n == 1) || !does && err != nil {
				t.Errorf("%s: a %s who sees the client, about another vehicle: %v, with %d refusals", name, role, err, n)
			}
			if name == "Send" || name == "Take" || name == "Cancel" { // a link is under way, and is needed
				return
			}
			if err := ask(b, partly, "veh_marcus_camry", camry); err != nil {
				t.Errorf("%s: a %s about their own: %v", name, role, err)
			}
		})
		st, err := b.desk.Status(b.ctx, partly, truck)
		b.must(err)
		if st.CanCancel || st.CanResend || st.MayAnew {
			t.Errorf("a %s is offered acts on what is elsewhere", role)
		}
		if st, err = b.desk.Status(b.ctx, partly, camry); err != nil || !st.CanCancel {
			t.Errorf("a %s is not offered to cancel their own: %v", role, err)
		}
		for _, words := range []string{"100043", "Bell", "804 555 0143", "KTL-7710"} {
			for _, c := range []struct {
				who  staff.Member
				want int
			}{{at(role), 1}, {partly, 1}, {elsewhere, 0}, {at(role, "VA_RIC", "FL%"), 0}} {
				if found, _, err := b.desk.Search(b.ctx, c.who, words); err != nil || len(found) != c.want {
					t.Errorf("%q: a %s at %v finds %d, %v", words, role, c.who.Locations, len(found), err)
				}
			}
		}
	}
	// Others have no scope, whatever their row says.
	if _, err := b.desk.Client(b.ctx, at(staff.Agent, "OR-PDX"), "100043"); err != nil {
		t.Error(err)
	}
	c, err := b.desk.Client(b.ctx, at(staff.Lead, "VA-RIC"), "100043")
	b.must(err)
	for _, v := range c.Vehicles {
		if v.Elsewhere != (v.ID == "veh_marcus_f150") {
			t.Errorf("%s is elsewhere: %v", v.ID, v.Elsewhere)
		}
	}
}

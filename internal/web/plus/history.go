package plus

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"paylink/internal/day"
	"paylink/internal/desk/agent"
	"paylink/internal/lang"
	"paylink/internal/ledger"
	"paylink/internal/pay"
	"paylink/internal/staff"
	"paylink/internal/web"
)

// History is the Account History tab.
type History struct {
	ClientID string
	Rows     []HistoryRow
	Filter   HistoryFilter
	First    string // address of the newest rows, from a page of older ones; "" on the first page
	Next     string // address of older rows; "": there are none
	Add      string // address of Add New Invoice; "" where the role does not include it
	Form     *FeeForm
	Added    string // what was just added
}

// HistoryRow is an invoice, a payment, a credit note or a refund.
type HistoryRow struct {
	Date, Machine string
	What, Address string   // Address: of its page; "" for none
	Details       []string // number, card, vehicle
	Charged, Paid string   // one of them is ""
	State, Tone   string
}

// HistoryFilter is what of the history is shown.
type HistoryFilter struct {
	On                 bool
	Whats, Vehicles    []Option // Vehicles: none where there is one only
	From, To           string   // as in the address
	FromError, ToError string
	Clear              string // address without it
}

// The names under which an address holds the filter; the panel beside it has others.
const (
	whatName, ofName, fromName, toName, beforeName = "what", "of", "from", "to", "before"
)

// history is the Account History tab of a client's page, and the status with which a page that shows it is answered.
func (s *server) history(r *web.Request, who staff.Member, c agent.Client, finance bool, d draft) (History, int, error) {
	q := r.URL.Query()
	if r.Method == http.MethodPost {
		q = url.Values{} // a form that was refused shows the newest rows
	}
	h := History{ClientID: c.ID}
	asked, status := h.Filter.read(q, c)
	here := url.Values{"tab": {"history"}}
	h.Filter.Clear = clientAddress(c.ID, here)
	for _, name := range []string{whatName, ofName, fromName, toName} {
		if v := q.Get(name); v != "" {
			here.Set(name, v)
		}
	}
	if after := q.Get(beforeName); after != "" {
		place, ok := pay.PlaceOf(after)
		if !ok {
			return h, 0, web.ErrBadRequest
		}
		asked.After, h.First = place, clientAddress(c.ID, here)
	}
	if status == http.StatusOK {
		found, err := s.Desk.History(r.Context(), who, c, asked)
		if err != nil {
			return h, 0, err
		}
		now := s.door.Now()
		for _, row := range found.Rows {
			h.Rows = append(h.Rows, historyRow(row, c, now, finance))
		}
		if found.Next != nil {
			here.Set(beforeName, found.Next.String())
			h.Next = clientAddress(c.ID, here)
		}
	}
	if who.May(staff.AddInvoice) == nil {
		h.Add = clientAddress(c.ID, url.Values{"tab": {"history"}, "add": {"invoice"}})
		if id := q.Get("added"); id != "" {
			var err error
			if h.Added, err = s.added(r, who, c, id); err != nil {
				return h, 0, err
			}
		}
		switch {
		case d.fees != nil:
			h.Form = d.fees
		case q.Get("add") == "invoice":
			form, formStatus, err := s.feeForm(r, who, c, q)
			if err != nil {
				return h, 0, err
			}
			h.Form = &form
			status = max(status, formStatus)
		}
	}
	return h, status, nil
}

// aim is the id of what the reader looks at first.
func (h History) aim() string {
	switch {
	case h.Filter.FromError != "":
		return "history-from"
	case h.Filter.ToError != "":
		return "history-to"
	case h.Added != "":
		return "added"
	case h.Form != nil:
		return h.Form.Focus
	}
	return ""
}

// read takes the filter from an address, and says with which status a page with it is answered.
func (f *HistoryFilter) read(q url.Values, c agent.Client) (agent.HistoryAsk, int) {
	a, status := agent.HistoryAsk{What: pay.What(q.Get(whatName)), VehicleID: q.Get(ofName)}, http.StatusOK
	for _, o := range []Option{{ID: "", Label: "Everything"}, {ID: string(pay.InvoicesOnly), Label: "Invoices"}, {ID: string(pay.PaymentsOnly), Label: "Payments"}, {ID: string(pay.RefundsOnly), Label: "Refunds and credit notes"}} {
		o.Chosen = o.ID == string(a.What)
		f.Whats = append(f.Whats, o)
	}
	if len(c.Vehicles) > 1 {
		f.Vehicles = []Option{{Label: "All vehicles"}}
		for _, v := range c.Vehicles {
			f.Vehicles = append(f.Vehicles, Option{ID: v.ID, Label: vehicleName(v.Vehicle), Chosen: v.ID == a.VehicleID})
		}
	}
	f.From, f.To = strings.TrimSpace(q.Get(fromName)), strings.TrimSpace(q.Get(toName))
	for _, one := range []struct {
		typed, wrong *string
		day          *day.Date
	}{{&f.From, &f.FromError, &a.From}, {&f.To, &f.ToError, &a.To}} {
		if *one.typed == "" {
			continue
		}
		var err error
		if *one.day, err = day.Parse(*one.typed); err != nil {
			*one.wrong, status = "Enter a day, such as 2026-03-31.", http.StatusBadRequest
			if likeCard(*one.typed) {
				*one.typed = ""
			}
		}
	}
	if status == http.StatusOK && a.From != "" && a.To != "" && a.To.Before(a.From) {
		f.ToError, status = "This day is before the first one.", http.StatusBadRequest
	}
	f.On = a.What != "" || a.VehicleID != "" || f.From != "" || f.To != ""
	return a, status
}

// historyRow words a row. finance says that the reader may see payments whole.
func historyRow(h pay.Happened, c agent.Client, now time.Time, finance bool) HistoryRow {
	row := HistoryRow{Machine: h.At.Format(time.RFC3339)}
	on := func(vehicleID, label string) {
		for _, v := range c.Vehicles {
			if v.ID == vehicleID {
				label = v.Label
			}
		}
		if label != "" {
			row.Details = append(row.Details, label)
		}
		row.Date = lang.English.Date(dayAt(c, vehicleID, h.At))
	}
	switch h.Kind {
	case pay.ChargeMade:
		p := *h.Payment
		on(p.VehicleID, p.Frozen.Vehicle)
		row.What, row.Paid = "Payment "+byDoor(string(p.PaidBy()), p.CardOnFile), p.Charged.String()
		if h.Card.Last4 != "" {
			row.Details = append(row.Details, cardWords(h.Card))
		}
		row.Details = append(row.Details, p.Reference())
		if p.Charged == 0 && p.State.Sold() {
			row.What = "Paid by the account’s credit"
		}
		row.Address = clientAddress(c.ID, url.Values{"tab": {"history"}, "payment": {p.ID}})
		if finance {
			row.Address = paymentAddress(p.ID)
		}
		if row.State, row.Tone = stateWords(p, now); h.Disputed {
			row.State, row.Tone = "Disputed", "bad"
		}
	case pay.RefundMade:
		on(h.Payment.VehicleID, h.Payment.Frozen.Vehicle)
		row.What, row.Paid = "Refund", (-h.Refund.Amount).Accounting()
		if h.Card.Last4 != "" {
			row.Details = append(row.Details, "to "+cardWords(h.Card))
		}
		row.Details = append(row.Details, h.Payment.Reference())
		if finance {
			row.Address = paymentAddress(h.Payment.ID, "#refunds")
		}
		row.State, row.Tone, _ = refundWords(*h.Refund)
	case pay.Received:
		on(h.Invoice.VehicleID, h.Invoice.Vehicle)
		row.Details = append(row.Details, "for "+h.Invoice.Number)
		row.What, row.Paid, row.State, row.Tone = "Payment "+byDoor(h.Invoice.Door, true), h.Invoice.Total.String(), "Paid", "good"
	default:
		i := *h.Invoice
		on(i.VehicleID, i.Vehicle)
		row.Details = append(row.Details, i.Number)
		row.What, row.Charged, row.Address = invoiceWhat(i), i.Total.Accounting(), invoiceAddress(i.ID)
		if h.Kind == pay.Credited {
			row.State = "Given back"
			break
		}
		row.State, row.Tone = standingWords(i.Standing(h.Due))
		if h.Due > 0 && h.Due < i.Total {
			row.State = fmt.Sprintf("%s of it due", h.Due)
		}
	}
	return row
}

// standingWords are where an invoice stands, on a badge, and the badge's tone.
func standingWords(s ledger.Standing) (words, tone string) {
	switch s {
	case ledger.AllDue:
		return "Due", "warning"
	case ledger.PartDue:
		return "Part due", "warning"
	}
	return "Paid", "good"
}

// byDoor says how a payment came.
func byDoor(door string, cardOnFile bool) string {
	switch pay.Door(door) {
	case pay.ByLink:
		return "by link"
	case pay.ByAutoPay:
		return "by Auto Pay"
	case pay.ByClient:
		return "in My Account"
	case pay.ByAgent:
		if cardOnFile {
			return "by card on file"
		}
		return "taken by an agent"
	case "center":
		return "at the center"
	}
	return ""
}

// dayAt is the day of a moment where a vehicle is serviced.
func dayAt(c agent.Client, vehicleID string, at time.Time) day.Date {
	for _, v := range c.Vehicles {
		if v.ID == vehicleID || vehicleID == "" {
			return v.Location.Today(at)
		}
	}
	return day.Of(at)
}

package portal

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paylink/internal/day"
	"paylink/internal/desk/client"
	"paylink/internal/ledger"
	"paylink/internal/pay"
	"paylink/internal/web"
)

// Names of the pages, for web.Pages.Render.
const (
	InvoicesPage = "portal/invoices" // Invoices
	InvoicePage  = "portal/invoice"  // Invoice
)

const invoicesPath = "/my/invoices"

// Invoices is what the account was charged, or what it paid, newest first.
type Invoices struct {
	Chrome
	Title    string
	Tabs     []Room
	What, Of string   // as the address has it
	Vehicles []Option // none where there is one only
	Rows     []InvoiceRow
	None     string // what an empty list says
	Older    string // address; "" on the last page
	Newest   string // address; "" on the first
}

// InvoiceRow is an invoice, a payment, a credit note or a refund. Address is "" where it has no page.
type InvoiceRow struct {
	What, Address, Amount string
	Details               []string
	State, Tone           string
}

// Invoice is one invoice, or a credit note.
type Invoice struct {
	Chrome
	pay.Sheet
	Tone    string
	Of      string // address of the invoice that a credit note belongs to
	Credits []CreditNote
	PDF     string
	Pay     string      // address where what is due can be paid; "" where nothing is, or nothing can be
	Just    *PaidNotice // it was paid just now; nil: it was not
}

// CreditNote is a credit note that belongs to an invoice.
type CreditNote struct {
	pay.SheetNote
	Address string
}

func invoiceAddress(id string) string { return invoicesPath + "/" + url.PathEscape(id) }

// invoices is GET /my/invoices.
func (s *server) invoices(r *web.Request, who client.Who) (web.Answer, error) {
	q := r.URL.Query()
	what := pay.InvoicesOnly
	for _, w := range []pay.What{pay.PaymentsOnly, pay.RefundsOnly} {
		if pay.What(q.Get("what")) == w {
			what = w
		}
	}
	of, from := q.Get("of"), pay.Place{}
	if before := q.Get("before"); before != "" {
		var ok bool
		if from, ok = pay.PlaceOf(before); !ok {
			return web.Answer{}, web.ErrBadRequest
		}
	}
	h, err := s.Desk.History(r.Context(), who, what, of, from)
	if err != nil {
		return web.Answer{}, err
	}
	page := Invoices{Chrome: s.chrome(r, who), Of: of}
	at := func(w pay.What, before string) string {
		v := url.Values{}
		for name, value := range map[string]string{"what": string(w), "of": of, "before": before} {
			if value != "" && value != string(pay.InvoicesOnly) {
				v.Set(name, value)
			}
		}
		if len(v) == 0 {
			return invoicesPath
		}
		return invoicesPath + "?" + v.Encode()
	}
	for _, t := range []struct {
		what       pay.What
		name, none string
	}{{pay.InvoicesOnly, "my.invoices", "my.invoices.none"}, {pay.PaymentsOnly, "my.invoices.payments", "my.invoices.payments.none"}, {pay.RefundsOnly, "my.invoices.refunds", "my.invoices.refunds.none"}} {
		page.Tabs = append(page.Tabs, Room{Name: page.T(t.name), Address: at(t.what, ""), Current: t.what == what})
		if t.what == what {
			page.Title, page.None = page.T(t.name), page.T(t.none)
		}
	}
	if what != pay.InvoicesOnly {
		page.What = string(what)
	}
	if len(h.Vehicles) > 1 {
		page.Vehicles = []Option{{Text: page.T("my.invoices.all_vehicles")}}
		for _, v := range h.Vehicles {
			page.Vehicles = append(page.Vehicles, Option{Value: v.ID, Text: v.Label, Chosen: v.ID == of})
		}
	}
	for _, row := range h.Rows {
		page.Rows = append(page.Rows, page.invoiceRow(row))
	}
	if h.Next != nil {
		page.Older = at(what, h.Next.String())
	}
	if from.ID != "" {
		page.Newest = at(what, "")
	}
	return s.Pages.Page(http.StatusOK, InvoicesPage, page)
}

// invoiceRow words a row of the history.
func (c Chrome) invoiceRow(h pay.Happened) InvoiceRow {
	var row InvoiceRow
	detail := func(words string) {
		if words != "" {
			row.Details = append(row.Details, words)
		}
	}
	card := ""
	if h.Card.Last4 != "" {
		card = c.T("receipt.card_ending", pay.Card{Brand: h.Card.Brand}.Name(), h.Card.Last4)
	}
	if h.BillID != "" {
		row.Address = invoiceAddress(h.BillID)
	}
	switch h.Kind {
	case pay.ChargeMade:
		p := *h.Payment
		row.What, row.Amount = c.T("my.payment", p.PaidBy().Words(c.Lang)), p.Charged.String()
		if p.Charged == 0 && p.State.Sold() {
			row.What = c.T("invoice.covered")
		}
		detail(c.Date(dayIn(p.Frozen.Zone, h.At)))
		detail(p.Frozen.Vehicle)
		detail(card)
		detail(p.Reference())
		if row.State, row.Tone = c.paymentState(p); h.Disputed {
			row.State, row.Tone = c.T("my.payment.disputed"), "bad"
		}
	case pay.RefundMade:
		row.What, row.Amount = c.T("my.refund"), h.Refund.Amount.String()
		detail(c.Date(dayIn(h.Payment.Frozen.Zone, h.At)))
		detail(card)
		detail(h.Payment.Reference())
		row.State, row.Tone = c.refundState(h.Refund.State)
	case pay.Received:
		i := *h.Invoice
		row.What, row.Amount, row.Address = c.T("my.payment", pay.Door(i.Door).Words(c.Lang)), i.Total.String(), invoiceAddress(i.ID)
		detail(c.Date(i.Day()))
		detail(i.Vehicle)
		row.State, row.Tone = c.T("my.payment.paid"), "good"
	default:
		i := *h.Invoice
		b := pay.Bill{Invoice: i, Due: h.Due}
		if h.Back > 0 {
			b.Notes = []ledger.Invoice{{Total: -h.Back}}
		}
		sheet := b.Sheet(c.Lang)
		row.What, row.Amount, row.Address = sheet.Title, i.Total.Accounting(), invoiceAddress(i.ID)
		if n := len(sheet.Lines); n > 0 && h.Kind == pay.Invoiced {
			row.What = sheet.Lines[0].Text
			if n > 1 {
				row.What = c.T("my.invoices.and_more", row.What, n-1)
			}
		}
		detail(sheet.Date)
		detail(i.Vehicle)
		detail(sheet.Number)
		if h.Kind == pay.Invoiced {
			row.State, row.Tone = sheet.Standing, standingTone(b)
		}
	}
	return row
}

// standingTone is the tone of a bill's badge.
func standingTone(b pay.Bill) string {
	switch {
	case b.Due > 0:
		return "warning"
	case len(b.Notes) > 0 || b.Invoice.Total < 0:
		return ""
	}
	return "good"
}

// paymentState says where a payment of the history stands, on a badge, and the badge's tone.
func (c Chrome) paymentState(p pay.Payment) (words, tone string) {
	switch {
	case p.State == pay.Declined:
		return c.T("my.payment.declined"), "bad"
	case p.State == pay.PaidAfterClose:
		return c.T("my.payment.late"), "warning"
	case p.GivenBack > 0 && p.GivenBack >= p.Charged:
		return c.T("my.payment.back"), ""
	case p.GivenBack > 0:
		return c.T("my.payment.part_back"), ""
	}
	return c.T("my.payment.paid"), "good"
}

func (c Chrome) refundState(s pay.RefundState) (words, tone string) {
	switch s {
	case pay.RefundDone:
		return c.T("my.refund.done"), "good"
	case pay.RefundWaits, pay.RefundOnWay:
		return c.T("my.refund.on_way"), "note"
	}
	return c.T("my.refund.failed"), "bad"
}

// dayIn is the day of a moment in a zone; an unknown one counts as UTC.
func dayIn(zone string, at time.Time) day.Date {
	l, err := time.LoadLocation(zone)
	if err != nil {
		l = time.UTC
	}
	return day.Of(at.In(l))
}

// invoice is GET /my/invoices/{id}.
func (s *server) invoice(r *web.Request, who client.Who) (web.Answer, error) {
	b, err := s.Desk.Bill(r.Context(), who, mux.Vars(r.Request)["id"])
	if err != nil {
		return web.Answer{}, err
	}
	page := Invoice{Chrome: s.chrome(r, who), Tone: standingTone(b), PDF: invoiceAddress(b.Invoice.ID) + "/pdf"}
	page.Sheet = b.Sheet(page.Lang)
	if b.Of != nil {
		page.Of = invoiceAddress(b.Of.ID)
	}
	for _, n := range page.Sheet.Notes {
		page.Credits = append(page.Credits, CreditNote{n, invoiceAddress(n.ID)})
	}
	if p := b.Payment; r.URL.Query().Get("paid") != "" && p != nil && p.Door == pay.ByClient && p.State.Sold() && p.GivenBack == 0 {
		page.Just, page.Focus = paidNotice(r, who, page.Lang, *p), "paid"
	}
	if b.Due > 0 {
		page.Pay = s.payFor(url.Values{"balance": {"1"}})
	}
	return s.Pages.Page(http.StatusOK, InvoicePage, page)
}

// payFor is where one pays; "" where nothing is offered to pay.
func (s *server) payFor(what url.Values) string {
	for _, room := range rooms {
		if room.key == "my.pay" && !s.Desk.Paused {
			return room.address + "?" + what.Encode()
		}
	}
	return ""
}

// invoicePDF is GET /my/invoices/{id}/pdf, saved as "interlane-invoice-260310-7K2Q-4821.pdf".
func (s *server) invoicePDF(r *web.Request, who client.Who) (web.Answer, error) {
	name, file, err := s.Desk.InvoicePDF(r.Context(), who, mux.Vars(r.Request)["id"], s.language(r, who))
	if err != nil {
		return web.Answer{}, err
	}
	brand := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, strings.ToLower(s.Brand))
	return web.File(web.PDFType, brand+"-"+name, file), nil
}

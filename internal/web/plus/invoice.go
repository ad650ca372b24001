package plus

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"paylink/internal/account"
	"paylink/internal/desk/agent"
	"paylink/internal/lang"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/quote"
	"paylink/internal/staff"
	"paylink/internal/web"
)

// FeeForm is Add New Invoice: fees of the location's list, and what they come to.
type FeeForm struct {
	ClientID  string
	Vehicles  []Option // with "No vehicle" where the location is clear without one
	Several   bool     // the vehicles are at several locations, each with a list of its own
	Where     string   // whose list it is; "": a vehicle has to be chosen first
	Fees      []FeeRow
	Alert     *Alert
	Summary   *FeeSum
	FeesError string
	Focus     string // the id of what the reader looks at next
	Cancel    string // address of the tab without the form
}

// FeeRow is a fee that may be chosen.
type FeeRow struct {
	Field                   string // of the form
	Name, Kind, Amount, Tax string
	Count                   string // as typed
	Error                   string
}

// FeeSum is what the fees come to, and the form that adds the invoice.
type FeeSum struct {
	Heading        string
	Lines          []Line
	Total          string
	Balance, After string // what the account owes before and after
	Action         string
	Vehicle        string
	Items          []string // "fee count cents"
	Shown          int64    // cents
	Key            string
}

const countPrefix = "count."

func invoiceAddress(id string) string { return "/plus/invoices/" + url.PathEscape(id) }

// feeForm is the form as an address asks for it: with a summary once fees are counted, else empty.
func (s *server) feeForm(r *web.Request, who staff.Member, c agent.Client, q url.Values) (FeeForm, int, error) {
	o := agent.FeeOrder{ClientID: c.ID, VehicleID: q.Get("for")}
	if !q.Has("for") && len(c.Vehicles) > 0 {
		o.VehicleID = c.Vehicles[0].ID
	}
	f := newFeeForm(c, o.VehicleID)
	list, err := s.Desk.FeeList(r.Context(), who, c.ID, o.VehicleID)
	if errors.Is(err, agent.ErrWhere) {
		f.Focus = "for"
		return f, http.StatusOK, nil // the form asks for a vehicle
	}
	if err != nil {
		return f, 0, err
	}
	bad := f.offer(list, q.Get)
	asks := q.Get("get") == "summary"
	switch {
	case bad != "":
		f.Focus = bad
		return f, http.StatusUnprocessableEntity, nil
	case !asks:
		f.Focus = "add-title"
		return f, http.StatusOK, nil
	}
	for _, row := range f.Fees {
		if n, _ := strconv.Atoi(row.Count); n > 0 {
			o.Fees = append(o.Fees, agent.FeeChoice{FeeID: strings.TrimPrefix(row.Field, countPrefix), Count: n})
		}
	}
	status, err := s.sum(r, who, o, &f)
	return f, status, err
}

func newFeeForm(c agent.Client, vehicleID string) FeeForm {
	f := FeeForm{ClientID: c.ID, Cancel: clientAddress(c.ID, url.Values{"tab": {"history"}})}
	for _, v := range c.Vehicles {
		f.Vehicles = append(f.Vehicles, Option{ID: v.ID, Label: vehicleName(v.Vehicle), Chosen: v.ID == vehicleID})
		f.Several = f.Several || v.LocationID != c.Vehicles[0].LocationID
	}
	if !f.Several && len(c.Vehicles) > 0 {
		f.Vehicles = append(f.Vehicles, Option{Label: "No vehicle", Chosen: vehicleID == ""})
	}
	return f
}

// offer lists what may be chosen, with what was typed, and returns the field that is wrong first; "": none.
func (f *FeeForm) offer(list agent.FeeSummary, typed func(string) string) (wrong string) {
	f.Where = list.Location.Name
	for _, fee := range list.Offered {
		row := FeeRow{Field: countPrefix + fee.ID, Name: fee.Name, Kind: feeKindWords(fee.Kind), Amount: fee.Amount.String(), Count: strings.TrimSpace(typed(countPrefix + fee.ID)), Tax: "no tax"}
		if taxed(list.Location, fee.Kind) && !list.Account.Client.TaxExempt {
			row.Tax = "plus " + lang.English.Percent(list.Location.TaxPPM) + " tax"
		}
		if n, err := strconv.Atoi(row.Count); row.Count != "" && (err != nil || n < 0 || n > quote.CountMost) {
			row.Error = fmt.Sprintf("Enter a number up to %d.", quote.CountMost)
			if len(row.Count) > 4 {
				row.Count = "" // whatever it is, it is not shown again
			}
			if wrong == "" {
				wrong = row.Field
			}
		}
		f.Fees = append(f.Fees, row)
	}
	return wrong
}

func taxed(l account.Location, kind account.FeeKind) bool {
	if l.TaxPPM == 0 {
		return false
	}
	for _, k := range l.TaxedFees {
		if k == kind {
			return true
		}
	}
	return false
}

// sum adds the summary of an order, and the form that confirms it.
func (s *server) sum(r *web.Request, who staff.Member, o agent.FeeOrder, f *FeeForm) (int, error) {
	got, err := s.Desk.FeeSummary(r.Context(), who, o)
	switch {
	case errors.Is(err, quote.ErrNone):
		f.FeesError, f.Focus = "Choose at least one fee: enter how many of it.", "fees"
		return http.StatusUnprocessableEntity, nil
	case err != nil:
		return 0, err
	}
	sum := FeeSum{
		Heading: "Without a vehicle", Total: got.Total.String(), Balance: got.Account.Balance.Accounting(), After: got.After.Accounting(),
		Action: clientAddress(o.ClientID, nil) + "/invoices", Vehicle: o.VehicleID, Shown: int64(got.Total), Key: s.NewKey(),
	}
	if got.Vehicle != nil {
		sum.Heading = got.Vehicle.Label
	}
	for _, l := range got.Lines {
		label := l.Fee.Name
		if l.Count > 1 {
			label = fmt.Sprintf("%s, %d × %s", label, l.Count, l.Fee.Amount)
		}
		sum.Lines = append(sum.Lines, Line{label, l.Amount.String()})
		sum.Items = append(sum.Items, fmt.Sprintf("%s %d %d", l.Fee.ID, l.Count, l.Fee.Amount))
	}
	switch {
	case got.Account.Client.TaxExempt:
		sum.Lines = append(sum.Lines, Line{"Tax exempt", got.Tax.String()})
	case got.Taxable > 0 && got.TaxPPM > 0:
		sum.Lines = append(sum.Lines, Line{fmt.Sprintf("Tax %s on %s", lang.English.Percent(got.TaxPPM), got.Taxable), got.Tax.String()})
	default:
		sum.Lines = append(sum.Lines, Line{"Tax", got.Tax.String()})
	}
	f.Summary, f.Focus = &sum, "fee-summary-title"
	return http.StatusOK, nil
}

// addInvoice is POST /plus/clients/{id}/invoices.
func (s *server) addInvoice(r *web.Request, who staff.Member) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	id, f := mux.Vars(r.Request)["id"], r.PostForm
	shown, err := strconv.ParseInt(f.Get("shown"), 10, 64)
	if key := f.Get("key"); err != nil || key == "" || len(key) > 100 || len(f["fee"]) > 100 {
		return web.Answer{}, web.ErrBadRequest
	}
	o := agent.FeeOrder{ClientID: id, VehicleID: f.Get("for"), Shown: money.Cents(shown), FormKey: f.Get("key")}
	counts := map[string]string{}
	for _, item := range f["fee"] {
		var c agent.FeeChoice
		words := strings.Fields(item)
		if len(words) != 3 {
			return web.Answer{}, web.ErrBadRequest
		}
		count, countErr := strconv.Atoi(words[1])
		cents, centsErr := strconv.ParseInt(words[2], 10, 64)
		if errors.Join(countErr, centsErr) != nil {
			return web.Answer{}, web.ErrBadRequest
		}
		c.FeeID, c.Count, c.Shown = words[0], count, money.Cents(cents)
		o.Fees = append(o.Fees, c)
		counts[countPrefix+c.FeeID] = words[1]
	}
	added, err := s.Desk.AddInvoice(r.Context(), who, o)
	if err == nil {
		return web.Redirect(clientAddress(id, url.Values{"tab": {"history"}, "added": {added.ID}})), nil
	}
	var why string
	moved := &agent.MovedError{}
	switch {
	case errors.As(err, &moved):
		why = fmt.Sprintf("Nothing was added: the total has changed from %s to %s since the summary was shown. Read out the new total below, then add the invoice.", moved.Shown, moved.Now)
	case errors.Is(err, pay.ErrAccountBusy):
		why = "Nothing was added: a payment of this account is being made right now. Try again in a minute, when it has ended."
	case errors.Is(err, quote.ErrFee):
		why = "Nothing was added: a fee is no longer on the location’s list. Below is what is left of your choice."
	case errors.Is(err, quote.ErrNone), errors.Is(err, quote.ErrCount), errors.Is(err, agent.ErrWhere):
		why = "Nothing was added. Choose again."
	default:
		return web.Answer{}, err
	}
	status := web.ProblemOf(err).Status
	c, err := s.Desk.Client(r.Context(), who, id)
	if err != nil {
		return web.Answer{}, err
	}
	form := newFeeForm(c, o.VehicleID)
	form.Alert, form.Focus = &Alert{"error", why}, "fee-why"
	list, err := s.Desk.FeeList(r.Context(), who, id, o.VehicleID)
	if err != nil && !errors.Is(err, agent.ErrWhere) {
		return web.Answer{}, err
	}
	if err == nil {
		if form.offer(list, func(name string) string { return counts[name] }) == "" {
			left := o
			left.Fees = nil
			for _, row := range form.Fees {
				if n, _ := strconv.Atoi(row.Count); n > 0 {
					left.Fees = append(left.Fees, agent.FeeChoice{FeeID: strings.TrimPrefix(row.Field, countPrefix), Count: n})
				}
			}
			if len(left.Fees) > 0 {
				if _, err := s.sum(r, who, left, &form); err != nil {
					return web.Answer{}, err
				}
			}
		}
		form.Focus = "fee-why"
	}
	return s.draw(r, who, id, status, ask{tab: "history"}, draft{fees: &form})
}

// added says what was just added; "" for what is no invoice of the client's.
func (s *server) added(r *web.Request, who staff.Member, c agent.Client, id string) (string, error) {
	b, err := s.Desk.Invoice(r.Context(), who, id)
	switch {
	case errors.Is(err, account.ErrNotFound):
		return "", nil
	case err != nil || b.Client.ID != c.ID:
		return "", err
	}
	return fmt.Sprintf("Invoice %s was added: %s. The balance is %s now.", b.Invoice.Number, b.Invoice.Total, c.Balance.Accounting()), nil
}

// Invoice is an invoice's page.
type Invoice struct {
	Chrome
	pay.Sheet
	Tone       string // of the badge
	PDF        string // its address
	ClientPage string
	Payment    string      // address of the payment that issued it; "": none did, or the reader may not see it
	Of         string      // of a credit note: address of the invoice that it takes back
	Credits    []CreditRow // credit notes that belong to it
}

// CreditRow is a credit note on its invoice's page.
type CreditRow struct {
	pay.SheetNote
	Address string
}

// invoice is GET /plus/invoices/{id}.
func (s *server) invoice(r *web.Request, who staff.Member) (web.Answer, error) {
	b, err := s.Desk.Invoice(r.Context(), who, mux.Vars(r.Request)["id"])
	if err != nil {
		return web.Answer{}, err
	}
	page := Invoice{Chrome: s.chrome(r, who), Sheet: b.Sheet(lang.English), Tone: "good", PDF: invoiceAddress(b.Invoice.ID) + ".pdf", ClientPage: clientAddress(b.Client.ID, url.Values{"tab": {"history"}})}
	switch {
	case b.Due > 0:
		page.Tone = "warning"
	case len(b.Notes) > 0:
		page.Tone = ""
	}
	if b.Payment != nil && page.AtFinance {
		page.Payment = paymentAddress(b.Payment.ID)
	}
	if b.Of != nil {
		page.Of = invoiceAddress(b.Of.ID)
	}
	for _, n := range page.Sheet.Notes {
		page.Credits = append(page.Credits, CreditRow{n, invoiceAddress(n.ID)})
	}
	return s.Pages.Page(http.StatusOK, InvoicePage, page)
}

// invoicePDF is GET /plus/invoices/{id}.pdf. ?lang=es is Spanish; without it, it is in the client's language.
func (s *server) invoicePDF(r *web.Request, who staff.Member) (web.Answer, error) {
	name, file, err := s.Desk.InvoicePDF(r.Context(), who, mux.Vars(r.Request)["id"], lang.Lang(r.URL.Query().Get("lang")))
	if err != nil {
		return web.Answer{}, err
	}
	return web.File(web.PDFType, name, file), nil
}

// feeKindWords say what a fee is for.
func feeKindWords(kind account.FeeKind) string {
	switch kind {
	case account.ServiceFee:
		return "Service"
	case account.EquipmentFee:
		return "Equipment"
	case account.AdministrativeFee:
		return "Administrative"
	}
	return string(kind)
}

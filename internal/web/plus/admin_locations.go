package plus

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"paylink/internal/account"
	"paylink/internal/desk/admin"
	"paylink/internal/money"
	"paylink/internal/staff"
	"paylink/internal/web"
)

func locationAddress(id string, more ...string) string {
	return adminHome + "/locations/" + url.PathEscape(id) + strings.Join(more, "")
}

// locations is GET /plus/admin/locations.
func (s *server) locations(r *web.Request, who staff.Member) (web.Answer, error) {
	places, err := s.Admin.Places(r.Context(), who)
	if err != nil {
		return web.Answer{}, err
	}
	page := Locations{Admin: s.adminPage(r, who, typed{})}
	for _, l := range places {
		page.Rows = append(page.Rows, LocationRow{
			Address: locationAddress(l.ID), Name: l.Name, ID: l.ID, State: l.State, Zone: l.Zone, Payments: admin.PaymentsName(l.Payments), Tone: paymentsTone(l.Payments), Tax: admin.WritePercent(l.TaxPPM) + "%",
			Vehicles: l.Vehicles,
		})
	}
	return s.Pages.Page(http.StatusOK, LocationsPage, page)
}

func paymentsTone(p account.Payments) string {
	switch p {
	case account.Configured:
		return "good"
	case account.Suspended:
		return "bad"
	}
	return "warning"
}

// newLocation is GET /plus/admin/locations/new.
func (s *server) newLocation(r *web.Request, who staff.Member) (web.Answer, error) {
	if err := s.Admin.NewLocation(r.Context(), who); err != nil {
		return web.Answer{}, err
	}
	return s.blankLocation(r, who, http.StatusOK, typed{})
}

func (s *server) blankLocation(r *web.Request, who staff.Member, status int, t typed) (web.Answer, error) {
	form := siteForm(t, account.Location{Payments: account.NotConfigured, Zone: admin.Zones()[0]})
	form.Action, form.Do = adminHome+"/locations", "Add"
	form.Inputs = append([]Input{t.text("id", "Id", "", 20).hint("Short and for ever, such as VA-RIC.")}, form.Inputs...)
	return s.Pages.Page(status, LocationPage, Location{Admin: s.adminPage(r, who, t), Form: &form, Notes: []string{"Rates and fees come next: a new location has none."}})
}

func siteForm(t typed, l account.Location) Form {
	states := []InputOption{{Label: "Choose a state"}}
	for _, code := range admin.States() {
		states = append(states, InputOption{Value: code, Label: code})
	}
	var zones []InputOption
	known := false
	for _, zone := range admin.Zones() {
		zones = append(zones, InputOption{Value: zone, Label: zone})
		known = known || zone == l.Zone
	}
	if !known && l.Zone != "" {
		zones = append(zones, InputOption{Value: l.Zone, Label: l.Zone})
	}
	kinds := make([]string, len(l.TaxedFees))
	for i, kind := range l.TaxedFees {
		kinds[i] = string(kind)
	}
	return Form{Version: l.Version, Do: "Save", Inputs: []Input{
		t.text("name", "Name", l.Name, 80).hint("As agents and clients read it, such as Richmond, VA."),
		t.options("select", "state", "State", []string{l.State}, states...),
		t.options("select", "zone", "Time zone", []string{l.Zone}, zones...),
		t.text("stripe_account", "Stripe account", l.StripeAccount, 60).hint("Connected account, acct_…; empty: the company’s own. It stays while a payment of the location is live or not settled."),
		t.options("radios", "payments", "Payments", []string{string(l.Payments)},
			InputOption{Value: string(account.Configured), Label: "Configured", Hint: "Takes payments."},
			InputOption{Value: string(account.NotConfigured), Label: "Not configured", Hint: "Was never set up: nothing can be sent."},
			InputOption{Value: string(account.Suspended), Label: "Suspended", Hint: "Nothing can be sent from now on. A link that was sent already can still be paid until it expires: its quote is bound."}).wide(),
		t.options("checks", "taxed", "Fees that are taxed here", kinds, feeKinds()...).wide(),
	}}
}

func feeKinds() []InputOption {
	var out []InputOption
	for _, kind := range account.FeeKinds() {
		out = append(out, InputOption{Value: string(kind), Label: feeKindName(kind)})
	}
	return out
}

func feeKindName(k account.FeeKind) string {
	switch k {
	case account.ServiceFee:
		return "Service"
	case account.EquipmentFee:
		return "Equipment"
	}
	return "Administrative"
}

var siteFields = []string{"id", "name", "state", "zone", "stripe_account", "payments", "taxed"}

func siteOf(f url.Values) admin.Site {
	site := admin.Site{ID: f.Get("id"), Name: f.Get("name"), State: f.Get("state"), Zone: f.Get("zone"), Payments: account.Payments(f.Get("payments")), StripeAccount: f.Get("stripe_account")}
	for _, kind := range f["taxed"] {
		site.TaxedFees = append(site.TaxedFees, account.FeeKind(kind))
	}
	return site
}

// addLocation is POST /plus/admin/locations.
func (s *server) addLocation(r *web.Request, who staff.Member) (web.Answer, error) {
	t, err := s.sent(r)
	if err != nil {
		return web.Answer{}, err
	}
	id, err := s.Admin.AddLocation(r.Context(), who, siteOf(t.form))
	if err != nil {
		status, known := t.no(err, siteFields...)
		if !known {
			return web.Answer{}, err
		}
		return s.blankLocation(r, who, status, t)
	}
	return web.Redirect(locationAddress(id, "/rates")), nil
}

// locationPage is what the tabs of a location have in common; suffix is the tab's.
func (s *server) locationPage(r *web.Request, who staff.Member, t *typed, suffix string) (Location, admin.Location, error) {
	l, err := s.Admin.Location(r.Context(), who, mux.Vars(r.Request)["id"])
	if err != nil {
		return Location{}, l, err
	}
	t.changed(l.History, l.Version)
	page := Location{
		Admin: s.adminPage(r, who, *t), Place: l.Name, ID: l.ID, Payments: admin.PaymentsName(l.Payments), Tone: paymentsTone(l.Payments), Version: l.Version,
	}
	page.Trail = trailRows(l.History)
	for _, tab := range [][2]string{{"Location", ""}, {"Rates", "/rates"}, {"Fees", "/fees"}} {
		page.Parts = append(page.Parts, Tab{Name: tab[0], Address: locationAddress(l.ID, tab[1]), Current: tab[1] == suffix})
	}
	return page, l, nil
}

func reads(fields []admin.Field) []Reads {
	out := make([]Reads, len(fields))
	for i, f := range fields {
		out[i] = Reads{f.Name, f.Value}
	}
	return out
}

// location is GET /plus/admin/locations/{id}.
func (s *server) location(r *web.Request, who staff.Member) (web.Answer, error) {
	return s.sitePage(r, who, http.StatusOK, typed{})
}

func (s *server) sitePage(r *web.Request, who staff.Member, status int, t typed) (web.Answer, error) {
	page, l, err := s.locationPage(r, who, &t, "")
	if err != nil {
		return web.Answer{}, err
	}
	page.Reads = reads(admin.SiteFields(l.Location))
	if page.May {
		form := siteForm(t, l.Location)
		form.Action = locationAddress(l.ID)
		page.Form = &form
	}
	if l.Flying > 0 {
		page.Notes = append(page.Notes, "Payments of this location that are live or not settled now: "+strconv.Itoa(l.Flying)+".")
	}
	return s.Pages.Page(status, LocationPage, page)
}

// changeLocation is POST /plus/admin/locations/{id}.
func (s *server) changeLocation(r *web.Request, who staff.Member) (web.Answer, error) {
	t, err := s.sent(r)
	if err != nil {
		return web.Answer{}, err
	}
	id := mux.Vars(r.Request)["id"]
	if err := s.Admin.ChangeLocation(r.Context(), who, id, t.version(), siteOf(t.form)); err != nil {
		status, known := t.no(err, siteFields...)
		if !known {
			return web.Answer{}, err
		}
		return s.sitePage(r, who, status, t)
	}
	return web.Redirect(locationAddress(id, "#trail")), nil
}

// --- Rates -----------------------------------------------------------------------------------------------------------------------------------

// rates is GET /plus/admin/locations/{id}/rates.
func (s *server) rates(r *web.Request, who staff.Member) (web.Answer, error) {
	return s.ratesPage(r, who, http.StatusOK, typed{})
}

func (s *server) ratesPage(r *web.Request, who staff.Member, status int, t typed) (web.Answer, error) {
	page, l, err := s.locationPage(r, who, &t, "/rates")
	if err != nil {
		return web.Answer{}, err
	}
	page.Reads = reads(admin.RateFields(l.Location))
	page.Notes = []string{"A change counts for what is quoted from now on. Links that were sent keep the quote that was read out."}
	if page.May {
		page.Form = rateForm(t, l)
	}
	return s.Pages.Page(status, LocationPage, page)
}

func rateForm(t typed, l admin.Location) *Form {
	dollars := func(name, label string, kept *money.Cents) Input {
		text := ""
		if kept != nil {
			text = strings.NewReplacer("$", "", ",", "").Replace(kept.String())
		}
		i := t.text(name, label, text, 15)
		i.Mode = "decimal"
		return i
	}
	price := func(name string, p admin.Price) Input {
		of := p.Of(l.Location)
		hint := "List price, for new vehicles."
		switch n := l.Paying[p]; {
		case of == 0: // who pays nothing has none
		case n == 0:
			hint += " No vehicle pays exactly this now."
		case n == 1:
			hint += " 1 vehicle pays exactly this now."
		default:
			hint += " " + countOf(n, "vehicle") + " pay exactly this now."
		}
		return dollars(name, p.Name(), &of).hint(hint)
	}
	tax := t.text("tax", "Tax, in percent", admin.WritePercent(l.TaxPPM), 10)
	tax.Mode = "decimal"
	loss := ""
	if l.LossProtectionTaxable {
		loss = "1"
	}
	return &Form{Version: l.Version, Do: "Go on", Action: locationAddress(l.ID, "/rates"), Inputs: []Input{
		tax.hint("Four decimals at the most, such as 6.25."),
		t.options("checks", "loss_protection_taxable", "Taxed besides monitoring", []string{loss}, InputOption{Value: "1", Label: "Loss protection is taxed"}),
		price("iid", admin.IIDPrice), price("pam", admin.PAMPrice), price("loss_protection", admin.LossProtectionPrice),
		dollars("monitoring_cap", "Monitoring, at the most in 30 days", l.MonitoringCapMonthly).hint("Empty: no cap."),
		dollars("loss_protection_cap", "Loss protection, at the most in 30 days", l.LossProtectionCapMonthly).hint("Empty: no cap."),
		dollars("state_fee", "State fee, a month", &l.StateFeeMonthly).hint("For each calendar month that is touched. 0: none."),
		dollars("labor_fee", "Labor fee", &l.LaborFee).hint("Paid at the center, and told only. 0: none."),
	}}
}

var rateFields = []string{"tax", "loss_protection_taxable", "iid", "pam", "loss_protection", "monitoring_cap", "loss_protection_cap", "state_fee", "labor_fee"}

const dollarWords = "Enter an amount in dollars, such as 3.10."

// ratesOf reads what was typed, and says what of it can't be read.
func ratesOf(f url.Values) (admin.Rates, admin.Wrong) {
	wrong := admin.Wrong{}
	cents := func(name string) money.Cents {
		c, ok := typedCents(f.Get(name))
		if !ok {
			wrong[name] = dollarWords
		}
		return c
	}
	limit := func(name string) *money.Cents {
		if strings.TrimSpace(f.Get(name)) == "" {
			return nil
		}
		c := cents(name)
		return &c
	}
	rates := admin.Rates{
		LossProtectionTaxable: f.Get("loss_protection_taxable") != "", MonitoringCapMonthly: limit("monitoring_cap"), LossProtectionCapMonthly: limit("loss_protection_cap"),
		StateFeeMonthly: cents("state_fee"), LaborFee: cents("labor_fee"), IIDDaily: cents("iid"), PAMDaily: cents("pam"), LossProtectionDaily: cents("loss_protection"),
	}
	var ok bool
	if rates.TaxPPM, ok = admin.ReadPercent(f.Get("tax")); !ok {
		wrong["tax"] = admin.PercentWords()
	}
	return rates, wrong
}

// changeRates is POST /plus/admin/locations/{id}/rates. It comes twice: first to be read again, with the vehicles that could follow, and then, confirmed, to act.
func (s *server) changeRates(r *web.Request, who staff.Member) (web.Answer, error) {
	t, err := s.sent(r)
	if err != nil {
		return web.Answer{}, err
	}
	id, f := mux.Vars(r.Request)["id"], t.form
	rates, wrong := ratesOf(f)
	if len(wrong) > 0 && who.May(staff.Manage) == nil {
		status, _ := t.no(wrong, rateFields...)
		return s.ratesPage(r, who, status, t)
	}
	if f.Get("confirmed") != "" {
		follow := map[admin.Price]int{}
		for _, p := range admin.Prices() {
			if n, err := strconv.Atoi(f.Get("follow_" + string(p))); err == nil {
				follow[p] = n
			}
		}
		err = s.Admin.ChangeRates(r.Context(), who, id, t.version(), rates, follow)
		if err == nil {
			return web.Redirect(locationAddress(id, "/rates#trail")), nil
		}
	}
	var look admin.RateChange
	if err == nil {
		look, err = s.Admin.LookAtRates(r.Context(), who, id, t.version(), rates)
	}
	if err != nil {
		status, known := t.no(err, rateFields...)
		if !known {
			return web.Answer{}, err
		}
		return s.ratesPage(r, who, status, t)
	}
	if len(look.Changes) == 0 {
		return web.Redirect(locationAddress(id, "/rates")), nil
	}
	page := Sure{
		Admin: s.adminPage(r, who, typed{}), Crumb: look.Location.Name, Back: locationAddress(id, "/rates"), Action: locationAddress(id, "/rates"), Title: "Change the rates of " + look.Location.Name + "?", Do: "Change",
		Texts: []string{"It counts for what is quoted from now on. Links that were sent keep the quote that was read out."}, Hidden: []Reads{{"version", f.Get("version")}},
	}
	for _, c := range look.Changes {
		page.Changes = append(page.Changes, ChangeRow(c))
	}
	for _, m := range look.Moves {
		words := "Also for the " + countOf(m.Vehicles, "vehicle") + " that pay " + m.From.String() + " now"
		if m.Vehicles == 1 {
			words = "Also for the 1 vehicle that pays " + m.From.String() + " now"
		}
		page.Checks = append(page.Checks, SureCheck{Name: "follow_" + string(m.Price), Value: m.Vehicles, Label: words, Hint: m.Price.Name() + ": " + m.From.String() + " → " + m.To.String() + ". Those that pay another price keep it."})
	}
	for _, name := range rateFields {
		if v := f.Get(name); v != "" {
			page.Hidden = append(page.Hidden, Reads{name, v})
		}
	}
	return s.Pages.Page(http.StatusOK, SurePage, page)
}

// --- Fees ------------------------------------------------------------------------------------------------------------------------------------

// fees is GET /plus/admin/locations/{id}/fees.
func (s *server) fees(r *web.Request, who staff.Member) (web.Answer, error) {
	return s.feesPage(r, who, http.StatusOK, typed{})
}

func (s *server) feesPage(r *web.Request, who staff.Member, status int, t typed) (web.Answer, error) {
	page, l, err := s.locationPage(r, who, &t, "/fees")
	if err != nil {
		return web.Answer{}, err
	}
	page.AtFees = true
	for _, f := range l.Fees {
		row := ListedFee{ID: f.ID, Address: locationAddress(l.ID, "/fees/", url.PathEscape(f.ID)), Name: f.Name, Kind: feeKindName(f.Kind), Amount: f.Amount.String(), Taxed: "Not taxed"}
		for _, kind := range l.TaxedFees {
			if kind == f.Kind {
				row.Taxed = "Taxed"
			}
		}
		if f.Retired {
			page.Retired = append(page.Retired, row)
		} else {
			page.Fees = append(page.Fees, row)
		}
	}
	if page.May {
		form := feeForm(t, account.Fee{Kind: account.ServiceFee})
		form.Action, form.Do, form.Version = locationAddress(l.ID, "/fees"), "Add fee", l.Version
		page.Form, page.FormTitle = &form, "Add a fee"
	}
	return s.Pages.Page(status, LocationPage, page)
}

func feeForm(t typed, f account.Fee) Form {
	amount := ""
	if f.Amount > 0 {
		amount = strings.NewReplacer("$", "", ",", "").Replace(f.Amount.String())
	}
	sum := t.text("amount", "Amount in dollars, before tax", amount, 15)
	sum.Mode = "decimal"
	return Form{Inputs: []Input{
		t.text("name", "Name", f.Name, 60).hint("As it stands on the invoice."),
		t.options("select", "kind", "Kind", []string{string(f.Kind)}, feeKinds()...).hint("Decides whether it is taxed here."), sum,
	}}
}

var feeFields = []string{"name", "kind", "amount"}

func feeOf(f url.Values) admin.FeeTyped {
	amount, _ := typedCents(f.Get("amount")) // what can't be read is nothing, which the desk refuses
	return admin.FeeTyped{Name: f.Get("name"), Kind: account.FeeKind(f.Get("kind")), Amount: amount}
}

// addFee is POST /plus/admin/locations/{id}/fees.
func (s *server) addFee(r *web.Request, who staff.Member) (web.Answer, error) {
	t, err := s.sent(r)
	if err != nil {
		return web.Answer{}, err
	}
	id := mux.Vars(r.Request)["id"]
	if err := s.Admin.AddFee(r.Context(), who, id, t.version(), feeOf(t.form)); err != nil {
		status, known := t.no(err, feeFields...)
		if !known {
			return web.Answer{}, err
		}
		return s.feesPage(r, who, status, t)
	}
	return web.Redirect(locationAddress(id, "/fees")), nil
}

// fee is GET /plus/admin/locations/{id}/fees/{fee}.
func (s *server) fee(r *web.Request, who staff.Member) (web.Answer, error) {
	return s.feePage(r, who, http.StatusOK, typed{})
}

func (s *server) feePage(r *web.Request, who staff.Member, status int, t typed) (web.Answer, error) {
	page, l, err := s.locationPage(r, who, &t, "/fees")
	if err != nil {
		return web.Answer{}, err
	}
	f, ok := feeIn(l, mux.Vars(r.Request)["fee"])
	if !ok {
		return web.Answer{}, account.ErrNotFound
	}
	page.Reads = reads(admin.FeeFields(f))
	page.FormTitle = f.Name
	page.Notes = []string{"Invoices that were written keep the name and the amount that they have. An invoice that is being written with the fee as it was is refused, and written anew."}
	if f.Retired {
		page.FormTitle += ", retired"
	} else if page.May {
		form := feeForm(t, f)
		form.Action, form.Do, form.Version = locationAddress(l.ID, "/fees/", url.PathEscape(f.ID)), "Save", l.Version
		page.Form = &form
	}
	return s.Pages.Page(status, LocationPage, page)
}

func feeIn(l admin.Location, id string) (account.Fee, bool) {
	for _, f := range l.Fees {
		if f.ID == id {
			return f, true
		}
	}
	return account.Fee{}, false
}

// changeFee is POST /plus/admin/locations/{id}/fees/{fee}.
func (s *server) changeFee(r *web.Request, who staff.Member) (web.Answer, error) {
	t, err := s.sent(r)
	if err != nil {
		return web.Answer{}, err
	}
	id := mux.Vars(r.Request)["id"]
	if err := s.Admin.ChangeFee(r.Context(), who, id, t.version(), mux.Vars(r.Request)["fee"], feeOf(t.form)); err != nil {
		status, known := t.no(err, feeFields...)
		if !known {
			return web.Answer{}, err
		}
		return s.feePage(r, who, status, t)
	}
	return web.Redirect(locationAddress(id, "/fees")), nil
}

// retireFee is POST /plus/admin/locations/{id}/fees/{fee}/retire. It comes twice, as changeRates.
func (s *server) retireFee(r *web.Request, who staff.Member) (web.Answer, error) {
	t, err := s.sent(r)
	if err != nil {
		return web.Answer{}, err
	}
	id, fee := mux.Vars(r.Request)["id"], mux.Vars(r.Request)["fee"]
	if t.form.Get("confirmed") == "" && who.May(staff.Manage) == nil {
		l, err := s.Admin.Location(r.Context(), who, id)
		if err != nil {
			return web.Answer{}, err
		}
		f, ok := feeIn(l, fee)
		if !ok {
			return web.Answer{}, account.ErrNotFound
		}
		return s.Pages.Page(http.StatusOK, SurePage, Sure{
			Admin: s.adminPage(r, who, typed{}), Crumb: l.Name, Back: locationAddress(id, "/fees"), Action: locationAddress(id, "/fees/", url.PathEscape(fee), "/retire"),
			Title: "Retire " + f.Name + ", " + f.Amount.String() + "?", Texts: []string{"It can’t be invoiced any more. Invoices that were written keep it."}, Hidden: []Reads{{"version", t.form.Get("version")}}, Do: "Retire", Tone: "danger",
		})
	}
	return s.feeActed(r, who, t, s.Admin.RetireFee(r.Context(), who, id, t.version(), fee))
}

// restoreFee is POST /plus/admin/locations/{id}/fees/{fee}/restore.
func (s *server) restoreFee(r *web.Request, who staff.Member) (web.Answer, error) {
	t, err := s.sent(r)
	if err != nil {
		return web.Answer{}, err
	}
	return s.feeActed(r, who, t, s.Admin.RestoreFee(r.Context(), who, mux.Vars(r.Request)["id"], t.version(), mux.Vars(r.Request)["fee"]))
}

// feeActed goes back to the list, which says why nothing was done where it was refused.
func (s *server) feeActed(r *web.Request, who staff.Member, t typed, err error) (web.Answer, error) {
	if err == nil {
		return web.Redirect(locationAddress(mux.Vars(r.Request)["id"], "/fees")), nil
	}
	status, known := t.no(err)
	if !known {
		return web.Answer{}, err
	}
	if words := t.wrong["name"]; words != "" {
		t.alert = "Nothing was done. " + words
	} else {
		t.alert = "Nothing was done: this was changed while you had it open. Look at what stands here now, and try again."
	}
	return s.feesPage(r, who, status, typed{alert: t.alert})
}

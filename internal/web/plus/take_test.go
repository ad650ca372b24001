package plus_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"paylink/internal/account"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/quote"
	"paylink/internal/sim/stripesim"
	"paylink/internal/trail"
)

// taking is the address of Take Payment for a client; more is what else it asks for.
func taking(client, more string) string {
	return "/plus/clients/" + client + "?tab=history&panel=take" + more
}

// takes presses the button of the page that is shown, with the client's consent.
func (v *visitor) takes(client string, p *page, changes ...string) *page {
	return v.post("/plus/clients/"+client+"/take", p.form("#take", append([]string{"consent", "yes"}, changes...)...))
}

// took is an address that a charge leads to, followed until it says something.
func (v *visitor) took(p *page, want string) *page {
	v.w.t.Helper()
	return v.until(p.to(), "#status", want)
}

// charges is how many charges have succeeded at Stripe.
func (w *town) charges() (n int) {
	for _, a := range w.stripe.Books().Accounts {
		for _, c := range a.Charges {
			if c.Status == "succeeded" {
				n++
			}
		}
	}
	return n
}

func TestAnAgentTakesTheNextPaymentFromACardOnFile(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	v.get("/plus/clients/100047?tab=history").has("#take-open", 1)
	if to := v.get("/plus/clients/100047/take").to(); to != "/plus/clients/100047?panel=take&tab=history" {
		t.Errorf("leads to %s", to)
	}
	// Nothing need be pressed: vehicle, days and card are computed, and what has expired can't be chosen.
	p := v.get(taking("100047", "")).is(200)
	p.says("#take-vehicle [selected]", "2017 Subaru Outback").says("#take-choice :checked ~ span", "30 days").says("#take-total", "$98.58").says("#taking .after", "Paid To Date becomes Apr 9, 2026").
		says("#charge", "Charge $98.58").says("#card :checked ~ span", "Visa ending 4242 main card").says("#card :disabled ~ span", "Mastercard ending 4444 expired 01/2026").
		says("#taking", "Auto Pay is on and charges within 1 day").says("[for=charge-consent], .check:has(#charge-consent)", "Hal Brandt agreed on the phone to be charged $98.58 now")
	// Without the spoken consent nothing is charged, and the card that was chosen stays chosen.
	second := p.Find("#card input").Eq(1).AttrOr("value", "")
	v.post("/plus/clients/100047/take", p.form("#take", "card", second)).is(422).says("#charge-consent-error", "tick the box once the client has agreed").says("#card :checked ~ span", "3184").has("[data-focus=charge-consent]", 1)
	v.takes("100047", p, "card", p.Find("#card :disabled").AttrOr("value", "")).is(422).says("#card-error", "has expired")
	v.takes("100047", p, "card", "card-demo-100043-3").is(422).says("#card-error", "Choose a card")
	if w.charges() != 0 {
		t.Fatal("something was charged")
	}

	// A double click, the back button, and another tab's older form: one charge.
	form := p.form("#take", "consent", "yes")
	other := v.get(taking("100047", "")).form("#take", "consent", "yes")
	answers := make([]*page, 3)
	var wg sync.WaitGroup
	for i := range answers {
		mine := w.as("agent")
		wg.Go(func() { answers[i] = mine.post("/plus/clients/100047/take", form) })
	}
	wg.Wait()
	address := answers[0].to()
	for _, a := range answers {
		if a.to() != address {
			t.Error("a second click leads elsewhere")
		}
	}
	done := v.took(answers[0], "Paid.")
	reference := done.words(".receipt > div:last-child dd")
	done.says("#status-title", "Payment status").says("#where", "Tell the client: paid to Apr 9, 2026, reference "+reference).says(".receipt", "Charged$98.58Card").says(".receipt", "Visa ending 4242").says(".receipt", "Paid To DateApr 9, 2026").
		says("#client .facts", "Paid To DateApr 9, 2026").says(".table.history tbody", "by card on file").has("#choice", 0)
	want := "Took $98.58 by Visa ending 4242, 30 days for 2017 Subaru Outback, Paid To Date Apr 9, 2026. Reference " + reference + "."
	if got := done.Find("#copy").AttrOr("data-note", ""); got != want {
		t.Errorf("the call note is %q", got)
	}
	if n := w.count(`SELECT COUNT(*) FROM notes WHERE client_id = '100047' AND text = $1 AND by_id = 'staff-agent'`, want); n != 1 {
		t.Errorf("%d notes", n)
	}
	v.post("/plus/clients/100047/take", form).is(http.StatusSeeOther) // the back button
	v.post("/plus/clients/100047/take", other).is(409).says("#why", "paid to another day by now").says("#why", "May 9, 2026 instead of Apr 9, 2026")
	if w.charges() != 1 || w.count(`SELECT COUNT(*) FROM payments`) != 1 || w.count(`SELECT COUNT(*) FROM invoices WHERE door = 'agent'`) != 1 {
		t.Errorf("%d charges, %d payments", w.charges(), w.count(`SELECT COUNT(*) FROM payments`))
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'charge card on file' AND actor_id = 'staff-agent' AND detail = '$98.58 Visa ending 4242, the client agreed on the phone'`); n != 1 {
		t.Errorf("the consent is in the trail %d times", n)
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'take payment' AND refused <> '' AND client_id = '100047'`); n != 4 {
		t.Errorf("%d refusals in the trail", n)
	}
	id := w.paymentID()
	v.get("/plus/clients/100047?tab=links").says(".rest .table tbody", "Paid · card on file")
	w.as("finance").get("/plus/payments/"+id).is(200).says("#rest", "Visa ending 4242").says("#rest", "the client agreed on the phone")
	evidence := w.as("auditor").get("/plus/payments/" + id + "/evidence.json").is(200).body
	for _, words := range []string{`"door": "agent"`, `"terms_version": "1"`, `the client agreed on the phone`, `"card_last4": "4242"`} {
		if !strings.Contains(evidence, words) {
			t.Errorf("the evidence file does not hold %s", words)
		}
	}
}

func (w *town) paymentID() (id string) {
	w.t.Helper()
	must(w.t, w.books.QueryRow(`SELECT id FROM payments ORDER BY created_ms DESC, id DESC LIMIT 1`).Scan(&id))
	return id
}

func TestEveryOutcomeOfAChargeHasItsWords(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	// A card that declines: the reason, and what to do.
	omar := v.get(taking("100045", "&days=14")).says("#take-total", "$74.20")
	declined := v.took(v.takes("100045", omar), "was declined. No payment was taken.")
	declined.says(".ladder", "Visa ending 0341 declined").says("#where", "another card on file, or send a secure payment link").has("#status a.button", 2).says("#status a.button", "Take Payment again")
	v.get(declined.Find("#status a.button").First().AttrOr("href", "")).says("#take-total", "$74.20").has("#take", 1)
	// Credit that covers everything: no card, nothing charged, the date moves.
	ines := v.get(taking("100048", "")).says("#take .alert", "The credit covers all of it").says("#charge", "Use Credit").has("#card", 0).has("#take a", 0)
	v.took(v.takes("100048", ines), "Paid by credit. Nothing was charged.").says(".receipt", "Credit used$80.44").says("#client .facts", "Apr 9, 2026").says(".table.history", "Paid by the account’s credit")
	v.get("/plus/clients/100048?tab=links").says(".rest .table tbody", "Paid · credit")
	// No card: who adds one, and the way out.
	v.get(taking("100042", "")).says("#no-card", "Only the client adds one, in My Account").has("#charge", 0).has("#no-card a[href*='panel=send']", 1)
	// Accounts of which no card is charged say why.
	v.get(taking("100044", "")).says("#stopped", "Baltimore, MD is not set up to take payments. No card can be charged").has("#take", 0)
	v.get(taking("100050", "")).says("#stopped", "in collections").has("#take", 0)
	v.get(taking("100042", "&days=15")).is(400).says("#take-days-error", "Choose 14 or 30 days")
	// The card processor does not answer: nothing is charged, and the same form works once it does.
	marcus := v.get(taking("100043", "&vehicle=veh_marcus_f150")).says("#take-total", "$125.25")
	must(t, w.stripe.SetFaults(stripesim.Faults{Rules: []stripesim.Rule{{Op: "create", Kind: stripesim.Down503}}}))
	v.takes("100043", marcus).is(503).says("#why", "could not be reached. Nothing was charged")
	must(t, w.stripe.SetFaults(stripesim.Faults{}))
	marcus = v.get(taking("100043", "&vehicle=veh_marcus_f150"))
	// The pending balance alone.
	pending := v.get(taking("100043", "&vehicle=balance")).says("#take-total", "$42.37").has("#take-days", 0)
	paid := v.took(v.takes("100043", pending), "Paid.").says("#where", "the pending balance is paid").says("#client .facts", "Balance$0.00")
	if note := paid.Find("#copy").AttrOr("data-note", ""); !strings.HasPrefix(note, "Took $42.37 by Mastercard ending") || !strings.Contains(note, ", for the pending balance. Reference") {
		t.Errorf("the note is %q", note)
	}
	// The total has moved meanwhile.
	v.takes("100043", marcus).is(409).says("#why", "has changed from $125.25 to $82.88").says("#charge", "Charge $82.88")
	if w.charges() != 1 {
		t.Errorf("%d charges", w.charges())
	}
}

// A charge whose answer is lost is told as that, and followed; the agent may close the tab while it is made.
func TestAChargeGoesOnWhenTheAgentGoesAway(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	p := v.get(taking("100047", ""))
	form := p.form("#take", "consent", "yes")
	must(t, w.stripe.SetFaults(stripesim.Faults{Rules: []stripesim.Rule{{Op: "confirm", Kind: stripesim.Slow, DelayMS: 700, Times: 1}}}))
	ctx, leave := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer leave()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/plus/clients/100047/take", strings.NewReader(form.Encode()))
	must(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, c := range v.cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	if _, err := http.DefaultClient.Do(r); err == nil {
		t.Fatal("the answer came before the tab was closed")
	}
	// Meanwhile another agent is told what is in the way.
	lead := w.as("lead")
	lead.get(taking("100047", "")).says("#in-the-way", "Another agent is charging a card on file.").says("#in-the-way", "Do not charge a card meanwhile.").has("#take", 0)
	lead.until("/plus/clients/100047?tab=history&payment="+w.paymentID(), "#status", "Paid.")
	if w.charges() != 1 {
		t.Errorf("%d charges", w.charges())
	}
	// An answer that is lost after the charge.
	must(t, w.stripe.SetFaults(stripesim.Faults{Rules: []stripesim.Rule{{Op: "confirm", Kind: stripesim.BrokenJSON, Times: 1}, {Op: "retrieve", Kind: stripesim.Down503}}}))
	p = v.get(taking("100043", "&vehicle=veh_marcus_camry"))
	unknown := v.get(v.takes("100043", p).to()).says("#where", "We are checking with the bank. Do not charge again.").has("#status[data-over=false]", 1)
	if w.count(`SELECT COUNT(*) FROM notes WHERE client_id = '100043'`) != 0 {
		t.Error("a note of money that nobody knows of")
	}
	must(t, w.stripe.SetFaults(stripesim.Faults{}))
	v.untilLater(5*time.Second, strings.TrimPrefix(unknown.path, "GET "), "#status", "Paid.")
	if n := w.count(`SELECT COUNT(*) FROM notes WHERE client_id = '100043'`); n != 1 || w.charges() != 2 {
		t.Errorf("%d notes, %d charges", n, w.charges())
	}
}

// What is collecting for the vehicle already refuses a charge, and is named: a link, Auto Pay, a card that needs its owner.
func TestAChargeIsRefusedWhileAnotherPaymentCollects(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	stale := v.get(taking("100047", ""))
	address := v.post("/plus/clients/100047/links", v.get("/plus/clients/100047?panel=send&vehicle=veh_hal_outback&days=30").form("#send")).to()
	v.takes("100047", stale).is(409).says("#why", "another payment was under way").says("#in-the-way", "A secure payment link is live. It asks for $98.58, and nothing was charged yet; it ends at 2:24 PM.").
		says("#in-the-way", "Have it paid, or cancel the link").has("#take", 0).has("#status", 1)
	u, err := url.Parse(address)
	must(t, err)
	v.post("/plus/payments/"+u.Query().Get("payment")+"/cancel", url.Values{"reason": {"Paying another way"}}).is(http.StatusSeeOther)

	// The card that needs its owner: the same payment goes on by a link to the client's number.
	p := v.get(taking("100047", ""))
	owner := v.took(v.takes("100047", p, "card", p.Find("#card input").Eq(1).AttrOr("value", "")), "Sent to")
	owner.says("#status-title", "Link status").says(".ladder li:first-child", "Visa ending 3184 needs its owner").says(".ladder", "••0147").has("#resend", 1).has("#ask-cancel", 1)
	if n := w.count(`SELECT COUNT(*) FROM links l JOIN payments p ON p.id = l.payment_id WHERE p.door = 'agent' AND l.own_number = 1`); n != 1 {
		t.Errorf("%d links for a charge", n)
	}
	must(t, w.stripe.PayIntent(w.stripe.Books().Accounts[w.stripe.Books().Platform].Intents[1].ID))
	v.until(strings.TrimPrefix(owner.path, "GET "), "#status", "Paid.").says(".receipt", "Charged$98.58")
	v.get("/plus/clients/100047?tab=links").says(".rest .table tbody tr:first-child", "Paid")

	// Auto Pay's own charge, whose answer is not known yet, is in the way like any other.
	must(t, w.stripe.SetFaults(stripesim.Faults{Rules: []stripesim.Rule{{Op: "confirm", Kind: stripesim.BrokenJSON, Times: 1}, {Op: "retrieve", Kind: stripesim.Down503}}}))
	card, err := w.s.DB.Card(t.Context(), "card-demo-100043-3")
	must(t, err)
	_, err = w.s.Machine.Collect(t.Context(), pay.Collection{
		Door: pay.ByAutoPay, Saved: pay.SavedCard{Customer: card.Customer, PaymentMethod: card.PaymentMethod, Card: pay.Card{Brand: card.Brand, Last4: card.Last4}}, Terms: "1", Language: "en",
		Order: pay.Order{ClientID: "100043", VehicleID: "veh_marcus_f150", By: trail.BySystem, Price: priced},
	})
	must(t, err)
	v.get(taking("100043", "&vehicle=veh_marcus_f150")).says("#in-the-way", "Auto Pay is collecting. We are checking with the bank whether").has("#take", 0)
	if n := w.charges(); n != 2 {
		t.Errorf("%d charges", n)
	}
}

func priced(f pay.Facts) (pay.Frozen, error) {
	in := quote.Input{AsOf: f.Location.Today(f.Now), Days: 30, Location: f.Location, Vehicle: f.Vehicle, Account: account.Standing{PastDue: money.Cents(0)}}
	s, err := quote.Price(in)
	return pay.Frozen{Input: in, Summary: s, Vehicle: f.Vehicle.Label, Location: f.Location.Name, Zone: f.Location.Zone}, err
}

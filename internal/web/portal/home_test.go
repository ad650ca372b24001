package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"paylink/internal/link"
	"paylink/internal/pay"
	"paylink/internal/trail"
)

// sends has a link sent for a client's vehicle, to their own number or to another.
func (w *town) sends(clientID, vehicleID string, own bool) pay.Payment {
	w.t.Helper()
	number := w.as(clientID).get("/my/profile") // signs in, so that the test meets a second browser's page too
	number.is(http.StatusOK)
	c, _, err := w.s.DB.Client(w.t.Context(), clientID)
	must(w.t, err)
	p, err := w.s.Machine.Send(w.t.Context(), pay.Order{
		ClientID: clientID, VehicleID: vehicleID, FormKey: "home " + vehicleID, By: trail.Actor{Kind: trail.Staff, ID: "staff-agent"}, Detail: "J. Ortiz was told by Aunt May",
		Link: link.Link{Phone: c.Phone, OwnNumber: own, Language: "en", SentBy: "staff-agent"}, Price: func(f pay.Facts) (pay.Frozen, error) { return f.Freeze(30) },
	})
	must(w.t, err)
	return p
}

// tight is a text without its spaces: elements that stand below one another have none between them.
func tight(text string) string { return strings.NewReplacer(" ", "", "\u00a0", "").Replace(text) }

func TestTheDashboardSaysHowEverythingStands(t *testing.T) {
	w := newTown(t)
	for _, c := range []struct {
		client string
		says   []string
	}{
		{"100042", []string{"Hello, Dana", "2016 Honda Civic Due today Richmond, VA Paid To Date Mar 10, 2026", "Balance $0.00 Nothing is due", "Sunday, Mar 22, 2026, 9:30 AM EDT", "Auto Pay Off", "Turn on Auto Pay"}},
		{"100047", []string{"Auto Pay On, 30 days at a time Next charge: Mar", "Visa ending in 4242", "Mastercard ending in 4444"}},
		{"100048", []string{"Balance ($134.55) A credit in your favor", "No appointment is booked"}},
		{"100051", []string{"8 days past due", "once your vehicle is paid to today or later"}},
		{"100052", []string{"Balance $60.44 This is due now", "Pay the balance"}},
		{"100050", []string{"with a collections company"}},
		{"100046", []string{"Hola, Lucía", "Se paga hoy", "10:00 a. m. PDT"}},
	} {
		p := w.as(c.client).get("/my/").is(http.StatusOK)
		for _, says := range c.says {
			if got := p.words("main"); !strings.Contains(tight(got), tight(says)) {
				t.Errorf("%s: it does not say %q: %s", c.client, says, got)
			}
		}
		want := 1
		if c.client == "100050" {
			want = 0 // nothing is offered to pay
		}
		p.has(`main a[href^="/my/pay?vehicle="]`, want)
	}
	w.later(-3 * 24 * time.Hour)
	w.as("100042").get("/my/").says("main", "3 days left")
}

func TestAPaymentUnderWayIsSeenAndNobodyElsesNumber(t *testing.T) {
	w := newTown(t)
	v := w.as("100042")
	p := w.sends("100042", "veh_dana_civic", true)
	v.get("/my/").is(http.StatusOK).says("main .alert.info", "A link to pay $98.58 was texted to your phone ending 0142. It is good until 2:24 PM.").has(`main a[href^="/my/pay?vehicle="]`, 0)
	_, err := w.s.Machine.Revoke(t.Context(), p.ID, trail.BySystem, pay.ReasonAgent, "")
	must(t, err)
	w.later(time.Minute)
	other := w.as("100046")
	w.sends("100046", "veh_lucia_sentra", false)
	page := other.get("/my/").is(http.StatusOK).says("main .alert.info", "a otro teléfono")
	if strings.Contains(page.words(".alert.info"), "0146") {
		t.Error("it shows the number")
	}
	v.get("/my/").has("main .alert.info", 0)
}

func TestWhatHappensIsToldUntilItIsRead(t *testing.T) {
	w := newTown(t)
	v := w.as("100042")
	v.get("/my/").has(".number-of", 0).says("#notices, main", "Nothing has happened yet")
	p := w.sends("100042", "veh_dana_civic", true)
	must(t, w.stripe.PayIntent(func() (intent string) {
		w.until("the payment has its PaymentIntent", func() bool {
			view, err := w.s.DB.View(t.Context(), p.ID)
			must(t, err)
			intent = view.Payment.IntentID
			return intent != ""
		})
		return intent
	}()))
	w.until("the payment is paid", func() bool {
		must(t, w.s.Machine.Tend(t.Context(), p.ID))
		return w.count(`SELECT COUNT(*) FROM payments WHERE id = $1 AND state = 'paid'`, p.ID) == 1
	})
	invoice := ""
	must(t, w.books.QueryRow(`SELECT id FROM invoices WHERE payment_id = $1`, p.ID).Scan(&invoice))
	page := v.get("/my/").says(".number-of", "2").says(".bell", "Notices, 2 unread").has(".notices .unread", 2)
	page.has(`.notices li:first-child a[href="/my/invoices/`+invoice+`"]`, 1).says(".notices li:first-child", "$98.58 was paid by payment link for 2016 Honda Civic.").says(".notices li:last-child", "A payment link for $98.58 was texted to your phone.")
	for _, secret := range []string{"Ortiz", "Aunt May", "staff"} {
		if strings.Contains(page.body, secret) {
			t.Errorf("it tells of %q", secret)
		}
	}
	if other := w.as("100043").get("/my/notices").is(http.StatusOK); strings.Contains(other.body, "98.58") {
		t.Error("another client is told of it")
	}

	// Somebody signs in by another browser after the page was shown: marking what it has shown leaves that unread.
	seen := page.form("form[action='/my/notices']")
	thief := w.visitor()
	thief.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
	thief.post("/my/", url.Values{"id": {"100042"}, "password": {"interlane-demo"}}).is(http.StatusSeeOther)
	if to := v.post("/my/notices", seen).to(); to != "/my/" {
		t.Errorf("it leads to %s", to)
	}
	v.get("/my/notices").says(".number-of", "1").has(".notices li", 3).has(".notices .unread", 1).says(".unread", "Somebody signed in from a new browser: Firefox, Linux.")
	v.post("/my/notices", url.Values{"up_to": {"999999999"}, "back": {"/my/notices"}}).is(http.StatusSeeOther) // what is not there yet can't be read
	v.get("/my/notices").has(".notices .unread", 1)
	v.post("/my/notices", v.get("/my/notices").form("main form")).is(http.StatusSeeOther)
	v.get("/my/invoices").has(".number-of", 0)
	v.post("/my/notices", url.Values{"up_to": {"x"}}).is(http.StatusBadRequest)
}

func TestOlderNoticesAreAPageAway(t *testing.T) {
	w := newTown(t)
	v := w.as("100042")
	for i := range 45 {
		must(t, w.s.DB.Write(t.Context(), trail.Entry{ID: "n-" + string(rune('a'+i%26)) + string(rune('a'+i/26)), At: w.now(), Actor: trail.BySystem, Act: "change password", Object: "100042", ClientID: "100042"}))
	}
	total, to := 0, "/my/notices"
	for to != "" {
		p := v.get(to).is(http.StatusOK)
		total += p.Find(".notices li").Length()
		to = p.Find("nav.pages a:last-child").AttrOr("href", "")
		if !strings.Contains(to, "before=") {
			to = ""
		}
	}
	if total != 45 {
		t.Errorf("%d notices of 45", total)
	}
}

func TestInvoicesAreListedReadAndKept(t *testing.T) {
	w := newTown(t)
	v := w.as("100052")
	p := v.get("/my/invoices").is(http.StatusOK).has(".happened li", 4).says(".happened li:first-child", "Mouthpieces, ten, 2 × $12.00").says(".happened li:first-child .badge", "Due").says(".happened li:last-child .badge", "Paid")
	v.get("/my/invoices?what=payments").has(".happened li", 2).says(".happened li:first-child", "Payment by Auto Pay").says(".tabs [aria-current]", "Payments")
	v.get("/my/invoices?what=refunds").says(".empty", "Nothing was given back")
	v.get("/my/invoices?before=x").is(http.StatusBadRequest)
	address := p.Find(".happened li:first-child a").AttrOr("href", "")
	page := v.get(address).is(http.StatusOK).says("h1", "Invoice 260308-").says(".badge", "Due").says("main", "Noor Castellanos").says("tfoot tr:last-child", "$25.44").has(`a.primary[href="/my/pay?balance=1"]`, 1)
	file := v.get(page.Find("a[download]").AttrOr("href", "")).is(http.StatusOK)
	if got := file.header.Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="interlane-invoice-260308-`) || !strings.HasSuffix(got, `.pdf"`) || file.header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(file.body, "%PDF-") {
		t.Errorf("the file is %q", got)
	}
	w.as("100043").get("/my/invoices").says(".sift select", "2014 Ford F-150").says(".empty", "There are no invoices yet")

	lucia := w.as("100046")
	spanish := lucia.get(lucia.get("/my/invoices").says("h1", "Facturas").Find(".happened a").AttrOr("href", "")).is(http.StatusOK).says("h1", "Factura").says(".badge", "Pagada")
	if strings.Contains(spanish.words("main"), "Invoice") {
		t.Error("it is not in Spanish")
	}
}

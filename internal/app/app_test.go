package app_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/rs/zerolog"

	"paylink/internal/app"
	"paylink/internal/demo"
	"paylink/internal/link"
	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/quote"
	"paylink/internal/seal"
	"paylink/internal/sim/stripesim"
	"paylink/internal/sim/twiliosim"
	"paylink/internal/stripepay"
	"paylink/internal/testbed"
	"paylink/internal/trail"
)

const (
	stripeSecret  = "sk_test_secret_of_the_service"
	stripeWebhook = "whsec_secret_of_the_service"
	twilioAccount = "AC0000000000000000000000000000d0a1"
	twilioToken   = "tokenOfTheService"
	ourNumber     = "+18045550100"
)

// service is the whole program, listening, with its suppliers beside it.
type service struct {
	*testing.T
	app      *app.Service
	url      string
	supplier string
	stripe   *stripesim.Server
	twilio   *twiliosim.Server
	raw      *sql.DB
	log      *log
	stop     context.CancelFunc
	ended    chan error
}

// log is what the service has written.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// config is one that works, but for its suppliers' address.
func config(t *testing.T, supplier string) app.Config {
	t.Helper()
	keys, err := seal.New(make([]byte, seal.KeyBytes))
	must(t, err)
	return app.Config{
		Addr: "127.0.0.1:0", URL: "http://127.0.0.1:8080", PayURL: "http://127.0.0.1:8080", DatabaseURL: testbed.SQLite(t), RedisURL: "redis://" + miniredis.RunT(t).Addr(),
		Stripe: app.Stripe{SecretKey: stripeSecret, PublishableKey: "pk_test_x", WebhookSecrets: []string{"whsec_another", stripeWebhook}, APIURL: supplier, JSURL: supplier + "/v3/"},
		Twilio: app.Twilio{AccountSID: twilioAccount, AuthToken: twilioToken, From: ourNumber, APIURL: supplier},
		Brand:  "Interlane", Support: phone.Stored(ourNumber), Keys: keys, LinkLife: link.Life, Now: time.Now, Log: zerolog.Nop(),
	}
}

func serve(t *testing.T, change ...func(*app.Config)) *service {
	t.Helper()
	t.Parallel()
	s := &service{T: t, log: &log{}, ended: make(chan error, 1)}
	suppliers := http.NewServeMux()
	web := httptest.NewServer(suppliers)
	s.supplier = web.URL
	s.stripe = stripesim.New(stripesim.Config{Now: time.Now, SecretKey: stripeSecret, PublishableKey: "pk_test_x", WebhookSecret: stripeWebhook, Accounts: []string{demo.TampaAccount}})
	s.twilio = twiliosim.New(twiliosim.Config{Now: time.Now, AccountSID: twilioAccount, AuthToken: twilioToken, From: ourNumber})
	suppliers.Handle("/v1/", s.stripe.Handler())
	suppliers.Handle("/", s.twilio.Handler())
	c := config(t, web.URL)
	c.Log = zerolog.New(s.log)
	for _, f := range change {
		f(&c)
	}
	var err error
	s.app, err = app.Open(t.Context(), c)
	must(t, err)
	must(t, s.app.DB.Import(t.Context(), demo.Data(time.Now())))
	s.raw, err = sql.Open("sqlite", "file:"+strings.TrimPrefix(c.DatabaseURL, "sqlite:")+"?_pragma=busy_timeout(5000)")
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	listening := make(chan string, 1)
	go func() { s.ended <- s.app.Run(ctx, func(addr string) { listening <- addr }) }()
	select {
	case addr := <-listening:
		s.url = "http://" + addr
	case err := <-s.ended:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
		must(t, errors.Join(s.raw.Close(), s.app.Close()))
		s.stripe.Close()
		s.twilio.Close()
		web.Close()
	})
	return s
}

func (s *service) count(query string) (n int) {
	s.Helper()
	must(s, s.raw.QueryRow(query).Scan(&n))
	return n
}

func (s *service) until(what string, ok func() bool) {
	s.Helper()
	limit := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-limit:
			s.Fatalf("never happened: %s", what)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// do sends a request and returns its answer with the whole body; it follows no redirect.
func (s *service) do(r *http.Request) (*http.Response, string) {
	s.Helper()
	answer, err := http.DefaultTransport.RoundTrip(r)
	must(s, err)
	body, err := io.ReadAll(answer.Body)
	must(s, errors.Join(err, answer.Body.Close()))
	return answer, string(body)
}

func (s *service) ask(method, path, body string, header ...string) (*http.Response, string) {
	s.Helper()
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	must(s, err)
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Add(header[i], header[i+1])
	}
	return s.do(r)
}

// send sends Dana her link and waits until it is with the carrier.
func (s *service) send() pay.View {
	s.Helper()
	ctx := context.Background()
	p, err := s.app.Machine.Send(ctx, pay.Order{
		ClientID: "100042", VehicleID: "veh_dana_civic", FormKey: rand.Text(), By: trail.BySystem, Link: link.Link{Phone: phone.Stored("+18045550142"), OwnNumber: true, Language: "en"},
		Price: func(f pay.Facts) (pay.Frozen, error) {
			in := quote.Input{AsOf: f.Location.Today(f.Now), Days: 30, Location: f.Location, Vehicle: f.Vehicle, Account: f.Standing}
			sum, err := quote.Price(in)
			return pay.Frozen{Input: in, Summary: sum, Vehicle: f.Vehicle.Label, Location: f.Location.Name, Zone: f.Location.Zone}, err
		},
	})
	must(s, err)
	s.until("the text is handed over", func() bool { return len(s.twilio.Messages()) > 0 })
	v, err := s.app.DB.View(ctx, p.ID)
	must(s, err)
	return v
}

func (s *service) card(number string) string {
	s.Helper()
	answer, err := http.PostForm(s.supplier+"/v1/payment_methods", url.Values{
		"type": {"card"}, "card[number]": {number}, "card[exp_month]": {"12"}, "card[exp_year]": {fmt.Sprint(time.Now().Year() + 3)}, "card[cvc]": {"123"}, "key": {"pk_test_x"},
	})
	must(s, err)
	defer func() { _ = answer.Body.Close() }()
	var m struct{ ID string }
	must(s, json.NewDecoder(answer.Body).Decode(&m))
	return m.ID
}

// --- Settings -------------------------------------------------------------------------------------------------------------------------------

func TestWrongSettingsAreAllNamedAndNonePrinted(t *testing.T) {
	c := config(t, "http://127.0.0.1:1")
	must(t, c.Check())
	c.URL, c.PayURL, c.LinkLife, c.Brand = "http://pay.example.com/hunter2", "https://user:hunter2@pay.example.com", time.Second, strings.Repeat("Brand ", 20)
	c.Stripe.SecretKey, c.Stripe.WebhookSecrets, c.Twilio.AccountSID = "hunter2", []string{"hunter2"}, "AChunter2"
	_, err := app.Open(t.Context(), c)
	if err == nil {
		t.Fatal("it was opened")
	}
	for _, want := range []string{"PAYLINK_URL", "PAYLINK_PAY_URL", "PAYLINK_LINK_LIFE", "septets", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "TWILIO_ACCOUNT_SID"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("it does not say %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Error("it prints a value")
	}
}

func TestABrandThatIsNotInTheAlphabetIsRefused(t *testing.T) {
	c := config(t, "http://127.0.0.1:1")
	c.Brand = "Ínterlane"
	if err := c.Check(); err == nil || !strings.Contains(err.Error(), "GSM") {
		t.Error(err)
	}
}

func TestWhatCanNotBeReachedIsToldWithoutPasswords(t *testing.T) {
	for name, change := range map[string]func(*app.Config){
		"database": func(c *app.Config) { c.DatabaseURL = "postgres://u:hunter2@127.0.0.1:1/x" },
		"redis":    func(c *app.Config) { c.RedisURL = "redis://:hunter2@127.0.0.1:1" },
		"no redis": func(c *app.Config) { c.RedisURL = "http://hunter2" },
	} {
		c := config(t, "http://127.0.0.1:1")
		change(&c)
		if _, err := app.Open(t.Context(), c); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: opened, or its password printed", name)
		}
	}
}

// --- Routes ---------------------------------------------------------------------------------------------------------------------------------

func TestEveryAnswerCarriesItsHeaders(t *testing.T) {
	s := serve(t)
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/healthz", 200}, {"HEAD", "/healthz", 200}, {"GET", "/readyz", 200}, {"GET", "/p", 200}, {"HEAD", "/p", 200}, {"GET", "/", 303}, {"GET", "/plus/", 200},
		{"GET", "/no/such/page", 404}, {"HEAD", "/no/such/page", 404}, {"POST", "/healthz", 405}, {"DELETE", "/p", 405}, {"GET", "/hooks/stripe", 405}, {"GET", "/storybook", 404}, {"GET", "/metrics", 404},
		{"POST", "/hooks/stripe", 403}, {"GET", "/pay/status", 401},
	} {
		answer, body := s.ask(c.method, c.path, "")
		if answer.StatusCode != c.status {
			s.Errorf("%s %s: %d, want %d", c.method, c.path, answer.StatusCode, c.status)
		}
		for header, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin", "Content-Security-Policy": "default-src 'none'", "Cache-Control": "",
		} {
			if got := answer.Header.Get(header); got == "" || !strings.Contains(got, want) {
				s.Errorf("%s %s: %s is %q", c.method, c.path, header, got)
			}
		}
		if c.method == "HEAD" && body != "" {
			s.Errorf("HEAD %s has a body", c.path)
		}
		if c.status == 404 && c.method == "GET" && strings.Contains(body, "/no/such/page") {
			s.Errorf("%s is echoed", c.path)
		}
		if strings.HasPrefix(answer.Header.Get("Server"), "Go") {
			s.Error("it tells what it is made with")
		}
	}
}

func TestOtherSitesChangeNothing(t *testing.T) {
	s := serve(t)
	for _, path := range []string{"/pay/open", "/pay/charge", "/plus/sign-in", "/no/such/page"} {
		if answer, _ := s.ask("POST", path, "{}", "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"); answer.StatusCode != 403 {
			s.Errorf("POST %s from another site: %d", path, answer.StatusCode)
		}
	}
}

func TestPayersHaveAHostOfTheirOwn(t *testing.T) {
	s := serve(t, func(c *app.Config) { c.URL, c.PayURL = "https://plus.example.com", "https://pay.example.com" })
	for _, c := range []struct {
		host, path string
		status     int
	}{
		{"pay.example.com", "/p", 200}, {"pay.example.com:443", "/p", 200}, {"PAY.example.com", "/p", 200}, {"plus.example.com", "/p", 404}, {"127.0.0.1", "/p", 404}, {"evil.example.com", "/p", 404},
		{"plus.example.com", "/plus/", 200}, {"pay.example.com", "/plus/", 404}, {"evil.example.com", "/plus/", 404},
		{"pay.example.com", "/healthz", 200}, {"plus.example.com", "/healthz", 200}, {"127.0.0.1", "/healthz", 200},
	} {
		answer, _ := s.ask("GET", c.path, "", "Host", c.host)
		if answer.StatusCode != c.status {
			s.Errorf("%s%s: %d, want %d", c.host, c.path, answer.StatusCode, c.status)
		}
		if answer.Header.Get("Strict-Transport-Security") == "" {
			s.Errorf("%s%s: no HSTS", c.host, c.path)
		}
	}
	if answer, _ := s.ask("POST", "/pay/open", `{"token":"x"}`, "Host", "plus.example.com", "Content-Type", "application/json"); answer.StatusCode != 404 {
		s.Errorf("a token at the other host: %d", answer.StatusCode)
	}
}

func TestReadinessTellsWhatIsMissing(t *testing.T) {
	m := miniredis.RunT(t)
	s := serve(t, func(c *app.Config) { c.RedisURL = "redis://" + m.Addr() })
	m.SetError("LOADING")
	answer, body := s.ask("GET", "/readyz", "")
	if answer.StatusCode != 503 || !strings.Contains(body, `"redis":"does not answer"`) || !strings.Contains(body, `"database":"ok"`) {
		s.Errorf("%d %s", answer.StatusCode, body)
	}
	if answer, _ := s.ask("GET", "/healthz", ""); answer.StatusCode != 200 {
		s.Errorf("health: %d", answer.StatusCode)
	}
}

// freeAddr is an address at which nobody listens.
func freeAddr() string {
	probe := httptest.NewServer(nil)
	defer probe.Close()
	return probe.Listener.Addr().String()
}

func TestMetricsHaveAnAddressOfTheirOwn(t *testing.T) {
	addr := freeAddr()
	s := serve(t, func(c *app.Config) { c.MetricsAddr = addr })
	s.ask("GET", "/p?secret=hunter2", "")
	answer, err := http.Get("http://" + addr + "/metrics")
	must(t, err)
	body, err := io.ReadAll(answer.Body)
	must(t, errors.Join(err, answer.Body.Close()))
	if !strings.Contains(string(body), `paylink_request_seconds_count{method="GET",route="/p",status="200"}`) || strings.Contains(string(body), "hunter2") {
		s.Error("the metrics do not count by route pattern")
	}
}

// --- Stopping -------------------------------------------------------------------------------------------------------------------------------

// Nobody calls our webhook here, and a charge that is not ours was made a day ago by the service's clock.
func TestWhatNobodyToldIsFoundByItself(t *testing.T) {
	addr := freeAddr()
	s := serve(t, func(c *app.Config) {
		c.MetricsAddr = addr
		began, ahead := time.Now(), time.Now().Add(25*time.Hour)
		c.Now = func() time.Time { return ahead.Add(time.Since(began)) }
		stranger(t, c.Stripe.APIURL)
	})
	s.until("the alarm", func() bool {
		return strings.Contains(s.log.String(), `"alarm":"reconciliation_differs","message":"the books and Stripe differ on `)
	})
	s.until("the event is heard", func() bool {
		return s.count(`SELECT COUNT(*) FROM stripe_events WHERE type = 'payment_intent.succeeded'`) == 1
	})
	s.until("the metrics", func() bool {
		answer, err := http.Get("http://" + addr + "/metrics")
		must(t, err)
		body, err := io.ReadAll(answer.Body)
		must(t, errors.Join(err, answer.Body.Close()))
		return strings.Contains(string(body), "\npaylink_reconciliation_differences 1\n") && !strings.Contains(string(body), "\npaylink_reconciliation_timestamp_seconds 0\n")
	})
	if n := s.count(`SELECT COUNT(*) FROM reconciliations WHERE ended_ms > 0 AND differences = 1`); n != 1 {
		s.Errorf("%d days are kept", n)
	}
}

// stranger charges a card that no payment of ours is about.
func stranger(t *testing.T, api string) {
	t.Helper()
	g, err := stripepay.New(stripepay.Config{Now: time.Now, SecretKey: stripeSecret, APIURL: api, Timeout: 10 * time.Second})
	must(t, err)
	in, err := g.CreateIntent(t.Context(), pay.IntentRequest{Key: rand.Text(), Amount: 4_200})
	must(t, err)
	_, err = g.Confirm(t.Context(), pay.ConfirmRequest{Key: rand.Text(), IntentID: in.ID, PaymentMethod: "pm_card_visa"})
	must(t, err)
}

func TestAChargeUnderWayOutlivesAStop(t *testing.T) {
	s := serve(t)
	v := s.send()
	must(t, s.stripe.SetFaults(stripesim.Faults{Rules: []stripesim.Rule{{Op: "confirm", Kind: stripesim.Slow, DelayMS: 1500, Times: 1}}}))
	// The payer's browser, all the way through the door.
	text := s.twilio.Messages()[0].Body
	token := text[strings.Index(text, "/p#")+3:][:link.TokenLength]
	opened, _ := s.ask("POST", "/pay/open", `{"token":"`+token+`"}`, "Content-Type", "application/json")
	if opened.StatusCode != 204 || len(opened.Cookies()) != 1 {
		t.Fatalf("open: %d", opened.StatusCode)
	}
	cookie := opened.Cookies()[0].Name + "=" + opened.Cookies()[0].Value
	_, page := s.ask("GET", "/pay", "", "Cookie", cookie)
	nonce := between(page, `name="nonce" value="`, `"`)
	if nonce == "" {
		nonce = between(page, `data-nonce="`, `"`)
	}
	if nonce == "" {
		t.Fatal("the page has no nonce")
	}
	charged := make(chan string, 1)
	go func() {
		r, err := http.NewRequest("POST", s.url+"/pay/charge", strings.NewReader(fmt.Sprintf(`{"payment_method":%q,"terms":"1","nonce":%q}`, s.card("4242424242424242"), nonce)))
		if err != nil {
			charged <- err.Error()
			return
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Cookie", cookie)
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			charged <- err.Error()
			return
		}
		body, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		charged <- fmt.Sprint(answer.StatusCode, " ", string(body))
	}()
	s.until("the charge is under way", func() bool {
		select {
		case got := <-charged:
			t.Fatalf("the charge was answered at once: %s", got)
		default:
		}
		return s.stripe.Faults().Rules[0].Fired == 1
	})
	s.stop()
	if got := <-charged; !strings.HasPrefix(got, "200") || !strings.Contains(got, `"paid"`) {
		t.Errorf("the payer reads %s", got)
	}
	if got, err := s.app.DB.Payment(context.Background(), v.Payment.ID); err != nil || got.State != pay.Paid {
		t.Errorf("it is %s, %v", got.State, err)
	}
	if out := s.log.String(); strings.Contains(out, token) || strings.Contains(out, "555") && strings.Contains(out, "0142") || strings.Contains(out, "_secret_") || strings.Contains(out, nonce) {
		t.Error("the log holds what it must not")
	}
}

func between(s, from, to string) string {
	_, rest, ok := strings.Cut(s, from)
	if !ok {
		return ""
	}
	out, _, _ := strings.Cut(rest, to)
	return out
}

// --- The suppliers' door --------------------------------------------------------------------------------------------------------------------

// event is Stripe's, about a PaymentIntent.
func event(id, version, account, intent string) string {
	return fmt.Sprintf(`{"id":%q,"object":"event","api_version":%q,"account":%q,"created":%d,"type":"payment_intent.succeeded","data":{"object":{"id":%q,"object":"payment_intent"}}}`,
		id, version, account, time.Now().Unix(), intent)
}

func TestStripesEventsAreCheckedBeforeTheyAreStored(t *testing.T) {
	s := serve(t)
	intent := s.send().Payment.IntentID
	const version = "2023-10-16"
	good := event("evt_1", version, "", intent)
	for _, c := range []struct {
		name, body, signature string
		status                int
	}{
		{"no signature", good, "", 403},
		{"nonsense", good, "t=1,v1=00", 403},
		{"another secret", good, stripesim.Sign([]byte(good), "whsec_forged", time.Now()), 403},
		{"another body", good + " ", stripesim.Sign([]byte(good), stripeWebhook, time.Now()), 403},
		{"an old one", good, stripesim.Sign([]byte(good), stripeWebhook, time.Now().Add(-6*time.Minute)), 403},
		{"one from the future", good, stripesim.Sign([]byte(good), stripeWebhook, time.Now().Add(6*time.Minute)), 403},
		{"another version", event("evt_2", "2020-08-27", "", intent), "", 400},
		{"no event", "[]", "", 400},
		{"no JSON", "{", "", 400},
		{"another account", event("evt_3", version, demo.TampaAccount, intent), "", 400},
		{"oversized", good + strings.Repeat(" ", 2<<20), "", 413},
	} {
		signature := c.signature
		if signature == "" && c.status != 403 {
			signature = stripesim.Sign([]byte(c.body), stripeWebhook, time.Now())
		}
		if answer, _ := s.ask("POST", "/hooks/stripe", c.body, "Stripe-Signature", signature); answer.StatusCode != c.status {
			s.Errorf("%s: %d, want %d", c.name, answer.StatusCode, c.status)
		}
	}
	if n := s.count(`SELECT COUNT(*) FROM stripe_events`); n != 0 {
		s.Errorf("%d events are stored", n)
	}
	for name, body := range map[string]string{
		"ours": good, "again": good, "of an unknown PaymentIntent": event("evt_4", version, "", "pi_unknown"), "of nothing of ours": `{"id":"evt_5","object":"event","api_version":"2023-10-16","created":1,"type":"customer.created","data":{"object":{"id":"cus_1","object":"customer"}}}`,
	} {
		if answer, _ := s.ask("POST", "/hooks/stripe", body, "Stripe-Signature", stripesim.Sign([]byte(body), stripeWebhook, time.Now())); answer.StatusCode != 200 {
			s.Errorf("%s: %d", name, answer.StatusCode)
		}
	}
	if n := s.count(`SELECT COUNT(*) FROM stripe_events`); n != 3 {
		s.Errorf("%d events are stored, want 3", n)
	}
	if n := s.count(`SELECT COUNT(*) FROM payments WHERE state = 'open'`); n != 1 {
		s.Error("an event was believed")
	}
}

func TestTwiliosCallsAreChecked(t *testing.T) {
	s := serve(t)
	v := s.send()
	messages, err := s.app.DB.Messages(context.Background(), v.Payment.ID)
	must(t, err)
	const base = "http://127.0.0.1:8080" // the public address, which is what Twilio signs
	path := "/hooks/twilio/status/" + messages[0].ID
	form := url.Values{"MessageSid": {"SM1"}, "MessageStatus": {"undelivered"}, "ErrorCode": {"30003"}}
	const kind = "application/x-www-form-urlencoded"
	before := s.count(`SELECT COUNT(*) FROM messages WHERE status = 'undelivered'`)
	for _, c := range []struct {
		name, path, body, signature string
		status                      int
	}{
		{"no signature", path, form.Encode(), "", 403},
		{"another token", path, form.Encode(), twiliosim.Sign("forged", base+path, form), 403},
		{"another address", path, form.Encode(), twiliosim.Sign(twilioToken, base+"/hooks/twilio/reply", form), 403},
		{"another text", "/hooks/twilio/status/other", form.Encode(), twiliosim.Sign(twilioToken, base+path, form), 403},
		{"other words", path, strings.Replace(form.Encode(), "undelivered", "delivered", 1), twiliosim.Sign(twilioToken, base+path, form), 403},
		{"a repeated parameter", path, form.Encode() + "&MessageStatus=delivered", twiliosim.Sign(twilioToken, base+path, form), 403},
		{"oversized", path, "a=" + strings.Repeat("x", 2<<20), "x", 413},
		{"no status", path, "MessageSid=SM1", twiliosim.Sign(twilioToken, base+path, url.Values{"MessageSid": {"SM1"}}), 400},
		{"a reply without a number", "/hooks/twilio/reply", "Body=STOP", twiliosim.Sign(twilioToken, base+"/hooks/twilio/reply", url.Values{"Body": {"STOP"}}), 400},
		{"a forged reply", "/hooks/twilio/reply", "Body=STOP&From=%2B18045550142", "x", 403},
	} {
		if answer, _ := s.ask("POST", c.path, c.body, "X-Twilio-Signature", c.signature, "Content-Type", kind); answer.StatusCode != c.status {
			s.Errorf("%s: %d, want %d", c.name, answer.StatusCode, c.status)
		}
	}
	if n := s.count(`SELECT COUNT(*) FROM messages WHERE status = 'undelivered'`) - before + s.count(`SELECT COUNT(*) FROM opt_outs WHERE phone = '+18045550142'`); n != 0 {
		s.Error("a refused call changed something")
	}
	unknown := "/hooks/twilio/status/none"
	if answer, _ := s.ask("POST", unknown, form.Encode(), "X-Twilio-Signature", twiliosim.Sign(twilioToken, base+unknown, form), "Content-Type", kind); answer.StatusCode != 204 {
		s.Errorf("an unknown text: %d", answer.StatusCode)
	}
	for _, word := range []string{"STOP", "start", "Stop.", "START", "ALTO"} {
		reply := url.Values{"From": {"+18045550142"}, "Body": {word}}
		answer, body := s.ask("POST", "/hooks/twilio/reply", reply.Encode(), "X-Twilio-Signature", twiliosim.Sign(twilioToken, base+"/hooks/twilio/reply", reply), "Content-Type", kind)
		// Twilio itself answers the words that it knows; to those that only we know we answer.
		answered := strings.Contains(body, "<Message>")
		if answer.StatusCode != 200 || answered != (word == "ALTO") || !strings.Contains(body, "<Response>") || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/xml") {
			s.Errorf("%s: %d %s", word, answer.StatusCode, body)
		}
		want := 1
		if strings.EqualFold(word, "start") {
			want = 0
		}
		if n := s.count(`SELECT COUNT(*) FROM opt_outs WHERE phone = '+18045550142'`); n != want {
			s.Errorf("after %s: opted out %d", word, n)
		}
	}
}

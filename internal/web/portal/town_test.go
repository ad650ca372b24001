package portal_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/alicebob/miniredis/v2"
	"github.com/rs/zerolog"

	"paylink/internal/app"
	"paylink/internal/demo"
	"paylink/internal/phone"
	"paylink/internal/seal"
	"paylink/internal/sim/smtpsim"
	"paylink/internal/sim/stripesim"
	"paylink/internal/sim/twiliosim"
	"paylink/internal/testbed"
)

// town is the whole service on SQLite with simulated suppliers and a mail server, on a clock of the test's own.
type town struct {
	t      *testing.T
	url    string
	s      *app.Service
	stripe *stripesim.Server
	twilio *twiliosim.Server
	mail   *smtpsim.Server
	books  *sql.DB // the service's database, to look into
	log    *lockedBuffer

	mu    sync.Mutex
	moved time.Duration
}

// start is when the town's clock starts: a Tuesday afternoon in Richmond.
var start = time.Date(2026, 3, 10, 18, 14, 0, 0, time.UTC)

func (w *town) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return start.Add(w.moved)
}

func (w *town) later(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.moved += d
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{t: t, log: &lockedBuffer{}}
	suppliers := http.NewServeMux()
	supplierServer := httptest.NewServer(suppliers)
	t.Cleanup(supplierServer.Close)
	front := httptest.NewUnstartedServer(nil)
	w.url = "http://" + front.Listener.Addr().String()
	w.stripe = stripesim.New(stripesim.Config{
		Now: w.now, Seed: 1, SecretKey: "sk_test_x", PublishableKey: "pk_test_x", WebhookSecret: "whsec_x", WebhookURL: w.url + "/hooks/stripe",
		Accounts: []string{demo.TampaAccount}, Client: &http.Client{Timeout: 5 * time.Second},
	})
	t.Cleanup(w.stripe.Close)
	const account, token, from = "AC00000000000000000000000000000001", "token", "+18045550100"
	w.twilio = twiliosim.New(twiliosim.Config{Now: w.now, Seed: 1, AccountSID: account, AuthToken: token, From: from, InboundURL: w.url + "/hooks/twilio/reply", Client: &http.Client{Timeout: 5 * time.Second}})
	t.Cleanup(w.twilio.Close)
	suppliers.Handle("/v1/", w.stripe.Handler())
	suppliers.Handle("/v3/", w.stripe.Handler())
	suppliers.Handle("/", w.twilio.Handler())
	w.mail = smtpsim.New(w.now)
	mailbox, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = w.mail.Serve(mailbox) // it ends with Close
	}()
	t.Cleanup(func() {
		_ = w.mail.Close()
		<-served
	})

	key := sha256.Sum256([]byte("a key for tests"))
	keys, err := seal.New(key[:])
	must(t, err)
	database := testbed.SQLite(t)
	ctx, cancel := context.WithCancel(context.Background())
	w.s, err = app.Open(ctx, app.Config{
		Addr: "127.0.0.1:0", URL: w.url, PayURL: w.url, DatabaseURL: database, RedisURL: "redis://" + miniredis.RunT(t).Addr(),
		Stripe: app.Stripe{SecretKey: "sk_test_x", PublishableKey: "pk_test_x", WebhookSecrets: []string{"whsec_x"}, APIURL: supplierServer.URL, JSURL: supplierServer.URL + "/v3/"},
		Twilio: app.Twilio{AccountSID: account, AuthToken: token, From: from, APIURL: supplierServer.URL},
		Mail:   app.Mail{URL: "smtp://" + mailbox.Addr().String(), From: "account@interlane.example"},
		Brand:  "Interlane", Support: phone.Stored(from), Keys: keys, LinkLife: 10 * time.Minute, Now: w.now, Log: zerolog.New(w.log),
	})
	must(t, err)
	must(t, w.s.DB.Import(ctx, demo.Data(w.now())))
	for _, m := range demo.Staff() {
		must(t, w.s.DB.AddMember(ctx, m))
	}
	must(t, demo.Cards(ctx, w.s.DB, supplierServer.URL, "sk_test_x"))
	w.books, err = sql.Open("sqlite", "file:"+strings.TrimPrefix(database, "sqlite:")+"?_pragma=busy_timeout(5000)")
	must(t, err)
	front.Config.Handler = w.s.Handler()
	front.Start()
	swept := make(chan struct{})
	go func() {
		defer close(swept)
		w.s.Sweeper.Run(ctx)
	}()
	t.Cleanup(func() {
		front.Close()
		cancel()
		<-swept
		_ = w.books.Close()
		_ = w.s.Close()
	})
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// count runs a query that counts.
func (w *town) count(query string, args ...any) int {
	w.t.Helper()
	var n int
	must(w.t, w.books.QueryRow(query, args...).Scan(&n))
	return n
}

// change changes the books behind the service's back.
func (w *town) change(query string, args ...any) error {
	_, err := w.books.Exec(query, args...)
	return err
}

// told fails unless one letter, and no more, tells a client of a change in these words, at the address that the client has.
func (w *town) told(clientID, what string) {
	w.t.Helper()
	if n := w.count(`SELECT COUNT(*) FROM letters WHERE kind = 'changed' AND client_id = $1 AND said LIKE $2 AND address = (SELECT email FROM clients WHERE id = $1)`, clientID, `%"what":"`+what+`"%`); n != 1 {
		w.t.Errorf("%d letters tell %s: %s", n, clientID, what)
	}
}

// visitor is a browser without script: it keeps cookies and follows no redirect.
type visitor struct {
	w       *town
	cookies map[string]*http.Cookie
	headers map[string]string // sent with every request
}

func (w *town) visitor() *visitor {
	return &visitor{w: w, cookies: map[string]*http.Cookie{}, headers: map[string]string{}}
}

// as is a client who is signed in.
func (w *town) as(id string) *visitor {
	w.t.Helper()
	v := w.visitor()
	v.post("/my/", url.Values{"id": {id}, "password": {demo.Password}, "back": {"/my/"}}).is(http.StatusSeeOther)
	return v
}

// page is an answer.
type page struct {
	*goquery.Document
	t      *testing.T
	status int
	header http.Header
	body   string
	path   string
}

func (v *visitor) get(path string) *page { return v.do(http.MethodGet, path, nil) }

func (v *visitor) post(path string, form url.Values) *page {
	return v.do(http.MethodPost, path, strings.NewReader(form.Encode()))
}

// json sends what a script sends.
func (v *visitor) json(path, body string) *page {
	v.headers["Content-Type"] = "application/json"
	defer delete(v.headers, "Content-Type")
	return v.do(http.MethodPost, path, strings.NewReader(body))
}

func (v *visitor) do(method, path string, body io.Reader) *page {
	t := v.w.t
	t.Helper()
	r, err := http.NewRequest(method, v.w.url+path, body)
	must(t, err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for name, value := range v.headers {
		r.Header.Set(name, value)
	}
	for _, c := range v.cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 20 * time.Second}
	answer, err := client.Do(r)
	must(t, err)
	defer func() { _ = answer.Body.Close() }()
	for _, c := range answer.Cookies() {
		if c.MaxAge < 0 {
			delete(v.cookies, c.Name)
		} else {
			v.cookies[c.Name] = c
		}
	}
	b, err := io.ReadAll(answer.Body)
	must(t, err)
	d, err := goquery.NewDocumentFromReader(bytes.NewReader(b))
	must(t, err)
	return &page{d, t, answer.StatusCode, answer.Header, string(b), method + " " + path}
}

func (p *page) is(status int) *page {
	p.t.Helper()
	if p.status != status {
		p.t.Fatalf("%s: got %d, want %d\n%s", p.path, p.status, status, strings.TrimSpace(p.Text()))
	}
	return p
}

// to is where a redirect leads.
func (p *page) to() string {
	p.t.Helper()
	p.is(http.StatusSeeOther)
	return p.header.Get("Location")
}

// words is the text of what a selector finds, with single spaces.
func (p *page) words(selector string) string {
	return strings.Join(strings.Fields(p.Find(selector).Text()), " ")
}

// says fails unless what the selector finds reads so.
func (p *page) says(selector, want string) *page {
	p.t.Helper()
	if got := p.words(selector); !strings.Contains(got, want) {
		p.t.Errorf("%s: %s says %q, want %q", p.path, selector, got, want)
	}
	return p
}

func (p *page) has(selector string, want int) *page {
	p.t.Helper()
	if got := p.Find(selector).Length(); got != want {
		p.t.Errorf("%s: %d of %s, want %d", p.path, got, selector, want)
	}
	return p
}

// form is what a browser would send from a form, with changes.
func (p *page) form(selector string, changes ...string) url.Values {
	p.t.Helper()
	form := p.Find(selector)
	if form.Length() != 1 {
		p.t.Fatalf("%s: %d of %s", p.path, form.Length(), selector)
	}
	out := url.Values{}
	form.Find("input[name], select[name]").Each(func(_ int, field *goquery.Selection) {
		name, value := field.AttrOr("name", ""), field.AttrOr("value", "")
		_, checked := field.Attr("checked")
		switch kind := field.AttrOr("type", ""); {
		case (kind == "checkbox" || kind == "radio") && !checked:
			return
		case goquery.NodeName(field) == "select":
			option := field.Find("option[selected]")
			if option.Length() == 0 {
				option = field.Find("option").First()
			}
			value = option.AttrOr("value", option.Text())
		}
		out.Set(name, value)
	})
	for i := 0; i < len(changes); i += 2 {
		out.Set(changes[i], changes[i+1])
	}
	return out
}

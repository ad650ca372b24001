package twiliosms_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paylink/internal/phone"
	"paylink/internal/sim/twiliosim"
	"paylink/internal/sms"
	"paylink/internal/twiliosms"
)

var _ sms.Carrier = (*twiliosms.Carrier)(nil)

const (
	account   = "AC00000000000000000000000000000001"
	token     = "0123456789abcdef0123456789abcdef"
	apiKey    = "SK00000000000000000000000000000002"
	apiSecret = "keysecretkeysecretkeysecret"
	from      = "+18045550100"
	service   = "MG00000000000000000000000000000003"
	dana      = "+18045550142"
	words     = "Interlane: pay at https://pay.example/p#ABC" // a text as the service writes them
)

// asked is one request as it went over the wire.
type asked struct {
	method, path, user string
	form               url.Values
}

// bench is a simulator behind real HTTP that remembers what it was asked, and a clock.
type bench struct {
	t   *testing.T
	sim *twiliosim.Server
	url string

	mu  sync.Mutex
	now time.Time
	log []asked
}

func start(t *testing.T, change func(*twiliosim.Config)) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Date(2026, 3, 4, 15, 0, 0, 0, time.UTC)}
	config := twiliosim.Config{Now: b.clock, Seed: 7, AccountSID: account, AuthToken: token, APIKey: apiKey, APISecret: apiSecret, From: from}
	if change != nil {
		change(&config)
	}
	b.sim = twiliosim.New(config)
	b.sim.SetFaults(twiliosim.Faults{DelayMS: 2})
	handler := b.sim.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		form, _ := url.ParseQuery(string(body))
		if r.Method == http.MethodGet {
			form = r.URL.Query()
		}
		user, _, _ := r.BasicAuth()
		b.mu.Lock()
		b.log = append(b.log, asked{r.Method, r.URL.Path, user, form})
		b.mu.Unlock()
		handler.ServeHTTP(w, r)
	}))
	b.url = server.URL
	t.Cleanup(func() { b.sim.Close(); server.Close() })
	return b
}

func (b *bench) clock() time.Time { b.mu.Lock(); defer b.mu.Unlock(); return b.now }

func (b *bench) pass(d time.Duration) { b.mu.Lock(); b.now = b.now.Add(d); b.mu.Unlock() }

func (b *bench) requests(f func()) []asked {
	b.mu.Lock()
	before := len(b.log)
	b.mu.Unlock()
	f()
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.log[before:])
}

func (b *bench) carrier(change func(*twiliosms.Config)) *twiliosms.Carrier {
	b.t.Helper()
	config := twiliosms.Config{AccountSID: account, AuthToken: token, From: from, APIURL: b.url, Timeout: 10 * time.Second}
	if change != nil {
		change(&config)
	}
	c, err := twiliosms.New(config)
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

func (b *bench) until(what string, ok func() bool) {
	b.t.Helper()
	limit := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-limit:
			b.t.Fatalf("never happened: %s", what)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// secretless asserts that an error shows neither credentials, nor numbers, nor where it was asked.
func (b *bench) secretless(err error) {
	b.t.Helper()
	for _, text := range []string{fmt.Sprint(err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
		for _, secret := range []string{token, apiSecret, account, "8045550", "5005550", strings.TrimPrefix(b.url, "http://"), "ABC"} {
			if strings.Contains(text, secret) {
				b.t.Errorf("an error shows %.4s…", secret)
			}
		}
	}
}

func text(to string) sms.Outgoing {
	return sms.Outgoing{To: phone.Stored(to), Body: words, Validity: 9*time.Minute + 30*time.Second, Callback: "http://127.0.0.1:1/hooks/twilio/status/m1"}
}

func TestATextIsHandedOver(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*twiliosms.Config)
		user   string
		sender [2]string
	}{
		{"from a number, by the auth token", nil, account, [2]string{"From", from}},
		{"from a service, by an API key", func(c *twiliosms.Config) {
			c.AuthToken, c.APIKey, c.APISecret, c.From, c.MessagingServiceSID = "", apiKey, apiSecret, "", service
		}, apiKey, [2]string{"MessagingServiceSid", service}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := start(t, func(sim *twiliosim.Config) { sim.From = c.sender[1] })
			carrier := b.carrier(c.change)
			var got sms.Receipt
			var err error
			log := b.requests(func() { got, err = carrier.Send(t.Context(), text(dana)) })
			if err != nil || got.SID == "" || got.Status != sms.Queued || got.ErrorCode != 0 {
				t.Fatalf("%+v, %v", got, err)
			}
			want := url.Values{"To": {dana}, "Body": {words}, "ValidityPeriod": {"570"}, "StatusCallback": {text(dana).Callback}, c.sender[0]: {c.sender[1]}}
			if len(log) != 1 || log[0].method != "POST" || log[0].user != c.user || log[0].form.Encode() != want.Encode() || log[0].path != "/2010-04-01/Accounts/"+account+"/Messages.json" {
				t.Errorf("asked %+v", log)
			}
			b.until("delivered", func() bool {
				now, err := carrier.Status(t.Context(), got.SID)
				if err != nil {
					t.Fatal(err)
				}
				return now.SID == got.SID && now.Status == sms.Delivered
			})
		})
	}
}

func TestEveryRefusalHasItsCode(t *testing.T) {
	b := start(t, nil)
	carrier := b.carrier(nil)
	for _, c := range []struct {
		to   string
		code int
	}{
		{"+15005550001", 21211}, {"+15005550002", 21612}, {"+15005550003", 21408}, {"+15005550004", 21610}, {"+15005550009", 21614}, {"+18045550197", 21610},
		{"+12025551212", 21211}, // not invented
	} {
		var err error
		log := b.requests(func() { _, err = carrier.Send(t.Context(), text(c.to)) })
		var no sms.Refused
		if !errors.As(err, &no) || no.Code != c.code || len(log) != 1 {
			t.Errorf("%s: %v after %d requests", c.to, err, len(log))
		}
		b.secretless(err)
	}
}

func TestEveryFailureOnTheWayHasItsCode(t *testing.T) {
	b := start(t, nil)
	carrier := b.carrier(nil)
	for _, c := range []struct {
		to     string
		status sms.Status
		code   int
	}{
		{"+18045550175", sms.Failed, 30012}, {"+18045550176", sms.Undelivered, 30034}, {"+18045550177", sms.Failed, 30045}, {"+18045550178", sms.Failed, 30036},
		{"+18045550191", sms.Undelivered, 30003}, {"+18045550192", sms.Undelivered, 30004}, {"+18045550193", sms.Undelivered, 30005},
		{"+18045550194", sms.Undelivered, 30006}, {"+18045550195", sms.Undelivered, 30007}, {"+18045550196", sms.Undelivered, 30008},
	} {
		sent, err := carrier.Send(t.Context(), text(c.to))
		if err != nil {
			t.Errorf("%s: %v", c.to, err)
			continue
		}
		var now sms.Receipt
		b.until(c.to+" ends", func() bool {
			now, err = carrier.Status(t.Context(), sent.SID)
			if err != nil {
				t.Fatal(err)
			}
			return now.Status.Rank() == sms.Failed.Rank()
		})
		if now.Status != c.status || now.ErrorCode != c.code || sms.Reason(now.ErrorCode) == sms.Reason(99999) {
			t.Errorf("%s: %+v", c.to, now)
		}
	}
}

func TestSlowDownIsNoRefusal(t *testing.T) {
	b := start(t, nil)
	carrier := b.carrier(nil)
	if _, err := carrier.Send(t.Context(), text("+18045550199")); !errors.Is(err, sms.ErrSlowDown) {
		t.Fatal(err)
	}
	if _, err := carrier.Send(t.Context(), text("+18045550199")); err != nil {
		t.Fatal(err)
	}
	if n := len(b.sim.Messages()); n != 1 {
		t.Errorf("%d texts", n)
	}
}

func TestWrongCredentialsAreARefusal(t *testing.T) {
	b := start(t, nil)
	carrier := b.carrier(func(c *twiliosms.Config) { c.AuthToken = "wrong" })
	_, err := carrier.Send(t.Context(), text(dana))
	if no, ok := errors.AsType[sms.Refused](err); !ok || no.Code != 20003 {
		t.Fatal(err)
	}
	b.secretless(err)
}

func TestFaultsLeaveATextsFateOpen(t *testing.T) {
	for _, c := range []struct {
		kind string
		want error
		sent int // texts that exist afterwards
	}{
		{twiliosim.TimeoutBefore, sms.ErrUnclear, 0}, {twiliosim.TimeoutAfter, sms.ErrUnclear, 1}, {twiliosim.Error500, sms.ErrUnclear, 0},
		{twiliosim.Down503, sms.ErrUnclear, 0}, {twiliosim.BrokenJSON, sms.ErrUnclear, 1}, {twiliosim.Rate429, sms.ErrSlowDown, 0},
	} {
		t.Run(c.kind, func(t *testing.T) {
			b := start(t, nil)
			patient := b.carrier(nil)
			other, err := patient.Send(t.Context(), text("+18045550143"))
			if err != nil {
				t.Fatal(err)
			}
			b.sim.SetFaults(twiliosim.Faults{DelayMS: 2, Rules: []twiliosim.Rule{
				{Op: "send", Kind: c.kind, Times: 1}, {Op: "lookup", Kind: c.kind, Times: 1}, {Op: "list", Kind: c.kind, Times: 2},
			}})
			carrier := b.carrier(func(c *twiliosms.Config) { c.Timeout = 150 * time.Millisecond })
			log := b.requests(func() { _, err = carrier.Send(t.Context(), text(dana)) })
			if n := len(b.sim.Messages()) - 1; !errors.Is(err, c.want) || len(log) != 1 || n != c.sent {
				t.Errorf("%v after %d requests; %d texts", err, len(log), n)
			}
			b.secretless(err)
			for name, ask := range map[string]func() error{
				"line":   func() error { return second(carrier.LineOf(t.Context(), phone.Stored(dana))) },
				"status": func() error { return second(carrier.Status(t.Context(), other.SID)) },
				"find":   func() error { return second(carrier.Find(t.Context(), phone.Stored(dana), b.clock(), words)) },
			} {
				log := b.requests(func() { err = ask() })
				if !errors.Is(err, c.want) || len(log) != 1 {
					t.Errorf("%s: %v after %d requests", name, err, len(log))
				}
				b.secretless(err)
			}
			found, err := patient.Find(t.Context(), phone.Stored(dana), b.clock(), words)
			if err != nil || (found != nil) != (c.sent == 1) {
				t.Errorf("looked for: %+v, %v", found, err)
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }

func TestAContextThatIsOverIsHeeded(t *testing.T) {
	b := start(t, nil)
	b.sim.SetFaults(twiliosim.Faults{Rules: []twiliosim.Rule{{Op: "send", Kind: twiliosim.TimeoutBefore}}})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := b.carrier(nil).Send(ctx, text(dana))
	if took := time.Since(began); !errors.Is(err, sms.ErrUnclear) || took > 2*time.Second {
		t.Errorf("%v after %s", err, took)
	}
}

func TestFindingATextWhoseAnswerWasLost(t *testing.T) {
	b := start(t, nil)
	carrier := b.carrier(nil)
	send := func(to, body string) string {
		t.Helper()
		m := text(to)
		m.Body = body
		got, err := carrier.Send(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		return got.SID
	}
	find := func(to string, since time.Time, body string) string {
		t.Helper()
		got, err := carrier.Find(t.Context(), phone.Stored(to), since, body)
		if err != nil {
			t.Fatal(err)
		}
		if got == nil {
			return ""
		}
		return got.SID
	}
	before := b.clock()
	old := send(dana, words)
	b.pass(time.Minute)
	since := b.clock()
	if got := find(dana, since, words); got != "" {
		t.Errorf("found %s, which is of before", got)
	}
	send("+18045550143", words)
	send(dana, words+" ")
	b.pass(700 * time.Millisecond) // dates have whole seconds
	one := send(dana, words)
	for n := range 120 { // more than two pages
		send(dana, fmt.Sprint("another text ", n))
	}
	if got := find(dana, since.Add(600*time.Millisecond), words); got != one {
		t.Errorf("found %q, want %q", got, one)
	}
	b.pass(time.Second)
	two := send(dana, words)
	if got := find(dana, since, words); got != two {
		t.Errorf("found %q, want the newest, %q", got, two)
	}
	if got := find(dana, before, words); got != two || got == old {
		t.Errorf("found %q", got)
	}
	log := b.requests(func() { find(dana, since, "nobody ever wrote this") })
	if len(log) != 3 {
		t.Errorf("%d pages were read", len(log))
	}
	for n := range 100 {
		send(dana, fmt.Sprint("yet another text ", n))
	}
	if log := b.requests(func() { find(dana, since, "nobody ever wrote this") }); len(log) != 4 {
		t.Errorf("%d pages were read: no limit", len(log))
	}
}

func TestATextThatStillWaitsIsFound(t *testing.T) {
	b := start(t, nil)
	carrier := b.carrier(nil)
	waiting := text("+18045550190") // queued for ever
	sent, err := carrier.Send(t.Context(), waiting)
	if err != nil {
		t.Fatal(err)
	}
	found, err := carrier.Find(t.Context(), waiting.To, b.clock(), words)
	if err != nil || found == nil || found.SID != sent.SID || found.Status != sms.Queued {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestLines(t *testing.T) {
	b := start(t, nil)
	carrier := b.carrier(nil)
	for to, want := range map[string]sms.Line{
		dana: sms.Mobile, "+18045550180": sms.Landline, "+18045550185": sms.OtherLine, "+18045550186": sms.UnknownLine,
	} {
		var got sms.Line
		var err error
		log := b.requests(func() { got, err = carrier.LineOf(t.Context(), phone.Stored(to)) })
		if err != nil || got != want || len(log) != 1 || log[0].path != "/v2/PhoneNumbers/"+to || log[0].form.Encode() != "Fields=line_type_intelligence" {
			t.Errorf("%s: %q, %v, %+v", to, got, err, log)
		}
	}
	if _, err := carrier.LineOf(t.Context(), phone.Stored("+18045550187")); !errors.Is(err, sms.ErrUnclear) {
		t.Error(err)
	}
	began := time.Now()
	_, err := carrier.LineOf(t.Context(), phone.Stored("+18045550188"))
	if took := time.Since(began); !errors.Is(err, sms.ErrUnclear) || took < 2*time.Second || took > 5*time.Second {
		t.Errorf("%v after %s", err, took)
	}
	b.secretless(err)
}

func TestTheEnvironmentMovesNoHost(t *testing.T) {
	t.Setenv("TWILIO_EDGE", "sydney")
	t.Setenv("TWILIO_REGION", "au1")
	var hosts []string
	c, err := twiliosms.New(twiliosms.Config{AccountSID: account, AuthToken: token, From: from, Timeout: time.Second, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		hosts = append(hosts, r.URL.Scheme+"://"+r.URL.Host)
		return nil, io.ErrUnexpectedEOF
	})})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Send(t.Context(), text(dana))
	_, err2 := c.LineOf(t.Context(), phone.Stored(dana))
	if !errors.Is(err, sms.ErrUnclear) || !errors.Is(err2, sms.ErrUnclear) || !slices.Equal(hosts, []string{"https://api.twilio.com", "https://lookups.twilio.com"}) {
		t.Errorf("%v, %v, %v", err, err2, hosts)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAnswersThatAreNotBelieved(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	for _, c := range []struct {
		status int
		body   string
	}{
		{200, ``}, {200, `{}`}, {200, `{"sid": ""}`}, {201, `[]`}, {302, `{"sid": "SM1", "status": "queued"}`}, {400, `{}`}, {400, `<html>`},
		{500, `{"code": 20500, "status": 500}`}, {401, ``}, {200, `{"x": "` + strings.Repeat("x", 4<<20) + `", "sid": "SM1"}`},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}))
		b := &bench{t: t, url: server.URL}
		if r, err := b.carrier(nil).Send(t.Context(), text(dana)); !errors.Is(err, sms.ErrUnclear) {
			t.Errorf("%d %.40s: %+v, %v", c.status, c.body, r, err)
		}
		server.Close()
	}
}

func TestSettingsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, c := range []struct {
		want   error
		change func(*twiliosms.Config)
	}{
		{twiliosms.ErrAccount, func(c *twiliosms.Config) { c.AccountSID = "" }},
		{twiliosms.ErrAccount, func(c *twiliosms.Config) { c.AccountSID = "SK00000000000000000000000000000001" }},
		{twiliosms.ErrAccount, func(c *twiliosms.Config) { c.AccountSID = "AC0000000000000000000000000000000/" }},
		{twiliosms.ErrKey, func(c *twiliosms.Config) { c.AuthToken = "" }},
		{twiliosms.ErrKey, func(c *twiliosms.Config) { c.AuthToken += "\n" }},
		{twiliosms.ErrKey, func(c *twiliosms.Config) { c.APIKey = apiKey }},
		{twiliosms.ErrKey, func(c *twiliosms.Config) { c.APISecret = apiSecret }},
		{twiliosms.ErrSender, func(c *twiliosms.Config) { c.From = "" }},
		{twiliosms.ErrSender, func(c *twiliosms.Config) { c.MessagingServiceSID = service }},
		{twiliosms.ErrURL, func(c *twiliosms.Config) { c.APIURL = "api.twilio.com" }},
		{twiliosms.ErrURL, func(c *twiliosms.Config) { c.APIURL = "https://x/v1" }},
		{twiliosms.ErrTimeout, func(c *twiliosms.Config) { c.Timeout = 0 }},
	} {
		config := twiliosms.Config{AccountSID: account, AuthToken: token, From: from, Timeout: time.Second}
		c.change(&config)
		if _, err := twiliosms.New(config); !errors.Is(err, c.want) {
			t.Errorf("want %v, got %v", c.want, err)
		}
	}
}

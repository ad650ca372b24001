package twiliosim_test

import (
	"bytes"
	"context"
	"encoding/json"
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

	"paylink/internal/sim/twiliosim"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
	lookups "github.com/twilio/twilio-go/rest/lookups/v2"
)

const (
	account = "AC00000000000000000000000000000001"
	token   = "0123456789abcdef0123456789abcdef"
	key     = "SK00000000000000000000000000000002"
	secret  = "keysecretkeysecretkeysecret"
	from    = "+18045550100"
	service = "MG00000000000000000000000000000003"
	dana    = "+18045550142"
)

// town is a simulator on a real port, a clock, and one webhook that remembers what it was told.
type town struct {
	t   *testing.T
	sim *twiliosim.Server
	url string

	mu     sync.Mutex
	now    time.Time
	calls  []url.Values
	badSig int
	reply  string // TwiML
	news   chan struct{}
	hook   string
}

func newTown(t *testing.T, change func(*twiliosim.Config)) *town {
	t.Helper()
	tw := &town{t: t, now: time.Date(2026, 3, 4, 15, 0, 0, 0, time.UTC), news: make(chan struct{}, 1000)}
	hook := httptest.NewServer(http.HandlerFunc(tw.webhook))
	tw.hook = hook.URL
	cfg := twiliosim.Config{
		Now:  func() time.Time { tw.mu.Lock(); defer tw.mu.Unlock(); return tw.now },
		Seed: 7, AccountSID: account, AuthToken: token, APIKey: key, APISecret: secret, From: from,
		InboundURL: hook.URL + "/hooks/twilio/inbound",
	}
	if change != nil {
		change(&cfg)
	}
	tw.sim = twiliosim.New(cfg)
	tw.sim.SetFaults(twiliosim.Faults{DelayMS: 2})
	server := httptest.NewServer(tw.sim.Handler())
	tw.url = server.URL
	t.Cleanup(func() { tw.sim.Close(); server.Close(); hook.Close() })
	return tw
}

func (tw *town) webhook(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	validator := client.NewRequestValidator(token)
	full := tw.hook + r.URL.RequestURI()
	tw.mu.Lock()
	if !validator.ValidateBody(full, body, r.Header.Get("X-Twilio-Signature")) {
		tw.badSig++
	}
	form.Set("test-path", r.URL.RequestURI())
	tw.calls = append(tw.calls, form)
	reply := tw.reply
	tw.mu.Unlock()
	if reply != "" {
		w.Header().Set("Content-Type", "text/xml")
		io.WriteString(w, reply)
	}
	tw.news <- struct{}{}
}

func (tw *town) pass(d time.Duration) { tw.mu.Lock(); tw.now = tw.now.Add(d); tw.mu.Unlock() }

func (tw *town) heard() []url.Values {
	tw.mu.Lock()
	defer tw.mu.Unlock()
	return slices.Clone(tw.calls)
}

// until waits for a condition, which is looked at again every few milliseconds.
func (tw *town) until(what string, ok func() bool) {
	tw.t.Helper()
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for !ok() {
		select {
		case <-limit.C:
			tw.t.Fatalf("never happened: %s; messages %+v; calls %v", what, tw.sim.Messages(), tw.heard())
		case <-again.C:
		}
	}
}

func (tw *town) message(sid string) twiliosim.Message {
	for _, m := range tw.sim.Messages() {
		if m.SID == sid {
			return m
		}
	}
	tw.t.Fatalf("no message %s", sid)
	return twiliosim.Message{}
}

// elsewhere sends what is meant for Twilio to the simulator.
type elsewhere struct{ host string }

func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", e.host
	return http.DefaultTransport.RoundTrip(r)
}

func (tw *town) client(user, password string, limit time.Duration) *client.RequestHandler {
	c := &client.Client{
		Credentials: client.NewCredentials(user, password),
		HTTPClient:  &http.Client{Transport: elsewhere{strings.TrimPrefix(tw.url, "http://")}, Timeout: limit},
	}
	c.SetAccountSid(account)
	return client.NewRequestHandler(c)
}

func (tw *town) api() *api.ApiService {
	return api.NewApiService(tw.client(account, token, 10*time.Second))
}

func text(to string) *api.CreateMessageParams {
	return new(api.CreateMessageParams).SetTo(to).SetFrom(from).SetBody("Interlane: pay at https://pay.example/p#abc")
}

func wantCode(t *testing.T, err error, status, code int) {
	t.Helper()
	twilio, ok := errors.AsType[*client.TwilioRestError](err)
	if !ok {
		t.Fatalf("got %v, want Twilio's error %d", err, code)
	}
	if twilio.Code != code || twilio.Status != status || twilio.Message == "" || !strings.HasSuffix(twilio.MoreInfo, fmt.Sprint("/", code)) {
		t.Fatalf("got %+v, want status %d code %d", twilio, status, code)
	}
}

func TestTextIsDeliveredAndEachStepIsToldSigned(t *testing.T) {
	tw := newTown(t, nil)
	sent, err := tw.api().CreateMessage(text(dana).SetStatusCallback(tw.hook + "/hooks/twilio/status?m=0195&x=a%20b").SetValidityPeriod(500))
	if err != nil {
		t.Fatal(err)
	}
	if *sent.Status != "queued" || *sent.NumSegments != "1" || sent.DateSent != nil || sent.Price != nil || sent.ErrorCode != nil ||
		*sent.Direction != "outbound-api" || *sent.DateCreated != "Wed, 04 Mar 2026 15:00:00 +0000" || *sent.To != dana ||
		!strings.HasPrefix(*sent.Sid, "SM") || len(*sent.Sid) != 34 || (*sent.SubresourceUris)["media"] == nil {
		t.Fatalf("%+v", sent)
	}
	tw.until("two callbacks", func() bool { return len(tw.heard()) == 2 })
	for i, status := range []string{"sent", "delivered"} {
		got := tw.heard()[i]
		if got.Get("MessageStatus") != status || got.Get("SmsStatus") != status || got.Get("MessageSid") != *sent.Sid || got.Get("SmsSid") != *sent.Sid ||
			got.Get("To") != dana || got.Get("From") != from || got.Get("AccountSid") != account || got.Get("ApiVersion") != "2010-04-01" ||
			got.Get("ErrorCode") != "" || got.Get("test-path") != "/hooks/twilio/status?m=0195&x=a%20b" {
			t.Errorf("callback %d: %v", i, got)
		}
	}
	if tw.badSig != 0 {
		t.Errorf("%d wrong signatures", tw.badSig)
	}
	fetched, err := tw.api().FetchMessage(*sent.Sid, nil)
	if err != nil {
		t.Fatal(err)
	}
	if *fetched.Status != "delivered" || fetched.DateSent == nil || *fetched.DateSent != "Wed, 04 Mar 2026 15:00:00 +0000" {
		t.Errorf("%+v", fetched)
	}
	m := tw.message(*sent.Sid)
	if m.ValidityPeriod != 500*time.Second || m.SentAt.IsZero() || !strings.Contains(m.Body, "#abc") {
		t.Errorf("%+v", m)
	}
}

func TestWhatCannotBeSentIsRefusedWithTwiliosCode(t *testing.T) {
	tw := newTown(t, nil)
	cases := []struct {
		name         string
		params       *api.CreateMessageParams
		status, code int
	}{
		{"invalid", text("+15005550001"), 400, 21211},
		{"no route", text("+15005550002"), 400, 21612},
		{"region", text("+15005550003"), 400, 21408},
		{"blocked", text("+15005550004"), 400, 21610},
		{"not mobile", text("+15005550009"), 400, 21614},
		{"opted out", text("+18045550197"), 400, 21610},
		{"a number somebody may own", text("+14155238886"), 400, 21211},
		{"directory assistance", text("+18045551212"), 400, 21211},
		{"another country", text("+442071838750"), 400, 21211},
		{"letters", text("hello"), 400, 21211},
		{"no to", new(api.CreateMessageParams).SetFrom(from).SetBody("x"), 400, 21604},
		{"no from", new(api.CreateMessageParams).SetTo(dana).SetBody("x"), 400, 21603},
		{"no body", new(api.CreateMessageParams).SetTo(dana).SetFrom(from), 400, 21602},
		{"too long", text(dana).SetBody(strings.Repeat("é", 1601)), 400, 21617},
		{"from invalid", text(dana).SetFrom("+15005550001"), 400, 21212},
		{"from not ours", text(dana).SetFrom("+15005550007"), 400, 21606},
		{"from another's", text(dana).SetFrom("+18045550101"), 400, 21606},
		{"from full", text(dana).SetFrom("+15005550008"), 429, 21611},
		{"service unknown", new(api.CreateMessageParams).SetTo(dana).SetMessagingServiceSid(service).SetBody("x"), 404, 21701},
		{"callback", text(dana).SetStatusCallback("pay.example/x"), 400, 21609},
		{"validity 0", text(dana).SetValidityPeriod(0), 400, 30012},
		{"validity over", text(dana).SetValidityPeriod(36001), 400, 30045},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := tw.api().CreateMessage(c.params)
			wantCode(t, err, c.status, c.code)
		})
	}
	if got := tw.sim.Messages(); len(got) != 0 {
		t.Errorf("kept %+v", got)
	}
	for _, ok := range []*api.CreateMessageParams{
		text("+1 (804) 555-0142"), text("8045550142"), text(dana).SetFrom("+15005550006"), text(dana).SetBody(strings.Repeat("é", 1600)),
		text(dana).SetValidityPeriod(36000).SetShortenUrls(true).SetAttempt(1),
	} {
		if _, err := tw.api().CreateMessage(ok); err != nil {
			t.Error(err)
		}
	}
	for _, m := range tw.sim.Messages() {
		if m.To != dana {
			t.Errorf("to %s", m.To)
		}
	}
}

func TestNumbersEndAsTheyAreListed(t *testing.T) {
	tw := newTown(t, nil)
	cases := []struct {
		to, status string
		code       int
	}{
		{"+18045550175", "failed", 30012}, {"+18045550176", "undelivered", 30034}, {"+18045550177", "failed", 30045}, {"+18045550178", "failed", 30036},
		{"+18045550180", "undelivered", 30006}, {"+18045550184", "undelivered", 30006},
		{"+18045550191", "undelivered", 30003}, {"+18045550192", "undelivered", 30004}, {"+18045550193", "undelivered", 30005},
		{"+18045550194", "undelivered", 30006}, {"+18045550195", "undelivered", 30007}, {"+18045550196", "undelivered", 30008},
		{"+18045550198", "delivered", 0}, {"+18045550185", "delivered", 0}, {"+15005550006", "delivered", 0},
	}
	for _, c := range cases {
		t.Run(c.to, func(t *testing.T) {
			sent, err := tw.api().CreateMessage(text(c.to).SetStatusCallback(tw.hook + "/" + c.to[1:]))
			if err != nil {
				t.Fatal(err)
			}
			tw.until(c.status, func() bool { m := tw.message(*sent.Sid); return m.Status == c.status && m.ErrorCode == c.code })
			fetched, err := tw.api().FetchMessage(*sent.Sid, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.code == 0 && fetched.ErrorCode != nil || c.code != 0 && (*fetched.ErrorCode != c.code || *fetched.ErrorMessage == "") {
				t.Errorf("%+v", fetched)
			}
			if (c.status == "failed") != (fetched.DateSent == nil) {
				t.Errorf("%s, sent %v", c.status, fetched.DateSent)
			}
			told := func() (last url.Values) {
				for _, v := range tw.heard() {
					if v.Get("test-path") == "/"+c.to[1:] {
						last = v
					}
				}
				return last
			}
			if c.to == "+18045550198" {
				return // looked at below, when all the others have been told
			}
			tw.until("the last callback", func() bool { return told().Get("MessageStatus") == c.status })
			if code := told().Get("ErrorCode"); c.code != 0 && code != fmt.Sprint(c.code) || c.code == 0 && code != "" {
				t.Errorf("ErrorCode %q", code)
			}
		})
	}
	for _, v := range tw.heard() {
		if v.Get("To") == "+18045550198" {
			t.Errorf("told of 0198: %v", v)
		}
	}
	if len(twiliosim.Numbers()) < 20 {
		t.Error("the table is short")
	}
}

func TestSlowDownThenAccepted(t *testing.T) {
	tw := newTown(t, nil)
	_, err := tw.api().CreateMessage(text("+18045550199"))
	wantCode(t, err, 429, 20429)
	if _, err := tw.api().CreateMessage(text("+18045550199")); err != nil {
		t.Fatal(err)
	}
}

func TestValidityGoesByTheTownsClock(t *testing.T) {
	tw := newTown(t, nil)
	sent, err := tw.api().CreateMessage(text("+18045550190").SetValidityPeriod(570).SetStatusCallback(tw.hook + "/status"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := tw.api().CreateMessage(text(dana))
	if err != nil {
		t.Fatal(err)
	}
	tw.until("the other is delivered", func() bool { return tw.message(*other.Sid).Status == "delivered" })
	tw.pass(569 * time.Second)
	if m := tw.message(*sent.Sid); m.Status != "queued" {
		t.Fatalf("%+v", m)
	}
	tw.pass(time.Second)
	tw.until("it fails", func() bool { m := tw.message(*sent.Sid); return m.Status == "failed" && m.ErrorCode == 30036 })
	tw.until("the callback", func() bool { return len(tw.heard()) == 1 && tw.heard()[0].Get("ErrorCode") == "30036" })
}

func TestWhoMayCall(t *testing.T) {
	tw := newTown(t, nil)
	for _, c := range []struct {
		user, password string
		ok             bool
	}{
		{account, token, true}, {key, secret, true}, {account, secret, false}, {key, token, false}, {account, "", false}, {"", "", false}, {account, "wrong", false},
	} {
		_, err := api.NewApiService(tw.client(c.user, c.password, 10*time.Second)).CreateMessage(text(dana))
		if c.ok {
			if err != nil {
				t.Errorf("%s: %v", c.user, err)
			}
			continue
		}
		wantCode(t, err, 401, 20003)
	}
	_, err := tw.api().CreateMessage(text(dana).SetPathAccountSid("AC00000000000000000000000000000009"))
	wantCode(t, err, 404, 20404)
	_, err = tw.api().FetchMessage("SM00000000000000000000000000000009", nil)
	wantCode(t, err, 404, 20404)

	// Without an API key, an empty pair is no pair.
	bare := newTown(t, func(c *twiliosim.Config) { c.APIKey, c.APISecret = "", "" })
	r, _ := http.NewRequest("GET", bare.url+"/2010-04-01/Accounts/"+account+"/Messages.json", nil)
	r.SetBasicAuth("", "") // twilio-go would leave it out
	if got := do(t, r); got.StatusCode != 401 {
		t.Errorf("nobody's request: %d", got.StatusCode)
	}
}

func TestListIsPagedAndFiltered(t *testing.T) {
	tw := newTown(t, nil)
	for i := range 7 {
		to := dana
		if i == 3 {
			to = "+18045550143"
		}
		sent, err := tw.api().CreateMessage(text(to).SetBody(fmt.Sprint("text ", i)))
		if err != nil {
			t.Fatal(err)
		}
		tw.until("delivered", func() bool { return tw.message(*sent.Sid).Status == "delivered" })
		tw.pass(time.Hour)
	}
	if _, err := tw.api().CreateMessage(text("+18045550190")); err != nil { // never sent: no date
		t.Fatal(err)
	}
	start := time.Date(2026, 3, 4, 15, 0, 0, 0, time.UTC)
	list := func() *api.ListMessageParams { return new(api.ListMessageParams).SetPageSize(2) }
	for name, c := range map[string]struct {
		params *api.ListMessageParams
		want   string
	}{
		"all":     {list(), "Interlane: pay at https://pay.example/p#abc,text 6,text 5,text 4,text 3,text 2,text 1,text 0"},
		"to":      {list().SetTo(dana), "text 6,text 5,text 4,text 2,text 1,text 0"},
		"from":    {list().SetFrom(from).SetTo("+18045550143"), "text 3"},
		"nobody":  {list().SetFrom(dana), ""},
		"after":   {list().SetDateSentAfter(start.Add(5 * time.Hour)), "text 6,text 5"},
		"before":  {list().SetDateSentBefore(start.Add(time.Hour)), "text 1,text 0"},
		"between": {list().SetDateSentAfter(start.Add(2 * time.Hour)).SetDateSentBefore(start.Add(3 * time.Hour)), "text 3,text 2"},
		"exactly": {list().SetDateSent(start.Add(4 * time.Hour)), "text 4"},
		"limit":   {list().SetLimit(3), "Interlane: pay at https://pay.example/p#abc,text 6,text 5"},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := tw.api().ListMessage(c.params)
			if err != nil {
				t.Fatal(err)
			}
			var bodies []string
			for _, m := range found {
				bodies = append(bodies, *m.Body)
			}
			if got := strings.Join(bodies, ","); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	page, err := tw.api().PageMessage(list(), "", "")
	if err != nil || page.NextPageUri == nil || page.PreviousPageUri != nil || page.PageSize != 2 || page.End != 1 {
		t.Errorf("%+v %v", page, err)
	}
	day := get(t, tw.url+"/2010-04-01/Accounts/"+account+"/Messages.json?DateSent=2026-03-05")
	if day.StatusCode != 401 {
		t.Errorf("unsigned list: %d", day.StatusCode)
	}
}

func TestMessageIsCanceledRedactedDeleted(t *testing.T) {
	tw := newTown(t, func(c *twiliosim.Config) { c.From = service })
	text := func() *api.CreateMessageParams {
		return new(api.CreateMessageParams).SetTo(dana).SetMessagingServiceSid(service).SetBody("x").SetStatusCallback(tw.hook + "/s")
	}
	sent, err := tw.api().CreateMessage(text())
	if err != nil {
		t.Fatal(err)
	}
	if *sent.Status != "accepted" || sent.From != nil || *sent.NumSegments != "0" || *sent.MessagingServiceSid != service {
		t.Errorf("%+v", sent)
	}
	tw.until("three callbacks", func() bool { return len(tw.heard()) == 3 })
	var states []string
	for _, v := range tw.heard() {
		states = append(states, v.Get("MessageStatus"))
	}
	if got := strings.Join(states, " "); got != "queued sent delivered" {
		t.Error(got)
	}
	if v := tw.heard()[0]; v.Get("MessagingServiceSid") != service || v.Get("From") == "" {
		t.Error(v)
	}
	_, err = tw.api().UpdateMessage(*sent.Sid, new(api.UpdateMessageParams).SetStatus("canceled"))
	wantCode(t, err, 409, 30409)
	redacted, err := tw.api().UpdateMessage(*sent.Sid, new(api.UpdateMessageParams).SetBody(""))
	if err != nil || *redacted.Body != "" {
		t.Errorf("%+v %v", redacted, err)
	}
	if err := tw.api().DeleteMessage(*sent.Sid, nil); err != nil {
		t.Error(err)
	}
	_, err = tw.api().FetchMessage(*sent.Sid, nil)
	wantCode(t, err, 404, 20404)

	later, err := tw.api().CreateMessage(text().SetScheduleType("fixed").SetSendAt(time.Date(2026, 3, 4, 16, 0, 0, 0, time.UTC)))
	if err != nil || *later.Status != "scheduled" {
		t.Fatalf("%+v %v", later, err)
	}
	wantCode(t, tw.api().DeleteMessage(*later.Sid, nil), 409, 20009)
	canceled, err := tw.api().UpdateMessage(*later.Sid, new(api.UpdateMessageParams).SetStatus("canceled"))
	if err != nil || *canceled.Status != "canceled" {
		t.Errorf("%+v %v", canceled, err)
	}
	later, err = tw.api().CreateMessage(text().SetScheduleType("fixed").SetSendAt(time.Date(2026, 3, 4, 16, 0, 0, 0, time.UTC)))
	if err != nil {
		t.Fatal(err)
	}
	tw.pass(time.Hour)
	tw.until("the scheduled one arrives", func() bool { return tw.message(*later.Sid).Status == "delivered" })
}

func TestLookupTellsTheLine(t *testing.T) {
	tw := newTown(t, nil)
	fetch := func(number string, limit time.Duration) (*lookups.LookupResponse, error) {
		return lookups.NewApiService(tw.client(key, secret, limit)).
			FetchPhoneNumber(number, new(lookups.FetchPhoneNumberParams).SetFields("line_type_intelligence"))
	}
	for number, kind := range map[string]string{
		dana: "mobile", "(804) 555-0142": "mobile", "+18045550180": "landline", "+18045550184": "landline", "+18045550185": "nonFixedVoip", "+18045550186": "unknown",
	} {
		got, err := fetch(number, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Valid || got.LineTypeIntelligence.Type != kind || *got.CountryCode != "US" || !strings.HasPrefix(*got.NationalFormat, "(804) 555-01") {
			t.Errorf("%s: %+v", number, got)
		}
	}
	for number, reason := range map[string]lookups.ValidationError{
		"+15005550001": "INVALID_BUT_POSSIBLE", "+14155238886": "INVALID_BUT_POSSIBLE", "+1804555014": "TOO_SHORT", "+180455501422": "TOO_LONG",
		"hello": "NOT_A_NUMBER", "+442071838750": "INVALID_COUNTRY_CODE",
	} {
		got, err := fetch(number, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if got.Valid || len(got.ValidationErrors) != 1 || got.ValidationErrors[0] != reason || got.LineTypeIntelligence.Type != "" {
			t.Errorf("%s: %+v", number, got)
		}
	}
	if _, err := fetch("+18045550187", 10*time.Second); err == nil {
		t.Error("0187 answered")
	} else if _, typed := errors.AsType[*client.TwilioRestError](err); typed {
		t.Errorf("0187 answered JSON: %v", err)
	}
	if _, err := fetch("+18045550188", 50*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("0188: %v", err)
	}
}

func TestStopEndsTextsUntilStart(t *testing.T) {
	for _, stop := range []string{"STOP", "stopall", " Unsubscribe ", "CANCEL", "end", "Quit"} {
		for _, start := range []string{"START", "unstop", "Yes"} {
			t.Run(stop+start, func(t *testing.T) {
				tw := newTown(t, nil)
				tw.say(dana, stop)
				_, err := tw.api().CreateMessage(text(dana))
				wantCode(t, err, 400, 21610)
				if _, err := tw.api().CreateMessage(text("+18045550143")); err != nil {
					t.Error("another number:", err)
				}
				tw.say(dana, start)
				if _, err := tw.api().CreateMessage(text(dana)); err != nil {
					t.Error(err)
				}
				tw.until("both were told", func() bool { return len(tw.heard()) == 2 })
				kinds := []string{tw.heard()[0].Get("OptOutType"), tw.heard()[1].Get("OptOutType")}
				slices.Sort(kinds) // two webhooks have no order
				if fmt.Sprint(kinds) != "[START STOP]" || tw.badSig != 0 {
					t.Errorf("%v, %d wrong signatures", kinds, tw.badSig)
				}
			})
		}
	}
}

func TestReplyReachesTheWebhookAndItsAnswerThePhone(t *testing.T) {
	tw := newTown(t, nil)
	tw.reply = `<?xml version="1.0"?><Response><Message>Call us at 804 555 0100.</Message></Response>`
	tw.say(dana, "Who is this? é & ü")
	tw.until("told", func() bool { return len(tw.heard()) == 1 })
	got := tw.heard()[0]
	if got.Get("Body") != "Who is this? é & ü" || got.Get("From") != dana || got.Get("To") != from || got.Get("NumMedia") != "0" ||
		!strings.HasPrefix(got.Get("MessageSid"), "SM") || got.Has("OptOutType") || got.Get("test-path") != "/hooks/twilio/inbound" || tw.badSig != 0 {
		t.Errorf("%v, %d wrong signatures", got, tw.badSig)
	}
	tw.until("answered", func() bool { return len(tw.sim.Messages()) == 2 })
	if m := tw.sim.Messages()[1]; m.To != dana || m.Body != "Call us at 804 555 0100." || m.Direction != "outbound-reply" {
		t.Errorf("%+v", m)
	}
	tw.say(dana, "help")
	tw.until("help", func() bool { return len(tw.heard()) == 2 })
	if tw.heard()[1].Get("OptOutType") != "HELP" {
		t.Error(tw.heard()[1])
	}
}

func TestPhoneShowsTexts(t *testing.T) {
	tw := newTown(t, nil)
	for _, to := range []string{dana, "+18045550143", "+18045550191", dana} {
		if _, err := tw.api().CreateMessage(text(to)); err != nil {
			t.Fatal(err)
		}
	}
	tw.until("all done", func() bool {
		return !slices.ContainsFunc(tw.sim.Messages(), func(m twiliosim.Message) bool { return m.Status != "delivered" && m.Status != "undelivered" })
	})
	var got []map[string]any
	all := get(t, tw.url+"/phone/messages")
	if err := json.NewDecoder(all.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 4 || got[2]["status"] != "undelivered" || got[2]["error_code"] != 30003.0 || got[0]["to"] != dana || got[0]["sent_at"] != "2026-03-04T15:00:00Z" ||
		!strings.Contains(got[0]["body"].(string), "#abc") {
		t.Errorf("%v", got)
	}
	if date := all.Header.Get("Date"); date != "Wed, 04 Mar 2026 15:00:00 GMT" {
		t.Errorf("the phone's clock is not the town's: %s", date)
	}
	for _, query := range []string{"%2B18045550142", "+18045550142", "8045550142"} {
		if err := json.NewDecoder(get(t, tw.url+"/phone/messages?to="+query).Body).Decode(&got); err != nil || len(got) != 2 {
			t.Errorf("%s: %v %v", query, got, err)
		}
	}
	r, _ := http.NewRequest("GET", tw.url+"/phone/messages", nil)
	r.Header.Set("If-None-Match", all.Header.Get("ETag"))
	if again := do(t, r); again.StatusCode != 304 {
		t.Errorf("again: %d", again.StatusCode)
	}

	page := get(t, tw.url+"/phone?number=%2B18045550142")
	html, _ := io.ReadAll(page.Body)
	if page.StatusCode != 200 || strings.Contains(page.Header.Get("Content-Security-Policy"), "unsafe") || page.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("%d %v", page.StatusCode, page.Header)
	}
	for _, n := range twiliosim.Numbers() {
		if !strings.Contains(string(html), n.Does) {
			t.Errorf("the page does not list %s", n.Number)
		}
	}
	for _, c := range []struct {
		body, contentType, site string
		want                    int
	}{
		{`{"from":"+18045550142","body":"hi"}`, "application/json", "", 201},
		{`{"from":"+18045550142","body":"hi"}`, "text/plain", "", 415},
		{`{"from":"+18045550142","body":"hi"}`, "application/json", "cross-site", 403},
		{`{"from":"+14155238886","body":"hi"}`, "application/json", "", 400},
		{`{"from":"+18045550142","body":"  "}`, "application/json", "", 400},
		{`{"from":"+18045550142","body":"` + strings.Repeat("x", 1601) + `"}`, "application/json", "", 400},
		{`{`, "application/json", "", 400},
	} {
		r, _ := http.NewRequest("POST", tw.url+"/phone/replies", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.contentType)
		if c.site != "" {
			r.Header.Set("Sec-Fetch-Site", c.site)
		}
		if got := do(t, r); got.StatusCode != c.want {
			t.Errorf("%.60s %s %s: %d, want %d", c.body, c.contentType, c.site, got.StatusCode, c.want)
		}
	}
}

func TestFaultsStrike(t *testing.T) {
	short := 150 * time.Millisecond
	for _, c := range []struct {
		kind  string
		kept  int // messages
		check func(t *testing.T, err error)
	}{
		{twiliosim.TimeoutBefore, 0, func(t *testing.T, err error) {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}},
		{twiliosim.TimeoutAfter, 1, func(t *testing.T, err error) {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}},
		{twiliosim.Error500, 0, func(t *testing.T, err error) { wantCode(t, err, 500, 20500) }},
		{twiliosim.Rate429, 0, func(t *testing.T, err error) { wantCode(t, err, 429, 20429) }},
		{twiliosim.Down503, 0, func(t *testing.T, err error) {
			if _, typed := errors.AsType[*client.TwilioRestError](err); err == nil || typed {
				t.Error(err)
			}
		}},
		{twiliosim.BrokenJSON, 1, func(t *testing.T, err error) {
			if err == nil {
				t.Error("understood")
			}
		}},
		{twiliosim.Slow, 1, func(t *testing.T, err error) {
			if err != nil {
				t.Error(err)
			}
		}},
	} {
		t.Run(c.kind, func(t *testing.T) {
			tw := newTown(t, nil)
			f := twiliosim.Faults{DelayMS: 2, Rules: []twiliosim.Rule{{Op: "send", Kind: c.kind, Times: 1}}}
			limit := 10 * time.Second
			switch {
			case strings.HasPrefix(c.kind, "timeout"):
				limit = short
			case c.kind == twiliosim.Slow:
				f.Rules[0].DelayMS = 20
			}
			tw.sim.SetFaults(f)
			if err := f.Check(); err != nil {
				t.Fatal(err)
			}
			_, err := api.NewApiService(tw.client(account, token, limit)).CreateMessage(text(dana))
			c.check(t, err)
			if got := len(tw.sim.Messages()); got != c.kept {
				t.Errorf("%d kept, want %d", got, c.kept)
			}
			if _, err := tw.api().CreateMessage(text(dana)); err != nil {
				t.Errorf("it struck twice: %v", err)
			}
		})
	}
	t.Run("other ops", func(t *testing.T) {
		tw := newTown(t, nil)
		tw.sim.SetFaults(twiliosim.Faults{Rules: []twiliosim.Rule{{Op: "list", Kind: twiliosim.Error500}, {Op: "lookup", Kind: twiliosim.Rate429}}})
		_, err := tw.api().ListMessage(nil)
		wantCode(t, err, 500, 20500)
		_, err = lookups.NewApiService(tw.client(key, secret, time.Second)).FetchPhoneNumber(dana, nil)
		wantCode(t, err, 429, 20429)
		if _, err := tw.api().CreateMessage(text(dana)); err != nil {
			t.Error(err)
		}
	})
}

func TestCallbacksMisbehaveOnRequest(t *testing.T) {
	send := func(tw *town, c twiliosim.Callbacks) {
		f := twiliosim.Faults{DelayMS: 5, Callbacks: c}
		if err := f.Check(); err != nil {
			t.Fatal(err)
		}
		tw.sim.SetFaults(f)
		if _, err := tw.api().CreateMessage(text(dana).SetStatusCallback(tw.hook + "/s")); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("twice", func(t *testing.T) {
		tw := newTown(t, nil)
		send(tw, twiliosim.Callbacks{Twice: 1, DelayMS: 3})
		tw.until("four", func() bool { return len(tw.heard()) == 4 })
	})
	t.Run("never", func(t *testing.T) {
		tw := newTown(t, nil)
		send(tw, twiliosim.Callbacks{Never: 1})
		tw.until("delivered", func() bool { return tw.sim.Messages()[0].Status == "delivered" })
		tw.sim.Close() // waits for everything on its way
		if got := tw.heard(); len(got) != 0 {
			t.Error(got)
		}
	})
	t.Run("shuffled", func(t *testing.T) {
		tw := newTown(t, nil)
		turned := func() bool { // some message's "delivered" came before its "sent"
			seen := map[string]bool{}
			for _, v := range tw.heard() {
				if v.Get("MessageStatus") == "sent" && seen[v.Get("MessageSid")] {
					return true
				}
				seen[v.Get("MessageSid")] = true
			}
			return false
		}
		for range 40 {
			send(tw, twiliosim.Callbacks{Shuffle: 0.5})
		}
		tw.until("one turned round", turned)
	})
}

// A webhook that is slow to answer "sent" must not be told "delivered" meanwhile.
func TestCallbacksOfOneTextComeInOrder(t *testing.T) {
	tw := newTown(t, nil)
	var mu sync.Mutex
	var order []string
	second := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.FormValue("MessageStatus") == "delivered" {
			close(second)
		} else {
			tw.until("delivered", func() bool { return tw.sim.Messages()[0].Status == "delivered" })
			select { // long enough for a callback that does not wait
			case <-second:
			case <-time.After(50 * time.Millisecond):
			}
		}
		mu.Lock()
		order = append(order, r.FormValue("MessageStatus"))
		mu.Unlock()
	}))
	defer slow.Close()
	if _, err := tw.api().CreateMessage(text(dana).SetStatusCallback(slow.URL)); err != nil {
		t.Fatal(err)
	}
	tw.until("both", func() bool { mu.Lock(); defer mu.Unlock(); return len(order) == 2 })
	select {
	case <-second:
	default:
		t.Error("delivered was never told")
	}
	if got := strings.Join(order, " "); got != "sent delivered" {
		t.Error(got)
	}
}

func TestFaultsAreCheckedAndSurviveJSON(t *testing.T) {
	want := twiliosim.DefaultFaults()
	textual, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got twiliosim.Faults
	decoder := json.NewDecoder(bytes.NewReader(textual))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&got); err != nil || fmt.Sprint(got) != fmt.Sprint(want) || got.Check() != nil {
		t.Errorf("%+v %v", got, err)
	}
	for _, bad := range []twiliosim.Faults{
		{Rules: []twiliosim.Rule{{Op: "pay", Kind: twiliosim.Slow}}}, {Rules: []twiliosim.Rule{{Op: "send", Kind: "x"}}},
		{Rules: []twiliosim.Rule{{Op: "send", Kind: twiliosim.Slow, Rate: 2}}}, {Callbacks: twiliosim.Callbacks{Never: -1}}, {DelayMS: -1},
	} {
		if bad.Check() == nil {
			t.Errorf("%+v passes", bad)
		}
	}
}

func TestSegmentsAreCountedAsCarriersDo(t *testing.T) {
	for _, c := range []struct {
		body string
		want int
	}{
		{strings.Repeat("a", 160), 1}, {strings.Repeat("a", 161), 2}, {strings.Repeat("a", 306), 2}, {strings.Repeat("a", 307), 3},
		{strings.Repeat("é", 160), 1}, {strings.Repeat("€", 80), 1}, {strings.Repeat("€", 81), 2},
		{strings.Repeat("á", 70), 1}, {strings.Repeat("á", 71), 2}, {strings.Repeat("a", 160) + "ó", 3},
		{strings.Repeat("🙂", 35), 1}, {strings.Repeat("🙂", 36), 2}, {strings.Repeat("🙂", 66), 2}, {strings.Repeat("🙂", 67), 3}, // 33 pairs a part: none is split
		{strings.Repeat("a", 152) + "[" + strings.Repeat("a", 152), 3}, // "[" takes two septets and is not split
		{"", 1},
	} {
		if got := twiliosim.Segments(c.body); got != c.want {
			t.Errorf("%.12q × %d: %d, want %d", c.body, len([]rune(c.body)), got, c.want)
		}
	}
}

func TestCloseEndsEverything(t *testing.T) {
	tw := newTown(t, nil)
	tw.sim.SetFaults(twiliosim.Faults{Rules: []twiliosim.Rule{{Op: "lookup", Kind: twiliosim.TimeoutBefore}}})
	if _, err := tw.api().CreateMessage(text("+18045550190")); err != nil {
		t.Fatal(err)
	}
	held := make(chan error)
	go func() {
		_, err := lookups.NewApiService(tw.client(key, secret, time.Minute)).FetchPhoneNumber(dana, nil)
		held <- err
	}()
	tw.sim.Close()
	tw.sim.Close()
	if err := <-held; err == nil {
		t.Error("a held request was answered")
	}
}

func (tw *town) say(number, body string) {
	tw.t.Helper()
	given, _ := json.Marshal(map[string]string{"from": number, "body": body})
	r, _ := http.NewRequest("POST", tw.url+"/phone/replies", bytes.NewReader(given))
	r.Header.Set("Content-Type", "application/json")
	if got := do(tw.t, r); got.StatusCode != 201 {
		tw.t.Fatalf("reply: %d", got.StatusCode)
	}
}

func get(t *testing.T, address string) *http.Response {
	t.Helper()
	r, err := http.NewRequest("GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, r)
}

func do(t *testing.T, r *http.Request) *http.Response {
	t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

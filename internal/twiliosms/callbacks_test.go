package twiliosms_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"paylink/internal/phone"
	"paylink/internal/sim/twiliosim"
	"paylink/internal/sms"
	"paylink/internal/twiliosms"
)

const (
	public = "https://pay.example"
	path   = "/hooks/twilio/status/m1"
)

func TestCallbacksAreTakenOnlyAsTwilioSignedThem(t *testing.T) {
	form := func(change func(url.Values)) url.Values {
		f := url.Values{"MessageSid": {"SM1"}, "MessageStatus": {"undelivered"}, "ErrorCode": {"30003"}, "To": {dana}, "AccountSid": {account}}
		if change != nil {
			change(f)
		}
		return f
	}
	good := form(nil)
	signature := twiliosim.Sign(token, public+path, good)
	for _, c := range []struct {
		name      string
		id, path  string
		form      url.Values
		signature string
		want      error
	}{
		{"good", "m1", path, good, signature, nil},
		{"signed with the port", "m1", path, good, twiliosim.Sign(token, public+":443"+path, good), nil},
		{"without a signature", "m1", path, good, "", twiliosms.ErrSignature},
		{"signed by a stranger", "m1", path, good, twiliosim.Sign("stranger", public+path, good), twiliosms.ErrSignature},
		{"signed by an empty token", "m1", path, good, twiliosim.Sign("", public+path, good), twiliosms.ErrSignature},
		{"of another message", "m2", "/hooks/twilio/status/m2", good, signature, twiliosms.ErrSignature},
		{"about a message that the address does not name", "m2", path, good, signature, twiliosms.ErrSignature},
		{"about no message", "", path, good, signature, twiliosms.ErrSignature},
		{"with a query more", "m1", path + "?x=1", good, signature, twiliosms.ErrSignature},
		{"for another host", "m1", path, good, twiliosim.Sign(token, "https://other.example"+path, good), twiliosms.ErrSignature},
		{"for plain http", "m1", path, good, twiliosim.Sign(token, "http://pay.example"+path, good), twiliosms.ErrSignature},
		{"with a changed status", "m1", path, form(func(f url.Values) { f.Set("MessageStatus", "delivered") }), signature, twiliosms.ErrSignature},
		{"with a parameter more", "m1", path, form(func(f url.Values) { f.Set("X", "1") }), signature, twiliosms.ErrSignature},
		{"with a repeated parameter", "m1", path, form(func(f url.Values) { f.Add("MessageStatus", "delivered") }), signature, twiliosms.ErrSignature},
		{"with a host for a path", "m1", "@evil.example/m1", good, twiliosim.Sign(token, public+"@evil.example/m1", good), twiliosms.ErrSignature},
		{"without a status", "m1", path, form(func(f url.Values) { f.Del("MessageStatus") }), "sign", twiliosms.ErrUnreadable},
		{"without a SID", "m1", path, form(func(f url.Values) { f.Del("MessageSid") }), "sign", twiliosms.ErrUnreadable},
		{"with a code that is no number", "m1", path, form(func(f url.Values) { f.Set("ErrorCode", "x") }), "sign", twiliosms.ErrUnreadable},
	} {
		t.Run(c.name, func(t *testing.T) {
			callbacks, err := twiliosms.NewCallbacks(token, public)
			if err != nil {
				t.Fatal(err)
			}
			if c.signature == "sign" {
				c.signature = twiliosim.Sign(token, public+c.path, c.form)
			}
			d, err := callbacks.Delivery(c.id, c.path, c.form, c.signature)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("got %v", err)
			}
			want := sms.Delivery{}
			if c.want == nil {
				want = sms.Delivery{MessageID: "m1", Receipt: sms.Receipt{SID: "SM1", Status: sms.Undelivered, ErrorCode: 30003}}
			}
			if d != want {
				t.Errorf("got %+v", d)
			}
		})
	}
}

func TestCallbacksWithoutATokenOrAnAddressAreRefused(t *testing.T) {
	for _, token := range []string{"", " ", "x\n"} {
		if _, err := twiliosms.NewCallbacks(token, public); !errors.Is(err, twiliosms.ErrToken) {
			t.Errorf("%q: %v", token, err)
		}
	}
	for _, address := range []string{"", "pay.example", "ftp://pay.example", "https://pay.example/x", "https://pay.example?x", "https://user:secret@pay.example"} {
		if _, err := twiliosms.NewCallbacks(token, address); !errors.Is(err, twiliosms.ErrPublicURL) {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestWhatPeopleTextBack(t *testing.T) {
	callbacks, err := twiliosms.NewCallbacks(token, public)
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]sms.Word{
		"STOP": sms.Stop, "stop": sms.Stop, " Stop. ": sms.Stop, "STOPALL": sms.Stop, "stop all": sms.Stop, "Unsubscribe": sms.Stop,
		"CANCEL": sms.Stop, "END": sms.Stop, "QUIT": sms.Stop, "REVOKE": sms.Stop, "OPTOUT": sms.Stop, "opt-out": sms.Stop,
		"“stop”": sms.Stop, "ALTO": sms.Stop, "¡Alto!": sms.Stop, "parar": sms.Stop,
		"START": sms.Start, "unstop": sms.Start, "Yes": sms.Start, "HELP": sms.Help, "help?": sms.Help, "INFO": sms.Help, "ayuda": sms.Help,
		"": sms.Other, "stop by tomorrow": sms.Other, "please stop": sms.Other, "yes please": sms.Other, "Stopp": sms.Other,
	} {
		form := url.Values{"From": {dana}, "To": {from}, "Body": {body}, "MessageSid": {"SM1"}}
		r, err := callbacks.Reply("/hooks/twilio/reply", form, twiliosim.Sign(token, public+"/hooks/twilio/reply", form))
		if err != nil || r.Word != want || r.From != phone.Stored(dana) {
			t.Errorf("%q: %+v, %v", body, r, err)
		}
	}
	form := url.Values{"From": {dana}, "Body": {"Bitte nicht mehr"}, "OptOutType": {"STOP"}} // a word that the account's own settings know
	if r, err := callbacks.Reply("/r", form, twiliosim.Sign(token, public+"/r", form)); err != nil || r.Word != sms.Stop {
		t.Errorf("%+v, %v", r, err)
	}
	form.Add("From", "+18045550143")
	if _, err := callbacks.Reply("/r", form, twiliosim.Sign(token, public+"/r", form)); !errors.Is(err, twiliosms.ErrSignature) {
		t.Errorf("a second sender: %v", err)
	}
	form = url.Values{"From": {"anonymous"}, "Body": {"STOP"}}
	if _, err := callbacks.Reply("/r", form, twiliosim.Sign(token, public+"/r", form)); !errors.Is(err, twiliosms.ErrUnreadable) {
		t.Errorf("a sender that is no number: %v", err)
	}
}

// What the simulator sends over HTTP can be read: every state of a text, and a reply.
func TestCallbacksAsTheyCome(t *testing.T) {
	type got struct {
		delivery sms.Delivery
		reply    sms.Reply
		err      error
	}
	came := make(chan got, 20)
	var callbacks *twiliosms.Callbacks
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, err := url.ParseQuery(string(body))
		if err != nil {
			t.Error(err)
		}
		g := got{}
		if id, ok := strings.CutPrefix(r.URL.Path, "/hooks/twilio/status/"); ok {
			g.delivery, g.err = callbacks.Delivery(id, r.URL.RequestURI(), form, r.Header.Get("X-Twilio-Signature"))
		} else {
			g.reply, g.err = callbacks.Reply(r.URL.RequestURI(), form, r.Header.Get("X-Twilio-Signature"))
		}
		came <- g
	}))
	defer hook.Close()
	var err error
	if callbacks, err = twiliosms.NewCallbacks(token, hook.URL); err != nil {
		t.Fatal(err)
	}
	b := start(t, func(c *twiliosim.Config) { c.InboundURL = hook.URL + "/hooks/twilio/reply" })
	next := func() got {
		t.Helper()
		select {
		case g := <-came:
			if g.err != nil {
				t.Fatal(g.err)
			}
			return g
		case <-time.After(10 * time.Second):
			t.Fatal("no callback came")
		}
		return got{}
	}
	m := text("+18045550191")
	m.Callback = hook.URL + "/hooks/twilio/status/0196b2a4"
	sent, err := b.carrier(nil).Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []sms.Receipt{{SID: sent.SID, Status: sms.Sent}, {SID: sent.SID, Status: sms.Undelivered, ErrorCode: 30003}} {
		if d := next().delivery; d != (sms.Delivery{MessageID: "0196b2a4", Receipt: want}) {
			t.Errorf("want %+v, got %+v", want, d)
		}
	}
	b.sim.Reply(dana, "Stop")
	if r := next().reply; r.Word != sms.Stop || r.From != phone.Stored(dana) {
		t.Errorf("got %+v", r)
	}
}

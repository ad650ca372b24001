package signin_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paylink/internal/desk/signin"
	"paylink/internal/signon"
	"paylink/internal/staff"
	"paylink/internal/testbed"
)

// company gives the desk a company with a provider of its own.
func (b *bench) company() *testbed.Provider {
	b.Helper()
	p := testbed.NewProvider(b, b.clock)
	b.desk.Company = signon.New(signon.Config{
		Issuer: p.URL, ClientID: p.ClientID, ClientSecret: p.ClientSecret, Redirect: "https://desk.example/plus/sign-on", Timeout: 5 * time.Second, Now: b.clock,
	})
	return p
}

// asks begins a sign-in, and returns what the browser keeps and the state that comes back.
func (b *bench) asks() (to string, kept []byte, state string) {
	b.Helper()
	to, kept, err := b.desk.BeginCompany(b.ctx, here)
	b.must(err)
	u, err := url.Parse(to)
	b.must(err)
	return to, kept, u.Query().Get("state")
}

func (b *bench) returns(kept []byte, r signin.Returned) (staff.Member, error) {
	return b.desk.ByCompany(b.ctx, kept, r, here)
}

// whole is the whole way of somebody of whom the provider says something.
func (b *bench) whole(p *testbed.Provider, claims map[string]any) (staff.Member, error) {
	b.Helper()
	to, kept, state := b.asks()
	return b.returns(kept, signin.Returned{State: state, Code: p.SignIn(b, to, claims)})
}

func (b *bench) disable(id string) {
	b.Helper()
	_, err := b.raw.ExecContext(b.ctx, `UPDATE staff SET disabled = 1 WHERE id = $1`, id)
	b.must(err)
}

func says(subject, email string, verified any) map[string]any {
	return map[string]any{"sub": subject, "email": email, "email_verified": verified}
}

func TestACompanyAccountIsLinkedOnceByAVerifiedAddress(t *testing.T) {
	onBoth(t, func(b *bench) {
		p := b.company()
		to, kept, _ := b.asks()
		q, err := url.ParseQuery(to[strings.Index(to, "?")+1:])
		b.must(err)
		var held struct{ Verifier string }
		b.must(json.Unmarshal(kept, &held))
		if q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || len(q.Get("state")) < 40 || len(q.Get("nonce")) < 40 || q.Get("redirect_uri") != "https://desk.example/plus/sign-on" ||
			strings.Contains(to, p.ClientSecret) || held.Verifier == "" || strings.Contains(to, held.Verifier) || len(q.Get("code_challenge")) != 43 {
			b.Errorf("a browser is sent to %s", to)
		}
		for why, claims := range map[string]map[string]any{
			"an address that nobody has":    says("s9", "nobody@interlane.example", true),
			"one that is not verified":      says("s9", "agent@interlane.example", false),
			"one that is verified by words": says("s9", "agent@interlane.example", "maybe"),
			"no address":                    {"sub": "s9"},
		} {
			if _, err := b.whole(p, claims); err == nil {
				b.Errorf("somebody is in with %s", why)
			} else {
				b.is(err, signin.ErrNoAccount)
			}
		}
		m, err := b.whole(p, says("s1", " Agent@Interlane.example", "true"))
		b.must(err)
		if m.ID != "staff-agent" {
			b.Errorf("%s is in", m.ID)
		}
		// From now on the account counts, whatever its address is.
		m, err = b.whole(p, says("s1", "lead@interlane.example", true))
		b.must(err)
		if m.ID != "staff-agent" {
			b.Errorf("%s is in", m.ID)
		}
		_, err = b.whole(p, says("s2", "agent@interlane.example", true)) // who has the address now is not who had it
		b.is(err, signin.ErrNoAccount)
		b.setUp(b.as(staff.Agent))
		_, err = b.whole(p, says("s1", "", nil)) // the provider answers for the second factor
		b.must(err)
		b.disable("staff-agent")
		_, err = b.whole(p, says("s1", "agent@interlane.example", true))
		b.is(err, signin.ErrNoAccount)
		b.disable("staff-lead")
		_, err = b.whole(p, says("s3", "lead@interlane.example", true))
		b.is(err, signin.ErrNoAccount)
		if n := len(b.read(`SELECT subject FROM sign_on`)); n != 1 {
			b.Errorf("%d accounts are linked", n)
		}
		if got := b.acts("staff-agent"); strings.Count(got, "link company account||") != 1 || strings.Count(got, "sign in||by company account") != 3 || !strings.Contains(got, "the person is disabled") || !strings.Contains(got, "another company account is linked") {
			b.Errorf("the trail says\n%s", got)
		}
		if got := b.acts(""); !strings.Contains(got, "nobody has the e-mail address nobody@interlane.example") {
			b.Errorf("the trail says\n%s", got)
		}
		if n := len(b.read(`SELECT id FROM staff`)); n != len(staff.Roles()) {
			b.Errorf("there are %d people now", n)
		}
	})
}

func TestTheAddressMayStandInTheProvidersOtherAnswer(t *testing.T) {
	b := start(t)
	p := b.company()
	p.Info = map[string]any{"sub": "s1", "email": "agent@interlane.example", "email_verified": true}
	m, err := b.whole(p, map[string]any{"sub": "s1"})
	b.must(err)
	if m.ID != "staff-agent" {
		t.Errorf("%s is in", m.ID)
	}
	p.Set(func(p *testbed.Provider) {
		p.Info = map[string]any{"sub": "s1", "email": "lead@interlane.example", "email_verified": true}
	})
	_, err = b.whole(p, map[string]any{"sub": "somebody else"})
	b.is(err, signin.ErrNoAccount)
}

func TestATokenThatIsNotForThisSignInIsRefused(t *testing.T) {
	b := start(t)
	p := b.company()
	stranger := testbed.NewProvider(t, b.clock)
	me := says("s1", "agent@interlane.example", true)
	for name, change := range map[string]func(header, claims map[string]any){
		"with another nonce":                func(_, c map[string]any) { c["nonce"] = "another" },
		"without a nonce":                   func(_, c map[string]any) { delete(c, "nonce") },
		"for another client":                func(_, c map[string]any) { c["aud"] = "another" },
		"for us, given to another client":   func(_, c map[string]any) { c["aud"], c["azp"] = []string{p.ClientID, "another"}, "another" },
		"of another issuer":                 func(_, c map[string]any) { c["iss"] = stranger.URL },
		"that has expired":                  func(_, c map[string]any) { c["exp"] = b.clock().Add(-time.Minute).Unix() },
		"that was made an hour ago":         func(_, c map[string]any) { c["iat"] = b.clock().Add(-time.Hour).Unix() },
		"that will be made in an hour":      func(_, c map[string]any) { c["iat"] = b.clock().Add(time.Hour).Unix() },
		"that nobody signed":                func(h, _ map[string]any) { h["alg"] = "none" },
		"signed by a secret that we share":  func(h, _ map[string]any) { h["alg"] = "HS256" },
		"signed by a key that is not there": func(h, _ map[string]any) { h["kid"] = "2" },
		"about nobody":                      func(_, c map[string]any) { delete(c, "sub") },
	} {
		p.Set(func(p *testbed.Provider) { p.Token = change })
		if _, err := b.whole(p, me); err == nil {
			t.Errorf("somebody is in by a token %s", name)
		} else {
			b.is(err, signin.ErrRefused)
		}
		b.pass(15 * time.Minute) // else one address has tried too often
	}
	p.Set(func(p *testbed.Provider) { p.Token = nil })
	_, err := b.whole(p, me)
	b.must(err)
}

func TestWhatComesBackIsGoodOnceInTheBrowserThatAsked(t *testing.T) {
	b := start(t)
	p := b.company()
	me := says("s1", "agent@interlane.example", true)
	to, kept, state := b.asks()
	code := p.SignIn(t, to, me)
	_, otherKept, otherState := b.asks()
	for name, try := range map[string]func() error{
		"with another's state": func() error { _, err := b.returns(kept, signin.Returned{State: otherState, Code: code}); return err },
		"with no state":        func() error { _, err := b.returns(kept, signin.Returned{Code: code}); return err },
		"in another browser":   func() error { _, err := b.returns(nil, signin.Returned{State: state, Code: code}); return err },
		"with none kept":       func() error { _, err := b.returns([]byte(`{}`), signin.Returned{Code: code}); return err },
	} {
		if err := try(); err == nil {
			t.Errorf("somebody is in %s", name)
		} else {
			b.is(err, signin.ErrOver)
		}
	}
	_, err := b.returns(otherKept, signin.Returned{State: otherState, Code: code}) // a code that was stolen from the first
	b.is(err, signin.ErrRefused)
	code = p.SignIn(t, to, me)
	var in atomic.Int64
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := b.returns(kept, signin.Returned{State: state, Code: code, Issuer: p.URL}); err == nil {
				in.Add(1)
			}
		})
	}
	wg.Wait()
	if in.Load() != 1 {
		t.Errorf("it was good %d times", in.Load())
	}
	to, kept, state = b.asks()
	_, err = b.returns(kept, signin.Returned{State: state, Code: p.SignIn(t, to, me), Issuer: "https://another.example"})
	b.is(err, signin.ErrRefused)
	to, kept, state = b.asks()
	b.pass(10 * time.Minute)
	_, err = b.returns(kept, signin.Returned{State: state, Code: p.SignIn(t, to, me)})
	b.is(err, signin.ErrOver)
}

func TestWhatTheProviderRefusesIsToldWithoutItsWords(t *testing.T) {
	b := start(t)
	p := b.company()
	for given, kept := range map[string]string{"access_denied": "access_denied", "<script>": "another error", "server_error": "server_error"} {
		_, session, state := b.asks()
		_, err := b.returns(session, signin.Returned{State: state, Error: given})
		b.is(err, signin.ErrRefused)
		if got := b.acts(""); !strings.Contains(got, "by company account, from "+here+": "+kept) || strings.Contains(got, "<script>") {
			t.Errorf("the trail says\n%s", got)
		}
	}
	_, session, state := b.asks()
	_, err := b.returns(session, signin.Returned{State: state, Code: "invented"})
	b.is(err, signin.ErrRefused)
	p.Set(func(p *testbed.Provider) { p.ClientSecret = "changed there" })
	_, err = b.whole(p, says("s1", "agent@interlane.example", true))
	b.is(err, signin.ErrRefused)
}

func TestAProviderThatIsDownKeepsNobodyOutForLong(t *testing.T) {
	b := start(t)
	p := b.company()
	p.Set(func(p *testbed.Provider) { p.Down = true })
	_, _, err := b.desk.BeginCompany(b.ctx, here)
	b.is(err, signin.ErrProvider)
	b.expect("in", "agent", "interlane-demo", here)
	p.Set(func(p *testbed.Provider) { p.Down = false })
	_, _, err = b.desk.BeginCompany(b.ctx, here) // nobody waits for it just now
	b.is(err, signin.ErrProvider)
	b.pass(5 * time.Second)
	to, kept, state := b.asks()
	code := p.SignIn(t, to, says("s1", "agent@interlane.example", true))
	p.Set(func(p *testbed.Provider) { p.Down = true })
	_, err = b.returns(kept, signin.Returned{State: state, Code: code})
	b.is(err, signin.ErrProvider)
	p.Set(func(p *testbed.Provider) { p.Down = false })
	_, err = b.whole(p, says("s1", "agent@interlane.example", true))
	b.must(err)
}

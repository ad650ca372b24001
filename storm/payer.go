package main

import (
	"context"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// payer is one phone with the link.
type payer struct {
	c       *crowd
	b       *browser
	luck    *mathrand.Rand
	payment string
	number  string
	token   string // that its session was opened with

	session int  // number of the session; another link opens another one
	muddled bool // of one of its presses nobody knows what became: later answers may speak of that one
}

// page is what the payer's page tells its script.
type page struct {
	Terms         string `json:"terms"`
	Nonce         string `json:"nonce"`
	StripeAccount string `json:"stripeAccount"`
	Attempt       string `json:"attempt"`
}

// answer is what /pay/charge, /pay/continue and /pay/status say.
type answer struct {
	State        string `json:"state"`
	Nonce        string `json:"nonce"`
	ClientSecret string `json:"client_secret"`
	Attempt      string `json:"attempt"`
	Reason       string `json:"reason"`
}

// visit opens the link, presses when everybody presses, and goes on as people do until there is nothing left to do or to wait for.
func (p *payer) visit(ctx context.Context, storm <-chan struct{}, atOnce func()) {
	var once sync.Once
	defer once.Do(atOnce) // whoever never comes to the button must not keep the others from it
	p.session = int(p.c.phone.Add(1))
	if !p.open(ctx, storm) {
		return
	}
	cards := 1 + p.luck.IntN(3) // how many the payer has the patience for
	for cards > 0 && ctx.Err() == nil {
		view := p.page(ctx)
		if view.Nonce == "" {
			once.Do(atOnce)
			if !p.follow(ctx, storm) && !p.newer(ctx, storm) {
				break
			}
			cards--
			continue
		}
		pm, err := p.c.w.enterCard(ctx, drawCard(p.luck), view.StripeAccount)
		if err != nil {
			p.c.said.add("payer: Stripe.js failed", 1)
			once.Do(atOnce)
			return
		}
		once.Do(atOnce)
		if p.luck.IntN(2) == 0 {
			wait(ctx, time.Duration(p.luck.IntN(300))*time.Millisecond)
		}
		if !p.press(ctx, storm, view, pm) && !p.newer(ctx, storm) {
			break
		}
		cards--
	}
	if p.luck.IntN(60) == 0 {
		p.c.note("payer says not mine", p.b, ctx, "/pay/not-mine", url.Values{"nonce": {p.nonce(ctx)}})
	}
	p.look(ctx)
}

func (p *payer) nonce(ctx context.Context) string {
	return p.page(ctx).Nonce
}

// newer opens the link of a newer text, if this one was replaced.
func (p *payer) newer(ctx context.Context, storm <-chan struct{}) bool {
	a, ok := p.look(ctx)
	if !ok || a.Reason != "replaced" {
		return false
	}
	for range 20 {
		if token, ok := p.c.texts.newest(p.number, 0); ok && token != p.token {
			p.token, p.session, p.muddled = token, int(p.c.phone.Add(1)), false
			return p.open(ctx, storm)
		}
		pause(ctx, storm, 250*time.Millisecond)
	}
	return false
}

// open exchanges the token for a session, again and again while the door does not answer.
func (p *payer) open(ctx context.Context, storm <-chan struct{}) bool {
	for range 40 {
		if ctx.Err() != nil {
			return false
		}
		got, err := p.b.json(ctx, "/pay/open", map[string]string{"token": p.token})
		switch {
		case err == nil && got.status == http.StatusNoContent:
			return true
		case err == nil && got.status < 500:
			p.c.said.add(fmt.Sprintf("payer: opening was answered %d", got.status), 1)
			return false
		}
		p.c.said.add("payer: the link did not open", 1)
		pause(ctx, storm, 400*time.Millisecond)
	}
	return false
}

// pause waits; after the storm half as long.
func pause(ctx context.Context, storm <-chan struct{}, d time.Duration) {
	select {
	case <-storm:
		d /= 2
	default:
	}
	wait(ctx, d)
}

// page reads /pay. Without a nonce there is nothing to press.
func (p *payer) page(ctx context.Context) page {
	var view page
	got, err := p.b.get(ctx, "/pay")
	if err != nil {
		return view
	}
	if found := config.FindSubmatch(got.body); got.status == http.StatusOK && found != nil {
		if err := json.Unmarshal(found[1], &view); err != nil {
			p.c.said.add("payer: a page without sense", 1)
		}
		if view.Attempt != "" { // in the middle of 3-D Secure
			view.Nonce = ""
		}
	}
	return view
}

// press sends the charge, once or twice, or goes away in the middle of it. It says whether the payer goes on.
func (p *payer) press(ctx context.Context, storm <-chan struct{}, view page, pm string) bool {
	try := p.c.history.press(p.payment, p.session, pm)
	muddled := p.muddled
	p.muddled = true // until its outcome is known
	body := map[string]string{"payment_method": pm, "terms": view.Terms, "nonce": view.Nonce}
	n := p.luck.IntN(100)
	switch {
	case n < 10: // the payer goes away, the tab is killed, the phone is offline
		hurried, cancel := context.WithTimeout(ctx, time.Duration(5+p.luck.IntN(400))*time.Millisecond)
		got, err := p.b.json(hurried, "/pay/charge", body)
		cancel()
		if err != nil {
			try.lost()
			p.c.said.add("payer: went away", 1)
			pause(ctx, storm, time.Duration(500+p.luck.IntN(3000))*time.Millisecond)
			return true // and comes back
		}
		return p.heard(ctx, storm, try, got, muddled)
	case n < 25: // a double tap
		second := make(chan struct{})
		go func() {
			defer close(second)
			got, err := p.b.json(ctx, "/pay/charge", body)
			if err != nil {
				try.lost()
				return
			}
			p.tell(try, got, muddled)
		}()
		got, err := p.b.json(ctx, "/pay/charge", body)
		<-second
		if err != nil {
			try.lost()
			p.c.said.add("payer: no answer to the charge", 1)
			return true
		}
		return p.heard(ctx, storm, try, got, muddled)
	}
	got, err := p.b.json(ctx, "/pay/charge", body)
	if err != nil {
		try.lost()
		p.c.said.add("payer: no answer to the charge", 1)
		pause(ctx, storm, 500*time.Millisecond)
		return true
	}
	return p.heard(ctx, storm, try, got, muddled)
}

// tell writes an answer to a press down: into the history, and what it says of the money.
func (p *payer) tell(try *attempt, got said, muddled bool) answer {
	var a answer
	_ = json.Unmarshal(got.body, &a) // what is no document says nothing
	p.c.said.add(fmt.Sprintf("charge: %d %s", got.status, a.State), 1)
	p.c.history.answered(try, got.status, a, muddled)
	if !muddled && (a.State == "paid" && got.status == http.StatusOK || a.State == "declined" && got.status == http.StatusPaymentRequired) {
		p.c.mu.Lock()
		p.c.told[try.method] = a.State
		p.c.mu.Unlock()
	}
	return a
}

// heard goes on after an answer to a press. It says whether the payer may press again.
func (p *payer) heard(ctx context.Context, storm <-chan struct{}, try *attempt, got said, muddled bool) bool {
	a := p.tell(try, got, muddled)
	if got.status < http.StatusInternalServerError {
		p.muddled = muddled // from here on nothing is pressed before this attempt has ended
	}
	switch {
	case a.State == "paid" && got.status == http.StatusOK:
		if p.luck.IntN(5) == 0 {
			p.c.note("payer wants the receipt", p.b, ctx, "/pay/receipt", url.Values{})
		}
		return false
	case a.State == "declined" && got.status == http.StatusPaymentRequired:
		return true
	case a.State == "needs_action" && got.status == http.StatusOK:
		return p.challenge(ctx, storm, try, a, muddled)
	case a.State == "unknown" && got.status == http.StatusAccepted:
		return p.follow(ctx, storm)
	case got.status == http.StatusConflict || got.status == http.StatusAccepted:
		return p.follow(ctx, storm)
	case got.status == http.StatusUnprocessableEntity:
		return true
	case got.status >= 500 || got.status == http.StatusTooManyRequests:
		pause(ctx, storm, 500*time.Millisecond)
		return true
	}
	return false
}

// challenge is 3-D Secure: passed, failed, or the payer is gone.
func (p *payer) challenge(ctx context.Context, storm <-chan struct{}, try *attempt, a answer, muddled bool) bool {
	intent, _, _ := strings.Cut(a.ClientSecret, "_secret_")
	outcome := "complete"
	switch n := p.luck.IntN(100); {
	case n < 15:
		outcome = "fail"
	case n < 27:
		p.c.said.add("payer: left during 3-D Secure", 1)
		pause(ctx, storm, time.Duration(p.luck.IntN(2000))*time.Millisecond)
		return p.luck.IntN(2) == 0 // half of them come back to the page
	}
	if _, err := p.c.w.stripeJS(ctx, "/v3/challenge/"+intent, url.Values{"client_secret": {a.ClientSecret}, "outcome": {outcome}}); err != nil {
		p.c.said.add("payer: the bank's page failed", 1)
	}
	for range 12 {
		got, err := p.b.json(ctx, "/pay/continue", map[string]string{"attempt": a.Attempt})
		if err == nil && got.status < 500 {
			var next answer
			_ = json.Unmarshal(got.body, &next) // what is no document says nothing
			if next.State != "needs_action" {
				return p.heard(ctx, storm, try, got, muddled)
			}
			p.tell(try, got, muddled)
		}
		pause(ctx, storm, 400*time.Millisecond)
	}
	return false
}

// follow asks /pay/status as the page does, until it can say something new. It says whether the payer may press again.
func (p *payer) follow(ctx context.Context, storm <-chan struct{}) bool {
	for n := range 60 {
		a, ok := p.look(ctx)
		if ok {
			switch a.State {
			case "open":
				return true
			case "paid", "closed":
				return false
			}
		}
		if n > 4 && a.State == "needs_action" && p.luck.IntN(6) == 0 {
			return false // the payer has had enough
		}
		select {
		case <-storm:
			if n > 20 {
				return false // what is left is told by the books
			}
		default:
		}
		pause(ctx, storm, 500*time.Millisecond)
	}
	return false
}

// look reads the status once and writes it down.
func (p *payer) look(ctx context.Context) (answer, bool) {
	var a answer
	call := p.c.history.now()
	got, err := p.b.get(ctx, "/pay/status")
	if err != nil || got.status != http.StatusOK {
		return a, false
	}
	if err := json.Unmarshal(got.body, &a); err != nil {
		return a, false
	}
	p.c.history.read(p.payment, p.session, call, a)
	return a, true
}

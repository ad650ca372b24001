package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/demo"
	"paylink/internal/ledger"
	"paylink/internal/money"
	"paylink/internal/phone"
	"paylink/internal/sqldb"
)

// car is a vehicle that is paid for again and again, and the number that its texts go to, which no other vehicle has.
type car struct {
	client, vehicle, location string
	number                    string // E.164
	own                       bool   // it is the client's own number
	paidTo                    day.Date
}

// areas are area codes; with 555-0101 to 555-0179 they make the numbers that are kept for fiction, less those that mean trouble to the simulated carrier.
var areas = []string{"804", "703", "757", "540", "434", "571", "276", "202", "212", "213", "214", "215", "216", "217", "218", "301", "302", "303", "304", "305"}

const numbersOfArea = 74 // up to 555-0174

// settlers are the invented clients, as many as there are numbers for.
func settlers(n int, now time.Time) (sqldb.Import, []car) {
	in := demo.Data(now)
	var cars []car
	firsts, lasts := []string{"Dana", "Marcus", "Omar", "Hal", "Ines", "Rita", "Gene"}, []string{"Whitfield", "Bell", "Haddad", "Brandt", "Moreau", "Kowalski", "Abernathy", "Nakamura"}
	var where []account.Location
	for _, l := range in.Locations {
		if l.Payments == account.Configured {
			where = append(where, l)
		}
	}
	n = min(n, len(areas)*numbersOfArea-100)
	for i := range n {
		// The demonstration's own people have 804 555-0142 to 0151.
		number := fmt.Sprintf("+1%s55501%02d", areas[1+i%(len(areas)-1)], 1+i/(len(areas)-1))
		l := where[i%len(where)]
		id := strconv.Itoa(300_000 + i)
		paidTo := l.Today(now).AddDays(5) // paid ahead, so that midnight moves no total
		c := car{client: id, vehicle: "veh_storm_" + id, location: l.ID, number: number, own: true, paidTo: paidTo}
		if i%7 == 6 { // the second vehicle of the client before, texted to somebody else, with the same past due
			c.client, c.own = strconv.Itoa(300_000+i-1), false
		} else {
			language := "en"
			if i%5 == 0 {
				language = "es"
			}
			in.Clients = append(in.Clients, account.Client{
				ID: id, FirstName: firsts[i%len(firsts)], LastName: lasts[i%len(lasts)], Language: language, Email: id + "@clients.interlane.example", Phone: phone.Stored(number),
			})
			if i%3 == 0 {
				in.Entries = append(in.Entries, ledger.Open("entry-storm-"+id, id, money.Cents(1_000+i), 0, now))
			}
			if i%11 == 1 {
				in.Entries = append(in.Entries, ledger.Open("entry-storm-"+id, id, 0, 1_500, now))
			}
		}
		in.Vehicles = append(in.Vehicles, account.Vehicle{
			ID: c.vehicle, ClientID: c.client, LocationID: l.ID, Label: "2016 Honda Civic", Plate: fmt.Sprintf("STM-%04d", i), PlateState: l.State, Program: account.IID,
			DailyRate: money.Cents(200 + i%150), LossProtectionDaily: money.Cents(i % 2 * 16), PaidTo: paidTo,
		})
		cars = append(cars, c)
	}
	return in, cars
}

// settle moves everybody in.
func (w *town) settle(ctx context.Context, n int) ([]car, error) {
	in, cars := settlers(n, time.Now())
	db, err := sqldb.Open(ctx, sqldb.Config{URL: w.postgres.url, Now: time.Now, DatabaseClock: true, Keys: w.keys, NewID: func() string { return uuid.Must(uuid.NewV7()).String() }, MaxConns: 2, Changed: func(string) {}})
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	if err := db.Import(ctx, in); err != nil {
		return nil, err
	}
	for _, m := range demo.Staff() {
		if err := db.AddMember(ctx, m); err != nil {
			return nil, err
		}
	}
	return cars, nil
}

// --- Browsers -------------------------------------------------------------------------------------------------------------------------------

// browser keeps cookies, follows no redirect, and speaks to whichever service the balancer chooses.
type browser struct {
	w    *town
	from string // network address, as the balancer tells it
	mu   sync.Mutex
	jar  map[string]string
}

func (w *town) browser(n int) *browser {
	return &browser{w: w, from: fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255), jar: map[string]string{}}
}

// said is an answer.
type said struct {
	status int
	header http.Header
	body   []byte
}

const patience = 25 * time.Second // of a browser

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

func (b *browser) get(ctx context.Context, path string) (said, error) {
	return b.do(ctx, http.MethodGet, path, "", "")
}

func (b *browser) form(ctx context.Context, path string, form url.Values) (said, error) {
	return b.do(ctx, http.MethodPost, path, formType, form.Encode())
}

func (b *browser) json(ctx context.Context, path string, v any) (said, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return said{}, err
	}
	return b.do(ctx, http.MethodPost, path, jsonType, string(body))
}

func (b *browser) do(ctx context.Context, method, path, kind, body string) (said, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, b.w.base+path, strings.NewReader(body))
	if err != nil {
		return said{}, err
	}
	r.GetBody = nil // what is sent is sent once: nobody presses twice but the payer
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("X-Forwarded-For", b.from)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	b.mu.Lock()
	for name, value := range b.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	b.mu.Unlock()
	answer, err := b.w.balancer.RoundTrip(r)
	if err != nil {
		return said{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return said{}, err
	}
	b.mu.Lock()
	for _, c := range answer.Cookies() {
		if c.MaxAge < 0 {
			delete(b.jar, c.Name)
		} else {
			b.jar[c.Name] = c.Value
		}
	}
	b.mu.Unlock()
	return said{answer.StatusCode, answer.Header, text}, nil
}

// stripe is a browser's own request to Stripe, with the publishable key.
func (w *town) stripeJS(ctx context.Context, path string, form url.Values) (map[string]any, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.stripeAt+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", formType)
	r.Header.Set("Authorization", "Bearer "+stripePublishable)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	var out map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&out); err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer to Stripe.js is %d", answer.StatusCode)
	}
	return out, nil
}

// Cards, and how often they are drawn, of 100. All are Stripe's test cards (stripe.com/docs/testing).
const (
	goodCard   = "4242424242424242"
	masterCard = "5555555555554444"
	noFunds    = "4000000000009995"
	declining  = "4000000000000002"
	secureCard = "4000002760003184"
	secureNo   = "4000008400001629" // declined after 3-D Secure
	amex       = "378282246310005"
)

var allCards = []string{goodCard, masterCard, noFunds, declining, secureCard, secureNo, amex}

func drawCard(luck *mathrand.Rand) string {
	switch n := luck.IntN(100); {
	case n < 45:
		return goodCard
	case n < 60:
		return masterCard
	case n < 70:
		return noFunds
	case n < 78:
		return declining
	case n < 94:
		return secureCard
	case n < 97:
		return secureNo
	}
	return amex
}

// enterCard does what Stripe.js does with a card: it becomes a PaymentMethod, of which only the id goes on to us.
func (w *town) enterCard(ctx context.Context, number, stripeAccount string) (string, error) {
	form := url.Values{
		"type": {"card"}, "card[number]": {number}, "card[exp_month]": {"12"}, "card[exp_year]": {"2040"}, "card[cvc]": {"123"}, "billing_details[address][postal_code]": {"23220"},
	}
	if stripeAccount != "" {
		form.Set("_stripe_account", stripeAccount)
	}
	made, err := w.stripeJS(ctx, "/v1/payment_methods", form)
	if err != nil {
		return "", err
	}
	id, _ := made["id"].(string)
	return id, nil
}

// --- The telephone network --------------------------------------------------------------------------------------------------------------------

// inboxes hold the texts that have arrived, by number.
type inboxes struct {
	mu     sync.Mutex
	tokens map[string][]string // oldest first
	all    []string            // every token ever texted
}

var tokenInText = regexp.MustCompile(`/p#([A-Z2-7]{26})`)

// run fills the inboxes with what the carrier has taken, until the context ends.
func (in *inboxes) run(ctx context.Context, w *town) {
	seen := 0
	for ctx.Err() == nil {
		messages := w.twilio.Messages() // none is ever deleted here
		in.mu.Lock()
		for ; seen < len(messages); seen++ {
			m := messages[seen]
			if found := tokenInText.FindStringSubmatch(m.Body); found != nil {
				in.tokens[m.To] = append(in.tokens[m.To], found[1])
				in.all = append(in.all, found[1])
			}
		}
		in.mu.Unlock()
		wait(ctx, 30*time.Millisecond)
	}
}

func (in *inboxes) count(number string) int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.tokens[number])
}

// newest returns the newest text's token, if more than so many have come.
func (in *inboxes) newest(number string, more int) (string, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	all := in.tokens[number]
	if len(all) <= more {
		return "", false
	}
	return all[len(all)-1], true
}

// wait waits for a while, or until the context ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// --- Everybody --------------------------------------------------------------------------------------------------------------------------------

// crowd is everybody who does something in the storm.
type crowd struct {
	w       *town
	texts   *inboxes
	history *history
	seed    uint64
	browser atomic.Int64 // number of browsers so far
	phone   atomic.Int64 // number of payers' sessions so far
	sent    atomic.Int64 // payments begun
	said    *tally       // what people were told
	agents  []*browser

	mu   sync.Mutex
	told map[string]string // by PaymentMethod: "paid" or "declined", the last definite word
}

func newCrowd(w *town, seed uint64) *crowd {
	return &crowd{w: w, texts: &inboxes{tokens: map[string][]string{}}, history: newHistory(), seed: seed, said: newTally(), told: map[string]string{}}
}

// signIn gets so many agents to their desks.
func (c *crowd) signIn(ctx context.Context, n int) error {
	for range n {
		b := c.w.browser(1<<20 + int(c.browser.Add(1)))
		answer, err := b.form(ctx, "/plus/", url.Values{"login": {"agent"}, "password": {demo.Password}, "back": {"/plus/"}})
		if err != nil {
			return err
		}
		if answer.status != http.StatusSeeOther {
			return fmt.Errorf("signing in was answered %d", answer.status)
		}
		c.agents = append(c.agents, b)
	}
	return nil
}

// rush has so many stories told at a time until the storm is over, and each to its end. No more than most payments are begun.
func (c *crowd) rush(ctx context.Context, storm <-chan struct{}, cars []car, workers, most int) {
	var next atomic.Int64
	var all sync.WaitGroup
	for n := range workers {
		all.Go(func() {
			luck := mathrand.New(mathrand.NewPCG(c.seed, uint64(n)+1000)) // #nosec G404 -- the storm's chance comes from its seed
			mine := cars[n*len(cars)/workers : (n+1)*len(cars)/workers]
			agent := c.agents[n%len(c.agents)]
			for i := 0; ; i++ {
				select {
				case <-storm:
					return
				case <-ctx.Done():
					return
				default:
				}
				if int(next.Add(1)) > most {
					return
				}
				c.story(ctx, storm, luck, agent, mine[i%len(mine)])
			}
		})
	}
	all.Wait()
}

var (
	shownField = regexp.MustCompile(`name="shown" value="(-?\d+)"`)
	keyField   = regexp.MustCompile(`name="key" value="([^"]+)"`)
	config     = regexp.MustCompile(`(?s)<script type="application/json" id="config"[^>]*>(.*?)</script>`)
)

// story is one link from the agent's quote to its end.
func (c *crowd) story(ctx context.Context, storm <-chan struct{}, luck *mathrand.Rand, agent *browser, v car) {
	before := c.texts.count(v.number)
	payment, ok := c.send(ctx, storm, luck, agent, v)
	if !ok {
		return
	}
	c.sent.Add(1)
	c.history.begin(payment)
	var acts sync.WaitGroup
	defer acts.Wait()
	done := make(chan struct{})
	defer close(done)
	if n := luck.IntN(100); n < 22 { // the agent does something while the payer pays
		pause := time.Duration(luck.IntN(6000)) * time.Millisecond
		acts.Go(func() {
			select {
			case <-time.After(pause):
			case <-done:
				return
			case <-ctx.Done():
				return
			}
			if n < 12 {
				c.note("agent resends", agent, ctx, "/plus/payments/"+payment+"/resend", url.Values{})
			} else {
				c.cancel(ctx, agent, payment)
			}
		})
	}
	token, ok := c.text(ctx, storm, v.number, before)
	if !ok {
		c.said.add("no text came", 1)
		return
	}
	phones := 1 + luck.IntN(3)
	together := make(chan struct{})
	var ready, paying sync.WaitGroup
	for range phones {
		p := &payer{c: c, b: c.w.browser(int(c.browser.Add(1))), payment: payment, token: token, number: v.number, luck: mathrand.New(mathrand.NewPCG(luck.Uint64(), 7))} // #nosec G404
		ready.Add(1)
		paying.Go(func() {
			p.visit(ctx, storm, func() { ready.Done(); <-together })
		})
	}
	go func() { ready.Wait(); close(together) }() // they press in one millisecond
	paying.Wait()
}

// text waits for the link to arrive.
func (c *crowd) text(ctx context.Context, storm <-chan struct{}, number string, before int) (string, bool) {
	deadline := time.Now().Add(75 * time.Second)
	for time.Now().Before(deadline) && ctx.Err() == nil {
		if token, ok := c.texts.newest(number, before); ok {
			return token, true
		}
		select {
		case <-storm:
			deadline = sooner(deadline, time.Now().Add(10*time.Second))
			wait(ctx, 50*time.Millisecond)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return "", false
}

func sooner(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// send quotes and sends, and does not rest until it knows what became of it. Whoever clicks twice sends the same form.
func (c *crowd) send(ctx context.Context, storm <-chan struct{}, luck *mathrand.Rand, agent *browser, v car) (payment string, ok bool) {
	days := []string{"14", "30"}[luck.IntN(2)]
	form := url.Values{"vehicle": {v.vehicle}, "days": {days}, "phone": {v.number}, "language": {"en"}, "tab": {"account"}}
	if !v.own {
		form.Set("consent", "1")
		form.Set("payer", "A neighbour")
	}
	path := "/plus/clients/" + v.client
	deadline := time.Now().Add(60 * time.Second)
	tried := false // a form of ours may have been taken: only that one is sent again
	for ctx.Err() == nil && time.Now().Before(deadline) {
		if !tried {
			select {
			case <-storm:
				return "", false
			default:
			}
			page, err := agent.get(ctx, path+"?panel=send&vehicle="+v.vehicle+"&days="+days)
			shown, key := shownField.FindSubmatch(page.body), keyField.FindSubmatch(page.body)
			switch {
			case err != nil || page.status >= 500:
				c.said.add("agent: no summary", 1)
				wait(ctx, 300*time.Millisecond)
				continue
			case page.status != http.StatusOK || shown == nil || key == nil:
				c.said.add(fmt.Sprintf("agent: nothing to send (%d)", page.status), 1)
				return "", false // a live payment, or one that waits for a person
			}
			form.Set("shown", string(shown[1]))
			form.Set("key", string(key[1]))
		}
		tried = true
		if luck.IntN(10) == 0 {
			go func() { _, _ = agent.form(ctx, path+"/links", maps.Clone(form)) }() // a double click
		}
		answer, err := agent.form(ctx, path+"/links", form)
		switch {
		case err != nil || answer.status >= 500:
			c.said.add("agent: sending failed", 1)
			wait(ctx, 300*time.Millisecond)
		case answer.status == http.StatusSeeOther:
			to, err := url.Parse(answer.header.Get("Location"))
			if err != nil || to.Query().Get("payment") == "" {
				c.said.add("agent: sent, and led nowhere", 1)
				return "", false
			}
			return to.Query().Get("payment"), true
		default:
			c.said.add(fmt.Sprintf("agent: not sent (%d)", answer.status), 1)
			return "", false
		}
	}
	return "", false
}

func (c *crowd) cancel(ctx context.Context, agent *browser, payment string) {
	c.note("agent cancels", agent, ctx, "/plus/payments/"+payment+"/cancel", url.Values{"reason": {"The caller asked for it"}})
}

func (c *crowd) note(what string, b *browser, ctx context.Context, path string, form url.Values) {
	answer, err := b.form(ctx, path, form)
	if err != nil {
		c.said.add(what+": no answer", 1)
		return
	}
	c.said.add(fmt.Sprintf("%s: %d", what, answer.status), 1)
}

// closeAll has an agent cancel what is still payable when the day is over.
func (c *crowd) closeAll(ctx context.Context, payments []string) {
	var all sync.WaitGroup
	places := make(chan struct{}, 8)
	for n, id := range payments {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			for ctx.Err() == nil {
				answer, err := c.agents[n%len(c.agents)].form(ctx, "/plus/payments/"+id+"/cancel", url.Values{"reason": {"Another reason"}})
				if err == nil && answer.status < 500 {
					return
				}
				wait(ctx, 300*time.Millisecond)
			}
		})
	}
	all.Wait()
}

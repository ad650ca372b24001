package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"paylink/internal/day"
	"paylink/internal/link"
	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/quote"
	"paylink/internal/redisdb"
	"paylink/internal/sms"
	"paylink/internal/sqldb"
	"paylink/internal/trail"
)

// client is one invented client with one vehicle, and the live link that was sent for it, if any.
type client struct {
	n      int
	number string // E.164
	token  string // "" without a link
	cookie string // of the session that opened it
}

func (c client) id() string      { return fmt.Sprint(200_000 + c.n) }
func (c client) vehicle() string { return fmt.Sprintf("veh_bench_%d", c.n) }

// town is who takes part. Nobody is in two groups.
type town struct {
	payers []client // have a live link that was opened: they look and open again
	fresh  []client // have a live link that nobody has opened
	quoted []client
	sent   []client // a link is sent to each, once
	paying []client // send and pay, once
}

// atOnce is how many payers look at the same time, and how many links are live at the least.
const atOnce = 1000

// payWorkers is how many people send and pay at the same time. Texts are told apart by their numbers, of which there are more, taken in turn.
const (
	payWorkers = 16
	phones     = 79
)

func newTown(o options) town {
	var t town
	n := 0
	group := func(size int) []client {
		out := make([]client, size)
		for i := range out {
			// 555-0101 to 555-0179 in seven places: the numbers that are kept for fiction, less those that mean trouble to the simulated carrier.
			areas := []string{"804", "703", "757", "540", "434", "571", "276"}
			out[i] = client{n: n, number: fmt.Sprintf("+1%s55501%02d", areas[n/phones%len(areas)], n%phones+1)}
			n++
		}
		return out
	}
	t.payers, t.quoted = group(atOnce), group(1000)
	if !o.size {
		t.fresh, t.sent, t.paying = group(o.runs*500), group(o.runs*int(200*max(o.seconds, 1))), group(calibration+o.runs*150)
		for i := range t.paying {
			t.paying[i].number = fmt.Sprintf("+180455501%02d", 1+i%phones)
		}
	} else {
		t.sent = group(2 * o.runs * int(100*max(o.seconds, 1)))
	}
	return t
}

func (t *town) everybody() []client {
	var all []client
	for _, g := range [][]client{t.payers, t.fresh, t.quoted, t.sent, t.paying} {
		all = append(all, g...)
	}
	return all
}

const locationID, locationZone = "VA-BENCH", "America/New_York"

// move imports the town by `paylink import`, and adds the one who works there.
func (l *lab) move(ctx context.Context, t town, password string) error {
	type object map[string]any
	paidTo := day.Of(time.Now().UTC()).AddDays(5) // paid ahead, so that midnight moves no total
	var clients []object
	firsts, lasts := []string{"Dana", "Marcus", "Omar", "Hal", "Ines", "Rita", "Gene"}, []string{"Whitfield", "Bell", "Haddad", "Brandt", "Moreau", "Kowalski", "Abernathy", "Nakamura"}
	for _, c := range t.everybody() {
		clients = append(clients, object{
			"id": c.id(), "first_name": firsts[c.n%len(firsts)], "last_name": lasts[c.n%len(lasts)], "language": "en", "email": c.id() + "@clients.interlane.example", "phone": c.number,
			"past_due": 1_250, // an opening balance: every account has postings
			"vehicles": []object{{
				"id": c.vehicle(), "location": locationID, "label": "2016 Honda Civic", "plate": fmt.Sprintf("BNC-%05d", c.n), "plate_state": "VA", "program": "iid",
				"daily_rate": 310, "loss_protection_daily": 16, "paid_to": string(paidTo),
			}},
		})
	}
	file, err := json.Marshal(object{
		"locations": []object{{"id": locationID, "name": "Richmond, VA", "state": "VA", "time_zone": locationZone, "payments": "configured", "tax_ppm": 60_000, "loss_protection_taxable": true, "monitoring_cap_monthly": 9_500}},
		"clients":   clients,
	})
	if err != nil {
		return err
	}
	name := filepath.Join(l.dir, "town.json")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		return err
	}
	if err := l.command(ctx, "", "import", name); err != nil {
		return err
	}
	return l.command(ctx, password+"\n", "staff", "add", "-login", "bench", "-name", "B. Ortiz", "-role", "agent", "-team", "Team East", "-own")
}

// sendLinks sends a live link to everybody of a group by the real till and door; only the suppliers are left out, and the text counts as delivered.
func (l *lab) sendLinks(ctx context.Context, groups ...[]client) error {
	newID := func() string { return uuid.Must(uuid.NewV7()).String() }
	db, err := sqldb.Open(ctx, sqldb.Config{URL: l.database, Now: time.Now, DatabaseClock: true, Keys: l.keys, NewID: newID, MaxConns: 8, Changed: func(string) {}})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	door, err := redisdb.Open(ctx, redisdb.Config{URL: l.redisURL, Now: time.Now, LooksPerMinute: 60})
	if err != nil {
		return err
	}
	defer func() { _ = door.Close() }()
	send := func(ctx context.Context, c *client) error {
		till := pay.Machine{
			Store: db, NewID: newID, Life: linkLife, Wake: func() {}, Alarm: func(pay.Alarm) {},
			Token: func() string { c.token = rand.Text(); return c.token },
		}
		p, err := till.Send(ctx, pay.Order{
			ClientID: c.id(), VehicleID: c.vehicle(), FormKey: newID(), By: trail.Actor{Kind: trail.Staff, ID: "bench"}, Price: price,
			Link: link.Link{Phone: phone.Stored(c.number), OwnNumber: true, Language: "en", SentBy: "bench"},
		})
		if err != nil {
			return err
		}
		digest := link.NewToken(c.token).Digest()
		made, err := db.LinkOf(ctx, digest)
		if err != nil {
			return err
		}
		return door.Admit(ctx, digest, link.Pass{LinkID: made.ID, PaymentID: p.ID, ExpiresAt: made.ExpiresAt})
	}
	var jobs []func(context.Context) error
	for _, g := range groups {
		for i := range g {
			jobs = append(jobs, func(ctx context.Context) error { return send(ctx, &g[i]) })
		}
	}
	if _, err := once(ctx, 8, 5*time.Minute, jobs); err != nil {
		return err
	}
	if _, err := l.sql.Exec(ctx, `UPDATE messages SET status = $1, rank = $2, sid = 'SM' || id, box = '', handed_ms = created_ms, ended_ms = created_ms, next_ms = NULL`,
		string(sms.Delivered), sms.Delivered.Rank()); err != nil {
		return err
	}
	_, err = l.sql.Exec(ctx, `UPDATE payments SET intent_id = 'pi_bench_' || id`)
	return err
}

// price prices thirty days, as the agent's desk does.
func price(f pay.Facts) (pay.Frozen, error) {
	in := quote.Input{AsOf: f.Location.Today(f.Now), Days: 30, Location: f.Location, Vehicle: f.Vehicle, Account: f.Standing}
	s, err := quote.Price(in)
	return pay.Frozen{Input: in, Summary: s, Vehicle: f.Vehicle.Label, Location: f.Location.Name, Zone: f.Location.Zone}, err
}

// --- What people do by HTTP -----------------------------------------------------------------------------------------------------------------

// visitor speaks to the service as a browser does.
type visitor struct {
	base   string
	client *http.Client
	stripe string // base address
	agent  string // the cookie of who is signed in
}

// ask sends one request and reads the answer, whose status must be one of those that are right.
func (v *visitor) ask(ctx context.Context, method, path, body string, right []int, headers ...string) (*http.Response, string, error) {
	r, err := http.NewRequestWithContext(ctx, method, v.base+path, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	answer, err := v.client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, "", err
	}
	for _, status := range right {
		if answer.StatusCode == status {
			return answer, string(text), nil
		}
	}
	pattern, _, _ := strings.Cut(path, "?")
	return nil, "", fmt.Errorf("%s %s answered %s: %.300s", method, pattern, answer.Status, text)
}

func cookieOf(answer *http.Response, name string) (string, error) {
	for _, c := range answer.Cookies() {
		if c.Name == name && c.Value != "" {
			return name + "=" + c.Value, nil
		}
	}
	return "", fmt.Errorf("the answer has no cookie %s", name)
}

const (
	formType = "Content-Type: application/x-www-form-urlencoded"
	jsonType = "Content-Type: application/json"
	panel    = "X-Part: panel" // as plus.js asks
)

func (v *visitor) signIn(ctx context.Context, password string) error {
	form := url.Values{"login": {"bench"}, "password": {password}, "back": {"/plus/"}}.Encode()
	answer, _, err := v.ask(ctx, http.MethodPost, "/plus/", form, []int{http.StatusSeeOther}, formType)
	if err != nil {
		return err
	}
	v.agent, err = cookieOf(answer, "__Host-plus")
	return err
}

// open opens a link, and returns the session's cookie.
func (v *visitor) open(ctx context.Context, token, from string) (string, error) {
	answer, _, err := v.ask(ctx, http.MethodPost, "/pay/open", openBody(token), []int{http.StatusNoContent}, jsonType, "X-Forwarded-For: "+from)
	if err != nil {
		return "", err
	}
	return cookieOf(answer, "__Host-pay")
}

func openBody(token string) string { return `{"token":"` + token + `"}` }

// openAll has every payer of a group open their link.
func (v *visitor) openAll(ctx context.Context, group []client) error {
	jobs := make([]func(context.Context) error, len(group))
	for i := range group {
		jobs[i] = func(ctx context.Context) (err error) {
			group[i].cookie, err = v.open(ctx, group[i].token, somewhere(i))
			return err
		}
	}
	_, err := once(ctx, 8, 5*time.Minute, jobs)
	return err
}

func summaryPath(c client) string {
	return "/plus/clients/" + c.id() + "?panel=send&vehicle=" + c.vehicle() + "&days=30"
}

var shownField = regexp.MustCompile(`name="shown" value="(\d+)"`)

// shown is the total that a client's summary shows, in cents; it is the same for all.
func (v *visitor) shown(ctx context.Context, c client) (string, error) {
	_, text, err := v.ask(ctx, http.MethodGet, summaryPath(c), "", []int{http.StatusOK}, panel, "Cookie: "+v.agent)
	if err != nil {
		return "", err
	}
	found := shownField.FindStringSubmatch(text)
	if found == nil {
		return "", errors.New("the Invoice Summary has no form to send it")
	}
	return found[1], nil
}

// send presses Send Message.
func (v *visitor) send(ctx context.Context, c client, shown string) error {
	form := url.Values{"key": {rand.Text()}, "shown": {shown}, "vehicle": {c.vehicle()}, "days": {"30"}, "phone": {c.number}, "language": {"en"}, "tab": {"account"}}.Encode()
	_, _, err := v.ask(ctx, http.MethodPost, "/plus/clients/"+c.id()+"/links", form, []int{http.StatusOK, http.StatusSeeOther}, formType, panel, "Cookie: "+v.agent)
	return err
}

var (
	scriptConfig = regexp.MustCompile(`(?s)<script type="application/json" id="config"[^>]*>(.*?)</script>`)
	tokenInText  = regexp.MustCompile(`/p#([A-Z2-7]{26})`)
)

// sendAndPay is the main job from end to end: the agent sends, the text arrives, the payer opens, sees the page, and pays with a card.
func (v *visitor) sendAndPay(ctx context.Context, c client, shown string, inbox *texts) error {
	text, err := inbox.await(c.number)
	if err != nil {
		return err
	}
	if err := v.send(ctx, c, shown); err != nil {
		return err
	}
	var token string
	select {
	case body := <-text:
		found := tokenInText.FindStringSubmatch(body)
		if found == nil {
			return errors.New("the text holds no link")
		}
		token = found[1]
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(20 * time.Second):
		return errors.New("no text came within 20 s")
	}
	cookie, err := v.open(ctx, token, somewhere(c.n))
	if err != nil {
		return err
	}
	_, page, err := v.ask(ctx, http.MethodGet, "/pay", "", []int{http.StatusOK}, "Cookie: "+cookie)
	if err != nil {
		return err
	}
	var config struct{ Terms, Nonce string }
	found := scriptConfig.FindStringSubmatch(page)
	if found == nil {
		return errors.New("the payer's page holds no configuration")
	}
	if err := json.Unmarshal([]byte(found[1]), &config); err != nil {
		return err
	}
	method, err := v.enterCard(ctx)
	if err != nil {
		return err
	}
	charge, err := json.Marshal(map[string]string{"payment_method": method, "terms": config.Terms, "nonce": config.Nonce})
	if err != nil {
		return err
	}
	_, said, err := v.ask(ctx, http.MethodPost, "/pay/charge", string(charge), []int{http.StatusOK}, jsonType, "Cookie: "+cookie)
	if err == nil && !strings.Contains(said, `"paid"`) {
		err = fmt.Errorf("the charge answered %.200s", said)
	}
	return err
}

// enterCard does what Stripe.js does with a card: it becomes a PaymentMethod, of which only the id goes on to us.
func (v *visitor) enterCard(ctx context.Context) (string, error) {
	card := url.Values{"type": {"card"}, "card[number]": {"4242424242424242"}, "card[exp_month]": {"12"}, "card[exp_year]": {"2040"}, "card[cvc]": {"123"}, "billing_details[address][postal_code]": {"23220"}}
	stripe := visitor{base: v.stripe, client: v.client}
	_, text, err := stripe.ask(ctx, http.MethodPost, "/v1/payment_methods", card.Encode(), []int{http.StatusOK}, formType, "Authorization: Bearer "+stripePublishable)
	if err != nil {
		return "", err
	}
	var method struct{ ID string }
	err = json.Unmarshal([]byte(text), &method)
	return method.ID, err
}

// --- What wrk sends -------------------------------------------------------------------------------------------------------------------------

// callers is how many addresses the crowd comes from: 60 looks a minute each.
const callers = 40_000

// requests writes the files that wrk replays.
func (l *lab) requests(r *replay, t town, agent string) error {
	many := func(n int, one func(i int) string) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = one(i)
		}
		return out
	}
	luck := mathrand.New(mathrand.NewPCG(1, 1))
	anyPayer := func() client { return t.payers[luck.IntN(len(t.payers))] }
	opening := func(i int) string {
		c := anyPayer()
		return request("POST", l.addr, "/pay/open", openBody(c.token), jsonType, "X-Forwarded-For: "+somewhere(1<<20+i), "Cookie: "+c.cookie)
	}
	looking := func(int) string { return request("GET", l.addr, "/pay", "", "Cookie: "+anyPayer().cookie) }
	files := map[string][]string{
		"static":  {request("GET", l.addr, "/static", "")},
		"landing": {request("GET", l.addr, "/p", "")},
		"bare": many(callers, func(i int) string {
			return request("GET", l.addr, fmt.Sprintf("/bare/%d", luck.IntN(bareKeys)), "", "X-Forwarded-For: "+somewhere(i))
		}),
		"open": many(callers, opening),
		"page": many(5000, looking),
		"quote": many(5000, func(int) string {
			return request("GET", l.addr, summaryPath(t.quoted[luck.IntN(len(t.quoted))]), "", panel, "Cookie: "+agent)
		}),
		"history": many(5000, func(int) string {
			return request("GET", l.addr, "/plus/clients/"+t.quoted[luck.IntN(len(t.quoted))].id()+"?tab=history", "", "Cookie: "+agent)
		}),
		"search": many(1000, func(int) string {
			return request("GET", l.addr, "/plus/clients?q="+t.quoted[luck.IntN(len(t.quoted))].id(), "", "Cookie: "+agent)
		}),
		"crowd": many(callers, func(i int) string {
			if i%2 == 0 {
				return opening(i)
			}
			return looking(i)
		}),
	}
	for name, all := range files {
		if err := r.write(name, all); err != nil {
			return err
		}
	}
	return nil
}

// waitForTexts waits until every text has come to its end and nothing is due.
func (l *lab) waitForTexts(ctx context.Context) error {
	err := until(ctx, 60*time.Second, 5*time.Millisecond, l.service, func() bool {
		var left bool
		err := l.sql.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM messages WHERE next_ms IS NOT NULL)
			OR EXISTS (SELECT 1 FROM payments WHERE next_ms <= FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000))`).Scan(&left)
		return err == nil && !left
	})
	if err == nil {
		return nil
	}
	var left string
	if sqlErr := l.sql.QueryRow(ctx, `SELECT COALESCE(STRING_AGG(n || ' ' || status, ', '), 'none') FROM (SELECT status, COUNT(*) n FROM messages WHERE next_ms IS NOT NULL GROUP BY status) s`).Scan(&left); sqlErr != nil {
		left = sqlErr.Error()
	}
	return fmt.Errorf("the texts did not come to their end: %w; left: %s", err, left)
}

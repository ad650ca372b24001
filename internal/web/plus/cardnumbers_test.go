package plus_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"paylink/internal/staff"
)

// typedCard is a card number as people write it.
const typedCard = "4000 0566 5566 5556"

func holdsTypedCard(s string) bool {
	return strings.Contains(s, typedCard) || strings.Contains(s, strings.ReplaceAll(typedCard, " ", ""))
}

// found is a form of a page: where it is sent, and what a browser would send of it.
type found struct {
	on, method, action string
	fields             url.Values
	kinds              map[string]string // of each field
}

// forms are those of a page that are sent to this door.
func (p *page) forms() (out []found) {
	p.Find("form").Each(func(_ int, form *goquery.Selection) {
		f := found{on: p.path, method: strings.ToUpper(form.AttrOr("method", "get")), action: form.AttrOr("action", ""), fields: url.Values{}, kinds: map[string]string{}}
		add := func(_ int, field *goquery.Selection) {
			name := field.AttrOr("name", "")
			kind := field.AttrOr("type", goquery.NodeName(field))
			f.kinds[name] = kind
			value := field.AttrOr("value", "")
			if kind == "select" {
				value = field.Find("option").Last().AttrOr("value", field.Find("option").Last().Text())
			}
			if _, had := f.fields[name]; !had || field.AttrOr("checked", "-") != "-" {
				f.fields.Set(name, value)
			}
		}
		form.Find("input[name], select[name], textarea[name], button[name]").Each(add)
		if id := form.AttrOr("id", ""); id != "" {
			p.Find(`[form="` + id + `"][name]`).Each(add)
		}
		out = append(out, f)
	})
	return out
}

var anID = regexp.MustCompile(`[0-9]{6}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(veh|inv|fee|staff|note|card)[-_][\w-]+`)

// kind is an address without what makes it one of many: ids, and the values of its query but the tab's.
func kind(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	q := u.Query()
	return anID.ReplaceAllString(u.Path, "{}") + "?" + q.Get("tab") + " " + strings.Join(slices.Sorted(maps.Keys(q)), " ")
}

// crawl opens every kind of page that links and forms that only ask lead to, from the first ones on.
func (v *visitor) crawl(from ...string) (pages []*page) {
	v.w.t.Helper()
	seen := map[string]bool{}
	add := func(to []string, address string) []string {
		if address, _, _ = strings.Cut(address, "#"); strings.HasPrefix(address, "/plus") && !seen[kind(address)] {
			seen[kind(address)] = true
			return append(to, address)
		}
		return to
	}
	var queue []string
	for _, address := range from {
		queue = add(queue, address)
	}
	for len(queue) > 0 && len(pages) < 120 {
		p := v.get(queue[0])
		queue = queue[1:]
		if p.status == http.StatusSeeOther {
			queue = add(queue, p.header.Get("Location"))
			continue
		}
		pages = append(pages, p)
		if !strings.HasPrefix(p.header.Get("Content-Type"), "text/html") {
			continue
		}
		p.Find("a[href]").Each(func(_ int, a *goquery.Selection) { queue = add(queue, a.AttrOr("href", "")) })
		for _, f := range p.forms() {
			if f.method == http.MethodGet {
				queue = add(queue, f.action+"?"+f.fields.Encode())
			}
		}
	}
	return pages
}

// TestNoFieldTakesACardNumber: into every field of every form that somebody finds in PLUS Web, hidden ones too, a card number is typed. It is refused, not shown again, and is nowhere afterwards.
func TestNoFieldTakesACardNumber(t *testing.T) {
	w := newTown(t)
	payment := w.sold(w.as("agent"))
	w.as("lead").sent()
	all := map[string]found{}
	whose := map[string]*visitor{}
	stranger := w.visitor()
	for _, f := range stranger.get("/plus/").forms() {
		all["sign in"], whose["sign in"] = f, stranger
	}
	for _, role := range staff.Roles() {
		v := w.as(string(role))
		for _, p := range v.crawl("/plus/", "/plus/clients/100042", dana, "/plus/clients/100043?panel=send&vehicle=veh_marcus_f150&days=30", "/plus/payments/"+payment, "/plus/nowhere") {
			for _, f := range p.forms() {
				key := f.method + " " + kind(f.action) + " " + strings.Join(slices.Sorted(maps.Keys(f.fields)), " ")
				if f.action == "/plus/sign-out" {
					continue
				}
				all[key], whose[key] = f, v
			}
		}
	}
	if len(all) < 8 {
		t.Fatalf("only %d forms are found", len(all))
	}
	fields := 0
	for key, f := range all {
		for name, kind := range f.kinds {
			fields++
			form := maps.Clone(f.fields)
			form.Set(name, typedCard)
			var p *page
			if f.method == http.MethodGet {
				p = whose[key].get(f.action + "?" + form.Encode())
			} else {
				p = whose[key].post(f.action, form)
			}
			switch {
			case holdsTypedCard(p.body) || holdsTypedCard(fmt.Sprint(p.header)):
				t.Errorf("%s: the field %s shows a card number again", key, name)
			case kind == "password":
			case p.status != http.StatusUnprocessableEntity || !strings.Contains(p.Text(), "card number") && kind != "tel":
				t.Errorf("%s, on %s: the field %s answers a card number with %d: %s", key, f.on, name, p.status, p.words("h1, .alert, .error"))
			}
		}
	}
	t.Logf("%d fields of %d forms", fields, len(all))
	agent := w.as("agent")
	for _, address := range []string{"/plus/clients/" + url.PathEscape(typedCard), "/plus/payments/4000056655665556/evidence.json", "/plus/?x=4000056655665556", "/plus/clients?4000056655665556=x"} {
		if p := agent.get(address).is(http.StatusUnprocessableEntity); holdsTypedCard(p.body) {
			t.Errorf("%s is shown again", address)
		}
		if p := stranger.get(address); p.status != http.StatusUnprocessableEntity || holdsTypedCard(p.body) {
			t.Errorf("%s: a stranger gets %d, or reads it again", address, p.status)
		}
	}
	if holdsTypedCard(w.facts()) || holdsTypedCard(w.log.String()) {
		t.Error("a card number is in the books or in the log")
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'type card number' AND refused <> ''`); n < 10 || n > 7*10 {
		t.Errorf("%d tries are in the trail, of %d; at most ten of each person in a minute", n, fields)
	}
	if n := w.count(`SELECT COUNT(*) FROM payments`); n != 2 {
		t.Errorf("%d payments", n)
	}

	// Our own ids and times are none.
	for _, q := range []string{"01234567-0123-7890-8012-345678901234", "1773166440007", "00000000000000000000000000000000"} {
		agent.get("/plus/?after=" + q).is(http.StatusOK)
	}
}

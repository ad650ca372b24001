package stripesim

import (
	"strings"
	"time"
)

// object is one JSON object of an answer.
type object map[string]any

// record is what every stored resource has.
type record struct {
	id       string
	created  int64 // Unix seconds
	metadata map[string]string
}

func (r *record) rec() *record { return r }

// resource is anything that can be retrieved, listed and expanded.
type resource interface {
	rec() *record
	noun() string // Stripe's name of it: "payment_intent"
	render() object
}

// account is one Stripe account's books: the platform's own or a connected one.
type account struct {
	id        string
	connected bool
	byID      map[string]resource
	ordered   map[string][]resource // by noun, oldest first
	replies   map[string]*reply     // by idempotency key
	forgotten time.Time             // when old replies were last dropped
}

func newAccount(id string, connected bool) *account {
	return &account{id: id, connected: connected, byID: map[string]resource{}, ordered: map[string][]resource{}, replies: map[string]*reply{}}
}

func (a *account) add(r resource) {
	a.byID[r.rec().id] = r
	a.ordered[r.noun()] = append(a.ordered[r.noun()], r)
}

// find returns the account's resource of that type by id.
func find[T resource](a *account, id string) (T, bool) {
	t, ok := a.byID[id].(T)
	return t, ok
}

// all returns the account's resources of one type, oldest first.
func all[T resource](a *account, noun string) []T {
	rs := a.ordered[noun]
	out := make([]T, 0, len(rs))
	for _, r := range rs {
		out = append(out, r.(T))
	}
	return out
}

// orNull turns an empty string into JSON's null, as Stripe shows what is not set.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func orNullInt(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

func orNullObject(o object) any {
	if o == nil {
		return nil
	}
	return o
}

func labelsOf(m map[string]string) object {
	o := object{}
	for k, v := range m {
		o[k] = v
	}
	return o
}

const base62 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// newID makes an id of Stripe's look from the server's own stream of chance. The lock is held.
func (s *Server) newID(prefix string) string { return prefix + s.letters(24) }

func (s *Server) letters(n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(base62[s.ids.IntN(len(base62))])
	}
	return b.String()
}

// expandable says which fields of which resource may be expanded, and into what.
var expandable = map[string]map[string]string{
	"payment_intent":      {"latest_charge": "charge", "payment_method": "payment_method", "customer": "customer", "review": "", "invoice": "", "on_behalf_of": "", "application": ""},
	"setup_intent":        {"payment_method": "payment_method", "customer": "customer", "latest_attempt": "", "mandate": "", "on_behalf_of": ""},
	"charge":              {"balance_transaction": "balance_transaction", "customer": "customer", "payment_intent": "payment_intent", "failure_balance_transaction": "balance_transaction", "refunds": "refunds", "invoice": "", "review": "", "transfer": ""},
	"refund":              {"balance_transaction": "balance_transaction", "charge": "charge", "payment_intent": "payment_intent", "failure_balance_transaction": "balance_transaction"},
	"payment_method":      {"customer": "customer"},
	"customer":            {"default_source": "", "invoice_settings": "invoice_settings"},
	"invoice_settings":    {"default_payment_method": "payment_method"},
	"balance_transaction": {"source": "any"},
	"dispute":             {"charge": "charge", "payment_intent": "payment_intent"},
	"refunds":             {"data": "refund"},
	"payout":              {"balance_transaction": "balance_transaction", "failure_balance_transaction": "balance_transaction", "destination": "", "original_payout": "", "reversed_by": ""},
	"balance":             {},
	"event":               {},
	"account":             {},
}

// checkExpand refuses, before anything is done, a path that the answer could not expand.
func checkExpand(paths []string, noun string, list bool) *apiError {
	for _, path := range paths {
		parts := strings.Split(path, ".")
		if len(parts) > 5 {
			return invalid("", "expand", "You cannot expand more than 4 levels of a property (%s).", path)
		}
		if list {
			if parts[0] != "data" || len(parts) == 1 {
				return invalid("", "expand", "This property cannot be expanded (%s). On a list, begin with data.", path)
			}
			parts = parts[1:]
		}
		at := noun
		for _, part := range parts {
			next, ok := expandable[at][part]
			if at != "any" && !ok {
				return invalid("", "expand", "This property cannot be expanded (%s).", path)
			}
			if at == "any" {
				next = "any"
			}
			at = next
		}
	}
	return nil
}

// expand replaces ids by the objects that they name. The lock is held.
func (a *account) expand(o object, paths []string) {
	for _, path := range paths {
		a.expandPath(o, strings.Split(path, "."))
	}
}

func (a *account) expandPath(o object, parts []string) {
	name := parts[0]
	if o["object"] == "charge" && name == "refunds" && o["refunds"] == nil {
		o["refunds"] = a.refundsOf(o["id"].(string))
	}
	switch v := o[name].(type) {
	case string:
		if r, ok := a.byID[v]; ok {
			o[name] = r.render()
		}
	case nil:
		return
	}
	if len(parts) == 1 {
		return
	}
	switch v := o[name].(type) {
	case object:
		a.expandPath(v, parts[1:])
	case []object:
		for _, item := range v {
			a.expandPath(item, parts[1:])
		}
	}
}

package stripesim

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// node is one parameter of a form-encoded request: a value, or named children (a[b]=…), or a list (a[]=…, a[0]=…).
type node struct {
	value string
	leaf  bool
	kids  map[string]*node
	order []string
}

func (n *node) kid(name string) *node {
	if n == nil {
		return nil
	}
	return n.kids[name]
}

func (n *node) grow(name string) *node {
	if n.kids == nil {
		n.kids = map[string]*node{}
	}
	k := n.kids[name]
	if k == nil {
		k = &node{}
		n.kids[name] = k
		n.order = append(n.order, name)
	}
	return k
}

// parseForm reads the raw query and body in the order sent and returns them as one tree, with a canonical text that is
// the same for the same parameters in any order.
func parseForm(raws ...string) (*node, string, *apiError) {
	root := &node{}
	var canon []string
	for _, raw := range raws {
		for pair := range strings.SplitSeq(raw, "&") {
			if pair == "" {
				continue
			}
			k, v, _ := strings.Cut(pair, "=")
			key, err := url.QueryUnescape(k)
			if err != nil {
				return nil, "", invalid("", "", "The parameters could not be read: bad percent-encoding in a name.")
			}
			val, err := url.QueryUnescape(v)
			if err != nil {
				return nil, "", invalid("", key, "The parameters could not be read: bad percent-encoding in %s.", key)
			}
			canon = append(canon, key+"\x00"+val)
			path, ok := keyPath(key)
			if !ok || len(path) > 8 {
				return nil, "", invalid("parameter_unknown", key, "Received unknown parameter: %s", key)
			}
			n := root
			for _, part := range path {
				if part == "" {
					part = strconv.Itoa(len(n.order))
				}
				n = n.grow(part)
			}
			n.value, n.leaf = val, true
		}
	}
	slices.Sort(canon)
	return root, strings.Join(canon, "\x01"), nil
}

// keyPath splits a[b][] into a, b, "".
func keyPath(key string) ([]string, bool) {
	first, rest, nested := strings.Cut(key, "[")
	if first == "" {
		return nil, false
	}
	path := []string{first}
	if !nested {
		return path, true
	}
	for part := range strings.SplitSeq(rest, "[") {
		name, tail, closed := strings.Cut(part, "]")
		if !closed || tail != "" {
			return nil, false
		}
		path = append(path, name)
	}
	return path, true
}

// kind is what a parameter may hold.
type kind int

const (
	text        kind = iota // a string that cannot be unset
	clearable               // a string; empty unsets it
	integer                 // a whole number
	boolean                 // true or false
	texts                   // a list of strings
	labels                  // metadata: string to string; empty unsets all or one
	moment                  // Unix seconds or a hash of gt, gte, lt, lte
	anything                // accepted and ignored: it has no effect here that a client could notice
	unsupported             // Stripe knows it, this simulator does not: refused aloud rather than ignored
)

// rule says what one parameter may be; sub, if set, makes it a hash.
type rule struct {
	kind     kind
	required bool
	oneOf    []string
	sub      shape
}

// shape is the set of parameters that an endpoint accepts.
type shape map[string]rule

func is(k kind) rule              { return rule{kind: k} }
func must(k kind) rule            { return rule{kind: k, required: true} }
func hash(s shape) rule           { return rule{sub: s} }
func oneOf(values ...string) rule { return rule{kind: text, oneOf: values} }

// with returns the shape plus others; later ones win.
func (s shape) with(more ...shape) shape {
	out := shape{}
	for k, v := range s {
		out[k] = v
	}
	for _, m := range more {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

// check refuses what the shape does not allow, the first fault in the order sent.
func (s shape) check(n *node, prefix string) *apiError {
	full := func(name string) string {
		if prefix == "" {
			return name
		}
		return prefix + "[" + name + "]"
	}
	for _, name := range n.order {
		k := n.kids[name]
		r, ok := s[name]
		if !ok {
			return invalid("parameter_unknown", full(name), "Received unknown parameter: %s", full(name))
		}
		if err := r.check(k, full(name)); err != nil {
			return err
		}
	}
	names := make([]string, 0, len(s))
	for name := range s {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if s[name].required && n.kid(name) == nil {
			return invalid("parameter_missing", full(name), "Missing required param: %s.", full(name))
		}
	}
	return nil
}

func (r rule) check(n *node, name string) *apiError {
	if r.kind == unsupported && r.sub == nil {
		return invalid("simulator_unsupported", name, "Stripe has the parameter %s, this simulator does not.", name)
	}
	if r.kind == anything && r.sub == nil {
		return nil
	}
	if r.sub != nil {
		if n.leaf {
			if n.value == "" {
				return nil
			}
			return invalid("parameter_invalid_string", name, "Invalid object: %s must be a hash.", name)
		}
		return r.sub.check(n, name)
	}
	switch r.kind {
	case texts:
		if n.leaf {
			if n.value == "" {
				return nil
			}
			return invalid("", name, "Invalid array: %s must be a list.", name)
		}
		for _, k := range n.kids {
			if !k.leaf {
				return invalid("", name, "Invalid array: %s must be a list of strings.", name)
			}
			if len(r.oneOf) > 0 && !slices.Contains(r.oneOf, k.value) {
				return invalid("", name, "Invalid %s: must be one of %s", name, strings.Join(r.oneOf, ", "))
			}
		}
		return nil
	case labels:
		return checkLabels(n, name)
	case moment:
		if n.leaf {
			return integerOrNot(n.value, name)
		}
		for bound, k := range n.kids {
			if !slices.Contains([]string{"gt", "gte", "lt", "lte"}, bound) {
				return invalid("parameter_unknown", name+"["+bound+"]", "Received unknown parameter: %s[%s]", name, bound)
			}
			if err := integerOrNot(k.value, name+"["+bound+"]"); err != nil {
				return err
			}
		}
		return nil
	}
	if !n.leaf {
		return invalid("parameter_invalid_string", name, "Invalid string: %s must not be a hash.", name)
	}
	switch r.kind {
	case integer:
		return integerOrNot(n.value, name)
	case boolean:
		if n.value != "true" && n.value != "false" {
			return invalid("", name, "Invalid boolean: %s", n.value)
		}
	case text:
		if n.value == "" {
			return invalid("parameter_invalid_empty", name,
				"You passed an empty string for '%s'. An empty value asks to unset a parameter, and '%s' cannot be unset.", name, name)
		}
	}
	if len(r.oneOf) > 0 && !slices.Contains(r.oneOf, n.value) {
		return invalid("", name, "Invalid %s: must be one of %s", name, strings.Join(r.oneOf, ", "))
	}
	if len(n.value) > 5000 {
		return invalid("parameter_invalid_string", name, "Invalid string: %s has more than 5000 characters.", name)
	}
	return nil
}

func integerOrNot(value, name string) *apiError {
	if _, err := strconv.ParseInt(value, 10, 64); err != nil {
		return invalid("parameter_invalid_integer", name, "Invalid integer: %s", value)
	}
	return nil
}

// checkLabels holds metadata to Stripe's limits: 50 keys, 40 characters a key, 500 a value.
func checkLabels(n *node, name string) *apiError {
	if n.leaf {
		if n.value == "" {
			return nil
		}
		return invalid("", name, "Invalid object: %s must be a hash.", name)
	}
	for _, key := range n.order {
		k := n.kids[key]
		switch {
		case !k.leaf:
			return invalid("", name, "Metadata values are strings; %s[%s] is not.", name, key)
		case len([]rune(key)) > 40:
			return invalid("", name, "Metadata keys have at most 40 characters.")
		case len([]rune(k.value)) > 500:
			return invalid("", name+"["+key+"]", "Metadata values have at most 500 characters.")
		}
	}
	return nil
}

// Reading a checked tree. Absent parameters read as zero values.

func (n *node) at(path ...string) *node {
	for _, p := range path {
		n = n.kid(p)
	}
	return n
}

func (n *node) has(path ...string) bool { return n.at(path...) != nil }

func (n *node) text(path ...string) string {
	if k := n.at(path...); k != nil {
		return k.value
	}
	return ""
}

func (n *node) int(path ...string) int64 {
	v, _ := strconv.ParseInt(n.text(path...), 10, 64)
	return v
}

func (n *node) bool(path ...string) bool { return n.text(path...) == "true" }

func (n *node) texts(path ...string) []string {
	k := n.at(path...)
	if k == nil {
		return nil
	}
	out := []string{}
	for _, name := range k.order {
		out = append(out, k.kids[name].value)
	}
	return out
}

// mergeLabels applies sent metadata to old: keys are merged, an empty value removes its key, an empty hash removes all.
func mergeLabels(old map[string]string, n *node) (map[string]string, *apiError) {
	out := map[string]string{}
	if n != nil && n.leaf {
		return out, nil
	}
	for k, v := range old {
		out[k] = v
	}
	if n != nil {
		for _, k := range n.order {
			if v := n.kids[k].value; v == "" {
				delete(out, k)
			} else {
				out[k] = v
			}
		}
	}
	if len(out) > 50 {
		return nil, invalid("", "metadata", "Metadata has at most 50 keys.")
	}
	return out, nil
}

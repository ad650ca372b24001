package stripesim

import (
	"slices"
)

// page is what every list accepts.
var page = shape{
	"limit":          is(integer),
	"starting_after": is(text),
	"ending_before":  is(text),
}

var dated = page.with(shape{"created": is(moment)})

// list answers one page of the account's resources, newest first, as Stripe's cursors work: starting_after goes on to
// older ones, ending_before back to newer ones.
func list[T resource](c *call, noun string, keep func(T) bool) (object, *apiError) {
	limit := int64(10)
	if c.params.has("limit") {
		limit = c.params.int("limit")
		if limit < 1 || limit > 100 {
			return nil, invalid("parameter_invalid_integer", "limit", "limit is between 1 and 100.")
		}
	}
	after, before := c.params.text("starting_after"), c.params.text("ending_before")
	if after != "" && before != "" {
		return nil, invalid("", "starting_after", "Give starting_after or ending_before, not both.")
	}
	for param, id := range map[string]string{"starting_after": after, "ending_before": before} {
		if id == "" {
			continue
		}
		if _, ok := find[T](c.account, id); !ok {
			return nil, missing(400, noun, id, param)
		}
	}
	var rows []T
	for _, t := range slices.Backward(all[T](c.account, noun)) {
		rows = append(rows, t)
	}
	cursor := after
	if before != "" {
		cursor = before
		slices.Reverse(rows)
	}
	picked, more, passed := []T{}, false, cursor == ""
	for _, t := range rows {
		if !passed {
			passed = t.rec().id == cursor
			continue
		}
		if !within(c.params.at("created"), t.rec().created) || (keep != nil && !keep(t)) {
			continue
		}
		if int64(len(picked)) == limit {
			more = true
			break
		}
		picked = append(picked, t)
	}
	if before != "" {
		slices.Reverse(picked)
	}
	data := []object{}
	for _, t := range picked {
		data = append(data, t.render())
	}
	return listOf(c.path, data, more), nil
}

func listOf(url string, data []object, more bool) object {
	return object{"object": "list", "url": url, "has_more": more, "data": data}
}

// within tells whether a time fits created=… or created[gte]=….
func within(n *node, at int64) bool {
	if n == nil {
		return true
	}
	if n.leaf {
		return at == n.int()
	}
	return (!n.has("gt") || at > n.int("gt")) && (!n.has("gte") || at >= n.int("gte")) &&
		(!n.has("lt") || at < n.int("lt")) && (!n.has("lte") || at <= n.int("lte"))
}

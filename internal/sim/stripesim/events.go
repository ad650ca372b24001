package stripesim

import (
	"encoding/json"
	"slices"
	"time"
)

// event is one fact as Stripe announces it.
type event struct {
	record
	kind           string
	data, previous object
	account        string // set for a connected account's
	request        object
	pending        int // webhooks not yet delivered
}

func (e *event) noun() string { return "event" }

func (e *event) render() object {
	data := object{"object": e.data}
	if e.previous != nil {
		data["previous_attributes"] = e.previous
	}
	o := object{"id": e.id, "object": "event", "api_version": apiVersion, "created": e.created, "data": data, "livemode": false,
		"pending_webhooks": e.pending, "request": e.request, "type": e.kind}
	if e.account != "" {
		o["account"] = e.account
	}
	return o
}

// emit records a fact and sends it to the webhook. The lock is held.
func (c *call) emit(kind string, about object) { c.emitChange(kind, about, nil) }

func (c *call) emitChange(kind string, about, previous object) {
	times := 1
	if c.server.chance(c.server.faults.Webhooks.TwoEvents) {
		times = 2 // Stripe warns of it: two Event objects for one fact
	}
	for range times {
		e := &event{record: c.server.newRecord("evt_"), kind: kind, data: about, previous: previous,
			request: object{"id": orNull(c.requestID), "idempotency_key": orNull(c.idempotencyKey)}}
		if c.account.connected {
			e.account = c.account.id
		}
		if c.server.webhookURL != "" {
			e.pending = 1
		}
		c.account.add(e)
		if e.pending == 1 {
			body, _ := json.MarshalIndent(e.render(), "", "  ")
			c.server.announce(e, body)
		}
	}
}

// eventLife is how long Stripe lists an event: https://stripe.com/docs/api/events
const eventLife = 30 * 24 * time.Hour

var eventOperations = []operation{
	{pattern: "GET /v1/events/{id}", fault: "retrieve", noun: "event", run: func(c *call) (object, *apiError) {
		e, ok := find[*event](c.account, c.id)
		if !ok {
			return nil, missing(404, "event", c.id, "id")
		}
		return e.render(), nil
	}},
	{pattern: "GET /v1/events", fault: "retrieve", noun: "event", list: true,
		shape: dated.with(shape{"type": is(text), "types": is(texts), "delivery_success": is(boolean)}),
		run: func(c *call) (object, *apiError) {
			p := c.params
			if p.has("type") && p.has("types") {
				return nil, invalid("", "types", "Give type or types, not both.")
			}
			if len(p.texts("types")) > 20 {
				return nil, invalid("", "types", "Give at most 20 types.")
			}
			oldest := c.server.now().Add(-eventLife).Unix()
			return list(c, "event", func(e *event) bool {
				return e.created >= oldest && (!p.has("type") || wildcard(p.text("type"), e.kind)) && (!p.has("types") || slices.Contains(p.texts("types"), e.kind)) &&
					(!p.has("delivery_success") || p.bool("delivery_success") == (e.pending == 0))
			})
		}},
}

// wildcard matches charge.* as Stripe's type filter does.
func wildcard(pattern, kind string) bool {
	if n := len(pattern); n > 0 && pattern[n-1] == '*' {
		return len(kind) >= n-1 && kind[:n-1] == pattern[:n-1]
	}
	return pattern == kind
}

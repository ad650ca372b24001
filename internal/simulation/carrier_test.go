package simulation

import (
	"context"
	"fmt"
	"strings"
	"time"

	"paylink/internal/phone"
	"paylink/internal/sms"
)

// carrier is Twilio, behind sms.Carrier: it takes texts and loses its answers, has no idempotency, and tells of deliveries in any order.
type carrier struct {
	w     *world
	texts []*text
	sends map[string]int // copies that may have been taken, by our message id
}

// text is one that it has taken.
type text struct {
	sid, to, body, message string
	at                     time.Time
	validity               time.Duration
	status                 sms.Status
	code                   int
	odd                    bool // who sent it was stopped on the way: the life that it was given is old
}

func (c *carrier) Send(ctx context.Context, m sms.Outgoing) (sms.Receipt, error) {
	w := c.w
	id := m.Callback
	w.step("carrier send")
	if ctx.Err() != nil {
		return sms.Receipt{}, sms.ErrUnclear
	}
	w.pause(w.between(50*time.Millisecond, 400*time.Millisecond))
	switch {
	case w.happens(textSlowDown):
		return sms.Receipt{}, sms.ErrSlowDown
	case w.happens(textRefused):
		code := []int{21211, 21614, 21408, 21610, 30034}[w.chance.IntN(5)]
		return sms.Receipt{}, sms.Refused{Code: code}
	}
	if c.sends[id]++; c.sends[id] > 2 {
		w.breaks("I10: text %s is sent %d times", id, c.sends[id])
	}
	switch {
	case w.happens(textLost):
		w.pause(patience)
		return sms.Receipt{}, sms.ErrUnclear
	case w.happens(textLate):
		w.begin("wire text", nil, w.between(time.Second, 40*time.Second), func(*task) { c.take(m).odd = true })
		w.pause(w.between(time.Second, patience))
		return sms.Receipt{}, sms.ErrUnclear
	}
	t := c.take(m)
	got := sms.Receipt{SID: t.sid, Status: sms.Queued}
	if w.happens(textUnclear) {
		w.pause(w.between(0, patience))
		return sms.Receipt{}, sms.ErrUnclear
	}
	w.step("carrier send answered")
	return got, nil
}

// take is a text that it has: it goes to the phone, and its callbacks to us.
func (c *carrier) take(m sms.Outgoing) *text {
	w := c.w
	t := &text{
		sid: fmt.Sprintf("SM%d", len(c.texts)+1), to: m.To.E164(), body: m.Body, message: m.Callback, at: w.now, validity: m.Validity, status: sms.Queued,
	}
	if r := w.running; r.hurt {
		t.odd = true
	}
	for _, had := range c.texts {
		if had.message == t.message {
			w.counts["text arrived twice"]++
		}
	}
	c.texts = append(c.texts, t)
	w.say("carrier takes %s for %s", t.sid, t.message)
	w.begin("carrier "+t.sid, nil, w.between(time.Second, 10*time.Second), func(*task) {
		t.status = sms.Sent
		c.tell(t, t.status)
		wait := w.between(time.Second, 10*time.Second)
		if w.happens(textHeld) {
			wait = w.between(10*time.Second, 12*time.Minute)
		}
		w.pause(min(wait, t.validity))
		if wait > t.validity {
			t.status, t.code = sms.Failed, 30036
		} else {
			t.status = sms.Delivered
			w.rings(t)
		}
		c.tell(t, t.status)
	})
	return t
}

// tell sends a callback, at some time.
func (c *carrier) tell(t *text, status sms.Status) {
	w := c.w
	if w.happens(callbackLost) {
		return
	}
	after := w.between(100*time.Millisecond, 2*time.Second)
	if w.happens(callbackOdd) {
		after = w.between(0, 30*time.Second)
	}
	d := sms.Delivery{MessageID: t.message, Receipt: sms.Receipt{SID: t.sid, Status: status, ErrorCode: t.code}}
	w.begin("callback "+t.sid+" "+string(status), w.anyProcess(), after, func(task *task) {
		if err := w.machine.Delivered(task.ctx, d); err != nil {
			w.say("callback: %v", err)
		}
	})
}

func (c *carrier) Find(ctx context.Context, to phone.Number, since time.Time, body string) (*sms.Receipt, error) {
	w := c.w
	w.step("carrier find")
	if ctx.Err() != nil || w.happens(textLost) {
		return nil, sms.ErrUnclear
	}
	w.pause(w.between(50*time.Millisecond, 400*time.Millisecond))
	for _, t := range c.texts {
		if t.to == to.E164() && t.body == body && !t.at.Before(since) {
			return &sms.Receipt{SID: t.sid, Status: t.status, ErrorCode: t.code}, nil
		}
	}
	return nil, nil
}

func (c *carrier) Status(ctx context.Context, sid string) (sms.Receipt, error) {
	w := c.w
	w.step("carrier status")
	if ctx.Err() != nil || w.happens(textLost) {
		return sms.Receipt{}, sms.ErrUnclear
	}
	for _, t := range c.texts {
		if t.sid == sid {
			return sms.Receipt{SID: sid, Status: t.status, ErrorCode: t.code}, nil
		}
	}
	w.breaks("the carrier is asked for %q, which it never had", sid)
	return sms.Receipt{}, sms.ErrUnclear
}

func (c *carrier) LineOf(context.Context, phone.Number) (sms.Line, error) { return sms.Mobile, nil }

const linkText = "Interlane: pay securely https://pay.interlane.example/p#"

// tokenIn is the token that a text carries, "" for none.
func tokenIn(body string) string {
	token, _ := strings.CutPrefix(body, linkText)
	if token == body {
		return ""
	}
	return token
}

package simulation

import "time"

// fault is something that goes wrong.
type fault string

const (
	confirmLost     fault = "confirm times out after success"
	webhookTwice    fault = "webhook twice"
	webhookLate     fault = "webhook reordered"
	webhookNever    fault = "webhook never"
	lateRequest     fault = "request arrives late"
	lostBefore      fault = "request lost"
	lostAfter       fault = "answer lost"
	lostRead        fault = "read lost"
	answer409       fault = "409"
	answer429       fault = "429"
	rolledBack      fault = "500 rolled back"
	halfDone        fault = "500 half done"
	rolledForward   fault = "500 rolled forward later"
	stripeDown      fault = "Stripe down"
	dashboardCancel fault = "canceled in the dashboard"
	dashboardPay    fault = "paid in the dashboard"
	dashboardBack   fault = "refunded in the dashboard"
	refundSlow      fault = "refund pending"
	refundFails     fault = "refund failed later"
	disputes        fault = "disputed"

	workerKilled  fault = "worker killed"
	processKilled fault = "process killed"
	workerStopped fault = "worker stopped beyond its lease"
	goesAway      fault = "payer goes away"

	sqlBefore fault = "SQL fails before the commit"
	sqlAfter  fault = "SQL fails after the commit"

	doorDown     fault = "Redis unavailable"
	doorFlushed  fault = "Redis flushed"
	doorRestored fault = "Redis restored with old data"

	textLost     fault = "text: request lost"
	textUnclear  fault = "text: taken, answer lost"
	textLate     fault = "text: arrives at the carrier late"
	textRefused  fault = "text: refused"
	textSlowDown fault = "text: slow down"
	textHeld     fault = "text: held by the carrier"
	callbackLost fault = "callback never"
	callbackOdd  fault = "callbacks shuffled"

	twoPhones   fault = "several phones on one link"
	doubleTap   fault = "double tap"
	backButton  fault = "back button"
	sameCard    fault = "the same card again"
	abandons    fault = "3-D Secure abandoned"
	lateBank    fault = "3-D Secure passed late"
	lastSecond  fault = "pays in the last second"
	revokes     fault = "revoked"
	revokesLate fault = "revoked in mid-payment"
	resends     fault = "resent"
	doubleClick fault = "sent by a double click"
	sendsOver   fault = "sent over a live payment"
	center      fault = "paid at the service center"
	notMine     fault = "not for me"
	takes       fault = "card on file charged"
	givesBack   fault = "refund asked for"
)

// rates are how often each goes wrong where it can. Always: in every seed. The others are on in half of the seeds each, and there from half to three
// times as often: what only goes wrong where nothing else does is found too.
var rates = []struct {
	fault
	rate   float64
	always bool
}{
	{confirmLost, 0.05, true}, {webhookTwice, 0.05, true}, {webhookLate, 0.20, true}, {webhookNever, 0.02, true},
	{lateRequest, 0.10, false}, {lostBefore, 0.06, false}, {lostAfter, 0.06, false}, {lostRead, 0.06, false}, {answer409, 0.04, false}, {answer429, 0.04, false},
	{rolledBack, 0.03, false}, {halfDone, 0.06, false}, {rolledForward, 0.06, false}, {stripeDown, 0.20, false}, {dashboardCancel, 0.10, false}, {dashboardPay, 0.08, false},
	{dashboardBack, 0.10, false}, {refundSlow, 0.30, false}, {refundFails, 0.20, false}, {disputes, 0.10, false},
	{workerKilled, 0.006, false}, {processKilled, 0.003, false}, {workerStopped, 0.010, false}, {goesAway, 0.03, false},
	{sqlBefore, 0.008, false}, {sqlAfter, 0.008, false},
	{doorDown, 0.05, false}, {doorFlushed, 0.02, false}, {doorRestored, 0.03, false},
	{textLost, 0.08, false}, {textUnclear, 0.08, false}, {textLate, 0.08, false}, {textRefused, 0.06, false}, {textSlowDown, 0.06, false}, {textHeld, 0.10, false},
	{callbackLost, 0.20, false}, {callbackOdd, 0.40, false},
	{twoPhones, 0.30, false}, {doubleTap, 0.25, false}, {backButton, 0.25, false}, {sameCard, 0.25, false}, {abandons, 0.10, false}, {lateBank, 0.20, false}, {lastSecond, 0.20, false},
	{revokes, 0.10, false}, {revokesLate, 0.12, false}, {resends, 0.20, false}, {doubleClick, 0.20, false}, {sendsOver, 0.15, false}, {center, 0.15, false}, {notMine, 0.04, false}, {takes, 0.25, false}, {givesBack, 0.25, false},
}

// people are what is no fault of a machine: it may be the cause of late money, and is not over when faults are.
var people = map[fault]bool{
	twoPhones: true, doubleTap: true, backButton: true, sameCard: true, abandons: true, lateBank: true, lastSecond: true, revokes: true, revokesLate: true, resends: true, doubleClick: true, sendsOver: true, center: true, notMine: true, takes: true, givesBack: true,
}

// draw chooses the seed's rates.
func (w *world) draw() {
	w.rates = map[fault]float64{}
	for _, r := range rates {
		on, times := w.chance.IntN(2) == 0, 0.5+2.5*w.chance.Float64()
		switch {
		case r.always:
			w.rates[r.fault] = r.rate
			if r.fault == confirmLost && w.chance.IntN(4) == 0 {
				w.rates[r.fault] *= 6
			}
		case on:
			w.rates[r.fault] = min(0.9, r.rate*times)
		}
	}
}

// rolls is true with a probability.
func (w *world) rolls(p float64) bool { return w.chance.Float64() < p }

// happens says whether a fault meets what is going on now.
func (w *world) happens(f fault) bool { return w.often(1, f) }

// often is happens where it is to happen so many times as often.
func (w *world) often(times float64, f fault) bool {
	if p := w.rates[f]; w.quiet || p == 0 || !w.rolls(p*times) {
		return false
	}
	w.did(f)
	return true
}

// did counts a fault.
func (w *world) did(f fault) {
	w.counts[f]++
	w.say("* %s", f)
	if !people[f] {
		w.faultAt = w.now
		if w.running != nil && f != goesAway {
			w.running.hurt = true
		}
	}
}

// step is a place where whoever acts for us may be stopped, killed, or left by the one who asked. It comes before and after everything that is seen outside.
func (w *world) step(what string) {
	w.pause(w.between(0, 4*time.Millisecond))
	t := w.running
	if t.on == nil {
		return
	}
	times := 1.0 // where money is about to move, or has just moved, more goes wrong
	switch what {
	case "stripe confirm", "stripe confirm answered", "stripe cancel":
		times = 6
	case "sql apply", "sql apply committed", "stripe get answered":
		times = 2
	}
	switch {
	case w.often(times, workerKilled):
		w.say("killed at %s", what)
		panic(killed{})
	case w.often(times, processKilled):
		w.say("%s killed at %s", t.on.name, what)
		w.crash(t.on)
	case w.often(times, workerStopped):
		w.pause(w.between(time.Second, 3*time.Minute))
	case t.asked && w.happens(goesAway):
		t.leave()
	}
}

package pay

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// moment is everything at one time: the payment's row, Stripe, and what our processes have in their hands. Processes have no names: one that waits for
// a confirm's answer, and one that has read the PaymentIntent and not yet brought it home, may be the payer's request, the sweeper or a webhook's look,
// may have slept past its lease, and may be killed at any time, which is when it never goes on. What is never carried on needs no step of its own: a
// request that is lost is one that never arrives, and a world without it can do nothing that the world with it can't.
type moment struct {
	life   Life
	till   till
	clock  uint8
	waits  [mostTries][2]bool // processes wait for the answer of a confirm: one, or any number
	reads  [2]read
	trying uint8 // attempts whose row says so, by bit
	booked bool
	back   backup
}

// backup is what a backup of the books holds of the payment, once one was made, and whether it was restored since.
type backup struct {
	stage  stage
	life   Life
	trying uint8
	booked bool
}

type stage uint8

const (
	noBackup stage = iota
	backedUp
	paused // restored: reconcile-only mode
	wentOn // and it has ended
)

// restored: what happened after the backup was made the books do not know.
func (m moment) restored() bool { return m.back.stage == paused || m.back.stage == wentOn }

// read is a GET that has been answered and not yet brought home. It grows old.
type read struct {
	face
	refused uint8 // number of the attempt whose confirm was refused, which is why it was asked; 0: any other look
	before  bool  // a send has been decided since it was asked
}

// cause is how one moment came out of another.
type cause struct {
	what  string
	n, p  int // attempt and phase, from 0; n < 0: of none
	event EventKind
	bound bool
}

func (c cause) String() string {
	s := c.what
	if c.n >= 0 {
		s += fmt.Sprintf(" (attempt %d, phase %d)", c.n+1, c.p+1)
	}
	if c.event != "" {
		s += " → " + string(c.event)
		if !c.bound {
			s += ", the quote no longer holds"
		}
	}
	return s
}

// rules is what is on trial: the program's own, or a deliberate mistake.
type rules struct {
	next func(Life, Event) (Life, []Effect, error)
	seen func(in Intent, v View, asked Life) Event
}

var ours = rules{Next, seenSince}

// scene is a bounded world to explore: where it begins, at which times things happen, and what may happen in it.
type scene struct {
	name    string
	begin   Life
	times   []time.Time
	tries   int  // attempts at most
	reads   int  // looks at Stripe at once, at most
	sameToo bool // a card may be tried twice
	faults
	dashboard bool // somebody cancels, changes it, or takes money, with our key or at Stripe's dashboard
	creating  bool // the PaymentIntent is not there yet
	odd       bool // a look shows what is not ours
	keepsOld  bool // for a trace rule that is not seenSince: reads that it makes a tick of are kept
	notSent   bool // the text may not get out
	backups   bool // the books may be lost and restored from a backup
}

// settled: nothing more is to come, and nobody looks at the clock any more.
func (m moment) settled() bool {
	return m.till.over() && !m.life.State.Live() && m.life.NextAt.IsZero()
}

func (s scene) start() moment {
	m := moment{life: s.begin}
	if !s.creating {
		m.life.IntentID, m.till.stands = "pi_1", fresh
	}
	return m
}

// happens brings an event home. Whether the quote holds is asked anew each time, so that it may break, and be mended, at any moment.
func (x *exploration) happens(m moment, e Event, c cause, each func(moment, cause)) {
	e.Now, e.Paused = x.times[m.clock], m.back.stage == paused
	c.event = e.Kind
	x.meets(m.life.State, e.Kind)
	asks := e.Kind == Decided || e.Kind == Claim || e.Kind == GotReady || e.Kind == GotSuccess || e.Kind == WasResent || e.Kind == Tick
	for _, bound := range []bool{true, false} {
		if !bound && !asks {
			continue
		}
		e.Bound, c.bound = bound, bound
		life, do, err := x.rules.next(m.life, e)
		if broken := stepBreaks(m, e, life, do, err); broken != "" {
			x.fail(broken, m, c)
			return
		}
		if err != nil {
			continue
		}
		n := m
		n.life = life
		if life.Attempt != m.life.Attempt || life.Phase != m.life.Phase || life.Sends != m.life.Sends {
			n.growOld()
		}
		if broken := n.does(m.life, e, do); broken != "" {
			x.fail(broken, m, c)
			return
		}
		each(n, c)
	}
}

// does keeps what is to be kept of an event's effects. It says what they break, "" for nothing.
func (m *moment) does(was Life, e Event, do []Effect) string {
	// After a person has decided, the last attempt's row may be at its end already: then it stays as it is.
	decided := e.Kind == Decided || was.State.InFlight() && was.ClosingAs == Revoked
	for _, d := range do {
		switch d.Kind {
		case StartAttempt:
			m.trying |= 1 << m.life.Attempt
		case EndAttempt:
			if d.As != Succeeded && m.trying&(1<<d.Attempt) == 0 && !decided {
				return "rows: an attempt ends twice"
			}
			m.trying &^= 1 << d.Attempt
		case BookPaid, BookUnapplied:
			if m.booked {
				return "I4: booked twice"
			}
			m.booked = true
		case SendConfirm:
			n, p := m.life.Attempt-1, m.life.Phase-1
			m.till.way[n][p] = m.till.saved[n][p] == nothingYet
			m.waits[n][p] = true
		case SendCancel:
			m.till.cancel = !m.till.over()
		}
	}
	return ""
}

// growOld: what was read before a send is told from what is read after it. Of what stands under way it then says nothing more (seenSince).
func (m *moment) growOld() {
	for i, r := range m.reads {
		m.reads[i].before = r.stands != 0
	}
}

// asked is the payment as the reader had it before him: that it was as it is now, or another.
func (m moment) asked(r read) Life {
	l := m.life
	if r.before {
		l.Attempt = -1
	}
	return l
}

func (m moment) view() View {
	v := View{Payment: Payment{Life: m.life}}
	for n := range m.life.Attempt {
		v.Attempts = append(v.Attempts, Attempt{N: n + 1, PaymentMethod: cardNames[m.till.card[n]]})
	}
	return v
}

// viewOf is the payment as a process saw it that has sent this attempt's confirm and not looked since.
func (m moment) viewOf(n int) View {
	v := m.view()
	v.Payment.Attempt, v.Attempts = n, v.Attempts[:n]
	return v
}

// next is everything that can happen now.
func (x *exploration) next(m moment, each func(moment, cause)) {
	none := cause{n: -1}
	of := func(what string) cause { c := none; c.what = what; return c }
	bring := func(e Event, c cause) { x.happens(m, e, c, each) }

	// People.
	if m.life.Attempt < x.tries || m.life.State != Open {
		x.claims(m, each)
	}
	bring(Event{Kind: WasRevoked, Reason: ReasonAgent}, of("agent revokes"))
	bring(Event{Kind: WasResent, Life: x.begin.ExpiresAt.Sub(at(0))}, of("agent resends"))
	if x.dashboard && m.till.confirmable() {
		gone, paid := m, m
		gone.till = gone.till.canceled()
		each(gone, of("dashboard: canceled"))
		paid.till = paid.till.pays(aStrangers)
		each(paid, of("dashboard: paid with another card"))
		if m.till.stands != fresh {
			bare := m
			bare.till.stands, bare.till.holds = fresh, noCard
			each(bare, of("dashboard: its card is taken off"))
		}
	}

	// Time, and what comes with it.
	if int(m.clock)+1 < len(x.times) {
		later := m
		later.clock++
		each(later, of("time passes"))
	}
	if !m.life.State.Booked() { // what becomes of money that is in the books is a model of its own (model_money_test.go)
		bring(Event{Kind: Tick}, of("sweeper"))
	}
	if m.life.State != Open || m.life.IntentID != "" {
		bring(Event{Kind: CreditCovers}, of("credit pays"))
	}
	if !m.life.State.Booked() {
		for _, k := range []EventKind{AskedBack, DroppedBack, GotBack, BackRefused, BackUnclear, BackDead, Decided} {
			if x.met != nil && !x.met[stateNumber(m.life.State)][eventNumber(k)] && (k != Decided || m.life.State != Review) { // it changes nothing, wherever it is met
				bring(Event{Kind: k, As: Paid}, of("finance"))
			}
		}
	}
	x.backs(m, each)
	if x.notSent {
		bring(Event{Kind: NotHandedOver}, of("outbox gives up"))
	}
	if x.odd {
		bring(Event{Kind: GotMismatch}, of("a look shows what is not ours"))
	}
	if x.creating && m.till.stands == 0 {
		made := m
		made.till.stands = fresh
		each(made, of("Stripe makes the PaymentIntent"))
	} else if !m.restored() || m.till.stands == charged || m.life.IntentID != "" { // T24: after a restore only a charge tells of it
		bring(Event{Kind: GotIntent, Intent: "pi_1"}, of("the PaymentIntent's id comes"))
		bring(Event{Kind: GotIntent, Intent: "pi_2"}, of("another PaymentIntent's id comes"))
	}
	if m.life.IntentID != "" {
		if m.life.State.InFlight() { // a look that Stripe did not answer
			e := Event{Kind: GotNothing, Attempt: m.life.Attempt}
			if m.life.State == Unknown {
				bring(e, of("a look is not answered"))
			}
		}
		x.looks(m, 0, none, each)
	}
	for i, r := range m.reads {
		if r.stands != 0 {
			home := m
			home.reads[i] = read{}
			x.home(home, r, each)
		}
	}

	// Stripe, and its answers.
	m.till.byItself(func(what string, t till) {
		n := m
		n.till = t
		c := of(what)
		if broken := chargeBreaks(m, n, -1); broken != "" {
			x.fail(broken, m, c)
		}
		each(n, c)
	})
	for n := range x.tries {
		for p := range 2 {
			carried := func(what string, t till) {
				to, c := m, cause{what: "Stripe " + what, n: n, p: p}
				to.till = t
				if broken := chargeBreaks(m, to, n); broken != "" {
					x.fail(broken, m, c)
				}
				each(to, c)
			}
			if m.till.way[n][p] {
				m.till.arrives(n, p, x.faults, carried)
			}
			if m.till.late[n][p] {
				m.till.comes(n, p, carried)
			}
			if m.waits[n][p] {
				x.answers(m, n, p, each)
			}
		}
	}
}

// backs is what becomes of the books: a backup is made, they are lost and restored from it, and the program is started in reconcile-only mode; whoever was about
// has died, and Stripe goes on from the present. The mode ends once no payment is live and every cancel is answered.
func (x *exploration) backs(m moment, each func(moment, cause)) {
	to := m
	switch m.back.stage {
	case noBackup:
		if x.backups && !m.life.State.Booked() {
			to.back = backup{backedUp, m.life, m.trying, m.booked}
			each(to, cause{what: "a backup is made", n: -1})
		}
	case backedUp:
		to.life, to.trying, to.booked = m.back.life, m.back.trying, m.back.booked
		to.waits, to.reads, to.back = [mostTries][2]bool{}, [2]read{}, backup{stage: paused}
		each(to, cause{what: "the books are lost, and restored from the backup", n: -1})
	case paused:
		if !m.life.State.Live() && !m.life.CancelDue {
			to.back.stage = wentOn
			each(to, cause{what: "reconcile-only mode ends", n: -1})
		}
	}
}

// claims is a payer's press of the button, with a new card or one that was tried before.
func (x *exploration) claims(m moment, each func(moment, cause)) {
	n := m.life.Attempt
	for card := range uint8(n + 1) {
		card++
		old := int(card) <= n
		if old && (!x.sameToo || m.till.card[card-1] != card) {
			continue
		}
		what := "payer pays with a new card"
		if old {
			what = "payer pays with the card of attempt " + fmt.Sprint(card)
		}
		x.happens(m, Event{Kind: Claim}, cause{what: what, n: -1}, func(to moment, c cause) {
			if to.life.Attempt > n {
				to.till.card[n] = card
			}
			each(to, c)
		})
	}
}

// looks is a GET that Stripe answers. Where there is no place for one more, an older one is forgotten: its process was killed.
func (x *exploration) looks(m moment, refused uint8, c cause, each func(moment, cause)) {
	now := read{face: m.till.face, refused: refused}
	for i := range x.reads {
		if m.reads[i] == now {
			return
		}
	}
	for i := range x.reads {
		to := m
		to.reads[i] = now
		c.what = "somebody reads " + string(statusOf[now.stands])
		each(to, c)
		if m.reads[i].stands == 0 {
			return
		}
	}
}

// home brings home what was read: Machine.settle, and the end of Machine.confirm where Stripe has refused it.
func (x *exploration) home(m moment, r read, each func(moment, cause)) {
	in := r.intent()
	c := cause{what: "what was read (" + string(in.Status) + ") comes home", n: -1}
	if m.life.State == Review { // a person has looked, and decides by that
		e := Event{Kind: Decided, Attempt: seen(in, m.view()).Attempt}
		if r.stands == charged {
			e.Charged, e.Matches = 1, true
		}
		for _, e.As = range []State{Paid, Refunded, Revoked, Applied} {
			x.happens(m, e, cause{what: "finance decides: " + string(e.As), n: -1}, each)
		}
	}
	if r.refused == 0 {
		x.happens(m, x.rules.seen(in, m.view(), m.asked(r)), c, each)
		return
	}
	n := int(r.refused)
	c.what, c.n = "a refusal comes home", n-1
	// The process may have seen the payment as it was at its confirm, or later.
	then, now := seen(in, m.viewOf(n)), seen(in, m.view())
	if then.Kind != NoTrace || now.Kind != NoTrace {
		x.happens(m, x.rules.seen(in, m.view(), m.asked(r)), c, each)
	}
	if then.Kind == NoTrace || now.Kind == NoTrace {
		x.happens(m, Event{Kind: GotRefusal, Attempt: n}, c, each)
	}
}

// answers is a process getting the answer that it waits for, or giving up. Another may be waiting for the same.
func (x *exploration) answers(m moment, n, p int, each func(moment, cause)) {
	c := cause{what: "the answer does not come", n: n, p: p}
	x.happens(m, Event{Kind: GotNothing, Attempt: n + 1}, c, each)
	c.what = "the answer comes"
	switch a := m.till.saved[n][p]; a {
	case nothingYet:
	case saidNo:
		x.happens(m, Event{Kind: GotDecline, Attempt: n + 1}, c, each)
	case saidBroken:
		x.happens(m, Event{Kind: GotDeadAnswer, Attempt: n + 1}, c, each)
	case saidRefuse:
		x.looks(m, uint8(n+1), c, each)
	default: // it shows the PaymentIntent as it was then
		x.happens(m, x.rules.seen(told(a, m.till, n).intent(), m.view(), m.sent(n, p)), c, each)
	}
}

// sent is the payment as the one had it before him who sent this confirm. Which copy it was is not kept: any may be the last.
func (m moment) sent(n, p int) Life {
	l := m.life
	l.Attempt, l.Phase = n+1, p+1
	return l
}

func told(a saved, t till, n int) face {
	switch a {
	case saidPaid:
		return face{stands: charged, paidBy: t.card[n]}
	case saidAsk:
		return face{stands: asking, holds: t.card[n]}
	}
	return face{stands: processing, holds: t.card[n]}
}

// --- One moment in twenty-four bytes --------------------------------------------------------------------------------------------------------

// key is a moment, packed. What the exploration leaves out is forgotten here: reasons, how often was looked, and when exactly it is due (anybody may
// look at any time); leases and ends are kept as the first of the scene's times at which they are over.
type key [3]uint64

type packer struct {
	k   key
	bit uint
}

func (p *packer) put(v uint64, bits uint) {
	if v >= 1<<bits {
		panic("model: a number does not fit")
	}
	p.k[p.bit/64] |= v << (p.bit % 64)
	if p.bit%64+bits > 64 {
		p.k[p.bit/64+1] |= v >> (64 - p.bit%64)
	}
	p.bit += bits
}

func (p *packer) get(bits uint) uint64 {
	v := p.k[p.bit/64] >> (p.bit % 64)
	if p.bit%64+bits > 64 {
		v |= p.k[p.bit/64+1] << (64 - p.bit%64)
	}
	p.bit += bits
	return v & (1<<bits - 1)
}

func (p *packer) flag(b bool) {
	v := uint64(0)
	if b {
		v = 1
	}
	p.put(v, 1)
}

func stateNumber(s State) uint64 {
	for i, one := range allStates {
		if one == s {
			return uint64(i) + 1
		}
	}
	return 0
}

// over is the number of the first of the scene's times at which t has come; 0 for no time.
func (s scene) over(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	for i := range s.times {
		if !s.times[i].Before(t) {
			return uint64(i) + 1
		}
	}
	panic("model: the scene ends before " + t.String())
}

func (s scene) packLife(p *packer, l Life) {
	p.put(stateNumber(l.State), 4)
	p.put(stateNumber(l.ClosingAs), 4)
	p.flag(l.IntentID != "")
	p.put(s.over(l.ExpiresAt), 4)
	p.put(s.over(l.LeaseUntil), 4)
	p.flag(!l.NextAt.IsZero())
	p.put(uint64(l.Attempt), 2)
	p.put(uint64(l.Phase), 2)
	p.put(uint64(min(l.Sends, 2)), 2)
	p.put(uint64(l.Declines), 3)
	p.put(uint64(l.Resends), 2)
	p.flag(l.Revoke)
	p.flag(l.CancelDue)
	p.flag(l.CardOnFile)
}

func (s scene) unpackLife(p *packer) (l Life, due bool) {
	yes := func() bool { return p.get(1) == 1 }
	state := func() State {
		if i := p.get(4); i > 0 {
			return allStates[i-1]
		}
		return ""
	}
	when := func() time.Time {
		if i := p.get(4); i > 0 {
			return s.times[i-1]
		}
		return time.Time{}
	}
	l.State, l.ClosingAs = state(), state()
	if yes() {
		l.IntentID = "pi_1"
	}
	l.ExpiresAt, l.LeaseUntil = when(), when()
	due = yes()
	l.Attempt, l.Phase, l.Sends, l.Declines, l.Resends = int(p.get(2)), int(p.get(2)), int(p.get(2)), int(p.get(3)), int(p.get(2))
	l.Revoke, l.CancelDue, l.CardOnFile = yes(), yes(), yes()
	return l, due
}

func (s scene) pack(m moment) key {
	for i, r := range m.reads {
		if r.before && r.refused == 0 && r.fault == noCard && !r.over() && r.stands != capturing && !s.keepsOld {
			m.reads[i] = read{} // it could only make the sweeper's tick, which may come anyway
		}
	}
	if m.reads[1].stands > m.reads[0].stands || m.reads[1].stands == m.reads[0].stands && m.reads[1].less(m.reads[0]) {
		m.reads[0], m.reads[1] = m.reads[1], m.reads[0]
	}
	l := m.life
	if m.settled() && m.back.stage != backedUp {
		m.clock = uint8(len(s.times) - 1)
		l.ExpiresAt, l.LeaseUntil = s.times[0], time.Time{}
	}
	p := &packer{}
	s.packLife(p, l)
	t := m.till
	packFace := func(f face) {
		p.put(uint64(f.stands), 3)
		p.put(uint64(f.holds), 2)
		p.put(uint64(f.fault), 2)
		p.put(uint64(f.paidBy), 3)
	}
	packFace(t.face)
	for n := range mostTries {
		p.put(uint64(t.card[n]), 2)
		for i := range 2 {
			p.put(uint64(t.saved[n][i]), 3)
			p.flag(t.way[n][i])
			p.flag(t.late[n][i])
			p.flag(m.waits[n][i])
		}
	}
	p.flag(t.cancel)
	for _, r := range m.reads {
		packFace(r.face)
		p.put(uint64(r.refused), 2)
		p.flag(r.before)
	}
	p.put(uint64(m.trying>>1), 3)
	p.flag(m.booked)
	p.put(uint64(m.clock), 4)
	p.put(uint64(m.back.stage), 2)
	if m.back.stage == backedUp {
		s.packLife(p, m.back.life)
		p.put(uint64(m.back.trying>>1), 3)
		p.flag(m.back.booked)
	}
	return p.k
}

func (r read) less(o read) bool {
	a, b := [5]uint8{r.holds, r.fault, r.paidBy, r.refused}, [5]uint8{o.holds, o.fault, o.paidBy, o.refused}
	if r.before {
		a[4] = 1
	}
	if o.before {
		b[4] = 1
	}
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}

func (s scene) unpack(k key) moment {
	p := &packer{k: k}
	yes := func() bool { return p.get(1) == 1 }
	var m moment
	var due bool
	m.life, due = s.unpackLife(p)
	l := &m.life
	t := &m.till
	unpackFace := func() face {
		return face{stands: stands(p.get(3)), holds: uint8(p.get(2)), fault: uint8(p.get(2)), paidBy: uint8(p.get(3))}
	}
	t.face = unpackFace()
	for n := range mostTries {
		t.card[n] = uint8(p.get(2))
		for i := range 2 {
			t.saved[n][i] = saved(p.get(3))
			t.way[n][i], t.late[n][i] = yes(), yes()
			m.waits[n][i] = yes()
		}
	}
	t.cancel = yes()
	for i := range m.reads {
		m.reads[i].face = unpackFace()
		m.reads[i].refused = uint8(p.get(2))
		m.reads[i].before = yes()
	}
	m.trying = uint8(p.get(3)) << 1
	m.booked = yes()
	m.clock = uint8(p.get(4))
	if due {
		l.NextAt = s.times[m.clock]
	}
	if m.back.stage = stage(p.get(2)); m.back.stage == backedUp {
		if m.back.life, due = s.unpackLife(p); due {
			m.back.life.NextAt = s.times[m.clock]
		}
		m.back.trying, m.back.booked = uint8(p.get(3))<<1, yes()
	}
	return m
}

// String is a moment as one line, for whoever has to understand a failure.
func (m moment) String() string {
	l, t := m.life, m.till
	var b strings.Builder
	fmt.Fprintf(&b, "%s", l.State)
	if l.ClosingAs != "" {
		fmt.Fprintf(&b, " closing as %s", l.ClosingAs)
	}
	for _, f := range []struct {
		word string
		yes  bool
	}{{"revoke", l.Revoke}, {"cancel due", l.CancelDue}, {"booked", m.booked}, {"backed up", m.back.stage == backedUp}, {"RESTORED, PAUSED", m.back.stage == paused}, {"restored", m.back.stage == wentOn}, {"NOT DUE", l.NextAt.IsZero() && l.State.Live()}} {
		if f.yes {
			b.WriteString(", " + f.word)
		}
	}
	fmt.Fprintf(&b, ", attempt %d phase %d sends %d declines %d | Stripe: %s", l.Attempt, l.Phase, l.Sends, l.Declines, statusOf[t.stands])
	for i, card := range []uint8{t.holds, t.fault, t.paidBy} {
		if card != noCard {
			fmt.Fprintf(&b, ", %s %s", []string{"holds", "error names", "charged"}[i], cardNames[card])
		}
	}
	for n := range l.Attempt {
		for p := range 2 {
			if t.way[n][p] {
				fmt.Fprintf(&b, ", a confirm %d:%d is on its way", n+1, p+1)
			}
			if t.late[n][p] {
				fmt.Fprintf(&b, ", a 500's effect of %d:%d is to come", n+1, p+1)
			}
			if m.waits[n][p] {
				fmt.Fprintf(&b, ", somebody waits for %d:%d", n+1, p+1)
			}
		}
	}
	if t.cancel {
		b.WriteString(", a cancel is on its way")
	}
	for _, r := range m.reads {
		if r.stands != 0 {
			fmt.Fprintf(&b, " | in somebody's hands: %s", statusOf[r.stands])
			if r.refused > 0 {
				fmt.Fprintf(&b, " after the refusal of %d", r.refused)
			}
		}
	}
	return b.String()
}

var errRefusals = []error{
	ErrClosed, ErrElsewhere, ErrNotReady, ErrResends, ErrNeedsReview, errWrongIntent, ErrPaused, ErrNotCharged, ErrCharged, ErrTotalMoved, ErrAccountBusy, ErrRefunding, ErrTooMuch,
}

func refusal(err error) bool {
	for _, one := range errRefusals {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}

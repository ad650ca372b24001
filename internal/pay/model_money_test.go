package pay

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"paylink/internal/money"
)

// The money's model goes on where the other ends: with money that is in the books. Next and compare as the program uses them are joined to Stripe's refunds and
// disputes, to finance, and to our processes, which read Stripe's list before they do anything, sleep at any place, and die. What a card's echo may still say
// changes nothing any more (TestEveryStateMeetsEveryEvent). The charge is two units, so that a part of it can go back. That a key makes one refund, and that no
// more goes back than was charged, is Stripe's promise and built in; that we ask no more often than we were asked, and know what became of it, is to be proven.

const (
	ownRefunds = 2 // requests of ours at most; the third place is a refund that somebody makes in the dashboard
	dashboard  = ownRefunds
	whole      = money.Cents(2)
)

// backing is one refund: as our books have it, as it is at Stripe, and what its key has answered.
type backing struct {
	amount money.Cents
	row    RefundState  // "" none
	made   RefundStatus // "" not made
	said   saved        // saidPaid: made
	way    bool         // a copy of the request may still arrive
	later  bool         // a 500 whose effect comes later, perhaps
	waits  bool         // processes wait for its answer
}

// hand is a process: what it has read of Stripe's list, and how far it has come.
type hand struct {
	step  uint8 // 0: none; read: not yet brought home; knows: brought home; sends: a request, as the rows were then
	made  [ownRefunds + 1]RefundStatus
	fight string // dispute
	of    uint8  // request that it sends
}

const (
	hasRead uint8 = iota + 1
	knows
	sends
)

type rowsThen struct {
	life  Life
	rows  [ownRefunds + 1]RefundState
	fight string
}

type purse struct {
	life  Life
	back  [ownRefunds + 1]backing
	fight string // the dispute at Stripe; "" none
	known string // … as our books have it
	hands [2]hand
	stage stage
	then  rowsThen
}

// moneyScene is a bounded world for money that is in the books.
type moneyScene struct {
	name   string
	begin  []Life
	hands  int
	own    int // refunds that may be asked for
	broken bool
	elsewhere,
	fights,
	fails,
	backups bool
}

func inTheBooks(s State, r Reason, change ...func(*Life)) Life {
	l := Life{State: s, Reason: r, IntentID: "pi_1", Charged: whole}
	if s == PaidAfterClose {
		l.NextAt = at(0)
	}
	for _, f := range change {
		f(&l)
	}
	return l
}

// beginnings is every life that money has when it is booked, but for what no longer counts.
var beginnings = []Life{
	inTheBooks(Paid, ""),
	inTheBooks(PaidAfterClose, Reason(Expired)),
	inTheBooks(PaidAfterClose, Reason(Revoked)), // and every other end
	inTheBooks(PaidAfterClose, ReasonRestored, func(l *Life) { l.Held = true }),
	inTheBooks(PaidAfterClose, ReasonReview, func(l *Life) { l.Refunding = RefundAsked }),
}

// begins says whether the money's model begins with a life as it is when money has just been booked: the cards' model holds every booking against it.
func begins(l Life) bool {
	r := l.Reason
	if r == Reason(Superseded) || r == Reason(Locked) || r == Reason(Declined) {
		r = Reason(Revoked) // T16 tells only expired from the others
	}
	return l.ClosingAs == "" && !l.CancelDue && l.GivenBack == 0 && slices.ContainsFunc(beginnings, func(b Life) bool {
		return b.State == l.State && b.Reason == r && b.Held == l.Held && b.Refunding == l.Refunding && (b.NextAt.IsZero() || !l.NextAt.IsZero() || b.Held)
	})
}

var moneyScenes = []moneyScene{
	{name: "a refund, two processes", begin: beginnings, hands: 2, own: 1, broken: true},
	{name: "two refunds", begin: beginnings, hands: 1, own: 2, broken: true, fails: true},
	{name: "another in the dashboard", begin: beginnings, hands: 1, own: 1, broken: true, elsewhere: true, fails: true},
	{name: "a dispute", begin: beginnings, hands: 1, own: 1, fights: true, fails: true},
	{name: "money, restored from a backup", begin: beginnings[:4], hands: 1, own: 1, elsewhere: true, backups: true},
}

type moneyExploration struct {
	moneyScene
	next  func(Life, Event) (Life, []Effect, error)
	names bool // a refund's answer counts for that refund only
	met   *[16][32]bool
	found []purse
	from  []int32
	how   []string
	place map[purse]int32
	at    int32
	bad   string
	fair  map[purse]bool // moments that come to a good end by themselves
}

// tidy forgets what the exploration leaves out, and what can make no difference any more.
func (p purse) tidy() purse {
	if !p.life.NextAt.IsZero() {
		p.life.NextAt = at(0)
	}
	p.life.Looks = 0
	for i := range p.back {
		if b := &p.back[i]; b.said != nothingYet {
			b.way = false
		}
	}
	if p.hands[0].less(p.hands[1]) {
		p.hands[0], p.hands[1] = p.hands[1], p.hands[0]
	}
	if p.stage != backedUp {
		p.then = rowsThen{}
	} else if !p.then.life.NextAt.IsZero() {
		p.then.life.NextAt = at(0)
	}
	return p
}

func (h hand) less(o hand) bool {
	switch {
	case h.step != o.step:
		return h.step < o.step
	case h.of != o.of:
		return h.of < o.of
	case h.fight != o.fight:
		return h.fight < o.fight
	}
	return slices.Compare(h.made[:], o.made[:]) < 0
}

func (x *moneyExploration) add(p purse, how string) {
	p = p.tidy()
	if _, ok := x.place[p]; !ok {
		x.place[p] = int32(len(x.found))
		x.found, x.from, x.how = append(x.found, p), append(x.from, x.at), append(x.how, how)
	}
}

func (x *moneyExploration) run(most int) bool {
	x.place, x.fair, x.at = map[purse]int32{}, map[purse]bool{}, -1
	for _, l := range x.begin {
		p := purse{life: l}
		if l.Refunding != NoRefund {
			p.back[0] = backing{amount: l.Charged, row: RefundWaits}
		}
		x.add(p, "")
	}
	for i := 0; i < len(x.found) && x.bad == ""; i++ {
		if i > most {
			return false
		}
		x.at = int32(i)
		p := x.found[i]
		x.fail(p.breaks())
		if x.bad == "" {
			x.fail(x.settles(p))
		}
		if x.bad == "" {
			x.steps(p)
		}
	}
	return x.bad == ""
}

func (x *moneyExploration) fail(rule string) {
	if x.bad == "" {
		x.bad = rule
	}
}

func (x *moneyExploration) story() string {
	var lines []string
	for i := x.at; i >= 0; i = x.from[i] {
		lines = append(lines, "    "+x.found[i].String(), "→ "+x.how[i])
	}
	slices.Reverse(lines)
	return fmt.Sprintf("scene %q breaks %s\n%s", x.name, x.bad, strings.Join(lines, "\n"))
}

func (p purse) String() string {
	l := p.life
	s := fmt.Sprintf("%s %s held=%v refunding=%d back=%d/%d due=%v stage=%d", l.State, l.Reason, l.Held, l.Refunding, l.GivenBack, l.Charged, !l.NextAt.IsZero(), p.stage)
	for i, b := range p.back {
		if b != (backing{}) {
			s += fmt.Sprintf(" | refund %d: %+v", i+1, b)
		}
	}
	for _, h := range p.hands {
		if h.step != 0 {
			s += fmt.Sprintf(" | process %+v", h)
		}
	}
	return s + fmt.Sprintf(" | dispute %q known %q", p.fight, p.known)
}

// --- Our side ---------------------------------------------------------------------------------------------------------------------------

var idOf, stripeIDOf = [...]string{"r1", "r2", "d"}, [...]string{"re_1", "re_2", "re_3"}

func (p purse) view() View {
	v := View{Payment: Payment{ID: "p", Life: p.life}, Facts: Facts{Now: at(0)}}
	for i, b := range p.back {
		if b.row == "" {
			continue
		}
		r := Refund{ID: idOf[i], Amount: b.amount, State: b.row}
		if b.row != RefundWaits && b.row != RefundNotMade {
			r.StripeID = stripeIDOf[i]
		}
		v.Refunds = append(v.Refunds, r)
	}
	if p.known != "" {
		v.Disputes = []Dispute{{ID: "dp", Status: p.known}}
	}
	return v
}

func (p purse) shown(h hand) ([]GivenBack, []Contest) {
	var list []GivenBack
	for i, status := range h.made {
		if status == "" {
			continue
		}
		g := GivenBack{ID: stripeIDOf[i], Amount: p.back[i].amount, Status: status}
		if i < ownRefunds {
			g.RefundID = idOf[i]
		}
		list = append(list, g)
	}
	if h.fight == "" {
		return list, nil
	}
	return list, []Contest{{ID: "dp", Status: h.fight}}
}

func (p purse) reads() hand {
	h := hand{step: hasRead, fight: p.fight}
	for i, b := range p.back {
		h.made[i] = b.made
	}
	return h
}

// happens brings an event home and keeps what is to be kept of its effects.
func (x *moneyExploration) happens(p purse, e Event, each func(purse)) {
	v := p.view()
	e.Now = at(0)
	e.Paused = p.stage == paused
	if e.Kind != GotBack {
		e.Waiting = slices.ContainsFunc(v.Refunds, func(r Refund) bool { return r.State == RefundOnWay }) || slices.ContainsFunc(v.Disputes, func(d Dispute) bool { return !d.Over() })
	}
	if x.met != nil {
		x.met[stateNumber(p.life.State)][eventNumber(e.Kind)] = true
	}
	l, do, err := x.next(p.life, e)
	if err != nil {
		if l != p.life || len(do) > 0 || !slices.Contains(asks, e.Kind) {
			x.fail("total: a refusal changes something, or a fact is refused")
		}
		return
	}
	if broken := promisesOfMoney(p.life, e, l, do); broken != "" {
		x.fail("money: " + broken)
		return
	}
	if wants(l, e) && l.NextAt.IsZero() {
		x.fail("due: nobody will look at it again")
		return
	}
	if !wants(l, e) && !l.NextAt.IsZero() && l != p.life && !looksOnce(p.life, e) {
		x.fail("due: settled, and looked at for ever")
		return
	}
	p.life = l
	for _, d := range do {
		switch d.Kind {
		case StartRefund:
			i := slices.IndexFunc(p.back[:ownRefunds], func(b backing) bool { return b == backing{} })
			if i < 0 || i >= x.own {
				return // the scene has no place for one more
			}
			p.back[i] = backing{amount: d.Amount, row: RefundWaits}
		case EndRefund:
			i := slices.IndexFunc(p.back[:], func(b backing) bool { return b.row == RefundWaits })
			if i < 0 {
				x.fail("rows: a refund ends that does not wait")
				return
			}
			p.back[i].row = RefundNotMade
		}
	}
	each(p)
}

// learns brings home what a process has read, as Machine.learn does.
func (x *moneyExploration) learns(p purse, h hand, each func(purse)) {
	refunds, contests := p.shown(h)
	t := compare(p.view(), func() string { return idOf[dashboard] }, refunds, contests)
	if t.nothing() {
		each(p)
		return
	}
	x.happens(p, Event{Kind: GotBack, Amount: t.back, Settled: t.settled, Waiting: t.waiting, Contest: t.contest}, func(to purse) {
		for _, r := range t.refunds {
			to.back[slices.Index(stripeIDOf[:], r.StripeID)].row = r.State
		}
		if len(t.disputes) > 0 {
			to.known = t.disputes[0].Status
		}
		each(to)
	})
}

// waiting is the number of the request that waits for Stripe's answer, -1 for none.
func (p purse) waiting() int {
	return slices.IndexFunc(p.back[:], func(b backing) bool { return b.row == RefundWaits })
}

// goesOn is a process that knows what Stripe's list shows: the sweeper's tick, or the sending of what waits.
func (x *moneyExploration) goesOn(p purse, slot int, each func(purse, string)) {
	p.hands[slot] = hand{}
	for i := range 8 {
		e := Event{Kind: Tick, Bound: i&1 != 0, Alone: i&2 != 0, Many: i&4 != 0}
		if i > 0 && (p.life.State != PaidAfterClose || p.life.Held || p.life.Refunding != NoRefund) {
			break
		}
		x.happens(p, e, func(to purse) { each(to, "sweeper") })
	}
	i := p.waiting()
	if i < 0 || p.life.Refunding != RefundAsked {
		return
	}
	if p.back[i].amount > p.life.Charged-p.life.GivenBack {
		x.happens(p, Event{Kind: BackRefused}, func(to purse) { each(to, "it is too much by now") })
		return
	}
	p.hands[slot] = hand{step: sends, of: uint8(i)}
	each(p, "is about to send")
}

// answered is the answer to a request coming home, to one who sent it.
func (x *moneyExploration) answered(p purse, i int, each func(purse)) {
	kind := BackUnclear
	switch p.back[i].said {
	case saidPaid:
		h := p.reads()
		x.learns(p, h, each)
		return
	case saidRefuse:
		kind = BackRefused
	case saidBroken:
		kind = BackDead
	}
	if x.names && kind != BackUnclear && p.waiting() != i { // Machine.ofRefund
		each(p)
		return
	}
	x.happens(p, Event{Kind: kind}, each)
}

func (x *moneyExploration) steps(p purse) {
	add := func(how string) func(purse) { return func(to purse) { x.add(to, how) } }
	// People.
	for _, alone := range []bool{true, false} {
		for _, n := range []money.Cents{1, whole} {
			x.happens(p, Event{Kind: AskedBack, Amount: n, Alone: alone}, add([]string{"", "finance gives back a part", "finance gives back all"}[n]))
		}
		for _, as := range []State{Applied, Refunded, Paid, Revoked} {
			for _, bound := range []bool{true, false} {
				x.happens(p, Event{Kind: Decided, As: as, Bound: bound, Alone: alone}, add("finance decides: "+string(as)))
			}
		}
	}
	x.happens(p, Event{Kind: DroppedBack}, add("finance drops the refund"))
	for _, k := range []EventKind{Claim, WasRevoked, WasResent, CreditCovers, GotSuccess, GotDecline, GotAction, GotReady, GotRefusal, GotNothing, GotDeadAnswer, NoTrace, StillRunning, NotHandedOver} {
		if x.met != nil && !x.met[stateNumber(p.life.State)][eventNumber(k)] { // it changes nothing, wherever it is met
			x.happens(p, Event{Kind: k}, func(to purse) {
				if to != p {
					x.fail("final: a card's echo moves money that is in the books")
				}
			})
		}
	}
	x.happens(p, Event{Kind: GotIntent, Intent: "pi_1"}, add("its id comes"))
	x.happens(p, Event{Kind: GotMismatch}, add("a look shows what is not ours"))

	// Processes.
	for i := range x.hands {
		switch h := p.hands[i]; h.step {
		case 0:
			to := p
			to.hands[i] = p.reads()
			x.add(to, "somebody reads the list")
			if i == 0 {
				x.happens(p, Event{Kind: BackUnclear}, add("somebody gets no list"))
			}
		case hasRead:
			to := p
			to.hands[i] = hand{step: knows}
			x.learns(to, h, add("the list comes home"))
		case knows:
			x.goesOn(p, i, func(to purse, how string) { x.add(to, how) })
		case sends:
			to := p
			to.hands[i] = hand{}
			to.back[h.of].way, to.back[h.of].waits = to.back[h.of].said == nothingYet, true
			x.add(to, "sends it")
		}
		if p.hands[i].step != 0 {
			to := p
			to.hands[i] = hand{}
			x.add(to, "a process dies")
		}
	}
	for i, b := range p.back {
		if !b.waits {
			continue
		}
		lost := p
		x.happens(lost, Event{Kind: BackUnclear}, add("the answer does not come"))
		if b.said != nothingYet {
			x.answered(p, i, add("the answer comes"))
		}
	}

	// Stripe, the bank, and whoever else has a key.
	x.stripe(p, x.add)

	// The books.
	switch to := p; p.stage {
	case noBackup:
		if x.backups {
			to.stage, to.then = backedUp, rowsThen{life: p.life, fight: p.known}
			for i, b := range p.back {
				to.then.rows[i] = b.row
			}
			x.add(to, "a backup is made")
		}
	case backedUp:
		to.life, to.known, to.hands, to.stage = p.then.life, p.then.fight, [2]hand{}, paused
		to.life.NextAt = at(0) // a restored payment is looked at, whatever it is
		for i := range to.back {
			to.back[i].row, to.back[i].waits = p.then.rows[i], false
		}
		x.add(to, "the books are lost, and restored from the backup")
	case paused:
		to.stage = wentOn
		x.add(to, "reconcile-only mode ends")
	}
}

// left is what Stripe would still give back.
func (p purse) left() money.Cents {
	n := whole
	for _, b := range p.back {
		if b.made == RefundPending || b.made == RefundSucceeded {
			n -= b.amount
		}
	}
	return n
}

func (p purse) busy() bool {
	return p.hands != [2]hand{} || slices.ContainsFunc(p.back[:], func(b backing) bool { return b.way })
}

func (x *moneyExploration) stripe(p purse, each func(purse, string)) {
	for i, b := range p.back {
		put := func(how string, change func(*backing)) {
			to := p
			change(&to.back[i])
			each(to, how)
		}
		if b.way {
			x.arrives(p, i, each)
		}
		if b.later {
			if b.amount <= p.left() {
				put("Stripe makes it after all", func(b *backing) { b.later, b.made = false, RefundSucceeded })
			}
			put("nothing comes of it", func(b *backing) { b.later = false })
		}
		switch b.made {
		case RefundPending:
			put("it is there", func(b *backing) { b.made = RefundSucceeded })
			put("it fails", func(b *backing) { b.made = RefundFailed })
		case RefundSucceeded:
			if x.fails && !p.busy() { // it takes days: whatever was on its way has come, or never will
				put("it fails later", func(b *backing) { b.made = RefundFailed })
			}
		}
	}
	if x.elsewhere && p.back[dashboard].made == "" {
		for n := money.Cents(1); n <= p.left(); n++ {
			to := p
			to.back[dashboard].amount, to.back[dashboard].made = n, RefundSucceeded
			each(to, "dashboard: refunded")
		}
	}
	if x.fights {
		for from, tos := range map[string][]string{"": {"needs_response"}, "needs_response": {"won", "lost"}} {
			for _, status := range tos {
				if p.fight == from {
					to := p
					to.fight = status
					each(to, "dispute: "+status)
				}
			}
		}
	}
}

// arrives is a request being carried out: everything that may come of it.
func (x *moneyExploration) arrives(p purse, i int, each func(purse, string)) {
	put := func(how string, said saved, made RefundStatus, later bool) {
		to := p
		b := &to.back[i]
		b.said, b.way, b.later = said, false, later
		if made != "" {
			b.made = made
		}
		each(to, how)
	}
	put("Stripe refuses", saidRefuse, "", false)
	if p.back[i].amount <= p.left() && (p.fight == "" || p.fight == "won") {
		put("Stripe makes it", saidPaid, RefundSucceeded, false)
		put("Stripe makes it, pending", saidPaid, RefundPending, false)
		if x.broken {
			put("Stripe fails, its effect to come", saidBroken, "", true)
			put("Stripe fails, half done", saidBroken, RefundSucceeded, false)
		}
	}
	if x.broken {
		put("Stripe fails, rolled back", saidBroken, "", false)
	}
}

// --- Rules ------------------------------------------------------------------------------------------------------------------------------

// breaks says which rule a moment breaks.
func (p purse) breaks() string {
	sum := money.Cents(0)
	for _, b := range p.back {
		if b.row == RefundOnWay || b.row == RefundDone {
			sum += b.amount
		}
		if b.row == RefundDone && b.made == "" {
			return "books: a refund is in the books that was never made"
		}
	}
	waits := p.waiting() >= 0
	switch {
	case sum != p.life.GivenBack:
		return "books: the rows and what was given back disagree"
	case sum > whole:
		return "books: more is given back than was charged"
	case waits != (p.life.Refunding != NoRefund):
		return "rows: a refund waits and the payment does not know, or the other way round"
	}
	for i, b := range p.back {
		if b.row == "" && i < ownRefunds && (b.way || b.said != nothingYet) && !(p.stage == paused || p.stage == wentOn) {
			return "rows: a refund was sent whose row was not written"
		}
		if b.row == RefundNotMade && b.made == "" && b.said == nothingYet && b.way && p.waiting() < 0 && p.life.Refunding == NoRefund && p.left() >= b.amount {
			return "told: a refund is told as refused while it may still be made"
		}
	}
	return ""
}

// settles lets nothing more go wrong: whoever was about has died, what was on its way is lost, the bank and Stripe come to an end, a webhook has the payment
// looked at, and the sweeper comes while it is due. In so many rounds it must be at its end, with its books as Stripe's, or wait for a person who was told.
func (x *moneyExploration) settles(p purse) string {
	p.hands = [2]hand{}
	for i := range p.back {
		b := &p.back[i]
		b.way, b.waits, b.later = false, false, false
		if b.made == RefundPending {
			b.made = RefundSucceeded
		}
	}
	if p.fight == "needs_response" {
		p.fight = "lost"
	}
	p = p.tidy()
	if x.fair[p] {
		return ""
	}
	quiet := &moneyExploration{moneyScene: x.moneyScene, next: x.next, names: x.names}
	worst := ""
	quiet.round(p, 0, func(end purse) {
		if worst == "" {
			worst = end.atEnd()
		}
	})
	if worst == "" && quiet.bad != "" {
		worst = quiet.bad
	}
	x.fair[p] = worst == ""
	return worst
}

const moneyRounds = 8

func (x *moneyExploration) round(p purse, n int, each func(purse)) {
	if n > 0 && p.life.NextAt.IsZero() {
		each(p)
		return
	}
	if n == moneyRounds {
		if p.life.Refunding == RefundStuck {
			each(p) // it is looked for until a person drops it
			return
		}
		x.fail("settles: too slowly")
		return
	}
	x.learns(p, p.reads(), func(p purse) {
		if i := p.waiting(); i >= 0 && p.life.Refunding == RefundAsked {
			if p.back[i].amount > p.life.Charged-p.life.GivenBack {
				x.happens(p, Event{Kind: BackRefused}, func(to purse) { x.round(to, n+1, each) })
				return
			}
			again := func(to purse) { x.answered(to, i, func(to purse) { x.round(to, n+1, each) }) }
			if p.back[i].said != nothingYet {
				again(p)
				return
			}
			x.arrives(p, i, func(to purse, how string) {
				for j := range to.back {
					to.back[j].later = false
					if to.back[j].made == RefundPending {
						to.back[j].made = RefundSucceeded
					}
				}
				again(to)
			})
			return
		}
		for _, bound := range []bool{true, false} {
			x.happens(p, Event{Kind: Tick, Bound: bound, Alone: true}, func(to purse) { x.round(to, n+1, each) })
		}
	})
}

func (p purse) atEnd() string {
	books, there := money.Cents(0), whole-p.left()
	for _, b := range p.back {
		if b.row == RefundOnWay || b.row == RefundDone {
			books += b.amount
		}
	}
	switch {
	case books != there:
		return fmt.Sprintf("settles: the books say %d went back, Stripe %d", books, there)
	case p.fight != p.known:
		return "settles: a dispute is not known"
	case p.life.Refunding == RefundAsked:
		return "settles: a refund still waits"
	case p.life.State == PaidAfterClose && !p.life.Held && p.life.Refunding != RefundStuck:
		return "settles: late money is neither applied nor refunded, and nobody was asked"
	}
	return ""
}

// ---------------------------------------------------------------------------------------------------------------------------------------

const moneyMost = 400_000

// everything: the whole run goes to every scene's end, the plain one stops early.
func everything() bool { return *deep || os.Getenv("PAYLINK_TEST_ALL") == "1" }

// exploreMoney is the money's part of TestWhateverHappensToAPaymentTheRulesHold.
func exploreMoney(t *testing.T, met *[16][32]bool) {
	total, began := 0, time.Now()
	for _, s := range moneyScenes {
		t.Run(s.name, func(t *testing.T) {
			x := &moneyExploration{moneyScene: s, next: Next, names: true, met: met}
			most := plainMost
			if underRace {
				most = raceMost
			} else if everything() {
				most = moneyMost
			}
			complete := x.run(most)
			if x.bad != "" {
				t.Fatal(x.story())
			}
			if !complete && most == moneyMost {
				t.Errorf("it is not at its end after %d moments", len(x.found))
			}
			total += len(x.found)
			t.Logf("%d moments, at its end: %v", len(x.found), complete)
		})
	}
	t.Logf("%d moments in %s", total, time.Since(began).Round(time.Millisecond))
}

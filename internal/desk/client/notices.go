package client

import (
	"context"
	"time"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/wallet"
)

// NoticeStore reads what has happened to an account from its trail, and remembers how far its owner has read.
type NoticeStore interface {
	// Notices lists the entries of a client's own trail that are one of these acts and were not refused, newest first: those before a place (0: from the newest on) and after another, at most limit of
	// them, with the facts about their objects. It fills everything but Words and Room.
	Notices(ctx context.Context, clientID string, acts []string, before, after int64, limit int) ([]Notice, error)
	// ReadNotices notes that everything up to a place was read. It never goes back.
	ReadNotices(ctx context.Context, clientID string, upTo int64) error
}

// Notice is something that has happened to an account, as its owner is told of it. It holds facts, and of what the trail says for the people who work here only a new browser's name.
type Notice struct {
	N      int64 // its place in the client's trail
	At     time.Time
	Act    string
	Unread bool
	Words  string // key of its words in internal/lang, which get the facts as arguments
	Room   string // key of the part of My Account where there is more to see; "" for none

	// Of the payment, invoice, card, vehicle or appointment that it is about; zero where it is about none.
	Payment   string
	Door      pay.Door
	State     pay.State   // of the payment, now
	Amount    money.Cents // of the payment or the invoice
	OwnNumber bool        // the link went to the client's own phone
	Vehicle   string      // its label
	InvoiceID string      // that was issued, or that the payment has issued
	PaidTo    day.Date    // Paid To Date after it; "" if none moved
	Card      pay.Card    // brand and last 4
	StartsAt  time.Time   // of the appointment, in its location's zone
	Browser   string      // "Chrome, Android", of a new one
}

// NewBrowser is the act of signing in by a browser that the client has not used before; its entry's detail is the browser's name and nothing else.
const NewBrowser = "sign in from a new browser"

// tellings is the one table of what a client is told: which act of the trail, in which words, and where it leads. The first row of an act that fits counts; an act whose rows don't fit, or that has
// none, is not told.
var tellings = []struct {
	act   string
	words string
	room  string
	fits  func(Notice) bool // nil: always
}{
	{"send link", "my.notice.link_own", "my.home", func(n Notice) bool { return n.OwnNumber }},
	{"send link", "my.notice.link_other", "my.home", nil},
	{"resend link", "my.notice.link_again", "my.home", nil},
	{"payment paid", "my.notice.paid_credit", "my.invoices", func(n Notice) bool { return n.Amount == 0 }},
	{"payment paid", "my.notice.paid_link", "my.invoices", by(pay.ByLink)},
	{"payment paid", "my.notice.paid_agent", "my.invoices", by(pay.ByAgent)},
	{"payment paid", "my.notice.paid_auto_pay", "my.invoices", by(pay.ByAutoPay)},
	{"payment paid", "my.notice.paid", "my.invoices", nil},
	{"decline card", "my.notice.declined_link", "my.home", by(pay.ByLink)},
	{"decline card", "my.notice.declined", "my.pay", nil},
	{"payment declined", "my.notice.declined_auto_pay", "my.pay", by(pay.ByAutoPay)},
	{"payment declined", "my.notice.declined", "my.pay", nil},
	{"payment locked", "my.notice.locked", "my.pay", nil},
	{"payment expired", "my.notice.link_expired", "my.pay", by(pay.ByLink)},
	{"payment superseded", "my.notice.superseded", "my.pay", by(pay.ByLink)},
	{"revoke payment", "my.notice.link_cancelled", "my.pay", func(n Notice) bool { return n.Door == pay.ByLink && n.State == pay.Revoked }},
	{"payment paid_after_close", "my.notice.late", "", nil},
	{"payment applied", "my.notice.late_applied", "my.invoices", nil},
	{"payment refunded", "my.notice.late_refunded", "", nil},
	{"refund payment", "my.notice.refund", "my.invoices", nil},
	{"add invoice", "my.notice.invoice", "my.invoices", nil},

	{setAutoPay, "my.notice.auto_pay_on", "my.auto_pay", nil},
	{changeAutoPay, "my.notice.auto_pay_changed", "my.auto_pay", nil},
	{endAutoPay, "my.notice.auto_pay_off", "my.auto_pay", nil},
	{"remind of Auto Pay", "my.notice.auto_pay_soon", "my.auto_pay", nil},
	{"stop Auto Pay", "my.notice.auto_pay_stopped", "my.auto_pay", nil},

	{"change password", "my.notice.password", "my.profile", nil},
	{"reset password", "my.notice.password", "my.profile", nil},
	{"add passkey", "my.notice.passkey_added", "my.profile", nil},
	{"remove passkey", "my.notice.passkey_removed", "my.profile", nil},
	{NewBrowser, "my.notice.browser", "my.profile", nil},
	{"change language", "my.notice.language", "my.profile", nil},
	{"change email address", "my.notice.mail", "my.profile", nil},
	{"change phone number", "my.notice.phone", "my.profile", nil},
	{changePlate, "my.notice.plate", "my.profile", nil},
	{"opt out of texts", "my.notice.texts_off", "my.profile", nil},
	{"opt in to texts", "my.notice.texts_on", "my.profile", nil},
	{wallet.ActAdd, "my.notice.card_added", "my.cards", nil},
	{wallet.ActRenew, "my.notice.card_renewed", "my.cards", nil},
	{wallet.ActMain, "my.notice.card_main", "my.cards", nil},
	{wallet.ActRemove, "my.notice.card_removed", "my.cards", nil},
	{wallet.ActUpdate, "my.notice.card_updated", "my.cards", nil},
	{wallet.ActLose, "my.notice.card_gone", "my.cards", nil},
	{wallet.ActWarn, "my.notice.card_expires", "my.cards", nil},
	{moveAppointment, "my.notice.appointment", "my.appointments", nil},
}

func by(door pay.Door) func(Notice) bool { return func(n Notice) bool { return n.Door == door } }

// told are the acts that the table knows.
func told() []string {
	var out []string
	for i, t := range tellings {
		if i == 0 || tellings[i-1].act != t.act {
			out = append(out, t.act)
		}
	}
	return out
}

// worded finds the words of notices, and leaves out those that are not told.
func worded(list []Notice, read int64) []Notice {
	var out []Notice
	for _, n := range list {
		for _, t := range tellings {
			if t.act == n.Act && (t.fits == nil || t.fits(n)) {
				n.Words, n.Room, n.Unread = t.words, t.room, n.N > read
				out = append(out, n)
				break
			}
		}
	}
	return out
}

// UnreadMost is how many unread notices are counted: nobody needs to know of more.
const UnreadMost = 99

// Notices are a page of what has happened to an account, newest first.
type Notices struct {
	List   []Notice
	Next   int64            // the place to go on from; 0 where there is nothing older
	Newest int64            // the place of the newest one shown; 0 for none
	At     account.Location // whose clock tells their times: where the client's first vehicle is serviced
}

// Notices lists what has happened to the account, before a place (0: from the newest on).
func (d *Desk) Notices(ctx context.Context, who Who, before int64, limit int) (Notices, error) {
	var out Notices
	a, err := d.Store.Access(ctx, who.ID)
	if err != nil {
		return out, err
	}
	list, err := d.Store.Notices(ctx, who.ID, told(), before, 0, limit+1)
	if err != nil {
		return out, err
	}
	if len(list) > 0 {
		out.Newest = list[0].N
	}
	if len(list) > limit {
		list = list[:limit]
		out.Next = list[limit-1].N
	}
	out.List = worded(list, a.Read)
	_, vehicles, err := d.Store.Client(ctx, who.ID)
	if err != nil || len(vehicles) == 0 {
		return out, err
	}
	out.At, err = d.Store.Location(ctx, vehicles[0].LocationID)
	return out, err
}

// Unread counts the notices that were not read, up to UnreadMost and one more.
func (d *Desk) Unread(ctx context.Context, who Who) (int, error) {
	a, err := d.Store.Access(ctx, who.ID)
	if err != nil {
		return 0, err
	}
	list, err := d.Store.Notices(ctx, who.ID, told(), 0, a.Read, UnreadMost+1)
	return len(worded(list, a.Read)), err
}

// ReadNotices marks everything as read up to a place: the newest that the page has shown, so that nothing is read that came in between. It changes nothing about the account, and so leaves no entry.
func (d *Desk) ReadNotices(ctx context.Context, who Who, upTo int64) error {
	return d.Store.ReadNotices(ctx, who.ID, upTo)
}

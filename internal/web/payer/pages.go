package payer

import (
	"maps"
	"strings"

	"paylink/internal/lang"
	"paylink/internal/web"
)

// Names of the pages, for web.Pages.Render.
const (
	LandingPage = "payer/landing" // Landing
	PayPage     = "payer/pay"     // Pay
	ReceiptPage = "payer/receipt" // Receipt
	StatePage   = "payer/state"   // State
)

// Chrome is what every payer's page has around its content.
type Chrome struct {
	web.Chrome
	Path         string // this page's own, for the language switch: "/pay"; "" shows no switch
	SupportPhone string // as people read it: "(804) 555-0100"
	SupportTel   string // as a phone dials it: "+18045550100"
	Reference    string // short, to be quoted on the phone: "7K2Q-4821"; "" if there is none
}

// Landing is GET /p: the same for everybody who reads the language, and so without a nonce.
type Landing struct{ Chrome }

// Pay is GET /pay while the payment is open.
type Pay struct {
	Chrome
	TotalDue     string            // "$98.58"
	DaysLabel    string            // lang.DaysOf; "" for a payment without days
	PaidTo       string            // the new Paid To Date as read, "Aug 9, 2025"; "" for a payment without days
	Lines        []web.SummaryLine // without the total
	SecondsLeft  int               // by the server's clock
	LinkMinutes  int               // how long a link is good for, as its text said
	Notice       string            // what the payer should know first, such as why the last card was declined; "" if nothing
	Terms        lang.Terms        // the text agreed to
	TermsVersion string
	ChargeNonce  string // binds payment, link and summary; not the policy's Nonce
	Script       Script
}

// Agree returns the consent sentence in three parts: before the link to the terms, the link's words, and after it.
func (p Pay) Agree() [3]string {
	before, rest, _ := strings.Cut(p.T("pay.agree", p.Brand, p.TotalDue), "[")
	words, after, _ := strings.Cut(rest, "]")
	return [3]string{before, words, after}
}

// ClockLeft returns the time left as the page first shows it, "8:42".
func (p Pay) ClockLeft() string { return web.ClockLeft(p.SecondsLeft) }

// Script is what the server tells pay.js. The words come from Texts.
type Script struct {
	StripeJS       string            `json:"stripeJs"`       // address of Stripe.js
	PublishableKey string            `json:"publishableKey"` // of the platform
	StripeAccount  string            `json:"stripeAccount"`  // connected account; "" is the platform's own
	Locale         string            `json:"locale"`         // "en", "es"
	Terms          string            `json:"terms"`          // version agreed to
	Nonce          string            `json:"nonce"`          // the charge nonce
	SecondsLeft    int               `json:"secondsLeft"`
	Attempt        string            `json:"attempt,omitempty"` // of a 3-D Secure that the page goes on with
	Texts          map[string]string `json:"texts"`
}

// NewScript returns the script's configuration for a page, with its words in the page's language.
func NewScript(p Pay, stripeJS, publishableKey, stripeAccount string) Script {
	return Script{StripeJS: stripeJS, PublishableKey: publishableKey, StripeAccount: stripeAccount, Locale: string(p.Lang),
		Terms: p.TermsVersion, Nonce: p.ChargeNonce, SecondsLeft: p.SecondsLeft, Texts: texts[p.Lang]}
}

// texts are made once: they are the same for everybody who reads the language.
var texts = map[lang.Lang]map[string]string{lang.English: scriptTexts(lang.English), lang.Spanish: scriptTexts(lang.Spanish)}

// scriptTexts are the words that pay.js says by itself. %s and %d are its to fill.
func scriptTexts(l lang.Lang) map[string]string {
	texts := web.CardTexts(l)
	maps.Copy(texts, map[string]string{
		"timeLeft":      l.T("pay.time_left", "%s"),
		"minutesLeft":   strings.Replace(l.T("pay.minutes_left", 5), "5", "%s", 1),
		"oneMinuteLeft": l.T("pay.minutes_left", 1),
		"secondsLeft":   strings.Replace(l.T("pay.seconds_left", 30), "30", "%s", 1),
		"unreachable":   l.T("card.unreachable"),
		"working":       l.T("pay.working"),
		"bankAsks":      l.T("pay.bank_asks"),
		"checking":      l.T("answer.unknown"),
		"badRequest":    l.T("answer.bad_request"),
		"offline":       l.T("pay.offline"),
		"online":        l.T("pay.online"),
		"overOffline":   l.T("pay.over_offline"),
		"showOther":     l.T("answer.other_link_show"),
	})
	return texts
}

// Answer is what POST /pay/charge, POST /pay/continue and GET /pay/status say to pay.js and state.js.
type Answer struct {
	State        string `json:"state"`                   // paid, needs_action, unknown, declined, closed, paying, terms, other_link, brand, open …
	Message      string `json:"message,omitempty"`       // a sentence in the payer's language: lang.Answer, lang.Decline
	Nonce        string `json:"nonce,omitempty"`         // for the next try
	TriesLeft    int    `json:"tries_left,omitempty"`    // after a decline
	ClientSecret string `json:"client_secret,omitempty"` // of needs_action, to the session that pays only
	Attempt      string `json:"attempt,omitempty"`       // of needs_action
	SecondsLeft  int    `json:"seconds_left,omitempty"`  // by the server's clock, of open
	Reason       string `json:"reason,omitempty"`        // machine's word: a decline code, the state that closed it
}

// Receipt is GET /pay/receipt.
type Receipt struct {
	Chrome
	TotalDue  string // what was paid, "$98.58"
	When      string // lang.DateTime in the location's zone
	CardBrand string // "Visa"; "" where no card was charged
	CardLast4 string
	PaidTo    string            // new Paid To Date as read; "" for a payment without days
	Lines     []web.SummaryLine // without the total
	MayText   bool              // "Text me this receipt" is offered
	Texted    bool              // it was asked for
	Back      string            // what has gone back since, "$40.00"; "" for nothing
	BackNote  string            // and when to expect it, in a sentence
	Whole     bool              // all of it has gone back
}

// Kind is an end, or a wait, that has a page of its own.
type Kind string

const (
	Used       Kind = "used"       // paid, on another device or page
	Elsewhere  Kind = "elsewhere"  // being paid on another device or page
	Checking   Kind = "checking"   // outcome unknown
	Expired    Kind = "expired"    // its time is over
	Cancelled  Kind = "cancelled"  // by the agent
	Replaced   Kind = "replaced"   // by a newer link
	Superseded Kind = "superseded" // the account changed
	Locked     Kind = "locked"     // five declines
	NoSession  Kind = "session"    // /pay without a cookie, or with one that is no good
	Dead       Kind = "dead"       // a token that means nothing
	NotMine    Kind = "notmine"    // the payer said so
	Late       Kind = "late"       // money came after closing, undecided
	Refund     Kind = "refund"     // all that was charged went back
	Review     Kind = "review"     // a person decides
	Paused     Kind = "paused"     // reconcile-only mode
	SlowDown   Kind = "slow_down"  // 429
	NotFound   Kind = "not_found"  // 404, 405
	Failed     Kind = "error"      // 500
)

// Kinds lists every Kind.
var Kinds = [...]Kind{Used, Elsewhere, Checking, Expired, Cancelled, Replaced, Superseded, Locked, NoSession, Dead, NotMine, Late, Refund, Review, Paused, SlowDown, NotFound, Failed}

// State is a page that says what happened, whether money was taken, and what to do.
type State struct {
	Chrome
	Kind   Kind
	Amount string // what has gone back, of Refund; others say none
	Note   string // what else is true; "" mostly
}

// Title returns what happened.
func (s State) Title() string { return s.T("state." + string(s.Kind) + ".title") }

// Money returns whether money was taken.
func (s State) Money() string { return s.T("state."+string(s.Kind)+".money", s.Amount) }

// Do returns what to do.
func (s State) Do() string { return s.T("state." + string(s.Kind) + ".do") }

// Tone returns "good", "wait", "stop" or "error": which sign stands over the title.
func (s State) Tone() string {
	switch s.Kind {
	case Used, NotMine, Refund:
		return "good"
	case Elsewhere, Checking:
		return "wait"
	case Failed, Locked:
		return "error"
	}
	return "stop"
}

// Polls says whether the page asks /pay/status and changes by itself.
func (s State) Polls() bool { return s.Tone() == "wait" }

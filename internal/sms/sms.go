// Package sms is the text that carries a link: its words' length, its way to the phone, and why it did not arrive.
package sms

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"paylink/internal/phone"
)

var (
	// ErrUnclear is returned where the carrier may or may not have taken the text: a timeout, a broken answer, its 5xx. Never send again before asking.
	ErrUnclear = errors.New("the carrier did not say whether it took the text")
	// ErrUnknownMessage is returned for a callback about a message that is none of ours.
	ErrUnknownMessage = errors.New("no such message")
	// ErrSlowDown is returned where the carrier has not taken the text and asks to come back later.
	ErrSlowDown = errors.New("the carrier asks to send more slowly")
)

// Refused is the carrier's definite no. Code is Twilio's error code.
type Refused struct{ Code int }

func (r Refused) Error() string { return fmt.Sprintf("the carrier refused the text: error %d", r.Code) }

// Status is how far a text has come, in Twilio's words where Twilio says it.
type Status string

const (
	Waiting     Status = "waiting"     // with us, not handed over
	Unclear     Status = "unclear"     // handed over, its answer was lost
	Queued      Status = "queued"      // Twilio has it
	Sent        Status = "sent"        // the carrier has it
	Delivered   Status = "delivered"   // the phone has it
	Undelivered Status = "undelivered" // it did not arrive, and will not
	Failed      Status = "failed"      // it was refused
	Dropped     Status = "dropped"     // never handed over: its link closed first
)

// Rank orders the states: callbacks come in any order, and a state never goes back.
func (s Status) Rank() int {
	switch s {
	case Waiting:
		return 0
	case Unclear:
		return 1
	case Queued:
		return 2
	case Sent:
		return 3
	case Delivered, Undelivered, Failed, Dropped:
		return 4
	}
	return -1
}

// ParseStatus reads a state in Twilio's words. What it does not know, such as "read", is "" and changes nothing.
func ParseStatus(s string) Status {
	switch s {
	case "accepted", "scheduled", "queued", "sending":
		return Queued
	case "sent":
		return Sent
	case "delivered", "read":
		return Delivered
	case "undelivered":
		return Undelivered
	case "failed", "canceled":
		return Failed
	}
	return ""
}

// Reason says in plain words why a text did not arrive and what to do, for the agent on the phone.
// The codes are Twilio's error dictionary (twilio.com/docs/api/errors).
func Reason(code int) string {
	switch code {
	case 0:
		return ""
	case 21211, 30005:
		return "This number does not exist. Read it back to the caller and correct it."
	case 21614, 30006:
		return "This number can’t get texts; it is a landline. Ask for a mobile number."
	case 21408, 21612:
		return "Texts can’t be sent to this number’s region. Ask for another mobile number."
	case 21610:
		return "This number has opted out of our texts. The caller can reply START to lift that, or give another number."
	case 30003:
		return "The phone is off or out of reach. Ask the caller to switch it on, then resend."
	case 30004:
		return "The phone or its carrier blocks this text. Ask for another mobile number."
	case 30007, 30034, 30045:
		return "The carrier filtered the text. Try another mobile number, and tell your lead."
	case 30012, 30036:
		return "The text waited too long and was dropped. Resend it."
	case 30008:
		return "The carrier did not say why. Resend it, or try another mobile number."
	}
	return fmt.Sprintf("The carrier did not take the text (error %d). Resend it, or try another mobile number.", code)
}

// OptedOut says whether the carrier's code means that the person texted STOP.
func OptedOut(code int) bool { return code == 21610 }

// Kind is what a text is for.
type Kind string

const (
	LinkText    Kind = "link"
	ReceiptText Kind = "receipt"
	DeclineText Kind = "decline" // Auto Pay did not go through: of its payment, without a link
	CodeText    Kind = "code"    // that proves a number; of no payment, and the code is in its box
)

// Texts that nobody waits for at the phone go out from 8 to 21 o'clock at the recipient (47 CFR 64.1200(c)(1)).
const (
	loudFrom  = 8
	quietFrom = 21
)

// Loud returns when a text that nobody waits for may go out: at once, or from the next morning on, in a zone.
func Loud(at time.Time, zone *time.Location) time.Time {
	local := at.In(zone)
	morning := time.Date(local.Year(), local.Month(), local.Day(), loudFrom, 0, 0, 0, zone)
	switch {
	case local.Hour() >= quietFrom:
		return morning.AddDate(0, 0, 1)
	case local.Hour() < loudFrom:
		return morning
	}
	return at
}

// Message is a text on its way: the outbox's row. The box holds what must not be stored in the clear, and is emptied once it is no longer needed.
type Message struct {
	ID        string
	Kind      Kind
	PaymentID string // "" of a code
	LinkID    string // "" of a decline and a code
	Language  string
	Box       string       // sealed token or code; "" once handed over or dropped
	Phone     phone.Number // sealed at rest
	Status    Status
	Tries     int // how often it was handed to the carrier
	SID       string
	ErrorCode int
	CreatedAt time.Time
	HandedAt  time.Time // zero: not yet
	SentAt    time.Time // zero: not yet
	EndedAt   time.Time // delivered, or given up; zero: not yet
	NextAt    time.Time // when the outbox looks at it again; zero: never
	Untaken   bool      // the carrier has just refused to take a copy: its try is taken off again; not stored
}

// Outgoing is a text for the carrier.
type Outgoing struct {
	To       phone.Number
	Body     string
	Validity time.Duration // how long the carrier may hold it in its queue
	Callback string        // where the carrier tells of it; carries our message id
}

// Receipt is the carrier's word on a text.
type Receipt struct {
	SID       string
	Status    Status
	ErrorCode int
}

// Line is what kind of line a number is.
type Line string

const (
	Mobile      Line = "mobile"
	Landline    Line = "landline"
	OtherLine   Line = "other" // such as an internet number: it may get texts
	UnknownLine Line = ""
)

// Carrier takes texts.
type Carrier interface {
	// Send hands over one text, once. Errors: Refused, ErrSlowDown, or ErrUnclear for everything that leaves its fate open.
	Send(ctx context.Context, m Outgoing) (Receipt, error)
	// Find looks among the texts sent to a number since a time for one with this very body. It returns nil if there is none.
	Find(ctx context.Context, to phone.Number, since time.Time, body string) (*Receipt, error)
	// Status asks about one text that the carrier has.
	Status(ctx context.Context, sid string) (Receipt, error)
	// LineOf asks what kind of line a number is.
	LineOf(ctx context.Context, n phone.Number) (Line, error)
}

// Delivery is the carrier's signed word about one of our messages.
type Delivery struct {
	MessageID string
	Receipt
}

// SegmentSeptets is how long a text may be to travel as one part (3GPP TS 23.038: 160 septets of 7 bits in 140 octets).
const SegmentSeptets = 160

const gsm7 = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
const gsm7Extended = "\f^{}\\[~]|€"

// Septets counts a text in the GSM 7-bit alphabet. ok is false if a character, such as á, is not in it: the carrier would then
// send the whole text in 16-bit characters, 70 to a part.
func Septets(text string) (n int, ok bool) {
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsm7, r):
			n++
		case strings.ContainsRune(gsm7Extended, r):
			n += 2
		default:
			return 0, false
		}
	}
	return n, true
}

// Word is what a reply to our texts asks for.
type Word string

const (
	Stop  Word = "stop"  // no more texts
	Start Word = "start" // texts again
	Help  Word = "help"
	Other Word = "" // a person's own words: nobody reads them here
)

// Reply is a text that came to our number.
type Reply struct {
	From   phone.Number
	Word   Word
	Answer string // language to answer in, "en" or "es"; "" where nothing is to be said, or the carrier has said it
}

// WordOf reads a reply: one word, in any case, with or without quotes and punctuation around it. The words are those that carriers and Twilio know
// (help.twilio.com/articles/223134027), and their Spanish forms, which only we know.
func WordOf(body string) Word {
	switch bare(body) {
	case "STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "OPT OUT", "OPT-OUT", "ALTO", "PARAR", "CANCELAR":
		return Stop
	case "START", "UNSTOP", "YES":
		return Start
	case "HELP", "INFO", "AYUDA":
		return Help
	}
	return Other
}

// LanguageOf says which language a reply's word is of: "es" for those that carriers do not know, else "en".
func LanguageOf(body string) string {
	switch bare(body) {
	case "ALTO", "PARAR", "CANCELAR", "AYUDA":
		return "es"
	}
	return "en"
}

func bare(body string) string {
	return strings.ToUpper(strings.Trim(body, " \t\r\n.,;:!¡?¿\"'“”‘’()-"))
}

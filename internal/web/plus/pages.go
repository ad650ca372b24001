package plus

import (
	"net/http"
	"time"

	"paylink/internal/web"
)

// Names of the pages, for web.Pages.Render.
const (
	ClientsPage = "plus/clients" // Clients
	ClientPage  = "plus/client"  // Client
	ProblemPage = "plus/problem" // Problem
	TrailPage   = "plus/trail"   // Trail
	FinancePage = "plus/finance" // Finance
	PaymentPage = "plus/payment" // Payment
	ConfirmPage = "plus/refund"  // Confirm
	InvoicePage = "plus/invoice" // Invoice
	ReportsPage = "plus/reports" // Reports
	LinksPage   = "plus/links"   // Links
)

// Parts of the client's page that plus.js fetches anew.
const (
	panelPart  = "panel"        // Panel
	statusPart = "link-status"  // LinkStatus
	numberPart = "number-check" // NumberCheck
	foundPart  = "found"        // Clients: what search.js lists under the field
)

// Chrome is what every page has around its content.
type Chrome struct {
	web.Chrome
	Name  string // who is signed in; "" for nobody
	Team  string
	Query string // in the search field

	AtFinance bool // who is signed in may see Finance's desk
	Rooms     []Room
	Keys      []KeyRow // of the key list; none for a stranger
}

// KeyRow is a line of the key list.
type KeyRow struct {
	Keys []string
	Does string
}

// Room is a part of PLUS Web beside the clients, for those whose role includes it.
type Room struct {
	Name, Address string
	Waiting       string // how much waits there; "" for nothing
	Current       bool
}

// Problem is a page that says what went wrong and where to go.
type Problem struct {
	Chrome
	Title     string
	Text      string
	Reference string // of the request, for whoever has to look it up
}

// Client is a client's page.
type Client struct {
	Chrome
	ID           string
	Who          string // the client's name
	Phone        string
	Language     string // "English"
	Email        string
	Remarks      string // that came with the account
	AutoPay      string // "Auto Pay on, 30 days"
	AutoPayOn    bool
	Collections  bool
	TaxExempt    bool
	Facts        []Fact
	Tab          string
	Tabs         []Tab
	Account      Account
	History      History
	Links        LinkHistory
	Appointments Appointments
	Live         []Live // payments that are under way
	MaySend      bool
	MayTake      bool
	Closed       []string // why locations take no payments
	Pulse        string   // what the page is true of, for the stream that keeps it so
	Panel        Panel
	Aim          string // the id of what of the tab the reader looks at first; "": nothing of it
	status       int    // of the answer, where the tab has something wrong with it
}

// Fact is one figure of the strip under a client's name.
type Fact struct {
	Name   string
	Values []FactValue
}

// FactValue is a value, and of what, where there are several.
type FactValue struct{ Value, Of string }

// Tab is one tab of the client's page.
type Tab struct {
	Name, Address string
	Current       bool
}

// Panel is Send Secure Payment Link: what to pay for, the Invoice Summary, the text, and what became of it.
type Panel struct {
	ClientID  string
	Tab       string
	Open      bool
	Options   []Option
	Days      int // chosen; 0: none
	DaysError string
	MaySend   bool
	Summary   *Summary
	Status    *LinkStatus
	Cancel    *Cancel
	Take      *Take  // Take Payment, in place of a new link
	Taken     bool   // the status is that of a card on file: no new link is chosen beside it
	Focus     string // the id of what the reader looks at next
	Say       string // told once, where nothing that is focused tells it
}

// Option is a vehicle to choose.
type Option struct {
	ID, Label string
	Chosen    bool
}

// Alert is a thing to know before going on.
type Alert struct{ Tone, Text string } // "error", "warning", "info"

// Summary is an Invoice Summary.
type Summary struct {
	Heading  string // "2016 Honda Civic, 30 days"
	Lines    []Line
	Total    string
	PaidTo   string // the new Paid To Date
	Notes    []string
	Warnings []Alert
	Alert    *Alert // why the last try sent nothing
	Blocked  string // why nothing can be sent
	Awaits   bool   // and that passes by itself
	Live     *Live  // the payment that is under way for the vehicle
	Send     *Send  // nil: nothing can be sent now
}

// Line is a line of a summary, as read.
type Line struct{ Label, Amount string }

// Live is a payment that is under way, and what may be done about it where it is in the way.
type Live struct {
	PaymentID            string
	Vehicle, Address     string
	CanResend, CanCancel bool
}

// Send is the form that sends the link.
type Send struct {
	Action     string
	Tab        string
	VehicleID  string
	Days       int
	Shown      int64 // cents
	Key        string
	Phone      string // as typed
	PhoneError string
	Own        string // the client's number
	Last4      string // of what is typed; "" if it is no number
	IsOwn      bool
	Payer      string
	PayerError string
	Consent    bool
	ConsentErr string
	Number     NumberCheck
	Language   string
}

// NumberCheck is what an agent should know of a number that is not the client's before a text goes there.
type NumberCheck struct {
	Whose    []string // "Marcus Bell, 100043": the other clients on whose record it is
	Key      string   // names them in the form
	Sure     string   // what was confirmed: Key, or of another number
	OptedOut bool
	Error    string
}

// LinkStatus is the life of a link.
type LinkStatus struct {
	PaymentID   string
	ClientID    string
	Tab         string
	Title       string // "Link status"
	Reference   string
	Receipt     []Fact // of a payment that was taken at the desk
	Again       string // address of Take Payment, to take it again
	Alert       *Alert
	Headline    string
	Next        string
	Steps       []Step
	Zone        string // whose times these are, "Richmond, VA"
	SecondsLeft int
	Counting    bool
	CanResend   bool
	CanCancel   bool
	NoResends   bool // the link could be resent, had it not been so often
	Anew        string
	Note        string
	Over        bool
	Version     string // changes when anything but the time left does
}

// ClockLeft returns the time left as a countdown shows it, "8:42".
func (s LinkStatus) ClockLeft() string { return web.ClockLeft(s.SecondsLeft) }

// Step is one rung of the ladder.
type Step struct{ Tone, Text, Detail, Time, Machine string }

// Cancel is the dialog that asks why.
type Cancel struct {
	PaymentID string
	Tab       string
	Open      bool
	Anew      bool // go on with a new summary
	Reasons   []Option
	Words     string
	Error     string
}

// problemWords are the title and text of an error page.
func problemWords(p web.Problem) (title, text string) {
	switch p.Code {
	case "bad_request":
		return "That could not be read", "The page sent something that we can’t read. Go back and try again."
	case "bad_days":
		return "Choose 14 or 30 days", "A payment is for 14 or 30 days. Nothing was sent."
	case "card_number":
		return "That looks like a card number", "Nothing was done, and we did not keep it. Never type a card number here: the payer enters it on their phone, and a client in My Account."
	case "period":
		return "Choose other days", "The first day can’t be after the last, and the time can’t be longer than 400 days. Nothing was counted."
	case "too_large":
		return "That is too much", "The page sent more than we take. Nothing was done."
	case "not_found":
		return "There is nothing here", "There is no such page, client, vehicle or payment. Search for the client again."
	case "method":
		return "That does not work here", "This address can’t be used that way. Go back and try again."
	case "no_session":
		return "You are signed out", "Sign in again to go on."
	case "must_change":
		return "Choose a password of your own first", "Your password is a temporary one. Open PLUS Web again and choose another."
	case "prove":
		return "Prove that it is you first", "Nothing was changed. Open your account and try again."
	case "too_often":
		return "Too many tries", "Wait a quarter of an hour, and try again."
	case "not_allowed":
		return "Your role does not include this", "Nothing was done. Ask your lead if you need it."
	case "paused":
		return "Payments are paused", "The books are being checked, and nothing was sent. Take no payment before Finance says so."
	case "account_busy", "refunding", "not_charged", "charged", "too_much":
		return "That can’t be done now", "Nothing was done. Look at the payment’s page: it shows where it stands."
	case "cross_site":
		return "That came from another site", "Nothing was done. Open PLUS Web and try again from there."
	}
	switch {
	case p.Status == http.StatusServiceUnavailable:
		return "We can’t answer just now", "Nothing was sent. Try again in a moment; tell your lead if it goes on."
	case p.Status < http.StatusInternalServerError:
		return "That did not work", "Nothing was done. Go back and try again."
	}
	return "Something went wrong", "It is our fault, not yours. Look at the client’s page before you try again: it shows what was done."
}

func clock(t, now time.Time) string {
	if t.Format(time.DateOnly) != now.In(t.Location()).Format(time.DateOnly) {
		return t.Format("Jan 2, 3:04:05 PM")
	}
	return t.Format("3:04:05 PM")
}

// Package trail is who acts, and what is written of it.
package trail

import "time"

// Kind is what sort of person or thing acts.
type Kind string

const (
	Staff  Kind = "staff"  // an agent, lead, supervisor, … signed in to PLUS Web
	Client Kind = "client" // a client signed in to My Account
	Payer  Kind = "payer"  // whoever opened a texted link
	System Kind = "system" // the clock and the outbox
	Stripe Kind = "stripe" // a signed event
	Twilio Kind = "twilio" // a signed callback
)

// Actor is who acts.
type Actor struct {
	Kind Kind
	ID   string // staff id, client id, payer's session id; "" for a system
}

// The actors that are no persons.
var (
	BySystem = Actor{Kind: System}
	ByStripe = Actor{Kind: Stripe}
	ByTwilio = Actor{Kind: Twilio}
)

// Entry is one act, allowed or refused. It holds no token, card number, full phone number or secret.
type Entry struct {
	ID       string
	At       time.Time
	Actor    Actor
	Act      string // what was done, in the present tense: "send link", "revoke payment"
	Object   string // what it was done to: a payment's, client's or link's id
	ClientID string // whose account it concerns; "" for none
	Refused  string // why it was refused; "" if it was done
	Detail   string // what a person needs to understand it
}

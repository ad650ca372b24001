// Package staff is who works here, and what each role may do.
package staff

import (
	"errors"
	"slices"
	"time"

	"paylink/internal/lockout"
	"paylink/internal/phone"
)

var (
	// ErrNotAllowed is returned to a person whose role does not include an act.
	ErrNotAllowed = errors.New("your role does not include this")
	// ErrSignIn is returned for an unknown login and a wrong password alike.
	ErrSignIn = errors.New("login or password is wrong")
	// ErrNotFound is returned for a person who is not among the staff.
	ErrNotFound = errors.New("no such person")
	// ErrTaken is returned where another person has the login or the e-mail address.
	ErrTaken = errors.New("this login or e-mail address is taken")
	// ErrLocked is returned after too many wrong passwords for a while, whether or not the login is anybody's.
	ErrLocked = lockout.ErrLocked
)

// Role is what a person does here.
type Role string

const (
	Agent      Role = "agent"
	Lead       Role = "lead"
	Supervisor Role = "supervisor"
	Finance    Role = "finance"
	Admin      Role = "admin"
	Auditor    Role = "auditor"
)

// Permission is one thing that a role may do.
type Permission string

const (
	SeeClients  Permission = "see clients"
	SendLinks   Permission = "send links"   // send, resend and cancel
	TakePayment Permission = "take payment" // charge a card on file
	AddInvoice  Permission = "add invoice"  // of fees from the location's list
	WriteNotes  Permission = "write notes"
	Invite      Permission = "invite" // clients to My Account

	SeeLinks     Permission = "see links"      // what one has sent oneself
	SeeTeamLinks Permission = "see team links" // what a team has sent, whoever's clients they are
	SeeReports   Permission = "see reports"

	SeeFinance   Permission = "see finance"   // what waits for a person, and a payment whole
	DecideMoney  Permission = "decide money"  // refunds, reviews, money that came after closing
	TakeEvidence Permission = "take evidence" // download a payment's evidence file
	SeeTrail     Permission = "see trail"     // search who did what

	SeeAdmin Permission = "see admin" // staff, locations, rates, fees and terms, to read
	Manage   Permission = "manage"    // and to change
)

var granted = map[Permission][]Role{
	SeeClients:  {Agent, Lead, Supervisor, Finance, Admin, Auditor},
	SendLinks:   {Agent, Lead, Supervisor},
	TakePayment: {Agent, Lead, Supervisor},
	AddInvoice:  {Agent, Lead, Supervisor},
	WriteNotes:  {Agent, Lead, Supervisor, Finance},
	Invite:      {Agent, Lead, Supervisor},

	SeeLinks:     {Agent, Lead, Supervisor, Auditor},
	SeeTeamLinks: {Lead, Supervisor, Auditor},
	SeeReports:   {Supervisor, Auditor},

	SeeFinance:   {Supervisor, Finance, Auditor},
	DecideMoney:  {Finance},
	TakeEvidence: {Finance, Auditor},
	SeeTrail:     {Auditor},

	SeeAdmin: {Admin, Auditor},
	Manage:   {Admin},
}

// Roles are all roles, from the phone to the books.
func Roles() []Role { return []Role{Agent, Lead, Supervisor, Finance, Admin, Auditor} }

// Member is one of the staff.
type Member struct {
	ID           string
	Login        string
	Name         string
	Team         string
	Role         Role
	Phone        phone.Number // their own; the zero Number where it is not known
	Email        string       // lower case; "" where it is not known
	Teams        []string     // that a supervisor sees; none: all
	Locations    []string     // ids of locations that a lead or supervisor sees; none: all
	PasswordHash string       `json:"-"` // argon2id, encoded; "" can't sign in by password
	MustChange   bool         // the password is a temporary one
	PasswordAt   time.Time    // when it was set
	Disabled     bool
	Wrong        int       // wrong passwords in a row, counted here while nothing else can count them
	LockedUntil  time.Time // after too many of these; zero: not locked
	Since        time.Time // sessions that began before are over
	Version      int64     // of the row, for changes that must not undo another's
}

// Scope is what of the town somebody sees. A list with nothing in it leaves nothing out.
type Scope struct {
	Teams     []string // whose members' links
	Locations []string // ids
}

// Scope is a member's own: a lead sees the lead's team and a supervisor the teams that they have, both at their locations; all others see everything that their role includes.
func (m Member) Scope() Scope {
	switch m.Role {
	case Lead:
		return Scope{Teams: []string{m.Team}, Locations: m.Locations}
	case Supervisor:
		return Scope{Teams: m.Teams, Locations: m.Locations}
	}
	return Scope{}
}

// AtLocation says whether a scope includes one of some locations.
func (s Scope) AtLocation(ids ...string) bool {
	return len(s.Locations) == 0 || slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(s.Locations, id) })
}

// May returns ErrNotAllowed unless the member's role includes the permission.
func (m Member) May(p Permission) error {
	if m.Disabled || !slices.Contains(granted[p], m.Role) {
		return ErrNotAllowed
	}
	return nil
}

// Package staff is who works here, and what each role may do.
package staff

import (
	"errors"
	"slices"
	"time"
)

var (
	// ErrNotAllowed is returned to a person whose role does not include an act.
	ErrNotAllowed = errors.New("your role does not include this")
	// ErrSignIn is returned for an unknown login and a wrong password alike.
	ErrSignIn = errors.New("login or password is wrong")
	// ErrNotFound is returned for a person who is not among the staff.
	ErrNotFound = errors.New("no such person")
	// ErrTaken is returned where another person has the login.
	ErrTaken = errors.New("this login is taken")
	// ErrLocked is returned after too many wrong passwords for a while, whether or not the login is anybody's.
	ErrLocked = errors.New("too many wrong passwords")
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
	SeeClients Permission = "see clients"
	SendLinks  Permission = "send links" // send, resend and cancel

	SeeFinance   Permission = "see finance"   // what waits for a person, and a payment whole
	DecideMoney  Permission = "decide money"  // refunds, reviews, money that came after closing
	TakeEvidence Permission = "take evidence" // download a payment's evidence file
)

var granted = map[Permission][]Role{
	SeeClients: {Agent, Lead, Supervisor, Finance, Admin, Auditor},
	SendLinks:  {Agent, Lead, Supervisor},

	SeeFinance:   {Supervisor, Finance, Auditor},
	DecideMoney:  {Finance},
	TakeEvidence: {Finance, Auditor},
}

// Member is one of the staff.
type Member struct {
	ID           string
	Login        string
	Name         string
	Team         string
	Role         Role
	PasswordHash string `json:"-"` // argon2id, encoded; "" can't sign in by password
	Disabled     bool
	Wrong        int       // wrong passwords in a row, counted here while nothing else can count them
	LockedUntil  time.Time // after too many of these; zero: not locked
}

// May returns ErrNotAllowed unless the member's role includes the permission.
func (m Member) May(p Permission) error {
	if m.Disabled || !slices.Contains(granted[p], m.Role) {
		return ErrNotAllowed
	}
	return nil
}

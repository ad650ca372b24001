// Package appointment is when a client comes to a service location, and for what.
package appointment

import (
	"errors"
	"time"
)

// ErrNotFound is returned for an appointment that does not exist or that the asker may not see.
var ErrNotFound = errors.New("no such appointment")

// Kind is what a client comes for.
type Kind string

const (
	Service      Kind = "service"
	Installation Kind = "installation"
	Removal      Kind = "removal"
	VehicleSwap  Kind = "vehicle_swap"
)

// State is what became of an appointment.
type State string

const (
	Booked    State = "booked"
	Cancelled State = "cancelled"
	Kept      State = "kept"
	Missed    State = "missed"
)

// Appointment is a place in a location's day. A bay takes one client at a time.
type Appointment struct {
	ID         string
	ClientID   string
	VehicleID  string // "" for none
	LocationID string
	Kind       Kind
	StartsAt   time.Time
	Minutes    int
	Bay        int // counts from 1
	State      State
}

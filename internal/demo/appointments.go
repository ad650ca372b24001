package demo

import (
	"fmt"
	"time"

	"paylink/internal/account"
	"paylink/internal/appointment"
)

// appointments are those of the town: so many days from now, at an hour on the location's clock.
var appointments = []struct {
	clientID, vehicleID string
	inDays              int
	hour, minute        int
	kind                appointment.Kind
	state               appointment.State
}{
	{"100042", "veh_dana_civic", 12, 9, 30, appointment.Service, appointment.Booked},
	{"100042", "veh_dana_civic", -18, 9, 0, appointment.Service, appointment.Kept},
	{"100042", "veh_dana_civic", -25, 16, 30, appointment.Service, appointment.Missed},
	{"100042", "veh_dana_civic", -74, 10, 0, appointment.Installation, appointment.Kept},
	{"100043", "veh_marcus_f150", 5, 14, 0, appointment.Service, appointment.Booked},
	{"100043", "veh_marcus_camry", 33, 14, 0, appointment.VehicleSwap, appointment.Booked},
	{"100043", "veh_marcus_camry", -40, 11, 30, appointment.Service, appointment.Cancelled},
	{"100045", "veh_omar_pam", 20, 8, 0, appointment.Service, appointment.Booked},
	{"100046", "veh_lucia_sentra", 8, 10, 0, appointment.Service, appointment.Booked},
	{"100046", "veh_lucia_sentra", -30, 10, 0, appointment.Service, appointment.Kept},
	{"100047", "veh_hal_outback", 1, 13, 15, appointment.Service, appointment.Booked},
	{"100051", "veh_gene_silverado", -2, 15, 0, appointment.Service, appointment.Missed},
}

func (t town) appointments() {
	for i, one := range appointments {
		for _, v := range t.in.Vehicles {
			if v.ID != one.vehicleID {
				continue
			}
			today := t.now.In(t.zone(v.LocationID))
			t.in.Booked = append(t.in.Booked, appointment.Appointment{
				ID: fmt.Sprintf("appt-demo-%d", i), ClientID: one.clientID, VehicleID: v.ID, LocationID: v.LocationID, Kind: one.kind, Minutes: 30, Bay: 1, State: one.state,
				StartsAt: time.Date(today.Year(), today.Month(), today.Day()+one.inDays, one.hour, one.minute, 0, 0, today.Location()),
			})
		}
	}
}

func (t town) zone(locationID string) *time.Location {
	for _, l := range t.in.Locations {
		if l.ID == locationID {
			return l.TimeZone()
		}
	}
	return account.Location{}.TimeZone()
}

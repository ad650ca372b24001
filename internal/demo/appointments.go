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

// desks are where locations are, the end of their telephone number, and when they take how many clients at once.
var desks = []struct {
	locationID, address, last4 string
	from, to                   time.Weekday
	opens, closes, bays        int
}{
	{"VA-RIC", "2100 Mill Road, Richmond, VA 23220", "0110", time.Monday, time.Friday, 8, 17, 2},
	{"VA-RIC", "", "", time.Saturday, time.Saturday, 9, 13, 1},
	{"FL-TPA", "840 Palmetto Way, Tampa, FL 33602", "0111", time.Monday, time.Saturday, 8, 18, 2},
	{"MD-BAL", "15 Harbor Lane, Baltimore, MD 21202", "0112", time.Monday, time.Friday, 9, 17, 1},
	{"PA-HAR", "77 Foundry Street, Harrisburg, PA 17101", "0113", time.Monday, time.Friday, 8, 16, 1},
	{"OR-PDX", "310 Cedar Avenue, Portland, OR 97204", "0114", time.Tuesday, time.Saturday, 9, 17, 2},
	{"NC-RAL", "5 Juniper Court, Raleigh, NC 27601", "0115", time.Monday, time.Friday, 8, 17, 1},
	{"TN-KNX", "628 Ridge Road, Knoxville, TN 37902", "0116", time.Monday, time.Friday, 8, 17, 1},
	{"VA-ORF", "1440 Dock Street, Norfolk, VA 23510", "0117", time.Monday, time.Friday, 10, 18, 1},
	{"TN-NSH", "92 Lantern Hill, Nashville, TN 37203", "0118", time.Monday, time.Friday, 8, 17, 1},
}

func (t town) hours() {
	for _, d := range desks {
		for weekday := d.from; weekday <= d.to; weekday++ {
			t.in.Hours = append(t.in.Hours, appointment.Hours{LocationID: d.locationID, Weekday: weekday, Opens: d.opens * 60, Closes: d.closes * 60, Bays: d.bays})
		}
		for i := range t.in.Locations {
			if l := &t.in.Locations[i]; l.ID == d.locationID && d.address != "" {
				l.Address, l.Phone = d.address, number(d.last4)
			}
		}
	}
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

// Package day is a calendar date without a time or a zone, such as a Paid To Date.
package day

import (
	"fmt"
	"time"
)

// Date is a day of the calendar, kept as "2006-01-02", so that it sorts, compares and is stored as it reads. The zero Date is "".
type Date string

// Parse reads "2006-01-02" and refuses a day that is none, such as February 30.
func Parse(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1900 || t.Year() > 9000 {
		return "", fmt.Errorf("%q is not a date like 2025-08-09", s)
	}
	return Date(s), nil
}

// Of returns the day that t falls on in t's own location.
func Of(t time.Time) Date { return Date(t.Format(time.DateOnly)) }

// New returns the day of a year, month and day of the month, normalised as time.Date does.
func New(year int, month time.Month, dayOfMonth int) Date {
	return Of(time.Date(year, month, dayOfMonth, 0, 0, 0, 0, time.UTC))
}

// Time returns midnight UTC of the day, the zero time for a Date that is none.
func (d Date) Time() time.Time {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return time.Time{}
	}
	return t
}

// AddDays returns the day n days later, or earlier if n is negative.
func (d Date) AddDays(n int) Date { return Of(d.Time().AddDate(0, 0, n)) }

// DaysUntil returns how many days lie from d to later; negative if later is earlier.
func (d Date) DaysUntil(later Date) int {
	const secondsPerDay = 24 * 60 * 60 // not by time.Duration, which ends after 292 years
	return int((later.Time().Unix() - d.Time().Unix()) / secondsPerDay)
}

// Before says whether d is an earlier day than e.
func (d Date) Before(e Date) bool { return d < e }

// Month returns the calendar month of the day, such as "2025-08".
func (d Date) Month() Month { return Month(d[:7]) }

// Month is a calendar month, kept as "2006-01".
type Month string

// ParseMonth reads "2006-01".
func ParseMonth(s string) (Month, error) {
	if _, err := time.Parse("2006-01", s); err != nil {
		return "", fmt.Errorf("%q is not a month like 2025-08", s)
	}
	return Month(s), nil
}

// Next returns the month after m.
func (m Month) Next() Month {
	t, _ := time.Parse("2006-01", string(m))
	return Month(t.AddDate(0, 1, 0).Format("2006-01"))
}

// UnmarshalText reads a date from JSON and refuses one that is none.
func (d *Date) UnmarshalText(b []byte) (err error) {
	*d, err = Parse(string(b))
	return err
}

// UnmarshalText reads a month from JSON and refuses one that is none.
func (m *Month) UnmarshalText(b []byte) (err error) {
	*m, err = ParseMonth(string(b))
	return err
}

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
	if year, _, _, ok := read(s); !ok || year < 1900 || year > 9000 {
		return "", fmt.Errorf("%q is not a date like 2025-08-09", s)
	}
	return Date(s), nil
}

// Of returns the day that t falls on in t's own location.
func Of(t time.Time) Date {
	year, month, dayOfMonth := t.Date()
	if year < 0 || year > 9999 {
		return Date(t.Format(time.DateOnly))
	}
	m, d := int(month), dayOfMonth
	return Date([]byte{
		digit(year / 1000), digit(year / 100), digit(year / 10), digit(year), '-', digit(m / 10), digit(m), '-', digit(d / 10), digit(d),
	})
}

// New returns the day of a year, month and day of the month, normalised as time.Date does.
func New(year int, month time.Month, dayOfMonth int) Date {
	return Of(time.Date(year, month, dayOfMonth, 0, 0, 0, 0, time.UTC))
}

// Time returns midnight UTC of the day, the zero time for a Date that is none.
func (d Date) Time() time.Time {
	year, month, dayOfMonth, ok := read(string(d))
	if !ok {
		return time.Time{}
	}
	return time.Date(year, time.Month(month), dayOfMonth, 0, 0, 0, 0, time.UTC)
}

// AddDays returns the day n days later, or earlier if n is negative.
func (d Date) AddDays(n int) Date { return Of(d.Time().AddDate(0, 0, n)) }

// DaysUntil returns how many days lie from d to later; negative if later is earlier.
func (d Date) DaysUntil(later Date) int {
	const secondsPerDay = 24 * 60 * 60 // in seconds, since a time.Duration ends after 292 years
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
	if len(s) != len("2006-01") || s[4] != '-' || number(s[:4]) < 0 || number(s[5:]) < 1 || number(s[5:]) > 12 {
		return "", fmt.Errorf("%q is not a month like 2025-08", s)
	}
	return Month(s), nil
}

// Next returns the month after m.
func (m Month) Next() Month {
	return Date(m + "-28").AddDays(4).Month() // every month has a 28th and none has a 32nd
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

// read reads "2006-01-02". By hand, since a quote reads a handful of dates and time.Parse would be most of its time.
func read(s string) (year, month, dayOfMonth int, ok bool) {
	if len(s) != len(time.DateOnly) || s[4] != '-' || s[7] != '-' {
		return 0, 0, 0, false
	}
	year, month, dayOfMonth = number(s[:4]), number(s[5:7]), number(s[8:])
	if year < 0 || month < 1 || month > 12 || dayOfMonth < 1 {
		return 0, 0, 0, false
	}
	return year, month, dayOfMonth, dayOfMonth <= 28 || dayOfMonth <= daysIn(year, month)
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// number reads decimal digits, and returns -1 if there is anything else.
func number(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

func digit(n int) byte { return "0123456789"[n%10] }

package sqldb_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"paylink/internal/account"
	"paylink/internal/appointment"
	"paylink/internal/post"
	"paylink/internal/trail"
)

// monday is 10 o'clock in Harrisburg, which has one bay, a week after the tests begin.
var monday = time.Date(2026, 3, 9, 14, 0, 0, 0, time.UTC)

// visit books an appointment of a client's in Harrisburg.
func (b *books) visit(id, clientID string, at time.Time, minutes, bay int) appointment.Place {
	b.Helper()
	if _, err := b.raw.Exec(`INSERT INTO appointments (id, client_id, vehicle_id, location_id, kind, starts_ms, minutes, bay, state) VALUES ($1, $2, NULL, 'PA-HAR', 'service', $3, $4, $5, 'booked')`,
		id, clientID, at.UnixMilli(), minutes, bay); err != nil {
		b.Fatal(err)
	}
	return appointment.Place{LocationID: "PA-HAR", StartsAt: at}
}

func (b *books) moves(clientID, id string, seen, to appointment.Place) (bool, error) {
	e := trail.Entry{ID: newID(), At: b.clock(), Actor: trail.Actor{Kind: trail.Client, ID: clientID}, Act: "move appointment", Object: id, ClientID: clientID}
	return b.MoveAppointment(b.ctx, clientID, id, seen, to, e, &post.Letter{ID: newID(), ClientID: clientID, Kind: post.Changed, To: "x@clients.interlane.example", CreatedAt: b.clock(), NextAt: b.clock()})
}

func TestTwoClientsCannotTakeOnePlace(t *testing.T) {
	onBoth(t, func(b *books) {
		const clients = 8
		to := appointment.Place{LocationID: "PA-HAR", StartsAt: monday}
		var before [clients]appointment.Place
		for i := range clients {
			before[i] = b.visit(fmt.Sprint("visit-", i), fmt.Sprint(100042+i), monday.AddDate(0, 0, 1).Add(time.Duration(i)*30*time.Minute), 30, 1)
		}
		var came sync.WaitGroup
		var results [clients]error
		for i := range clients {
			came.Go(func() { _, results[i] = b.moves(fmt.Sprint(100042+i), fmt.Sprint("visit-", i), before[i], to) })
		}
		came.Wait()
		won := 0
		for i, err := range results {
			a, findErr := b.Appointment(b.ctx, fmt.Sprint(100042+i), fmt.Sprint("visit-", i))
			b.must(findErr)
			switch {
			case err == nil && a.Place().Is(to):
				won++
			case !errors.Is(err, appointment.ErrTaken) || !a.Place().Is(before[i]):
				t.Errorf("client %d gets %v and is at %v", i, err, a.StartsAt)
			}
		}
		if won != 1 || b.count(`SELECT COUNT(*) FROM letters WHERE kind = 'changed'`) != 1 || b.count(`SELECT COUNT(*) FROM trail WHERE act = 'move appointment'`) != 1 {
			t.Errorf("%d have the place", won)
		}
		// What the program does not see, the database does not let in.
		if _, err := b.raw.Exec(`UPDATE appointments SET location_id = 'PA-HAR', starts_ms = $1, bay = 1 WHERE starts_ms <> $1 AND id IN (SELECT id FROM appointments WHERE starts_ms <> $1 AND state = 'booked' LIMIT 1)`, monday.UnixMilli()); err == nil {
			t.Error("a bay has two clients at one time")
		}
	})
}

// Appointments of an hour overlap though they begin at different times: no unique rule keeps them apart, the location's lock does.
func TestTwoClientsCannotTakePlacesThatOverlap(t *testing.T) {
	onBoth(t, func(b *books) {
		const clients = 8
		var before [clients]appointment.Place
		for i := range clients {
			before[i] = b.visit(fmt.Sprint("visit-", i), fmt.Sprint(100042+i), monday.AddDate(0, 0, 1+i%4).Add(time.Duration(i/4)*2*time.Hour), 60, 1)
		}
		for week := range 10 { // the winner goes back
			var came sync.WaitGroup
			var results [clients]error
			for i := range clients {
				to := appointment.Place{LocationID: "PA-HAR", StartsAt: monday.AddDate(0, 0, 14+week%2*7).Add(time.Duration(i%2) * 30 * time.Minute)}
				came.Go(func() { _, results[i] = b.moves(fmt.Sprint(100042+i), fmt.Sprint("visit-", i), before[i], to) })
			}
			came.Wait()
			won := 0
			for i, err := range results {
				if err != nil && !errors.Is(err, appointment.ErrTaken) {
					t.Errorf("a client gets %v", err)
				}
				if err == nil {
					won++
					_, back := b.moves(fmt.Sprint(100042+i), fmt.Sprint("visit-", i), b.where(fmt.Sprint(100042+i), fmt.Sprint("visit-", i)), before[i])
					b.must(back)
				}
			}
			if won != 1 {
				t.Errorf("%d clients are in one bay at a time", won)
			}
		}
	})
}

func (b *books) where(clientID, id string) appointment.Place {
	b.Helper()
	a, err := b.Appointment(b.ctx, clientID, id)
	b.must(err)
	return a.Place()
}

func TestAnAppointmentIsMovedFromWhereItWasSeenIntoABayThatIsFreeAllTheWhile(t *testing.T) {
	onBoth(t, func(b *books) {
		place := func(at time.Time) appointment.Place {
			return appointment.Place{LocationID: "PA-HAR", StartsAt: at}
		}
		first := b.visit("visit", "100042", monday.AddDate(0, 0, 1), 30, 1)
		b.visit("long", "100043", monday, 90, 1)
		b.told()
		for name, c := range map[string]struct {
			client   string
			seen, to appointment.Place
			want     error
		}{
			"another client's":                  {"100043", first, place(monday.Add(2 * time.Hour)), account.ErrNotFound},
			"into what another is still in":     {"100042", first, place(monday.Add(time.Hour)), appointment.ErrTaken},
			"from where it is not":              {"100042", place(monday), place(monday.Add(2 * time.Hour)), appointment.ErrChanged},
			"to a location that is none":        {"100042", first, appointment.Place{LocationID: "XX", StartsAt: monday}, account.ErrNotFound},
			"off the grid":                      {"100042", first, place(monday.Add(2*time.Hour + time.Minute)), appointment.ErrClosed},
			"to where it is: a second click":    {"100042", place(monday), first, nil},
			"to the past":                       {"100042", first, place(monday.AddDate(0, 0, -14)), appointment.ErrClosed},
			"to a time when everybody has gone": {"100042", first, place(monday.Add(8 * time.Hour)), appointment.ErrClosed},
		} {
			if moved, err := b.moves(c.client, "visit", c.seen, c.to); moved || !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
		if n := b.count(`SELECT COUNT(*) FROM trail WHERE act = 'move appointment'`) + b.count(`SELECT COUNT(*) FROM letters`) + len(b.told()); n != 0 {
			t.Errorf("what was refused has left %d traces in the books", n)
		}
		there := place(monday.Add(90 * time.Minute))
		for _, step := range [][2]appointment.Place{{first, there}, {there, first}, {first, there}} {
			if moved, err := b.moves("100042", "visit", step[0], step[1]); err != nil || !moved {
				t.Fatalf("to %v: %v", step[1].StartsAt, err)
			}
		}
		if told := b.told(); len(told) != 3 || told[0] != "100042" {
			t.Errorf("told %v", told)
		}
		// Time passes: the database's own look at the clock counts.
		b.pass(there.StartsAt.Add(-appointment.Notice).Sub(began) + time.Millisecond)
		if _, err := b.moves("100042", "visit", there, first); !errors.Is(err, appointment.ErrTooLate) {
			t.Errorf("a day less a millisecond before: %v", err)
		}
		if _, err := b.raw.Exec(`UPDATE appointments SET state = 'cancelled' WHERE id = 'visit'`); err != nil {
			t.Fatal(err)
		}
		if _, err := b.moves("100042", "visit", there, first); !errors.Is(err, appointment.ErrChanged) {
			t.Errorf("one that was cancelled: %v", err)
		}
	})
}

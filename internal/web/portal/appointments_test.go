package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// moving is the form that moves Dana's appointment of March 22, 9:30 in Richmond.
func moving(location, local string) url.Values {
	return url.Values{"location": {location}, "time": {local}, "seen": {"2026-03-22T13:30:00Z VA-RIC"}}
}

const danas = "/my/appointments/appt-demo-0"

// offers says whether a page offers a time.
func (p *page) offers(clock string) bool {
	found := false
	p.Find(".times a").Each(func(_ int, a *goquery.Selection) { found = found || strings.TrimSpace(a.Text()) == clock })
	return found
}

func TestAnAppointmentIsMovedToAFreeTimeAndBack(t *testing.T) {
	w := newTown(t)
	v := w.as("100042")
	list := v.get("/my/appointments").is(http.StatusOK).says(".cards", "Sunday, Mar 22, 2026, 9:30 AM EDT").says(".cards", "2100 Mill Road").says(".cards", "Service · 2016 Honda Civic").says(".was", "Missed")
	places := v.get(list.Find(".cards a.button").AttrOr("href", "")).is(http.StatusOK).says("#free h2", "Tuesday, Mar 10, 2026").has("#location option", 2).has("#day option", 53)
	if places.offers("2:00 PM") || !places.offers("2:30 PM") { // it is 2:14
		t.Error("the past is offered, or what is to come is not")
	}
	places = v.get("/my/appointments/appt-demo-0?" + places.form(`form[method="get"]`, "location", "VA-ORF", "day", "2026-03-21").Encode())
	places.says("#free h2", "Monday, Mar 23, 2026") // on Saturdays Norfolk is closed
	confirm := v.get(places.Find(".times a").First().AttrOr("href", "")).is(http.StatusOK).says(".moves", "Monday, Mar 23, 2026, 10:00 AM EDT").says(".moves", "Norfolk, VA").has(".alert", 0)
	form := confirm.form("form.visits")
	to := v.post(danas, form).to()
	v.get(to).says(".alert.good", "Your appointment is now on Monday, Mar 23, 2026, 10:00 AM EDT").says(".cards", "1440 Dock Street")
	if again := v.post(danas, form).to(); again != to { // a second click
		t.Errorf("a second click leads to %s", again)
	}
	w.told("100042", "Your appointment was moved")
	v.get("/my/notices").says("#main", "Your appointment was rescheduled. It is now on Mar 23, 2026, 10:00 AM.")
	w.staff("agent").get("/plus/clients/100042?tab=appointments").says("#main", "Mar 23, 2026, 10:00 AM").says("#main", "Norfolk, VA")
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'move appointment' AND refused = '' AND actor_kind = 'client' AND actor_id = '100042'`); n != 1 {
		t.Errorf("the trail has %d moves", n)
	}
	// And away again: a time of the day before.
	places = v.get("/my/appointments/appt-demo-0?location=VA-RIC&day=2026-03-20")
	confirm = v.get(places.Find(".times a").Last().AttrOr("href", "")).says(".moves", "Friday, Mar 20, 2026, 4:30 PM EDT")
	v.post(danas, confirm.form("form.visits")).is(http.StatusSeeOther)
	if !v.get("/my/appointments/appt-demo-0?location=VA-ORF&day=2026-03-23").offers("10:00 AM") {
		t.Error("what was left is not free again")
	}
	spanish := w.as("100046")
	spanish.get("/my/appointments").says("h1", "Citas").says(".cards", "miércoles, 18 mar 2026, 10:00 a. m. PDT").says(".cards", "Servicio")
}

func TestWhatCannotBeMovedSaysWhy(t *testing.T) {
	w := newTown(t)
	v := w.as("100042")
	for name, c := range map[string]struct {
		form   url.Values
		status int
		says   string
	}{
		"the past":                      {moving("VA-RIC", "2026-03-09T10:00"), http.StatusUnprocessableEntity, "can’t be booked"},
		"off the grid":                  {moving("VA-RIC", "2026-03-19T10:10"), http.StatusUnprocessableEntity, "can’t be booked"},
		"closed then":                   {moving("VA-RIC", "2026-03-19T07:30"), http.StatusUnprocessableEntity, "can’t be booked"},
		"too far ahead":                 {moving("VA-RIC", "2026-09-01T10:00"), http.StatusUnprocessableEntity, "can’t be booked"},
		"no time at all":                {moving("VA-RIC", "tomorrow"), http.StatusUnprocessableEntity, "can’t be booked"},
		"nothing":                       {moving("VA-RIC", ""), http.StatusUnprocessableEntity, "can’t be booked"},
		"another state":                 {moving("FL-TPA", "2026-03-19T10:00"), http.StatusUnprocessableEntity, "can’t be booked"},
		"no location":                   {moving("nowhere", "2026-03-19T10:00"), http.StatusUnprocessableEntity, "can’t be booked"},
		"not as it was seen":            {url.Values{"location": {"VA-RIC"}, "time": {"2026-03-19T10:00"}, "seen": {"2026-03-21T13:30:00Z VA-RIC"}}, http.StatusConflict, "was changed meanwhile"},
		"what nobody's page has in it":  {url.Values{"location": {"VA-RIC"}, "time": {"2026-03-19T10:00"}, "seen": {"x"}}, http.StatusBadRequest, "did not work"},
		"what nobody's page has in it2": {url.Values{"location": {"VA-RIC"}, "time": {"2026-03-19T10:00"}, "seen": {"2026-03-22 13:30:00 VA-RICHMOND"}}, http.StatusBadRequest, "did not work"},
	} {
		p := v.post(danas, c.form).is(c.status).says("main", c.says)
		if c.status != http.StatusBadRequest && (p.Find(".times a").Length() == 0 || p.Find("main").AttrOr("data-focus", "") != "trouble") {
			t.Errorf("%s: no free times are offered instead", name)
		}
		if get := v.get(danas + "/confirm?" + c.form.Encode()); c.status == http.StatusUnprocessableEntity && get.status != c.status {
			t.Errorf("%s: the page before says %d", name, get.status)
		}
	}
	// Staff cancel it while the page is open.
	w.exec(`UPDATE appointments SET state = 'cancelled' WHERE id = 'appt-demo-0'`)
	v.post(danas, moving("VA-RIC", "2026-03-19T10:00")).is(http.StatusConflict).says(".alert", "is over or was canceled").has(`.alert a[href="tel:+18045550110"]`, 1).has(".times", 0)
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'move appointment' AND refused <> '' AND client_id = '100042'`); n < 4 {
		t.Errorf("the trail has %d refusals", n)
	}
	if n := w.count(`SELECT COUNT(*) FROM appointments WHERE id = 'appt-demo-0' AND location_id = 'VA-RIC' AND starts_ms = $1`, time.Date(2026, 3, 22, 13, 30, 0, 0, time.UTC).UnixMilli()); n != 1 {
		t.Error("it was moved all the same")
	}
	// A vehicle swap, and whoever comes tomorrow.
	marcus := w.as("100043")
	marcus.get("/my/appointments").says(".cards", "Vehicle swap").says(".cards", "rescheduled by phone").has(".cards a.button", 1)
	marcus.get("/my/appointments/appt-demo-5").is(http.StatusConflict).says(".alert", "rescheduled by phone").has(`.alert a[href="tel:+18045550111"]`, 1)
	marcus.post("/my/appointments/appt-demo-5", url.Values{"location": {"FL-TPA"}, "time": {"2026-03-26T10:00"}, "seen": {"2026-04-12T18:00:00Z FL-TPA"}}).is(http.StatusConflict).says(".alert", "rescheduled by phone")
}

// TestTheLastDayBeforeIsARealDay: 24 hours on a watch, whatever the clocks of the location show.
func TestTheLastDayBeforeIsARealDay(t *testing.T) {
	w := newTown(t)
	// On November 1, 2026 clocks go back: 24 hours before 9 o'clock it is 10 o'clock.
	starts := time.Date(2026, 11, 1, 14, 0, 0, 0, time.UTC)
	w.exec(`UPDATE appointments SET starts_ms = $1 WHERE id = 'appt-demo-0'`, starts.UnixMilli())
	form := url.Values{"location": {"VA-RIC"}, "time": {"2026-11-03T10:00"}, "seen": {"2026-11-01T14:00:00Z VA-RIC"}}
	w.later(starts.Add(-24*time.Hour + time.Second).Sub(w.now()))
	v := w.as("100042")
	v.get("/my/appointments").says(".cards", "Sunday, Nov 1, 2026, 9:00 AM EST").says(".cards", "less than 24 hours away").has(`.cards a[href="tel:+18045550110"]`, 2).has(".cards a.button", 0)
	v.post(danas, form).is(http.StatusConflict).says(".alert", "less than 24 hours away").has(`.alert a[href="tel:+18045550110"]`, 1)
	w.later(-time.Second)
	v.get("/my/appointments").has(".cards a.button", 1)
	v.get(danas+"/confirm?location=VA-RIC&time=2026-10-31T11:00").says(".alert", "can’t reschedule it here again")
	v.post(danas, form).is(http.StatusSeeOther)

	// On March 14, 2027 clocks skip from 2 to 3, and Richmond would be open then.
	w.exec(`INSERT INTO opening_hours (location_id, weekday, opens, closes, bays) VALUES ('VA-RIC', 0, 60, 300, 1)`)
	w.exec(`UPDATE appointments SET starts_ms = $1 WHERE id = 'appt-demo-0'`, time.Date(2027, 3, 17, 14, 0, 0, 0, time.UTC).UnixMilli())
	w.later(time.Date(2027, 3, 8, 14, 0, 0, 0, time.UTC).Sub(w.now()))
	v = w.as("100042")
	form = url.Values{"location": {"VA-RIC"}, "time": {"2027-03-14T02:30"}, "seen": {"2027-03-17T14:00:00Z VA-RIC"}}
	p := v.post(danas, form).is(http.StatusUnprocessableEntity).says(".alert", "can’t be booked").says("#free h2", "Sunday, Mar 14, 2027")
	if p.offers("2:30 AM") || !p.offers("1:30 AM") || !p.offers("3:00 AM") {
		t.Error("an hour that no clock shows is offered, or those beside it are not")
	}
	form.Set("time", "2027-03-14T03:00")
	v.post(danas, form).is(http.StatusSeeOther)
}

func TestOfTwoClientsWhoTakeATimeAtOnceOneGetsIt(t *testing.T) {
	w := newTown(t)
	w.exec(`UPDATE appointments SET client_id = '100049', vehicle_id = 'veh_paul_ram', starts_ms = $1 WHERE id = 'appt-demo-8'`, time.Date(2026, 3, 22, 13, 30, 0, 0, time.UTC).UnixMilli())
	w.exec(`UPDATE appointments SET location_id = 'VA-RIC', bay = 2 WHERE id = 'appt-demo-8'`)
	asked := []struct {
		v    *visitor
		path string
	}{{w.as("100042"), danas}, {w.as("100049"), "/my/appointments/appt-demo-8"}}
	var came sync.WaitGroup
	answers := make([]*page, len(asked))
	for i, a := range asked {
		came.Go(func() { answers[i] = a.v.post(a.path, moving("VA-ORF", "2026-03-23T10:00")) }) // Norfolk has one bay
	}
	came.Wait()
	winner := 0
	if answers[1].status == http.StatusSeeOther {
		winner = 1
	}
	answers[winner].is(http.StatusSeeOther)
	lost := answers[1-winner].is(http.StatusConflict).says(".alert", "Somebody else has just taken that time").says("#now ~ .when", "Sunday, Mar 22, 2026, 9:30 AM EDT").says("#free h2", "Monday, Mar 23, 2026")
	if lost.offers("10:00 AM") || !lost.offers("10:30 AM") {
		t.Error("the loser is offered what is taken, or nothing else")
	}
}

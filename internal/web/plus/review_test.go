package plus_test

import (
	"net/http"
	"testing"
)

func TestMoneyThatNobodyHasDecidedAboutIsSaidInTheSummary(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	form := v.get(dana).is(http.StatusOK).form("#send")
	id, _ := v.sent()
	w.books.SetMaxOpenConns(1)
	_, err := w.books.Exec(`PRAGMA busy_timeout = 5000`) // the service writes too
	must(t, err)
	_, err = w.books.Exec(`UPDATE payments SET state = 'paid_after_close', next_ms = NULL WHERE id = $1`, id)
	must(t, err)
	v.get(dana).is(http.StatusOK).has("#send", 0).says("main", "Finance looks at an earlier payment for this vehicle first.")
	// A form that was open before sends nothing either.
	form.Set("key", "another form")
	v.post("/plus/clients/100042/links", form).is(http.StatusConflict).says("main", "Nothing was sent.").says("main", "Finance looks at an earlier payment")
	if n := w.count(`SELECT COUNT(*) FROM payments`); n != 1 {
		t.Errorf("there are %d payments", n)
	}
}

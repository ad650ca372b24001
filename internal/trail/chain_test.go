package trail_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"paylink/internal/trail"
)

var began = time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)

func sent() trail.Entry {
	return trail.Entry{
		ID: "01", At: began, Actor: trail.Actor{Kind: trail.Staff, ID: "staff-agent"}, Act: "send link", Object: "pay_1", ClientID: "100042", Detail: "Señal ••0142",
	}
}

// The hashes were computed by another program, in another language, from the comment on Hash.
func TestHashesAreTheOnesThatOthersCompute(t *testing.T) {
	one := sent().Hash(trail.Hash{}, 1)
	if got, want := one.String(), "8f61bd8e57a10d115b7683694ecbeb0f1a1b19d87518195b42bdfb3d6ffcdc83"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	two := trail.Entry{ID: "02", Actor: trail.BySystem, Act: "expire payment", Object: "pay_1", ClientID: "100042", Refused: "a reason"}.Hash(one, 2)
	if got, want := two.String(), "d5695527ec9adf516597ea7e93503a44c8ea61c4de8601ea2ea49a259d0a8705"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	in := trail.Entry{ID: "03", At: began, Actor: trail.Actor{Kind: trail.Staff}, Act: "sign in", Refused: "wrong"}
	for _, chains := range [][]bool{{true, false}, {false, true}} { // whatever the order
		tally := trail.Tally{At: began}
		for _, first := range chains {
			if first {
				tally.Entry(sent(), 1, one)
				tally.Entry(trail.Entry{}, 2, two)
				tally.Entry(trail.Entry{At: began.Add(time.Millisecond)}, 3, trail.Hash{9})
			} else {
				tally.Entry(in, 1, in.Hash(trail.Hash{}, 1))
			}
			tally.End()
		}
		tally.Entry(trail.Entry{At: began.Add(time.Hour)}, 1, one) // a chain that is younger
		tally.End()
		if got, want := tally.Anchor().String(), "anchor 2026-03-02T15:00:00Z 3 f50765428d2440a1cba3d9dce8c0729c5b9da0cbb1da9804e71d9cc90f41bd2f"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestEveryFieldAndItsBoundsAreInTheHash(t *testing.T) {
	seen := map[trail.Hash]string{}
	add := func(what string, h trail.Hash) {
		t.Helper()
		if before, ok := seen[h]; ok {
			t.Errorf("%s has the hash of %s", what, before)
		}
		seen[h] = what
	}
	add("the entry", sent().Hash(trail.Hash{}, 1))
	add("another place", sent().Hash(trail.Hash{}, 2))
	add("another before it", sent().Hash(trail.Hash{1}, 1))
	typ := reflect.TypeFor[trail.Entry]()
	for i := range typ.NumField() {
		e := sent()
		switch f := reflect.ValueOf(&e).Elem().Field(i); f.Interface().(type) {
		case string:
			f.SetString(f.String() + "x")
		case time.Time:
			e.At = e.At.Add(time.Millisecond)
		case trail.Actor:
			e.Actor.ID += "x"
			add("another actor", e.Hash(trail.Hash{}, 1))
			e.Actor = trail.Actor{Kind: trail.Client, ID: "staff-agent"}
		default:
			t.Fatalf("%s: nothing in the hash's test knows its type", typ.Field(i).Name)
		}
		add("another "+typ.Field(i).Name, e.Hash(trail.Hash{}, 1))
	}
	e := sent()
	e.Act, e.Object = "send link"+"p", "ay_1" // the same letters
	add("letters that moved", e.Hash(trail.Hash{}, 1))
	e = sent()
	e.At = e.At.Add(time.Microsecond) // the books hold milliseconds
	if e.Hash(trail.Hash{}, 1) != sent().Hash(trail.Hash{}, 1) {
		t.Error("what the books don't hold is in the hash")
	}
}

func TestTheLastAnchorOfAReportIsRead(t *testing.T) {
	a, b := trail.Anchor{At: began, Rows: 3, Digest: trail.Hash{1}}, trail.Anchor{At: began.Add(time.Hour), Rows: 4, Digest: trail.Hash{2}}
	got, err := trail.LastAnchor("read 3 rows\n" + a.String() + "\nread 4 rows\r\n" + b.String() + "\r\n\nBROKEN: something\n")
	if err != nil || got != b {
		t.Errorf("%v, %v", got, err)
	}
	for _, none := range []string{"", "\n", "an anchor", "anchor of nothing"} {
		if _, err := trail.LastAnchor(none); !errors.Is(err, trail.ErrNoAnchor) {
			t.Errorf("%q: %v", none, err)
		}
	}
	for _, bad := range []string{"anchor today 3 " + a.Digest.String(), "anchor 2026-03-02T15:00:00Z many " + a.Digest.String(), "anchor 2026-03-02T15:00:00Z 3 abc", a.String()[:len(a.String())-2]} {
		if _, err := trail.LastAnchor(b.String() + "\n" + bad); err == nil || errors.Is(err, trail.ErrNoAnchor) { // never silently an older one
			t.Errorf("%q: %v", bad, err)
		}
	}
}

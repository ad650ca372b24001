package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paylink/internal/sim/stripesim"
	"paylink/internal/sim/twiliosim"
)

// sale is one payment as both books have it when all is well.
func sale() (*books, stripesim.Books, []car) {
	p := &paymentRow{id: "pay1", client: "c1", vehicle: "v1", state: "paid", intent: "pi_1", amount: 100, charged: 100}
	ours := &books{
		payments: map[string]*paymentRow{"pay1": p}, byIntent: map[string]*paymentRow{"pi_1": p},
		attempts: map[string][]attemptRow{"pay1": {{n: 1, method: "pm_0", state: "declined", started: 1, ended: 2}, {n: 2, method: "pm_1", state: "succeeded", charge: "ch_1", started: 3, ended: 4}}},
		entries: []entryRow{
			{id: "e1", payment: "pay1", cause: "invoice pay1", postings: map[string]int64{"receivable": 100, "revenue_monitoring": -100}},
			{id: "e2", payment: "pay1", cause: "receipt pi_1", postings: map[string]int64{"stripe_clearing": 100, "receivable": -100}},
		},
		invoices: map[string][]invoiceRow{"pay1": {{id: "i1", vehicle: "v1", from: "2026-03-10", to: "2026-04-09", total: 100}}},
		vehicles: map[string]string{"v1": "2026-04-09"},
		messages: map[string]messageRow{"m1": {payment: "pay1", kind: "link", status: "delivered", sid: "SM1", tries: 1}},
		refunds:  map[string]refundRow{},
	}
	theirs := stripesim.Books{Platform: "acct_p", Accounts: map[string]stripesim.AccountBooks{"acct_p": {
		Intents: []stripesim.Intent{{ID: "pi_1", Status: "succeeded", Amount: 100, Received: 100, Currency: "usd", Metadata: map[string]string{"payment": "pay1"}}},
		Charges: []stripesim.Charge{
			{ID: "ch_0", Intent: "pi_1", PaymentMethod: "pm_0", Status: "failed", Amount: 100},
			{ID: "ch_1", Intent: "pi_1", PaymentMethod: "pm_1", Status: "succeeded", Amount: 100, Captured: 100},
		},
	}}}
	return ours, theirs, []car{{client: "c1", vehicle: "v1", paidTo: "2026-03-10"}}
}

func TestTheComparisonFindsWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(b *books, s *stripesim.AccountBooks)
		kind  string // "" is nothing found
	}{
		"all is well": {func(*books, *stripesim.AccountBooks) {}, ""},
		"a second charge of the PaymentIntent": {func(_ *books, s *stripesim.AccountBooks) {
			s.Charges = append(s.Charges, stripesim.Charge{ID: "ch_2", Intent: "pi_1", PaymentMethod: "pm_1", Status: "succeeded", Amount: 100, Captured: 100})
		}, "double"},
		"a charge that our books call declined": {func(b *books, _ *stripesim.AccountBooks) { b.payments["pay1"].state = "revoked" }, "lost"},
		"a charge without a posting":            {func(b *books, _ *stripesim.AccountBooks) { b.entries = b.entries[:1] }, "lost"},
		"a charge of a PaymentIntent that nobody has": {func(_ *books, s *stripesim.AccountBooks) {
			s.Intents = append(s.Intents, stripesim.Intent{ID: "pi_2", Status: "succeeded", Amount: 100, Currency: "usd"})
			s.Charges = append(s.Charges, stripesim.Charge{ID: "ch_2", Intent: "pi_2", Status: "succeeded", Amount: 100})
		}, "lost"},
		"a payment that is still unknown":      {func(b *books, _ *stripesim.AccountBooks) { b.payments["pay1"].state = "unknown" }, "unsettled"},
		"late money that nobody decides about": {func(b *books, _ *stripesim.AccountBooks) { b.payments["pay1"].state = "paid_after_close" }, "unsettled"},
		"a posting twice":                      {func(b *books, _ *stripesim.AccountBooks) { b.entries = append(b.entries, b.entries[1]) }, "other"},
		"an entry that does not balance":       {func(b *books, _ *stripesim.AccountBooks) { b.entries[0].sum = 1 }, "other"},
		"a charge with a card of no attempt":   {func(b *books, _ *stripesim.AccountBooks) { b.attempts["pay1"][0].method = "pm_x" }, "other"},
		"two attempts at one time":             {func(b *books, _ *stripesim.AccountBooks) { b.attempts["pay1"][0].ended = 4 }, "other"},
		"a success without a charge":           {func(_ *books, s *stripesim.AccountBooks) { s.Charges, s.Intents[0].Status = s.Charges[:1], "canceled" }, "other"},
		"another amount":                       {func(b *books, _ *stripesim.AccountBooks) { b.payments["pay1"].amount = 99 }, "other"},
		"no invoice":                           {func(b *books, _ *stripesim.AccountBooks) { delete(b.invoices, "pay1") }, "other"},
		"a vehicle that moved twice":           {func(b *books, _ *stripesim.AccountBooks) { b.vehicles["v1"] = "2026-05-09" }, "other"},
		"a vehicle that did not move":          {func(b *books, _ *stripesim.AccountBooks) { b.vehicles["v1"] = "2026-03-10" }, "other"},
		"a closed payment that could be paid": {func(b *books, s *stripesim.AccountBooks) {
			*s = stripesim.AccountBooks{Intents: []stripesim.Intent{{ID: "pi_1", Status: "requires_payment_method", Amount: 100, Currency: "usd", Metadata: map[string]string{"payment": "pay1"}}}}
			b.payments["pay1"].state = "expired"
		}, "other"},
		"a refund that our books do not have": {func(_ *books, s *stripesim.AccountBooks) {
			s.Refunds = []stripesim.Refund{{ID: "re_1", Charge: "ch_1", Intent: "pi_1", Status: "succeeded", Amount: 100}}
		}, "other"},
		"a refund that Stripe does not have": {func(b *books, _ *stripesim.AccountBooks) { b.refunds["re_1"] = refundRow{"pay1", "succeeded", 100} }, "other"},
	} {
		ours, theirs, cars := sale()
		account := theirs.Accounts["acct_p"]
		c.spoil(ours, &account)
		theirs.Accounts["acct_p"] = account
		f := ours.compare(theirs, cars, nil)
		if n, found := len(f.doubleCharges)+len(f.lost)+len(f.unsettled)+len(f.other), map[string]int{"double": len(f.doubleCharges), "lost": len(f.lost), "unsettled": len(f.unsettled), "other": len(f.other)}; c.kind == "" && n != 0 || c.kind != "" && found[c.kind] == 0 {
			t.Errorf("%s: found %v", name, found)
		}
	}
}

func TestTheComparisonFindsTextsThatAreWrong(t *testing.T) {
	text := func(sid, status, id string) twiliosim.Message {
		return twiliosim.Message{SID: sid, Direction: "outbound-api", Status: status, StatusCallback: "http://127.0.0.1/hooks/twilio/status/" + id}
	}
	for name, c := range map[string]struct {
		taken []twiliosim.Message
		tries int
		wrong bool
	}{
		"one text":                         {[]twiliosim.Message{text("SM1", "delivered", "m1")}, 1, false},
		"the one automatic re-send":        {[]twiliosim.Message{text("SM0", "sent", "m1"), text("SM1", "delivered", "m1")}, 2, false},
		"two texts of one handing over":    {[]twiliosim.Message{text("SM0", "sent", "m1"), text("SM1", "delivered", "m1")}, 1, true},
		"three texts":                      {[]twiliosim.Message{text("SM0", "sent", "m1"), text("SM1", "delivered", "m1"), text("SM2", "sent", "m1")}, 3, true},
		"a text of nobody's":               {[]twiliosim.Message{text("SM1", "delivered", "m1"), text("SM2", "delivered", "m2")}, 1, true},
		"delivered, and it was not":        {[]twiliosim.Message{text("SM1", "undelivered", "m1")}, 1, true},
		"delivered, and never taken":       {nil, 1, true},
		"the name of somebody else's text": {[]twiliosim.Message{text("SM7", "delivered", "m1")}, 1, true},
	} {
		ours, _, _ := sale()
		m := ours.messages["m1"]
		m.tries = c.tries
		ours.messages["m1"] = m
		f := &findings{}
		ours.compareTexts(f, c.taken)
		if got := len(f.other) > 0; got != c.wrong {
			t.Errorf("%s: found %v", name, f.other)
		}
	}
}

func TestTheComparisonFindsWordsThatAreWrong(t *testing.T) {
	_, theirs, _ := sale()
	for word, wrong := range map[string]bool{"paid pm_1": false, "declined pm_0": false, "declined pm_1": true, "paid pm_0": true, "paid pm_9": true} {
		f := &findings{}
		said, method, _ := strings.Cut(word, " ")
		compareWords(f, map[string]string{method: said}, theirs)
		if got := len(f.other) > 0; got != wrong {
			t.Errorf("%s: found %v", word, f.other)
		}
	}
}

func TestTheLogsAreSearched(t *testing.T) {
	for line, wrong := range map[string]bool{
		`{"level":"info","message":"request","route":"/pay"}`: false, `{"error":"4242424242424242"}`: true, `{"error":"pi_abc_secret_def"}`: true, `{"to":"(703) 555-0101"}`: true, `{"to":"+17035550101"}`: true,
		`{"id":"01a20147-8f38-7680-94db-703555010112"}`: false, `"ABCDEFGHIJKLMNOPQRSTUVWXYZ"`: true, `"BBCDEFGHIJKLMNOPQRSTUVWXYZ"`: false, `panic at x`: true,
	} {
		file := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(file, []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		f := &findings{}
		if _, err := searchLogs(f, []string{file}, map[string][]string{"card number": allCards}, []string{"ABCDEFGHIJKLMNOPQRSTUVWXYZ"}); err != nil {
			t.Fatal(err)
		}
		if got := len(f.other) > 0; got != wrong {
			t.Errorf("%s: found %v", line, f.other)
		}
	}
}

func TestTheSameSeedMakesTheSamePlanAndAMinuteHasWhatItMust(t *testing.T) {
	for seed := range uint64(300) {
		a, b := plan(seed, time.Minute), plan(seed, time.Minute)
		if len(a) != len(b) {
			t.Fatalf("seed %d: %d faults, and then %d", seed, len(a), len(b))
		}
		n := map[string]int{}
		for i := range a {
			if a[i].at != b[i].at || a[i].fault.name != b[i].fault.name || a[i].lasts != b[i].lasts {
				t.Fatalf("seed %d: fault %d differs", seed, i)
			}
			n[a[i].fault.name]++
			if over := a[i].at + a[i].lasts; over > time.Minute+5*time.Second {
				t.Errorf("seed %d: %s is over after %s", seed, a[i].fault.name, over)
			}
		}
		if n["redis failover, master killed"] != 1 || n["redis failover, master hangs"] != 0 || n["paylink killed (SIGKILL)"] == 0 || n["postgres restarted (immediate)"] == 0 || n["paylink stopped for longer than a lease (SIGSTOP)"] != 1 {
			t.Errorf("seed %d: %v", seed, n)
		}
	}
	n := map[string]int{}
	for _, s := range plan(1, 20*time.Minute) {
		n[s.fault.name]++
	}
	for _, f := range kinds() {
		if n[f.name] == 0 {
			t.Errorf("twenty minutes without %s", f.name)
		}
	}
}

func TestTheWayToTheTrueStateIsCountedFromTheLastFaultThatEndedOnIt(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	tr := &truth{
		faults: []*spell{{"a", at(10), at(20)}, {"b", at(15), at(25)}, {"c", at(28), at(90)}},
		spells: []*spell{{"x", at(12), at(30)}, {"y", at(12), at(18)}, {"z", at(100), at(110)}, {"w", at(22), at(24)}},
	}
	var got []time.Duration
	for _, d := range tr.delays() {
		got = append(got, d.took)
	}
	if want := []time.Duration{2 * time.Second, 5 * time.Second, 6 * time.Second}; len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("got %v, want %v", got, want)
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

const goodCase = `{"name": "ignored", "as_of": "2025-07-10", "days": 30,
	"location": {"id": "VA-RIC", "payments": "configured", "tax_ppm": 60000, "loss_protection_taxable": true, "monitoring_cap_monthly": 9500,
		"loss_protection_cap_monthly": 800, "state_fee_monthly": 0, "labor_fee": 0},
	"vehicle": {"program": "iid", "daily_rate": 310, "loss_protection_daily": 0, "paid_to": "2025-07-10", "hardship": null, "state_fee_months_billed": ["2025-07"]},
	"account": {"past_due": 0, "credit": 0, "tax_exempt": false}}`

const goodSummary = `{"lines": [{"kind": "monitoring", "days": 30, "amount": 9300}], "subtotal": 9300, "taxable": 9300, "tax": 558, "past_due": 0,
	"credit_applied": 0, "total_due": 9858, "paid_to": "2025-08-09", "blocked": null}`

const pendingCase = `{"as_of": "2025-07-10", "days": 0, "location": {"payments": "configured", "tax_ppm": 60000}, "vehicle": null, "account": {"past_due": 4237, "credit": 237}}`

const pendingSummary = `{"lines": [], "subtotal": 0, "taxable": 0, "tax": 0, "past_due": 4237, "credit_applied": 237, "total_due": 4000, "paid_to": null, "blocked": null}`

func TestQuoteAnswersEveryWorkedCaseOneForOne(t *testing.T) {
	b, err := os.ReadFile("../../internal/quote/testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Want any `json:"want"`
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	var want []any
	for _, c := range cases {
		want = append(want, c.Want)
	}
	status, stdout, stderr := runQuote(bytes.NewReader(b))
	if status != 0 || stderr != "" {
		t.Fatalf("status %d, %q", status, stderr)
	}
	if got := parsed(t, stdout); !reflect.DeepEqual(got, any(want)) {
		t.Errorf("got %s", stdout)
	}
}

func TestQuoteAnswersInTheShapeItWasAsked(t *testing.T) {
	bad := func(old, new string) string {
		if !strings.Contains(goodCase, old) {
			t.Fatalf("the good case has no %s", old)
		}
		return strings.Replace(goodCase, old, new, 1)
	}
	fails := func(sentence string) string { return `{"error": ` + quoted(t, sentence) + `}` }
	days := "days must be 14 or 30 for a vehicle, and 0 without one: "
	for _, c := range []struct {
		name, in, want string
		status         int
	}{
		{"one case", goodCase, goodSummary, 0},
		{"one case in white space", "\n\t " + goodCase + "\r\n", goodSummary, 0},
		{"an array of one", "[" + goodCase + "]", "[" + goodSummary + "]", 0},
		{"an array of none", "[]", "[]", 0},
		{"a pending balance", pendingCase, pendingSummary, 0},
		{"15 days", bad(`"days": 30`, `"days": 15`), fails(days + "15 days for a vehicle"), 1},
		{"an error between two", "[" + goodCase + "," + bad(`"days": 30`, `"days": 15`) + "," + pendingCase + "]",
			"[" + goodSummary + "," + fails(days+"15 days for a vehicle") + "," + pendingSummary + "]", 1},
		{"wrong types beside a good case", "[" + strings.Join([]string{
			bad(`"days": 30`, `"days": "30"`), bad(`"daily_rate": 310`, `"daily_rate": 3.10`), bad(`"as_of": "2025-07-10"`, `"as_of": "2025-02-30"`),
			bad(`"credit": 0`, `"credit": 9223372036854775808`), bad(`"past_due": 0`, `"past_due": 9223372036854775807`), "null", "7", `[` + goodCase + `]`, goodCase,
		}, ",") + "]", "[" + strings.Join([]string{
			fails("days can't be string"), fails("vehicle.daily_rate can't be number 3.10"), fails(`"2025-02-30" is not a date like 2025-08-09`),
			fails("account.credit can't be number 9223372036854775808"), fails("the price can't be counted in cents: amount is too large"),
			fails("a case is an object"), fails("a case is an object"), fails("a case is an object"), goodSummary,
		}, ",") + "]", 1},
		{"an unknown word", bad(`"iid"`, `"<moped>"`), fails(`program "<moped>" is unknown`), 1},
		{"nothing in the case", "{}", fails(`as_of "" is not in the calendar`), 1},
	} {
		status, stdout, stderr := runQuote(strings.NewReader(c.in))
		if status != c.status || stderr != "" {
			t.Errorf("%s: status %d, %q; want %d and nothing to complain of", c.name, status, stderr, c.status)
		}
		if got, want := parsed(t, stdout), parsed(t, c.want); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %s\nwant %s", c.name, stdout, c.want)
		}
	}
}

func TestQuoteRefusesWhatIsNoJSONOfCases(t *testing.T) {
	for _, c := range []struct {
		name string
		in   io.Reader
		says string
	}{
		{"nothing", strings.NewReader(""), "want a case"},
		{"a number", strings.NewReader("42"), "want a case"},
		{"null", strings.NewReader("null"), "want a case"},
		{"half a case", strings.NewReader(goodCase[:100]), "unexpected end"},
		{"half an array", strings.NewReader("[" + goodCase + ","), "unexpected end"},
		{"two cases without an array", strings.NewReader(goodCase + goodCase), "after top-level value"},
		{"more than fits", io.MultiReader(strings.NewReader(goodCase), io.LimitReader(spaces{}, mostQuoteBytes)), "64 MiB"},
		{"input that breaks off", io.MultiReader(strings.NewReader(goodCase), iotest.ErrReader(errors.New("cable pulled"))), "cable pulled"},
	} {
		status, stdout, stderr := runQuote(c.in)
		if status != 2 || stdout != "" || !strings.Contains(stderr, c.says) {
			t.Errorf("%s: status %d, output %q, complaint %q; want 2 and %q", c.name, status, stdout, stderr, c.says)
		}
	}
}

func TestQuoteSaysThatItsOutputWasLost(t *testing.T) {
	var stderr strings.Builder
	if status := quoteCommand(strings.NewReader(goodCase), full{}, &stderr); status != 2 || !strings.Contains(stderr.String(), "no space") {
		t.Errorf("status %d, %q", status, stderr.String())
	}
}

func runQuote(stdin io.Reader) (status int, stdout, stderr string) {
	var out, complaints strings.Builder
	status = quoteCommand(stdin, &out, &complaints)
	return status, out.String(), complaints.String()
}

func parsed(t *testing.T, s string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatalf("%q is no JSON: %v", s, err)
	}
	return v
}

func quoted(t *testing.T, s string) string {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// spaces is white space without end.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// full is a disk without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

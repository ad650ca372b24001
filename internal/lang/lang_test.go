package lang

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"paylink/internal/sms"
)

var argument = regexp.MustCompile(`%\[(\d+)\][sd]`)

// variants returns every wording of one side of a text.
func variants(t *testing.T, key string, words any) []string {
	t.Helper()
	switch w := words.(type) {
	case string:
		return []string{w}
	case forms:
		return []string{w.one, w.other}
	}
	t.Fatalf("%s is neither words nor forms", key)
	return nil
}

func TestBothLanguagesSayTheSameWithTheSameArguments(t *testing.T) {
	seen := map[string]bool{}
	for _, text := range catalogue() {
		if seen[text.key] {
			t.Errorf("%s stands twice", text.key)
		}
		seen[text.key] = true
		en, es := variants(t, text.key, text.en), variants(t, text.key, text.es)
		if len(en) != len(es) {
			t.Errorf("%s counts in one language only", text.key)
		}
		want := arguments(en[0])
		for _, words := range append(en, es...) {
			if strings.TrimSpace(words) == "" {
				t.Errorf("%s is empty in a language", text.key)
			}
			if got := arguments(words); !slices.Equal(got, want) {
				t.Errorf("%s: %q takes arguments %v, another wording %v", text.key, words, got, want)
			}
			if rest := argument.ReplaceAllString(words, ""); strings.Contains(rest, "%") {
				t.Errorf("%s: %q has a %% that is no argument", text.key, words)
			}
			if strings.Count(words, "[")-strings.Count(words, "%[") != strings.Count(en[0], "[")-strings.Count(en[0], "%[") {
				t.Errorf("%s: %q marks its link otherwise than English", text.key, words)
			}
		}
		if en[0] == es[0] && en[0] != "Auto Pay" && strings.ContainsAny(argument.ReplaceAllString(en[0], ""), "abcdefghijklmnopqrstuvwxyz") {
			t.Errorf("%s is %q in both languages", text.key, en[0])
		}
	}
}

func arguments(words string) []string {
	found := argument.FindAllString(words, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// A literal key, or the beginning of one that ends with a dot and is completed by the program.
var (
	called  = regexp.MustCompile(`\bT\(?\s*"([a-z_]+\.[a-z_.]*)"`)
	literal = regexp.MustCompile(`"([a-z_]+\.[a-z_.]*)"`)
)

func TestNoTextIsMissingAndNoneIsUnused(t *testing.T) {
	used, families := map[string]bool{}, map[string]bool{}
	for _, root := range []string{"../../templates", "..", "../../cmd"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if os.IsNotExist(err) {
				return nil
			}
			if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), "texts") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			if ext := filepath.Ext(path); ext != ".go" && ext != ".html" {
				return nil
			}
			source, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, m := range called.FindAllStringSubmatch(string(source), -1) {
				if key := m[1]; !Has(key) && !strings.HasSuffix(key, ".") {
					t.Errorf("%s says %q, which is not in the catalogue", path, key)
				}
			}
			for _, m := range literal.FindAllStringSubmatch(string(source), -1) {
				if strings.HasSuffix(m[1], ".") {
					families[m[1]] = true
				}
				used[m[1]] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range catalogue() {
		if used[text.key] {
			continue
		}
		inFamily := false
		for prefix := range families {
			inFamily = inFamily || strings.HasPrefix(text.key, prefix)
		}
		if !inFamily {
			t.Errorf("nobody says %s", text.key)
		}
	}
}

func TestATextIsOneSegmentInEveryLanguage(t *testing.T) {
	const url = "https://pay.interlane.example/p#ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for _, l := range All {
		for month := time.January; month <= time.December; month++ {
			date := l.date(time.Date(2026, month, 28, 0, 0, 0, 0, time.UTC))
			for _, text := range []string{
				l.LinkText("Interlane", url, "(804) 555-0100", 60), l.HelpText("Interlane", "(804) 555-0100"), l.StoppedText("Interlane", "(804) 555-0100"),
				l.ReceiptText(Receipt{Brand: "Interlane", Amount: "$1,098.58", Date: date, Last4: "4242", Reference: "7K2Q-4821", SupportPhone: "(804) 555-0100"}),
			} {
				if n, ok := sms.Septets(text); !ok || n > 160 {
					t.Errorf("%q takes %d septets; all in GSM-7: %v", text, n, ok)
				}
			}
		}
	}
	if got, want := English.LinkText("Interlane", url, "804-555-0100", 10),
		"Interlane: pay securely, link good 10 min: "+url+" Help 804-555-0100. STOP to opt out"; got != want {
		t.Errorf("the text is %q, want %q", got, want)
	}
	if got, want := Spanish.LinkText("Interlane", url, "804-555-0100", 10),
		"Interlane: pago seguro, enlace vale 10 min: "+url+" Ayuda 804-555-0100. STOP para cancelar"; got != want {
		t.Errorf("the text is %q, want %q", got, want)
	}
}

func TestDatesTimesAndRatesAreWrittenAsReadersWriteThem(t *testing.T) {
	afternoon := time.Date(2025, 7, 10, 14, 14, 6, 0, time.UTC)
	night := time.Date(2025, 12, 1, 0, 5, 0, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{English.Date("2025-08-09"), "Aug 9, 2025"}, {Spanish.Date("2025-08-09"), "9 ago 2025"}, {Spanish.Date("2026-01-31"), "31 ene 2026"},
		{English.Date(""), ""},
		{English.Clock(afternoon), "2:14 PM"}, {Spanish.Clock(afternoon), "2:14 p.\u00a0m."},
		{English.Clock(night), "12:05 AM"}, {Spanish.Clock(night), "12:05 a.\u00a0m."},
		{English.DateTime(afternoon), "Jul 10, 2025, 2:14 PM"}, {Spanish.DateTime(night), "1 dic 2025, 12:05 a.\u00a0m."},
		{English.Percent(60_000), "6%"}, {Spanish.Percent(72_500), "7.25%"}, {English.Percent(0), "0%"}, {English.Percent(100_000), "10%"},
		{English.Percent(1), "0.0001%"}, {English.Percent(1_000_000), "100%"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestWordsFollowTheCount(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{English.DaysOf(30, false), "30 days of monitoring"}, {English.DaysOf(1, false), "1 day of monitoring"},
		{Spanish.DaysOf(14, true), "14 días de servicio"}, {Spanish.DaysOf(1, true), "1 día de servicio"},
		{English.TriesLeft(1), "You can try 1 more card."}, {Spanish.TriesLeft(4), "Puede intentarlo 4 veces más."},
		{English.Line(Line{Kind: "monitoring", Days: 30, Daily: 310}), "Monitoring, 30 days × $3.10"},
		{Spanish.Line(Line{Kind: "loss_protection", Days: 1, Daily: 16}), "Protección contra pérdida, 1 día × $0.16"},
		{English.Line(Line{Kind: "monitoring", Days: 30, Daily: 310, Discreet: true}), "Service, 30 days × $3.10"},
		{English.Line(Line{Kind: "tax", TaxPPM: 72_500, Discreet: true}), "Tax 7.25%"},
		{English.Line(Line{Kind: "past_due"}), "Past due"}, {English.Line(Line{Kind: "past_due", Discreet: true}), "Other charges"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestWhoeverPaysForAnotherReadsNothingOfTheProgram(t *testing.T) {
	for _, l := range All {
		for _, kind := range []string{"monitoring", "unpaid_days", "loss_protection", "hardship", "state_fee", "cap_adjustment", "tax", "past_due", "credit"} {
			got := strings.ToLower(l.Line(Line{Kind: kind, Days: 30, Daily: 310, TaxPPM: 60_000, Discreet: true}))
			for _, word := range []string{"⟦", "monitor", "vencid", "past due", "unpaid", "sin pagar", "hardship", "state", "estatal", "program", "vehic", "vehíc"} {
				if strings.Contains(got, word) {
					t.Errorf("a stranger reads %q in %q", word, got)
				}
			}
		}
	}
}

func TestADeclineIsToldInPlainWordsAndNamesNoSuspicion(t *testing.T) {
	for _, l := range All {
		neutral := l.Decline("lost_card")
		for _, code := range []string{"stolen_card", "fraudulent"} {
			if got := l.Decline(code); got != neutral {
				t.Errorf("%s is told as %q, a lost card as %q", code, got, neutral)
			}
		}
		if got := l.Decline("a_code_of_tomorrow"); got != l.T("decline.generic") {
			t.Errorf("an unknown code is told as %q", got)
		}
		for _, code := range []string{"insufficient_funds", "invalid_cvc", "invalid_expiry_month", "incorrect_zip", "processing_error", "authentication_required", "card_not_supported"} {
			if got := l.Decline(code); got == l.T("decline.generic") || strings.Contains(got, "⟦") {
				t.Errorf("%s is told as %q", code, got)
			}
		}
	}
}

func TestTheBrowserChoosesTheLanguage(t *testing.T) {
	for header, want := range map[string]Lang{
		"": English, "es": Spanish, "es-MX,es;q=0.9,en;q=0.8": Spanish, "en-US,es;q=0.5": English, "fr": English, "fr;q=0.9, es;q=0.3": Spanish,
		"pt-BR": English, "*": English, ";;;": English, strings.Repeat("es,", 200): English,
	} {
		if got := Match(header); got != want {
			t.Errorf("Accept-Language %.30q gives %s, want %s", header, got, want)
		}
	}
	for code, want := range map[string]bool{"en": true, "es": true, "": false, "fr": false, "ES": false, "en-US": false} {
		if _, ok := Parse(code); ok != want {
			t.Errorf("Parse(%q) is %v", code, ok)
		}
	}
}

func TestAMissingTextIsSeen(t *testing.T) {
	if got := English.T("no.such.text"); got != "⟦no.such.text⟧" {
		t.Errorf("got %q", got)
	}
	if got := English.Answer("no_such_state"); got != "" {
		t.Errorf("got %q", got)
	}
}

func BenchmarkTextWithArguments(b *testing.B) {
	for b.Loop() {
		_ = English.T("pay.agree", "Interlane", "$98.58")
	}
}

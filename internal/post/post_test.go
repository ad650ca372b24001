package post

import (
	"strings"
	"testing"

	"paylink/internal/lang"
)

func TestEveryKindHasWordsInBothLanguages(t *testing.T) {
	h := House{Brand: "Interlane", Support: "(804) 555-0100", URL: "https://my.interlane.example"}
	for kind, f := range forms {
		for _, l := range lang.All {
			values := map[string]string{}
			for _, name := range f.values {
				values[name] = "value-" + name
			}
			w, ok := Word(Letter{Kind: kind, Language: string(l), Values: values, Secret: "the-secret"}, h)
			if !ok {
				t.Errorf("%s has no words in %s", kind, l)
			}
			all := strings.Join(append(w.Paragraphs, w.Subject, w.Heading, w.Button), "\n")
			if strings.Contains(all, "⟦") || strings.Contains(all, "%!") || strings.Contains(w.Subject, "the-secret") {
				t.Errorf("%s in %s: %s", kind, l, all)
			}
			for name, value := range values {
				if !strings.Contains(all+w.Address, value) {
					t.Errorf("%s in %s does not say its %s", kind, l, name)
				}
			}
			if (f.path != "") != (w.Button != "") || w.Address != "" && (!strings.HasPrefix(w.Address, h.URL+"/my/") || strings.ContainsAny(w.Address, "{}")) {
				t.Errorf("%s leads to %s", kind, w.Address)
			}
			for name := range values {
				delete(values, name)
				if _, ok := Word(Letter{Kind: kind, Language: string(l), Values: values}, h); ok {
					t.Errorf("%s can do without its %s", kind, name)
				}
				break
			}
		}
	}
	if _, ok := Word(Letter{Kind: "nonsense"}, h); ok {
		t.Error("there are words for nothing")
	}
}

func TestEveryChangeIsToldInBothLanguages(t *testing.T) {
	h := House{Brand: "Interlane", Support: "(804) 555-0100", URL: "https://my.interlane.example"}
	told := map[string]bool{}
	for _, c := range Changes() {
		for _, l := range lang.All {
			w, ok := Word(Letter{Kind: Changed, Language: string(l), Values: c.Values(l, "Visa ending 4242")}, h)
			all := strings.Join(append(w.Paragraphs, w.Subject, w.Heading, w.Button), "\n")
			if !ok || strings.Contains(all, "⟦") || strings.Contains(all, "%!") || strings.Contains(w.Subject+w.Heading, "4242") {
				t.Errorf("%s in %s: %s", c, l, all)
			}
			if !strings.Contains(w.Paragraphs[0], "Visa ending 4242") || !strings.Contains(w.Paragraphs[len(w.Paragraphs)-1], h.Support) || w.Address != h.URL+"/my/" {
				t.Errorf("%s in %s says neither what nor whom to call: %s, and leads to %s", c, l, all, w.Address)
			}
			if told[w.Heading] {
				t.Errorf("%s in %s is told in the words of another", c, l)
			}
			told[w.Heading] = true
		}
	}
}

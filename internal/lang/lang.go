// Package lang is what the program says to people, in English and Spanish.
package lang

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/message/catalog"

	"paylink/internal/day"
)

// Lang is a language that the program speaks.
type Lang string

const (
	English Lang = "en"
	Spanish Lang = "es"
)

// All lists the languages, the default first.
var All = [...]Lang{English, Spanish}

// Parse returns the language named by a code such as "es" and whether there is one.
func Parse(code string) (Lang, bool) {
	switch l := Lang(code); l {
	case English, Spanish:
		return l, true
	}
	return "", false
}

// Match returns the language that best fits an Accept-Language header; English if none does.
func Match(acceptLanguage string) Lang {
	if len(acceptLanguage) > 200 { // nobody's browser: do not parse it
		return English
	}
	wanted, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return English
	}
	_, i, confidence := matcher.Match(wanted...)
	if confidence == language.No {
		return English
	}
	return All[i]
}

// Other returns the other language, for a switch between two.
func (l Lang) Other() Lang {
	if l == Spanish {
		return English
	}
	return Spanish
}

// T returns the text called key, with its arguments in their places. A text that is not in the catalogue shows as its key in ⟦brackets⟧;
// the tests prove that no page has one.
func (l Lang) T(key string, args ...any) string {
	s := &english
	if l == Spanish {
		s = &spanish
	}
	if plain, ok := s.plain[key]; ok {
		return plain
	}
	if !s.withArguments[key] {
		return "⟦" + key + "⟧"
	}
	return s.printer.Sprintf(key, args...)
}

// Has says whether the catalogue has a text called key.
func Has(key string) bool {
	_, plain := english.plain[key]
	return plain || english.withArguments[key]
}

// Date writes a day: "Aug 9, 2025" or "9 ago 2025". A day that is none is "".
func (l Lang) Date(d day.Date) string {
	t := d.Time()
	if t.IsZero() {
		return ""
	}
	return l.date(t)
}

// Clock writes the time of day in t's own location: "2:14 PM" or "2:14 p. m.".
func (l Lang) Clock(t time.Time) string {
	if l != Spanish {
		return t.Format("3:04 PM")
	}
	half := "a.\u00a0m."
	if t.Hour() >= 12 {
		half = "p.\u00a0m."
	}
	return t.Format("3:04 ") + half
}

// DateTime writes a moment in its own location: "Jul 10, 2025, 2:14 PM" or "10 jul 2025, 2:14 p. m.".
func (l Lang) DateTime(t time.Time) string { return l.date(t) + ", " + l.Clock(t) }

// Percent writes a rate in parts per million, exactly: 60000 is "6%", 72500 "7.25%". Both languages write it alike here in the United States.
func (l Lang) Percent(ppm int64) string {
	sign := ""
	if ppm < 0 {
		sign, ppm = "-", -ppm
	}
	s := fmt.Sprintf("%s%d.%04d", sign, ppm/10_000, ppm%10_000)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".") + "%"
}

func (l Lang) date(t time.Time) string {
	if l != Spanish {
		return t.Format("Jan 2, 2006")
	}
	return strconv.Itoa(t.Day()) + " " + spanishMonths[t.Month()-1] + " " + strconv.Itoa(t.Year())
}

var spanishMonths = [...]string{"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"}

var matcher = language.NewMatcher([]language.Tag{language.English, language.Spanish})

// speaker is the catalogue in one language.
type speaker struct {
	plain         map[string]string // texts without arguments, which need no formatting
	withArguments map[string]bool
	printer       *message.Printer
}

var english, spanish = newSpeaker(language.English, func(t text) any { return t.en }), newSpeaker(language.Spanish, func(t text) any { return t.es })

// catalogue is all texts, whatever they are for.
func catalogue() []text {
	return slices.Concat(
		texts,
		mailTexts,
		portalTexts,
		cardTexts,
		homeTexts,
		doorTexts,
		profileTexts,
		autoPayTexts, sendTexts,
		appointmentTexts,
		payTexts,
	)
}

// newSpeaker panics on a text that x/text refuses: the texts are constants of this package, so every test would show it.
func newSpeaker(tag language.Tag, in func(text) any) speaker {
	b := catalog.NewBuilder()
	s := speaker{plain: map[string]string{}, withArguments: map[string]bool{}}
	for _, t := range catalogue() {
		var m catalog.Message
		switch words := in(t).(type) {
		case forms:
			m = plural.Selectf(1, "%d", plural.One, words.one, plural.Other, words.other)
		case string:
			if !strings.Contains(words, "%") {
				s.plain[t.key] = words
				continue
			}
			m = catalog.String(words)
		}
		s.withArguments[t.key] = true
		if err := b.Set(tag, t.key, m); err != nil {
			panic("lang: " + t.key + ": " + err.Error())
		}
	}
	s.printer = message.NewPrinter(tag, message.Catalog(b))
	return s
}

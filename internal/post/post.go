// Package post is what we write to people by mail: each letter, its words, and how far it has come.
package post

import (
	"context"
	"errors"
	"strings"
	"time"

	"paylink/internal/lang"
)

var (
	// ErrRefused is returned for a letter that will never be taken: an address that does not exist, a mailbox that is closed. Trying again is useless.
	ErrRefused = errors.New("the mail server refuses this letter")
	// ErrUnsent is returned where a letter could not be handed over this time.
	ErrUnsent = errors.New("the mail server did not take the letter")
)

// Kind says what a letter is about.
type Kind string

// Letter is one mail to one person.
type Letter struct {
	ID        string
	ClientID  string
	Kind      Kind
	Language  string // "en" or "es"
	To        string // address
	Values    map[string]string
	Secret    string // a temporary password or the token of a link; sealed at rest, and gone once the letter has left
	CreatedAt time.Time
	State     State
	Tries     int
	NextAt    time.Time // when it is tried; zero: it is settled
	SentAt    time.Time
}

// State is how far a letter has come.
type State string

const (
	Waiting State = "waiting"
	Sent    State = "sent"   // the mail server has taken it
	Failed  State = "failed" // refused, or tried for a day
)

// Store keeps letters until they have left. Every method is one transaction.
type Store interface {
	// DueLetters lists letters that want to be tried, oldest first.
	DueLetters(ctx context.Context, limit int) (ids []string, err error)
	// TakeLetter gives one worker a letter that is due until the lease is over, and counts the try. ok is false if there is nothing to do.
	TakeLetter(ctx context.Context, id string, lease time.Duration) (l Letter, ok bool, err error)
	// SaveLetter writes how far a letter has come.
	SaveLetter(ctx context.Context, l Letter) error
}

// Carrier brings a letter to the mail server. A letter that was handed over twice has the same id twice. Errors: ErrRefused, ErrUnsent.
type Carrier interface {
	Send(ctx context.Context, l Letter) error
}

// House is who writes.
type House struct {
	Brand   string
	Support string // telephone, as people read it
	URL     string // base address, without a slash at the end
}

// Words are a letter as it is read.
type Words struct {
	lang.Lang
	Brand, Support string
	Subject        string
	Heading        string
	Paragraphs     []string
	Button         string // "": there is none
	Address        string // where the button leads
}

// form is what a kind of letter needs: names of its values in the order of its text's arguments, and where its button leads, {secret}, {lang} and {value names} filled in.
type form struct {
	values []string
	path   string // "": no button
}

// Word puts a letter into words. A kind that is not known, or one whose value is missing, is our own mistake: ok is false.
func Word(l Letter, h House) (w Words, ok bool) {
	f, ok := forms[l.Kind]
	if !ok {
		return w, false
	}
	language, known := lang.Parse(l.Language)
	if !known {
		language = lang.English
	}
	args := []any{h.Brand, h.Support, l.Secret}
	address := strings.NewReplacer("{secret}", l.Secret, "{lang}", string(language)).Replace(f.path)
	for _, name := range f.values {
		value, given := l.Values[name]
		if !given {
			return w, false
		}
		args = append(args, value)
		address = strings.ReplaceAll(address, "{"+name+"}", value)
	}
	key := "mail." + string(l.Kind)
	w = Words{Lang: language, Brand: h.Brand, Support: h.Support, Subject: language.T(key+".subject", args...), Heading: language.T(key+".heading", args...)}
	w.Paragraphs = strings.Split(language.T(key+".text", args...), "\n\n")
	if address != "" {
		w.Button, w.Address = language.T(key+".button"), h.URL+address
	}
	return w, true
}

package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"paylink/internal/account"
	"paylink/internal/lang"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// Version is a version of what is agreed to that was published. None is ever changed: somebody has agreed to it.
type Version struct {
	Number string // "2" of the payment terms, "card-2" of those of keeping a card: all are kept in one list
	From   time.Time
	By     string // staff id; "" for the service's own first version
	Texts  map[lang.Lang]Text
}

// Text is the source of a version in one language (lang.ReadTerms).
type Text struct{ Source, SHA256 string }

func text(source string) Text {
	sum := sha256.Sum256([]byte(source))
	return Text{source, hex.EncodeToString(sum[:])}
}

const cardNumber = "card-" // begins the numbers of the terms of keeping a card

// KindOf is what a version is agreed to for, by its number.
func KindOf(number string) account.Terms {
	if strings.HasPrefix(number, cardNumber) {
		return account.CardTerms
	}
	return account.PaymentTerms
}

// Said is a version's number as its title says it.
func Said(number string) string { return strings.TrimPrefix(number, cardNumber) }

// TermsObject is what the trail calls a version of the terms.
func TermsObject(number string) string { return "terms " + number }

const (
	termsMost    = 12_000 // characters that a version may have in one language: a payer reads it on a phone
	versionsMost = 1000
	publish      = "publish terms"
)

// TermsList is every version, of each kind the one in force first, without texts.
type TermsList struct {
	Versions []Version         // of the payment terms
	Cards    []Version         // of the terms of keeping a card
	Names    map[string]string // of the staff who published them
}

// Terms lists all versions. Errors: staff.ErrNotAllowed.
func (d *Desk) Terms(ctx context.Context, who staff.Member) (TermsList, error) {
	var out TermsList
	err := d.may(ctx, who, staff.SeeAdmin, "see terms", "")
	if err != nil {
		return out, err
	}
	if out.Versions, err = d.Store.TermsVersions(ctx, account.PaymentTerms, versionsMost); err != nil {
		return out, err
	}
	if out.Cards, err = d.Store.TermsVersions(ctx, account.CardTerms, versionsMost); err != nil {
		return out, err
	}
	var ids []string
	for _, v := range slices.Concat(out.Versions, out.Cards) {
		ids = append(ids, v.By)
	}
	out.Names, err = d.names(ctx, ids)
	return out, err
}

// Reading is one version to read.
type Reading struct {
	Version
	Until  time.Time // when the next one was published; zero: it is in force
	Before *Version  // the one before; nil for the first
	History
}

// TermsVersion returns a version and the one before, with their texts. Errors: account.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) TermsVersion(ctx context.Context, who staff.Member, number string) (Reading, error) {
	var out Reading
	if err := d.may(ctx, who, staff.SeeAdmin, "see terms", TermsObject(number)); err != nil {
		return out, err
	}
	all, err := d.Store.TermsVersions(ctx, KindOf(number), versionsMost)
	if err != nil {
		return out, err
	}
	i := slices.IndexFunc(all, func(v Version) bool { return v.Number == number })
	if i < 0 {
		return out, account.ErrNotFound
	}
	if out.Version, err = d.withTexts(ctx, all[i]); err != nil {
		return out, err
	}
	if i > 0 {
		out.Until = all[i-1].From
	}
	if i+1 < len(all) {
		before, err := d.withTexts(ctx, all[i+1])
		if err != nil {
			return out, err
		}
		out.Before = &before
	}
	out.History, err = d.history(ctx, TermsObject(number))
	return out, err
}

func (d *Desk) withTexts(ctx context.Context, v Version) (Version, error) {
	sources, err := d.Store.TermsTexts(ctx, v.Number)
	v.Texts = map[lang.Lang]Text{}
	for _, l := range lang.All {
		v.Texts[l] = text(sources[string(l)])
	}
	return v, err
}

// Draft is a version that is to be published.
type Draft struct {
	After   string // the version that was in force when it was written
	Sources map[lang.Lang]string
}

// Number is the version that it will be.
func (n Draft) Number() string {
	last, err := strconv.Atoi(Said(n.After))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(n.After, Said(n.After)) + strconv.Itoa(last+1)
}

// NewTerms begins a draft: the text in force, with the next version's number in its title. Errors: staff.ErrNotAllowed.
func (d *Desk) NewTerms(ctx context.Context, who staff.Member, kind account.Terms) (Draft, error) {
	n := Draft{Sources: map[lang.Lang]string{}}
	if err := d.may(ctx, who, staff.Manage, publish, ""); err != nil {
		return n, err
	}
	last, err := d.last(ctx, kind)
	if err != nil {
		return n, err
	}
	n.After = last.Number
	for l, t := range last.Texts {
		title, rest, _ := strings.Cut(t.Source, "\n")
		n.Sources[l] = strings.ReplaceAll(title, Said(n.After), Said(n.Number())) + "\n" + rest
	}
	return n, nil
}

// last is the version of a kind in force.
func (d *Desk) last(ctx context.Context, kind account.Terms) (Version, error) {
	all, err := d.Store.TermsVersions(ctx, kind, 1)
	if err != nil {
		return Version{}, err
	}
	if len(all) == 0 {
		return Version{}, account.ErrNotFound
	}
	return d.withTexts(ctx, all[0])
}

// LookAtTerms says whether a draft could be published, and publishes nothing: it is read as the payer will read it, and confirmed. It returns the version in force and the one that it
// will be. Errors: as Publish.
func (d *Desk) LookAtTerms(ctx context.Context, who staff.Member, n Draft) (before, next Version, err error) {
	if err := d.may(ctx, who, staff.Manage, publish, ""); err != nil {
		return before, next, err
	}
	if before, err = d.last(ctx, KindOf(n.After)); err != nil {
		return before, next, err
	}
	next, err = n.version(before)
	return before, next, d.refused(ctx, who, publish, TermsObject(n.Number()), err)
}

// Publish puts a draft in force, at once and on all instances: who has agreed to the version before is not charged, and reads again. It can't be taken back.
// Errors: a Wrong; ErrChanged where another version was published meanwhile; staff.ErrNotAllowed.
func (d *Desk) Publish(ctx context.Context, who staff.Member, n Draft) error {
	before, next, err := d.LookAtTerms(ctx, who, n)
	if err != nil {
		return err
	}
	var hashes []string
	for _, l := range lang.All {
		hashes = append(hashes, fmt.Sprintf("%s: SHA-256 %s → %s", l, before.Texts[l].SHA256, next.Texts[l].SHA256))
	}
	next.By = who.ID
	err = d.Store.PublishTerms(ctx, n.After, next, d.entry(who, time.Time{}, publish, TermsObject(next.Number), "Version: "+n.After+" → "+next.Number+"; "+strings.Join(hashes, "; ")))
	return d.refused(ctx, who, publish, TermsObject(next.Number), err)
}

// placeholder is what looks like one.
var placeholder = regexp.MustCompile(`\{[^{}\n]{0,40}\}`)

// body is a source without its title.
func body(source string) string {
	_, rest, _ := strings.Cut(source, "\n")
	return rest
}

// version checks a draft against the version in force.
func (n Draft) version(before Version) (Version, error) {
	if n.After != before.Number {
		return Version{}, ErrChanged
	}
	next := Version{Number: n.Number(), Texts: map[lang.Lang]Text{}}
	w, same := Wrong{}, true
	parts := map[lang.Lang]int{}
	for _, l := range lang.All {
		field := string(l)
		source := strings.TrimSpace(strings.ReplaceAll(n.Sources[l], "\r\n", "\n")) + "\n"
		next.Texts[l] = text(source)
		same = same && body(source) == body(before.Texts[l].Source)
		t := lang.ReadTerms(source, "", "")
		parts[l] = len(t.Parts)
		unknown := ""
		for _, one := range placeholder.FindAllString(source, -1) {
			if one != "{brand}" && one != "{phone}" {
				unknown = one
			}
		}
		switch {
		case source == "\n":
			w[field] = "Both languages are needed."
		case len([]rune(source)) > termsMost:
			w[field] = "That is too long for a phone: use 12,000 characters at the most."
		case trail.HoldsCardNumber(source):
			w[field] = "Something in it looks like a card number. Take it out."
		case unknown != "":
			w[field] = unknown + " is nothing that we put in. Use {brand} and {phone}."
		case !slices.Contains(strings.FieldsFunc(t.Title, func(r rune) bool { return r < '0' || r > '9' }), Said(next.Number)):
			w[field] = "The first line is the title, and has to name version " + Said(next.Number) + "."
		case slices.ContainsFunc(t.Parts, func(p lang.TermsPart) bool { return p.Heading == "" || len(p.Text) == 0 }):
			w[field] = "Under the title, every block is a heading with its paragraphs below it, and an empty line ends it."
		}
	}
	if len(w) == 0 && parts[lang.English] != parts[lang.Spanish] {
		w[string(lang.Spanish)] = fmt.Sprintf("It has %d parts, and the English text has %d. Both have to say the same.", parts[lang.Spanish], parts[lang.English])
	}
	if len(w) == 0 && same {
		w[string(lang.English)] = "This is the text in force. Change it first."
	}
	return next, w.orNil()
}

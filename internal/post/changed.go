package post

import (
	"strings"

	"paylink/internal/lang"
)

// Change is what was changed in My Account, for the letter that tells the client of it. These are all there are; the words of each are mail.change.… in lang.
type Change string

// What a client is told of by mail, because it is about security or money.
const (
	PasswordChanged  Change = "password"
	AddressChanged   Change = "address" // of mail: the old one is told too
	PhoneChanged     Change = "phone"
	CardAdded        Change = "card_added"
	CardRemoved      Change = "card_removed"
	MainCardChanged  Change = "card_main"
	AutoPayOn        Change = "auto_pay_on"
	AutoPayChanged   Change = "auto_pay_changed"
	AutoPayOff       Change = "auto_pay_off"
	AppointmentMoved Change = "appointment"
	PasskeyAdded     Change = "passkey_added"
	PasskeyRemoved   Change = "passkey_removed"
	TextsOff         Change = "texts_off"
	TextsOn          Change = "texts_on"
	PlateChanged     Change = "plate"
	LanguageChanged  Change = "language"
)

// Changes are all of them.
func Changes() []Change {
	return []Change{PasswordChanged, AddressChanged, PhoneChanged, CardAdded, CardRemoved, MainCardChanged, AutoPayOn, AutoPayChanged, AutoPayOff, AppointmentMoved, PasskeyAdded, PasskeyRemoved, TextsOff, TextsOn, PlateChanged, LanguageChanged}
}

// Letter is one that tells of a change: l says when, to whom, where and in which language. nil where there is no address.
func (c Change) Letter(l Letter, detail string) *Letter {
	if l.To == "" {
		return nil
	}
	language, ok := lang.Parse(l.Language)
	if !ok {
		language = lang.English
	}
	l.Kind, l.Language, l.Values, l.NextAt = Changed, string(language), c.Values(language, detail), l.CreatedAt
	return &l
}

// Values are those of a letter of the kind Changed. detail says more, in the letter's language: "Visa ending 4242", or "" for nothing.
func (c Change) Values(l lang.Lang, detail string) map[string]string {
	what := l.T("mail.change." + string(c))
	said := what
	if detail != "" {
		said += ": " + strings.TrimSuffix(detail, ".") // "2:14 p. m."
	}
	return map[string]string{"what": what, "said": said + "."}
}

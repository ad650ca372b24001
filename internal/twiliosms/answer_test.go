package twiliosms_test

import (
	"net/url"
	"testing"

	"paylink/internal/phone"
	"paylink/internal/sim/twiliosim"
	"paylink/internal/sms"
	"paylink/internal/twiliosms"
)

// Twilio confirms the English STOP and START, and everything that it reports as an OptOutType: nobody is to be told twice.
func TestOnlyWhatTwilioDoesNotAnswerIsToBeAnswered(t *testing.T) {
	const public = "https://plus.interlane.example"
	callbacks, err := twiliosms.NewCallbacks(token, public)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		body, optOut string
		word         sms.Word
		answer       string
	}{
		{"STOP", "", sms.Stop, ""},
		{"START", "", sms.Start, ""},
		{"HELP", "", sms.Help, "en"},
		{"ayuda", "", sms.Help, "es"},
		{"ALTO", "", sms.Stop, "es"},
		{"Parar", "", sms.Stop, "es"},
		{"HELP", "HELP", sms.Help, ""},
		{"ALTO", "STOP", sms.Stop, ""},
		{"why?", "", sms.Other, ""},
	} {
		form := url.Values{"From": {dana}, "Body": {c.body}}
		if c.optOut != "" {
			form.Set("OptOutType", c.optOut)
		}
		got, err := callbacks.Reply("/r", form, twiliosim.Sign(token, public+"/r", form))
		if want := (sms.Reply{From: phone.Stored(dana), Word: c.word, Answer: c.answer}); err != nil || got != want {
			t.Errorf("%q (%q): %+v, %v", c.body, c.optOut, got, err)
		}
	}
}

func TestSendersAndKeysHaveTwiliosForm(t *testing.T) {
	const hex = "0123456789abcdef0123456789abcdef"
	for _, c := range []struct {
		from, service, key string
		ok                 bool
	}{
		{"+18045550100", "", "", true},
		{"12345", "", "", true},
		{"123456", "", "", true},
		{"", "MG" + hex, "", true},
		{"+18045550100", "", "SK" + hex, true},
		{"8045550100", "", "", false},
		{"+1 804 555 0100", "", "", false},
		{"Interlane", "", "", false},
		{"", "MG123", "", false},
		{"", "AC" + hex, "", false},
		{"+18045550100", "", "AC" + hex, false},
		{"+18045550100", "", "SK123", false},
	} {
		config := twiliosms.Config{AccountSID: account, AuthToken: token, From: c.from, MessagingServiceSID: c.service, Timeout: 1, APIKey: c.key}
		if c.key != "" {
			config.APISecret = "secret"
		}
		if _, err := twiliosms.New(config); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

package sms_test

import (
	"testing"

	"paylink/internal/sms"
)

func TestAReplyIsAnsweredInItsWordsLanguage(t *testing.T) {
	for body, want := range map[string]string{"STOP": "en", "Help": "en", "info?": "en", "Alto": "es", "«parar»": "en", "parar.": "es", "¡Ayuda!": "es", "": "en"} {
		if got := sms.LanguageOf(body); got != want {
			t.Errorf("%q: %q, want %q", body, got, want)
		}
	}
}

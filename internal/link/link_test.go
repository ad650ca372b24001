package link_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"paylink/internal/link"
)

func TestATokenNeverPrints(t *testing.T) {
	text := strings.Repeat("A", link.TokenLength)
	token, err := link.ParseToken(text)
	if err != nil || token.Reveal() != text {
		t.Fatal("it can't be read", err)
	}
	held := struct{ Token link.Token }{token}
	document, err := json.Marshal(held)
	if err != nil {
		t.Fatal(err)
	}
	for _, printed := range []string{fmt.Sprint(token), fmt.Sprintf("%v %+v %#v %s %q %x", token, token, token, token, token, token), fmt.Sprintf("%v %+v %#v", held, held, &held), string(document)} {
		if strings.Contains(printed, text) || strings.Contains(printed, fmt.Sprintf("%x", text)) {
			t.Errorf("it printed as %s", printed)
		}
	}
}

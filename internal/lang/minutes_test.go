package lang

import (
	"strings"
	"testing"
)

func TestTextsTellHowLongALinkIsGoodFor(t *testing.T) {
	for _, l := range All {
		for _, minutes := range []struct {
			n    int
			said string
		}{{10, "10 min"}, {25, "25 min"}, {60, "60 min"}} {
			if text := l.LinkText("Interlane", "https://pay.interlane.example/p#X", "(804) 555-0100", minutes.n); !strings.Contains(text, minutes.said+":") {
				t.Errorf("%d minutes: %q", minutes.n, text)
			}
			if text := l.T("pay.time_why", minutes.n); !strings.Contains(text, " "+minutes.said) {
				t.Errorf("%d minutes: %q", minutes.n, text)
			}
		}
	}
}

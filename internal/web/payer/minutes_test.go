package payer_test

import (
	"bytes"
	"strings"
	"testing"

	"paylink/internal/lang"
	"paylink/internal/web"
	"paylink/internal/web/payer"
	"paylink/templates"
)

func TestThePageTellsHowLongTheLinkIsGoodFor(t *testing.T) {
	assets, err := web.NewAssets(templates.Files)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := web.ParsePages(templates.Files, assets)
	if err != nil {
		t.Fatal(err)
	}
	for l, want := range map[lang.Lang]string{lang.English: "works for 25 minutes", lang.Spanish: "durante 25 minutos"} {
		page := payer.Pay{Chrome: payer.Chrome{Chrome: web.Chrome{Lang: l, Brand: "Interlane"}}, LinkMinutes: 25}
		var b bytes.Buffer
		if err := pages.Render(&b, payer.PayPage, page); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page in %q does not say %q", l, want)
		}
	}
}

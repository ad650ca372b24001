package web

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/PuerkitoBio/goquery"

	"paylink/internal/lang"
	"paylink/templates"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func TestABadTemplateStopsTheStart(t *testing.T) {
	good := func() fstest.MapFS {
		return fstest.MapFS{
			"components.html":   file(`{{define "mark"}}m{{end}}`),
			"layout.html":       file(`{{define "layout"}}[{{template "main" .}}]{{end}}`),
			"door/layout.html":  file(`{{define "layout"}}({{template "mark"}}{{template "main" .}}){{end}}`),
			"door/parts.html":   file(`{{define "part"}}p{{.X}}{{end}}`),
			"door/a-parts.html": file(`{{define "more"}}!{{end}}`),
			"door/page.html":    file(`{{define "main"}}{{template "part" .}}{{template "more"}}{{end}}`),
			"storybook.html":    file(`{{define "main"}}{{template "part" .}}{{end}}`),
			"door/style.css":    file(`a{}`),
			"elsewhere/README":  file(`no page`),
			"terms/1.en.txt":    file(`no page`),
			"door/deep/no.html": file(`{{`),
		}
	}
	assets := ours(t)
	pages, err := ParsePages(good(), assets)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := pages.Render(&b, "door/page", struct{ X string }{"<&>"}); err != nil || b.String() != "(mp&lt;&amp;&gt;!)" {
		t.Errorf("the page is %q, %v", b.String(), err)
	}
	b.Reset()
	if err := pages.RenderPart(&b, "door/page", "part", struct{ X string }{"1"}); err != nil || b.String() != "p1" {
		t.Errorf("the part is %q, %v", b.String(), err)
	}
	b.Reset()
	if err := pages.Render(&b, "door/page", struct{}{}); err == nil || b.Len() > 0 {
		t.Errorf("a page without its data wrote %q, %v", b.String(), err)
	}
	if err := pages.Render(&b, "door/none", nil); err == nil || b.Len() > 0 {
		t.Errorf("a page that is none wrote %q, %v", b.String(), err)
	}

	for name, change := range map[string]func(fstest.MapFS){
		"syntax":            func(f fstest.MapFS) { f["door/page.html"] = file(`{{define "main"}}{{`) },
		"unknown function":  func(f fstest.MapFS) { f["door/page.html"] = file(`{{define "main"}}{{shout .}}{{end}}`) },
		"no layout":         func(f fstest.MapFS) { delete(f, "door/layout.html") },
		"layout of nothing": func(f fstest.MapFS) { f["door/layout.html"] = file(`{{define "other"}}{{end}}`) },
	} {
		files := good()
		change(files)
		if _, err := ParsePages(files, assets); err == nil {
			t.Errorf("%s did not stop the start", name)
		}
	}
}

func TestTheStorybookShowsEverythingInEveryLanguageAndTheme(t *testing.T) {
	pages, err := ParsePages(templates.Files, ours(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lang.All {
		for _, theme := range []string{"", "light", "dark"} {
			var b bytes.Buffer
			if err := pages.Render(&b, StorybookPage, NewStorybook(Chrome{Lang: l, Nonce: "n0nce", Brand: "Interlane", Theme: theme})); err != nil {
				t.Fatal(err)
			}
			if i := strings.Index(b.String(), "⟦"); i >= 0 {
				t.Errorf("%s: a text is missing: %.60s", l, b.String()[i:])
			}
			doc, err := goquery.NewDocumentFromReader(&b)
			if err != nil {
				t.Fatal(err)
			}
			for _, component := range []string{".button.primary", ".button.danger", ".button.quiet", ".button[aria-busy]", ".button[aria-disabled]", ".field .hint", ".field .error", "select.input", "textarea.input",
				"fieldset.segmented input[type=radio]", ".check input", ".table", ".tabs [aria-current]", ".panel", ".badge.good", ".pill", ".ladder .done", ".ladder .now", ".ladder .failed", ".alert.error", ".alert.warning",
				".alert.info", "dialog.dialog", "dl.summary .total", "dl.facts", ".empty", ".toasts[role=status] .toast", ".skip", ".disclosure", ".spinner"} {
				if doc.Find(component).Length() == 0 {
					t.Errorf("no %s in the storybook", component)
				}
			}
			if got := doc.Find("html").AttrOr("data-theme", ""); got != theme {
				t.Errorf("theme %q, want %q", got, theme)
			}
		}
	}
}

func TestACountdownIsWrittenWithTwoDigitsOfSeconds(t *testing.T) {
	for seconds, want := range map[int]string{600: "10:00", 522: "8:42", 60: "1:00", 7: "0:07", 0: "0:00", -3: "0:00"} {
		if got := ClockLeft(seconds); got != want {
			t.Errorf("%d s is %q, want %q", seconds, got, want)
		}
	}
}

// WCAG 2.2: 4.5 to 1 for text (1.4.3), 3 to 1 for the edge of a control, a focus ring, a sign (1.4.11).
func TestEveryPairOfColoursHasContrastInBothThemes(t *testing.T) {
	css, err := templates.Files.ReadFile("base.css")
	if err != nil {
		t.Fatal(err)
	}
	light := tokens(t, string(css), ":root {")
	dark := tokens(t, string(css), `:root:not([data-theme="light"]) {`)
	chosen := tokens(t, string(css), `:root[data-theme="dark"] {`)
	for name, value := range dark {
		if chosen[name] != value {
			t.Errorf("--%s is %s where the system is dark and %s where dark is chosen", name, value, chosen[name])
		}
	}
	for name := range light {
		if dark[name] == "" {
			t.Errorf("--%s has no dark value", name)
		}
	}
	text := [][2]string{
		{"ink", "ground"}, {"ink", "paper"}, {"ink-2", "ground"}, {"ink-2", "paper"}, {"ink-2", "calm-soft"}, {"ink", "calm-soft"}, {"on-brand", "brand"}, {"on-brand", "brand-strong"},
		{"brand", "ground"}, {"brand", "paper"}, {"brand", "brand-soft"}, {"brand-strong", "ground"}, {"brand-strong", "paper"}, {"time", "time-soft"}, {"bad", "ground"}, {"bad", "paper"}, {"bad", "bad-soft"}, {"on-bad", "bad"},
		{"good", "good-soft"}, {"note", "note-soft"}, {"ink", "time-soft"}, {"ink", "bad-soft"}, {"ink", "good-soft"}, {"ink", "note-soft"}, {"ground", "ink"},
	}
	edges := [][2]string{{"edge", "ground"}, {"edge", "paper"}, {"brand", "ground"}, {"brand", "paper"}, {"bad", "paper"}}
	for theme, colours := range map[string]map[string]string{"light": light, "dark": dark} {
		for _, pair := range text {
			if got := contrast(t, colours[pair[0]], colours[pair[1]]); got < 4.5 {
				t.Errorf("%s: %s on %s is %.2f to 1", theme, pair[0], pair[1], got)
			}
		}
		for _, pair := range edges {
			if got := contrast(t, colours[pair[0]], colours[pair[1]]); got < 3 {
				t.Errorf("%s: %s beside %s is %.2f to 1", theme, pair[0], pair[1], got)
			}
		}
	}
}

// tokens reads the colours of the first block that begins so.
func tokens(t *testing.T, css, begin string) map[string]string {
	t.Helper()
	_, rest, ok := strings.Cut(css, begin)
	if !ok {
		t.Fatalf("no block %s", begin)
	}
	block, _, _ := strings.Cut(rest, "}")
	found := map[string]string{}
	for _, m := range regexp.MustCompile(`--([a-z0-9-]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(block, -1) {
		found[m[1]] = m[2]
	}
	return found
}

// contrast is WCAG's ratio of two colours' relative luminance.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (math.Max(x, y) + .05) / (math.Min(x, y) + .05)
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 24)
	if err != nil {
		t.Fatalf("%q is no colour", colour)
	}
	part := func(shift uint) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= .04045 {
			return c / 12.92
		}
		return math.Pow((c+.055)/1.055, 2.4)
	}
	return .2126*part(16) + .7152*part(8) + .0722*part(0)
}

package web

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"paylink/internal/lang"
)

// Chrome is what every page has around its content. A page's struct embeds it.
type Chrome struct {
	lang.Lang        // {{.T "key"}} in the template
	Nonce     string // of the Content-Security-Policy; "" on a page that may be cached and so has no inline script
	Brand     string // "Interlane"
	Theme     string // "light" or "dark"; "" follows the reader's system
}

// Pages is every page of every door, parsed.
type Pages struct{ pages map[string]*template.Template }

// ParsePages parses every page of files, so that a bad template stops the start.
//
// A folder is one door's: layout.html defines "layout", parts.html and NAME-parts.html (if any) what its pages share, and each other .html is a
// page that fills the layout's blocks; its name is its path without the ending, "payer/pay". Pages at the root work the same way, and may use the
// parts of every folder. components.html at the root is shared by all.
func ParsePages(files fs.FS, assets *Assets) (*Pages, error) {
	all, err := fs.Glob(files, "*.html")
	if err != nil {
		return nil, fmt.Errorf("web: pages: %w", err)
	}
	inFolders, err := fs.Glob(files, "*/*.html")
	if err != nil {
		return nil, fmt.Errorf("web: pages: %w", err)
	}
	var parts []string
	for _, file := range inFolders {
		if isParts(file) {
			parts = append(parts, file)
		}
	}
	p := &Pages{pages: map[string]*template.Template{}}
	for _, file := range append(all, inFolders...) {
		if base := path.Base(file); base == "layout.html" || base == "components.html" || isParts(file) {
			continue
		}
		folder := path.Dir(file)
		sources := []string{"components.html", path.Join(folder, "layout.html")}
		for _, part := range parts {
			if folder == "." || path.Dir(part) == folder {
				sources = append(sources, part)
			}
		}
		t, err := template.New("layout").Funcs(template.FuncMap{"asset": assets.Path}).Option("missingkey=error").
			ParseFS(files, append(sources, file)...)
		if err != nil {
			return nil, fmt.Errorf("web: page %s: %w", file, err)
		}
		if t.Lookup("layout").Tree == nil {
			return nil, fmt.Errorf("web: page %s: its layout.html does not define layout", file)
		}
		p.pages[strings.TrimSuffix(file, ".html")] = t
	}
	return p, nil
}

func isParts(file string) bool {
	base := path.Base(file)
	return base == "parts.html" || strings.HasSuffix(base, "-parts.html")
}

// Render writes the page called name with data. It renders to a buffer first: if it fails, w has got nothing.
func (p *Pages) Render(w io.Writer, name string, data any) error {
	return p.RenderPart(w, name, "layout", data)
}

// RenderPart writes one named template of a page, for a piece that a script fetches anew. If it fails, w has got nothing.
func (p *Pages) RenderPart(w io.Writer, name, part string, data any) error {
	t, ok := p.pages[name]
	if !ok {
		return fmt.Errorf("web: no page %q", name)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, part, data); err != nil {
		return fmt.Errorf("web: page %s: %w", name, err)
	}
	_, err := b.WriteTo(w)
	return err
}

// ClockLeft writes whole seconds left as a countdown shows them: "8:42", "0:07". Below zero is "0:00".
func ClockLeft(seconds int) string {
	seconds = max(seconds, 0)
	return strconv.Itoa(seconds/60) + ":" + strconv.Itoa(seconds%60/10) + strconv.Itoa(seconds%10)
}

// Storybook is the page that shows every component and state with invented data. Only development mounts it.
type Storybook struct {
	Chrome
	Payer StoryPayer
}

// StoryPayer is what the fragments of the payer's page need.
type StoryPayer struct {
	lang.Lang
	TotalDue  string
	Lines     []StoryLine
	ClockLeft string
}

// StoryLine is one line of a summary, as read.
type StoryLine struct{ Label, Amount string }

// StorybookPage is the name of the storybook, for Pages.Render.
const StorybookPage = "storybook"

// NewStorybook returns the storybook in a language and theme ("light", "dark" or "" for the system's).
func NewStorybook(chrome Chrome) Storybook {
	return Storybook{Chrome: chrome, Payer: StoryPayer{
		Lang:      chrome.Lang,
		TotalDue:  "$121.15",
		ClockLeft: ClockLeft(522),
		Lines: []StoryLine{
			{chrome.Line(lang.Line{Kind: "monitoring", Days: 30, Daily: 310}), "$93.00"},
			{chrome.Line(lang.Line{Kind: "cap_adjustment"}), "($5.50)"},
			{chrome.Line(lang.Line{Kind: "loss_protection", Days: 30, Daily: 16}), "$4.80"},
			{chrome.Line(lang.Line{Kind: "tax", TaxPPM: 72_500}), "$6.69"},
			{chrome.Line(lang.Line{Kind: "past_due"}), "$42.37"},
			{chrome.Line(lang.Line{Kind: "credit"}), "($20.21)"},
		},
	}}
}

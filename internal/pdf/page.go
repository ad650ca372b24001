package pdf

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
	"github.com/go-fonts/liberation/liberationmonoregular"
	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansregular"
	"golang.org/x/text/unicode/norm"

	"paylink/internal/lang"
)

// Measures, in points: 72 to the inch. The paper is US letter.
const (
	margin  = 54.0
	width   = 612 - 2*margin
	bottom  = 60.0 // of the page, for its foot
	leading = 1.4  // lines, by the height of the letters
	body    = 10.0
	small   = 8.5
)

// colors are the brand's, as templates/base.css has them in the light theme.
type color struct{ r, g, b int }

var (
	ink   = color{15, 31, 42}
	quiet = color{82, 99, 110}
	line  = color{213, 221, 225}
	brand = color{11, 93, 87}
	soft  = color{226, 240, 238}
	warm  = color{253, 241, 219}
	amber = color{122, 74, 0}
)

// paper is a document that is being laid out, from the top down.
type paper struct {
	*fpdf.Fpdf
	foot string // on every page, beside its number
}

// about is what a document says of itself.
type about struct {
	title, subject, author string
	language               lang.Lang
	made                   time.Time
	foot                   string
}

// newPaper begins a document. Nothing in it depends on when it is made: the time is an argument, and what a map holds is sorted.
func newPaper(a about) *paper {
	p := &paper{Fpdf: fpdf.New("P", "pt", "Letter", ""), foot: clean(a.foot)}
	p.SetCatalogSort(true)
	p.SetCreationDate(a.made.UTC())
	p.SetModificationDate(a.made.UTC())
	p.SetTitle(clean(a.title), true)
	p.SetSubject(clean(a.subject), true)
	p.SetAuthor(clean(a.author), true)
	p.SetCreator("paylink", true)
	p.SetLang(string(a.language) + "-US")
	p.SetMargins(margin, margin, margin)
	p.SetCellMargin(0)
	p.SetAutoPageBreak(true, bottom)
	p.AddUTF8FontFromBytes("sans", "", liberationsansregular.TTF)
	p.AddUTF8FontFromBytes("sans", "B", liberationsansbold.TTF)
	p.AddUTF8FontFromBytes("mono", "", liberationmonoregular.TTF)
	const pages = "{pages}"
	p.AliasNbPages(pages)
	p.SetFooterFunc(func() {
		p.SetY(-40)
		p.ink(quiet)
		p.font("", small)
		number := a.language.T("invoice.page", strconv.Itoa(p.PageNo()), pages)
		p.CellFormat(width*5/6, 12, p.fit(p.foot, width*5/6), "", 0, "L", false, 0, "")
		// As wide as it will be: the library measures the alias and not the number.
		wide := p.GetStringWidth(a.language.T("invoice.page", strconv.Itoa(p.PageNo()), "00"))
		p.SetX(margin + width - wide)
		p.CellFormat(wide, 12, number, "", 0, "L", false, 0, "")
	})
	p.AddPage()
	return p
}

// bytes ends the document.
func (p *paper) bytes() ([]byte, error) {
	var b bytes.Buffer
	err := p.Output(&b)
	return b.Bytes(), err
}

// clean is a text as it can be set: composed, without control characters, and with a box for what is beyond the font's plane. What the font lacks within it shows as a box too,
// and is copied as what it is.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == '\n':
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		case r > 0xffff:
			return '□'
		}
		return r
	}, norm.NFC.String(s))
}

func (p *paper) ink(c color)  { p.SetTextColor(c.r, c.g, c.b) }
func (p *paper) fill(c color) { p.SetFillColor(c.r, c.g, c.b) }

func (p *paper) font(style string, size float64) { p.SetFont("sans", style, size) }

// fit cuts a text to a width.
func (p *paper) fit(s string, w float64) string {
	if p.GetStringWidth(s) <= w-4 {
		return s
	}
	runes := []rune(s)
	for len(runes) > 0 && p.GetStringWidth(string(runes)+"…") > w-4 {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

// lines breaks a text to a width in the font that is set.
func (p *paper) lines(s string, w float64) []string {
	var out []string
	for _, part := range strings.Split(clean(s), "\n") {
		if part == "" {
			out = append(out, "")
			continue
		}
		line := ""
		for _, word := range strings.Fields(part) {
			next := word
			if line != "" {
				next = line + " " + word
			}
			if p.GetStringWidth(next) <= w {
				line = next
				continue
			}
			if line != "" {
				out = append(out, line)
			}
			line = word
			for p.GetStringWidth(line) > w { // a word that is longer than a line
				runes := []rune(line)
				n := len(runes) - 1
				for n > 1 && p.GetStringWidth(string(runes[:n])) > w {
					n--
				}
				out = append(out, string(runes[:n]))
				line = string(runes[n:])
			}
		}
		out = append(out, line)
	}
	return out
}

// room begins a new page unless there is so much room on this one.
func (p *paper) room(h float64) {
	if _, high := p.GetPageSize(); p.GetY()+h > high-bottom {
		p.AddPage()
	}
}

// text sets a paragraph at x, w wide, line by line over as many pages as it takes.
func (p *paper) text(s string, x, w, size float64) {
	h := size * leading
	for _, one := range p.lines(s, w) {
		p.room(h)
		p.SetX(x)
		p.CellFormat(w, h, one, "", 1, "L", false, 0, "")
	}
}

func (p *paper) gap(h float64) { p.SetY(p.GetY() + h) }

func (p *paper) rule() {
	p.SetDrawColor(line.r, line.g, line.b)
	p.SetLineWidth(.75)
	p.Line(margin, p.GetY(), margin+width, p.GetY())
}

// mast is the top of the first page: the mark and the brand, and what the document is.
func (p *paper) mast(name, title, number string) {
	top := p.GetY()
	p.fill(brand)
	p.RoundedRect(margin, top, 26, 26, 6.5, "1234", "F")
	p.SetDrawColor(255, 255, 255)
	p.SetLineWidth(2.4)
	p.SetLineCapStyle("round")
	for _, x := range []float64{7.3, 13, 18.7} {
		p.Line(margin+x, top+8.2, margin+x, top+17.8)
	}
	p.SetLineCapStyle("butt")
	p.ink(ink)
	p.font("B", 14)
	p.SetXY(margin+34, top)
	p.CellFormat(width/3, 26, p.fit(clean(name), width/3), "", 0, "LM", false, 0, "")
	p.font("B", 20)
	p.SetXY(margin+width/2, top-3)
	p.CellFormat(width/2, 24, clean(title), "", 0, "RM", false, 0, "")
	p.ink(quiet)
	p.font("", 11)
	p.SetXY(margin+width/2, top+20)
	p.CellFormat(width/2, 14, clean(number), "", 0, "RM", false, 0, "")
	p.SetXY(margin, top+46)
	p.rule()
	p.gap(16)
}

// heading begins a part of the document, and keeps with what follows.
func (p *paper) heading(s string) {
	p.room(60)
	p.gap(14)
	p.ink(brand)
	p.font("B", 11.5)
	p.CellFormat(width, 16, clean(s), "", 1, "L", false, 0, "")
	p.gap(3)
}

// fact is a name and a value.
type fact struct{ name, value string }

// facts sets names and values in columns of equal width; a row is as high as its highest.
func (p *paper) facts(all []fact, columns int) {
	w := width / float64(columns)
	for len(all) > 0 {
		row := all[:min(columns, len(all))]
		all = all[len(row):]
		p.font("B", body)
		high := 1
		for _, f := range row {
			high = max(high, len(p.lines(f.value, w-12)))
		}
		h := 12 + float64(high)*body*leading
		p.room(h + 8)
		top := p.GetY()
		for i, f := range row {
			x := margin + float64(i)*w
			p.SetXY(x, top)
			p.ink(quiet)
			p.font("", small)
			p.CellFormat(w-12, 12, clean(f.name), "", 0, "L", false, 0, "")
			p.SetXY(x, top+12)
			p.ink(ink)
			p.font("B", body)
			p.text(f.value, x, w-12, body)
		}
		p.SetXY(margin, top+h+8)
	}
}

// column is a column of a table: how wide, and whether its cells stand at the right.
type column struct {
	head  string
	wide  float64 // in parts of the whole
	right bool
}

// table sets rows under their heads.
func (p *paper) table(columns []column, rows [][]string, size float64) {
	var parts float64
	for _, c := range columns {
		parts += c.wide
	}
	const pad = 5.0 // between columns, and above and below; none at the page's edges
	edges := func(i int) (left, right float64) {
		left, right = pad, pad
		if i == 0 {
			left = 0
		}
		if i == len(columns)-1 {
			right = 0
		}
		return left, right
	}
	set := func(cells []string, style string, c color) {
		p.font(style, size)
		high := 1
		broken := make([][]string, len(cells))
		for i, cell := range cells {
			left, right := edges(i)
			broken[i] = p.lines(cell, columns[i].wide/parts*width-left-right)
			high = max(high, len(broken[i]))
		}
		h := size * leading
		p.ink(c)
		for n := 0; n < high; { // what is higher than a page goes on on the next
			_, pageHigh := p.GetPageSize()
			fits := min(high-n, int((pageHigh-bottom-p.GetY()-2*pad)/h))
			if fits < 1 || n == 0 && fits < high && high < 20 {
				p.AddPage()
				continue
			}
			top, x := p.GetY(), margin
			for i := range cells {
				w := columns[i].wide / parts * width
				align := "L"
				if columns[i].right {
					align = "R"
				}
				left, right := edges(i)
				for k := n; k < min(n+fits, len(broken[i])); k++ {
					p.SetXY(x+left, top+pad+float64(k-n)*h)
					p.CellFormat(w-left-right, h, broken[i][k], "", 0, align, false, 0, "")
				}
				x += w
			}
			n += fits
			p.SetXY(margin, top+2*pad+float64(fits)*h)
		}
		p.rule()
	}
	heads := make([]string, len(columns))
	for i, c := range columns {
		heads[i] = c.head
	}
	p.room(4 * size * leading)
	set(heads, "B", quiet)
	for _, row := range rows {
		set(row, "", ink)
	}
}

// sums sets amounts at the right, the last of them as the total.
func (p *paper) sums(rows []fact) {
	const x, w = margin + width*.5, width * .5
	for i, row := range rows {
		size, style := body, ""
		if i == len(rows)-1 {
			size, style = 13, "B"
			p.gap(3)
		}
		h := size * 1.7
		p.room(h)
		p.font(style, size)
		top := p.GetY()
		p.ink(quiet)
		if style == "B" {
			p.ink(ink)
		}
		p.SetXY(x, top)
		p.CellFormat(w-95, h, p.fit(clean(row.name), w-95), "", 0, "R", false, 0, "")
		p.ink(ink)
		p.SetXY(x+w-95, top)
		p.CellFormat(95, h, row.value, "", 0, "R", false, 0, "")
		p.SetXY(margin, top+h)
	}
}

// amounts sets texts with their amounts at the right.
func (p *paper) amounts(rows []fact) {
	for _, row := range rows {
		p.font("", body)
		broken := p.lines(row.name, width-110)
		h := float64(len(broken)) * body * leading
		p.room(h + 4)
		top := p.GetY()
		p.ink(ink)
		p.text(row.name, margin, width-110, body)
		p.SetXY(margin+width-100, top)
		p.CellFormat(100, body*leading, row.value, "", 0, "R", false, 0, "")
		p.SetXY(margin, top+h+4)
	}
}

// pill sets a word in a soft field at the right of a line.
func (p *paper) pill(word string, back, front color) {
	p.font("B", small)
	w := p.GetStringWidth(word) + 16
	top := p.GetY()
	p.fill(back)
	p.RoundedRect(margin+width-w, top, w, 16, 8, "1234", "F")
	p.ink(front)
	p.SetXY(margin+width-w, top)
	p.CellFormat(w, 16, word, "", 0, "CM", false, 0, "")
	p.SetXY(margin, top)
}

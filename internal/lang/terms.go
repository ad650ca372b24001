package lang

import "strings"

// Terms is a version of the payment terms in one language, as it is read.
type Terms struct {
	Title string // "Payment terms, version 1"
	Note  string // who has still to review it; "" for nobody
	Parts []TermsPart
}

// TermsPart is a heading of the terms and the paragraphs under it.
type TermsPart struct {
	Heading string
	Text    []string
}

// ReadTerms reads the payment terms from their source: blocks divided by an empty line, of which the first is the title and the note
// under it, and every other a heading with its paragraphs, one a line. {brand} and {phone} are put in.
func ReadTerms(source, brand, supportPhone string) Terms {
	source = strings.NewReplacer("{brand}", brand, "{phone}", supportPhone, "\r\n", "\n").Replace(source)
	head, rest, _ := strings.Cut(strings.TrimSpace(source), "\n\n")
	var t Terms
	t.Title, t.Note, _ = strings.Cut(head, "\n")
	for block := range strings.SplitSeq(rest, "\n\n") {
		lines := strings.Split(strings.TrimSpace(block), "\n")
		t.Parts = append(t.Parts, TermsPart{Heading: lines[0], Text: lines[1:]})
	}
	return t
}

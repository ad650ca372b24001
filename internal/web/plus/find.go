package plus

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"paylink/internal/account"
	"paylink/internal/phone"
	"paylink/internal/staff"
	"paylink/internal/trail"
	"paylink/internal/web"
)

// Clients is the search: the empty field, or what was found.
type Clients struct {
	Chrome
	Searched bool
	Found    []Found
	Most     bool   // there are more than these
	Error    string // of the search field
}

// Found is one client in a search.
type Found struct {
	ID, Name, Phone Marked
	Vehicles        []Marked
	Address         string
}

// Marked is a text with what was searched for marked in it.
type Marked []Mark

// Mark is a piece of a text.
type Mark struct {
	Text string
	Hit  bool
}

// clients is GET /plus/clients?q=.
func (s *server) clients(r *web.Request, who staff.Member) (web.Answer, error) {
	return s.find(r, who, r.URL.Query().Get("q"))
}

// search takes the words of the search field. It comes by POST, so that a telephone number stays out of addresses, histories and logs; what is none goes on to an address of its own.
// While somebody types, search.js asks for the list alone.
func (s *server) search(r *web.Request, who staff.Member) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	words := r.PostFormValue("q")
	if digits(words) < 7 && r.Header.Get(part) == "" {
		return web.Redirect("/plus/clients?q=" + url.QueryEscape(words)), nil
	}
	return s.find(r, who, words)
}

func (s *server) find(r *web.Request, who staff.Member, words string) (web.Answer, error) {
	words = strings.TrimSpace(words)
	alone := r.Header.Get(part) != ""
	page := Clients{}
	if !alone {
		page.Chrome = s.chrome(r, who)
	}
	answer := func(status int) (web.Answer, error) {
		if alone {
			return s.Pages.Part(status, ClientsPage, foundPart, page)
		}
		return s.Pages.Page(status, ClientsPage, page)
	}
	if likeCard(words) {
		page.Error = "That looks like a card number, so we did not keep it. Never type one here; the payer enters it on their phone."
		if err := s.cardTyped(r, "/plus/clients", "q"); !errors.Is(err, trail.ErrCardNumber) {
			return web.Answer{}, err
		}
		return answer(http.StatusUnprocessableEntity)
	}
	page.Query = words
	found, more, err := s.Desk.Search(r.Context(), who, words)
	if err != nil {
		return web.Answer{}, err
	}
	number, _ := phone.Parse(words) // words that are no number are just words
	if len(found) == 1 && !alone && (found[0].ID == words || !number.IsZero() && found[0].Phone == number) {
		return web.Redirect(clientAddress(found[0].ID, nil)), nil
	}
	page.Searched, page.Most = words != "", more
	for _, f := range found {
		page.Found = append(page.Found, foundRow(f, words))
	}
	return answer(http.StatusOK)
}

func foundRow(f account.Found, query string) Found {
	words := account.Words(query)
	whole := []string{strings.Join(words, "")} // an id, a plate
	row := Found{ID: marked(f.ID, whole), Name: marked(f.FirstName+" "+f.LastName, words), Address: clientAddress(f.ID, nil), Phone: Marked{{Text: f.Phone.National()}}}
	for _, v := range f.Vehicles {
		row.Vehicles = append(row.Vehicles, marked(v, whole))
	}
	typed := strings.TrimPrefix(strings.Join(account.Words(query), ""), "1")
	row.Phone[0].Hit = len(typed) >= 6 && digits(typed) == len(typed) && strings.HasPrefix(strings.TrimPrefix(f.Phone.E164(), "+1"), typed)
	return row
}

// marked marks in a text what begins with one of the words.
func marked(text string, words []string) Marked {
	var out Marked
	add := func(piece string, hit bool) {
		switch n := len(out); {
		case piece == "":
		case n > 0 && out[n-1].Hit == hit:
			out[n-1].Text += piece
		default:
			out = append(out, Mark{piece, hit})
		}
	}
	rest, inside := text, false // inside: within a word
	for rest != "" {
		end := 0
		if !inside {
			end = beginning(rest, words)
		}
		if end > 0 {
			add(rest[:end], true)
			rest, inside = rest[end:], true
			continue
		}
		r, size := utf8.DecodeRuneInString(rest)
		add(rest[:size], false)
		rest, inside = rest[size:], unicode.IsLetter(r) || unicode.IsDigit(r)
	}
	return out
}

// beginning is how many bytes at the beginning of a text are the longest of some words; 0: none of them.
func beginning(text string, words []string) int {
	const most = 60 // bytes: what is compared with every beginning must be short
	longest := 0
	for end := 0; end < min(len(text), most); {
		r, size := utf8.DecodeRuneInString(text[end:])
		end += size
		word := strings.Join(account.Words(text[:end]), "")
		if word == "" {
			break
		}
		if !unicode.IsSpace(r) && slices.Contains(words, word) {
			longest = end
		}
	}
	return longest
}

func digits(s string) int {
	n := 0
	for _, c := range s {
		if unicode.IsDigit(c) {
			n++
		}
	}
	return n
}

// likeCard says whether a text holds as many digits as a card number: it is not shown again, whatever it is.
func likeCard(s string) bool { return digits(s) >= 13 }

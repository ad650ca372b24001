package sqldb

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"paylink/internal/account"
	"paylink/internal/phone"
)

// A client is found by words: those of the name, plates, the id and the telephone number. The table search_words has a row for each beginning of a word that is looked for
// by itself; what is typed beyond that is compared within the few rows that begin so. To look for an equal text is all that it takes, which both databases do alike,
// whatever order they keep texts in.
const (
	nameStarts = 3 // letters; the rows of one and two are there too
	plateStart = 3
	idStart    = 4
	phoneStart = 6 // digits, without the country's: area and exchange
)

// Rows that are no name's have a mark before their beginning.
const (
	plateMark = "#"
	idMark    = "@"
	phoneMark = "+"
)

// first is the first n letters of a word.
func first(word string, n int) string {
	for i := range word {
		if n--; n < 0 {
			return word[:i]
		}
	}
	return word
}

// findable writes down anew what a client is found by. Whoever changes a name, a telephone number or a plate calls it in the same transaction.
func (t tx) findable(clientID string) error {
	c, err := t.client(clientID)
	if err != nil {
		return err
	}
	if err := t.exec(`DELETE FROM search_words WHERE client_id = $1`, clientID); err != nil {
		return err
	}
	words := account.Words(c.Name())
	args := []any{strings.Join(words, " "), clientID}
	var rows []string
	add := func(start, word string) {
		if word == "" {
			return
		}
		args = append(args, start, word)
		rows = append(rows, fmt.Sprintf("($%d, $1, $2, $%d)", len(args)-1, len(args)))
	}
	for _, word := range words {
		for n := 1; n <= min(nameStarts, utf8.RuneCountInString(word)); n++ {
			add(first(word, n), word)
		}
	}
	id, number := strings.Join(account.Words(c.ID), ""), strings.TrimPrefix(c.Phone.E164(), "+1")
	add(idMark+first(id, idStart), id)
	add(phoneMark+first(number, phoneStart), number)
	err = t.each(`SELECT plate FROM vehicles WHERE client_id = $1`, []any{clientID}, func(scan func(...any) error) error {
		var plate string
		err := scan(&plate)
		plate = strings.Join(account.Words(plate), "")
		add(plateMark+first(plate, plateStart), plate)
		return err
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	return t.exec(`INSERT INTO search_words (start, name, client_id, word) VALUES `+strings.Join(rows, ", ")+` ON CONFLICT DO NOTHING`, args...)
}

// SearchClients finds clients by id, name, telephone number or plate, at most limit of them: first those whose id, number or plate it is, then the others by
// name. Words of a name are found by their beginnings in whatever order, an id from four characters on, a plate from three, a number from six digits on. Which of many of
// a common name are shown is always the same. Locations are those where one of a client's vehicles must be serviced; none: anywhere.
func (d *DB) SearchClients(ctx context.Context, query string, number phone.Number, locations []string, limit int) ([]account.Found, error) {
	words := account.Words(query)
	if len(words) == 0 {
		return nil, nil
	}
	whole := strings.Join(words, "")
	s := search{t: d.read(ctx), found: map[string]*hit{}, whole: whole, id: strings.TrimSpace(query), number: number, locations: locations, limit: limit}
	if err := s.add(`SELECT w.client_id FROM (SELECT id AS client_id FROM clients WHERE id = $1 OR phone = $2) w WHERE 1 = 1`, ``, s.id, number.E164()); err != nil {
		return nil, err
	}
	const startingLike = `SELECT w.client_id FROM search_words w WHERE w.start = $1 AND w.word LIKE $2`
	// The longest word is the rarest, as a rule. Names come in their order, which the index keeps: the search ends as soon as it has enough.
	longest := slices.MaxFunc(words, func(a, b string) int { return cmp.Compare(utf8.RuneCountInString(a), utf8.RuneCountInString(b)) })
	named, args := startingLike, []any{first(longest, nameStarts), longest + "%"}
	for _, word := range words {
		if word != longest {
			args = append(args, "% "+word+"%")
			named += ` AND ' ' || w.name LIKE $` + strconv.Itoa(len(args))
		}
	}
	if err := s.add(named, `GROUP BY w.name, w.client_id ORDER BY w.name, w.client_id`, args...); err != nil {
		return nil, err
	}
	for _, by := range []struct {
		mark  string
		start int
		word  string
	}{{plateMark, plateStart, whole}, {idMark, idStart, whole}, {phoneMark, phoneStart, strings.TrimPrefix(whole, "1")}} {
		if utf8.RuneCountInString(by.word) < by.start {
			continue
		}
		if err := s.add(startingLike, `GROUP BY w.word, w.name, w.client_id ORDER BY w.word, w.name, w.client_id`, by.mark+first(by.word, by.start), by.word+"%"); err != nil {
			return nil, err
		}
	}
	return s.best(), nil
}

// search collects what is found in several ways.
type search struct {
	t         tx
	found     map[string]*hit
	whole     string // what was typed, as a plate is
	id        string
	number    phone.Number
	locations []string
	limit     int
}

type hit struct {
	account.Found
	exact bool // the id, number or plate is it
}

// add finds clients by a query for their ids, in an order. The limit counts clients and not their vehicles.
func (s search) add(query, order string, args ...any) error {
	if len(s.locations) > 0 {
		args = append(args, listing(s.locations))
		query += ` AND EXISTS (SELECT 1 FROM vehicles a WHERE a.client_id = w.client_id AND ` + oneOf("a.location_id", "$"+strconv.Itoa(len(args))) + `)`
	}
	args = append(args, s.limit)
	fresh := map[string]bool{}
	return s.t.each(`SELECT c.id, c.first_name, c.last_name, c.phone, COALESCE(v.label, ''), COALESCE(v.plate, '')
		FROM (`+query+` `+order+` LIMIT $`+strconv.Itoa(len(args))+`) f JOIN clients c ON c.id = f.client_id LEFT JOIN vehicles v ON v.client_id = c.id`, args, func(scan func(...any) error) error {
		var h hit
		var number, label, plate string
		if err := scan(&h.ID, &h.FirstName, &h.LastName, &number, &label, &plate); err != nil {
			return err
		}
		if s.found[h.ID] == nil {
			h.Phone = phone.Stored(number)
			h.exact = h.ID == s.id || !s.number.IsZero() && h.Phone == s.number
			s.found[h.ID], fresh[h.ID] = &h, true
		}
		if !fresh[h.ID] {
			return nil // found before, with all its vehicles
		}
		had := s.found[h.ID]
		if label != "" {
			had.Vehicles = append(had.Vehicles, strings.TrimSuffix(label+" · "+plate, " · "))
		}
		had.exact = had.exact || plate != "" && strings.Join(account.Words(plate), "") == s.whole
		return nil
	})
}

// best are the first of those found. They are sorted here, for a join keeps no order, and order by text differs between the databases.
func (s search) best() []account.Found {
	hits := make([]*hit, 0, len(s.found))
	for _, h := range s.found {
		slices.Sort(h.Vehicles)
		hits = append(hits, h)
	}
	slices.SortFunc(hits, func(a, b *hit) int {
		if a.exact != b.exact {
			if a.exact {
				return -1
			}
			return 1
		}
		return cmp.Or(strings.Compare(a.LastName, b.LastName), strings.Compare(a.FirstName, b.FirstName), strings.Compare(a.ID, b.ID))
	})
	out := make([]account.Found, min(s.limit, len(hits)))
	for i := range out {
		out[i] = hits[i].Found
	}
	return out
}

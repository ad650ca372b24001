package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"paylink/internal/quote"
)

// mostQuoteBytes is how much `paylink quote` reads, tens of thousands of cases.
const mostQuoteBytes = 64 << 20

// What `paylink quote` returns to the shell.
const (
	quotePriced    = 0 // every case has its summary
	quoteRefused   = 1 // at least one case has an error in its place
	quoteMalformed = 2 // the input is no JSON of cases, is too large or can't be read, or the output can't be written
)

// quoteCommand prices one case, or an array of cases, and writes one summary for each, in the same shape and order. A case that can't be priced
// gives {"error": "…"} in its place. Fields that no price depends on are ignored.
func quoteCommand(stdin io.Reader, stdout, stderr io.Writer) int {
	input, err := io.ReadAll(io.LimitReader(stdin, mostQuoteBytes+1))
	if err != nil {
		fmt.Fprintf(stderr, "paylink quote: the cases can't be read: %v\n", err)
		return quoteMalformed
	}
	if len(input) > mostQuoteBytes {
		fmt.Fprintf(stderr, "paylink quote: the cases are larger than %d MiB\n", mostQuoteBytes>>20)
		return quoteMalformed
	}

	var answer any
	var refused bool
	switch input = bytes.TrimSpace(input); {
	case bytes.HasPrefix(input, []byte("[")):
		answer, refused, err = quoteAll(input)
	case bytes.HasPrefix(input, []byte("{")):
		var one json.RawMessage
		if err = json.Unmarshal(input, &one); err == nil {
			answer, refused = quoteOne(one)
		}
	default:
		err = errors.New("want a case, {…}, or an array of cases, […]")
	}
	if err != nil {
		fmt.Fprintf(stderr, "paylink quote: the input is no JSON of cases: %v\n", err)
		return quoteMalformed
	}

	out := json.NewEncoder(stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", " ")
	if err := out.Encode(answer); err != nil {
		fmt.Fprintf(stderr, "paylink quote: the summaries can't be written: %v\n", err)
		return quoteMalformed
	}
	if refused {
		return quoteRefused
	}
	return quotePriced
}

// quoteAll splits before it reads, so that one case of a wrong type takes no other down with it.
func quoteAll(input []byte) (answers []any, refused bool, err error) {
	var cases []json.RawMessage
	if err := json.Unmarshal(input, &cases); err != nil {
		return nil, false, err
	}
	answers = make([]any, len(cases))
	for i, c := range cases {
		var no bool
		answers[i], no = quoteOne(c)
		refused = refused || no
	}
	return answers, refused, nil
}

// quoteOne returns what stands in the place of a case, and whether it is an error.
func quoteOne(one json.RawMessage) (answer any, refused bool) {
	summary, err := priceJSON(one)
	if err != nil {
		return struct {
			Error string `json:"error"`
		}{err.Error()}, true
	}
	return summary, false
}

func priceJSON(one json.RawMessage) (quote.Summary, error) {
	if !bytes.HasPrefix(one, []byte("{")) { // null would be read as an empty case
		return quote.Summary{}, errors.New("a case is an object")
	}
	var in quote.Input
	err := json.Unmarshal(one, &in)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return quote.Summary{}, fmt.Errorf("%s can't be %s", wrong.Field, wrong.Value)
	}
	if err != nil {
		return quote.Summary{}, err
	}
	return quote.Price(in)
}

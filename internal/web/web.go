// Package web is what the doors share: handlers that return, one place that writes, one table of errors, pages and guards.
package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gorilla/mux"
	"github.com/rs/zerolog"

	"paylink/internal/guard"
)

// Request is a request with what every handler needs of it.
type Request struct {
	*http.Request
	ID      string // reference that a person can quote; in the log line too
	Nonce   string // of the page's Content-Security-Policy
	Address string // of the client, behind proxies that we trust
}

// browserMost is how many characters are kept of what a browser says of itself.
const browserMost = 300

// Browser is what the browser says of itself, cut to what any database takes.
func (r *Request) Browser() string {
	text := strings.ReplaceAll(strings.ToValidUTF8(r.UserAgent(), "?"), "\x00", "?")
	if all := []rune(text); len(all) > browserMost {
		return string(all[:browserMost])
	}
	return text
}

// Answer is what a handler returns. The zero Status is 200.
type Answer struct {
	Status  int
	Type    string // content type; "" for none
	Body    []byte
	Header  http.Header // nil: none of its own
	Cookies []*http.Cookie
	Stream  Stream // nil: none; else it is sent, with status 200, instead of a body
}

// Handler answers a request, or returns an error for the door's table. It never writes.
type Handler func(r *Request) (Answer, error)

// JSON answers with a document. What can't be written as JSON is our own mistake and gives a 500.
func JSON(status int, v any) (Answer, error) {
	b, err := json.Marshal(v)
	return Answer{Status: status, Type: "application/json", Body: append(b, '\n')}, err
}

// Page answers with a page.
func (p *Pages) Page(status int, name string, data any) (Answer, error) {
	var b bytes.Buffer
	err := p.Render(&b, name, data)
	return Answer{Status: status, Type: "text/html; charset=utf-8", Body: b.Bytes()}, err
}

// Part answers with one part of a page, for a script that puts it in place.
func (p *Pages) Part(status int, name, part string, data any) (Answer, error) {
	var b bytes.Buffer
	err := p.RenderPart(&b, name, part, data)
	return Answer{Status: status, Type: "text/html; charset=utf-8", Body: b.Bytes()}, err
}

// File answers with a file to keep, by a name of letters, digits and what stands in names.
func File(kind, name string, body []byte) Answer {
	return Answer{Type: kind, Body: body, Header: http.Header{"Content-Disposition": {fmt.Sprintf("attachment; filename=%q", name)}}}
}

// PDFType is the content type of a PDF.
const PDFType = "application/pdf"

// Redirect answers 303: the browser goes on with a GET.
func Redirect(to string) Answer {
	return Answer{Status: http.StatusSeeOther, Header: http.Header{"Location": {to}}}
}

// Door turns handlers into an http.Handler. All fields are required.
type Door struct {
	Log     zerolog.Logger
	Now     func() time.Time
	NewID   func() string // a request's reference
	Nonce   func() string // of a page's policy, fresh
	Proxies []netip.Prefix
	Policy  func(nonce string) string                   // Content-Security-Policy
	Refuse  func(r *Request, p Problem) (Answer, error) // draws an error for a person
	MaxBody int64                                       // bytes
	Timeout time.Duration                               // of a handler's context
	Seen    func(method, route string, status int, took time.Duration)

	Running  context.Context           // ends when the process stops, and all streams with it
	Streamed func(route, ended string) // a stream has begun: ended is ""; or has ended, and why
}

// Handle runs a handler: it limits the body and the time, turns errors and panics into the door's own pages, and writes the answer and one log line.
func (d *Door) Handle(h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		began := d.Now()
		whole := hr.Context()
		ctx, cancel := context.WithTimeout(whole, d.Timeout)
		defer cancel()
		hr = hr.WithContext(ctx)
		hr.Body = http.MaxBytesReader(w, hr.Body, d.MaxBody)
		r := &Request{Request: hr, ID: d.NewID(), Nonce: d.Nonce(), Address: clientAddress(hr, d.Proxies)}
		answer, err := guarded(legible(h), r)
		if err != nil {
			p := ProblemOf(err)
			if gone := errors.Is(hr.Context().Err(), context.Canceled); !gone && p.Status >= http.StatusInternalServerError {
				d.Log.Error().Str("request", r.ID).Str("error", err.Error()).Msg("a request failed")
			}
			if answer, err = guarded(func(r *Request) (Answer, error) { return d.Refuse(r, p) }, r); err != nil {
				d.Log.Error().Str("request", r.ID).Str("error", err.Error()).Msg("an error page failed")
				answer = Answer{Status: http.StatusInternalServerError, Type: "text/plain; charset=utf-8", Body: []byte("Something went wrong. Reference " + r.ID + "\n")}
			}
			answer.Status = p.Status
			if p.RetryAfter > 0 {
				answer.setHeader("Retry-After", strconv.Itoa(int(p.RetryAfter/time.Second)))
			}
		}
		if answer.Stream != nil {
			r.Request = hr.WithContext(whole)
			d.stream(w, r, answer)
			return
		}
		d.write(w, r, answer)
		pattern, took := route(hr), d.Now().Sub(began)
		d.Seen(hr.Method, pattern, answer.status(), took)
		d.Log.Info().Str("request", r.ID).Str("method", hr.Method).Str("route", pattern).Int("status", answer.status()).Dur("took", took).Msg("request")
	})
}

func (a *Answer) setHeader(name, value string) {
	if a.Header == nil {
		a.Header = http.Header{}
	}
	a.Header.Set(name, value)
}

func (a Answer) status() int {
	if a.Status == 0 {
		return http.StatusOK
	}
	return a.Status
}

func (d *Door) write(w http.ResponseWriter, r *Request, a Answer) {
	d.head(w, r, a)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.WriteHeader(a.status())
	_, _ = w.Write(a.Body) // a client that has gone needs no answer
}

// head sets the headers that every answer has, and its own.
func (d *Door) head(w http.ResponseWriter, r *Request, a Answer) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", d.Policy(r.Nonce))
	for name, values := range a.Header {
		header[name] = values
	}
	if a.Type != "" {
		header.Set("Content-Type", a.Type)
	}
	for _, c := range a.Cookies {
		http.SetCookie(w, c)
	}
}

// ByMethod serves GET and POST, either of which may be nil; any other method gets what wrong answers, and is told which are allowed. A router forgets a method that does not fit as
// soon as a later route of a subrouter is tried, and would say 404: methods are told apart here.
func ByMethod(get, post, wrong http.Handler) http.Handler {
	var allowed []string
	if get != nil {
		allowed = append(allowed, http.MethodGet, http.MethodHead)
	}
	if post != nil {
		allowed = append(allowed, http.MethodPost)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet && get != nil:
			get.ServeHTTP(w, r)
		case (r.Method == http.MethodPost || guard.Off(guard.GetActs)) && post != nil:
			post.ServeHTTP(w, r)
		default:
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			wrong.ServeHTTP(w, r)
		}
	})
}

// guarded turns a handler's panic into an error: one request's mistake does not end the others.
func guarded(h Handler, r *Request) (a Answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			a, err = Answer{}, &panicked{p, debug.Stack()}
		}
	}()
	return h(r)
}

// legible refuses an address that holds what is no text, before anybody works with it: a path leads nowhere then, a query can't be read.
func legible(h Handler) Handler {
	return func(r *Request) (Answer, error) {
		for _, value := range mux.Vars(r.Request) {
			if !isText(value) {
				return Answer{}, ErrNoRoute
			}
		}
		if !areTexts(r.URL.Query()) {
			return Answer{}, ErrBadRequest
		}
		return h(r)
	}
}

// isText says whether every store can hold a value: PostgreSQL takes UTF-8 without NUL, and answers anything else with an error.
func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

func areTexts(values url.Values) bool {
	for name, list := range values {
		if !isText(name) || slices.ContainsFunc(list, func(s string) bool { return !isText(s) }) {
			return false
		}
	}
	return true
}

type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string {
	// The value may hold anything, secrets too: only the place goes into the log.
	lines := strings.Split(string(p.stack), "\n")
	return "panic at " + strings.Join(lines[:min(len(lines), 14)], " | ")
}

// route is the pattern that a request matched, never its path, which may hold what a log must not.
func route(r *http.Request) string {
	if guard.Off(guard.RoutePattern) {
		return r.URL.Path
	}
	if m := mux.CurrentRoute(r); m != nil {
		if t, err := m.GetPathTemplate(); err == nil {
			return t
		}
	}
	return "none"
}

// clientAddress is the address of the client: the last one in X-Forwarded-For that is none of our proxies, if the connection comes from one of them.
func clientAddress(r *http.Request, proxies []netip.Prefix) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(forwarded) - 1; i >= 0 && trusted(host, proxies); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(forwarded[i]))
		if err != nil {
			break
		}
		host = next.String()
	}
	return host
}

func trusted(host string, proxies []netip.Prefix) bool {
	a, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, p := range proxies {
		if p.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}

// ReadJSON reads one JSON document into v. What is no text, invalid UTF-8 or a NUL, can't be read. Errors: ErrBadRequest, ErrTooLarge.
func ReadJSON(r *Request, v any) error {
	if t, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(t) != "application/json" {
		return ErrBadRequest
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return bodyError(err)
	}
	// JSON writes a NUL in this way only.
	if !utf8.Valid(b) || bytes.Contains(b, []byte(`\u0000`)) {
		return ErrBadRequest
	}
	if err := json.Unmarshal(b, v); err != nil {
		return ErrBadRequest
	}
	return nil
}

// ReadForm reads a form from the body. What is no text, invalid UTF-8 or a NUL, can't be read. Errors: ErrBadRequest, ErrTooLarge.
func ReadForm(r *Request) error {
	if err := r.ParseForm(); err != nil {
		return bodyError(err)
	}
	if !areTexts(r.PostForm) {
		return ErrBadRequest
	}
	return nil
}

func bodyError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return ErrTooLarge
	}
	return ErrBadRequest
}

// Package twiliosms is Twilio, and nobody else here knows its library.
package twiliosms

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
	lookups "github.com/twilio/twilio-go/rest/lookups/v2"

	"paylink/internal/guard"
	"paylink/internal/phone"
	"paylink/internal/sms"
)

// What New refuses.
var (
	ErrAccount = errors.New("twiliosms: the account SID must be one of Twilio's: AC and 32 letters and digits")
	ErrKey     = errors.New("twiliosms: an auth token, or an API key (SK and 32 letters and digits) with its secret, is required; they have letters and digits only")
	ErrSender  = errors.New("twiliosms: exactly one sender is required: a number in E.164 form or a short code, or a messaging service's SID, MG and 32 letters and digits")
	ErrURL     = errors.New("twiliosms: the API's URL must be https://HOST or http://HOST, without a path")
	ErrTimeout = errors.New("twiliosms: a timeout is required")

	errRedirect = errors.New("redirected")
)

const (
	answerLimit  = 4 << 20         // bytes; a page of messages has about a hundred thousand
	lookupWithin = 3 * time.Second // an agent is waiting, and a text can be sent without it
	pageSize     = 50
	maxPages     = 4 // texts to one number within minutes are few
)

// Config is what a Carrier needs. AccountSID, Timeout, one way to sign in and one sender are required.
type Config struct {
	AccountSID          string
	AuthToken           string // signs in if there is no API key
	APIKey              string // SK…; with APISecret
	APISecret           string
	From                string        // a number of ours, in E.164 form; or
	MessagingServiceSID string        // a messaging service, MG…
	APIURL              string        // "" is Twilio's own
	Timeout             time.Duration // of one request
	Transport           http.RoundTripper
}

// Carrier realises sms.Carrier. Its errors hold neither secrets nor numbers: nothing that Twilio's library says in words is passed on.
// TWILIO_EDGE and TWILIO_REGION in the environment, which the library's own constructor obeys, change nothing here.
type Carrier struct {
	config Config
	base   *url.URL // nil: Twilio's own hosts
}

// New returns a Carrier that has asked nothing yet. Errors: ErrAccount, ErrKey, ErrSender, ErrURL, ErrTimeout, all that apply.
func New(c Config) (*Carrier, error) {
	var problems []error
	if !sid(c.AccountSID, "AC") {
		problems = append(problems, ErrAccount)
	}
	if c.APIKey == "" && c.APISecret == "" {
		c.APIKey, c.APISecret = c.AccountSID, c.AuthToken
	} else if !sid(c.APIKey, "SK") {
		problems = append(problems, ErrKey)
	}
	if c.APISecret == "" || !plain(c.APISecret) {
		problems = append(problems, ErrKey)
	}
	if (c.From == "") == (c.MessagingServiceSID == "") || c.From != "" && !sender.MatchString(c.From) || c.MessagingServiceSID != "" && !sid(c.MessagingServiceSID, "MG") {
		problems = append(problems, ErrSender)
	}
	carrier := &Carrier{config: c}
	if c.APIURL != "" {
		u, err := url.Parse(c.APIURL)
		if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || (u.Scheme != "https" && u.Scheme != "http") {
			problems = append(problems, ErrURL)
		}
		carrier.base = u
	}
	if c.Timeout <= 0 {
		problems = append(problems, ErrTimeout)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	if c.Transport == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.MaxIdleConnsPerHost = own.MaxIdleConns // all of them go to two hosts
		carrier.config.Transport = own
	}
	return carrier, nil
}

// sender is a number in E.164 form, or a short code (twilio.com/docs/glossary/what-e164).
var sender = regexp.MustCompile(`^(\+[1-9][0-9]{7,14}|[0-9]{5,6})$`)

// sid says whether a text is one of Twilio's ids of a kind: two letters, and 32 letters and digits.
func sid(s, kind string) bool { return len(s) == 34 && strings.HasPrefix(s, kind) && plain(s) }

// plain says whether the library will take a credential: it answers others itself, with an error that looks like Twilio's.
func plain(s string) bool {
	return strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// Send realises sms.Carrier. The validity is rounded down to whole seconds, 1 to 36,000 (twilio.com/docs/messaging/api/message-resource).
func (c *Carrier) Send(ctx context.Context, m sms.Outgoing) (sms.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	p := (&api.CreateMessageParams{}).SetTo(m.To.E164()).SetBody(m.Body)
	if guard.On(guard.Validity) {
		p.SetValidityPeriod(int(min(max(m.Validity/time.Second, 1), 36_000)))
	}
	if m.Callback != "" {
		p.SetStatusCallback(m.Callback)
	}
	if c.config.From != "" {
		p.SetFrom(c.config.From)
	} else {
		p.SetMessagingServiceSid(c.config.MessagingServiceSID)
	}
	sent, err := api.NewApiService(c.request(ctx)).CreateMessage(p)
	if err != nil {
		return sms.Receipt{}, problem(err)
	}
	return receipt(*sent)
}

// Find realises sms.Carrier. Twilio's filter by date knows the date of sending only, and would hide a text that still waits in its queue: so the
// number alone is asked for, and the dates of creation are compared here. It reads at most four pages of fifty texts.
func (c *Carrier) Find(ctx context.Context, to phone.Number, since time.Time, body string) (*sms.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	p := (&api.ListMessageParams{}).SetTo(to.E164()).SetPageSize(pageSize)
	var found *api.ApiV2010Message
	var foundAt time.Time
	token, page := "", ""
	for range maxPages {
		list, err := api.NewApiService(c.request(ctx)).PageMessage(p, token, page)
		if err != nil {
			return nil, problem(err)
		}
		for _, m := range list.Messages {
			at, err := time.Parse(time.RFC1123Z, value(m.DateCreated))
			if err != nil {
				return nil, unclear("its answer has a date that can't be read")
			}
			// Dates have whole seconds.
			if value(m.Body) == body && value(m.To) == to.E164() && !at.Before(since.Truncate(time.Second)) && (found == nil || at.After(foundAt)) {
				found, foundAt = &m, at
			}
		}
		next, err := url.Parse(value(list.NextPageUri))
		if err != nil || found != nil || next.Query().Get("PageToken") == "" {
			break
		}
		token, page = next.Query().Get("PageToken"), next.Query().Get("Page")
	}
	if found == nil {
		return nil, nil
	}
	r, err := receipt(*found)
	if err != nil {
		return nil, err
	}
	return &r, nil
}

// Status realises sms.Carrier.
func (c *Carrier) Status(ctx context.Context, sid string) (sms.Receipt, error) {
	if sid == "" || !plain(sid) {
		return sms.Receipt{}, sms.Refused{Code: codeNotFound}
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	m, err := api.NewApiService(c.request(ctx)).FetchMessage(sid, nil)
	if err != nil {
		return sms.Receipt{}, problem(err)
	}
	if value(m.Sid) != sid {
		return sms.Receipt{}, unclear("its answer is about another text")
	}
	return receipt(*m)
}

// LineOf realises sms.Carrier, within three seconds (twilio.com/docs/lookup/v2-api/line-type-intelligence).
func (c *Carrier) LineOf(ctx context.Context, n phone.Number) (sms.Line, error) {
	ctx, cancel := context.WithTimeout(ctx, min(lookupWithin, c.config.Timeout))
	defer cancel()
	p := (&lookups.FetchPhoneNumberParams{}).SetFields("line_type_intelligence")
	found, err := lookups.NewApiService(c.request(ctx)).FetchPhoneNumber(n.E164(), p)
	if err != nil {
		return sms.UnknownLine, problem(err)
	}
	switch found.LineTypeIntelligence.Type {
	case "mobile":
		return sms.Mobile, nil
	case "landline":
		return sms.Landline, nil
	case "", "unknown":
		return sms.UnknownLine, nil
	}
	return sms.OtherLine, nil
}

func receipt(m api.ApiV2010Message) (sms.Receipt, error) {
	if value(m.Sid) == "" {
		return sms.Receipt{}, unclear("its answer names no text")
	}
	r := sms.Receipt{SID: *m.Sid, Status: sms.ParseStatus(value(m.Status))}
	if r.Status == "" {
		r.Status = sms.Queued // it has the text; a state that we do not know is not one that ends it
	}
	if m.ErrorCode != nil {
		r.ErrorCode = *m.ErrorCode
	}
	return r, nil
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// --- One request ----------------------------------------------------------------------------------------------------------------------------

// request is a client for one request: the library takes no context, so its transport carries one. It is put together by hand because the
// library's constructor lets the environment choose the host.
func (c *Carrier) request(ctx context.Context) *client.RequestHandler {
	one := &client.Client{
		Credentials: client.NewCredentials(c.config.APIKey, c.config.APISecret),
		HTTPClient:  &http.Client{Transport: carry{ctx, c.base, c.config.Transport}},
	}
	one.SetAccountSid(c.config.AccountSID)
	return &client.RequestHandler{Client: one}
}

// carry sends a request under a context, to another host if there is a base. It follows no redirect, and bounds the answer.
type carry struct {
	ctx  context.Context
	base *url.URL
	next http.RoundTripper
}

func (c carry) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(c.ctx)
	r.GetBody = nil // net/http does not send again what can't be rewound
	if c.base != nil {
		r.URL.Scheme, r.URL.Host, r.Host = c.base.Scheme, c.base.Host, ""
	}
	answer, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= 300 && answer.StatusCode < 400 {
		_ = answer.Body.Close()
		return nil, errRedirect
	}
	answer.Body = bounded{io.LimitReader(answer.Body, answerLimit), answer.Body}
	return answer, nil
}

type bounded struct {
	io.Reader
	io.Closer
}

// --- Errors ---------------------------------------------------------------------------------------------------------------------------------

// Twilio's codes that mean something here; the others are sms.Reason's matter.
const (
	codeSlowDown = 20429
	codeNotFound = 20404
)

// problem turns the library's error into ours. Its words stay behind: they hold addresses with account and numbers.
func problem(err error) error {
	e, typed := errors.AsType[*client.TwilioRestError](err)
	switch {
	case typed && (e.Code == codeSlowDown || e.Status == http.StatusTooManyRequests):
		return sms.ErrSlowDown
	case typed && e.Code != 0 && e.Status >= 400 && e.Status < 500:
		return sms.Refused{Code: e.Code}
	case typed:
		return unclear(fmt.Sprintf("it answered %d, error %d", e.Status, e.Code))
	case errors.Is(err, context.Canceled):
		return unclear("the asker went away")
	case errors.Is(err, context.DeadlineExceeded):
		return unclear("it did not answer in time")
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return unclear("the connection failed")
	}
	return unclear("its answer could not be read")
}

func unclear(why string) error { return fmt.Errorf("%w: %s", sms.ErrUnclear, why) }

package stripemock

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"

	"github.com/stripe/stripe-mock/embedded"
	"github.com/stripe/stripe-mock/server"
)

// Proxy passes each request of a client to stripe-mock, in this process, after holding its parameters against the
// document at every depth. It serves as an http.Handler, and as the http.RoundTripper of a client.
type Proxy struct {
	spec *Spec
	mock http.Handler

	mu       sync.Mutex
	seen     []string
	problems []string
}

// NewProxy starts stripe-mock in this process; that takes a second or two.
func NewProxy() (*Proxy, error) {
	spec, err := LoadSpec()
	if err != nil {
		return nil, err
	}
	mockSpec, err := server.LoadSpec(embedded.OpenAPISpec, "")
	if err != nil {
		return nil, fmt.Errorf("stripe-mock's document: %w", err)
	}
	fixtures, err := server.LoadFixtures(embedded.OpenAPIFixtures, "")
	if err != nil {
		return nil, fmt.Errorf("stripe-mock's fixtures: %w", err)
	}
	stub, err := server.NewStubServer(fixtures, mockSpec, false, false)
	if err != nil {
		return nil, fmt.Errorf("stripe-mock: %w", err)
	}
	return &Proxy{spec: spec, mock: http.HandlerFunc(stub.HandleRequest)}, nil
}

// Requests are the method and path of every request so far.
func (p *Proxy) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.seen...)
}

// Problems are the parameters that Stripe would refuse, and every answer of stripe-mock that was not a success.
func (p *Proxy) Problems() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.problems...)
}

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, "unreadable body", http.StatusBadRequest)
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		http.Error(w, "unreadable form", http.StatusBadRequest)
		return
	}
	unknown := p.spec.CheckRequest(r.Method, r.URL.Path, r.URL.Query(), form)
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	p.mock.ServeHTTP(answer, r)

	p.mu.Lock()
	p.seen = append(p.seen, r.Method+" "+r.URL.Path)
	for _, name := range unknown {
		p.problems = append(p.problems, fmt.Sprintf("%s %s: unknown parameter %s", r.Method, r.URL.Path, name))
	}
	if answer.Code >= 400 {
		p.problems = append(p.problems, fmt.Sprintf("%s %s: stripe-mock answers %d %s", r.Method, r.URL.Path, answer.Code, answer.Body))
	}
	p.mu.Unlock()

	if len(unknown) > 0 && answer.Code < 400 {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":{"type":"invalid_request_error","code":"parameter_unknown","param":%q,"message":%q}}`,
			unknown[0], "Received unknown parameter: "+strings.Join(unknown, ", "))
		return
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// RoundTrip answers a client's request without a network, whatever host it was meant for.
func (p *Proxy) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r = r.Clone(r.Context())
		r.Body = http.NoBody
	}
	answer := httptest.NewRecorder()
	p.ServeHTTP(answer, r)
	resp := answer.Result()
	resp.Request = r
	return resp, nil
}

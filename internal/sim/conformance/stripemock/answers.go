package stripemock

import (
	"bytes"
	"io"
	"net/http"
)

// AnswerChecker is a RoundTripper that lets answers pass and notes where they differ from the document.
type AnswerChecker struct {
	Spec *Spec
	Next http.RoundTripper
	// Note is given each problem, with the request and status that it belongs to. It may be called by several goroutines.
	Note func(request *http.Request, status int, problem string)
}

// RoundTrip sends the request on and checks what comes back.
func (c *AnswerChecker) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.Next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	for _, problem := range c.Spec.CheckAnswer(r.Method, r.URL.Path, resp.StatusCode, body) {
		c.Note(r, resp.StatusCode, problem)
	}
	return resp, nil
}

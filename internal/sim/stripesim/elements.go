package stripesim

import (
	"embed"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed v3
var elements embed.FS

// serveElements gives the files of the Stripe.js stand-in: /v3/ is the script itself, as at js.stripe.com.
func (s *Server) serveElements(w http.ResponseWriter, r *http.Request) {
	name := strings.Trim(strings.TrimPrefix(path.Clean(r.URL.Path), "/v3"), "/")
	switch name {
	case "":
		name = "stripe.js"
	case "challenge":
		name = "challenge.html"
	}
	b, err := elements.ReadFile("v3/" + name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	kind := mime.TypeByExtension(path.Ext(name))
	switch path.Ext(name) { // not left to the machine's own table
	case ".js":
		kind = "text/javascript; charset=utf-8"
	case ".html":
		kind = "text/html; charset=utf-8"
	case ".css":
		kind = "text/css; charset=utf-8"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache")
	allowOrigin(w)
	_, _ = w.Write(b)
}

// postChallenge is the answer of the challenge page: form client_secret and outcome=complete or fail. It answers with
// what a publishable key may see of the intent.
func (s *Server) postChallenge(w http.ResponseWriter, r *http.Request) {
	allowOrigin(w)
	r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{server: s, request: r, id: r.PathValue("id"), public: true, origin: originOf(r), requestID: "req_" + s.letters(14)}
	fail := func(err *apiError) { s.write(w, c, refusal(c, err)) }
	if err := r.ParseForm(); err != nil {
		fail(invalid("", "", "The request body could not be read."))
		return
	}
	outcome := r.PostForm.Get("outcome")
	if outcome != "complete" && outcome != "fail" {
		fail(invalid("", "outcome", "outcome is complete or fail."))
		return
	}
	for _, a := range s.accounts {
		c.account, c.params = a, &node{kids: map[string]*node{"client_secret": {value: r.PostForm.Get("client_secret"), leaf: true}}}
		switch intent := a.byID[c.id].(type) {
		case *paymentIntent:
			if _, err := c.intentHere(); err != nil {
				fail(err)
				return
			}
			if err := c.background().finishChallenge(intent, outcome == "complete"); err != nil {
				fail(err)
				return
			}
			s.write(w, c, reply{status: 200, body: encode(intent.public())})
			return
		case *setupIntent:
			if _, err := c.setupHere(); err != nil {
				fail(err)
				return
			}
			if err := c.background().finishSetupChallenge(intent, outcome == "complete"); err != nil {
				fail(err)
				return
			}
			s.write(w, c, reply{status: 200, body: encode(c.showSetup(intent))})
			return
		}
	}
	fail(missing(404, "intent", c.id, "intent"))
}

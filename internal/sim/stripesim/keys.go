package stripesim

import (
	"crypto/subtle"
	"net/http"
	"strings"
)

// authenticate finds out who asks and for which account.
func (c *call) authenticate(op operation) *apiError {
	s := c.server
	key := keyOf(c.request)
	if key == "" {
		key = c.params.text("key") // as Stripe.js sends it
	}
	switch {
	case key == "":
		return &apiError{status: 401, kind: typeInvalid, unsaved: true,
			message: "You did not provide an API key. Send it as a bearer token, or as the user name of basic authentication."}
	case strings.Contains(key, "_live_"):
		return &apiError{status: 401, kind: typeInvalid, unsaved: true, message: "A live key was sent to a simulator. Nothing was done; roll that key."}
	case same(key, s.config.SecretKey):
	case same(key, s.config.PublishableKey):
		c.public = true
		if !op.public {
			return &apiError{status: 401, kind: typeInvalid, code: "secret_key_required", unsaved: true,
				message: "This call cannot be made with a publishable key. Use a secret key."}
		}
	default:
		return &apiError{status: 401, kind: typeInvalid, unsaved: true, message: "Invalid API Key provided: " + masked(key)}
	}
	id := c.request.Header.Get("Stripe-Account")
	if id == "" && op.public {
		id = c.params.text("_stripe_account")
	}
	if id == "" {
		c.account = s.platform
		return nil
	}
	a, ok := s.accounts[id]
	if !ok {
		return s.accountInvalid(id)
	}
	c.account = a
	return nil
}

func (s *Server) accountInvalid(id string) *apiError {
	return &apiError{status: 403, kind: typeInvalid, code: "account_invalid", unsaved: true,
		message: "The provided key does not have access to account '" + id + "' (or that account does not exist)."}
}

func keyOf(r *http.Request) string {
	if user, _, ok := r.BasicAuth(); ok {
		return user
	}
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return ""
	}
	return strings.TrimSpace(key)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// masked shows the kind of a key and its end, as Stripe's message does.
func masked(key string) string {
	if len(key) < 16 {
		return "****"
	}
	return key[:8] + "****" + key[len(key)-4:]
}

// Browsers may read what a publishable key may ask for.
func allowOrigin(w http.ResponseWriter) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Expose-Headers", "Request-Id, Stripe-Version")
}

func (s *Server) preflight(w http.ResponseWriter, r *http.Request) {
	allowOrigin(w)
	w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, Stripe-Account, Stripe-Version")
	w.Header().Set("Access-Control-Max-Age", "300")
	w.WriteHeader(http.StatusNoContent)
}

package testbed

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Provider is an OpenID Connect provider that does what it should, until a test has it do otherwise. The real one, with its pages, is in e2e.
type Provider struct {
	URL, ClientID, ClientSecret string

	// Token changes an ID token before it is signed: its header and its claims.
	Token func(header, claims map[string]any)
	// Info is what the userinfo endpoint says; nil: there is none.
	Info map[string]any
	// Down has every request fail.
	Down bool

	now   func() time.Time
	key   *rsa.PrivateKey
	mu    sync.Mutex
	codes map[string]login
}

type login struct {
	ask    url.Values
	claims map[string]any
}

// NewProvider starts a provider. now is its clock.
func NewProvider(t testing.TB, now func() time.Time) *Provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &Provider{ClientID: "plus-web", ClientSecret: "a secret for tests", now: now, key: key, codes: map[string]login{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("/keys", p.keys)
	mux.HandleFunc("/token", p.token)
	mux.HandleFunc("/info", p.info)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		down := p.Down
		p.mu.Unlock()
		if down {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

// Set changes the provider while it serves.
func (p *Provider) Set(change func(p *Provider)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

// SignIn is somebody signing in at the provider who was sent there by an address; claims are what it says of them. It returns the code that their browser brings back.
func (p *Provider) SignIn(t testing.TB, address string, claims map[string]any) (code string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	code = rand.Text()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.codes[code] = login{u.Query(), claims}
	return code
}

func (p *Provider) info(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	reply(w, http.StatusOK, p.Info)
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	says := map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"RS256", "none", "HS256"},
	}
	if p.Info != nil {
		says["userinfo_endpoint"] = p.URL + "/info"
	}
	reply(w, http.StatusOK, says)
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"keys": []any{map[string]string{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": b64(p.key.N.Bytes()), "e": b64(big.NewInt(int64(p.key.E)).Bytes()),
	}}})
}

// token trades a code, once, for who has asked for it: by the secret, the verifier and the address to return to.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	} else {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	}
	l, known := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case id != p.ClientID || secret != p.ClientSecret:
		reply(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	case !known || l.ask.Get("code_challenge_method") != "S256" || l.ask.Get("code_challenge") != b64(sum[:]) || l.ask.Get("redirect_uri") != r.PostFormValue("redirect_uri"):
		reply(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	header := map[string]any{"alg": "RS256", "kid": "1", "typ": "JWT"}
	claims := map[string]any{"iss": p.URL, "aud": p.ClientID, "nonce": l.ask.Get("nonce"), "iat": p.now().Unix(), "exp": p.now().Add(time.Hour).Unix()}
	for name, value := range l.claims {
		claims[name] = value
	}
	if p.Token != nil {
		p.Token(header, claims)
	}
	reply(w, http.StatusOK, map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 3600, "id_token": p.sign(header, claims)})
}

func (p *Provider) sign(header, claims map[string]any) string {
	h, _ := json.Marshal(header)
	c, _ := json.Marshal(claims)
	signed := b64(h) + "." + b64(c)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	if err != nil || header["alg"] == "none" {
		signature = nil
	}
	return signed + "." + b64(signature)
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that has gone needs no answer
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

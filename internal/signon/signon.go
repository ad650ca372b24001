// Package signon asks the company's own OpenID Connect provider who somebody is.
package signon

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"paylink/internal/desk/signin"
)

// Config is what a provider's client needs. All fields are required.
type Config struct {
	Issuer       string // as the provider names itself, https://…
	ClientID     string
	ClientSecret string
	Redirect     string // where the provider sends browsers back to, exactly as it is registered there
	Timeout      time.Duration
	Now          func() time.Time
}

// Limits of what a provider may make us do.
const (
	knownFor   = time.Hour       // what a provider says of itself is asked for again after that
	downFor    = 5 * time.Second // one that did not answer is left alone: those who wait for it would wait one after the other
	answerMost = 1 << 20         // bytes
	leeway     = 2 * time.Minute // between its clock and ours
	oldest     = 15 * time.Minute
)

// algorithms are those whose signatures count: with a public key, and never none or a secret that we share.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}

// Provider is the company's provider. It is asked what it is when somebody first wants to sign in there: a provider that is down keeps no service from starting.
type Provider struct {
	config Config
	client *http.Client

	mu    sync.Mutex
	known *oidc.Provider
	asked time.Time // when it said so
	down  time.Time // when it did not answer
}

// New returns a provider's client. It asks nobody.
func New(c Config) *Provider {
	return &Provider{config: c, client: &http.Client{
		Timeout: c.Timeout, Transport: limited{http.DefaultTransport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a secret goes where it was meant to go
	}}
}

// Issuer is the provider's name for itself.
func (p *Provider) Issuer() string { return p.config.Issuer }

// Ask is the address to send a browser to: the authorization code flow with PKCE (RFC 7636, S256). Errors: signin.ErrProvider.
func (p *Provider) Ask(ctx context.Context, a signin.Ask) (string, error) {
	o, _, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	return o.AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), nil
}

// Identity trades a code for who somebody is. Errors: signin.ErrProvider where the provider does not answer, signin.ErrRefused for whatever else is wrong.
func (p *Provider) Identity(ctx context.Context, code string, a signin.Ask) (signin.Identity, error) {
	o, known, err := p.discover(ctx)
	if err != nil {
		return signin.Identity{}, err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := o.Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		if said, ok := errors.AsType[*oauth2.RetrieveError](err); ok && said.Response != nil && said.Response.StatusCode < http.StatusInternalServerError {
			return signin.Identity{}, signin.ErrRefused
		}
		return signin.Identity{}, signin.ErrProvider // its own words might hold the code
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return signin.Identity{}, signin.ErrRefused
	}
	now := p.config.Now()
	verifier := known.VerifierContext(ctx, &oidc.Config{ClientID: p.config.ClientID, SupportedSigningAlgs: algorithms, Now: p.config.Now})
	id, err := verifier.Verify(ctx, raw)
	if err != nil {
		return signin.Identity{}, signin.ErrRefused
	}
	var says claims
	if err := id.Claims(&says); err != nil || id.Subject == "" || id.Nonce == "" || id.Nonce != a.Nonce || says.For != "" && says.For != p.config.ClientID ||
		id.IssuedAt.After(now.Add(leeway)) || now.Sub(id.IssuedAt) > oldest {
		return signin.Identity{}, signin.ErrRefused
	}
	if says.Email == "" && known.UserInfoEndpoint() != "" { // many keep it out of the token
		info, err := known.UserInfo(ctx, o.TokenSource(ctx, token))
		if err == nil && info.Subject == id.Subject {
			says.Email, says.Verified = info.Email, verified(info.EmailVerified)
		}
	}
	return signin.Identity{Issuer: id.Issuer, Subject: id.Subject, Email: strings.ToLower(strings.TrimSpace(says.Email)), Verified: bool(says.Verified)}, nil
}

// claims are what a token says besides.
type claims struct {
	For      string   `json:"azp"`
	Email    string   `json:"email"`
	Verified verified `json:"email_verified"`
}

// verified is a boolean, which some providers write as a string.
type verified bool

// UnmarshalJSON takes true and "true" for true, and anything else for false.
func (v *verified) UnmarshalJSON(b []byte) error {
	*v = verified(strings.Trim(string(b), `"`) == "true")
	return nil
}

// discover asks the provider what it is, unless it has said so within the hour.
func (p *Provider) discover(ctx context.Context) (*oauth2.Config, *oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.config.Now(); p.known == nil || now.Sub(p.asked) >= knownFor {
		if now.Sub(p.down) < downFor {
			return nil, nil, signin.ErrProvider
		}
		// Its keys are asked for later, with this client and outside of this request's time.
		known, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.client), p.config.Issuer)
		if err != nil {
			p.down = p.config.Now()
			return nil, nil, signin.ErrProvider
		}
		p.known, p.asked = known, p.config.Now()
	}
	return &oauth2.Config{
		ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, Endpoint: p.known.Endpoint(), RedirectURL: p.config.Redirect, Scopes: []string{oidc.ScopeOpenID, "email"},
	}, p.known, nil
}

// limited reads no more of an answer than a provider has reason to send.
type limited struct{ http.RoundTripper }

// RoundTrip is http.RoundTripper's.
func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := l.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Body = http.MaxBytesReader(nil, answer.Body, answerMost)
	}
	return answer, err
}

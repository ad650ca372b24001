package web

import (
	"net/http"
	"net/url"
	"strings"

	"paylink/internal/guard"
)

// Guard wraps a whole site from outside the router, so that it also covers what no route matches: headers that every answer carries,
// HEAD wherever GET is, and no state change asked for by another site.
func Guard(next http.Handler, https bool, crossSite http.Handler) http.Handler {
	sites := http.NewCrossOriginProtection()
	sites.SetDenyHandler(crossSite)
	// Suppliers' signed calls come without a browser's headers, and pass by themselves.
	checked := sites.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		if https {
			h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		if r.Method == http.MethodHead {
			// The router knows GET only. The writer still knows that this is a HEAD, and sends no body.
			r = r.Clone(r.Context())
			r.Method = http.MethodGet
		}
		if guard.Off(guard.CrossSite) {
			next.ServeHTTP(w, r)
			return
		}
		checked.ServeHTTP(w, r)
	})
}

// Policy writes a Content-Security-Policy for pages with our own styles and scripts only; extra holds what a page needs beyond that.
func Policy(nonce string, extra ...string) string {
	p := []string{
		"default-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'", "img-src 'self'", "style-src 'self'", "connect-src 'self'",
	}
	if nonce != "" {
		p = append(p, "script-src 'self' 'nonce-"+nonce+"'")
	} else {
		p = append(p, "script-src 'self'")
	}
	return strings.Join(append(p, extra...), "; ")
}

// CardPolicy is the policy of the pages that load Stripe.js, as docs.stripe.com/security/guide#content-security-policy asks for it; Stripe.js inserts inline styles into its mount nodes.
func CardPolicy(nonce, stripeJS string) string {
	origin := "https://js.stripe.com"
	script, frame, connect := origin+" https://*.js.stripe.com", origin+" https://*.js.stripe.com https://hooks.stripe.com", "https://api.stripe.com"
	if u, err := url.Parse(stripeJS); err == nil && u.Host != "js.stripe.com" { // the simulator's, in development
		origin = u.Scheme + "://" + u.Host
		script, frame, connect = origin, origin, origin
	}
	return strings.Join([]string{
		"default-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'", "img-src 'self'", "style-src 'self'", "style-src-attr 'unsafe-inline'",
		"script-src 'self' 'nonce-" + nonce + "' " + script, "frame-src " + frame, "connect-src 'self' " + connect,
	}, "; ")
}

package web

import (
	"net/http"
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

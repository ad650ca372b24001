// Package templates is everything that a browser is sent: pages, styles, scripts, the brand's mark and the payment terms.
package templates

import "embed"

// Files holds the templates by the paths they have here. A folder is one door's: its layout.html, its parts.html and …-parts.html if any, and its pages.
//
//go:embed *.html *.css *.js *.svg */*
var Files embed.FS

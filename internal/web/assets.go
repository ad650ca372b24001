package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// Assets serves our styles, scripts and drawings under /assets/{hash}/{name}. The hash is that of the content, so a browser may keep an answer for ever.
type Assets struct {
	paths  map[string]string // by name
	served map[string]asset  // by path
}

type asset struct {
	contentType string
	plain       []byte
	gzipped     []byte
}

// The kinds of file that a page may ask for; everything else in files stays inside.
var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// NewAssets reads every .css, .js and .svg of files and compresses it once. It fails if a file cannot be read.
func NewAssets(files fs.FS) (*Assets, error) {
	a := &Assets{paths: map[string]string{}, served: map[string]asset{}}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		contentType, ok := assetTypes[path.Ext(name)]
		if entry.IsDir() || !ok {
			return nil
		}
		plain, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if contentType != assetTypes[".svg"] {
			plain = withoutComments(plain)
		}
		gzipped, err := compress(plain)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(plain)
		p := "/assets/" + hex.EncodeToString(sum[:8]) + "/" + name
		a.paths[name], a.served[p] = p, asset{contentType, plain, gzipped}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("web: assets: %w", err)
	}
	return a, nil
}

// Path returns the address of the asset called name, such as "base.css" or "payer/pay.js", or an error if there is none.
func (a *Assets) Path(name string) (string, error) {
	p, ok := a.paths[name]
	if !ok {
		return "", fmt.Errorf("web: no asset %q", name)
	}
	return p, nil
}

// ServeHTTP answers GET and HEAD of an asset's exact path; any other path is 404.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	found, ok := a.served[r.URL.Path]
	switch {
	case !ok:
		h.Set("Cache-Control", "no-store")
		http.Error(w, "not found", http.StatusNotFound)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	body := found.plain
	h.Set("Vary", "Accept-Encoding")
	if takesGzip(r.Header.Values("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = found.gzipped
	}
	h.Set("Content-Type", found.contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // the reader has gone; there is nobody to tell
	}
}

// takesGzip says whether an Accept-Encoding allows gzip. "gzip;q=0" forbids it.
func takesGzip(accept []string) bool {
	for _, part := range strings.Split(strings.Join(accept, ","), ",") {
		coding, parameters, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		weight, found := strings.CutPrefix(strings.ReplaceAll(parameters, " ", ""), "q=")
		q, err := strconv.ParseFloat(weight, 64)
		return !found || err == nil && q > 0
	}
	return false
}

// withoutComments blanks whole-line comments and indentation, which are for us and not for a phone. Lines keep their numbers.
// It knows lines, not languages: our sources end a comment on a line of its own and keep strings on one line.
func withoutComments(source []byte) []byte {
	lines := bytes.Split(source, []byte("\n"))
	inside := false
	for i, line := range lines {
		line = bytes.TrimSpace(line)
		switch {
		case inside:
			inside = !bytes.HasSuffix(line, []byte("*/"))
			line = nil
		case bytes.HasPrefix(line, []byte("//")):
			line = nil
		case bytes.HasPrefix(line, []byte("/*")):
			if end := bytes.Index(line, []byte("*/")); end < 0 {
				inside, line = true, nil
			} else {
				line = bytes.TrimSpace(line[end+2:])
			}
		}
		lines[i] = line
	}
	return bytes.Join(lines, []byte("\n"))
}

func compress(plain []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(plain); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

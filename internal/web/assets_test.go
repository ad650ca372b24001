package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"paylink/templates"
)

func serve(t *testing.T, a *Assets, method, path, acceptEncoding string) *http.Response {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	request, err := http.NewRequest(method, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", acceptEncoding) // ours: the client does not decompress
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

func ours(t *testing.T) *Assets {
	t.Helper()
	a, err := NewAssets(templates.Files)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAnAssetMayBeKeptForEver(t *testing.T) {
	a := ours(t)
	for name, contentType := range map[string]string{
		"base.css": "text/css; charset=utf-8", "payer/pay.js": "text/javascript; charset=utf-8", "mark.svg": "image/svg+xml",
	} {
		path, err := a.Path(name)
		if err != nil {
			t.Fatal(err)
		}
		plain := serve(t, a, http.MethodGet, path, "identity")
		body, _ := io.ReadAll(plain.Body)
		packed := serve(t, a, http.MethodGet, path, "br, gzip;q=0.8")
		unpacked, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		same, err := io.ReadAll(unpacked)
		if err != nil || len(body) == 0 || !bytes.Equal(body, same) {
			t.Errorf("%s differs when compressed (%d and %d bytes, %v)", name, len(body), len(same), err)
		}
		if packed.Header.Get("Content-Encoding") != "gzip" || plain.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: Content-Encoding %q for gzip, %q for none", name, packed.Header.Get("Content-Encoding"), plain.Header.Get("Content-Encoding"))
		}
		for _, response := range []*http.Response{plain, packed} {
			for header, want := range map[string]string{
				"Content-Type": contentType, "Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff",
			} {
				if got := response.Header.Get(header); got != want {
					t.Errorf("%s: %s is %q, want %q", name, header, got, want)
				}
			}
		}
		head := serve(t, a, http.MethodHead, path, "identity")
		if head.StatusCode != http.StatusOK || head.ContentLength != int64(len(body)) {
			t.Errorf("HEAD of %s: %d, %d bytes, want %d", name, head.StatusCode, head.ContentLength, len(body))
		}
	}
}

func TestWhatIsNoAssetIsNotServed(t *testing.T) {
	a := ours(t)
	path, err := a.Path("base.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"/assets/", "/assets/base.css", "/assets/0000000000000000/base.css", "/assets/../base.css", path + "/", "/assets/x/templates.go", "/assets/x/terms/1.en.txt"} {
		if got := serve(t, a, http.MethodGet, p, ""); got.StatusCode != http.StatusNotFound || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("GET %s is %d, %s", p, got.StatusCode, got.Header.Get("Cache-Control"))
		}
	}
	if got := serve(t, a, http.MethodPost, path, ""); got.StatusCode != http.StatusMethodNotAllowed || got.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST is %d, Allow %q", got.StatusCode, got.Header.Get("Allow"))
	}
	for _, name := range []string{"templates.go", "terms/1.en.txt", "payer/pay.html", ""} {
		if p, err := a.Path(name); err == nil {
			t.Errorf("%q is served at %s", name, p)
		}
	}
}

func TestGzipIsSentOnlyToWhoTakesIt(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "br": false, "deflate, gzip": true, "gzip;q=0": false, "gzip; q=0.0": false, "gzip;q=0.5": true, "gzip;q=x": false, "xgzip": false,
	} {
		if got := takesGzip([]string{header}); got != want {
			t.Errorf("Accept-Encoding %q: %v", header, got)
		}
	}
}

func TestAnAddressChangesWithItsContent(t *testing.T) {
	path := func(css string) string {
		a, err := NewAssets(fstest.MapFS{"a.css": {Data: []byte(css)}})
		if err != nil {
			t.Fatal(err)
		}
		p, err := a.Path("a.css")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	red, again := path("a{color:red}"), path("a{color:red}")
	if red == path("a{color:blue}") || red != again {
		t.Error("the address does not follow the content")
	}
}

func TestCommentsStayAtHomeAndLinesKeepTheirNumbers(t *testing.T) {
	source := "// why\n  let a = 'https://x'; // end of a line stays\n/** a\n * b */\n  /* one line */ f();\nlet s = '/* no comment */';\n"
	want := "\nlet a = 'https://x'; // end of a line stays\n\n\nf();\nlet s = '/* no comment */';\n"
	if got := string(withoutComments([]byte(source))); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// An address of somebody else's would tell them who pays and when.
func TestNoAssetAsksAnybodyElse(t *testing.T) {
	elsewhere := regexp.MustCompile(`(?i:(https?:)?//[a-z0-9]|@import)|\burl\(`)
	for path, asset := range ours(t).served {
		text := strings.ReplaceAll(string(asset.plain), `xmlns="http://www.w3.org/2000/svg"`, "")
		for _, line := range strings.Split(text, "\n") {
			if elsewhere.MatchString(line) {
				t.Errorf("%s asks elsewhere: %s", path, line)
			}
		}
	}
}

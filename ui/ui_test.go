package ui

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

const indexHTML = `<!doctype html><script>theme()</script><script type="module" src="/assets/main-1.js"></script>`

const pagesJSON = `[{"path":"/","preload":[]},{"path":"/explore","preload":["/assets/main-4.css","/assets/main-1.js"]},{"path":"/exporters","preload":[]},
{"path":"/exporters/","preload":[]},{"path":"/v/","preload":["/assets/main-1.js"]}]`

func built() http.Handler {
	return handler(fstest.MapFS{
		".keep":                 {},
		"index.html":            {Data: []byte(indexHTML)},
		"index.html.gz":         {Data: []byte("index gz")},
		"pages.json":            {Data: []byte(pagesJSON)},
		"assets/main-1.js":      {Data: []byte("plain")},
		"assets/main-1.js.gz":   {Data: []byte("gz")},
		"assets/main-1.js.br":   {Data: []byte("br")},
		"assets/icon-2.svg":     {Data: []byte("<svg/>")},
		"assets/unknown.secret": {Data: []byte("no")},
	})
}

func get(h http.Handler, method, path string, header ...string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestHandler(t *testing.T) {
	h := built()
	f := func(method, path, accept string, status int, encoding, body string) {
		t.Helper()
		res := get(h, method, path, "Accept-Encoding", accept)
		got, _ := io.ReadAll(res.Body)
		if res.StatusCode != status || res.Header.Get("Content-Encoding") != encoding || status == 200 && string(got) != body {
			t.Errorf("%s %s (%s): got %d %q %q, want %d %q %q", method, path, accept, res.StatusCode, res.Header.Get("Content-Encoding"), got, status, encoding, body)
		}
	}
	f("GET", "/", "", 200, "", indexHTML)
	f("GET", "/explore", "", 200, "", indexHTML)
	f("GET", "/explore?q=port+53", "gzip, br", 200, "gzip", "index gz")
	f("GET", "/exporters", "br", 200, "", indexHTML)
	f("GET", "/exporters/192.0.2.1", "", 200, "", indexHTML)
	f("GET", "/v/2001:db8::%2F48", "gzip", 200, "gzip", "index gz")
	f("GET", "/v/cdn+transit", "", 200, "", indexHTML)
	f("GET", "/explore/nowhere", "", 404, "", "")
	f("GET", "/vv", "", 404, "", "")
	f("GET", "/pages.json", "", 404, "", "")
	f("HEAD", "/exporters", "", 200, "", "")
	f("GET", "/assets/main-1.js", "", 200, "", "plain")
	f("GET", "/assets/main-1.js", "gzip", 200, "gzip", "gz")
	f("GET", "/assets/main-1.js", "gzip, deflate, br, zstd", 200, "br", "br")
	f("GET", "/assets/main-1.js", "gzip;q=1.0, br;q=0", 200, "gzip", "gz")
	f("GET", "/assets/main-1.js", "GZIP; q=0.5", 200, "gzip", "gz")
	f("GET", "/assets/main-1.js", "gzip;q=0, identity", 200, "", "plain")
	f("GET", "/assets/main-1.js", "*", 200, "", "plain")
	f("GET", "/assets/icon-2.svg", "gzip, br", 200, "", "<svg/>")
	f("GET", "/assets/main-1.js.gz", "", 404, "", "")
	f("GET", "/assets/unknown.secret", "", 404, "", "")
	f("GET", "/assets/", "", 404, "", "")
	f("GET", "/index.html", "", 404, "", "")
	f("GET", "/.keep", "", 404, "", "")
	f("GET", "/nowhere", "", 404, "", "")
	f("GET", "/explore/../start", "", 404, "", "")
	f("POST", "/explore", "", 405, "", "")
}

// A page preloads its files with a Link header; other paths have none.
func TestPreload(t *testing.T) {
	h := built()
	for path, want := range map[string]string{
		"/explore":          "</assets/main-4.css>; rel=preload; as=style, </assets/main-1.js>; rel=modulepreload",
		"/v/cdn":            "</assets/main-1.js>; rel=modulepreload",
		"/exporters":        "",
		"/assets/main-1.js": "",
		"/nowhere":          "",
	} {
		if got := get(h, "GET", path, "Accept", "text/html").Header.Get("Link"); got != want {
			t.Errorf("%s: got Link %q, want %q", path, got, want)
		}
	}
}

// A browser at an unknown address gets the web UI, which reports it, without caching.
func TestNowhere(t *testing.T) {
	h := built()
	index := get(h, "GET", "/").Header.Get("ETag")
	for path, want := range map[string]string{"/nowhere": indexHTML, "/s/gone": indexHTML, "/assets/main-0.js": "404 page not found\n"} {
		res := get(h, "GET", path, "Accept", "text/html,application/xhtml+xml,*/*;q=0.8", "If-None-Match", index)
		if body, _ := io.ReadAll(res.Body); res.StatusCode != 404 || string(body) != want {
			t.Errorf("%s: got %d %q, want 404 %q", path, res.StatusCode, body, want)
		}
	}
}

func TestCaching(t *testing.T) {
	h := built()
	asset := get(h, "GET", "/assets/main-1.js", "Accept-Encoding", "br")
	if got := asset.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("asset: Cache-Control %q is not immutable", got)
	}
	plain := get(h, "GET", "/assets/main-1.js")
	if asset.Header.Get("ETag") == plain.Header.Get("ETag") {
		t.Error("two encodings share an ETag")
	}
	page := get(h, "GET", "/explore")
	if got := page.Header.Get("Cache-Control"); got != "no-cache" {
		t.Errorf("page: Cache-Control %q, want no-cache", got)
	}
	for _, tag := range []string{page.Header.Get("ETag"), "W/" + page.Header.Get("ETag"), `"x", ` + page.Header.Get("ETag"), "*"} {
		if res := get(h, "GET", "/explore", "If-None-Match", tag); res.StatusCode != http.StatusNotModified {
			t.Errorf("If-None-Match %s: got %d, want 304", tag, res.StatusCode)
		}
	}
	if res := get(h, "GET", "/explore", "If-None-Match", `"other"`); res.StatusCode != 200 {
		t.Errorf("another tag: got %d, want 200", res.StatusCode)
	}
}

func TestPolicy(t *testing.T) {
	csp := get(built(), "GET", "/").Header.Get("Content-Security-Policy")
	// The digest of `theme()`, by openssl dgst -sha256 -binary | base64.
	for _, want := range []string{"default-src 'self'", "script-src 'self' 'sha256-Rfr3GgHZFiXm+TmNr+li+0sZ4J9FGllo8jsXcJF5XZ8='", "frame-ancestors 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("policy %q lacks %q", csp, want)
		}
	}
	if strings.Contains(csp, "unsafe") || strings.Contains(csp, "http") {
		t.Errorf("policy %q is too wide", csp)
	}
}

func TestNotBuilt(t *testing.T) {
	h := handler(fstest.MapFS{".keep": {}})
	res := get(h, "GET", "/explore")
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), "make build") {
		t.Errorf("got %d %q, want 503 and what to do", res.StatusCode, body)
	}
	if res := get(h, "GET", "/assets/main.js"); res.StatusCode != 404 {
		t.Errorf("asset: got %d, want 404", res.StatusCode)
	}
}

// TestEmbedded checks the web UI if it is built, and that the package works if it is not.
func TestEmbedded(t *testing.T) {
	h := Handler()
	res := get(h, "GET", "/explore")
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode == http.StatusServiceUnavailable {
		t.Skip("page not built")
	}
	if strings.Contains(string(body), "http://") || strings.Contains(string(body), "https://") {
		t.Error("index.html names another origin")
	}
	_, rest, _ := strings.Cut(string(body), `src="`)
	script, _, _ := strings.Cut(rest, `"`)
	if !strings.HasPrefix(script, "/assets/") {
		t.Fatalf("index.html: script %q is not under /assets/", script)
	}
	for _, coding := range []string{"", "gzip", "br"} {
		res := get(h, "GET", script, "Accept-Encoding", coding)
		if res.StatusCode != 200 || res.Header.Get("Content-Encoding") != coding {
			t.Errorf("%s (%s): got %d %q", script, coding, res.StatusCode, res.Header.Get("Content-Encoding"))
		}
	}
}

// TestPages checks that each page of dist/pages.json and its files exist.
func TestPages(t *testing.T) {
	list, err := FS.ReadFile("dist/pages.json")
	if err != nil {
		t.Skip("page not built")
	}
	var pages []page
	if err := json.Unmarshal(list, &pages); err != nil {
		t.Fatal(err)
	}
	if len(pages) == 0 || pages[0].Path != "/" {
		t.Fatalf("the list does not begin with /: %s", list)
	}
	h := Handler()
	for _, p := range pages {
		path := p.Path
		if path != "/" && strings.HasSuffix(path, "/") {
			path += "something"
		}
		res := get(h, "GET", path)
		if res.StatusCode != 200 || res.Header.Get("Link") != p.link() || len(p.Preload) == 0 {
			t.Errorf("%s: got %d with Link %q, want 200 with the files of the page", path, res.StatusCode, res.Header.Get("Link"))
		}
		for _, name := range p.Preload {
			if res := get(h, "GET", name); res.StatusCode != 200 {
				t.Errorf("%s: its %s answers %d", p.Path, name, res.StatusCode)
			}
		}
	}
}

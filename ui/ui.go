// Package ui holds the web UI: the built files of this folder, embedded, and the handler that serves them.
//
// `npm run build` fills dist/; without it the package still compiles and the handler shows how to build it. Files under
// /assets/ are named by content hash and never change, so browsers may cache them forever. Each text file has its
// compressed forms next to it, and no request compresses anything. The web UI requests nothing outside its own
// origin, and the content security policy enforces that.
package ui

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// FS holds the built web UI, under dist/. It holds only dist/.keep if the web UI has not been built.
//
//go:embed all:dist
var FS embed.FS

// page is an entry of dist/pages.json, which the build writes from src/pages.ts. All pages are the same index.html; the script reads
// the path and draws its page.
type page struct {
	Path    string   `json:"path"`    // a path that ends in a slash covers all below it
	Preload []string `json:"preload"` // the files to preload, in order
}

// link is the header with which a browser loads the files of the page while it still reads index.html (RFC 8288).
func (p *page) link() string {
	links := make([]string, len(p.Preload))
	for i, name := range p.Preload {
		rel := "modulepreload"
		if strings.HasSuffix(name, ".css") {
			rel = "preload; as=style"
		}
		links[i] = "<" + name + ">; rel=" + rel
	}
	return strings.Join(links, ", ")
}

// Handler serves the pages at their paths and the assets under /assets/, and 404 elsewhere, with an error page for browsers.
func Handler() http.Handler {
	dist, err := fs.Sub(FS, "dist")
	if err != nil {
		panic("BUG: " + err.Error()) // the embed directive includes dist
	}
	return handler(dist)
}

// file is one file in all its encodings.
type file struct {
	contentType string
	plain       []byte
	gzip        []byte // nil: no such form
	br          []byte
	etag        string // of the plain form, without quotes
}

type site struct {
	files map[string]*file // by URL path
	index *file            // served for every page
	pages []page
	csp   string
}

// page returns the page at a URL path, nil if there is none.
func (s *site) page(path string) *page {
	for i, p := range s.pages {
		if p.Path == path || p.Path != "/" && strings.HasSuffix(p.Path, "/") && strings.HasPrefix(path, p.Path) {
			return &s.pages[i]
		}
	}
	return nil
}

func handler(dist fs.FS) http.Handler {
	s := &site{files: map[string]*file{}}
	err := fs.WalkDir(dist, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		typ, ok := contentTypes[path.Ext(name)]
		if !ok {
			return nil // .keep, and the compressed forms, which are loaded with the plain one
		}
		f := &file{contentType: typ}
		if f.plain, err = fs.ReadFile(dist, name); err != nil {
			return err
		}
		if f.gzip, err = readOptional(dist, name+".gz"); err != nil {
			return err
		}
		if f.br, err = readOptional(dist, name+".br"); err != nil {
			return err
		}
		sum := sha256.Sum256(f.plain)
		f.etag = hex.EncodeToString(sum[:8])
		s.files["/"+name] = f
		return nil
	})
	if err != nil {
		panic("BUG: embedded page: " + err.Error())
	}
	s.index = s.files["/index.html"]
	delete(s.files, "/index.html") // served at the paths of the pages, not at this one
	if s.index == nil {
		return http.HandlerFunc(notBuilt)
	}
	list, err := fs.ReadFile(dist, "pages.json")
	if err == nil {
		err = json.Unmarshal(list, &s.pages)
	}
	if err != nil {
		panic("BUG: embedded list of pages: " + err.Error()) // the build writes it next to index.html
	}
	s.csp = policy(s.index.plain)
	return s
}

var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
}

func readOptional(dist fs.FS, name string) ([]byte, error) {
	b, err := fs.ReadFile(dist, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// policy allows only the files of the web UI and the inline scripts of index.html by their digest (one sets the theme before the first
// paint).
func policy(index []byte) string {
	csp := "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; script-src 'self'"
	rest := string(index)
	for {
		_, after, found := strings.Cut(rest, "<script>")
		if !found {
			return csp
		}
		script, tail, _ := strings.Cut(after, "</script>")
		sum := sha256.Sum256([]byte(script))
		csp += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
		rest = tail
	}
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := s.files[r.URL.Path]
	page := s.page(r.URL.Path)
	if page != nil {
		f = s.index
	}
	status := http.StatusOK
	if f == nil && strings.Contains(r.Header.Get("Accept"), "text/html") && !strings.HasPrefix(r.URL.Path, "/assets/") {
		f, status = s.index, http.StatusNotFound
	}
	if f == nil {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, r.Method+" is not for pages: use GET", http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	if strings.HasPrefix(r.URL.Path, "/assets/") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
		h.Set("Content-Security-Policy", s.csp)
		h.Set("Referrer-Policy", "no-referrer")
	}
	if page != nil && len(page.Preload) > 0 {
		h.Set("Link", page.link())
	}

	body, encoding, etag := f.plain, "", f.etag
	accept := r.Header.Get("Accept-Encoding")
	switch {
	case f.br != nil && accepts(accept, "br"):
		body, encoding, etag = f.br, "br", etag+"-br"
	case f.gzip != nil && accepts(accept, "gzip"):
		body, encoding, etag = f.gzip, "gzip", etag+"-gz"
	}
	etag = `"` + etag + `"`
	h.Set("ETag", etag)
	if status == http.StatusOK && matches(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method == http.MethodGet {
		w.Write(body) //nolint:errcheck // the client is gone
	}
}

// accepts reports whether an Accept-Encoding header allows a coding (RFC 9110, section 12.5.3). A wildcard does not request
// a particular coding.
func accepts(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		q, found := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q=")
		if !found {
			return true
		}
		v, err := strconv.ParseFloat(q, 64)
		return err == nil && v > 0
	}
	return false
}

// matches reports whether an If-None-Match header contains an entity tag (RFC 9110, section 13.1.2; weak comparison).
func matches(header, etag string) bool {
	if strings.TrimSpace(header) == "*" {
		return true
	}
	for tag := range strings.SplitSeq(header, ",") {
		if strings.TrimPrefix(strings.TrimSpace(tag), "W/") == etag {
			return true
		}
	}
	return false
}

const notBuiltPage = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>NetMeta</title>
<h1>The web UI is not built</h1>
<p>This binary was compiled without it. Run <code>make build</code> and restart.
<p>Everything else works: <a href="/api/v1/status">/api/v1/status</a>, <a href="/metrics">/metrics</a> and <code>netmeta sql</code>.
`

func notBuilt(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/assets/") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusServiceUnavailable)
	w.Write([]byte(notBuiltPage)) //nolint:errcheck // as above
}

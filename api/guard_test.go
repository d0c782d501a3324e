package api

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netmeta/view"
)

// A page of somebody else cannot make a browser fetch what is here: neither under a
// foreign name that points here, nor from its own site.
func TestGuard(t *testing.T) {
	s := serverFor(nil, time.Now())
	reconfigure(s, func(c *Settings) { c.Hosts = []string{"flows.example.net"} })
	var err error
	if s.Links, err = view.OpenLinks(filepath.Join(t.TempDir(), "links")); err != nil {
		t.Fatal(err)
	}
	h := s.Handler()
	f := func(host, site, path string, want int) {
		t.Helper()
		r := httptest.NewRequest("GET", path, nil)
		r.Host = host
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("host %q, site %q, %s: %d, want %d: %s", host, site, path, w.Code, want, w.Body)
		}
	}
	for _, host := range []string{"127.0.0.1:8080", "localhost:8080", "localhost", "[::1]:8080", "192.0.2.1", "flows.example.net", "flows.example.net:443"} {
		f(host, "", "/api/v1/fields", http.StatusOK)
		f(host, "same-origin", "/api/v1/fields", http.StatusOK)
		f(host, "none", "/api/v1/fields", http.StatusOK)
		f(host, "cross-site", "/api/v1/fields", http.StatusForbidden)
		f(host, "same-site", "/api/v1/fields", http.StatusForbidden)
		f(host, "", "/metrics", http.StatusOK)
		f(host, "", "/readyz", http.StatusOK)
		f(host, "cross-site", "/s/AAAAAAAAAAAAAAAA", http.StatusNotFound) // a link in a message is followed from another site
	}
	for _, host := range []string{"evil.example", "localhost.evil.example:8080", "127.0.0.1.evil.example"} {
		f(host, "", "/api/v1/fields", http.StatusMisdirectedRequest)
		for _, path := range []string{"/metrics", "/readyz", "/s/AAAAAAAAAAAAAAAA", "/api/v1/nothing"} {
			f(host, "", path, http.StatusMisdirectedRequest)
			f(host, "same-origin", path, http.StatusMisdirectedRequest)
		}
		f(host, "", "/healthz", http.StatusOK) // it tells nothing
		f(host, "", "/help/filter", http.StatusOK)
	}
}

// A method that a path does not take is told from a path that is not there.
func TestMethods(t *testing.T) {
	h := serverFor(nil, time.Now()).Handler()
	f := func(method, path string, code int, allow string) {
		t.Helper()
		w := httptest.NewRecorder()
		r := httptest.NewRequest(method, path, strings.NewReader(""))
		r.Host = "127.0.0.1"
		h.ServeHTTP(w, r)
		if w.Code != code || w.Header().Get("Allow") != allow {
			t.Errorf("%s %s: %d, allow %q; want %d, %q", method, path, w.Code, w.Header().Get("Allow"), code, allow)
		}
	}
	f("DELETE", "/api/v1/query", http.StatusMethodNotAllowed, "GET")
	f("PUT", "/api/v1/filter/check", http.StatusMethodNotAllowed, "GET, POST")
	f("GET", "/api/v1/nothing", http.StatusNotFound, "")
}

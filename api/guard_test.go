package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A page of somebody else cannot make a browser fetch what is here: neither under a
// foreign name that points here, nor from its own site.
func TestGuard(t *testing.T) {
	s := serverFor(nil, time.Now())
	s.Hosts = []string{"flows.example.net"}
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
	}
	for _, host := range []string{"evil.example", "localhost.evil.example:8080", "127.0.0.1.evil.example"} {
		f(host, "", "/api/v1/fields", http.StatusMisdirectedRequest)
		f(host, "", "/healthz", http.StatusOK)
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

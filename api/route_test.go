package api

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// Every route says which right it needs and, unless it is a page, what it is for.
func TestRoutes(t *testing.T) {
	ids := map[string]string{}
	for _, r := range Routes() {
		name := r.Method + " " + r.Path
		if !slices.Contains(Rights, r.Need) {
			t.Errorf("%s needs the right %q, which is none of %q", name, r.Need, Rights)
		}
		if r.serve == nil {
			t.Errorf("%s has no handler", name)
		}
		if r.Method != "GET" && r.Need != Change && r.Need != Operate && !strings.HasPrefix(r.Path, "/api/v1/filter/") {
			t.Errorf("%s changes something and needs only the right %s", name, r.Need)
		}
		if r.ID == "" {
			if !strings.HasPrefix(r.Path, "/help/") {
				t.Errorf("%s is not described", name)
			}
			continue
		}
		if other, taken := ids[r.ID]; taken || r.Summary == "" {
			t.Errorf("%s: operation %s of %q, summary %q", name, r.ID, other, r.Summary)
		}
		ids[r.ID] = name
		if (r.In == nil) != (r.Example == nil) {
			t.Errorf("%s takes %v, with the example %v", name, r.In, r.Example)
		}
		for _, p := range r.Parameters {
			if (p.In == "path") != strings.Contains(r.Path, "{"+p.Name+"}") || p.In == "path" && p.Example == nil {
				t.Errorf("%s: parameter %+v", name, p)
			}
		}
	}
}

// HEAD answers as GET does, without a body; a method that a path has not names those that
// it has.
func TestHeadAndOthers(t *testing.T) {
	s := &Server{Page: http.NotFoundHandler(), Metrics: http.NotFoundHandler()}
	h := s.Handler()
	f := func(method, path string, status int, allow string) {
		t.Helper()
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(method, "http://localhost"+path, nil))
		if rec.Code != status || rec.Header().Get("Allow") != allow {
			t.Errorf("%s %s: %d, Allow %q, want %d, %q", method, path, rec.Code, rec.Header().Get("Allow"), status, allow)
		}
	}
	f("HEAD", "/healthz", http.StatusOK, "")
	f("HEAD", "/api/v1/fields", http.StatusOK, "")
	f("PATCH", "/api/v1/views/cdn", http.StatusMethodNotAllowed, "DELETE, GET, PUT")
	f("DELETE", "/api/v1/fields", http.StatusMethodNotAllowed, "GET")
	f("POST", "/api/v1/interfaces/192.0.2.1/1", http.StatusMethodNotAllowed, "GET")
	f("GET", "/api/v1/interfaces/192.0.2.1/", http.StatusNotFound, "")
	f("GET", "/api/v1/nothing", http.StatusNotFound, "")
	f("POST", "/healthz", http.StatusNotFound, "") // the page's
}

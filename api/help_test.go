package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"netmeta/filter"
	"netmeta/query"
)

// The help pages have every field and every path, and no example that is refused.
func TestHelp(t *testing.T) {
	names := query.Schema{Names: filter.Names{
		Macros: map[string]string{"web": "port in [80, 443]"},
		FindAS: func(text string, yield func(uint32, string) bool) { yield(2906, "Netflix") },
	}}
	s := &Server{Page: http.NotFoundHandler(), Metrics: http.NotFoundHandler()}
	s.Configure(Settings{Schema: names})
	h := s.Handler()
	get := func(path string) string {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
		if rec.Code != http.StatusOK || !strings.Contains(rec.Header().Get("Content-Type"), "text/") {
			t.Fatalf("%s: %d %s", path, rec.Code, rec.Header())
		}
		return rec.Body.String()
	}
	page := get("/help/filter")
	for _, f := range filter.Catalogue() {
		if strings.Count(page, "<code>"+f.Name+"</code>") == 0 {
			t.Errorf("the field %s is missing", f.Name)
		}
		kind := false
		for _, k := range helpKinds {
			kind = kind || k.Name == f.Kind
		}
		if !kind {
			t.Errorf("values of the kind %s are not explained", f.Kind)
		}
	}
	for _, e := range helpExamples {
		if check := filter.Check(e.Filter, names.Names); !check.OK {
			t.Errorf("%s: %+v", e.Filter, check.Error)
		}
	}
	if !strings.Contains(page, "@web") {
		t.Error("the macro is missing")
	}
	page = get("/help/api")
	paths, err := helpPaths("http://example.com")
	if err != nil || len(paths) < 30 {
		t.Fatalf("%d paths, %v", len(paths), err)
	}
	for _, p := range paths {
		if !strings.Contains(page, p.Method+" "+p.Path+"<") {
			t.Errorf("%s %s is missing", p.Method, p.Path)
		}
		if (p.Method == "POST" || p.Method == "PUT") && len(p.RequestBody.Content) > 0 && p.Body == "" {
			t.Errorf("%s %s has no example of a body", p.Method, p.Path)
		}
		if p.Summary == "" || strings.Contains(p.Curl, "{") != (p.Body != "") {
			t.Errorf("%s %s: %q, %s", p.Method, p.Path, p.Summary, p.Curl)
		}
	}
	get("/help/style.css")
}

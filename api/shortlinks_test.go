package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A long address gets a short name, which leads there; one of another server is refused.
func TestLinks(t *testing.T) {
	const nowhere = "the page that says so"
	s := seeded(t)
	s.Page = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, nowhere, http.StatusNotFound) })
	h := s.Handler()
	long := "/explore?q=ip+in+[" + strings.Repeat("192.0.2.1+", 2000) + "]"
	keep := func(address string, status int) string {
		t.Helper()
		body, _ := json.Marshal(map[string]string{"address": address})
		var link struct{ Address, Title, Key string }
		ask(t, h, "POST", "/api/v1/links", string(body), status, &link)
		if status == http.StatusBadRequest && (link.Title != "link not understood" || link.Key != "address") {
			t.Errorf("%.40s: %+v", address, link)
		}
		return link.Address
	}
	short := keep(long, http.StatusOK)
	if again := keep(long, http.StatusOK); again != short || len(short) > 30 {
		t.Errorf("kept as %s and %s", short, again)
	}
	follow := func(address, to string, status int) {
		t.Helper()
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("GET", address, nil))
		if rec.Code != status || rec.Header().Get("Location") != to {
			t.Errorf("%s: %d to %.60s", address, rec.Code, rec.Header().Get("Location"))
		}
	}
	follow(short, long, http.StatusFound)
	follow("/s/nothing", "", http.StatusNotFound)
	rec, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/s/nothing", nil)
	r.Header.Set("Accept", "text/html,*/*;q=0.8")
	if h.ServeHTTP(rec, r); rec.Code != http.StatusNotFound || strings.TrimSpace(rec.Body.String()) != nowhere {
		t.Errorf("a browser gets %d %.100s", rec.Code, rec.Body)
	}
	keep("https://example.com/explore", http.StatusBadRequest)
	keep("//example.com/explore", http.StatusBadRequest)
}

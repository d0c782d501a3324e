package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"netmeta/event"
	"netmeta/view"
)

func TestEvents(t *testing.T) {
	s, _ := empty(t)
	h := s.Handler()
	var e event.Event
	ask(t, h, "POST", "/api/v1/events", `{"id":"a-1","kind":"attack","target":"192.0.2.7","severity":"critical","attrs":{"pps":"735000"}}`, http.StatusOK, &e)
	if e.ID != "a-1" || e.Start != s.now().Unix() || e.End != 0 {
		t.Errorf("%+v", e)
	}
	ask(t, h, "POST", "/api/v1/events", fmt.Sprintf(`{"text":"new transit","start":%d}`, s.now().Unix()-7200), http.StatusOK, &e)
	var list struct{ Events []event.Event }
	f := func(query string, want int) {
		t.Helper()
		ask(t, h, "GET", fmt.Sprintf("/api/v1/events?to=%d&", s.now().Unix()+60)+query, "", http.StatusOK, &list)
		if len(list.Events) != want {
			t.Errorf("%s: %+v, want %d", query, list.Events, want)
		}
	}
	f("from=-3h", 2)
	f("from=-1h&kind=attack", 1)
	f("from=-1h&kind=note", 1) // it goes on
	f("from=-1h&kind=change", 0)
	for _, status := range []int{http.StatusNoContent, http.StatusNotFound} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("DELETE", "/api/v1/events/a-1", nil))
		if rec.Code != status {
			t.Errorf("delete: %d %s, want %d", rec.Code, rec.Body, status)
		}
		description(t).answer(t, "DELETE", "/api/v1/events/{id}", rec)
	}
	f("from=-1h&kind=attack", 0)
	var p Problem
	for body, key := range map[string]string{`{}`: "text", `{"text":"x","severity":"bad"}`: "severity", `{"colour":"red"}`: "body", `[]`: "body", `{"text":"` + strings.Repeat("x", bodyLimit) + `"}`: "body"} {
		ask(t, h, "POST", "/api/v1/events", body, http.StatusBadRequest, &p)
		if p.Key != key {
			t.Errorf("%.40s: %+v, want %s", body, p, key)
		}
	}
}

func TestViews(t *testing.T) {
	s, _ := empty(t)
	s.Views.Provision([]view.View{{Name: "Transit", Query: "q=in.conn+transit"}}, "/etc/netmeta.yaml")
	h := s.Handler()
	call := func(method, path, owner, body string, status int) string {
		t.Helper()
		rec := httptest.NewRecorder()
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("View-Owner", owner)
		h.ServeHTTP(rec, r)
		if rec.Code != status {
			t.Errorf("%s %s: %d %s, want %d", method, path, rec.Code, rec.Body, status)
		}
		if status == http.StatusMethodNotAllowed {
			return ""
		}
		if strings.Count(path, "/") > 3 {
			path = "/api/v1/views/{slug}"
		}
		description(t).answer(t, method, path, rec)
		return rec.Body.String()
	}
	call("POST", "/api/v1/views", "ann", `{"name":"CDN","query":"q=as+15169","pinned":true}`, http.StatusOK)
	call("GET", "/api/v1/views/cdn", "ann", "", http.StatusOK)
	call("GET", "/api/v1/views/cdn", "bob", "", http.StatusNotFound)
	call("PUT", "/api/v1/views/cdn", "bob", `{"name":"mine"}`, http.StatusForbidden)
	call("POST", "/api/v1/views", "bob", `{"name":"mine","slug":"cdn"}`, http.StatusConflict)
	call("PUT", "/api/v1/views/cdn", "ann", `{"name":"CDN","query":"q=as+2906","shared":true}`, http.StatusOK)
	if text := call("GET", "/api/v1/views", "bob", "", http.StatusOK); !strings.Contains(text, `"q=as+2906"`) || !strings.Contains(text, `"transit"`) || !strings.Contains(text, `"source":"/etc/netmeta.yaml"`) {
		t.Error(text)
	}
	call("PUT", "/api/v1/views/board", "bob", `{"name":"Board","of":["cdn","transit"]}`, http.StatusOK)
	call("DELETE", "/api/v1/views/transit", "bob", "", http.StatusForbidden)
	call("DELETE", "/api/v1/views/cdn", "bob", "", http.StatusNoContent)
	call("DELETE", "/api/v1/views/cdn", "bob", "", http.StatusNotFound)
	call("POST", "/api/v1/views", "bob", `{"name":""}`, http.StatusBadRequest)
	call("PATCH", "/api/v1/views/cdn", "bob", "", http.StatusMethodNotAllowed)
}

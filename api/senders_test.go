package api

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"netmeta/sender"
)

func TestSenders(t *testing.T) {
	s := seeded(t)
	s.Senders.Provision(func(a netip.Addr) bool { return a == netip.MustParseAddr("192.0.2.9") })
	h := s.Handler()
	f := func(body string, status int, key, title string) (list []sender.Sender) {
		t.Helper()
		var answer struct {
			Senders    []sender.Sender
			Key, Title string
		}
		ask(t, h, "POST", "/api/v1/senders", body, status, &answer)
		if answer.Key != key || answer.Title != title {
			t.Errorf("%s: %s, %q", body, answer.Key, answer.Title)
		}
		return answer.Senders
	}
	list := f(`{"addresses":["192.0.2.7","192.0.2.6"],"decision":"ignore"}`, http.StatusOK, "", "")
	if len(list) != 2 || list[0].Standing != sender.Ignored || list[0].Since != s.now().Unix() || s.Senders.Refused.Of(list[0].Address) == nil {
		t.Errorf("%+v", list)
	}
	f(`{"addresses":["192.0.2.6"],"decision":"accept"}`, http.StatusOK, "", "")
	f(`{"addresses":["192.0.2.9"],"decision":"ignore"}`, http.StatusConflict, "addresses", "sender not ignored")
	f(`{"addresses":["edge1"],"decision":"ignore"}`, http.StatusBadRequest, "addresses", "decision not understood")
	f(`{"addresses":["192.0.2.6"],"decision":"block"}`, http.StatusBadRequest, "decision", "decision not understood")
	f(`{"addresses":["192.0.2.6"],"ignore":true}`, http.StatusBadRequest, "body", "request not understood")
	var answer struct{ Senders []sender.Sender }
	ask(t, h, "GET", "/api/v1/senders", "", http.StatusOK, &answer)
	if l := answer.Senders; len(l) != 2 || l[0].Standing != sender.Accepted || l[1].Standing != sender.Ignored {
		t.Errorf("%+v", l)
	}

	// A page of somebody else makes no browser decide.
	for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		r := httptest.NewRequest("POST", "/api/v1/senders", strings.NewReader(`{"addresses":["192.0.2.5"],"decision":"ignore"}`))
		r.Header.Set(header, value)
		rec := httptest.NewRecorder()
		if h.ServeHTTP(rec, r); rec.Code != http.StatusForbidden || s.Senders.Standing(netip.MustParseAddr("192.0.2.5")) != sender.New {
			t.Errorf("%s %s: %d", header, value, rec.Code)
		}
	}
}

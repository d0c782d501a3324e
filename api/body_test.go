package api

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"netmeta/store"
)

// A body that does not come is answered as such by every operation that takes one.
func TestStalledBody(t *testing.T) {
	s, _ := empty(t)
	s.bodyTimeout = 50 * time.Millisecond
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()
	var doc struct {
		Paths map[string]map[string]struct {
			RequestBody json.RawMessage
		}
	}
	if err := json.Unmarshal(openAPI, &doc); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for path, operations := range doc.Paths {
		for method, op := range operations {
			if op.RequestBody == nil {
				continue
			}
			tried++
			path := strings.ReplaceAll(path, "{slug}", "x")
			for _, part := range []string{"Content-Length: 1000\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"} {
				res, text := raw(t, srv, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s", strings.ToUpper(method), path, part))
				var p Problem
				if err := json.Unmarshal(text, &p); err != nil || res.StatusCode != http.StatusRequestTimeout || p.Title != "body stalled" || res.Header.Get("Content-Type") != "application/problem+json" {
					t.Errorf("%s %s: %d %s", method, path, res.StatusCode, text)
				}
			}
		}
	}
	if tried < 6 {
		t.Errorf("%d operations take a body: the description has more", tried)
	}
}

// The time that a body may take is not that of the work on it.
func TestSlowAfterBody(t *testing.T) {
	s, _ := empty(t)
	s.bodyTimeout = 20 * time.Millisecond
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(5 * s.bodyTimeout) }))
	defer slow.Close()
	s.Writer = store.NewClient(slow.URL, "", "", "")
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()
	body := `{"text":"new transit"}`
	res, text := raw(t, srv, fmt.Sprintf("POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
	if res.StatusCode != http.StatusOK || !strings.Contains(string(text), "new transit") {
		t.Errorf("%d %q", res.StatusCode, text)
	}
}

// raw sends the beginning of a request and reads the answer.
func raw(t *testing.T, srv *httptest.Server, request string) (*http.Response, []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(conn, request)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, text
}

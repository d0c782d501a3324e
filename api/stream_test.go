package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// sent reads the next event of a stream.
func sent(t *testing.T, in *bufio.Reader, into any) (name string) {
	t.Helper()
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		switch key, value, _ := strings.Cut(strings.TrimSpace(line), ": "); key {
		case "event":
			name = value
		case "data":
			if err := json.Unmarshal([]byte(value), into); err != nil {
				t.Fatal(err)
			}
		case "":
			return name
		}
	}
}

// A stream begins with the whole and goes on with what changed: laid over the first
// result, the updates give what a new question gives.
func TestStream(t *testing.T) {
	s, w := empty(t)
	s.Now = nil
	add := func(port, bytes int) {
		t.Helper()
		if err := w.Exec(t.Context(), fmt.Sprintf("INSERT INTO flows (TimeReceived, DstPort, Bytes, Packets, SamplingRate, Direction) SELECT now('UTC') - 30, %d, %d, 1, 1, 'in'", port, bytes)); err != nil {
			t.Fatal(err)
		}
	}
	add(80, 5000)
	add(443, 3000)
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", srv.URL+"/api/v1/stream?by=dst.port&from=-5m&step=1&unit=bytes", nil)
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatal(err, res)
	}
	defer res.Body.Close()
	in := bufio.NewReader(res.Body)
	var first result
	if name := sent(t, in, &first); name != "result" || len(first.Series) != 2 || first.Series[0].Key[0] != "80" {
		t.Fatalf("%s %+v", name, first.Series)
	}
	// More of the same is an update with the bucket that it fell into.
	add(80, 1000)
	for end := time.Now().Add(20 * time.Second); ; {
		u := Update{}
		if name := sent(t, in, &u); name != "update" {
			t.Fatal(name)
		}
		i := slices.IndexFunc(u.Total[0].Values, func(v float64) bool { return v > 0 })
		if u.Total[0].Total == 9000 {
			if i < 0 || len(u.Times) > 20 || len(u.Series) != 2 || u.Series[0].Total != 6000 || u.Through == 0 {
				t.Errorf("%+v", u)
			}
			break
		}
		if time.Now().After(end) {
			t.Fatal("the flow does not come")
		}
	}
	// Another winner is a new whole.
	add(53, 100_000)
	for end := time.Now().Add(20 * time.Second); ; {
		var raw json.RawMessage
		if name := sent(t, in, &raw); name == "result" {
			var got result
			if err := json.Unmarshal(raw, &got); err != nil || got.Series[0].Key[0] != "53" || got.Total[0].Total != 109_000 {
				t.Errorf("%v %+v", err, got.Total)
			}
			break
		}
		if time.Now().After(end) {
			t.Fatal("the new series does not come")
		}
	}
	cancel()
	until(t, "the stream has ended", func() bool { return s.streams.Load() == 0 })

	var p Problem
	ask(t, s.Handler(), "GET", "/api/v1/stream?to=-1d&from=-2d", "", http.StatusBadRequest, &p)
	if p.Key != "to" {
		t.Errorf("%+v", p)
	}
	full := serverFor(s.Store, time.Now())
	full.streams.Store(maxStreams)
	ask(t, full.Handler(), "GET", "/api/v1/stream", "", http.StatusServiceUnavailable, &p)
}

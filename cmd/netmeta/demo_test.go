package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// demoExporters is how many exporters the demo has: two of each protocol.
const demoExporters = 6

// The demo starts and stops while NetMeta runs; what it sent stays.
func TestDemoOnRequest(t *testing.T) {
	p := start(t, t.TempDir())
	p.ready()
	if s := p.status(); s.Demo || len(s.Exporters) > 0 {
		t.Fatalf("before: demo %v, exporters %+v", s.Demo, s.Exporters)
	}
	demo := func(method string, runs bool) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, p.url+"/api/v1/demo", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK || p.status().Demo != runs {
			t.Fatalf("%s: %s, demo %v", method, res.Status, p.status().Demo)
		}
	}
	demo(http.MethodDelete, false) // there is nothing to stop
	demo(http.MethodPost, true)
	demo(http.MethodPost, true) // once is enough
	waitFor(t, 60*time.Second, "live traffic of each exporter", func() error {
		s := p.status()
		for _, x := range s.Exporters {
			if !strings.HasPrefix(x.Address, "127.0.") {
				t.Fatalf("exporter %s", x.Address)
			}
		}
		if len(s.Exporters) != demoExporters || s.Storage.Rows == 0 || s.Storage.Newest < s.Now-5 {
			return fmt.Errorf("exporters %+v, storage %+v", s.Exporters, s.Storage)
		}
		return nil
	})
	demo(http.MethodDelete, false)
	if s := p.status(); s.Storage.Rows == 0 {
		t.Error("what the demo sent is gone")
	}
	demo(http.MethodPost, true)
	// That it runs does not keep NetMeta from stopping: the end of the test waits for it.
}

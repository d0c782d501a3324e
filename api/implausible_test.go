package api

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"netmeta/flow"
	"netmeta/health"
	"netmeta/store"
)

// An answer says how many of its records no network carries, and a filter leaves them out.
func TestImplausible(t *testing.T) {
	s, w := empty(t)
	if err := w.Exec(t.Context(), (store.Schema{Table: &health.Table}).Create()); err != nil {
		t.Fatal(err)
	}
	now := s.now().Unix()
	for _, sql := range []string{
		fmt.Sprintf("INSERT INTO flows (TimeReceived, SamplingRate, Bytes, Packets, Quality, Proto) VALUES (%d, 1, 1000, 1, 0, 6), (%[1]d, 4294967295, 18446744073709551615, 1, %d, 6), (%[1]d, 1, 18446744073709551615, 1, %[2]d, 17)", now-120, flow.Implausible|flow.NoTime),
	} {
		if err := w.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(q string) (implausible, total uint64, ends bool) {
		t.Helper()
		out := httptest.NewRecorder()
		s.Handler().ServeHTTP(out, httptest.NewRequest("GET", "http://localhost/api/v1/query?from=-1h&unit=bytes&dir=sum&q="+q, nil))
		var got struct {
			Total []struct{ Total uint64 }
			Meta  Meta
		}
		if err := json.Unmarshal(out.Body.Bytes(), &got); err != nil || len(got.Total) != 1 {
			t.Fatalf("%s: %v %s", q, err, out.Body)
		}
		return got.Meta.Implausible, got.Total[0].Total, slices.ContainsFunc(got.Meta.Notes, func(note string) bool { return strings.Contains(note, "2^64") })
	}
	// The exporters have sent none, as far as is known.
	if n, _, _ := ask(""); n != 0 {
		t.Errorf("%d records before the exporters have sent any", n)
	}
	if err := w.Exec(t.Context(), fmt.Sprintf("INSERT INTO exporters (TimeReceived, Implausible) VALUES (%d, 2)", now-120-now%60)); err != nil {
		t.Fatal(err)
	}
	if n, total, ends := ask(""); n != 2 || total != 1<<64-1 || !ends {
		t.Errorf("%d records, total %d, a note: %v", n, total, ends)
	}
	if n, _, _ := ask("tcp"); n != 1 {
		t.Errorf("%d records of TCP", n)
	}
	if n, total, ends := ask("quality+!=+implausible"); n != 0 || total != 1000 || ends {
		t.Errorf("%d records, total %d, a note: %v", n, total, ends)
	}
}

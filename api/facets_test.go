package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"netmeta/store"
)

// The values of facets have the sums that SQL written by hand has, from the rollups too;
// the filter of each finds it alone.
func TestFacets(t *testing.T) {
	s := seededAlone(t)
	h := s.Handler()
	var got Facets
	ask(t, h, "GET", "/api/v1/facets?from=-1h&unit=bps&q=not+icmp", "", http.StatusOK, &got)
	if len(got.Facets) != 10 {
		t.Fatalf("%d facets", len(got.Facets))
	}
	keys := []string{"toString(DstAddr)", "toString(SrcAddr)", "concat(toString(Proto), toString(DstPort))", "concat(toString(Proto), toString(SrcPort))", "toString(SrcAS)", "toString(DstAS)",
		"concat(toString(ExporterAddress), toString(InIf))", "concat(toString(ExporterAddress), toString(OutIf))", "toString(ExporterAddress)", "toString(TCPFlags)"}
	for i, f := range got.Facets {
		res, _, err := s.Store.Select(t.Context(), store.Query{SQL: fmt.Sprintf(
			"SELECT %s AS k, sum(Bytes * SamplingRate) AS b FROM flows WHERE Proto != 1 AND toUnixTimestamp(TimeReceived) >= %d AND toUnixTimestamp(TimeReceived) < %d GROUP BY k ORDER BY b DESC", keys[i], got.From, got.To)})
		if err != nil {
			t.Fatal(err)
		}
		sums := res.Column("b").([]uint64)
		if len(f.Values) != min(10, len(sums)) || f.Distinct != uint64(len(sums)) {
			t.Errorf("%v: %d values of %d, want those of %d", f.By, len(f.Values), f.Distinct, len(sums))
			continue
		}
		for j, v := range f.Values {
			if v.Total != sums[j] || v.Rate != float64(v.Total)*8/3600 || v.Share != float64(v.Total)/float64(got.Total) {
				t.Errorf("%v: value %d is %+v, want %d", f.By, j, v, sums[j])
			}
		}
		if i%3 == 0 {
			var alone result
			ask(t, h, "GET", "/api/v1/query?from=-1h&dir=sum&q=not+icmp+"+url.QueryEscape("("+f.Values[0].Filter+")"), "", http.StatusOK, &alone)
			if len(alone.Total) != 1 || alone.Total[0].Total != f.Values[0].Total {
				t.Errorf("%s finds %+v, want %d", f.Values[0].Filter, alone.Total, f.Values[0].Total)
			}
		}
	}

	// A pair in the other order, and a field twice, are lists of their own.
	var twice Facets
	ask(t, h, "GET", "/api/v1/facets?from=-1h&unit=bps&q=not+icmp&facets=proto/dst.port,src.as,dst.port/proto,src.as,in.if/exporter,exporter", "", http.StatusOK, &twice)
	for i, of := range []int{2, 4, 2, 4, 6, 8} {
		f, want := twice.Facets[i], got.Facets[of]
		if f.Distinct != want.Distinct || len(f.Values) == 0 || f.Values[0].Total != want.Values[0].Total || len(f.Values[0].Key) != len(f.By) {
			t.Errorf("%v: %d distinct, first %+v, want %d, %+v", f.By, f.Distinct, f.Values[0], want.Distinct, want.Values[0])
		}
	}
	if k := twice.Facets[2].Values[0].Key; !slices.Equal(k, []string{got.Facets[2].Values[0].Key[1], got.Facets[2].Values[0].Key[0]}) {
		t.Errorf("port and protocol are %v", k)
	}

	// Asked again, the answer is the same one, at no cost.
	var again Facets
	ask(t, h, "GET", "/api/v1/facets?from=-1h&unit=bps&q=not+icmp", "", http.StatusOK, &again)
	if again.Meta.MS != got.Meta.MS {
		t.Errorf("asked again it took %v ms, and %v before", again.Meta.MS, got.Meta.MS)
	}

	// Lists that read too many rows are left to be asked for by name.
	// The others read the flows too, at both ends of the window.
	var less, rest Facets
	const rolled = "src.as,dst.as,in.if,out.if,exporter"
	ends := uint64(0)
	if ask(t, h, "GET", "/api/v1/facets?from=-24h&q=not+icmp&most=0&facets="+rolled, "", http.StatusOK, &less); less.Left != nil {
		ends = less.Left.Rows
		if len(less.Facets) != 0 || strings.Join(less.Left.Facets, ",") != rolled {
			t.Errorf("%d lists, left %+v", len(less.Facets), less.Left)
		}
	}
	less = Facets{}
	ask(t, h, "GET", fmt.Sprintf("/api/v1/facets?from=-24h&q=not+icmp&most=%d", ends), "", http.StatusOK, &less)
	if less.Left == nil || less.Left.Rows == 0 || len(less.Facets) != 5 || strings.Join(less.Left.Facets, " ") != "dst.ip src.ip proto/dst.port proto/src.port flags" {
		t.Fatalf("%d lists, left %+v", len(less.Facets), less.Left)
	}
	ask(t, h, "GET", "/api/v1/facets?from=-24h&q=not+icmp&facets="+strings.Join(less.Left.Facets, ","), "", http.StatusOK, &rest)
	if len(rest.Facets) != 5 || rest.Left != nil || rest.Total != less.Total || rest.Facets[2].Values[0].Total == 0 {
		t.Errorf("%d lists of %d, left %v", len(rest.Facets), rest.Total, rest.Left)
	}
	ask(t, h, "GET", "/api/v1/facets?from=-24h&q=not+port+1&most=1000", "", http.StatusOK, &less)
	if less.Left == nil || len(less.Left.Facets) != 10 || len(less.Facets) != 0 {
		t.Errorf("%d lists, left %+v", len(less.Facets), less.Left)
	}
	ask(t, h, "GET", "/api/v1/facets?from=-24h&q=not+icmp&most=1000000000", "", http.StatusOK, &less)
	if less.Left != nil || len(less.Facets) != 10 {
		t.Errorf("%d lists, left %+v", len(less.Facets), less.Left)
	}

	none, _ := empty(t)
	var nothing Facets
	ask(t, none.Handler(), "GET", "/api/v1/facets?facets=src.net:24:48,remote.as/dst.port,in.if/app", "", http.StatusOK, &nothing)
	if len(nothing.Facets) != 3 || nothing.Total != 0 || len(nothing.Facets[2].By) != 2 || nothing.Facets[2].Values == nil {
		t.Errorf("%+v", nothing)
	}
	var p Problem
	for _, bad := range []string{"facets=port", "facets=src.port/", "facets=ts:1h", "facets=bytes", "facets=" + strings.Repeat("proto/", 8) + "proto"} {
		ask(t, h, "GET", "/api/v1/facets?"+bad, "", http.StatusBadRequest, &p)
		if p.Key != "facets" {
			t.Errorf("%s: %+v", bad, p)
		}
	}
	if ask(t, h, "GET", "/api/v1/facets?most=all", "", http.StatusBadRequest, &p); p.Key != "most" {
		t.Errorf("%+v", p)
	}
	ask(t, h, "GET", "/api/v1/facets?unit=bpp", "", http.StatusBadRequest, &p)
	ask(t, h, "GET", "/api/v1/facets?q=prt", "", http.StatusBadRequest, &p)
}

// The large values of a field with very many are found among them.
func TestFacetsMany(t *testing.T) {
	s, w := empty(t)
	if err := w.Exec(t.Context(), fmt.Sprintf(`INSERT INTO flows (TimeReceived, SrcAddr, Bytes, Packets, SamplingRate)
		SELECT toDateTime(%d, 'UTC'), toIPv6(concat('2001:db8::', hex(if(number %% 3 = 0, number %% 5, number)))), 100, 1, 1 FROM numbers(60000)`, s.now().Unix()-10)); err != nil {
		t.Fatal(err)
	}
	var got Facets
	ask(t, s.Handler(), "GET", "/api/v1/facets?facets=src.ip&unit=flows", "", http.StatusOK, &got)
	f := got.Facets[0]
	if f.Distinct != 40002 || len(f.Values) != 10 || got.Total != 60000 {
		t.Fatalf("%d distinct, %d values, %d flows", f.Distinct, len(f.Values), got.Total)
	}
	for i := range 5 {
		if v := f.Values[i]; v.Total != 4000 && v.Total != 4001 {
			t.Errorf("value %d is %+v, want 4000", i, v)
		}
	}
}

func TestCache(t *testing.T) {
	var c cache[int]
	n := 0
	f := func(key string, want int) {
		t.Helper()
		got, err := c.get(t.Context(), key, func() (int, error) { n++; return n, nil })
		if err != nil || got != want {
			t.Errorf("%s: %d %v, want %d", key, got, err, want)
		}
	}
	f("a", 1)
	f("a", 1)
	f("b", 2)
	c.get(t.Context(), "bad", func() (int, error) { return 0, http.ErrAbortHandler })
	f("bad", 3)
	for i := range cacheSize + 10 { // more than there is room for: answered, not kept
		c.get(t.Context(), fmt.Sprint(i), func() (int, error) { return i, nil })
	}
	if len(c.entries) != cacheSize {
		t.Errorf("%d entries", len(c.entries))
	}
	f("a", 1)
}

package api

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"netmeta/query"
)

// planted is a server with traffic that repeats itself every fifty seconds and comes in
// through four interfaces, from five minutes before begin to 400 s after it. What the
// statement inserts is on top of it; {begin} in it is the time.
func planted(t *testing.T, inIf, insert string) (h http.Handler, begin int64) {
	t.Helper()
	s, w := empty(t)
	begin = s.now().Unix() - 500
	run := func(sql string) {
		t.Helper()
		if err := w.Exec(t.Context(), strings.ReplaceAll(sql, "{begin}", fmt.Sprint(begin))); err != nil {
			t.Fatal(err)
		}
	}
	run(`INSERT INTO flows (TimeReceived, ExporterAddress, SrcAddr, DstAddr, SrcPort, DstPort, Proto, SrcAS, DstAS, InIf, OutIf, Bytes, Packets, SamplingRate, TCPFlags, Direction)
		SELECT toDateTime({begin} - 300 + second, 'UTC'), toIPv6('::ffff:203.0.113.1'), toIPv6(concat('::ffff:198.51.100.', toString(i % 199))), toIPv6(concat('::ffff:192.0.2.', toString(i % 97))),
			40000 + i % 1009, if(i % 3 = 0, 80, 443), 6, 64500 + i % 53, 65000 + i % 7, ` + inIf + `, 10 + i % 3, 500 + i % 1000, 1, 1000, 24, 'in'
		FROM (SELECT number % 700 AS second, intDiv(number, 700) * 50 + second % 50 AS i FROM numbers(35000))`)
	if insert != "" {
		run(insert)
	}
	return s.Handler(), begin
}

func explainWindow(t *testing.T, h http.Handler, from, to int64, more string) (x Explanation) {
	t.Helper()
	ask(t, h, "GET", fmt.Sprintf("/api/v1/explain?sel=%d~%d%s", from, to, more), "", http.StatusOK, &x)
	return x
}

func cause(x Explanation, by string) *query.Cause {
	for i, c := range x.Causes {
		if strings.Join(c.By, "/") == by {
			return &x.Causes[i]
		}
	}
	return nil
}

// has checks that a cause is there with its filter and share.
func has(t *testing.T, x Explanation, by, filter string, share float64) {
	t.Helper()
	c := cause(x, by)
	if c == nil || c.Filter != filter || math.Abs(c.Share-share) > 0.05 {
		t.Errorf("%s: %+v, want %s with %.2f\n%s", by, c, filter, share, x.Text)
	}
}

const flood = `INSERT INTO flows (TimeReceived, ExporterAddress, SrcAddr, DstAddr, SrcPort, DstPort, Proto, SrcAS, DstAS, InIf, OutIf, Bytes, Packets, SamplingRate, Direction)
	SELECT toDateTime({begin} + number % 300, 'UTC'), toIPv6('::ffff:203.0.113.1'), toIPv6(concat('2001:db8::', hex(number % 5000))), toIPv6('::ffff:192.0.2.7'),
		53, 1024 + number % 50000, 17, 1000 + number % 1204, 65001, if(number % 100 < 61, 12, 13 + number % 3), 11, 1412, 1, 1000, 'in' FROM numbers(100000)`

// A flood of answers of DNS servers to one address.
func TestExplainFlood(t *testing.T) {
	h, begin := planted(t, "1 + i % 4", flood)
	x := explainWindow(t, h, begin, begin+300, "")
	if x.Kind != "rise" || x.BeforeFrom != begin-300 || x.Delta != x.Now-x.Before || math.Abs(x.Delta-100000*1412*8*1000/300) > 0.01*x.Delta {
		t.Errorf("%s: %+v", x.Kind, x)
	}
	has(t, x, "dst.ip", "dst.ip = 192.0.2.7", 1)
	has(t, x, "proto/src.port", "proto = udp and src.port = 53", 1)
	has(t, x, "bpp", "bpp >= 1408 and bpp < 1472", 1)
	if c := cause(x, "in.if"); c == nil || c.Values < 2 || !strings.Contains(c.Text, "203.0.113.1 if 12 61 %") {
		t.Errorf("interfaces: %+v", c)
	}
	if c := cause(x, "src.as"); c == nil || c.Filter != "" || c.Values < 1204 || c.Share > 0.04 {
		t.Errorf("ASes: %+v", c)
	}
	if c := cause(x, "dst.port"); c != nil {
		t.Errorf("ports that are all different explain nothing: %+v", c)
	}
	for _, part := range []string{"+", "100 % to 192.0.2.7", "100 % UDP 53 dns as source port", "source ASes, none more than", "mean packet 1,412 bytes"} {
		if !strings.Contains(x.Text, part) {
			t.Errorf("%q is not in the sentence: %s", part, x.Text)
		}
	}
	// What all causes have in common is the flood alone.
	var got result
	ask(t, h, "GET", fmt.Sprintf("/api/v1/query?from=%d&to=%d&dir=sum&unit=flows&q=%s", begin, begin+300, url.QueryEscape(x.Filter)), "", http.StatusOK, &got)
	if n := got.Total[0].Total; n < 99000 || n > 101000 {
		t.Errorf("%s lets %d records through, want those of the flood", x.Filter, n)
	}
	t.Log(x.Text)

	// Seen from the other side it is a fall with the same causes.
	x = explainWindow(t, h, begin+300, begin+400, "")
	if x.Kind != "fall" || !strings.HasPrefix(x.Text, "−") {
		t.Errorf("after it: %s %s", x.Kind, x.Text)
	}
	has(t, x, "dst.ip", "dst.ip = 192.0.2.7", 1)
	// With a filter that leaves it out nothing has happened.
	x = explainWindow(t, h, begin, begin+300, "&q=tcp")
	if x.Kind != "steady" || len(x.Causes) != 0 {
		t.Errorf("without it: %s %s", x.Kind, x.Text)
	}
}

// Traffic that came in through one interface comes in through another.
func TestExplainMove(t *testing.T) {
	h, begin := planted(t, "if(i % 4 = 1, if(second < 300, 2, 5), 1 + i % 4)", "")
	x := explainWindow(t, h, begin, begin+300, "")
	if x.Kind != "move" || len(x.Causes) != 1 || x.Filter != "" {
		t.Fatalf("%s: %s", x.Kind, x.Text)
	}
	has(t, x, "in.if", "((exporter = 203.0.113.1 and in.if = 5) or (exporter = 203.0.113.1 and in.if = 2))", 0.25)
	if !strings.Contains(x.Text, "comes in through 203.0.113.1 if 5 now, comes in through 203.0.113.1 if 2 before") {
		t.Error(x.Text)
	}
	t.Log(x.Text)
}

// One flow that is heavier than the others.
func TestExplainFlow(t *testing.T) {
	h, begin := planted(t, "1 + i % 4", `INSERT INTO flows (TimeReceived, ExporterAddress, SrcAddr, DstAddr, SrcPort, DstPort, Proto, SrcAS, DstAS, InIf, OutIf, Bytes, Packets, SamplingRate, TCPFlags, Direction)
		SELECT toDateTime({begin} + number % 300, 'UTC'), toIPv6('::ffff:203.0.113.1'), toIPv6('::ffff:198.51.100.9'), toIPv6('::ffff:192.0.2.50'), 22, 51000, 6, 64509, 65003, 3, 11, 1500, 1, 1000, 16, 'in' FROM numbers(4000)`)
	x := explainWindow(t, h, begin, begin+300, "&unit=pps")
	if x.Kind != "rise" || x.Unit != "pps" || x.Change == nil || math.Abs(*x.Change-4000.0/15000) > 0.01 {
		t.Errorf("%s %s", x.Kind, x.Text)
	}
	has(t, x, "src.ip", "src.ip = 198.51.100.9", 1)
	has(t, x, "dst.ip", "dst.ip = 192.0.2.50", 1)
	has(t, x, "proto/src.port", "proto = tcp and src.port = 22", 1)
	has(t, x, "proto/dst.port", "proto = tcp and dst.port = 51000", 1)
	if !strings.Contains(x.Filter, "src.ip = 198.51.100.9") || !strings.Contains(x.Filter, "dst.port = 51000") {
		t.Errorf("the filter is %q", x.Filter)
	}
	t.Log(x.Text)
}

// Nothing planted is nothing explained; nothing at all is no error.
func TestExplainNothing(t *testing.T) {
	h, begin := planted(t, "1 + i % 4", "")
	x := explainWindow(t, h, begin, begin+300, "")
	if x.Kind != "steady" || len(x.Causes) != 0 || !strings.Contains(x.Text, "about as before") {
		t.Errorf("%s %s", x.Kind, x.Text)
	}
	none, _ := empty(t)
	x = Explanation{}
	ask(t, none.Handler(), "GET", "/api/v1/explain", "", http.StatusOK, &x)
	if x.Kind != "steady" || x.Change != nil || len(x.Aspects) != 10 {
		t.Errorf("%+v", x)
	}
	x = explainWindow(t, h, begin-300, begin, "") // there was nothing before: everything is new
	if x.Kind != "rise" || x.Change != nil || !strings.Contains(x.Text, "nothing before") || !slices.ContainsFunc(x.Causes, func(c query.Cause) bool { return c.By[0] == "flags" }) {
		t.Errorf("%s %s", x.Kind, x.Text)
	}
	var p Problem
	for _, bad := range []string{"sel=5", "sel=9~5", "sel=a~b", "vs=band4w", "vs=-1m", "unit=bpp"} {
		key, _, _ := strings.Cut(bad, "=")
		ask(t, h, "GET", "/api/v1/explain?"+bad, "", http.StatusBadRequest, &p)
		if p.Key != key {
			t.Errorf("%s: %+v", bad, p)
		}
	}
}

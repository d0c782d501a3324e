package api

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/store"
)

type flowsAnswer struct {
	Rows    int
	Columns []struct{ Column, Name, Kind string }
	Values  [][]any
	Cursors []string
	ASNames map[string]string `json:"as_names"`
	Next    string
	Meta    Cost
}

// A page names the ASes of its own records; a file has their numbers.
func TestFlowsASNames(t *testing.T) {
	s, w := empty(t)
	if err := w.Exec(t.Context(), fmt.Sprintf(`INSERT INTO flows (TimeReceived, SrcAS, DstAS, SrcPort, Packets, SamplingRate)
		VALUES (%d, 2906, 64500, 15169, 1, 1), (%[1]d - 1, 2906, 0, 1, 1, 1), (%[1]d - 2, 3320, 0, 1, 1, 1)`, s.now().Unix()-10)); err != nil {
		t.Fatal(err)
	}
	reconfigure(s, func(c *Settings) {
		c.Schema.ASName = func(as uint32) string {
			return map[uint32]string{2906: "Netflix", 3320: "Telekom", 15169: "Google"}[as]
		}
	})
	h := s.Handler()
	f := func(keys string, want map[string]string) {
		t.Helper()
		var a flowsAnswer
		ask(t, h, "GET", "/api/v1/flows?from=-10m&"+keys, "", http.StatusOK, &a)
		if a.ASNames == nil || !maps.Equal(a.ASNames, want) {
			t.Errorf("%s: %v, want %v", keys, a.ASNames, want)
		}
	}
	f("", map[string]string{"2906": "Netflix", "3320": "Telekom"})
	f("limit=2", map[string]string{"2906": "Netflix"})
	f("columns=TimeReceived,DstAS,SrcPort", map[string]string{})
	f("q=as+1", map[string]string{})
	r := httptest.NewRecorder()
	h.ServeHTTP(r, httptest.NewRequest("GET", "/api/v1/flows?format=csv&columns=SrcAS&from=-10m", nil))
	if text := r.Body.String(); text != "\"SrcAS\"\r\n2906\r\n2906\r\n3320\r\n" {
		t.Errorf("%q", text)
	}
}

// Pages give every record that meets the request once, in the order of time, however
// long they are and even when records are the same.
func TestFlowsPages(t *testing.T) {
	s, w := empty(t)
	now := s.now().Unix()
	// Seconds with many records, some of them equal.
	if err := w.Exec(t.Context(), fmt.Sprintf(`INSERT INTO flows (TimeReceived, SrcPort, Bytes, Packets, SamplingRate, Proto, Direction)
		SELECT toDateTime(%d - intDiv(number, 60), 'UTC'), intDiv(number, 4) %% 10, 100, 1, 1, if(number %% 5 = 0, 6, 17), 'in' FROM numbers(900)`, now-1)); err != nil {
		t.Fatal(err)
	}
	h := s.Handler()
	f := func(limit int, order, filter string) {
		t.Helper()
		v := url.Values{"limit": {fmt.Sprint(limit)}, "order": {order}, "q": {filter}, "columns": {"TimeReceived,src.port,SrcPort"}, "from": {"-10m"}}
		counts, n, pages := map[[2]int64]int{}, 0, 0
		last := int64(0)
		for {
			var a flowsAnswer
			ask(t, h, "GET", "/api/v1/flows?"+v.Encode(), "", http.StatusOK, &a)
			if len(a.Columns) != 2 || a.Columns[1].Column != "SrcPort" || a.Rows > limit || a.Next != "" && a.Rows != limit {
				t.Fatalf("%v: %d rows of %+v, next %q", v, a.Rows, a.Columns, a.Next)
			}
			for i := range a.Rows {
				ts, port := int64(a.Values[0][i].(float64)), int64(a.Values[1][i].(float64))
				if last != 0 && (order == "asc") != (ts > last) && ts != last {
					t.Fatalf("%v: %d after %d", v, ts, last)
				}
				last = ts
				counts[[2]int64{ts, port}]++
				n++
			}
			if a.Next == "" {
				break
			}
			if pages++; pages > 1000 {
				t.Fatalf("%v: the pages do not end", v)
			}
			v.Set("cursor", a.Next)
		}
		where := map[string]string{"": "1", "tcp": "Proto = 6"}[filter]
		res, _, err := s.Store.Select(t.Context(), store.Query{SQL: "SELECT toUInt32(TimeReceived), toUInt64(SrcPort), count() FROM flows WHERE " + where + " GROUP BY 1, 2"})
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		for i := range res.Rows {
			key := [2]int64{int64(res.Columns[0].([]uint32)[i]), int64(res.Columns[1].([]uint64)[i])}
			want := int(res.Columns[2].([]uint64)[i])
			total += want
			if counts[key] != want {
				t.Fatalf("limit %d %s %q: %v came %d times, want %d", limit, order, filter, key, counts[key], want)
			}
		}
		if n != total {
			t.Errorf("limit %d %s %q: %d records, want %d", limit, order, filter, n, total)
		}
	}
	f(1000, "desc", "")
	f(100, "desc", "")
	f(3, "desc", "tcp")   // less than there are equal ones
	if !testing.Short() { // hundreds of pages
		f(7, "asc", "")
		f(1, "asc", "tcp")
	}

	var p Problem
	for _, q := range []string{"cursor=x", "cursor=1.2", "cursor=1.2.-3", "cursor=1.2.3.NA", "cursor=1.2.3&sort=Bytes", "cursor=1.2.3.!&sort=Bytes", "limit=0",
		"sort=Byte", "order=asc&sort=Bytes", "limit=100001&sort=-Bytes&format=csv", "limit=10001", "order=up", "columns=Src", "format=xml", "from=tomorrow", "q=foo"} {
		key, _, _ := strings.Cut(q, "=")
		ask(t, h, "GET", "/api/v1/flows?"+q, "", http.StatusBadRequest, &p)
		if p.Key != key {
			t.Errorf("%s: %+v", q, p)
		}
	}
}

// Pages in the order of any column give every record once, in the order that SQL puts
// them in, however many are equal in the column, in the second or in everything.
func TestFlowsSorted(t *testing.T) {
	s, w := empty(t)
	if err := store.Migrate(t.Context(), w, store.Schema{Table: &flow.Table, Columns: []string{"all"}, RollupDays: map[int64]int{60: 0, 3600: 0}}, s.Log); err != nil {
		t.Fatal(err)
	}
	// DstPort says which record it is; each is there four times.
	const records = 21
	if err := w.Exec(t.Context(), fmt.Sprintf(`INSERT INTO flows (TimeReceived, DstPort, SrcPort, Bytes, Packets, SamplingRate, Proto, Direction, SrcAddr, ExporterName, InIfDescription,
		FlowStart, SrcMac, DstASPath, DstLargeCommunities, Extra)
		SELECT toDateTime(%d - id %% 7, 'UTC'), id, id %% 3, if(id %% 5 = 0, 18446744073709551615, id %% 4), 1, 1 + id %% 2, 6 + id %% 2, ['in', 'out', 'internal'][id %% 3 + 1],
			toIPv6(['2001:db8::1', '192.0.2.7', '192.0.2.10'][id %% 3 + 1]), ['a\'b\\\\', 'ä\n', '', 'Ω\t,'][id %% 4 + 1], repeat('ö', 200) || toString(id),
			fromUnixTimestamp64Milli(1790000000000 + id %% 6), id %% 5, [toUInt32(64500), toUInt32(id %% 7)], [bitShiftLeft(toUInt128(id %% 3), 96)], map('a', toString(id %% 4))
		FROM (SELECT intDiv(number, 4) AS id FROM numbers(%d))`, s.now().Unix()-1, 4*records)); err != nil {
		t.Fatal(err)
	}
	h := s.Handler()
	f := func(c *column.Field, sort string, limit int) {
		t.Helper()
		by := c.Name
		switch c.Kind {
		case column.Enum, column.TextMap:
			by = "toString(" + by + ")"
		case column.Text: // what counts of it
			by = "substring(" + by + ", 1, 256)"
		}
		res, _, err := s.Store.Select(t.Context(), store.Query{SQL: "SELECT toUInt64(DstPort), toUInt64(dense_rank() OVER (ORDER BY " + by + ")) FROM flows"})
		if err != nil || res.Rows != 4*records {
			t.Fatalf("%s: %d rows, %v", c.Name, res.Rows, err)
		}
		rank := map[uint64]uint64{}
		for i, id := range res.Columns[0].([]uint64) {
			rank[id] = res.Columns[1].([]uint64)[i]
		}
		v := url.Values{"limit": {fmt.Sprint(limit)}, "columns": {"DstPort"}, "from": {"-10m"}, "sort": {sort}}
		counts := map[uint64]int{}
		for n, last := 0, uint64(0); ; {
			var a flowsAnswer
			ask(t, h, "GET", "/api/v1/flows?"+v.Encode(), "", http.StatusOK, &a)
			for i := range a.Rows {
				id := uint64(a.Values[0][i].(float64))
				if last != 0 && rank[id] != last && rank[id] > last != (sort[0] != '-') {
					t.Fatalf("%v: rank %d after %d", v, rank[id], last)
				}
				last = rank[id]
				counts[id]++
				n++
			}
			if a.Next == "" {
				break
			}
			if v.Set("cursor", a.Next); a.Rows != limit || n > 4*records {
				t.Fatalf("%v: %d rows, %d in all", v, a.Rows, n)
			}
		}
		for id := range uint64(records) {
			if counts[id] != 4 {
				t.Errorf("sort=%s limit=%d: record %d came %d times", sort, limit, id, counts[id])
			}
		}
	}
	seen := map[[2]any]bool{} // every kind of column
	for _, c := range flow.Table.Fields {
		if kind := [2]any{c.Kind, c.Rare}; !seen[kind] {
			seen[kind] = true
			f(c, "-"+c.Name, 50)
			if !testing.Short() {
				f(c, c.Name, 50)
			}
		}
	}
	for _, c := range []*column.Field{flow.Bytes.Field, flow.SrcAddr.Field, flow.Direction.Field, flow.ExporterName.Field, flow.TimeReceived.Field, flow.InIfDescription.Field} {
		if c == flow.Bytes.Field || !testing.Short() {
			f(c, c.Name, 3) // less than there are equal ones
		}
		f(c, "-"+c.Name, 17)
	}
	f(flow.TimeReceived.Field, "-ts", 9)
	if !testing.Short() {
		f(flow.SrcPort.Field, "src.port", 1)
	}

	// A record is found again in the order of time, and the estimate is not below what is read.
	var a, b flowsAnswer
	ask(t, h, "GET", "/api/v1/flows?from=-10m&columns=TimeReceived,DstPort&sort=-DstPort&limit=20", "", http.StatusOK, &a)
	for i, at := range a.Cursors {
		second := int64(a.Values[0][i].(float64))
		ask(t, h, "GET", fmt.Sprintf("/api/v1/flows?from=%d&to=%d&columns=DstPort&limit=1&cursor=%s", second, second+1, at), "", http.StatusOK, &b)
		if b.Rows != 1 || b.Values[0][0] != a.Values[1][i] {
			t.Errorf("at %s is %v, want %v", at, b.Values, a.Values[1][i])
		}
	}
	var e Estimate
	ask(t, h, "GET", "/api/v1/estimate?of=flows&from=-10m&sort=-DstPort", "", http.StatusOK, &e)
	if e.Rows < a.Meta.Rows || a.Meta.Rows < 4*records {
		t.Errorf("estimated %d, read %d", e.Rows, a.Meta.Rows)
	}
	var p Problem
	if ask(t, h, "GET", "/api/v1/estimate?of=rows", "", http.StatusBadRequest, &p); p.Key != "of" {
		t.Errorf("%+v", p)
	}
}

// An export has every column under its name, and the same records in both formats.
func TestFlowsExport(t *testing.T) {
	h := seeded(t).Handler()
	get := func(target string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("GET", target, nil))
		if rec.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", target, rec.Code, rec.Body)
		}
		description(t).answer(t, "GET", "/api/v1/flows", rec)
		return rec
	}
	const q = "/api/v1/flows?columns=all&limit=500&q=tcp&from=-2h&format="
	text := get(q + "csv").Body.String()
	if strings.Count(text, "\r\n") != 501 {
		t.Errorf("%d lines end as RFC 4180 has it", strings.Count(text, "\r\n"))
	}
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(lines) != 501 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	i := 1
	for scan := bufio.NewScanner(get(q + "jsonl").Body); scan.Scan(); i++ {
		var record map[string]any
		if err := json.Unmarshal(scan.Bytes(), &record); err != nil {
			t.Fatal(err)
		}
		if len(record) != len(lines[0]) {
			t.Fatalf("%d members, %d columns", len(record), len(lines[0]))
		}
		for j, name := range lines[0] {
			value := record[name]
			if list, ok := value.([]any); ok {
				value = strings.Trim(fmt.Sprint(list), "[]")
			}
			if n, ok := value.(float64); ok {
				value = number(n)
			}
			if fmt.Sprint(value) != lines[i][j] {
				t.Errorf("line %d: %s is %q and %v", i, name, lines[i][j], value)
			}
		}
	}
	if i != 501 {
		t.Errorf("%d JSON lines", i-1)
	}
	if c := slices.Index(lines[0], "SrcAddr"); c < 0 || strings.HasPrefix(lines[1][c], "::ffff:") {
		t.Errorf("addresses are as they are stored: %q", lines[1])
	}
	var a flowsAnswer
	ask(t, h, "GET", "/api/v1/flows?columns=all&limit=5", "", http.StatusOK, &a)
	if len(a.Columns) != len(lines[0]) || len(a.Values) != len(a.Columns) || a.Rows != 5 {
		t.Errorf("%d columns, %d values, %d rows", len(a.Columns), len(a.Values), a.Rows)
	}
}

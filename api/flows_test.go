package api

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"netmeta/store"
)

type flowsAnswer struct {
	Rows    int
	Columns []struct{ Column, Name, Kind string }
	Values  [][]any
	Next    string
	Meta    cost
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
	f(7, "asc", "")
	f(3, "desc", "tcp") // less than there are equal ones
	f(1, "asc", "tcp")

	var p problem
	for _, q := range []string{"cursor=x", "cursor=1.2", "cursor=1.2.-3", "limit=0", "limit=10001", "order=up", "columns=Src", "format=xml", "from=tomorrow", "q=foo"} {
		key, _, _ := strings.Cut(q, "=")
		ask(t, h, "GET", "/api/v1/flows?"+q, "", http.StatusBadRequest, &p)
		if p.Key != key {
			t.Errorf("%s: %+v", q, p)
		}
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

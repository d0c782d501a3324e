package api

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"netmeta/flow"
	"netmeta/query"
	"netmeta/store"
)

// hostile are names as an exporter may send them, and numbers that look like formulas.
var hostile = []string{`=HYPERLINK("http://evil.example","x")`, "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "-5", "+4.5e-3", "-", "-5\n=1", `"=1`, "eth0", "\x1b]0;x\a"}

// What people open in a spreadsheet runs nothing there, in any CSV that there is; raw=1 and
// JSON have the names as they are.
func TestSpreadsheets(t *testing.T) {
	s, w := empty(t)
	if err := store.Migrate(t.Context(), w, store.Schema{Table: &flow.Table, Columns: []string{"ApplicationName"}, RollupDays: map[int64]int{60: 0, 3600: 0}}, s.Log); err != nil {
		t.Fatal(err)
	}
	for i, name := range hostile {
		if err := w.Do(t.Context(), store.Query{
			SQL:    fmt.Sprintf("INSERT INTO flows (TimeReceived, ApplicationName, Bytes, Packets, SamplingRate) SELECT %d, {name:String}, %d, 1, 1", s.now().Unix()-10, 1000+i),
			Params: map[string]string{"name": strings.NewReplacer("\\", "\\\\", "\t", "\\t", "\n", "\\n", "\r", "\\r").Replace(name)},
		}); err != nil {
			t.Fatal(err)
		}
	}
	h := s.Handler()
	var guarded []string
	for _, name := range hostile {
		guarded = append(guarded, query.Guarded(name))
	}
	cells := func(path string) (all []string) {
		t.Helper()
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
		// encoding/csv makes \n of \r\n, also within quotes: none of the names has that.
		lines, err := csv.NewReader(rec.Body).ReadAll()
		if err != nil || rec.Code != http.StatusOK {
			t.Fatalf("%s: %d %v", path, rec.Code, err)
		}
		for _, line := range lines[1:] {
			all = append(all, line...)
		}
		return all
	}
	for _, path := range []string{"/api/v1/query.csv?by=app&n=50&from=-10m&dir=sum", "/api/v1/query.csv?of=table&by=app&n=50&from=-10m&dir=sum", "/api/v1/query?format=csv&by=app&n=50&from=-10m&dir=sum", "/api/v1/flows?format=csv&columns=ApplicationName,Bytes&from=-10m"} {
		got, raw := cells(path), cells(path+"&raw=1")
		for i, name := range hostile {
			guarded := guarded[i]
			if strings.HasPrefix(path, "/api/v1/query") { // encoding/csv writes no \r within a cell
				name, guarded = strings.ReplaceAll(name, "\r", ""), strings.ReplaceAll(guarded, "\r", "")
			}
			if !slices.Contains(got, guarded) {
				t.Errorf("%s: no cell %q", path, guarded)
			}
			if !slices.Contains(raw, name) {
				t.Errorf("%s&raw=1: no cell %q", path, name)
			}
		}
		for _, cell := range got {
			if query.Guarded(cell) != cell {
				t.Errorf("%s: cell %q", path, cell)
			}
		}
	}
	var p Problem
	for _, path := range []string{"/api/v1/query.csv", "/api/v1/flows"} {
		if ask(t, h, "GET", path+"?format=csv&raw="+url.QueryEscape("yes"), "", http.StatusBadRequest, &p); p.Key != "raw" {
			t.Errorf("%s: %+v", path, p)
		}
	}
}

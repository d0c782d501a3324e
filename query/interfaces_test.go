package query

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"netmeta/internal/golden"
)

// The statement for interfaces is in the file interfaces.sql, and longer windows have
// longer steps.
func TestInterfacesSQL(t *testing.T) {
	now := time.Unix(1790000030, 0)
	s := Schema{Rollups: []Rollup{{"rollup_1m", 60, 1780000020, 1789999980}, {"rollup_1h", 3600, 1740002400, 1789999200}}}
	q, err := Request{From: "-1h", To: "now"}.Interfaces(now, s, "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	fmt.Fprintln(&out, q.SQL)
	for _, name := range slices.Sorted(maps.Keys(q.Params)) {
		fmt.Fprintf(&out, "-- %s = %s\n", name, q.Params[name])
	}
	golden.Equal(t, "testdata/interfaces.sql", out.Bytes())
	f := func(from string, step int64, table string) {
		t.Helper()
		q, err := Request{From: from, To: "now"}.Interfaces(now, s, "")
		if err != nil {
			t.Fatal(err)
		}
		if q.rg.Step != step || q.Tables[0] != table || (q.rg.End-q.rg.Times[0]+q.span-1)/q.span > courseValues {
			t.Errorf("%s: step %d of %v, course of %d s", from, q.rg.Step, q.Tables, q.span)
		}
	}
	f("-30s", 60, "flows")
	f("-2d", 60, "rollup_1m")
	f("-7d", 300, "rollup_1m")
	f("-30d", 3600, "rollup_1h")
	f("-200d", 86400, "rollup_1h")
}

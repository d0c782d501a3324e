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
	s := Schema{Rollups: []Rollup{{Table: "rollup_1m", Step: 60, Since: 1780000020, Until: 1789999980}, {Table: "rollup_1h", Step: 3600, Since: 1740002400, Until: 1789999200}}}
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
	rg, err := Request{From: "-6h", To: "now", TZ: "utc", PX: 400}.Resolve(now)
	if err != nil {
		t.Fatal(err)
	}
	link, err := ParseLink("192.0.2.1", "7")
	if err != nil {
		t.Fatal(err)
	}
	weeks, ok, err := link.Weeks(now, "utc", s)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	out.Reset()
	for _, s := range []Statement{link.Counted(rg, s), weeks.Statement} {
		fmt.Fprintln(&out, s.SQL)
		for _, name := range slices.Sorted(maps.Keys(s.Params)) {
			fmt.Fprintf(&out, "-- %s = %s\n", name, s.Params[name])
		}
	}
	golden.Equal(t, "testdata/link.sql", out.Bytes())
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

// Days are those of the zone, also the one of 23 hours; those of which hours lack do not
// count. What is on a line has no error.
func TestTrend(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 3, 27, 22, 0, 0, 0, zone) // the clock goes forward on the 29th
	hours := make([]float64, 2+24+23+24+5)
	for i := range hours {
		hours[i] = float64(from.Add(time.Duration(i) * time.Hour).In(zone).Day())
	}
	hours[2], hours[3], hours[2+24+1] = 1000, 500, 700
	days, p95 := daily(from.Unix(), hours, zone)
	if len(days) != 3 || days[1]-days[0] != 1 || days[2]-days[1] != 1 || !slices.Equal(p95, []float64{500, 29, 30}) {
		t.Errorf("%v %v", days, p95)
	}
	if got := trend([]float64{1, 2, 4}, []float64{10, 12, 16}); got.PerDay != 2 || got.P95 != 16 || got.Error > 1e-9 {
		t.Errorf("%+v", got)
	}
	// Residuals −1, 2, −1 around 3x: the variance of the slope is 6/1/2.
	if got := trend([]float64{1, 2, 3}, []float64{2, 8, 8}); got.PerDay != 3 || got.P95 != 9 || got.Error*got.Error-3 > 1e-9 || 3-got.Error*got.Error > 1e-9 {
		t.Errorf("%+v", got)
	}
}

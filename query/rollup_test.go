package query

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
)

// What a rollup may lack the next finer one answers for, or the flows.
func TestCoverStale(t *testing.T) {
	const h = 3600
	rg := Range{From: 10*h - 90, To: 16*h + 30, Step: h}
	for _, c := range []struct {
		minute, hour [][2]int64
		want         string
	}{
		{nil, nil, "[{rollup_1h [{36000 57600}]} {rollup_1m [{35940 36000}]} {flows [{35910 35940} {57600 57630}]}]"},
		{[][2]int64{{12 * h, 13 * h}}, [][2]int64{{12 * h, 13 * h}}, "[{rollup_1h [{36000 43200} {46800 57600}]} {flows [{35910 35940} {43200 46800} {57600 57630}]} {rollup_1m [{35940 36000}]}]"},
		{nil, [][2]int64{{9 * h, 11 * h}, {15 * h, 17 * h}}, "[{rollup_1h [{39600 54000}]} {rollup_1m [{35940 39600} {54000 57600}]} {flows [{35910 35940} {57600 57630}]}]"},
		{[][2]int64{{0, 20 * h}}, [][2]int64{{0, 20 * h}}, "[{flows [{35910 57630}]}]"},
		{[][2]int64{{0, 9 * h}, {17 * h, 18 * h}}, [][2]int64{{0, h}, {2 * h, 3 * h}, {11 * h, 12 * h}}, "[{rollup_1h [{36000 39600} {43200 57600}]} {rollup_1m [{35940 36000} {39600 43200}]} {flows [{35910 35940} {57600 57630}]}]"},
	} {
		got := rg.cover(0, []Rollup{{"rollup_1m", 60, 0, 1 << 40, c.minute}, {"rollup_1h", h, 0, 1 << 40, c.hour}})
		for i := range got {
			slices.SortFunc(got[i].spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
		}
		if text := fmt.Sprint(got); text != c.want {
			t.Errorf("stale %v, %v: %s, want %s", c.minute, c.hour, text, c.want)
		}
	}
}

// Each span of a piece has a name of its own.
func TestDuringNames(t *testing.T) {
	c := newCompiler()
	c.during(1, piece{"rollup_1h", []span{{0, 1}, {2, 3}, {4, 5}}})
	for name, want := range map[string]string{"from1_rollup_1h": "0000000000", "from1_rollup_1h_2": "0000000002", "to1_rollup_1h_3": "0000000005"} {
		if got := c.params[name]; got != want {
			t.Errorf("%s is %q, want %s", name, got, want)
		}
	}
}

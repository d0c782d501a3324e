package query

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"netmeta/access"
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
		got := rg.cover(0, []Rollup{{Table: "rollup_1m", Step: 60, Until: 1 << 40, Stale: c.minute}, {Table: "rollup_1h", Step: h, Until: 1 << 40, Stale: c.hour}})
		if text := told(got); text != c.want {
			t.Errorf("stale %v, %v: %s, want %s", c.minute, c.hour, text, c.want)
		}
	}
}

// told is what tables answer for, each time in order.
func told(pieces []piece) string {
	list := make([]string, len(pieces))
	for i, p := range pieces {
		slices.SortFunc(p.spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
		list[i] = fmt.Sprintf("{%s %v}", p.table, p.spans)
	}
	return fmt.Sprint(list)
}

// What is folded another rollup answers for, or the flows; when those are gone the folded
// sums do.
func TestCoverFolded(t *testing.T) {
	const h = 3600
	rg := Range{From: 10 * h, To: 16 * h, Step: h, Location: time.UTC}
	minutes := [][2]int64{{11*h + 60, 11*h + 120}, {12*h + 600, 12*h + 900}}
	hours := [][2]int64{{11 * h, 13 * h}}
	for _, c := range []struct {
		narrow [][2]int64
		gone   int64
		want   string
		note   string
	}{
		{nil, 0, "[{rollup_1h [{36000 39600} {46800 57600}]} {rollup_1m_as [{39600 46800}]}]", "rollup_1h; that part reads"},
		{minutes, 0, "[{rollup_1h [{36000 39600} {46800 57600}]} {rollup_1m_as [{39600 39660} {39720 43800} {44100 46800}]} {flows [{39660 39720} {43800 44100}]}]", "rollup_1h, rollup_1m_as; that part"},
		{minutes, 12 * h, "[{rollup_1h [{36000 39600} {46800 57600}]} {rollup_1m_as [{39600 43800} {44100 46800}]} {flows [{43800 44100}]}]", "rare values are folded and count as unknown or 0 in rollup_1m_as"},
		{nil, 12 * h, "[{rollup_1h [{36000 39600} {46800 57600}]} {rollup_1m_as [{39600 46800}]}]", "rollup_1h; that part reads"},
		{[][2]int64{{0, 20 * h}}, 20 * h, "[{rollup_1h [{36000 39600} {46800 57600}]} {rollup_1m [{39600 39660} {39720 43800} {44100 46800}]} {rollup_1m_as [{39660 39720} {43800 44100}]}]", "0 in rollup_1m_as"},
	} {
		rollups := []Rollup{
			{Table: "rollup_1m", Step: 60, Until: 1 << 40, Folded: minutes, gone: c.gone},
			{Table: "rollup_1m_as", Step: 60, Until: 1 << 40, Folded: c.narrow, gone: c.gone},
			{Table: "rollup_1h", Step: h, Until: 1 << 40, Folded: hours, gone: c.gone},
		}
		pieces := rg.cover(0, rollups)
		if got := told(pieces); got != c.want {
			t.Errorf("folded %v, gone %d: %s, want %s", c.narrow, c.gone, got, c.want)
		}
		if note := rg.notFolded(pieces, Schema{}); !strings.Contains(note, c.note) {
			t.Errorf("note %q, want %q", note, c.note)
		}
	}
}

// However many minutes are folded, a statement names few times, and all of the window.
func TestCoverAlternating(t *testing.T) {
	const h = 3600
	rg := Range{From: 0, To: 90 * 24 * h, Step: 60}
	var folded [][2]int64
	for at := int64(0); at < rg.To; at += 120 {
		folded = append(folded, [2]int64{at, at + 60})
	}
	for at := int64(h); at < rg.To; at += 1000 * h { // a longer gap each
		folded = slices.DeleteFunc(folded, func(f [2]int64) bool { return f[0] >= at && f[0] < at+h })
	}
	pieces := rg.cover(0, []Rollup{{Table: "rollup_1m", Step: 60, Until: 1 << 40, Folded: folded}})
	spans, seconds := 0, int64(0)
	for _, p := range pieces {
		spans, seconds = spans+len(p.spans), seconds+p.seconds()
	}
	if spans > 2*maxFolded+1 || seconds != rg.To || len(pieces) != 2 || pieces[1].table != "rollup_1m" || pieces[1].seconds() != 3*(h+60)+60 {
		t.Errorf("%d spans of %d s: %s", spans, seconds, told(pieces))
	}
}

// Each span of a piece has a name of its own.
func TestDuringNames(t *testing.T) {
	c := newCompiler(access.Everything)
	c.during(1, piece{table: "rollup_1h", spans: []span{{0, 1}, {2, 3}, {4, 5}}})
	for name, want := range map[string]string{"from1_rollup_1h": "0000000000", "from1_rollup_1h_2": "0000000002", "to1_rollup_1h_3": "0000000005"} {
		if got := c.params[name]; got != want {
			t.Errorf("%s is %q, want %s", name, got, want)
		}
	}
}

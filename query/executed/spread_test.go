package executed

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"netmeta/flow"
	"netmeta/internal/enginetest"
	"netmeta/query"
	"netmeta/store"
)

// TestSpread: with spread a record counts from its start to its end, in whole numbers that
// add up to it; one without times, or with an end after it came, counts when it came.
func TestSpread(t *testing.T) {
	w, reader := enginetest.Clients(t)
	if err := store.Migrate(t.Context(), w, store.Schema{Table: &flow.Table}, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	const step = 10
	from, to := now.Unix()-600, now.Unix()
	from, to = from-from%step, to-to%step
	type row struct{ came, start, end, bytes, rate int64 } // s, ms, ms
	rnd := rand.New(rand.NewPCG(29, 31))
	rows := []row{
		{from + 100, 0, 0, 1000, 3},                                     // without times
		{from + 200, (from + 205) * 1000, (from + 230) * 1000, 7777, 1}, // its clock is ahead
		{to + 1700, (from + 50) * 1000, (to + 1690) * 1000, 999_999, 7}, // ends long after the window
		{from + 60, (from - 3600) * 1000, (from + 59) * 1000, 123_457, 1000},
		{from + 300, (from - 7200) * 1000, (from - 7100) * 1000, 888_888, 2}, // its clock is two hours behind
		{to + 5, (to - 1) * 1000, (to - 1) * 1000, 5, 1},                     // of no length: when it came
		{from - 5, (from - 50) * 1000, (from - 6) * 1000, 1e6, 1},
	}
	for range 500 {
		start := (from-120)*1000 + rnd.Int64N(700_000)
		end := start + rnd.Int64N(300_000)
		rows = append(rows, row{end/1000 + 1 + rnd.Int64N(60), start, end, 1 + rnd.Int64N(1e9), 1 + rnd.Int64N(2000)})
	}
	want := map[uint32]uint64{}
	var values []string
	for i, r := range rows {
		values = append(values, fmt.Sprintf("(%d, fromUnixTimestamp64Milli(%d), fromUnixTimestamp64Milli(%d), %d, 1, %d, %d)", r.came, r.start, r.end, r.bytes, r.rate, i%3))
		z := r.came*1000 + 999
		a := z
		if r.end > r.start {
			z = max(min(z, r.end), z-1860_000)
			a = z - (r.end - r.start)
		}
		for k := from / step; k*step < to; k++ {
			until := func(ms int64) uint64 {
				in := min(max(ms, a), z+1) - a
				whole, rest := uint64(r.bytes*r.rate), uint64(z-a+1)
				return whole/rest*uint64(in) + whole%rest*uint64(in)/rest
			}
			if n := until((k+1)*step*1000) - until(k*step*1000); n > 0 {
				want[uint32(k*step)] += n
			}
		}
	}
	if err := w.Exec(t.Context(), "INSERT INTO flows (TimeReceived, FlowStart, FlowEnd, Bytes, Packets, SamplingRate, SrcAS) VALUES "+strings.Join(values, ", ")); err != nil {
		t.Fatal(err)
	}
	for _, by := range []string{"", "src.as", "src.ip,src.as"} {
		for _, once := range []bool{false, true} {
			q := fmt.Sprintf("from=%d&to=%d&step=%d&unit=bytes&dir=sum&spread=1&by=%s", from, to, step, by)
			st, got, _ := answer(t, reader, q, query.Schema{Once: once})
			sums := map[uint32]uint64{}
			for i, at := range got.Time {
				sums[at] += got.Value[i]
			}
			for at := uint32(from); at < uint32(to); at += step {
				if sums[at] != want[at] {
					t.Errorf("by %q: at %v are %d bytes, want %d", by, time.Unix(int64(at), 0).UTC(), sums[at], want[at])
				}
			}
			if len(sums) > len(want) || len(st.Notes) != 1 {
				t.Errorf("by %q: %d buckets, want %d; notes %q", by, len(sums), len(want), st.Notes)
			}
		}
	}
}

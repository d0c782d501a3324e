package store_test

import (
	"flag"
	"fmt"
	"math"
	"testing"

	"netmeta/flow"
	"netmeta/internal/enginetest"
	"netmeta/store"
)

var (
	foldFlows   = flag.Int("fold-flows", 600_000, "flows a minute of BenchmarkFold; 6,000,000 are 100,000/s")
	foldMinutes = flag.Int("fold-minutes", 2, "minutes of BenchmarkFold")
)

// BenchmarkFold is what adding up costs the engine, with merges, for each flow: keys that
// repeat, and keys that do not with a bound on the rows of the rollups and without one.
func BenchmarkFold(b *testing.B) {
	const normal, random = "64500 + rand32(1) % 50, 64600 + rand32(2) % 50, rand32(3) % 4, rand32(4) % 4", "rand32(1), rand32(2), rand32(3) % 4, rand32(4) % 4"
	for _, c := range []struct {
		name, keys string
		floor      uint64
	}{{"repeat", normal, 0}, {"random", random, 0}, {"random-unbounded", random, math.MaxUint64}} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				w, _ := enginetest.Clients(b)
				if err := store.Migrate(b.Context(), w, withRollups(), quiet); err != nil {
					b.Fatal(err)
				}
				number := func(sql string) float64 {
					res, _, err := w.Select(b.Context(), store.Query{SQL: sql})
					if err != nil {
						b.Fatal(err)
					}
					return float64(res.Columns[0].([]uint64)[0])
				}
				cpu := func() float64 {
					return number("SELECT toUInt64(sum(value)) FROM system.events WHERE event = 'OSCPUVirtualTimeMicroseconds'")
				}
				do := func(sql string) {
					if err := w.Exec(b.Context(), sql); err != nil {
						b.Fatal(err)
					}
				}
				const begin = end - 3600
				start := cpu()
				for minute := range *foldMinutes {
					do(fmt.Sprintf("INSERT INTO flows (TimeReceived, SamplingRate, Bytes, Packets, SrcAS, DstAS, InIf, OutIf) SELECT %d + number %% 60, 1000, rand32(9) %% 1500, 1, %s FROM numbers(%d)", begin+60*minute, c.keys, *foldFlows))
				}
				do("OPTIMIZE TABLE flows FINAL")
				inserted := cpu()
				enginetest.RollWith(b, &store.Roller{Client: w, Schema: func() store.Schema { return withRollups() }, Owner: "test", Log: quiet, Floor: c.floor}, end)
				rows := 0.0
				for _, r := range flow.Table.Rollups {
					do("OPTIMIZE TABLE " + r.Name + " FINAL")
					rows += number("SELECT count() FROM " + r.Name)
				}
				flows := float64(*foldFlows * *foldMinutes)
				b.ReportMetric((inserted-start)*1000/flows, "insert-ns/flow")
				b.ReportMetric((cpu()-inserted)*1000/flows, "rollup-ns/flow")
				b.ReportMetric(rows/flows, "rollup-rows/flow")
			}
		})
	}
}

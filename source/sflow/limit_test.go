package sflow

import (
	"math"
	"net/netip"
	"testing"
	"time"

	"netmeta/flow"
	"netmeta/simulate"
	"netmeta/source"
)

// Of agents that are over their limit a part is kept, with sampling rates that make up
// for the rest; nothing counts as lost, and how they sample is still seen of all samples.
func TestThinning(t *testing.T) {
	payloads, truth := simulate.Capture(simulate.SFlow, 40_000, 5)
	decode := func(limit uint64) (state *State, rows int, packets float64) {
		exporters := new(source.Exporters)
		exporters.Limit(func(netip.Addr) uint64 { return limit })
		state = New(Options{Exporters: exporters})
		d, b := state.Decoder(), flow.Table.NewBatch(1000)
		flush := func() {
			for row := range b.Len() {
				if thin := flow.Quality.At(b, row)&flow.Thinned != 0; thin && limit == 0 {
					t.Fatal("marked without a limit")
				}
				packets += float64(flow.SamplingRate.At(b, row))
			}
			rows += b.Len()
			b.Reset()
		}
		for i, p := range payloads {
			at := time.Unix(1_750_000_000+int64(i*20/len(payloads)), 0) // in 20 seconds
			d.Decode(&source.Datagram{Payload: p, Exporter: netip.MustParseAddrPort("192.0.2.1:1"), Received: at}, into(b, flush))
		}
		flush()
		return state, rows, packets
	}
	whole, all, want := decode(0)
	if all != len(truth) {
		t.Fatalf("%d rows of %d samples", all, len(truth))
	}
	thin, rows, packets := decode(100)
	if n := uint64(rows) + thin.Counters().Thinned.Load(); n != uint64(all) || rows > all/2 || rows < all/50 {
		t.Errorf("%d rows and %d thinned of %d samples", rows, thin.Counters().Thinned.Load(), all)
	}
	if off := math.Abs(packets-want) / want; off > 0.15 {
		t.Errorf("%.0f packets, %.0f without a limit: off by %.1f %%", packets, want, off*100)
	}
	if lost := thin.Counters().Lost.Load(); lost != whole.Counters().Lost.Load() {
		t.Errorf("%d lost", lost)
	}
	a, b := whole.Samplings(), thin.Samplings()
	if len(a) != len(b) {
		t.Fatalf("%d data sources, %d without a limit", len(b), len(a))
	}
	for i := range a {
		if a[i] != b[i] {
			t.Errorf("data source %+v, without a limit %+v", b[i], a[i])
		}
	}
}

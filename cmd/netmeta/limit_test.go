package main

import (
	"fmt"
	"math"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"netmeta/config"
	"netmeta/engine"
	"netmeta/simulate"
)

// An exporter over its limit is thinned: fewer rows, totals that are right, nothing that
// counts as lost, and figures that say so. One without a limit keeps every flow.
func TestLimit(t *testing.T) {
	p, rewrite := configured(t, udpPort("127.0.0.1:0")+"    limit:\n      flows-per-second: 500\n      exporters:\n        127.0.1.2: 0\n")
	p.ready()
	sent := p.simulate(simulate.Options{Protocol: simulate.NetFlow9, Rate: 20_000, Duration: 3 * time.Second, Exporters: 2, Seed: 3})
	var s struct{ stored, scaled, marked, free uint64 }
	var thinned uint64
	waitFor(t, 20*time.Second, "the flows", func() error {
		fmt.Sscan(p.sql("SELECT count(), sum(ScaledPackets), countIf(bitAnd(Quality, 64) != 0), countIf(ExporterAddress = toIPv6('127.0.1.2')) FROM flows"),
			&s.stored, &s.scaled, &s.marked, &s.free)
		thinned = 0
		for _, x := range p.status().Exporters {
			thinned += x.Thinned
		}
		if s.stored+thinned != sent.Flows {
			return fmt.Errorf("%d stored and %d thinned of %d flows", s.stored, thinned, sent.Flows)
		}
		return nil
	})
	if want := sent.Exporters[1].Flows; s.free != want || want == 0 {
		t.Errorf("%d rows of the exporter without a limit, sent %d", s.free, want)
	}
	if kept := s.stored - s.free; kept < 500 || kept > 500*3*4 || s.marked == 0 || s.marked > kept {
		t.Errorf("%d rows of the exporter with a limit, %d marked", kept, s.marked)
	}
	if off := math.Abs(float64(s.scaled)/float64(sent.PacketsScaled) - 1); off > 0.3 {
		t.Errorf("%d packets, sent %d: off by %.0f %%", s.scaled, sent.PacketsScaled, off*100)
	}
	if want := fmt.Sprintf("netmeta_source_thinned_total{source=\"netflow\"} %d\n", thinned); !strings.Contains(p.text("/metrics"), want) {
		t.Errorf("/metrics has no line %s", want)
	}
	if drops := p.status().Drops; len(drops) > 0 {
		t.Errorf("drops %+v", drops)
	}
	// Without the limit everything is kept, from the next datagram on.
	rewrite(udpPort("127.0.0.1:0"))
	if out, code := p.reload(); code != 0 || !strings.Contains(out, "sources.udp.limit") {
		t.Fatalf("reload: %s", out)
	}
	again := p.simulate(simulate.Options{Protocol: simulate.NetFlow9, Rate: 20_000, Duration: time.Second, Exporters: 1, Seed: 4})
	waitFor(t, 20*time.Second, "the flows", func() error {
		if got, want := p.sql("SELECT count() FROM flows"), fmt.Sprint(s.stored+again.Flows); strings.TrimSpace(got) != want {
			return fmt.Errorf("%s rows, want %s", got, want)
		}
		return nil
	})
}

func TestLimitMemory(t *testing.T) {
	t.Cleanup(func() { debug.SetMemoryLimit(math.MaxInt64) })
	t.Setenv("GOMEMLIMIT", "")
	limitMemory(config.Config{MemoryMiB: 300})
	if got := debug.SetMemoryLimit(-1); got != 300<<20 {
		t.Errorf("limit %d", got)
	}
	limitMemory(config.Config{})
	if got := debug.SetMemoryLimit(-1); got != max(engine.Memory()/5, 128<<20) {
		t.Errorf("limit %d by default", got)
	}
	t.Setenv("GOMEMLIMIT", "1GiB")
	limitMemory(config.Config{MemoryMiB: 400})
	if got := debug.SetMemoryLimit(-1); got == 400<<20 {
		t.Error("GOMEMLIMIT does not stand")
	}
}

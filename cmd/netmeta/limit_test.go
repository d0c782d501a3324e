package main

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"netmeta/api"
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

// One exporter floods, another is quiet. With a limit the totals of the first stay right
// but for the error of drawing, without one it is kept whole; the quiet one loses nothing
// and has no wrong row either way.
func TestFlood(t *testing.T) {
	const limit, flood, quiet = 4_000, 40_000, 200
	limited := udpPort("127.0.0.1:0") + fmt.Sprintf("    limit:\n      flows-per-second: %d\n", limit)
	p, rewrite := configured(t, limited)
	p.ready()
	for _, config := range []string{limited, udpPort("127.0.0.1:0")} {
		rewrite(config)
		if out, code := p.reload(); code != 0 {
			t.Fatal(out)
		}
		for i, protocol := range []simulate.Protocol{simulate.NetFlow5, simulate.NetFlow9, simulate.IPFIX, simulate.SFlow} {
			what := fmt.Sprintf("%s, limited %v", protocol, config == limited)
			p.write("TRUNCATE TABLE flows")
			before := p.status()
			send := func(rate float64, exporter string) (sent simulate.Sent, err error) {
				return simulate.Run(t.Context(), simulate.Options{To: p.udp, Protocol: protocol, Rate: rate, Duration: 2 * time.Second,
					Exporters: 1, Sources: netip.MustParseAddr(exporter), Seed: uint64(i), NoEvents: true})
			}
			var (
				loud, soft simulate.Sent
				errs       [2]error
				both       sync.WaitGroup
			)
			both.Go(func() { loud, errs[0] = send(flood, "127.0.2.1") })
			both.Go(func() { soft, errs[1] = send(quiet, "127.0.2.9") })
			both.Wait()
			if err := errors.Join(errs[0], errs[1]); err != nil {
				t.Fatal(err)
			}
			thinned := func(s api.Status) (n uint64) {
				for _, x := range s.Exporters {
					n += x.Thinned
				}
				return n
			}
			waitFor(t, time.Minute, what, func() error {
				now := p.status()
				stored, _ := strconv.ParseUint(strings.TrimSpace(p.sql("SELECT count() FROM flows")), 10, 64)
				if left := thinned(now) - thinned(before); stored+left != loud.Flows+soft.Flows {
					return fmt.Errorf("%d stored and %d thinned of %d flows; the kernel dropped %d datagrams", stored, left, loud.Flows+soft.Flows, p.kernelDropped())
				}
				return nil
			})
			if got := p.sql(totalsOf + " WHERE ExporterAddress = toIPv6('127.0.2.9') AND bitAnd(Quality, 64) = 0"); got != line(soft.Totals) {
				t.Errorf("%s: of the quiet exporter %s is stored, sent %s", what, got, line(soft.Totals))
			}
			of := " WHERE ExporterAddress = toIPv6('127.0.2.1')"
			if config != limited {
				if got := p.sql(totalsOf + of); got != line(loud.Totals) {
					t.Errorf("%s: of the loud exporter %s is stored, sent %s", what, got, line(loud.Totals))
				}
				continue
			}
			var rows, bytes, packets uint64
			fmt.Sscan(p.sql("SELECT count(), sum(ScaledBytes), sum(ScaledPackets) FROM flows"+of), &rows, &bytes, &packets)
			// One in some ten of a few thousand datagrams is kept, so chance is off by 5 % as a rule.
			off := max(math.Abs(float64(packets)/float64(loud.PacketsScaled)-1), math.Abs(float64(bytes)/float64(loud.BytesScaled)-1))
			t.Logf("%s: %d rows of %d, off by %.1f %%", what, rows, loud.Flows, off*100)
			if rows > loud.Flows/3 || off > 0.3 {
				t.Errorf("%s: %d rows of %d flows, %d bytes of %d, %d packets of %d", what, rows, loud.Flows, bytes, loud.BytesScaled, packets, loud.PacketsScaled)
			}
		}
	}
}

// Beside a flood over the limit, of an exporter whose datagrams come to the same socket, a
// quiet exporter loses nothing, and the flood comes to a socket of its own. In full it is
// 6,000,000 flows in 22 s.
func TestQuietBesideFlood(t *testing.T) {
	const limit = 5_000
	flood, rate := inFull(uint64(6_000_000), 100_000), inFull(272_727., 50_000)
	quiet, seconds := inFull(uint64(15_000), 1_500), float64(flood)/rate
	p, _ := configured(t, udpPort("127.0.0.1:0")+fmt.Sprintf("    workers: 1\n    buffer-mib: 1\n    limit:\n      flows-per-second: %d\n", limit))
	p.ready()
	var (
		loud, soft simulate.Sent
		errs       [2]error
		both       sync.WaitGroup
	)
	both.Go(func() {
		loud, errs[0] = simulate.Run(t.Context(), simulate.Options{To: p.udp, Protocol: simulate.NetFlow5, Rate: rate, Flows: flood,
			Exporters: 1, Sources: netip.MustParseAddr("127.0.2.1"), NoEvents: true})
	})
	both.Go(func() {
		soft, errs[1] = simulate.Run(t.Context(), simulate.Options{To: p.udp, Protocol: simulate.NetFlow5, Rate: float64(quiet) / (seconds + 1), Flows: quiet,
			Exporters: 1, Sources: netip.MustParseAddr("127.0.2.9"), NoEvents: true})
	})
	both.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	waitFor(t, time.Minute, "the quiet exporter's flows", func() error {
		if got := p.sql(totalsOf + " WHERE ExporterAddress = toIPv6('127.0.2.9')"); got != line(soft.Totals) {
			return fmt.Errorf("%s stored, sent %s; the kernel dropped %d datagrams", got, line(soft.Totals), p.kernelDropped())
		}
		return nil
	})
	p.settled()
	s := p.status()
	sockets := s.Listeners[0].Sockets
	if len(sockets) != 2 || sockets[0].Dropped != 0 || sockets[1].Datagrams == 0 {
		t.Fatalf("sockets %+v", sockets)
	}
	for _, x := range s.Exporters {
		figure(t, "flood beside quiet: %v  flows %d  thinned %d  lost %d  restarts %d; sent %d and %d", x.Address, x.Flows, x.Thinned, x.Lost, x.Restarts, loud.Flows, soft.Flows)
		quietOne := x.Address == "127.0.2.9"
		sent := loud.Flows
		if quietOne {
			sent = soft.Flows
		}
		if quietOne && x.Lost+x.Thinned != 0 || x.Restarts != 0 || x.Flows+x.Thinned+x.Lost > sent || x.Flows+x.Thinned+x.Lost+30*(16+sockets[1].Dropped) < sent {
			t.Errorf("%v: sent %d, stored %d, thinned %d, lost %d, %d restarts", x.Address, sent, x.Flows, x.Thinned, x.Lost, x.Restarts)
		}
	}
}

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"netmeta/simulate"
)

// The collector is killed while exporters send. After the start it counts as lost, by
// sequence numbers, what its memory held and what was sent while it was away: all that is
// not stored, and nothing else. Nothing is doubled.
func TestLossByKillIsCounted(t *testing.T) {
	for i, protocol := range simulate.Protocols {
		t.Run(string(protocol), func(t *testing.T) {
			dir := t.TempDir()
			p := chaotic(t, dir, "127.0.0.1:0")
			w := &witness{protocol: protocol}
			stop := w.send(t, p.udp, uint64(10+i))
			kills := inFull(5, 1)
			var counted uint64
			for range kills {
				p.more(2 * second())
				time.Sleep(time.Duration(rand.IntN(1000)) * time.Millisecond) // any moment will do: that is the point
				counted += p.lost()
				p.kill()
				p = chaotic(t, dir, p.udp)
				waitFor(t, time.Minute, "loss counted", func() error {
					if p.lost() == 0 {
						return errors.New("nothing is counted as lost")
					}
					return nil
				})
			}
			p.more(2 * second())
			stop()
			p.settled()
			counted += p.lost()
			missing, flows, doubled := w.compare(t, p)
			// The numbers count flows or datagrams. What has no flows is numbered too: datagrams
			// of templates and counters, records of options.
			lost, control := flows, uint64(0)
			switch protocol {
			case simulate.IPFIX:
				control = 20 * w.templates
			case simulate.NetFlow9, simulate.SFlow:
				lost, control = uint64(len(missing)), w.sum.Datagrams-uint64(len(w.sent))
			}
			figure(t, "collector: kill -9 %d times, %-8s  sent %9d flows in %d datagrams  missing %d flows in %d datagrams  counted as lost %d  doubled %d",
				kills, protocol, w.sum.Flows, len(w.sent), flows, len(missing), counted, doubled)
			if doubled != 0 || lost == 0 || counted < lost || counted > lost+control {
				t.Errorf("%d lost, %d counted, of which at most %d without flows; %d doubled", lost, counted, control, doubled)
			}
			for _, x := range p.status().Exporters {
				if x.Restarts != 0 {
					t.Errorf("%v is said to have restarted", x.Address)
				}
			}
		})
	}
}

// lost returns the loss by sequence numbers since the start of the process.
func (p *running) lost() (n uint64) {
	p.Helper()
	for _, x := range p.status().Exporters {
		n += x.Lost
	}
	return n
}

// After an orderly stop the loss is exactly what was sent while NetMeta was down. The same holds if the file
// was last written some inserts earlier: after a kill the engine may still complete an insert.
func TestLossWhileAwayIsCounted(t *testing.T) {
	for _, c := range []struct {
		protocol simulate.Protocol
		behind   bool
	}{{simulate.NetFlow5, false}, {simulate.NetFlow5, true}, {simulate.SFlow, true}} {
		t.Run(fmt.Sprintf("%s, file behind %v", c.protocol, c.behind), func(t *testing.T) {
			dir := t.TempDir()
			p := chaotic(t, dir, "127.0.0.1:0")
			path := filepath.Join(p.data, "sequences")
			w := &witness{protocol: c.protocol}
			stop := w.send(t, p.udp, 20)
			p.more(second())
			old, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			p.more(second())
			p.stop(syscall.SIGTERM)
			if c.behind {
				if err := os.WriteFile(path, old, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			p = chaotic(t, dir, p.udp)
			waitFor(t, time.Minute, "loss counted", func() error {
				if p.lost() == 0 {
					return errors.New("nothing is counted as lost")
				}
				return nil
			})
			p.more(second())
			stop()
			p.settled()
			missing, lost, doubled := w.compare(t, p)
			control := uint64(0)
			if c.protocol == simulate.SFlow {
				lost, control = uint64(len(missing)), w.sum.Datagrams-uint64(len(w.sent))
			}
			if got := p.lost(); got < lost || got > lost+control || lost == 0 || doubled != 0 {
				t.Errorf("%d lost, %d counted, of which at most %d without flows; %d flows doubled", lost, got, control, doubled)
			}
		})
	}
}

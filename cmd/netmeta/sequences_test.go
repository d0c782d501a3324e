package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"netmeta/simulate"
)

// The collector is killed while exporters send. After the start it counts as lost, by
// sequence numbers, what its memory held and what was sent while it was away: all that is
// not stored. At most the rows of one insert are counted though they are stored, when
// the kill comes in the moment between the insert and the note of it. Nothing is doubled.
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
			}
			p.more(2 * second())
			stop()
			p.settled()
			counted += p.lost()
			missing, flows, doubled := w.compare(t, p)
			// The numbers count flows or datagrams. What has no flows is numbered too: datagrams
			// of templates and counters, records of options.
			lost, control, insert := flows, uint64(0), second()/2
			switch protocol {
			case simulate.IPFIX:
				control = 100 * w.templates
			case simulate.NetFlow9, simulate.SFlow:
				lost, control = uint64(len(missing)), w.sum.Datagrams-uint64(len(w.sent))
				insert = insert * uint64(len(w.sent)) / w.sum.Flows
			}
			figure(t, "collector: kill -9 %d times, %-8s  sent %9d flows in %d datagrams  missing %d flows in %d datagrams  counted as lost %d  doubled %d",
				kills, protocol, w.sum.Flows, len(w.sent), flows, len(missing), counted, doubled)
			if doubled != 0 || lost == 0 || counted < lost || counted > lost+control+uint64(kills)*insert {
				t.Errorf("%d lost, %d counted: more than %d of other datagrams and %d of an insert for each kill; %d doubled", lost, counted, control, insert, doubled)
			}
			for _, x := range p.status().Exporters {
				if x.Restarts != 0 {
					t.Errorf("%v is said to have restarted", x.Address)
				}
			}
		})
	}
}

// lost is what sequence numbers told since the start of the process.
func (p *running) lost() (n uint64) {
	p.Helper()
	for _, x := range p.status().Exporters {
		n += x.Lost
	}
	return n
}

// A stop in good order leaves nothing that is in doubt: what is missing afterwards is what
// was sent while nobody listened, to the datagram.
func TestLossWhileAwayIsCounted(t *testing.T) {
	dir := t.TempDir()
	p := chaotic(t, dir, "127.0.0.1:0")
	w := &witness{protocol: simulate.NetFlow5}
	stop := w.send(t, p.udp, 20)
	p.more(second())
	p.stop(syscall.SIGTERM)
	p = chaotic(t, dir, p.udp)
	p.more(2 * second())
	stop()
	p.settled()
	_, lost, doubled := w.compare(t, p)
	if got := p.lost(); got != lost || lost == 0 || doubled != 0 {
		t.Errorf("%d flows lost, %d counted, %d doubled", lost, got, doubled)
	}
}

// A file of sequence numbers that cannot be read keeps nothing from starting.
func TestDamagedSequences(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "garbage": "\x00\xff\x00", "cut": `{"netflow":[{"exporter":"192.0.2.1:9","ver`, "wrong types": `{"netflow":{"a":1}}`,
		"odd values": `{"netflow":[{"exporter":"","version":7,"seq":1,"at":99999999999999}],"sflow":[{"sender":"","agent":"::","at":99999999999999,"rate":18446744073709551615}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sequences")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			kept, err := readSequences(path)
			if name == "odd values" {
				if err != nil {
					t.Fatal(err)
				}
			} else if err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v", err)
			}
			d := newDecoding()
			d.netflow.Follow(kept.NetFlow)
			d.sflow.Follow(kept.SFlow)
		})
	}
}

package packet

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"testing"

	"netmeta/flow"
)

// TestCut cuts frames at every place: what is left says that it is cut, or nothing is
// missing but payload.
func TestCut(t *testing.T) {
	b := flow.Table.NewBatch(1)
	row := func(data []byte) (map[string]any, Info) {
		b.Reset()
		b.Add()
		info := Dissect(b, 0, Ethernet, data)
		return decode(t, b), info
	}
	cuts := 0
	for n := range uint64(300) {
		frame := frameMaker{rand.New(rand.NewPCG(n, 2))}.bytes(t)
		whole, want := row(frame)
		for n := range frame {
			got, info := row(frame[:n:n])
			if info.Truncated {
				cuts++
				continue
			}
			if info != want || !reflect.DeepEqual(got, whole) {
				t.Fatalf("%d octets of %x are not told to be cut\n%v\n%v", n, frame, got, whole)
			}
		}
	}
	if cuts < 5_000 {
		t.Errorf("only %d cuts were told", cuts)
	}
}

// TestHostile dissects random, changed and cut frames of all link layers. It takes no
// memory, and what is read of a frame does not depend on what was read before.
// NETMETA_HOSTILE says how many.
func TestHostile(t *testing.T) {
	total := 50_000
	if n, err := strconv.Atoi(os.Getenv("NETMETA_HOSTILE")); err == nil {
		total = n
	}
	r := frameMaker{rand.New(rand.NewPCG(3, 4))}
	var whole [][]byte
	for range 500 {
		whole = append(whole, bytes.Clone(r.bytes(t)))
	}
	for _, p := range benchmarkPackets(t) {
		whole = append(whole, p.data)
	}
	links := []LinkType{Null, Ethernet, PPP, PPPHDLC, RawIP, CHDLC, Loop, LinuxSLL, MPLS, IPv4, IPv6, SLL2}
	const rows = 1000
	b := flow.Table.NewBatch(rows)
	good := whole[len(whole)-1]
	b.Add()
	Dissect(b, 0, Ethernet, good)
	want := decode(t, b)

	var before, after runtime.MemStats
	data := make([]byte, 0, 2048)
	truncated, dissected := 0, 0
	for n := range total {
		if n%rows == 0 {
			b.Reset()
			b.AddN(rows)
		}
		if n == 10*rows { // lists of labels have found their room
			runtime.ReadMemStats(&before)
		}
		link := Ethernet
		switch data = data[:0]; r.IntN(4) {
		case 0: // random
			link, data = links[r.IntN(len(links))], data[:r.IntN(200)]
			for i := range data {
				data[i] = byte(r.Uint32())
			}
		case 1: // cut
			p := whole[r.IntN(len(whole))]
			data = append(data, p[:r.IntN(len(p))]...)
		default: // changed, and perhaps read as something else
			data = append(data, whole[r.IntN(len(whole))]...)
			for range 1 + r.IntN(6) {
				binary.BigEndian.PutUint16(data[r.IntN(len(data)-1):], uint16(r.Uint32()>>r.IntN(32)))
			}
			if r.IntN(4) == 0 {
				link = links[r.IntN(len(links))]
			}
		}
		info := Dissect(b, n%rows, link, data)
		if flagged := flow.Quality.At(b, n%rows)&flow.TruncatedHead != 0; flagged != info.Truncated {
			t.Fatalf("Truncated is %v, the row says %v: %d %x", info.Truncated, flagged, link, data)
		}
		if info.Truncated {
			truncated++
		}
		if flow.SrcAddr.At(b, n%rows) != flow.DstAddr.At(b, n%rows) {
			dissected++
		}
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("%d octets were allocated", grown)
	}
	if truncated < total/10 || dissected < total/10 {
		t.Errorf("of %d frames %d were cut and %d had a flow: the test is too weak", total, truncated, dissected)
	}
	b.Reset()
	b.Add()
	if Dissect(b, 0, Ethernet, good); !reflect.DeepEqual(decode(t, b), want) {
		t.Errorf("a good frame is now %v, was %v", decode(t, b), want)
	}
	t.Logf("%d frames, %d of them cut, %d with a flow", total, truncated, dissected)
}

package source

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

// Forged addresses fill the list up to its bound and no further. Exporters of which
// much was decoded stay on it, new ones come onto it, and what the forgotten had counted
// is in the sum of the others.
func TestExportersAreBounded(t *testing.T) {
	var list Exporters
	real := netip.MustParseAddr("192.0.2.1")
	x, known := list.Of(real, 1)
	if !known {
		t.Fatal("the first exporter is not known")
	}
	x.Datagrams.Store(100)
	x.Records.Store(1000)
	now := time.Now().UnixNano()
	x.LastSeen.Store(now)
	forged := func(i uint32) netip.Addr {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], 10<<24+i)
		return netip.AddrFrom4(a)
	}
	var last *Exporter
	const n = 3 * MaxExporters
	for i := range uint32(n) {
		last, known = list.Of(forged(i), 1)
		if !known {
			t.Fatal("no room for a new exporter")
		}
		last.Datagrams.Add(1)
		last.Refuse(BadCount)
		last.LastSeen.Store(now)
	}
	all, others := list.All()
	if len(all) != MaxExporters || list.Forgotten() != n+1-MaxExporters {
		t.Errorf("%d exporters are listed, the bound is %d; %d forgotten", len(all), MaxExporters, list.Forgotten())
	}
	sum := others.Datagrams.Load()
	for _, x := range all {
		sum += x.Datagrams.Load()
	}
	if sum != n+100 || others.Refused.Load() != list.Forgotten() {
		t.Errorf("%d datagrams in all, want %d; %d refused of %d that were forgotten", sum, n+100, others.Refused.Load(), list.Forgotten())
	}
	if again, known := list.Of(netip.MustParseAddr("::ffff:192.0.2.1"), 1); again != x || !known || x.Forgotten() {
		t.Error("the first exporter was forgotten")
	}

	// When all are of use, there is no room; those without share an entry.
	for _, x := range all {
		x.Records.Store(1)
		x.Datagrams.Store(32)
	}
	one, known1 := list.Of(netip.MustParseAddr("203.0.113.1"), 1)
	two, known2 := list.Of(netip.MustParseAddr("203.0.113.2"), 2)
	if one != two || known1 || known2 {
		t.Error("exporters beyond the bound do not share an entry")
	}
	one.Refuse(TooManyExporters)
	_, others = list.All()
	if others.Refused.Load() != list.Forgotten()+1 {
		t.Error("what came without an entry is not counted")
	}
	// Unless they are silent.
	for _, x := range all {
		x.LastSeen.Store(now - int64(25*time.Hour))
	}
	x.LastSeen.Store(now)
	if _, known := list.Of(netip.MustParseAddr("203.0.113.1"), 1); !known || x.Forgotten() {
		t.Error("those that are silent stay")
	}
}

// Who still holds an exporter that was forgotten counts to the others.
func TestCurrent(t *testing.T) {
	var list Exporters
	x, _ := list.Of(netip.MustParseAddr("192.0.2.1"), 1)
	if x.Current() != x {
		t.Error("not the exporter itself")
	}
	for i := uint32(0); !x.Forgotten(); i++ {
		if i == 100*MaxExporters {
			t.Fatal("chance does not find the one that is silent longest")
		}
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], 10<<24+i)
		y, _ := list.Of(netip.AddrFrom4(a), 1)
		y.LastSeen.Store(1)
	}
	x.Current().Lost.Add(7)
	if _, others := list.All(); others.Lost.Load() != 7 || x.Lost.Load() != 0 {
		t.Error(others.Lost.Load(), x.Lost.Load())
	}
}

// The numbers of an exporter's health.
func TestHealth(t *testing.T) {
	var x Exporter
	for range 1000 {
		x.Skew(-90_000)
	}
	x.Skew(3_600_000) // one datagram that waited somewhere
	if s := x.ClockSkewMS(); s < -100_000 || s > 150_000 {
		t.Error("skew ", s)
	}
	for range 500 {
		x.Skew(2000)
	}
	if s := x.ClockSkewMS(); s < 1990 || s > 2010 {
		t.Error("skew ", s)
	}

	median := func(want uint64, durations ...uint64) {
		t.Helper()
		var x Exporter
		for _, d := range durations {
			x.Duration(d)
		}
		if got := x.MedianDurationMS(); got != want {
			t.Errorf("median of %v is %d, want %d", durations, got, want)
		}
	}
	median(0)
	median(0, 0, 0, 5)
	median(1023, 1000, 1, 60_000)
	median(65535, 60_000, 60_000, 60_000, 0)
	median(1<<32-1, 1<<60)

	x.Refuse(BadLength)
	x.Refuse(BadLength)
	x.Refuse(BadCount)
	sum := uint64(0)
	for r, n := range x.Reasons() {
		sum += n
		if r == BadLength && n != 2 {
			t.Error(r, n)
		}
	}
	if sum != 3 || x.Refused.Load() != 3 {
		t.Error(sum, x.Refused.Load())
	}

	at := time.Unix(1_795_000_000, 0)
	keep := func(r Reason, after time.Duration, want Reason) {
		t.Helper()
		x.Keep(r, &Datagram{Payload: make([]byte, 1000), Received: at.Add(after)})
		if s := x.Sample(); s.Reason != want || s.Octets != 1000 || len(s.Head) != 256 {
			t.Errorf("after %v: %v of %d octets, %d kept, want %v", after, s.Reason, s.Octets, len(s.Head), want)
		}
	}
	keep(BadLength, 0, BadLength)
	keep(BadCount, 9*time.Second, BadLength) // one in ten seconds
	keep(BadCount, 11*time.Second, BadCount)
}

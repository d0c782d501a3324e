package source

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

// Forged addresses fill the list up to its bound and no further; exporters that are
// on it stay on it.
func TestExportersAreBounded(t *testing.T) {
	var list Exporters
	real := netip.MustParseAddr("192.0.2.1")
	x, known := list.Of(real, 1)
	if !known {
		t.Fatal("the first exporter is not known")
	}
	for i := range uint32(2 * MaxExporters) {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], 10<<24+i)
		list.Of(netip.AddrFrom4(a), 1)
	}
	if n := len(list.List()); n != MaxExporters {
		t.Errorf("%d exporters are listed, the bound is %d", n, MaxExporters)
	}
	again, known := list.Of(netip.MustParseAddr("::ffff:192.0.2.1"), 1)
	if again != x || !known {
		t.Error("the first exporter was forgotten")
	}
	one, known1 := list.Of(netip.MustParseAddr("203.0.113.1"), 1)
	two, known2 := list.Of(netip.MustParseAddr("203.0.113.2"), 2)
	if one != two || known1 || known2 {
		t.Error("exporters beyond the bound do not share an entry")
	}
}

// Every reason has words and a remedy.
func TestReasons(t *testing.T) {
	seen := map[string]bool{}
	for r := range Reason(reasonCount) {
		if r.String() == "" || r.Remedy() == "" || seen[r.String()] {
			t.Errorf("reason %d: %q, %q", r, r, r.Remedy())
		}
		seen[r.String()] = true
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
	x.Refuse(NoTemplate)
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
}

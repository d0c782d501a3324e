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

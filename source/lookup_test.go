package source

import (
	"net/netip"
	"testing"
	"time"

	"netmeta/flow"
)

// Once found, an exporter is found again without the lock of the list, which is held here.
func TestLookupWithoutLock(t *testing.T) {
	var list Exporters
	l := Lookup{Exporters: &list}
	addr := netip.MustParseAddr("192.0.2.7")
	x, known := l.Of(addr, flow.TypeUnknown, 0)
	if !known || x.Address != addr {
		t.Fatal(x.Address, known)
	}
	list.mu.Lock()
	again := make(chan *Exporter, 1)
	go func() {
		x, _ := l.Of(netip.AddrFrom16(addr.As16()), flow.TypeUnknown, 1)
		again <- x
	}()
	select {
	case y := <-again:
		if y != x {
			t.Error("another entry")
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits for the lock")
	}
	list.mu.Unlock()
	if n := testing.AllocsPerRun(100, func() { l.Of(addr, flow.TypeUnknown, 1) }); n != 0 {
		t.Errorf("%.0f allocations", n)
	}
}

// An evicted exporter is looked up again; one without room only after a second.
func TestLookupAsksAgain(t *testing.T) {
	var list Exporters
	l := Lookup{Exporters: &list}
	addr := netip.MustParseAddr("192.0.2.7")
	x, _ := l.Of(addr, flow.TypeUnknown, 0)
	list.mu.Lock()
	list.forgetLocked()
	list.mu.Unlock()
	if y, known := l.Of(addr, flow.TypeUnknown, 1); y == x || !known {
		t.Error("the entry is that of the forgotten one")
	}

	for i := range MaxExporters {
		x, _ := list.Of(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), flow.TypeUnknown)
		x.Records.Store(100)
		x.Datagrams.Store(100)
		x.LastSeen.Store(time.Now().UnixNano())
	}
	late := netip.MustParseAddr("192.0.2.8")
	f := func(now int64, want bool) {
		t.Helper()
		if _, known := l.Of(late, flow.TypeUnknown, now); known != want {
			t.Errorf("at %d ms: known %t", now, known)
		}
	}
	f(1000, false)
	list = Exporters{} // there is room
	f(1999, false)
	f(2000, true)

	for i := range 2 * maxFound {
		l.Of(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), flow.TypeUnknown, 3000)
	}
	if len(l.lookupEntry) > maxFound {
		t.Errorf("%d are kept", len(l.lookupEntry))
	}
}

package source

import (
	"net/netip"
	"sync/atomic"
)

// Ignored are senders that a user chose to ignore: their datagrams are dropped before they are decoded. The
// zero value is empty; it is safe for concurrent use.
//
// A lookup costs one load of a pointer while the list is empty, and one lookup in an immutable map otherwise.
type Ignored struct {
	senders atomic.Pointer[map[netip.Addr]*Refusals]
}

// Refusals count what was dropped of an ignored sender since the start of the process.
type Refusals struct {
	Datagrams atomic.Uint64
	LastSeen  atomic.Int64 // Unix nanoseconds; 0: never
}

// Empty reports that no sender is ignored.
func (g *Ignored) Empty() bool { return g.senders.Load() == nil }

// Of returns the counters of an ignored address; nil: its datagrams are accepted. The address is unmapped.
func (g *Ignored) Of(addr netip.Addr) *Refusals {
	senders := g.senders.Load()
	if senders == nil {
		return nil
	}
	return (*senders)[addr]
}

// Set replaces the list. Senders that stay on it keep their counts. Only one goroutine calls it at a time.
func (g *Ignored) Set(list []netip.Addr) {
	if len(list) == 0 {
		g.senders.Store(nil)
		return
	}
	senders := make(map[netip.Addr]*Refusals, len(list))
	for _, a := range list {
		a = a.Unmap()
		if senders[a] = g.Of(a); senders[a] == nil {
			senders[a] = new(Refusals)
		}
	}
	g.senders.Store(&senders)
}

// Refuse counts a datagram.
func (r *Refusals) Refuse(d *Datagram) {
	r.Datagrams.Add(1)
	r.LastSeen.Store(d.Received.UnixNano())
}

package source

import (
	"net/netip"
	"sync/atomic"
)

// Ignored are senders whose datagrams are refused before they are decoded, because
// somebody chose so. The zero value is empty; it is safe for concurrent use.
//
// To look is one load of a pointer while nobody is ignored, and a look into a map that
// never changes while somebody is.
type Ignored struct {
	senders atomic.Pointer[map[netip.Addr]*Refusals]
}

// Refusals count what was refused of an ignored sender since the start of the process.
type Refusals struct {
	Datagrams atomic.Uint64
	LastSeen  atomic.Int64 // Unix nanoseconds; 0: nothing came
}

// Empty says that nobody is ignored.
func (g *Ignored) Empty() bool { return g.senders.Load() == nil }

// Of is where the datagrams of an address are counted; nil: they are taken. The address
// is unmapped.
func (g *Ignored) Of(addr netip.Addr) *Refusals {
	senders := g.senders.Load()
	if senders == nil {
		return nil
	}
	return (*senders)[addr]
}

// Set says who is ignored from now on. Who was so before keeps the counts. Only one
// goroutine calls it at a time.
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

package source

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
)

// MaxExporters bounds the list of exporters, so that forged source addresses
// cannot fill memory. The flows of an exporter beyond it are still decoded; they
// share one entry, and TooManyExporters counts them.
const MaxExporters = 10_000

// An Exporter is what is known of one sender of one protocol. Its fields are
// updated by the decoders and read by the status page.
type Exporter struct {
	Address netip.Addr // IPv4 unmapped
	Type    uint8      // flow.Type…

	Datagrams      atomic.Uint64
	Flows          atomic.Uint64
	Templates      atomic.Int64
	Lost           atomic.Uint64
	Refused        atomic.Uint64
	LastSeen       atomic.Int64 // Unix nanoseconds
	SamplingRate   atomic.Uint32
	SamplingSource atomic.Uint32 // flow.Sampling…
}

// Exporters is the list of all exporters seen since the start. The zero value is
// ready; it is safe for concurrent use.
type Exporters struct {
	mu    sync.RWMutex
	byKey map[exporterKey]*Exporter
	other Exporter // stands for all exporters beyond MaxExporters
}

type exporterKey struct {
	addr netip.Addr
	typ  uint8
}

// Of returns the entry of an exporter, made on first sight; known is false when
// the list is full and the entry is the shared one.
func (e *Exporters) Of(addr netip.Addr, typ uint8) (x *Exporter, known bool) {
	key := exporterKey{addr.Unmap(), typ}
	e.mu.RLock()
	x = e.byKey[key]
	e.mu.RUnlock()
	if x != nil {
		return x, true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if x = e.byKey[key]; x != nil {
		return x, true
	}
	if len(e.byKey) >= MaxExporters {
		return &e.other, false
	}
	if e.byKey == nil {
		e.byKey = map[exporterKey]*Exporter{}
	}
	x = &Exporter{Address: key.addr, Type: typ}
	e.byKey[key] = x
	return x, true
}

// List is a snapshot of the entries by address.
func (e *Exporters) List() []*Exporter {
	e.mu.RLock()
	list := make([]*Exporter, 0, len(e.byKey))
	for _, x := range e.byKey {
		list = append(list, x)
	}
	e.mu.RUnlock()
	slices.SortFunc(list, func(a, b *Exporter) int {
		if c := a.Address.Compare(b.Address); c != 0 {
			return c
		}
		return int(a.Type) - int(b.Type)
	})
	return list
}

package source

import (
	"iter"
	"math/bits"
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

	Datagrams atomic.Uint64
	Flows     atomic.Uint64 // rows emitted
	Records   atomic.Uint64 // data records or samples decoded: a record may give two rows, or none
	Options   atomic.Uint64 // options data records
	Templates atomic.Int64  // templates held
	Waiting   atomic.Int64  // data sets that wait for their template
	Dropped   atomic.Uint64 // data sets given up for want of their template

	Lost      atomic.Uint64 // missing by sequence number: see Counters.Lost
	Reordered atomic.Uint64 // datagrams that came after a later one
	Restarts  atomic.Uint64 // times that the sender began anew

	LastSeen       atomic.Int64 // Unix nanoseconds
	SamplingRate   atomic.Uint32
	SamplingSource atomic.Uint32 // flow.Sampling…

	// Refused is the sum over all reasons. Count with Refuse.
	Refused  atomic.Uint64
	byReason [reasonCount]atomic.Uint64

	skew     atomic.Int64 // in 1/256 ms, so that the average can move by less than 1
	hasSkew  atomic.Bool
	duration [33]atomic.Uint32 // how many records of the sample lasted below 2^i ms
}

// Refuse counts something of this exporter that was refused.
func (x *Exporter) Refuse(r Reason) {
	x.Refused.Add(1)
	x.byReason[r].Add(1)
}

// Reasons yields each reason with its count, those that never occurred included.
func (x *Exporter) Reasons() iter.Seq2[Reason, uint64] {
	return func(yield func(Reason, uint64) bool) {
		for r := range x.byReason {
			if !yield(Reason(r), x.byReason[r].Load()) {
				return
			}
		}
	}
}

// Skew takes note of how far the exporter's clock was ahead of the arrival of a
// datagram.
func (x *Exporter) Skew(ms int64) {
	const unit, weight = 256, 16
	now := ms * unit
	if x.hasSkew.Load() {
		// Of two decoders that do this at once one is not heard: it is an average.
		old := x.skew.Load()
		now = old + (now-old)/weight
		if now == old {
			return
		}
	} else {
		x.hasSkew.Store(true)
	}
	x.skew.Store(now)
}

// ClockSkewMS is how far the exporter's clock is ahead of ours, in milliseconds; a
// moving average. Clocks that count in whole seconds are behind by half a one.
func (x *Exporter) ClockSkewMS() int64 { return x.skew.Load() / 256 }

// Duration takes note of how long a record says that its flow lasted. A few out
// of each datagram are enough.
func (x *Exporter) Duration(ms uint64) { x.duration[min(bits.Len64(ms), 32)].Add(1) }

// MedianDurationMS is what half of the records do not exceed, the resolution of
// the exporter's data, to a factor of two; 0 when most have no duration.
func (x *Exporter) MedianDurationMS() uint64 {
	var counts [len(x.duration)]uint64
	total := uint64(0)
	for i := range counts {
		counts[i] = uint64(x.duration[i].Load())
		total += counts[i]
	}
	below := uint64(0)
	for i, n := range counts {
		if below += n; below*2 >= total && total > 0 {
			return 1<<i - 1
		}
	}
	return 0
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

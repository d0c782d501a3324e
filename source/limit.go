package source

import (
	"math"
	"net/netip"
	"sync/atomic"
)

// An exporter may have a limit of flows per second, so that one that floods leaves room for the others. Above
// the limit only one datagram in k has rows, and their sampling rate is k times as large: totals stay right,
// with a larger error. Everything else in the other datagrams is still read: sequence numbers, templates,
// options data, counters.
//
// Each datagram is kept with probability 1/k whatever its content, so that no periodic pattern distorts the
// totals. k is the flows of the last second, or of this second if they are already more, divided by the
// limit.
type limit struct {
	flows  atomic.Uint64 // per second; 0: no limit
	second atomic.Int64  // Unix time of the last datagram
	last   atomic.Uint64 // flows in the second before
	this   atomic.Uint64 // and so far
}

// ThinDecision is the decision about one datagram.
type ThinDecision struct {
	OneOf uint32 // k; 1 or 0: everything is kept
	Skip  bool   // its flows give no rows
}

// Raise returns the sampling rate of a row that was kept, at most the largest value of 32 bits.
func (d ThinDecision) Raise(rate uint32) uint32 {
	return uint32(min(uint64(rate)*uint64(max(d.OneOf, 1)), math.MaxUint32))
}

// Thin decides about a datagram that arrived in a second.
func (x *Exporter) Thin(second int64, rng *PRNG) (d ThinDecision) {
	l := &x.limit
	flows := l.flows.Load()
	if flows == 0 {
		return d
	}
	if was := l.second.Load(); second > was && l.second.CompareAndSwap(was, second) {
		sent := l.this.Swap(0)
		if second != was+1 {
			sent = 0
		}
		l.last.Store(sent)
	}
	sent := max(l.last.Load(), l.this.Load())
	d.OneOf = uint32(min((sent+flows-1)/flows, math.MaxUint32))
	d.Skip = d.OneOf > 1 && rng.roll(d.OneOf) != 0
	return d
}

// Over reports that the exporter exceeds its limit in a second.
func (x *Exporter) Over(second int64) bool {
	l := &x.limit
	flows := l.flows.Load()
	return flows > 0 && second-l.second.Load() <= 1 && max(l.last.Load(), l.this.Load()) > flows
}

// Sent records the flows of a datagram for which Thin was called, and how many of them were thinned.
func (x *Exporter) Sent(flows, thinned uint64) {
	if x.limit.flows.Load() > 0 {
		x.limit.this.Add(flows)
	}
	if thinned > 0 {
		x.Thinned.Add(thinned)
	}
}

// PRNG generates pseudo-random numbers for one goroutine (xorshift64). The zero value is ready.
type PRNG struct{ state uint64 }

// roll returns a number below n.
func (r *PRNG) roll(n uint32) uint32 {
	x := r.state
	if x == 0 {
		x = 0x9e3779b97f4a7c15
	}
	x ^= x << 13
	x ^= x >> 7
	x ^= x << 17
	r.state = x
	return uint32(x >> 32 * uint64(n) >> 32)
}

// Limit sets the limits, in flows per second, of current and future exporters; 0 is none. All exporters
// without an entry share the limit of the invalid address.
func (e *Exporters) Limit(of func(netip.Addr) uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.limitOf = of
	e.other.limit.flows.Store(of(netip.Addr{}))
	for _, x := range e.byKey {
		x.limit.flows.Store(of(x.Address))
	}
}

// Over returns the addresses of exporters that exceed their limit in a second, unsorted. An address may occur
// once for each of its protocols.
func (e *Exporters) Over(second int64) (list []netip.Addr) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for _, x := range e.byKey {
		if x.Over(second) {
			list = append(list, x.Address)
		}
	}
	return list
}

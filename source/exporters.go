package source

import (
	"bytes"
	"iter"
	"math/bits"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// MaxExporters bounds the list of exporters, so that forged source addresses cannot fill memory. Flows of
// further exporters are still decoded. They share one entry, and TooManyExporters counts them.
const MaxExporters = 10_000

// Exporter describes one exporter of one protocol. Decoders update its fields, the status page reads them.
type Exporter struct {
	Address netip.Addr // IPv4 unmapped
	Type    uint8      // flow.Type…
	First   time.Time  // when it was first heard

	Datagrams   atomic.Uint64
	Flows       atomic.Uint64 // rows emitted
	Thinned     atomic.Uint64 // records without rows because of a limit
	Implausible atomic.Uint64 // rows that no network carries, by flow.Plausible
	Records     atomic.Uint64 // data records or samples decoded: a record may have two rows, or none
	Options     atomic.Uint64 // options data records
	Templates   atomic.Int64  // templates held
	Waiting     atomic.Int64  // data sets that wait for their template
	Dropped     atomic.Uint64 // data sets dropped because their template is missing

	Lost      atomic.Uint64 // missing by sequence number; see Counters.Lost
	Reordered atomic.Uint64 // datagrams received after a later one
	Restarts  atomic.Uint64 // restarts of its sequence

	LastSeen       atomic.Int64 // Unix nanoseconds
	SamplingRate   atomic.Uint32
	SamplingSource atomic.Uint32 // flow.Sampling…

	// Refused is the sum over all reasons. Count with Refuse.
	Refused  atomic.Uint64
	byReason refusals
	sample   atomic.Pointer[Sample]

	skew     atomic.Int64 // in 1/256 ms, so that the average can move by less than 1
	hasSkew  atomic.Bool
	duration [33]atomic.Uint32 // records of the sample that lasted less than 2^i ms

	limit limit

	gone atomic.Bool
	heir *Exporter // continues the counts after the eviction
}

// Refuse counts something of this exporter that was dropped or not decoded.
func (x *Exporter) Refuse(r Reason) {
	x.Refused.Add(1)
	x.byReason.add(r, 1)
}

// Find counts the result of checking a sequence number of this exporter.
func (x *Exporter) Find(f SequenceResult) { f.count(&x.Lost, &x.Reordered, &x.Restarts) }

// Sample is the beginning of a datagram that was not decoded completely.
type Sample struct {
	At     time.Time // time of arrival
	Reason Reason
	Octets int    // of the whole datagram
	Head   []byte // its first bytes
}

const (
	sampleOctets = 256
	sampleEvery  = 10 * time.Second
)

// Keep stores the beginning of a datagram that was not decoded, for debugging; at most one in ten seconds.
func (x *Exporter) Keep(r Reason, d *Datagram) {
	if last := x.sample.Load(); last != nil && d.Received.Sub(last.At).Abs() < sampleEvery {
		return
	}
	x.sample.Store(&Sample{At: d.Received, Reason: r, Octets: len(d.Payload), Head: bytes.Clone(d.Payload[:min(len(d.Payload), sampleOctets)])})
}

// Sample returns the last datagram that was kept; nil if there is none.
func (x *Exporter) Sample() *Sample { return x.sample.Load() }

// Reasons yields each reason with its count, also those that never occurred.
func (x *Exporter) Reasons() iter.Seq2[Reason, uint64] { return x.byReason.all() }

// Skew records how far the exporter's clock was ahead when a datagram arrived.
func (x *Exporter) Skew(ms int64) {
	const unit, weight = 256, 16
	now := ms * unit
	if x.hasSkew.Load() {
		// If two decoders do this at once, one value is lost: it is only an average.
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

// ClockSkewMS returns how far the exporter's clock is ahead of ours: a moving average in milliseconds. Clocks
// with a resolution of one second are half a second behind.
func (x *Exporter) ClockSkewMS() int64 { return x.skew.Load() / 256 }

// Duration records the duration of a flow record. A few per datagram are enough.
func (x *Exporter) Duration(ms uint64) { x.duration[min(bits.Len64(ms), 32)].Add(1) }

// MedianDurationMS returns the median duration of records, up to a factor of two: the resolution of the
// exporter's data; 0 if most have no duration.
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

// Exporters is the list of exporters. The zero value is ready; it is safe for concurrent use.
//
// When the list is full, a new exporter replaces the least useful of a few entries chosen at random, but only
// one of little use: nothing of it was decoded, or only a few datagrams, or it has been silent for a day. So
// a flood of forged senders neither blocks new exporters nor evicts active ones. Others has the counts of
// evicted entries.
type Exporters struct {
	mu      sync.RWMutex
	byKey   map[exporterKey]*Exporter
	limitOf func(netip.Addr) uint64 // nil: no limits

	// other counts for all exporters without an entry, and is the sum of those that were evicted. The last
	// few of these are not added yet, because decoders may still count in them.
	other     Exporter
	leaving   [1024]*Exporter // a ring
	forgotten uint64
}

type exporterKey struct {
	addr netip.Addr
	typ  uint8
}

// Of returns the entry of an exporter, and makes it on first sight. known is false if the list is full and
// the entry is the shared one. Callers that keep an entry ask again once it is Forgotten.
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
	if len(e.byKey) >= MaxExporters && !e.forgetLocked() {
		return &e.other, false
	}
	if e.byKey == nil {
		e.byKey = map[exporterKey]*Exporter{}
	}
	x = &Exporter{Address: key.addr, Type: typ, First: time.Now(), heir: &e.other}
	if e.limitOf != nil {
		x.limit.flows.Store(e.limitOf(key.addr))
	}
	e.byKey[key] = x
	return x, true
}

// forgetLocked evicts one exporter and reports whether it found one.
func (e *Exporters) forgetLocked() bool {
	const (
		some    = 16
		silence = 24 * time.Hour
	)
	var least *Exporter
	n := 0
	for _, x := range e.byKey { // in random order
		if least == nil || x.lessThan(least) {
			least = x
		}
		if n++; n == some {
			break
		}
	}
	if least.worth() == worthMost && time.Since(time.Unix(0, least.LastSeen.Load())) < silence {
		return false
	}
	least.gone.Store(true)
	delete(e.byKey, exporterKey{least.Address, least.Type})
	place := &e.leaving[e.forgotten%uint64(len(e.leaving))]
	if *place != nil {
		e.other.add(*place)
	}
	*place = least
	e.forgotten++
	return true
}

// How useful an entry is.
const (
	worthNothing = iota // nothing was decoded
	worthLittle
	worthMost // records in many datagrams, which are not as cheap to forge
)

func (x *Exporter) worth() int {
	switch {
	case x.Records.Load() == 0:
		return worthNothing
	case x.Datagrams.Load() < 32:
		return worthLittle
	}
	return worthMost
}

// lessThan reports that x is better to evict than o.
func (x *Exporter) lessThan(o *Exporter) bool {
	if a, b := x.worth(), o.worth(); a != b {
		return a < b
	}
	return x.LastSeen.Load() < o.LastSeen.Load()
}

// add adds the counts of o.
func (x *Exporter) add(o *Exporter) {
	from := o.counts()
	for i, n := range x.counts() {
		n.Add(from[i].Load())
	}
	for r, n := range o.byReason.all() {
		if n > 0 {
			x.byReason.add(r, n)
		}
	}
	x.LastSeen.Store(max(x.LastSeen.Load(), o.LastSeen.Load()))
}

func (x *Exporter) counts() [11]*atomic.Uint64 {
	return [11]*atomic.Uint64{&x.Datagrams, &x.Flows, &x.Thinned, &x.Implausible, &x.Records, &x.Options, &x.Dropped, &x.Lost, &x.Reordered, &x.Restarts, &x.Refused}
}

// Forgotten reports that the exporter was evicted.
func (x *Exporter) Forgotten() bool { return x.gone.Load() }

// Current returns the exporter, or the shared entry if it was evicted.
func (x *Exporter) Current() *Exporter {
	if x.gone.Load() {
		return x.heir
	}
	return x
}

// Forgotten returns the number of evicted exporters.
func (e *Exporters) Forgotten() uint64 {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.forgotten
}

// List returns a snapshot of the entries by address.
func (e *Exporters) List() []*Exporter {
	list, _ := e.All()
	return list
}

// All returns a snapshot of the entries by address, and the sum of all exporters without an entry: those that
// were evicted, and those for which there was no room. The sum has neither address nor type.
func (e *Exporters) All() (list []*Exporter, others *Exporter) {
	e.mu.RLock()
	list = make([]*Exporter, 0, len(e.byKey))
	for _, x := range e.byKey {
		list = append(list, x)
	}
	others = new(Exporter)
	others.add(&e.other)
	others.Templates.Store(e.other.Templates.Load())
	others.Waiting.Store(e.other.Waiting.Load())
	for _, x := range e.leaving {
		if x != nil {
			others.add(x)
		}
	}
	e.mu.RUnlock()
	slices.SortFunc(list, func(a, b *Exporter) int {
		if c := a.Address.Compare(b.Address); c != 0 {
			return c
		}
		return int(a.Type) - int(b.Type)
	})
	return list, others
}

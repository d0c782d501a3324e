package source

import (
	"iter"
	"sync/atomic"
)

// Counters count what a source took in and what it refused. They are safe for
// concurrent use.
type Counters struct {
	Datagrams        atomic.Uint64
	Flows            atomic.Uint64 // rows emitted
	Thinned          atomic.Uint64 // records that gave no rows because of a limit
	Implausible      atomic.Uint64 // rows that are marked: no network carries what they say
	Templates        atomic.Uint64 // template records, options templates included
	OptionsRecords   atomic.Uint64
	CounterSamples   atomic.Uint64 // sFlow counter samples
	DiscardedSamples atomic.Uint64 // sFlow notices of dropped packets
	Continued        atomic.Uint64 // records with totals of a flow that was reported before: the difference is kept
	Lost             atomic.Uint64 // datagrams (v9, sFlow) or flows (v5, IPFIX) missing by sequence number
	Reordered        atomic.Uint64 // datagrams that came after a later one
	Restarts         atomic.Uint64 // times that a sender began anew

	refused refusals
}

// Refuse counts something that was refused.
func (c *Counters) Refuse(r Reason) { c.refused.add(r, 1) }

// Find counts what a sequence number told.
func (c *Counters) Find(f Finding) { f.count(&c.Lost, &c.Reordered, &c.Restarts) }

func (f Finding) count(lost, reordered, restarts *atomic.Uint64) {
	if f.Lost > 0 {
		lost.Add(f.Lost)
	}
	if f.Reordered {
		reordered.Add(1)
	}
	if f.Restarted {
		restarts.Add(1)
	}
}

// Refused yields each reason with its count, those that never occurred included.
func (c *Counters) Refused() iter.Seq2[Reason, uint64] { return c.refused.all() }

package source

import (
	"iter"
	"sync/atomic"
)

// Counters count what a source received, and what it dropped or could not decode. They are safe for
// concurrent use.
type Counters struct {
	Datagrams        atomic.Uint64
	Flows            atomic.Uint64 // rows emitted
	Thinned          atomic.Uint64 // records without rows because of a limit
	Implausible      atomic.Uint64 // rows marked as implausible: no network carries their values
	Templates        atomic.Uint64 // template records, options templates included
	OptionsRecords   atomic.Uint64
	CounterSamples   atomic.Uint64 // sFlow counter samples
	DiscardedSamples atomic.Uint64 // sFlow notifications of discarded packets
	Continued        atomic.Uint64 // records with cumulative counters of a flow reported before: the difference is stored
	Lost             atomic.Uint64 // datagrams (v9, sFlow) or flows (v5, IPFIX) missing by sequence number
	Reordered        atomic.Uint64 // datagrams received after a later one
	Restarts         atomic.Uint64 // restarts of the sequence of an exporter

	refused refusals
}

// Refuse counts something that was dropped or not decoded.
func (c *Counters) Refuse(r Reason) { c.refused.add(r, 1) }

// Find counts the result of checking a sequence number.
func (c *Counters) Find(f SequenceResult) { f.count(&c.Lost, &c.Reordered, &c.Restarts) }

func (f SequenceResult) count(lost, reordered, restarts *atomic.Uint64) {
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

// Refused yields each reason with its count, also those that never occurred.
func (c *Counters) Refused() iter.Seq2[Reason, uint64] { return c.refused.all() }

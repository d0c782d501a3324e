package sflow

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"netmeta/column"
	"netmeta/counter"
	"netmeta/flow"
	"netmeta/source"
)

// Limits of the state of agents. Flows beyond them are decoded nevertheless.
const (
	// maxAgents bounds the agents whose sequence numbers are followed; TooManyExporters counts the datagrams
	// of further ones.
	maxAgents = 2 * source.MaxExporters
	// maxSamplers bounds the data sources whose sampling is followed, of all agents together, and
	// maxAgentSamplers those of one agent, so that it leaves room for others. TooManySamplers counts the
	// samples of further ones.
	maxSamplers      = 1 << 17
	maxAgentSamplers = 1 << 13
	// At a limit, agents that were silent for idleAfter are evicted. The search for them runs at most once
	// per sweepEvery.
	idleAfter  = 10 * time.Minute
	sweepEvery = 10 * time.Second
)

// agentKey identifies a sequence: each sub-agent of an agent numbers its datagrams. Agents with different
// sender addresses may report the same agent address, 127.0.0.1 in particular.
type agentKey struct {
	sender   netip.Addr
	agent    column.Addr
	subAgent uint32
}

// agent is one exporter of a sequence of datagrams.
type agent struct {
	entry     *source.Exporter
	known     bool         // entry is the exporter's own, and sequence is used
	lastHeard atomic.Int64 // Unix seconds

	sequence source.Followed

	mu       sync.Mutex          // guards the following
	samplers map[uint64]*sampler // by class and index of the data source
}

// sampler is one data source of an agent, usually an interface, with its reports about its own sampling.
type sampler struct {
	sequence, pool, drops uint32 // of the newest sample

	// other is the sequence number after a sample that was out of order: if the next sample has it, the
	// source has restarted.
	other    uint32
	hasOther bool

	rate    uint32 // declared
	samples uint64 // taken by the source, of which we may have missed some
	packets uint64 // out of which it took the samples
	dropped uint64 // samples that the agent could not send
}

// samplingInfo says how a flow sample was taken.
type samplingInfo struct {
	source                      uint64 // class and index
	sequence, rate, pool, drops uint32
}

// take records a sample.
func (s *sampler) take(d samplingInfo) {
	const most = 1 << 24 // further apart: the source has restarted
	taken, packets, dropped := d.sequence-s.sequence, d.pool-s.pool, d.drops-s.drops
	switch {
	case s.hasOther && d.sequence-s.other < 64 && int32(taken) <= 0:
	case int32(taken) <= 0: // late, or twice
		s.other, s.hasOther = d.sequence+1, true
		return
	case taken <= most:
		s.samples += uint64(taken)
		s.packets += uint64(packets)
		if dropped <= most {
			s.dropped += uint64(dropped)
		}
	}
	s.sequence, s.pool, s.drops, s.rate, s.hasOther = d.sequence, d.pool, d.drops, d.rate, false
}

// heard records a datagram that arrived at the given time.
func (a *agent) heard(number, uptime uint32, millis int64) source.SequenceResult {
	a.lastHeard.Store(millis / 1000)
	return a.sequence.Heard(source.Arrival{Position: source.Position{Seq: number, Units: 1}, At: millis, Uptime: uptime, HasUptime: true}, numbering)
}

// drawn records the flow samples of a datagram, and returns how many of them belong to sources that are not
// followed.
func (s *State) drawn(a *agent, list []samplingInfo) (refused int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, d := range list {
		x := a.samplers[d.source]
		if x == nil {
			if s.samplers.Load() >= maxSamplers || len(a.samplers) >= maxAgentSamplers {
				refused++
				continue
			}
			if a.samplers == nil {
				a.samplers = map[uint64]*sampler{}
			}
			s.samplers.Add(1)
			a.samplers[d.source] = &sampler{sequence: d.sequence, pool: d.pool, drops: d.drops, rate: d.rate}
			continue
		}
		x.take(d)
	}
	return refused
}

// Samplings lists the data sources of all agents: their declared rates and what their counters show.
func (s *State) Samplings() (list []source.Sampling) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for key, a := range s.agents {
		a.mu.Lock()
		for id, x := range a.samplers {
			g := source.Sampling{Exporter: key.agent.IP(), Type: flow.TypeSFlow, Domain: key.subAgent, Of: "other", ID: id & 0xffffffff,
				From: flow.SamplingRecord, Rate: x.rate, Samples: x.samples, Dropped: x.dropped}
			if class := id >> 32; class <= uint64(counter.ClassLogical) {
				g.Of = counter.SourceClass.Field.Enum[class]
			}
			if x.rate == 0 {
				g.From = flow.SamplingUnknown
			}
			if x.samples > 0 {
				g.Effective = float64(x.packets) / float64(x.samples)
			}
			list = append(list, g)
		}
		a.mu.Unlock()
	}
	source.SortSamplings(list)
	return list
}

// agentOf returns the agent, and makes it on first sight. Beyond the limit it makes one that is not stored.
func (s *State) agentOf(key agentKey, now int64) *agent {
	s.mu.RLock()
	a := s.agents[key]
	s.mu.RUnlock()
	if a != nil && !a.entry.Forgotten() {
		return a
	}
	entry, known := s.options.Exporters.Of(key.agent.IP(), flow.TypeSFlow)
	s.mu.Lock()
	defer s.mu.Unlock()
	if a = s.agents[key]; a != nil {
		if !a.entry.Forgotten() {
			return a
		}
		s.forgetLocked(key, a) // and start again
	}
	if len(s.agents) >= maxAgents || s.samplers.Load() >= maxSamplers {
		s.sweepLocked(now)
	}
	a = &agent{entry: entry, known: known && len(s.agents) < maxAgents}
	if a.known {
		s.agents[key] = a
		s.following.Follow(key, &a.sequence)
	}
	return a
}

// sweepLocked evicts idle agents.
func (s *State) sweepLocked(now int64) {
	if now-s.swept < int64(sweepEvery/time.Second) {
		return
	}
	s.swept = now
	for key, a := range s.agents {
		if a.entry.Forgotten() || now-a.lastHeard.Load() > int64(idleAfter/time.Second) {
			s.forgetLocked(key, a)
		}
	}
	s.sweeps.Add(1)
}

func (s *State) forgetLocked(key agentKey, a *agent) {
	a.mu.Lock()
	s.samplers.Add(-int64(len(a.samplers)))
	a.samplers = nil
	a.mu.Unlock()
	s.found(a, a.sequence.Settle())
	delete(s.agents, key)
}

// Settle counts gaps as lost that late datagrams might still have filled: for the end of a capture file.
func (s *State) Settle() {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, a := range s.agents {
		s.found(a, a.sequence.Settle())
	}
}

// found counts the result of checking a sequence number.
func (s *State) found(a *agent, f source.SequenceResult) {
	if f != (source.SequenceResult{}) {
		s.counters.Find(f)
		a.entry.Current().Find(f)
	}
}

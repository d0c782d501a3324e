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

// Limits of what is remembered. Flows beyond them are decoded all the same.
const (
	// maxAgents bounds the number of agents whose sequence numbers are followed;
	// TooManyExporters counts the datagrams of further ones.
	maxAgents = 2 * source.MaxExporters
	// maxSamplers bounds the number of data sources whose sampling is followed, of all
	// agents together, and maxAgentSamplers of one, so that one leaves room for others.
	// TooManySamplers counts the samples of further ones.
	maxSamplers      = 1 << 17
	maxAgentSamplers = 1 << 13
	// When a limit is reached, agents that were not heard for this long make room, and
	// whoever is idle is looked for no more often than sweepEvery.
	idleAfter  = 10 * time.Minute
	sweepEvery = 10 * time.Second
)

// An agentKey tells apart who numbers datagrams: each sub-agent of an agent does.
// Agents behind different senders may give the same address, 127.0.0.1 above all.
type agentKey struct {
	sender   netip.Addr
	agent    column.Addr
	subAgent uint32
}

// An agent is one sender of a sequence of datagrams.
type agent struct {
	entry     *source.Exporter
	known     bool         // entry is the exporter's own, and sequence is in use
	lastHeard atomic.Int64 // Unix seconds

	sequence source.Followed

	mu       sync.Mutex          // guards the following
	samplers map[uint64]*sampler // by class and index of the data source
}

// A sampler is one data source of an agent, an interface as a rule: what it says of
// its own sampling.
type sampler struct {
	sequence, pool, drops uint32 // of the newest sample

	// other is where a sample that came from before would go on: if the next one does,
	// the source has started anew.
	other    uint32
	hasOther bool

	rate    uint32 // declared
	samples uint64 // that the source took, of which we may have missed some
	packets uint64 // out of which it took them
	dropped uint64 // samples that the agent could not send
}

// A drawing is what a flow sample says about how it was taken.
type drawing struct {
	source                      uint64 // class and index
	sequence, rate, pool, drops uint32
}

// take takes note of a sample.
func (s *sampler) take(d drawing) {
	const most = 1 << 24 // further apart: it has started anew
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

// heard takes note of a datagram that arrived at the given time.
func (a *agent) heard(number, uptime uint32, millis int64) source.Finding {
	a.lastHeard.Store(millis / 1000)
	return a.sequence.Heard(source.Arrival{Place: source.Place{Seq: number, Units: 1}, At: millis, Uptime: uptime, HasUptime: true}, numbering)
}

// drawn takes note of the flow samples of a datagram, and tells of how many the source is
// not followed.
func (s *State) drawn(a *agent, list []drawing) (refused int) {
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

// Samplings lists the data sources of all agents: what they declare, and what their
// counters say.
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

// agentOf finds the agent, or makes it on first sight. Beyond the limit it makes
// one that nobody keeps.
func (s *State) agentOf(key agentKey, now int64) *agent {
	s.mu.RLock()
	a := s.agents[key]
	s.mu.RUnlock()
	if a != nil && !a.entry.Forgotten() {
		return a
	}
	entry, known := s.config.Exporters.Of(key.agent.IP(), flow.TypeSFlow)
	s.mu.Lock()
	defer s.mu.Unlock()
	if a = s.agents[key]; a != nil {
		if !a.entry.Forgotten() {
			return a
		}
		s.forgetLocked(key, a) // and begin anew
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

// sweepLocked forgets agents that are idle.
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

// Settle counts as lost what is missing and was still awaited: for the end of a
// capture file.
func (s *State) Settle() {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, a := range s.agents {
		s.found(a, a.sequence.Settle())
	}
}

// found counts what a sequence number told.
func (s *State) found(a *agent, f source.Finding) {
	if f != (source.Finding{}) {
		s.counters.Find(f)
		a.entry.Current().Find(f)
	}
}

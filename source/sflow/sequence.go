package sflow

import (
	"net/netip"
	"time"

	"netmeta/column"
	"netmeta/source"
)

// numbering: agents number datagrams. They send fewer of them than others send flows, so
// a smaller gap is loss whatever the rate.
var numbering = source.Numbering{Norm: source.ByDatagram, Near: 1 << 14}

// A KeptSequence is the place in the sequence of one agent up to which all rows are
// stored, or in the spool.
type KeptSequence struct {
	Sender   netip.Addr `json:"sender"`
	Agent    netip.Addr `json:"agent"`
	SubAgent uint32     `json:"subAgent"`
	source.Mark
}

// followFor is how old the place in a sequence may be to be gone on from.
const followFor = 24 * time.Hour

// Mark takes note of the places of the agents that the decoder heard since the last
// call. Call the function that it returns, on any goroutine, when the rows of all that
// was decoded until now are stored or in the spool. It is nil when nothing was heard.
func (d *Decoder) Mark() (kept func()) {
	if len(d.heardFrom) == 0 {
		return nil
	}
	type place struct {
		agent *agent
		mark  source.Mark
		ok    bool
	}
	places := make([]place, 0, len(d.heardFrom))
	for a := range d.heardFrom {
		a.mu.Lock()
		mark, ok := a.sequence.Mark()
		a.mu.Unlock()
		places = append(places, place{a, mark, ok})
	}
	clear(d.heardFrom)
	d.touched = nil
	return func() {
		for _, p := range places {
			p.agent.mu.Lock()
			p.agent.kept, p.agent.isKept = p.mark, p.ok
			p.agent.mu.Unlock()
		}
	}
}

// Sequences lists the places up to which everything is stored, or in the spool.
func (s *State) Sequences() (list []KeptSequence) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for key, a := range s.agents {
		a.mu.Lock()
		mark, ok := a.kept, a.isKept
		a.mu.Unlock()
		if ok {
			list = append(list, KeptSequence{key.sender, key.agent.IP(), key.subAgent, mark})
		}
	}
	for key, mark := range s.following {
		list = append(list, KeptSequence{key.sender, key.agent.IP(), key.subAgent, mark})
	}
	return list
}

// Follow has the sequences of an earlier run go on when their agents are heard, so that
// what is missing since then counts as lost. Call it before the first datagram. Places
// that are a day old are left out, and so are those beyond the number of agents.
func (s *State) Follow(list []KeptSequence) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.following = map[agentKey]source.Mark{}
	oldest := time.Now().Add(-followFor).UnixMilli()
	for _, k := range list {
		if k.At >= oldest && len(s.following) < maxAgents {
			s.following[agentKey{k.Sender, column.AddrFrom(k.Agent), k.SubAgent}] = k.Mark
		}
	}
}

package sflow

import (
	"encoding/json"
	"net/netip"

	"netmeta/column"
	"netmeta/source"
)

// numbering says how agents number datagrams. They send fewer datagrams than other exporters send flows, so
// smaller gaps are loss whatever the rate.
var numbering = source.Numbering{Norm: source.ByDatagram, Near: 1 << 14}

// KeptSequence is the position in the sequence of one agent up to which all rows are durable.
type KeptSequence struct {
	Sender   netip.Addr `json:"sender"`
	Agent    netip.Addr `json:"agent"`
	SubAgent uint32     `json:"subAgent"`
	source.Mark
}

// Mark records the positions of the agents that the decoder has heard since the last call; see source.Marks.
func (d *Decoder) Mark() (durable func()) { return d.marks.Take() }

// Sequences lists the positions up to which everything is durable.
func (s *State) Sequences() (list []KeptSequence) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for key, a := range s.agents {
		if mark, ok := a.sequence.Kept(); ok {
			list = append(list, KeptSequence{key.sender, key.agent.IP(), key.subAgent, mark})
		}
	}
	for key, mark := range s.following.All() {
		list = append(list, KeptSequence{key.sender, key.agent.IP(), key.subAgent, mark})
	}
	return list
}

// MarshalSequences implements source.State.
func (s *State) MarshalSequences() ([]byte, error) { return json.Marshal(s.Sequences()) }

// FollowSequences implements source.State.
func (s *State) FollowSequences(text []byte) (last int64, err error) {
	var list []KeptSequence
	if err := json.Unmarshal(text, &list); err != nil {
		return 0, err
	}
	s.Follow(list)
	for _, k := range list {
		last = max(last, k.At)
	}
	return last, nil
}

// Missed implements source.State.
func (s *State) Missed() []source.Doubt { return s.doubts.Take() }

// Follow continues the sequences of an earlier run once their agents are heard, so that what is missing since
// then counts as lost. Call it before the first datagram. It ignores positions that are a day old, and those
// beyond the number of agents.
func (s *State) Follow(list []KeptSequence) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range list {
		s.following.Add(agentKey{k.Sender, column.AddrFrom(k.Agent), k.SubAgent}, k.Mark, maxAgents)
	}
}

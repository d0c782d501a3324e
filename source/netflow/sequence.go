package netflow

import (
	"encoding/json"
	"net/netip"

	"netmeta/source"
)

// nearGap is the gap that counts as loss whatever an exporter's rate; see source.Numbering.
const nearGap = 1 << 20

var (
	numbering5  = source.Numbering{Norm: source.Before, Near: nearGap}
	numbering9  = source.Numbering{Norm: source.ByDatagram, Near: nearGap}
	numbering10 = source.Numbering{Norm: source.Before, Near: nearGap}
)

// heard records a datagram.
func (ses *session) heard(now source.Arrival, n source.Numbering) source.SequenceResult {
	if now.Units > 0 && ses.withData.Load() < settledAfter && ses.withData.Add(1) == settledAfter {
		ses.settled.Store(true)
	}
	return ses.sequence.Heard(now, n)
}

// sequenceKey identifies a sequence.
type sequenceKey struct {
	exporter netip.AddrPort
	version  uint16
	domain   uint32
}

func (ses *session) key() sequenceKey {
	x := ses.domain.exporter.key
	return sequenceKey{netip.AddrPortFrom(x.addr, ses.port), x.version, ses.domain.id}
}

// KeptSequence is the position in the sequence of one exporter up to which all rows are durable.
type KeptSequence struct {
	Exporter netip.AddrPort `json:"exporter"`
	Version  uint16         `json:"version"`
	Domain   uint32         `json:"domain"`
	source.Mark
}

// maxFollowing bounds the sequences of an earlier run.
const maxFollowing = 100_000

// Mark records the positions of the exporters that the decoder has heard since the last call; see
// source.Marks.
func (d *Decoder) Mark() (durable func()) { return d.marks.Take() }

// Sequences lists the positions up to which everything is durable.
func (s *State) Sequences() (list []KeptSequence) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.exporters {
		for _, dom := range x.domains {
			for _, ses := range dom.sessions {
				if mark, ok := ses.sequence.Kept(); ok {
					key := ses.key()
					list = append(list, KeptSequence{key.exporter, key.version, key.domain, mark})
				}
			}
		}
	}
	for key, mark := range s.following.All() {
		list = append(list, KeptSequence{key.exporter, key.version, key.domain, mark})
	}
	return list
}

// Follow continues the sequences of an earlier run once their exporters are heard, so that what is missing
// since then counts as lost. Call it before the first datagram, and before Load. It ignores positions that
// are a day old, and those beyond a limit.
func (s *State) Follow(list []KeptSequence) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range list {
		s.following.Add(sequenceKey{netip.AddrPortFrom(k.Exporter.Addr().Unmap(), k.Exporter.Port()), k.Version, k.Domain}, k.Mark, maxFollowing)
	}
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

// Resume restarts the sequences of a sender whose datagrams were dropped for a while, so that they do not
// count as lost.
func (s *State) Resume(addr netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.following.Forget(func(key sequenceKey) bool { return key.exporter.Addr() == addr })
	for key, x := range s.exporters {
		if key.addr != addr {
			continue
		}
		for _, dom := range x.domains {
			for _, ses := range dom.sessions {
				ses.sequence.Restart()
			}
		}
	}
}

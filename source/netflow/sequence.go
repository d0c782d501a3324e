package netflow

import (
	"net/netip"
	"time"

	"netmeta/source"
)

// nearGap is the gap that counts as loss whatever an exporter's rate: see
// source.Numbering.
const nearGap = 1 << 20

var (
	numbering5  = source.Numbering{Norm: source.Before, Near: nearGap}
	numbering9  = source.Numbering{Norm: source.ByDatagram, Near: nearGap}
	numbering10 = source.Numbering{Norm: source.Before, Near: nearGap}
)

// heard takes note of a datagram.
func (ses *session) heard(now source.Arrival, n source.Numbering) source.Finding {
	ses.mu.Lock()
	defer ses.mu.Unlock()
	if ses.withData < settledAfter && now.Units > 0 {
		if ses.withData++; ses.withData == settledAfter {
			ses.settled.Store(true)
		}
	}
	return ses.sequence.Heard(now, n)
}

// A sequenceKey tells apart who numbers datagrams.
type sequenceKey struct {
	exporter netip.AddrPort
	version  uint16
	domain   uint32
}

func (ses *session) key() sequenceKey {
	x := ses.domain.exporter.key
	return sequenceKey{netip.AddrPortFrom(x.addr, ses.port), x.version, ses.domain.id}
}

// A KeptSequence is the place in the sequence of one sender up to which all rows are
// stored, or in the spool.
type KeptSequence struct {
	Exporter netip.AddrPort `json:"exporter"`
	Version  uint16         `json:"version"`
	Domain   uint32         `json:"domain"`
	source.Mark
}

const (
	// maxFollowing bounds the sequences of an earlier run.
	maxFollowing = 100_000
	// followFor is how old the place in a sequence may be to be gone on from.
	followFor = 24 * time.Hour
)

// Mark takes note of the places of the senders that the decoder heard since the last
// call. Call the function that it returns, on any goroutine, when the rows of all that
// was decoded until now are stored or in the spool. It is nil when nothing was heard.
func (d *Decoder) Mark() (kept func()) {
	if len(d.heard) == 0 {
		return nil
	}
	type place struct {
		session *session
		mark    source.Mark
		ok      bool
	}
	places := make([]place, 0, len(d.heard))
	for ses := range d.heard {
		ses.mu.Lock()
		mark, ok := ses.sequence.Mark()
		ses.mu.Unlock()
		places = append(places, place{ses, mark, ok})
	}
	clear(d.heard)
	d.touched = nil
	return func() {
		for _, p := range places {
			p.session.mu.Lock()
			p.session.kept, p.session.isKept = p.mark, p.ok
			p.session.mu.Unlock()
		}
	}
}

// Sequences lists the places up to which everything is stored, or in the spool.
func (s *State) Sequences() (list []KeptSequence) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.exporters {
		for _, dom := range x.domains {
			for _, ses := range dom.sessions {
				ses.mu.Lock()
				mark, ok := ses.kept, ses.isKept
				ses.mu.Unlock()
				if ok {
					key := ses.key()
					list = append(list, KeptSequence{key.exporter, key.version, key.domain, mark})
				}
			}
		}
	}
	for key, mark := range s.following {
		list = append(list, KeptSequence{key.exporter, key.version, key.domain, mark})
	}
	return list
}

// Follow has the sequences of an earlier run go on when their senders are heard, so that
// what is missing since then counts as lost. Call it before the first datagram, and
// before Load. Places that are a day old are left out, and so are those beyond a bound.
func (s *State) Follow(list []KeptSequence) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.following = map[sequenceKey]source.Mark{}
	oldest := time.Now().Add(-followFor).UnixMilli()
	for _, k := range list {
		if k.At >= oldest && len(s.following) < maxFollowing {
			s.following[sequenceKey{netip.AddrPortFrom(k.Exporter.Addr().Unmap(), k.Exporter.Port()), k.Version, k.Domain}] = k.Mark
		}
	}
}

// followLocked has a new session go on with the sequence of an earlier run.
func (s *State) followLocked(ses *session) {
	key := ses.key()
	if mark, ok := s.following[key]; ok {
		delete(s.following, key)
		ses.sequence.Follow(mark)
		ses.kept, ses.isKept = mark, true
	}
}

// Resume starts the sequences of a sender again: its datagrams were refused for a while,
// and are not lost.
func (s *State) Resume(addr netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.following {
		if key.exporter.Addr() == addr {
			delete(s.following, key)
		}
	}
	for key, x := range s.exporters {
		if key.addr != addr {
			continue
		}
		for _, dom := range x.domains {
			for _, ses := range dom.sessions {
				ses.mu.Lock()
				ses.sequence.Restart()
				ses.isKept = false
				ses.mu.Unlock()
			}
		}
	}
}

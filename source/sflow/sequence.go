package sflow

// A datagram that is up to window ahead shows loss; what is further away, or
// behind, is an agent that started anew, if the next datagram agrees.
const window = 1 << 14

// patience is how many datagrams may come until a gap counts as lost.
const patience = 16

// A sequence follows the sequence numbers of one agent: it tells loss from
// datagrams out of order and from restarts.
type sequence struct {
	started bool
	next    uint32 // expected
	uptime  uint32 // of the newest datagram, in milliseconds

	// other is where a datagram that did not fit would go on. If the next one begins
	// there, the agent has started anew (the method of RFC 3550, appendix A.1).
	other    uint32
	hasOther bool

	gap  uint64 // missing, but may still come
	wait int    // datagrams until gap counts
}

// A finding is what a datagram's place in the sequence tells.
type finding struct {
	lost      uint64 // datagrams that are now certainly lost
	reordered bool   // a datagram was out of its place: late, or sent twice
	restarted bool   // the agent has started anew
}

// heard takes note of a datagram.
func (s *sequence) heard(number, uptime uint32) (f finding) {
	if s.gap > 0 {
		if s.wait--; s.wait == 0 {
			f.lost, s.gap = s.gap, 0
		}
	}
	// The uptime wraps after 49 days, and then goes on at 0: not backwards modulo 2³².
	const tenSeconds = 10_000
	restarted := s.started && int32(uptime-s.uptime) < -tenSeconds
	ahead := int32(number - s.next)
	switch {
	case !s.started || restarted:
		s.started, f.restarted = true, restarted
	case ahead == 0:
		f.reordered = s.hasOther // since this follows what was before the other
	case s.hasOther && number == s.other:
		f.restarted = true
	case ahead > 0 && ahead <= window:
		s.gap += uint64(ahead)
		s.wait = patience
	case ahead < 0 && ahead >= -window && s.gap > 0:
		s.gap-- // late
		f.reordered = true
		return f
	default: // a duplicate, or somewhere else
		s.other, s.hasOther = number+1, true
		return f
	}
	s.next, s.uptime, s.hasOther = number+1, uptime, false
	return f
}

// settle gives up waiting for late datagrams.
func (s *sequence) settle() (lost uint64) {
	lost, s.gap = s.gap, 0
	return lost
}

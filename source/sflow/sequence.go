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

// heard takes note of a datagram and returns how many are now certainly lost.
func (s *sequence) heard(number, uptime uint32) (lost uint64) {
	if s.gap > 0 {
		if s.wait--; s.wait == 0 {
			lost, s.gap = s.gap, 0
		}
	}
	// The uptime wraps after 49 days, and then goes on at 0: not backwards modulo 2³².
	const tenSeconds = 10_000
	restarted := int32(uptime-s.uptime) < -tenSeconds
	ahead := int32(number - s.next)
	switch {
	case !s.started || restarted || s.hasOther && number == s.other:
		s.started, s.hasOther = true, false
	case ahead >= 0 && ahead <= window:
		if ahead > 0 {
			s.gap += uint64(ahead)
			s.wait = patience
		}
		s.hasOther = false
	case ahead < 0 && ahead >= -window && s.gap > 0:
		s.gap-- // late
		return lost
	default: // a duplicate, or somewhere else
		s.other, s.hasOther = number+1, true
		return lost
	}
	s.next, s.uptime = number+1, uptime
	return lost
}

// settle gives up waiting for late datagrams.
func (s *sequence) settle() (lost uint64) {
	lost, s.gap = s.gap, 0
	return lost
}

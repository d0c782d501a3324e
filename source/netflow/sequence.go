package netflow

// A sequence number counts what was sent before: datagrams in v9, flows in v5,
// data records in IPFIX. That is the norm; real exporters also count what the
// datagram itself carries (ulogd, softflowd and Open vSwitch in IPFIX), or
// flows in v9, or messages in IPFIX. Which way a sender counts is told from which
// way fits, or its loss would be counted where there is none.
type counting uint8

const (
	byDatagram counting = iota // one more with each datagram
	before                     // by what the previous datagram carried
	including                  // by what this datagram carries
	countings
)

// A jump by up to this is loss, or datagrams out of order; anything else is an
// exporter that started anew.
const maxJump = 1 << 20

// patience is how many datagrams may come until a gap counts as lost.
const patience = 16

// A place is a datagram in the sequence.
type place struct {
	seq   uint32
	units uint32 // flows or records that it carries
}

// step is how far the next datagram is from p.
func (c counting) step(p place, next uint32) uint32 {
	switch c {
	case byDatagram:
		return 1
	case before:
		return p.units
	}
	return next
}

type sequence struct {
	started bool
	last    place
	uptime  uint32
	fits    [countings]int8 // how often each way of counting was right lately

	// other is a datagram that did not fit. If the next one follows it, the exporter
	// has started anew (the method of RFC 3550 A.1).
	other    place
	hasOther bool

	gap  uint64 // missing, but may still come
	wait int    // datagrams until the gap counts
}

// A finding is what a datagram's place in the sequence tells.
type finding struct {
	lost      uint64 // units that are now certainly lost
	reordered bool   // a datagram was out of its place: late, or sent twice
	restarted bool   // the sender has started anew
}

// heard takes note of a datagram. known is false when not all that it carries
// could be counted.
func (ses *session) heard(now place, norm counting, known bool, uptime uint32, hasUptime bool) (f finding) {
	ses.mu.Lock()
	defer ses.mu.Unlock()
	if ses.withData < settledAfter && now.units > 0 {
		if ses.withData++; ses.withData == settledAfter {
			ses.settled.Store(true)
		}
	}
	s := &ses.sequence
	if s.gap > 0 {
		if s.wait--; s.wait <= 0 {
			f.lost, s.gap = s.gap, 0
		}
	}
	const tenSeconds = 10_000
	rebooted := hasUptime && s.started && int32(uptime-s.uptime) < -tenSeconds
	s.uptime = uptime
	if !s.started || rebooted {
		s.last, s.started, s.hasOther = now, known, false
		f.restarted = rebooted
		return f
	}
	way := s.way(now, norm)
	ahead := int32(now.seq - s.last.seq - way.step(s.last, now.units))
	switch {
	case ahead == 0:
		f.reordered = s.hasOther // since this follows what was before the other
	case s.hasOther && now.seq == s.other.seq+way.step(s.other, now.units):
		f.restarted = true
	case ahead > 0 && ahead <= maxJump:
		s.gap += uint64(ahead)
		s.wait = patience
	case ahead < 0 && ahead >= -maxJump && s.gap > 0:
		s.gap -= min(s.gap, uint64(way.step(now, now.units))) // late: fills a gap
		f.reordered = true
		return f
	default:
		s.other, s.hasOther = now, known
		return f
	}
	s.last, s.hasOther = now, false
	s.started = known // if not, begin anew with the next datagram
	return f
}

// way is how the sender counts.
func (s *sequence) way(now place, norm counting) counting {
	const memory = 8
	best := norm
	for c := range countings {
		if now.seq == s.last.seq+c.step(s.last, now.units) {
			s.fits[c] = min(s.fits[c]+1, memory)
		} else {
			s.fits[c] = max(s.fits[c]-1, 0)
		}
	}
	for c := range countings {
		if s.fits[c] > s.fits[best] {
			best = c
		}
	}
	return best
}

// settle gives up waiting for late datagrams.
func (ses *session) settle() (lost uint64) {
	ses.mu.Lock()
	defer ses.mu.Unlock()
	lost, ses.gap = ses.gap, 0
	return lost
}

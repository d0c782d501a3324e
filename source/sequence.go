package source

import (
	"math"
	"net/netip"
	"sync"
)

// SequenceUnit is a way to number datagrams. A sequence number counts what was sent before: datagrams in NetFlow
// v9 and sFlow, flows in v5, data records in IPFIX. That is the standard; real exporters also count the
// content of the datagram itself (ulogd, softflowd and Open vSwitch in IPFIX), or flows in v9, or messages in
// IPFIX. A Sequence detects the way that fits, because a wrong one would show loss where there is none.
type SequenceUnit uint8

// Ways to count.
const (
	ByDatagram SequenceUnit = iota // one more with each datagram
	Before                         // by what the previous datagram carried
	Including                      // by what this datagram carries
	sequenceUnits
)

// Numbering is how the exporters of a protocol number datagrams.
type Numbering struct {
	Norm SequenceUnit

	// Near is the size up to which a gap is always loss. A larger one is loss if the exporter's rate explains
	// it, and otherwise a restart.
	Near uint32
}

const (
	// MaxHeard bounds the exporters that a decoder records between two marks.
	MaxHeard = 1 << 16

	// Patience is the number of datagrams after which a gap counts as lost.
	Patience = 16

	// rateMargin is how many times its usual rate an exporter may have had during a gap.
	rateMargin = 4
	// paceMS is how long a rate is measured; paceLeastMS is the minimum.
	paceMS, paceLeastMS = 1000, 100
	// An uptime that goes back by more than rebootMS is a restart.
	rebootMS = 10_000
	// uptimeShare is the share of the time between two datagrams by which their uptimes may be off.
	uptimeShare = 8
)

// Position is the position of a datagram in a sequence.
type Position struct {
	Seq   uint32 `json:"seq"`
	Units uint32 `json:"units"` // flows or records in it; unused where datagrams count
}

// step returns the distance from p to the next datagram.
func (c SequenceUnit) step(p Position, next uint32) uint32 {
	switch c {
	case ByDatagram:
		return 1
	case Before:
		return p.Units
	}
	return next
}

// Arrival is a datagram as its sequence sees it.
type Arrival struct {
	Position
	At        int64  // Unix milliseconds
	Uptime    uint32 // of the exporter, in milliseconds
	HasUptime bool
	Uncounted bool // part of its content could not be counted, and the exporter may count it
}

// Sequence follows the sequence numbers of one exporter: it tells loss from reordering and from restarts. The
// zero value is ready.
type Sequence struct {
	started bool
	last    Arrival
	fits    [sequenceUnits]int8 // how often each way of counting was right recently
	pace    pace

	// other is a datagram that did not fit. If the next one follows it, the exporter has restarted (the
	// method of RFC 3550 A.1).
	other    Position
	hasOther bool

	gap  uint64 // missing, but may still come
	wait int    // datagrams until the gap counts as lost

	followed bool // a mark is followed, and no datagram was heard since
}

// SequenceResult is the result of checking the sequence number of a datagram.
type SequenceResult struct {
	Lost      uint64 // units that are now lost for certain
	Reordered bool   // the datagram was out of order: late or a duplicate
	Restarted bool   // the exporter has restarted
	Missed    Missed // since the mark that is followed
}

// Missed is the gap between a mark and the first datagram after it. The first part of it may be stored
// nevertheless.
type Missed struct {
	From         uint32 // the number that was expected
	Units        uint32 // of the sequence, from that number on
	SequenceUnit SequenceUnit
}

// Lost returns how many units are lost if the last stored datagram has that position.
func (m Missed) Lost(stored Position) uint64 {
	next := stored.Seq
	switch m.SequenceUnit {
	case ByDatagram:
		next++
	case Before:
		next += stored.Units
	}
	return uint64(m.Units - min(m.Units, uint32(max(0, int32(next-m.From)))))
}

// Heard records a datagram.
func (s *Sequence) Heard(now Arrival, n Numbering) (f SequenceResult) {
	if s.gap > 0 {
		if s.wait--; s.wait <= 0 {
			f.Lost, s.gap = s.gap, 0
		}
	}
	followed := s.followed
	s.followed = false
	if !s.started || s.rebooted(now) {
		f.Restarted = s.started
		s.take(now, 0)
		return f
	}
	way := s.way(now.Position, n.Norm)
	ahead := int32(now.Seq - s.last.Seq - way.step(s.last.Position, now.Units))
	switch {
	case ahead == 0:
		f.Reordered = s.hasOther // since this one follows the position before the other
	case s.hasOther && now.Seq == s.other.Seq+way.step(s.other, now.Units):
		f.Restarted = true
	case ahead > 0 && (ahead <= int32(n.Near) || s.explains(now, uint32(ahead))):
		if followed {
			f.Missed = Missed{now.Seq - uint32(ahead), uint32(ahead), way}
			if way == Including {
				f.Missed.From -= now.Units
			}
			break
		}
		s.gap += uint64(ahead)
		s.wait = Patience
	case ahead < 0 && ahead >= -int32(n.Near) && s.gap > 0:
		s.gap -= min(s.gap, uint64(way.step(now.Position, now.Units))) // late: fills a gap
		f.Reordered = true
		return f
	default: // twice, or somewhere else
		s.other, s.hasOther = now.Position, !now.Uncounted
		return f
	}
	advance := now.Seq - s.last.Seq
	if f.Restarted {
		advance = 0
	}
	s.take(now, advance)
	return f
}

// take makes a datagram the last one. If part of it could not be counted, the sequence starts again with the
// next.
func (s *Sequence) take(now Arrival, advance uint32) {
	s.pace.move(now.At, advance)
	s.last, s.started, s.hasOther = now, !now.Uncounted, false
}

// rebooted reports that the uptime decreased. It wraps after 49 days and continues at 0, which is no decrease
// modulo 2³².
func (s *Sequence) rebooted(now Arrival) bool {
	return now.HasUptime && s.last.HasUptime && int32(now.Uptime-s.last.Uptime) < -rebootMS
}

// explains reports that an exporter that did not restart may have sent that many units since the last
// datagram: its rate allows it, and its uptime does not contradict it.
func (s *Sequence) explains(now Arrival, units uint32) bool {
	elapsed := now.At - s.last.At
	if elapsed <= 0 || uint64(units) > s.pace.most(s.last.At, elapsed) {
		return false
	}
	if !now.HasUptime || !s.last.HasUptime {
		return true
	}
	off := int64(now.Uptime-s.last.Uptime) - elapsed
	return max(off, -off) <= rebootMS+elapsed/uptimeShare
}

// way returns how the exporter counts.
func (s *Sequence) way(now Position, norm SequenceUnit) SequenceUnit {
	const memory = 8
	best := norm
	for c := range sequenceUnits {
		if now.Seq == s.last.Seq+c.step(s.last.Position, now.Units) {
			s.fits[c] = min(s.fits[c]+1, memory)
		} else {
			s.fits[c] = max(s.fits[c]-1, 0)
		}
	}
	for c := range sequenceUnits {
		if s.fits[c] > s.fits[best] {
			best = c
		}
	}
	return best
}

// Settle stops waiting for late datagrams.
func (s *Sequence) Settle() (lost uint64) {
	lost, s.gap = s.gap, 0
	return lost
}

// Restart starts the sequence with the next datagram. Earlier datagrams do not count as lost.
func (s *Sequence) Restart() { s.started, s.hasOther = false, false }

// pace measures how fast a sequence advances.
type pace struct {
	from  int64  // when the measurement began, Unix milliseconds
	units uint64 // since then
	rate  uint64 // units per second, the recent maximum
}

// move records an advance.
func (p *pace) move(at int64, advance uint32) {
	p.units += uint64(advance)
	switch passed := at - p.from; {
	case p.from == 0 || passed < 0:
		p.from, p.units = at, 0
	case passed >= paceMS:
		p.rate = max(p.since(at), p.rate/2)
		p.from, p.units = at, 0
	}
}

// since returns the rate since the measurement began.
func (p *pace) since(at int64) uint64 {
	if passed := at - p.from; passed >= paceLeastMS {
		return p.units * 1000 / uint64(passed)
	}
	return 0
}

// most returns how many units may have been sent in the elapsed milliseconds after at, at most half of the
// range of numbers, since larger steps are ambiguous.
func (p *pace) most(at, elapsed int64) uint64 {
	rate := max(p.rate, p.since(at))
	if rate == 0 {
		return 0
	}
	likely := float64(rate) * float64(elapsed) / 1000
	if likely > math.MaxInt32/2 {
		return 0 // the numbers may have wrapped
	}
	return uint64(min(likely*rateMargin, math.MaxInt32))
}

// Mark is a position in a sequence from which another process can follow it.
type Mark struct {
	Position
	At        int64               `json:"at"`
	Uptime    uint32              `json:"uptime,omitempty"`
	HasUptime bool                `json:"hasUptime,omitempty"`
	Fits      [sequenceUnits]int8 `json:"fits"`
	Rate      uint64              `json:"rate,omitempty"`
	Gap       uint64              `json:"gap,omitempty"`
}

// Mark returns the current position. ok is false if there is none, because the next datagram starts the
// sequence.
func (s *Sequence) Mark() (m Mark, ok bool) {
	x := &s.last
	return Mark{x.Position, x.At, x.Uptime, x.HasUptime, s.fits, max(s.pace.rate, s.pace.since(x.At)), s.gap}, s.started
}

// Doubt is what one exporter missed, of which some may be stored.
type Doubt struct {
	Exporter netip.Addr // as in the rows
	Type     uint8      // flow.Type…
	Domain   uint32
	Missed

	counters *Counters
	entry    *Exporter
}

// Count counts lost units.
func (d Doubt) Count(lost uint64) {
	d.counters.Find(SequenceResult{Lost: lost})
	d.entry.Current().Find(SequenceResult{Lost: lost})
}

// Doubts are those of one source. The zero value is ready; it is safe for concurrent use.
type Doubts struct {
	mu   sync.Mutex
	list []Doubt
}

// Add adds what an exporter missed; counters are those of the source.
func (l *Doubts) Add(m Missed, x *Exporter, domain uint32, counters *Counters) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, Doubt{x.Address, x.Type, domain, m, counters, x})
}

// Take returns what was added since the last call.
func (l *Doubts) Take() (list []Doubt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list, l.list = l.list, nil
	return list
}

// Follow continues the sequence from a mark. What is missing since then is reported once, as Missed.
func (s *Sequence) Follow(m Mark) {
	*s = Sequence{
		started: true,
		last:    Arrival{Position: m.Position, At: m.At, Uptime: m.Uptime, HasUptime: m.HasUptime},
		fits:    m.Fits,
		pace:    pace{from: m.At, rate: m.Rate},
		gap:     m.Gap,
		wait:    Patience,

		followed: true,
	}
}

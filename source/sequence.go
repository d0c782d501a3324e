package source

import (
	"math"
	"net/netip"
	"sync"
)

// A Counting is a way to number datagrams. A sequence number counts what was sent
// before: datagrams in NetFlow v9 and sFlow, flows in v5, data records in IPFIX. That
// is the norm; real exporters also count what the datagram itself carries (ulogd,
// softflowd and Open vSwitch in IPFIX), or flows in v9, or messages in IPFIX. Which way
// a sender counts is told from which way fits, or loss would be counted where there is
// none.
type Counting uint8

// The ways to count.
const (
	ByDatagram Counting = iota // one more with each datagram
	Before                     // by what the previous datagram carried
	Including                  // by what this datagram carries
	countings
)

// A Numbering is how the senders of a protocol number datagrams.
type Numbering struct {
	Norm Counting

	// Near is the size of a gap that is loss at any rate. A larger one is loss if the
	// sender's rate explains it, and otherwise a sender that started again.
	Near uint32
}

const (
	// MaxHeard bounds how many senders a decoder takes note of between two marks.
	MaxHeard = 1 << 16

	// Patience is how many datagrams may come until a gap counts as lost.
	Patience = 16

	// rateMargin is how many times its usual rate a sender may have had during a gap.
	rateMargin = 4
	// paceMS is how long a rate is measured, and paceLeastMS is the shortest time that
	// tells one.
	paceMS, paceLeastMS = 1000, 100
	// An uptime that goes back by more than rebootMS is a restart.
	rebootMS = 10_000
	// uptimeShare is the part of the time between two datagrams that their uptimes may
	// be off.
	uptimeShare = 8
)

// A Place is a datagram in a sequence.
type Place struct {
	Seq   uint32 `json:"seq"`
	Units uint32 `json:"units"` // flows or records that it carries; not used where datagrams count
}

// step is how far the next datagram is from p.
func (c Counting) step(p Place, next uint32) uint32 {
	switch c {
	case ByDatagram:
		return 1
	case Before:
		return p.Units
	}
	return next
}

// An Arrival is a datagram as its sequence sees it.
type Arrival struct {
	Place
	At        int64  // Unix milliseconds
	Uptime    uint32 // of the sender, in milliseconds
	HasUptime bool
	Uncounted bool // not all that it carries could be counted, and the sender may count it
}

// A Sequence follows the sequence numbers of one sender: it tells loss from datagrams
// out of order and from restarts. The zero value is ready.
type Sequence struct {
	started bool
	last    Arrival
	fits    [countings]int8 // how often each way of counting was right lately
	pace    pace

	// other is a datagram that did not fit. If the next one follows it, the sender has
	// started again (the method of RFC 3550 A.1).
	other    Place
	hasOther bool

	gap  uint64 // missing, but may still come
	wait int    // datagrams until the gap counts

	followed bool // a mark, and nothing was heard since
}

// A Finding is what a datagram's place in the sequence tells.
type Finding struct {
	Lost      uint64 // units that are now certainly lost
	Reordered bool   // a datagram was out of its place: late, or sent twice
	Restarted bool   // the sender has started again
	Missed    Missed // since the mark that is followed
}

// Missed is what lacks between a mark and the first datagram after it. What came last
// before the mark was followed may be stored all the same.
type Missed struct {
	From     uint32 // the number that was expected
	Units    uint32 // of the sequence, from there on
	Counting Counting
}

// Lost is what is lost when the last datagram that is stored has that place.
func (m Missed) Lost(stored Place) uint64 {
	next := stored.Seq
	switch m.Counting {
	case ByDatagram:
		next++
	case Before:
		next += stored.Units
	}
	return uint64(m.Units - min(m.Units, uint32(max(0, int32(next-m.From)))))
}

// Heard takes note of a datagram.
func (s *Sequence) Heard(now Arrival, n Numbering) (f Finding) {
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
	way := s.way(now.Place, n.Norm)
	ahead := int32(now.Seq - s.last.Seq - way.step(s.last.Place, now.Units))
	switch {
	case ahead == 0:
		f.Reordered = s.hasOther // since this follows what was before the other
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
		s.gap -= min(s.gap, uint64(way.step(now.Place, now.Units))) // late: fills a gap
		f.Reordered = true
		return f
	default: // twice, or somewhere else
		s.other, s.hasOther = now.Place, !now.Uncounted
		return f
	}
	advance := now.Seq - s.last.Seq
	if f.Restarted {
		advance = 0
	}
	s.take(now, advance)
	return f
}

// take makes a datagram the last one. If not all of it could be counted, the sequence
// begins again with the next.
func (s *Sequence) take(now Arrival, advance uint32) {
	s.pace.move(now.At, advance)
	s.last, s.started, s.hasOther = now, !now.Uncounted, false
}

// rebooted reports that the uptime went back. It wraps after 49 days, and then goes on
// at 0: not backwards modulo 2³².
func (s *Sequence) rebooted(now Arrival) bool {
	return now.HasUptime && s.last.HasUptime && int32(now.Uptime-s.last.Uptime) < -rebootMS
}

// explains reports that a sender that never stopped may have sent so many units since
// the last datagram: its rate says so, and its uptime does not deny it.
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

// way is how the sender counts.
func (s *Sequence) way(now Place, norm Counting) Counting {
	const memory = 8
	best := norm
	for c := range countings {
		if now.Seq == s.last.Seq+c.step(s.last.Place, now.Units) {
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

// Settle gives up waiting for late datagrams.
func (s *Sequence) Settle() (lost uint64) {
	lost, s.gap = s.gap, 0
	return lost
}

// Restart has the sequence begin with the next datagram: what was sent until then is
// not lost.
func (s *Sequence) Restart() { s.started, s.hasOther = false, false }

// A pace is how fast a sequence advances.
type pace struct {
	from  int64  // when the measurement began, Unix milliseconds
	units uint64 // since then
	rate  uint64 // units per second, the most of late
}

// move takes note of an advance.
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

// since is the rate since the measurement began.
func (p *pace) since(at int64) uint64 {
	if passed := at - p.from; passed >= paceLeastMS {
		return p.units * 1000 / uint64(passed)
	}
	return 0
}

// most is how many units may have been sent in the milliseconds after at. Half of the
// numbers is the bound, since more cannot be told from fewer.
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

// A Mark is a place in a sequence from which another process can follow it.
type Mark struct {
	Place
	At        int64           `json:"at"`
	Uptime    uint32          `json:"uptime,omitempty"`
	HasUptime bool            `json:"hasUptime,omitempty"`
	Fits      [countings]int8 `json:"fits"`
	Rate      uint64          `json:"rate,omitempty"`
	Gap       uint64          `json:"gap,omitempty"`
}

// Mark is where the sequence is. ok is false while it has no place: the next datagram
// begins it.
func (s *Sequence) Mark() (m Mark, ok bool) {
	x := &s.last
	return Mark{x.Place, x.At, x.Uptime, x.HasUptime, s.fits, max(s.pace.rate, s.pace.since(x.At)), s.gap}, s.started
}

// A Doubt is what one sender missed, of which some may be stored.
type Doubt struct {
	Exporter netip.Addr // as the rows have it
	Type     uint8      // flow.Type…
	Domain   uint32
	Missed

	counters *Counters
	entry    *Exporter
}

// Count counts what is lost of it.
func (d Doubt) Count(lost uint64) {
	d.counters.Find(Finding{Lost: lost})
	d.entry.Current().Find(Finding{Lost: lost})
}

// Doubts are those of one source. The zero value is ready; it is safe for concurrent use.
type Doubts struct {
	mu   sync.Mutex
	list []Doubt
}

// Add takes note of what an exporter missed; counters are those of the source.
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

// Follow has the sequence go on from a mark. What is missing since then is a Missed, once.
func (s *Sequence) Follow(m Mark) {
	*s = Sequence{
		started: true,
		last:    Arrival{Place: m.Place, At: m.At, Uptime: m.Uptime, HasUptime: m.HasUptime},
		fits:    m.Fits,
		pace:    pace{from: m.At, rate: m.Rate},
		gap:     m.Gap,
		wait:    Patience,

		followed: true,
	}
}

package source

import "testing"

var (
	byDatagrams = Numbering{ByDatagram, 1 << 20}
	byRecords   = Numbering{Before, 1 << 20}
)

type (
	p = Position
	// told is the sum of results.
	told struct {
		lost, reordered, restarts uint64
		missed                    Missed
	}
)

func (x *told) add(f SequenceResult) {
	x.lost += f.Lost
	if f.Missed != (Missed{}) {
		x.missed = f.Missed
	}
	if f.Reordered {
		x.reordered++
	}
	if f.Restarted {
		x.restarts++
	}
}

// What datagrams that come at once tell, by the ways to count that are seen.
func TestSequence(t *testing.T) {
	f := func(what string, n Numbering, want told, places ...Position) {
		t.Helper()
		var s Sequence
		var got told
		for _, p := range places {
			got.add(s.Heard(Arrival{Position: p}, n))
		}
		if got.lost += s.Settle(); got != want {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
	}
	f("in order", byRecords, told{}, p{10, 5}, p{15, 5}, p{20, 5})
	f("a gap", byRecords, told{lost: 5}, p{5, 5}, p{10, 5}, p{20, 5}, p{25, 5})
	f("a gap at different sizes", byRecords, told{lost: 7}, p{10, 5}, p{15, 3}, p{18, 4}, p{29, 2}, p{31, 9})
	f("out of order", byRecords, told{reordered: 1}, p{10, 5}, p{20, 5}, p{15, 5}, p{25, 5})
	f("twice the same", byRecords, told{reordered: 1}, p{10, 5}, p{10, 5}, p{15, 5})
	f("restart", byRecords, told{restarts: 1}, p{10000, 5}, p{0, 5}, p{5, 5}, p{10, 5})
	f("restart, then a gap", byRecords, told{lost: 7, restarts: 1}, p{10000, 5}, p{0, 5}, p{5, 5}, p{17, 5})
	f("a stray datagram", byRecords, told{reordered: 1}, p{10, 5}, p{3_000_000_000, 5}, p{15, 5}, p{20, 5})
	f("wrap", byRecords, told{}, p{1<<32 - 5, 10}, p{5, 5})
	f("gap over the wrap", byRecords, told{lost: 3}, p{1<<32 - 5, 4}, p{2, 5})
	f("counts what it carries too", byRecords, told{}, p{2, 2}, p{15, 13}, p{16, 1}, p{20, 4})
	f("and loses some", byRecords, told{lost: 6}, p{2, 2}, p{15, 13}, p{16, 1}, p{26, 4})
	f("IPFIX counts messages", byRecords, told{}, p{1, 20}, p{2, 7}, p{3, 4}, p{4, 3})
	f("v9 counts flows", byDatagrams, told{}, p{100, 20}, p{120, 7}, p{127, 3}, p{130, 24})
	f("v9 as it should", byDatagrams, told{lost: 2}, p{100, 20}, p{101, 7}, p{102, 3}, p{105, 24})

	// Datagrams by their numbers alone.
	g := func(want told, numbers ...uint32) {
		t.Helper()
		var s Sequence
		var got told
		for i, n := range numbers {
			got.add(s.Heard(Arrival{Position: Position{n, 1}, At: 1 + int64(i)*1000, Uptime: uint32(i) * 1000, HasUptime: true}, Numbering{ByDatagram, 1 << 14}))
		}
		if got.lost += s.Settle(); got != want {
			t.Errorf("%v: %+v, want %+v", numbers, got, want)
		}
	}
	g(told{})
	g(told{}, 7)
	g(told{}, 7, 8, 9)
	g(told{lost: 1}, 7, 9, 10)
	g(told{lost: 3}, 7, 9, 10, 13)
	g(told{lost: 1}, 1, 2, 4, 5, 6, 7, 8, 9)
	g(told{}, 0xfffffffe, 0xffffffff, 0, 1) // wraps
	g(told{lost: 2}, 0xfffffffe, 1, 2)
	g(told{reordered: 1}, 7, 9, 8, 10)
	g(told{reordered: 2}, 7, 10, 8, 9, 11)
	g(told{lost: 1, reordered: 1}, 1, 4, 2, 5)
	g(told{reordered: 1}, 7, 8, 8, 9) // twice
	g(told{reordered: 3}, 7, 8, 8, 9, 9, 10, 10, 11)
	g(told{restarts: 1}, 500_000, 1, 2, 3) // restarted
	g(told{lost: 1, restarts: 1}, 500_000, 1, 2, 4)
	g(told{restarts: 1}, 1, 2, 3_000_000_000, 3_000_000_001) // far ahead
	g(told{reordered: 1}, 1, 900_000, 2, 3)                  // one stray datagram
	g(told{}, 7, 7, 7, 7)                                    // an agent that does not count
}

// An uptime that goes back is a restart, even where the number would fit a gap; one that
// wraps is not.
func TestUptime(t *testing.T) {
	for _, c := range []struct {
		before, after uint32
		want          told
	}{
		{90_000_000, 1000, told{restarts: 1}},
		{90_000_000, 89_999_000, told{lost: 42}}, // datagrams may pass each other
		{0xffffff00, 500, told{lost: 42}},
	} {
		for _, n := range []Numbering{byDatagrams, byRecords} {
			var s Sequence
			var got told
			got.add(s.Heard(Arrival{Position: p{7, 1}, Uptime: c.before, HasUptime: true}, n))
			got.add(s.Heard(Arrival{Position: p{50, 1}, Uptime: c.after, HasUptime: true}, n))
			if got.lost += s.Settle(); got != c.want {
				t.Errorf("uptime %d, then %d: %+v, want %+v", c.before, c.after, got, c.want)
			}
		}
	}
}

// A gap counts when it was waited for long enough.
func TestPatience(t *testing.T) {
	var s Sequence
	lost := s.Heard(Arrival{Position: p{0, 1}}, byDatagrams).Lost
	for i := range uint32(Patience + 1) {
		lost += s.Heard(Arrival{Position: p{10 + i, 1}}, byDatagrams).Lost
	}
	if lost != 9 {
		t.Error("lost ", lost, ", want 9")
	}
}

// A sender at a rate, of which a part is missing: it is lost if the rate explains it,
// however much it is, and what it does not explain is a sender that began again.
func TestGapAndRate(t *testing.T) {
	type sender struct {
		n         Numbering
		perSecond uint32 // datagrams
		step      uint32 // of the number
		first     uint32
		uptime    bool
	}
	v5 := sender{byRecords, 1000, 270, 0, true}
	ipfix := sender{byRecords, 1000, 270, 0, false}
	late := sender{byRecords, 1000, 270, 1<<32 - 900_000, true}
	sflow := sender{Numbering{ByDatagram, 1 << 14}, 500, 1, 0, true}
	for _, c := range []struct {
		what   string
		sender sender
		away   int64  // milliseconds
		jump   uint32 // of the numbers meanwhile
		back   uint32 // the uptime afterwards is so many milliseconds less than it should be
		want   told
	}{
		{"within near", v5, 6000, 180_000, 0, told{lost: 180_000}},
		{"more than near", v5, 6000, 1_624_920, 0, told{lost: 1_624_920}},
		{"without uptime", ipfix, 6000, 1_624_920, 0, told{lost: 1_624_920}},
		{"over the wrap", late, 6000, 1_624_920, 0, told{lost: 1_624_920}},
		{"datagrams that are numbered", sflow, 60_000, 30_000, 0, told{lost: 30_000}},
		{"twice as fast meanwhile", v5, 6000, 3_240_000, 0, told{lost: 3_240_000}},
		{"ten times as much as the rate", v5, 6000, 16_200_000, 0, told{restarts: 1}},
		{"as much in no time", v5, 1, 1_624_920, 0, told{restarts: 1}},
		{"uptime goes back", v5, 6000, 1_624_920, 100_000, told{restarts: 1}},
		{"uptime lags", v5, 3600_000, 970_000_000, 1800_000, told{restarts: 1}},
		{"an hour", v5, 3600_000, 970_000_000, 0, told{lost: 970_000_000}},
		{"the numbers may have wrapped", ipfix, 4 * 3600_000, 2_000_000_000, 0, told{restarts: 1}},
	} {
		var (
			s    Sequence
			got  told
			at   = int64(1_000_000)
			seq  = c.sender.first
			back uint32
		)
		send := func(datagrams uint32) {
			for range datagrams {
				got.add(s.Heard(Arrival{Position: Position{seq, c.sender.step}, At: at, Uptime: uint32(at) - back, HasUptime: c.sender.uptime}, c.sender.n))
				at, seq = at+1000/int64(c.sender.perSecond), seq+c.sender.step
			}
		}
		send(3 * c.sender.perSecond)
		at, seq, back = at+c.away, seq+c.jump, c.back
		send(100)
		if got.lost += s.Settle(); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.what, got, c.want)
		}
	}
}

// Another process goes on from a mark as this one would have.
func TestMark(t *testing.T) {
	heard := func(s *Sequence, i uint32, got *told) {
		got.add(s.Heard(Arrival{Position: p{i * 270, 270}, At: 1_000_000 + int64(i), Uptime: i, HasUptime: true}, byRecords))
	}
	var s Sequence
	var got told
	if _, ok := s.Mark(); ok {
		t.Error("a sequence that has not begun has a place")
	}
	for i := range uint32(3000) {
		if i != 2990 { // is missing, and may still come
			heard(&s, i, &got)
		}
	}
	m, ok := s.Mark()
	if !ok || got != (told{}) {
		t.Fatalf("%+v, %v, %+v", m, ok, got)
	}
	var next Sequence
	next.Follow(m)
	for i := uint32(9000); i < 9100; i++ {
		heard(&next, i, &got)
	}
	if want := (told{lost: 270, missed: Missed{3000 * 270, 6000 * 270, Before}}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	// What was refused until now is not lost.
	next.Restart()
	if _, ok := next.Mark(); ok {
		t.Error("a restarted sequence has a position")
	}
	before := got
	heard(&next, 20_000, &got)
	if got != before {
		t.Errorf("after Restart %+v, want %+v", got, before)
	}
	// After a datagram that could not be counted, the next position is unknown.
	next.Heard(Arrival{Position: p{20_001 * 270, 3}, Uncounted: true}, byRecords)
	if _, ok := next.Mark(); ok {
		t.Error("a sequence without a place has a mark")
	}
}

// Of what is missing since a mark, that is lost which is not stored. The way to count says
// what comes after a datagram.
func TestMissed(t *testing.T) {
	for _, c := range []struct {
		n     Numbering
		marks [3]Position // of which the last is the mark
		next  Position    // what is heard then
		last  Position    // that is stored; zero: nothing since the mark
		want  uint64
	}{
		{byDatagrams, [3]Position{{1, 9}, {2, 9}, {3, 9}}, p{10, 9}, p{3, 9}, 6},
		{byDatagrams, [3]Position{{1, 9}, {2, 9}, {3, 9}}, p{10, 9}, p{}, 6},
		{byDatagrams, [3]Position{{1, 9}, {2, 9}, {3, 9}}, p{10, 9}, p{7, 9}, 2},
		{byDatagrams, [3]Position{{1, 9}, {2, 9}, {3, 9}}, p{10, 9}, p{9, 9}, 0},
		{byDatagrams, [3]Position{{1, 9}, {2, 9}, {3, 9}}, p{10, 9}, p{500, 9}, 0},
		{byDatagrams, [3]Position{{1<<32 - 3, 9}, {1<<32 - 2, 9}, {1<<32 - 1, 9}}, p{4, 9}, p{1, 9}, 2},
		{byRecords, [3]Position{{100, 10}, {110, 10}, {120, 10}}, p{170, 10}, p{140, 10}, 20},
		{byRecords, [3]Position{{100, 10}, {110, 10}, {120, 10}}, p{170, 10}, p{120, 10}, 40},
		{byRecords, [3]Position{{100, 10}, {113, 13}, {120, 7}}, p{170, 9}, p{140, 6}, 21}, // includes what it carries
	} {
		var s, next Sequence
		for _, m := range c.marks {
			s.Heard(Arrival{Position: m}, c.n)
		}
		m, _ := s.Mark()
		next.Follow(m)
		if got := next.Heard(Arrival{Position: c.next}, c.n).Missed.Lost(c.last); got != c.want {
			t.Errorf("%v, then %v, stored until %v: lost %d, want %d", c.marks, c.next, c.last, got, c.want)
		}
	}
}

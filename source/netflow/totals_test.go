package netflow

import (
	"slices"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/source"
)

// Reports of a living flow add up to its last total; what is no total of a flow is
// taken as it is.
func TestTotals(t *testing.T) {
	keys := []element{iana(8, 4), iana(12, 4), iana(4, 1), iana(7, 2), iana(11, 2)}
	total := slices.Concat(keys, []element{iana(152, 8), iana(153, 8), iana(85, 8), iana(86, 8)})
	now := uint64(arrival.UnixMilli())
	// report is a record of a flow that began at a time and has this much by another.
	report := func(list []element, port, start, end, bytes, packets uint64, more ...uint64) []byte {
		return be(list, append([]uint64{0x0a000001, 0x0a000002, 6, port, 80, start, end, bytes, packets}, more...)...)
	}
	f := func(what string, version uint16, list []element, want []uint64, continued uint64, reports ...[]byte) {
		t.Helper()
		for _, variableLength := range []bool{false, true} {
			list := slices.Clone(list)
			state := New(Options{})
			d, b := state.Decoder(), flow.Table.NewBatch(100)
			if variableLength {
				list = append(list, iana(999, variable))
			}
			datagram{version: version, body: templateOf(version, 300, list...)}.decode(d, b)
			for _, r := range reports {
				if variableLength {
					r = append(slices.Clone(r), 1, 9)
				}
				datagram{version: version, body: set16(300, r...)}.decode(d, b)
			}
			if got := values(b, flow.Bytes); !slices.Equal(got, want) || state.Counters().Continued.Load() != continued {
				t.Errorf("%s: got %v, %d continued; want %v, %d", what, got, state.Counters().Continued.Load(), want, continued)
			}
		}
	}
	s := now - 60_000
	f("a living flow", 10, total, []uint64{1000, 500, 0, 1500}, 3,
		report(total, 1, s, s+1000, 1000, 10), report(total, 1, s, s+2000, 1500, 15), report(total, 1, s, s+2000, 1500, 15), report(total, 1, s, s+4000, 3000, 30))
	f("two flows", 10, total, []uint64{1000, 10, 500, 20}, 2,
		report(total, 1, s, s+1000, 1000, 10), report(total, 2, s, s+1000, 10, 1), report(total, 1, s, s+2000, 1500, 15), report(total, 2, s, s+2000, 30, 3))
	f("the next flow of the same key", 10, total, []uint64{1000, 1500}, 0, report(total, 1, s, s+1000, 1000, 10), report(total, 1, s+1500, s+2000, 1500, 15))
	f("overtaken", 10, total, []uint64{1000, 2000, 0, 500}, 3,
		report(total, 1, s, s+1000, 1000, 10), report(total, 1, s, s+3000, 3000, 30), report(total, 1, s, s+2000, 2000, 20), report(total, 1, s, s+4000, 3500, 35))
	f("no total at all", 10, total, []uint64{1000, 500, 700, 900, 950}, 1, report(total, 1, s, s+1000, 1000, 10), report(total, 1, s, s+2000, 1500, 15),
		report(total, 1, s, s+3000, 700, 7), report(total, 1, s, s+4000, 900, 9), report(total, 1, s, s+5000, 950, 9))
	f("no start is known", 10, total, []uint64{1000, 1500}, 0, report(total, 1, 0, s+1000, 1000, 10), report(total, 1, 0, s+2000, 1500, 15))

	reason := append(slices.Clone(total), iana(136, 1))
	f("an end", 10, reason, []uint64{1000, 500, 2000, 2500}, 1, report(reason, 1, s, s+1000, 1000, 10, 2), report(reason, 1, s, s+2000, 1500, 15, 1),
		report(reason, 1, s, s+2000, 2000, 20, 0x83), report(reason, 1, s, s+3000, 2500, 25, 2)) // ended twice: all that came after is new
	event := append(slices.Clone(total), iana(233, 1))
	f("a firewall", 10, event, []uint64{1000, 1500}, 0, report(event, 1, s, s+1000, 1000, 10, 5), report(event, 1, s, s+2000, 1500, 15, 2))
	delta := slices.Concat(total, []element{iana(1, 8), iana(2, 8)})
	f("delta counters beside", 10, delta, []uint64{10, 20}, 0, report(delta, 1, s, s+1000, 1000, 10, 10, 1), report(delta, 1, s, s+2000, 1500, 15, 20, 2))
	without := slices.Concat(keys, []element{iana(210, 8), iana(153, 8), iana(85, 8), iana(86, 8)})
	f("no start in the template", 10, without, []uint64{1000, 1500}, 0, report(without, 1, s, s+1000, 1000, 10), report(without, 1, s, s+2000, 1500, 15))

	// Of 32 bits, over its end; start and end in SysUptime.
	short := slices.Concat(keys, []element{iana(22, 4), iana(21, 4), iana(85, 4), iana(86, 4)})
	const most = 1 << 32
	f("a total that wraps", 9, short, []uint64{most - 100, 300, 400, most - 700, 800}, 4, report(short, 1, 1000, 2000, most-100, 10), report(short, 1, 1000, 3000, 200, 12),
		report(short, 1, 1000, 4000, 600, 14), report(short, 1, 1000, 5000, most-100, 16), report(short, 1, 1000, 6000, 700, 18))
}

// Both directions of a biflow are totals.
func TestTotalsOfBiflows(t *testing.T) {
	back := func(id, length uint16) element { return element{column.IE{PEN: reversePEN, ID: id}, length} }
	list := []element{iana(8, 4), iana(12, 4), iana(152, 8), iana(85, 4), iana(86, 4), back(85, 4), back(86, 4)}
	state := New(Options{})
	d, b := state.Decoder(), flow.Table.NewBatch(100)
	datagram{version: 10, body: templateOf(10, 300, list...)}.decode(d, b)
	for _, v := range [][4]uint64{{100, 1, 50, 1}, {300, 2, 60, 2}, {300, 2, 1060, 3}} {
		datagram{version: 10, body: set16(300, be(list, 1, 2, uint64(arrival.UnixMilli()), v[0], v[1], v[2], v[3])...)}.decode(d, b)
	}
	// In the last report only the reverse direction has something new: one row.
	if got := values(b, flow.Bytes); !slices.Equal(got, []uint64{100, 50, 200, 10, 1000}) {
		t.Error(got)
	}
	if flow.SrcAddr.At(b, 4) != flow.DstAddr.At(b, 0) {
		t.Error("the last row is not turned round")
	}
}

// More living flows than are remembered: memory does not grow, and it is said.
func TestTooManyLiving(t *testing.T) {
	list := []element{iana(8, 4), iana(152, 8), iana(85, 4)}
	state := New(Options{})
	d, b := state.Decoder(), flow.Table.NewBatch(8192)
	datagram{version: 10, body: templateOf(10, 300, list...)}.decode(d, b)
	const n = 2 * maxActiveFlows
	send := func(from, to int, bytes uint64, at time.Time) {
		for ; from < to; from += 50 {
			var body []byte
			for i := range 50 {
				body = append(body, be(list, uint64(from+i), uint64(arrival.UnixMilli()), bytes)...)
			}
			d.Decode(&source.Datagram{Payload: datagram{version: 10, body: set16(300, body...)}.bytes(), Exporter: router, Received: at}, into(b, b.Reset))
		}
	}
	send(0, n, 100, arrival)
	if len(state.activeFlows.flows) != maxActiveFlows || refused(state, TooManyActiveFlows) < n/4 {
		t.Errorf("%d living flows are remembered, %d forgotten", len(state.activeFlows.flows), refused(state, TooManyActiveFlows))
	}
	// Those that were silent for long are no loss.
	was := refused(state, TooManyActiveFlows)
	send(n, n+n/100, 100, arrival.Add(time.Hour))
	if r := refused(state, TooManyActiveFlows); r != was {
		t.Errorf("%d more forgotten", r-was)
	}
	for _, p := range state.activeFlows.flows {
		if p.hash != 0 && p.bytes != 100 {
			t.Fatal(p)
		}
	}
}

package netflow

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/source"
)

// into makes an Out for rows of the table of a batch, which calls flush when that is full.
func into(b *column.Batch, flush func()) *source.Out {
	return source.NewOut(source.SinkFunc(func(*column.Batch) { flush() }), b)
}

// be is the values as big-endian integers of the widths of the elements.
func be(list []element, values ...uint64) (p []byte) {
	for i, e := range list {
		var b [16]byte
		binary.BigEndian.PutUint64(b[8:], values[i])
		p = append(p, b[16-e.length:]...)
	}
	return p
}

// rates are the sampling rates of all rows, with their sources.
func rates(b *column.Batch) string {
	var list []string
	for row := range b.Len() {
		list = append(list, fmt.Sprint(flow.SamplingRate.At(b, row), " ", flow.SamplingSource.Field.Enum[flow.SamplingSource.At(b, row)]))
	}
	return strings.Join(list, ", ")
}

// column values of all rows
func values(b *column.Batch, h column.U64) (list []uint64) {
	for row := range b.Len() {
		list = append(list, h.At(b, row))
	}
	return list
}

func refused(s *State, r source.Reason) uint64 {
	for reason, n := range s.counters.Refused() {
		if reason == r {
			return n
		}
	}
	return 0
}

var (
	bytesOnly  = []element{iana(1, 4)}
	withIfs    = []element{iana(1, 4), iana(10, 2), iana(14, 2)}
	samplerIDs = []element{iana(1, 4), iana(48, 1)}
)

func TestVersion(t *testing.T) {
	f := func(payload string, version int, ok bool) {
		t.Helper()
		if v, k := Version([]byte(payload)); v != version || k != ok {
			t.Errorf("Version(%q) = %d, %v", payload, v, k)
		}
	}
	f("", 0, false)
	f("\x00", 0, false)
	f("\x00\x05", 5, true)
	f("\x00\x09", 9, true)
	f("\x00\x0a...", 10, true)
	f("\x00\x01", 1, false)
	f("\x00\x00\x00\x05", 0, false) // sFlow
	f("\xff\xff", 65535, false)
}

// A probability has the width of a float; another width says nothing.
func TestProbability(t *testing.T) {
	f := func(v uint64, width int, want uint32) {
		t.Helper()
		if got := probability(v, width); got != want {
			t.Errorf("probability(%#x, %d) = %d, want %d", v, width, got, want)
		}
	}
	f(uint64(math.Float32bits(0.01)), 4, 100)
	f(math.Float64bits(0.001), 8, 1000)
	f(math.Float64bits(1), 8, 1)
	f(math.Float64bits(0), 8, 0)
	f(math.Float64bits(math.NaN()), 8, 0)
	f(math.Float64bits(-1), 8, 0)
	f(1, 2, 0)
	f(1, 1, 0)
}

func TestSampling(t *testing.T) {
	state := New(Options{SamplingRate: func(a netip.Addr) uint32 {
		if a == netip.MustParseAddr("192.0.2.1") {
			return 7
		}
		return 0
	}})
	d := state.Decoder()
	b := flow.Table.NewBatch(100)
	f := func(want string, m datagram, sets ...[]byte) {
		t.Helper()
		b.Reset()
		if m.version == 0 {
			m.version = 9
		}
		m.body = slices.Concat(sets...)
		m.decode(d, b)
		if got := rates(b); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	sampler := []element{iana(1, 4), iana(48, 1), iana(50, 4)} // scope system
	samplers := func(id, rate uint64) []byte { return set16(400, be(sampler, 0, id, rate)...) }
	wide := []element{iana(1, 4), iana(34, 4)}
	interfaces := []element{iana(2, 4), iana(34, 4)} // v9 scope type 2

	// Before options data, the configuration holds.
	f("7 config", datagram{}, templateOf(9, 300, bytesOnly...), set16(300, be(bytesOnly, 1)...))
	// Two samplers at one exporter.
	both := set16(301, append(be(samplerIDs, 1, 1), be(samplerIDs, 1, 2)...)...)
	f("7 config, 7 config", datagram{}, templateOf(9, 301, samplerIDs...), both)
	f("", datagram{}, optionsOf(9, 400, 1, sampler...), samplers(1, 100))
	f("100 options, 7 config", datagram{}, both)
	// The only sampler holds for records that name none.
	f("100 options", datagram{}, set16(300, be(bytesOnly, 1)...))
	f("", datagram{}, samplers(2, 200))
	f("100 options, 200 options", datagram{}, both)
	f("7 config", datagram{}, set16(300, be(bytesOnly, 1)...))
	// A changed rate holds from then on.
	f("100 options, 300 options", datagram{}, samplers(2, 300), both)
	// Another domain knows nothing of it.
	f("7 config, 7 config", datagram{domain: 5}, templateOf(9, 301, samplerIDs...), both)

	// Interfaces; the output interface when the input has no rate.
	ifs := set16(302, slices.Concat(be(withIfs, 1, 10, 20), be(withIfs, 1, 20, 10), be(withIfs, 1, 30, 31))...)
	f("10 options, 20 options, 7 config", datagram{domain: 2}, templateOf(9, 302, withIfs...), optionsOf(9, 401, 1, interfaces...),
		set16(401, append(be(interfaces, 10, 10), be(interfaces, 20, 20)...)...), ifs)
	// The whole exporter comes after interfaces.
	f("10 options, 20 options, 50 options", datagram{domain: 2}, optionsOf(9, 402, 1, wide...), set16(402, be(wide, 0, 50)...), ifs)

	// The record itself comes first, unless it says zero.
	own := []element{iana(1, 4), iana(34, 4)}
	f("11 record, 50 options", datagram{domain: 2}, templateOf(9, 303, own...), set16(303, append(be(own, 1, 11), be(own, 1, 0)...)...))

	// An options template that differs in the number of its scopes alone is another one.
	scoped := []element{iana(144, 4), iana(10, 4), iana(34, 4)}
	some := set16(302, slices.Concat(be(withIfs, 1, 10, 20), be(withIfs, 1, 30, 31))...)
	f("50 options, 50 options", datagram{version: 10, domain: 3}, templateOf(10, 302, withIfs...),
		optionsOf(10, 404, 1, scoped...), set16(404, be(scoped, 1, 10, 50)...), some)
	f("60 options, 50 options", datagram{version: 10, domain: 3}, optionsOf(10, 404, 2, scoped...), set16(404, be(scoped, 1, 10, 60)...), some)

	// Domain 0 stands for the whole exporter (IPFIX).
	process := []element{iana(144, 4), iana(305, 4), iana(306, 4)}
	f("", datagram{version: 10}, optionsOf(10, 403, 1, process...), set16(403, be(process, 1, 1, 999)...))
	f("1000 options", datagram{version: 10, domain: 8}, templateOf(10, 300, bytesOnly...), set16(300, be(bytesOnly, 1)...))

	// PSAMP: size and population of a selector, with the fields of systematic
	// sampling filled in too.
	selector := []element{iana(302, 4), iana(304, 2), iana(305, 4), iana(309, 4), iana(310, 4)}
	flows := []element{iana(1, 4), iana(302, 4)}
	f("256 options", datagram{version: 10, domain: 9}, optionsOf(10, 404, 1, selector...), set16(404, be(selector, 3, 3, 1, 1, 256)...),
		templateOf(10, 304, flows...), set16(304, be(flows, 1, 3)...))
	// Records may carry them as well.
	pairs := []element{iana(305, 4), iana(306, 4)}
	f("100 record", datagram{version: 10, domain: 9}, templateOf(10, 305, pairs...), set16(305, be(pairs, 10, 990)...))

	// All rates from options data, in the order of domains.
	var told []string
	for _, g := range state.Samplings() {
		if g.Exporter != router.Addr() || g.From != flow.SamplingOptions {
			t.Errorf("%+v", g)
		}
		told = append(told, fmt.Sprint(flow.FlowType.Field.Enum[g.Type], " ", g.Domain, " ", g.Of, " ", g.ID, " ", g.Rate))
	}
	if got, want := strings.Join(told, "\n"), `netflow9 0 selector 1 100
netflow9 0 selector 2 300
netflow9 2 exporter 0 50
netflow9 2 interface 10 10
netflow9 2 interface 20 20
ipfix 0 exporter 0 1000
ipfix 3 exporter 0 50
ipfix 3 interface 10 60
ipfix 9 selector 3 256`; got != want {
		t.Errorf("Samplings:\n%s\nwant\n%s", got, want)
	}

	// An exporter without a configured rate.
	b.Reset()
	d.Decode(&source.Datagram{Payload: datagram{version: 10, body: append(templateOf(10, 300, bytesOnly...), set16(300, 0, 0, 0, 1)...)}.bytes(),
		Exporter: netip.MustParseAddrPort("192.0.2.2:1"), Received: arrival}, into(b, b.Reset))
	if got := rates(b); got != "1 unknown" || flow.Quality.At(b, 0)&flow.NoSampling == 0 {
		t.Error("no rate at all: ", got)
	}
	// v5 says it in the header.
	p, _ := benchmark5()
	b.Reset()
	d.Decode(&source.Datagram{Payload: p, Exporter: router, Received: arrival}, into(b, b.Reset))
	if got := rates(b); !strings.HasPrefix(got, "100 header, ") {
		t.Error("v5: ", got)
	}
	x, _ := state.options.Exporters.Of(router.Addr(), flow.TypeNetFlow5)
	if x.SamplingRate.Load() != 100 || x.SamplingSource.Load() != uint32(flow.SamplingHeader) {
		t.Error("the exporter has ", x.SamplingRate.Load(), x.SamplingSource.Load())
	}
}

func TestTemplates(t *testing.T) {
	state := New(Options{})
	d := state.Decoder()
	b := flow.Table.NewBatch(100)
	f := func(what string, m datagram, want []uint64, sets ...[]byte) {
		t.Helper()
		b.Reset()
		m.version = 10
		m.body = slices.Concat(sets...)
		m.decode(d, b)
		if got := values(b, flow.Bytes); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	long := []element{iana(4, 1), iana(1, 8)}
	record := func(v uint64) []byte { return set16(300, be(bytesOnly, v)...) }

	f("template and data", datagram{port: 1}, []uint64{5}, templateOf(10, 300, bytesOnly...), record(5))
	f("other domain", datagram{port: 1, domain: 1}, []uint64{6}, templateOf(10, 300, long...), set16(300, be(long, 17, 6)...))
	f("first domain again", datagram{port: 1}, []uint64{7}, record(7))
	f("back from another port", datagram{port: 2}, []uint64{8}, record(8))
	f("a second process, same id", datagram{port: 3}, []uint64{9}, templateOf(10, 300, long...), set16(300, be(long, 17, 9)...))
	f("the first is not disturbed", datagram{port: 1}, []uint64{10}, record(10))
	f("which one a third port means is not known", datagram{port: 4}, nil, record(11))
	f("a new layout", datagram{port: 1}, []uint64{12}, templateOf(10, 300, long...), set16(300, be(long, 17, 12)...))
	f("all agree again", datagram{port: 5}, []uint64{13}, set16(300, be(long, 17, 13)...))
	f("what does not fit is not borrowed", datagram{port: 5}, nil, record(14))
	f("unknown set, then a known one", datagram{port: 1}, []uint64{15}, set16(999, 1, 2, 3, 4), set16(300, be(long, 17, 15)...))
	f("withdrawal is ignored over UDP", datagram{port: 1}, []uint64{16}, set16(templates10, 1, 44, 0, 0), set16(300, be(long, 17, 16)...))
	f("two templates, padding", datagram{port: 6}, []uint64{17, 18},
		append(templateOf(10, 300, bytesOnly...), set16(templates10, append(appendElements([]byte{1, 45, 0, 2}, long), 0, 0)...)...),
		set16(301, append(be(long, 17, 17), 0, 0, 0)...), record(18))

	if n := refused(state, NoTemplate); n != 0 {
		t.Error("sets are still waiting, but ", n, " were refused")
	}
	state.Settle()
	if n := refused(state, NoTemplate); n != 3 {
		t.Error("refused ", n, " sets without a template, want 3")
	}
	if state.waiting != 0 {
		t.Error("bytes wait: ", state.waiting)
	}
}

func TestWaiting(t *testing.T) {
	state := New(Options{WaitBytes: 4 * waitingSize(make([]byte, 4)) * 10})
	d := state.Decoder()
	b := flow.Table.NewBatch(100)
	for i := range 12 { // room for 10
		datagram{version: 9, sequence: uint32(i), body: set16(300, 0, 0, 0, byte(i))}.decode(d, b)
	}
	if b.Len() != 0 || refused(state, NoTemplate) != 2 {
		t.Fatal(b.Len(), " rows, refused ", refused(state, NoTemplate))
	}
	x, _ := state.options.Exporters.Of(router.Addr(), flow.TypeNetFlow9)
	if x.Waiting.Load() != 10 || x.Dropped.Load() != 2 {
		t.Error(x.Waiting.Load(), " sets wait, ", x.Dropped.Load(), " dropped")
	}
	datagram{version: 9, sequence: 12, body: append(templateOf(9, 300, bytesOnly...), set16(300, 0, 0, 0, 99)...)}.decode(d, b)
	if got := values(b, flow.Bytes); !slices.Equal(got, []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 99}) {
		t.Error(got)
	}
	for row := range b.Len() {
		late := flow.Quality.At(b, row)&flow.LateTemplate != 0
		if late != (row < 10) || int(flow.SequenceNum.At(b, row)) != []int{row, 12}[row/10] {
			t.Error(row, late, flow.SequenceNum.At(b, row))
		}
	}
	if state.waiting != 0 || state.Counters().Flows.Load() != 11 {
		t.Error(state.waiting, " bytes wait, ", state.Counters().Flows.Load(), " flows")
	}
	if x.Waiting.Load() != 0 || x.Records.Load() != 11 {
		t.Error(x.Waiting.Load(), " sets wait, ", x.Records.Load(), " records")
	}

	// Options data wait as well; what waited too long is given up.
	sampler := []element{iana(1, 4), iana(34, 4)}
	datagram{version: 9, domain: 1, body: set16(400, be(sampler, 0, 123)...)}.decode(d, b)
	datagram{version: 9, domain: 1, body: set16(300, 0, 0, 0, 1)}.decode(d, b)
	datagram{version: 9, domain: 1, body: optionsOf(9, 400, 1, sampler...)}.decode(d, b)
	b.Reset()
	later := arrival.Add(time.Hour)
	d.Decode(&source.Datagram{Payload: datagram{version: 9, domain: 1, body: append(templateOf(9, 300, bytesOnly...), set16(300, 0, 0, 0, 2)...)}.bytes(),
		Exporter: router, Received: later}, into(b, b.Reset))
	if got := rates(b); got != "123 options" || refused(state, NoTemplate) != 3 {
		t.Error(got, refused(state, NoTemplate))
	}
}

func TestLimits(t *testing.T) {
	state := New(Options{ExporterTemplates: 10, Templates: 50})
	d := state.Decoder()
	b := flow.Table.NewBatch(100)
	good := datagram{version: 10, port: 9, body: append(templateOf(10, 300, bytesOnly...), set16(300, 0, 0, 0, 1)...)}
	good.decode(d, b)
	for i := range 20 {
		datagram{version: 10, port: 9, body: templateOf(10, uint16(400+i), bytesOnly...)}.decode(d, b)
	}
	// The session and 9 templates are held.
	if n := refused(state, TooManyTemplates); n != 12 {
		t.Error(n, " templates refused, want 12")
	}
	x, _ := state.options.Exporters.Of(router.Addr(), flow.TypeIPFIX)
	if x.Templates.Load() != 9 {
		t.Error(x.Templates.Load())
	}
	// A flood from forged addresses stays within the limit and does not push out
	// the one that sends flows.
	for i := range 2000 {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1)
		d.Decode(&source.Datagram{Payload: datagram{version: 10, body: templateOf(10, 300, bytesOnly...)}.bytes(), Exporter: from, Received: arrival}, into(b, b.Reset))
		if state.held > 50 {
			t.Fatal(state.held, " held")
		}
	}
	b.Reset()
	datagram{version: 10, port: 9, body: set16(300, 0, 0, 0, 2)}.decode(d, b)
	if got := values(b, flow.Bytes); !slices.Equal(got, []uint64{2}) {
		t.Error("the good exporter lost its template: ", got)
	}
	held, bytes := 0, 0
	for _, x := range state.exporters {
		for _, dom := range x.domains {
			for _, s := range dom.sessions {
				held += 1 + len(s.templates)
				for _, tpl := range s.templates {
					bytes += len(tpl.spec)
				}
			}
		}
	}
	if held != state.held || bytes != state.bytes {
		t.Errorf("accounts are wrong: %d held, %d counted; %d bytes, %d counted", state.held, held, state.bytes, bytes)
	}
	// A session that is silent is forgotten.
	for range sweepsPerExpiry + 3 {
		state.mu.Lock()
		state.swept = time.Time{}
		state.sweepLocked()
		state.mu.Unlock()
	}
	if state.held != 0 || state.bytes != 0 || len(state.exporters) != 0 {
		t.Error("not forgotten: ", state.held, state.bytes, len(state.exporters))
	}
	b.Reset()
	datagram{version: 10, port: 9, body: set16(300, 0, 0, 0, 2)}.decode(d, b)
	if b.Len() != 0 {
		t.Error("decoded with a forgotten template")
	}
}

// TestLoss goes through datagrams: IPFIX counts records, those of options too.
func TestLoss(t *testing.T) {
	state := New(Options{})
	d := state.Decoder()
	b := flow.Table.NewBatch(100)
	wide := []element{iana(144, 4), iana(34, 4)}
	datagram{version: 10, sequence: 0, body: slices.Concat(templateOf(10, 300, bytesOnly...), optionsOf(10, 400, 1, wide...),
		set16(400, be(wide, 1, 1)...), set16(300, 0, 0, 0, 1, 0, 0, 0, 2))}.decode(d, b)
	datagram{version: 10, sequence: 3, body: set16(300, 0, 0, 0, 3)}.decode(d, b)
	datagram{version: 10, sequence: 6, body: set16(300, 0, 0, 0, 3)}.decode(d, b)
	state.Settle()
	x, _ := state.options.Exporters.Of(router.Addr(), flow.TypeIPFIX)
	if state.Counters().Lost.Load() != 2 || x.Lost.Load() != 2 {
		t.Error("lost ", state.Counters().Lost.Load(), x.Lost.Load())
	}
}

func TestTimes(t *testing.T) {
	b := flow.Table.NewBatch(10)
	now := arrival.Unix()
	f := func(what string, version uint16, list []element, record []byte, start, end int64, quality uint16) {
		t.Helper()
		b.Reset()
		datagram{version: version, body: append(templateOf(version, 300, list...), set16(300, record...)...)}.decode(New(Options{}).Decoder(), b)
		if b.Len() != 1 {
			t.Fatal(what, ": no row")
		}
		gs, ge, q := int64(flow.FlowStart.At(b, 0)), int64(flow.FlowEnd.At(b, 0)), flow.Quality.At(b, 0)&(flow.NoTime|flow.ClockSkewed)
		if gs != start || ge != end || q != quality {
			t.Errorf("%s: got %d to %d, quality %b; want %d to %d, %b", what, gs, ge, q, start, end, quality)
		}
	}
	up := []element{iana(22, 4), iana(21, 4)}
	// SysUptime is 1,000,000 in these datagrams, the header has whole seconds.
	f("uptime", 9, up, be(up, 990_000, 995_000), now*1000-10_000, now*1000-5_000, 0)
	f("uptime in the next datagram", 9, up, be(up, 999_000, 1_000_500), now*1000-1000, now*1000+500, 0)
	f("before the wrap", 9, up, be(up, 1<<32-1_000_000, 0), now*1000-2_000_000, now*1000-1_000_000, 0)
	f("IPFIX has no uptime", 10, up, be(up, 1, 2), arrival.UnixMilli(), arrival.UnixMilli(), flow.NoTime)
	init := append([]element{iana(160, 8)}, up...)
	f("unless with the time of initialisation", 10, init, be(init, uint64(now*1000-500_000), 100_000, 200_000), now*1000-400_000, now*1000-300_000, 0)
	secs := []element{iana(150, 4), iana(151, 4)}
	f("seconds", 10, secs, be(secs, uint64(now-9), uint64(now-3)), now*1000-9000, now*1000-3000, 0)
	millis := []element{iana(150, 4), iana(152, 8), iana(153, 8)}
	f("milliseconds win", 10, millis, be(millis, uint64(now-9), uint64(now*1000-8500), uint64(now*1000-1)), now*1000-8500, now*1000-1, 0)
	ntp := []element{iana(154, 8), iana(157, 8)}
	f("micro- and nanoseconds", 10, ntp, be(ntp, uint64(now+ntpEpoch-5)<<32|1<<31, uint64(now+ntpEpoch)<<32|1<<30), now*1000-4500, now*1000+250, 0)
	delta := []element{iana(158, 4), iana(159, 4)}
	f("delta microseconds", 10, delta, be(delta, 3_000_000, 0), now*1000-3000, now*1000, 0)
	f("none", 10, bytesOnly, be(bytesOnly, 1), arrival.UnixMilli(), arrival.UnixMilli(), flow.NoTime)
	f("only a start", 10, secs[:1], be(secs[:1], uint64(now-9)), now*1000-9000, now*1000-9000, 0)
	f("1970", 10, secs, be(secs, 100, 200), arrival.UnixMilli(), arrival.UnixMilli(), flow.ClockSkewed)
	f("2100", 10, secs, be(secs, 4102444800, uint64(now)), now*1000, now*1000, flow.ClockSkewed)
	f("two days ahead", 10, secs, be(secs, uint64(now+172800), uint64(now+172801)), now*1000+172800_000, now*1000+172801_000, flow.ClockSkewed)
	dur := []element{iana(152, 8), iana(161, 4)}
	f("duration", 10, dur, be(dur, uint64(now*1000-5000), 1500), now*1000-5000, now*1000-3500, 0)
}

func TestNTP(t *testing.T) {
	f := func(v uint64, want int64) {
		t.Helper()
		if got := int64(ntpMillis(v)); got != want {
			t.Errorf("%#x: got %d, want %d", v, got, want)
		}
	}
	f(0, 0)
	f(ntpEpoch<<32, 0)
	f((ntpEpoch+1)<<32|0x80000000, 1500)
	f(0x00000001_00000000, (1<<32+1-ntpEpoch)*1000) // 2036
}

func TestTwoHeaders(t *testing.T) {
	list := []element{iana(27, 16), iana(28, 16), iana(4, 1), iana(5, 1), iana(8, 4), iana(12, 4), iana(4, 1), iana(5, 1), iana(60, 1)}
	p := slices.Concat([]byte{0x20, 1, 15: 1}, []byte{0x20, 1, 15: 2}, []byte{4, 9, 10, 0, 0, 1, 10, 0, 0, 2, 17, 8, 6})
	b := flow.Table.NewBatch(10)
	datagram{version: 10, body: append(templateOf(10, 300, list...), set16(300, p...)...)}.decode(New(Options{}).Decoder(), b)
	got := string(column.AppendJSON(nil, b, 0))
	for _, want := range []string{`"SrcAddr":"10.0.0.1"`, `"DstAddr":"10.0.0.2"`, `"OuterSrcAddr":"2001::1"`, `"OuterDstAddr":"2001::2"`, `"Proto":17`, `"IPTos":8`, `"EType":2048`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
}

func TestTunnelType(t *testing.T) {
	f := func(proto, port uint64, outer string, segments bool, want uint8) {
		t.Helper()
		list := []element{iana(4, 1), iana(11, 2), iana(8, 4), iana(12, 4), iana(8, 4), iana(12, 4), iana(4, 1)}
		record := be(list, proto, port, 1, 2, 0x0a000001, 0x0a000002, 6)
		if outer == "v6" {
			list[2], list[3] = iana(27, 16), iana(28, 16)
			record = be(list, proto, port, 1, 2, 0x0a000001, 0x0a000002, 6)
		}
		if segments {
			list = append(list, iana(498, 1))
			record = append(record, 1)
		}
		b := flow.Table.NewBatch(10)
		datagram{version: 10, body: append(templateOf(10, 300, list...), set16(300, record...)...)}.decode(New(Options{}).Decoder(), b)
		if got := flow.TunnelType.At(b, 0); got != want || flow.Proto.At(b, 0) != 6 {
			t.Errorf("protocol %d in %s: type %d, want %d; inner protocol %d", proto, outer, got, want, flow.Proto.At(b, 0))
		}
	}
	f(4, 0, "v4", false, flow.TunnelIPIP)
	f(4, 0, "v6", false, flow.TunnelIPIP)
	f(41, 0, "v4", false, flow.Tunnel6in4)
	f(41, 0, "v6", false, flow.TunnelIPIP)
	f(41, 0, "v6", true, flow.TunnelSRv6)
	f(43, 0, "v6", false, flow.TunnelSRv6)
	f(47, 0, "v4", false, flow.TunnelGRE)
	f(17, 4789, "v4", false, flow.TunnelVXLAN)
	f(17, 6081, "v4", false, flow.TunnelGeneve)
	f(17, 2152, "v6", false, flow.TunnelGTPU)
	f(17, 8472, "v4", false, flow.TunnelVXLAN)
	f(17, 6635, "v4", false, flow.TunnelMPLS)
	f(97, 0, "v4", false, flow.TunnelEtherIP)
	f(115, 0, "v6", false, flow.TunnelL2TP)
	f(17, 53, "v4", false, flow.TunnelNone)
}

// TestRareElements: address translation, firewalls, ranges, and structured data
// (RFC 6313), which is skipped by its length.
func TestRareElements(t *testing.T) {
	f := func(want string, list []element, record []byte) {
		t.Helper()
		b := flow.Table.NewBatch(10)
		state := New(Options{})
		datagram{version: 10, body: append(templateOf(10, 300, list...), set16(300, record...)...)}.decode(state.Decoder(), b)
		if b.Len() != 1 {
			t.Fatal(b.Len(), " rows")
		}
		if got := string(column.AppendJSON(nil, b, 0)); !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
		for reason, n := range state.Counters().Refused() {
			if n > 0 {
				t.Error(reason, ": ", n)
			}
		}
	}
	block := []element{iana(8, 4), iana(225, 4), iana(361, 2), iana(362, 2), iana(363, 2), iana(364, 2), iana(230, 1), iana(233, 1)}
	f(`"SrcAddrNAT":"203.0.113.9","NatEvent":16,"FirewallEvent":1,"PortRangeStart":1024,"PortRangeEnd":2047,"PortRangeStep":1,"PortRangeNumPorts":1024`,
		block, be(block, 0x64400001, 0xcb007109, 1024, 2047, 1, 1024, 16, 1))
	ranges := []element{iana(25, 8), iana(26, 2), iana(52, 1), iana(53, 1)}
	f(`"IPTTL":61,"MaxTTL":64,"MinPacketLength":40,"MaxPacketLength":1500`, ranges, be(ranges, 40, 1500, 61, 64))
	ranges = append(ranges, iana(192, 1))
	f(`"IPTTL":63,"MaxTTL":64`, ranges, be(ranges, 40, 1500, 61, 64, 63))
	// forwardingStatus may be longer than its octet.
	for length := uint16(1); length <= 4; length++ {
		status := []element{iana(89, length), iana(1, 4)}
		f(`"ForwardingStatus":66`, status, be(status, 66, 1))
	}
	layer2 := []element{iana(352, 8), iana(353, 8), iana(430, 8), iana(431, 8)}
	f(`"Bytes":1518,"Packets":1`, layer2, be(layer2, 1518, 9999, 1, 9))
	layer2 = []element{iana(353, 8), iana(431, 8)}
	f(`"Bytes":1518,"Packets":1`, layer2, be(layer2, 1518, 1))
	post := []element{iana(23, 8), iana(24, 8), iana(85, 8), iana(86, 8)}
	f(`"Bytes":100,"Packets":1`, post, be(post, 100, 1, 900, 9))
	totals := []element{iana(171, 8), iana(86, 8)}
	f(`"Bytes":7000,"Packets":70`, totals, be(totals, 7000, 70))
	// QinQ and 802.1ah: both tags, and the MAC addresses of the customer's frame.
	tags := []element{iana(243, 2), iana(245, 2), iana(254, 2), iana(255, 2), iana(56, 6), iana(80, 6), iana(414, 6), iana(415, 6)}
	f(`"SrcMac":"00:00:00:00:00:03","DstMac":"00:00:00:00:00:04","SrcVlan":200,"DstVlan":300,"SrcCustomerVlan":2001,"DstCustomerVlan":3001`,
		tags, be(tags, 200, 2001, 300, 3001, 1, 2, 3, 4))
	f(`"SrcMac":"00:00:00:00:00:01","DstMac":"00:00:00:00:00:02","SrcVlan":200`, tags, be(tags, 200, 0, 0, 0, 1, 2, 0, 0))
	segment := []element{iana(351, 8), iana(1, 4)}
	f(`"VNI":5010`, segment, be(segment, 1<<56|5010, 1))

	for _, id := range []uint16{291, 292, 293} {
		lists := []element{iana(1, 4), iana(id, variable), iana(2, 4)}
		// basicList: semantic, element 2, length 2, two values.
		f(`"Bytes":5,"Packets":6`, lists, slices.Concat([]byte{0, 0, 0, 5, 9, 3, 0, 2, 0, 2, 0, 1, 0, 2}, []byte{0, 0, 0, 6}))
		f(`"Bytes":5,"Packets":6`, lists, slices.Concat([]byte{0, 0, 0, 5, 255, 1, 44}, make([]byte, 300), []byte{0, 0, 0, 6}))
		f(`"Bytes":5,"Packets":6`, lists, []byte{0, 0, 0, 5, 0, 0, 0, 0, 6})
		lists[1].length = 9
		f(`"Bytes":5,"Packets":6`, lists, []byte{0, 0, 0, 5, 3, 0, 2, 0, 2, 0, 1, 0, 2, 0, 0, 0, 6})
	}
}

// TestSections: the beginning of a sampled packet in a record (RFC 5477 §8.5) is read
// like the packet; it counts once, with its length, unless the record has counters.
func TestSections(t *testing.T) {
	ipv4 := []byte{0x45, 0xb8, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2, 0xc0, 1, 0, 53, 0, 8, 0, 0}
	ethernet := slices.Concat([]byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xa8, 0, 200, 0x81, 0, 7, 0xd1, 8, 0}, ipv4)
	labels := slices.Concat([]byte{0, 1, 0x21, 64}, ipv4)
	const addresses = `"SrcAddr":"192.0.2.1","DstAddr":"198.51.100.2","SrcPort":49153,"DstPort":53,"Proto":17,"EType":2048`
	f := func(id uint16, section []byte, want string, more ...element) {
		t.Helper()
		for _, length := range []uint16{variable, uint16(len(section))} {
			list := append(slices.Clone(more), iana(id, length))
			var record []byte
			for _, e := range more {
				record = append(record, be([]element{e}, 1000)...)
			}
			if length == variable {
				record = append(record, byte(len(section)))
			}
			b := flow.Table.NewBatch(10)
			datagram{version: 10, body: append(templateOf(10, 300, list...), set16(300, append(record, section...)...)...)}.decode(New(Options{}).Decoder(), b)
			if got := string(column.AppendJSON(nil, b, 0)); b.Len() != 1 || !strings.Contains(got, want) {
				t.Errorf("element %d: %d rows, no %s in %s", id, b.Len(), want, got)
			}
		}
	}
	f(313, ipv4, `"Bytes":28,"Packets":1,`+addresses)
	f(315, ethernet, `"Bytes":28,"Packets":1,`+addresses)
	f(315, ethernet, `"SrcVlan":200,"SrcCustomerVlan":2001`)
	f(104, ethernet, `"Bytes":28,"Packets":1,`+addresses)
	f(316, labels, `"MPLSLabels":[18]`)
	f(315, ethernet, `"Bytes":1000,`+addresses, iana(1, 4))
	f(315, ethernet[:12], `"Bytes":1000,"Packets":1`, iana(312, 2)) // no IP header that says a length
	f(104, ethernet[:12], `"Bytes":1000,"Packets":1`, iana(103, 2))
}

func TestBiflow(t *testing.T) {
	back := func(id, length uint16) element { return element{column.IE{PEN: reversePEN, ID: id}, length} }
	f := func(what string, list []element, record []byte, want ...string) {
		t.Helper()
		for _, size := range []int{100, 4, 2} {
			b := flow.Table.NewBatch(size)
			var got []string
			flush := func() {
				for row := range b.Len() {
					var s []string
					for _, h := range []column.U16{flow.SrcPort, flow.DstPort, flow.TCPFlags} {
						s = append(s, fmt.Sprint(h.At(b, row)))
					}
					s = append(s, fmt.Sprint(flow.Bytes.At(b, row), flow.Packets.At(b, row), flow.InIf.At(b, row), flow.OutIf.At(b, row),
						flow.Direction.At(b, row), flow.SrcAddr.At(b, row).IP(), arrival.Unix()*1000-int64(flow.FlowStart.At(b, row))))
					got = append(got, strings.Join(s, " "))
				}
				b.Reset()
			}
			var body []byte
			for range 5 {
				body = append(body, record...)
			}
			p := datagram{version: 10, body: append(templateOf(10, 300, list...), set16(300, body...)...)}.bytes()
			state := New(Options{})
			state.Decoder().Decode(&source.Datagram{Payload: p, Exporter: router, Received: arrival}, into(b, flush))
			flush()
			if len(got) != 5*len(want) || state.Counters().Flows.Load() != uint64(len(got)) {
				t.Fatalf("%s: %d rows, %d counted, want %d: %q", what, len(got), state.Counters().Flows.Load(), 5*len(want), got)
			}
			slices.Sort(got)
			for i, w := range want {
				if got[i*5] != w || got[i*5+4] != w {
					t.Errorf("%s, batch of %d:\n got %q\nwant %q", what, size, got[i*5], w)
				}
			}
		}
	}
	now := uint64(arrival.Unix() * 1000)
	keys := []element{iana(8, 4), iana(12, 4), iana(7, 2), iana(11, 2), iana(10, 2), iana(14, 2), iana(61, 1), iana(6, 1), iana(1, 4), iana(2, 4), iana(152, 8)}
	values := []uint64{0x0a000001, 0x0a000002, 1000, 80, 1, 2, 0, 0x1b, 500, 5, now - 9000}
	forward, other := "1000 80 27 500 5 1 2 1 10.0.0.1 9000", "80 1000 "
	two := append(slices.Clone(keys), back(1, 4), back(2, 4), back(6, 1), back(152, 8))
	f("both", two, be(two, append(slices.Clone(values), 7000, 70, 0x12, now-8000)...), forward, other+"18 7000 70 2 1 2 10.0.0.2 8000")
	f("only back", two, be(two, append(append(slices.Clone(values[:8]), 0, 0, now-9000), 7000, 70, 0x12, now-8000)...), other+"18 7000 70 2 1 2 10.0.0.2 8000")
	f("none back", two, be(two, append(slices.Clone(values), 0, 0, 0, 0)...), forward)
	two = append(slices.Clone(keys), back(1, 4), back(2, 4))
	f("no times back", two, be(two, append(slices.Clone(values), 7000, 70)...), forward, other+"0 7000 70 2 1 2 10.0.0.2 9000")
	long := append(slices.Clone(two), iana(999, variable))
	f("variable length", long, append(be(two, append(slices.Clone(values), 7000, 70)...), 2, 1, 1), forward, other+"0 7000 70 2 1 2 10.0.0.2 9000")
	firewall := append(slices.Clone(keys), iana(231, 4), iana(298, 4), iana(232, 4), iana(299, 4))
	f("responder beside delta counters", firewall, be(firewall, append(slices.Clone(values), 1, 2, 3, 4)...), forward)
	firewall = slices.Concat(keys[:8], firewall[10:])
	f("responder", firewall, be(firewall, append(slices.Clone(values[:8]), now-9000, 1, 2, 3, 4)...),
		"1000 80 27 1 2 1 2 1 10.0.0.1 9000", other+"0 3 4 2 1 2 10.0.0.2 9000")
}

func TestMalformed(t *testing.T) {
	f := func(what string, payload []byte, reason source.Reason, flows int) {
		t.Helper()
		exporters := &source.Exporters{}
		state := New(Options{Exporters: exporters})
		b := flow.Table.NewBatch(100)
		state.Decoder().Decode(&source.Datagram{Payload: payload, Exporter: router, Received: arrival}, into(b, b.Reset))
		if b.Len() != flows || refused(state, reason) == 0 {
			t.Errorf("%s: %d flows, %v: %d", what, b.Len(), reason, refused(state, reason))
		}
		for _, x := range exporters.List() {
			if s := x.Sample(); s == nil || s.Reason != reason || s.Octets != len(payload) || !bytes.Equal(s.Head, payload[:min(len(payload), 256)]) {
				t.Errorf("%s: sample %+v", what, s)
			}
		}
	}
	v := func(version uint16, sets ...[]byte) []byte {
		return datagram{version: version, body: slices.Concat(sets...)}.bytes()
	}
	tpl, data := templateOf(9, 300, bytesOnly...), set16(300, 0, 0, 0, 1)
	f("empty", nil, source.UnknownVersion, 0)
	f("version 1", []byte{0, 1, 0, 0}, source.UnknownVersion, 0)
	f("short v5", []byte{0, 5, 0, 1}, source.ShortDatagram, 0)
	f("short v9", v(9)[:19], source.ShortDatagram, 0)
	f("short IPFIX", v(10)[:15], source.ShortDatagram, 0)
	f("set too long", v(9, tpl, data, []byte{1, 44, 0, 99, 1}), source.BadLength, 1)
	f("set too short", v(9, tpl, data, []byte{1, 44, 0, 3, 1}), source.BadLength, 1)
	f("reserved set", v(9, tpl, set16(77, 1, 2), data), UnknownSet, 1)
	f("template with a reserved id", v(9, set16(templates9, 0, 9, 0, 1, 0, 1, 0, 4)), BadTemplate, 0)
	f("template cut short", v(9, set16(templates9, 1, 44, 0, 9, 0, 1, 0, 4), tpl, data), BadTemplate, 1)
	f("template of nothing", v(9, set16(templates9, 1, 44, 0, 1, 0, 1, 0, 0)), BadTemplate, 0)
	f("enterprise number cut off", v(10, set16(templates10, 1, 44, 0, 1, 0x80, 1, 0, 4)), BadTemplate, 0)
	f("more scopes than fields", v(10, set16(options10, 1, 44, 0, 1, 0, 2, 0, 1, 0, 4)), BadTemplate, 0)
	short := v(10, templateOf(10, 300, bytesOnly...), data)
	binary.BigEndian.PutUint16(short[2:], 999)
	f("IPFIX length beyond the datagram", short, source.BadLength, 1)
	tail := append(v(10, templateOf(10, 300, bytesOnly...), data), 1, 2, 3, 4, 5)
	f("bytes behind the message", tail, source.BadLength, 1)
	long := []element{iana(1, 4), iana(999, variable)}
	f("variable length beyond the set", v(10, templateOf(10, 301, long...), set16(301, 0, 0, 0, 1, 2, 7, 7, 0, 0, 0, 2, 200)), source.BadLength, 1)

	p, n := benchmark5()
	binary.BigEndian.PutUint16(p[2:], 55582)
	f("v5 count too large", p, source.BadCount, n)
	binary.BigEndian.PutUint16(p[2:], 3)
	f("v5 count too small", p, source.BadCount, 3)
	binary.BigEndian.PutUint16(p[2:], uint16(n))
	f("v5 cut short", p[:len(p)-1], source.BadCount, n-1)
}

// TestSmallBatch sees that a batch which fills up in the middle of a set is
// flushed and nothing is lost.
func TestSmallBatch(t *testing.T) {
	for _, list := range [][]element{bytesOnly, {iana(1, 4), iana(999, variable)}} {
		b := flow.Table.NewBatch(3)
		var got []uint64
		flush := func() { got = append(got, values(b, flow.Bytes)...); b.Reset() }
		var body []byte
		for i := range 10 {
			body = append(body, 0, 0, 0, byte(i))
			if len(list) > 1 {
				body = append(body, 1, 9)
			}
		}
		p := datagram{version: 10, body: append(templateOf(10, 300, list...), set16(300, body...)...)}.bytes()
		state := New(Options{})
		state.Decoder().Decode(&source.Datagram{Payload: p, Exporter: router, Received: arrival}, into(b, flush))
		flush()
		if !slices.Equal(got, []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) || state.Counters().Flows.Load() != 10 {
			t.Error(got)
		}
	}
}

func TestApplications(t *testing.T) {
	state := New(Options{})
	d := state.Decoder()
	b := flow.Table.NewBatch(10)
	names := []element{iana(1, 4), iana(95, 4), iana(96, 8)}
	flows := []element{iana(1, 4), iana(95, 4)}
	datagram{version: 9, body: slices.Concat(optionsOf(9, 400, 1, names...),
		set16(400, append([]byte{0, 0, 0, 0, 3, 0, 0, 80}, "http\x00\x00\x00\x00"...)...),
		templateOf(9, 300, flows...), set16(300, be(flows, 1, 3<<24|80)...), set16(300, be(flows, 1, 3<<24|81)...))}.decode(d, b)
	if a, n := flow.ApplicationName.At(b, 0).String(), flow.ApplicationName.At(b, 1).String(); a != "http" || n != "" {
		t.Errorf("%q, %q", a, n)
	}
	// What options data tell of an application besides its name goes into Extra, if that
	// is wanted; a vendor's own engine has ids of nine octets (FortiOS).
	chosen, err := Elements([]string{"applicationCategoryName", "applicationSubCategoryName", "applicationGroupName"})
	if err != nil {
		t.Fatal(err)
	}
	state = New(Options{Extra: chosen})
	d = state.Decoder()
	for _, own := range []bool{false, true} {
		b.Reset()
		names = []element{iana(1, 4), iana(95, 9), iana(96, 8), iana(372, 8), iana(373, 8), iana(374, 8)}
		if own { // Cisco's elements
			for i := range uint16(3) {
				names[3+i].IE = column.IE{PEN: ciscoPEN, ID: 12232 + i}
			}
		}
		flows = []element{iana(1, 4), iana(95, 9)}
		id := []byte{20, 0, 0, 0x30, 0x44, 0, 0, 0, 9}
		datagram{version: 10, body: slices.Concat(optionsOf(10, 400, 1, names...),
			set16(400, slices.Concat([]byte{0, 0, 0, 0}, id, padded("ssh", 8), padded("admin", 8), padded("login", 8), padded("shell", 8))...),
			templateOf(10, 300, flows...), set16(300, append([]byte{0, 0, 0, 1}, id...)...))}.decode(d, b)
		if got := string(column.AppendJSON(nil, b, 0)); !strings.HasSuffix(got, `"ApplicationName":"ssh","Extra":{"applicationCategoryName":"admin","applicationSubCategoryName":"login","applicationGroupName":"shell"}}`) {
			t.Error(got)
		}
	}
	for id, x := range state.Metadata(router.Addr()).Applications() {
		if id != 20<<56|12356<<32|9 || x.Name.String() != "ssh" || x.Group.String() != "shell" {
			t.Errorf("%#x: %v", id, x)
		}
	}
	// The record may carry the category itself.
	flows = append(flows, iana(372, 8))
	b.Reset()
	datagram{version: 10, body: append(templateOf(10, 301, flows...), set16(301, append(make([]byte, 13), padded("games", 8)...)...)...)}.decode(d, b)
	if got := string(column.AppendJSON(nil, b, 0)); !strings.HasSuffix(got, `"Extra":{"applicationCategoryName":"games"}}`) {
		t.Error(got)
	}

	// The record may carry the name itself.
	named := []element{iana(1, 4), iana(96, variable)}
	b.Reset()
	datagram{version: 10, body: append(templateOf(10, 300, named...), set16(300, append([]byte{0, 0, 0, 1, 3}, "dns"...)...)...)}.decode(d, b)
	if a := flow.ApplicationName.At(b, 0).String(); a != "dns" {
		t.Errorf("%q", a)
	}
}

func TestAllocs(t *testing.T) {
	b := flow.Table.NewBatch(4096)
	out := into(b, b.Reset)
	f := func(what string, first, data []byte) {
		t.Helper()
		d := New(Options{}).Decoder()
		dg := source.Datagram{Payload: first, Exporter: router, Received: arrival}
		d.Decode(&dg, out)
		dg.Payload = data
		d.Decode(&dg, out)
		if n := testing.AllocsPerRun(500, func() { d.Decode(&dg, out) }); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
	}
	p5, _ := benchmark5()
	f("v5", p5, p5)
	t9, p9, _ := benchmarkDatagram(9)
	f("v9", t9, p9)
	t10, p10, _ := benchmarkDatagram(10)
	f("IPFIX", t10, p10)

	totals := []element{iana(8, 4), iana(152, 8), iana(153, 8), iana(85, 8), iana(86, 8)}
	f("totals", datagram{version: 10, body: templateOf(10, 300, totals...)}.bytes(),
		datagram{version: 10, body: set16(300, be(totals, 1, uint64(arrival.UnixMilli()), uint64(arrival.UnixMilli()), 100, 1)...)}.bytes())

	// Everything that costs something: variable length, samplers, text, labels.
	list := []element{iana(1, 8), iana(48, 2), iana(96, variable), iana(70, 3), iana(71, 3), iana(27, 16), iana(8, 4), iana(152, 8), iana(32, 2), iana(61, 1)}
	record := slices.Concat(be(list[:2], 1500, 1), []byte{3, 'w', 'e', 'b'}, []byte{0, 1, 0, 0, 2, 1}, make([]byte, 16), []byte{10, 0, 0, 1},
		be(list[7:], uint64(arrival.UnixMilli()), 0x0800, 1))
	f("variable", datagram{version: 10, body: templateOf(10, 300, list...)}.bytes(),
		datagram{version: 10, body: set16(300, slices.Concat(record, record, record)...)}.bytes())
}

// TestConcurrent decodes in several goroutines what shares templates and facts
// that keep changing. Run it with -race.
func TestConcurrent(t *testing.T) {
	state := New(Options{Templates: 200})
	long := []element{iana(4, 1), iana(1, 8)}
	wide := []element{iana(144, 4), iana(34, 4)}
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			d := state.Decoder()
			b := flow.Table.NewBatch(100)
			for i := range 300 {
				m := datagram{version: 10, port: uint16(1 + (worker+i)%3), domain: uint32(i % 2), sequence: uint32(i)}
				switch i % 10 {
				case 0:
					m.body = templateOf(10, 300, bytesOnly...)
				case 3:
					m.body = templateOf(10, 300, long...)
				case 5:
					m.body = append(optionsOf(10, 400, 1, wide...), set16(400, be(wide, 1, uint64(i))...)...)
				case 7:
					m.body = templateOf(10, uint16(301+i%300), bytesOnly...)
				default:
					m.body = append(set16(300, be(long, 17, 1)...), set16(uint16(301+i%300), be(bytesOnly, 1)...)...)
				}
				m.decode(d, b)
				if worker == 0 && i%100 == 0 {
					state.Settle()
				}
			}
		})
	}
	wg.Wait()
}

// An exporter that was taken off the list comes onto it again with its next datagram,
// with the templates and the waiting sets that are held of it; nothing that was
// counted is missing from the sum.
func TestForgottenExporter(t *testing.T) {
	state := New(Options{})
	d := state.Decoder()
	b := flow.Table.NewBatch(100)
	list := state.options.Exporters
	good := datagram{version: 10, body: slices.Concat(templateOf(10, 300, bytesOnly...), set16(300, 0, 0, 0, 1), set16(301, 0, 0, 0, 2))}
	good.decode(d, b)
	first, _ := list.Of(router.Addr(), flow.TypeIPFIX)
	first.LastSeen.Store(0)
	for i := uint32(0); !first.Forgotten(); i++ {
		x, _ := list.Of(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), flow.TypeNetFlow9)
		x.Records.Store(1)
		x.LastSeen.Store(1)
	}
	good = datagram{version: 10, sequence: 1, body: set16(300, 0, 0, 0, 3)}
	good.decode(d, b)
	x, known := list.Of(router.Addr(), flow.TypeIPFIX)
	if !known || x == first || x.Datagrams.Load() != 1 || x.Templates.Load() != 1 || x.Waiting.Load() != 1 {
		t.Errorf("known %v: %d datagrams, %d templates, %d waiting", known, x.Datagrams.Load(), x.Templates.Load(), x.Waiting.Load())
	}
	state.Settle()
	_, others := list.All()
	if x.Waiting.Load() != 0 || x.Dropped.Load() != 1 || others.Flows.Load() != 1 || others.Datagrams.Load() != 1 || others.Waiting.Load() != 0 {
		t.Errorf("%d waiting, %d dropped; others have %d flows", x.Waiting.Load(), x.Dropped.Load(), others.Flows.Load())
	}

	// One for which there was no room asks again when a second has passed.
	all, _ := list.All()
	for _, x := range all {
		x.Datagrams.Store(32)
		x.Records.Store(1)
		x.LastSeen.Store(time.Now().UnixNano())
	}
	late := netip.MustParseAddrPort("198.51.100.7:1")
	send := func(after time.Duration) {
		p := datagram{version: 10, body: append(templateOf(10, 300, bytesOnly...), set16(300, 0, 0, 0, 1)...)}.bytes()
		d.Decode(&source.Datagram{Payload: p, Exporter: late, Received: arrival.Add(after)}, into(b, b.Reset))
	}
	send(0)
	for _, x := range all {
		x.Datagrams.Store(1)
	}
	send(500 * time.Millisecond)
	_, others = list.All()
	if n := refused(state, source.TooManyExporters); n != 2 || others.Templates.Load() != 1 {
		t.Errorf("%d datagrams of the exporter without room were refused an entry; %d templates are held of others", n, others.Templates.Load())
	}
	send(time.Second)
	_, others = list.All()
	if x, known = list.Of(late.Addr(), flow.TypeIPFIX); !known || x.Flows.Load() != 1 || x.Templates.Load() != 1 || others.Templates.Load() != 0 {
		t.Errorf("known %v: %d flows, %d templates; of others %d", known, x.Flows.Load(), x.Templates.Load(), others.Templates.Load())
	}
}

// What was refused of a sender that was ignored is not lost when it is taken again; of
// another sender it would be.
func TestResume(t *testing.T) {
	for _, resumes := range []bool{true, false} {
		state := New(Options{})
		d := state.Decoder()
		b := flow.Table.NewBatch(100)
		for _, n := range []uint32{1, 2, 4, 100, 101, 103} { // 3 and 102 were never received
			if n == 100 {
				addr := router.Addr()
				if !resumes {
					addr = addr.Next()
				}
				state.Resume(addr)
			}
			datagram{version: 9, sequence: n, body: templateOf(9, 300, bytesOnly...)}.decode(d, b)
		}
		state.Settle()
		want := uint64(2)
		if !resumes {
			want += 95
		}
		if n := state.Counters().Lost.Load(); n != want {
			t.Errorf("resumes %t: lost %d, want %d", resumes, n, want)
		}
	}
}

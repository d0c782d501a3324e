package netflow

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"netmeta/flow"
	"netmeta/source"
)

// datagrams is how many a hostile test sends: 50,000, or NETMETA_HOSTILE.
func datagrams(t *testing.T) int {
	s := os.Getenv("NETMETA_HOSTILE")
	if s == "" {
		return 50_000
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal("NETMETA_HOSTILE: ", err)
	}
	return n
}

// heap is what the live objects take.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestTemplateFlood: forged senders announce templates, no two alike, some with
// data, options data and names. Memory stays within the bound, and an exporter
// that is really there loses nothing.
func TestTemplateFlood(t *testing.T) {
	n := datagrams(t)
	config := Options{Templates: 5000, TemplateBytes: 4 << 20, WaitBytes: 2 << 20, NameBytes: 1 << 20}
	if n > 100_000 {
		config = Options{} // as it runs
	}
	state := New(config)
	config = state.options
	d := state.Decoder()
	b := flow.Table.NewBatch(8192)
	before := heap()

	good := []element{iana(1, 4), iana(2, 4), iana(48, 1)}
	sampler := []element{iana(1, 4), iana(48, 1), iana(50, 4)}
	teach := datagram{version: 9, domain: 1, body: slices.Concat(optionsOf(9, 400, 1, sampler...), set16(400, be(sampler, 0, 1, 100)...),
		templateOf(9, 300, good...))}
	flows, wrong := 0, 0
	count := func() {
		for row := range b.Len() {
			if flow.ExporterAddress.At(b, row).IP() != router.Addr() {
				continue
			}
			flows++
			if flow.Bytes.At(b, row) != 1500 || flow.SamplingRate.At(b, row) != 100 {
				wrong++
			}
		}
		b.Reset()
	}
	d.Decode(&source.Datagram{Payload: teach.bytes(), Exporter: router, Received: arrival}, into(b, count))

	r := rand.New(rand.NewPCG(1, 2))
	sent := 0
	for i := range n {
		var addr [4]byte
		binary.BigEndian.PutUint32(addr[:], 10<<24+uint32(r.IntN(n)))
		m := datagram{version: uint16(9 + r.IntN(2)), domain: r.Uint32N(4)}
		id := uint16(firstData + r.IntN(60_000))
		list := []element{iana(1, 4), iana(uint16(500+r.IntN(20_000)), uint16(1+r.IntN(20)))}
		for range r.IntN(60) {
			list = append(list, iana(uint16(500+r.IntN(20_000)), uint16(1+r.IntN(20))))
		}
		m.body = templateOf(m.version, id, list...)
		switch i % 10 {
		case 7: // data without a template
			m.body = append(m.body, set16(id-1, make([]byte, 100)...)...)
		case 8: // data that make the forged sender look real
			size := 0
			for _, e := range list {
				size += int(e.length)
			}
			m.body = append(m.body, set16(id, make([]byte, size)...)...)
		case 9: // names
			names := []element{iana(10, 4), iana(82, 32)}
			m.body = slices.Concat(optionsOf(m.version, id, 1, names...), set16(id, append(be(names[:1], uint64(r.Uint32())), padded("forged", 32)...)...))
		}
		from := netip.AddrPortFrom(netip.AddrFrom4(addr), uint16(r.IntN(3)+1))
		d.Decode(&source.Datagram{Payload: m.bytes(), Exporter: from, Received: arrival}, into(b, count))
		if i%100 == 0 {
			p := datagram{version: 9, domain: 1, sequence: uint32(1 + sent), body: set16(300, be(good, 1500, 1, 1)...)}
			d.Decode(&source.Datagram{Payload: p.bytes(), Exporter: router, Received: arrival}, into(b, count))
			sent++
		}
	}
	count()
	if flows != sent || wrong != 0 {
		t.Errorf("of %d flows of the good exporter %d came, %d of them wrong", sent, flows, wrong)
	}
	if x, known := state.options.Exporters.Of(router.Addr(), flow.TypeNetFlow9); !known || x.Lost.Load() != 0 || x.Refused.Load() != 0 {
		t.Errorf("the good exporter: %d lost, %d refused", x.Lost.Load(), x.Refused.Load())
	}
	if state.held > config.Templates || state.bytes > config.TemplateBytes || state.waiting > config.WaitBytes || state.names > config.NameBytes {
		t.Errorf("%d templates, %d bytes of them, %d wait, %d of names", state.held, state.bytes, state.waiting, state.names)
	}
	used := heap() - before
	runtime.KeepAlive(d)
	// The bounds count texts and octets; around them are maps, plans and views.
	bound := int64(config.TemplateBytes+config.WaitBytes+config.NameBytes) + int64(config.Templates)*3000 + source.MaxExporters*2000 + 64<<20
	t.Logf("%d datagrams: %d MiB, bound %d MiB; %d templates held", n, used>>20, bound>>20, state.held)
	if used > bound {
		t.Errorf("%d MiB are used, the bound is %d", used>>20, bound>>20)
	}
	for reason, n := range state.Counters().Refused() {
		if n > 0 {
			t.Log(reason, ": ", n)
		}
	}
	if refused(state, NoTemplate) == 0 {
		t.Error("refusals are not counted")
	}
	list, others := state.options.Exporters.All()
	sum := others.Datagrams.Load()
	for _, x := range list {
		sum += x.Datagrams.Load()
	}
	if total := state.Counters().Datagrams.Load(); sum != total || n > source.MaxExporters && others.Datagrams.Load() == 0 {
		t.Errorf("exporters have %d datagrams, %d came; %d of those that were forgotten", sum, total, others.Datagrams.Load())
	}
}

// TestRoomAfterFlood: forged senders that sent a template and a few data do not
// keep a new exporter out, and one that sends data all the time stays.
func TestRoomAfterFlood(t *testing.T) {
	state := New(Options{Templates: 400})
	d := state.Decoder()
	b := flow.Table.NewBatch(100)
	send := func(from netip.AddrPort, sets ...[]byte) int {
		b.Reset()
		p := datagram{version: 9, body: slices.Concat(sets...)}.bytes()
		d.Decode(&source.Datagram{Payload: p, Exporter: from, Received: arrival}, into(b, b.Reset))
		return b.Len()
	}
	template, data := templateOf(9, 300, bytesOnly...), set16(300, be(bytesOnly, 1)...)
	send(router, template)
	for range settledAfter {
		send(router, data)
	}
	for i := range 5000 {
		send(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1), template, data, data)
	}
	if send(router, data) != 1 {
		t.Error("the exporter that was there is forgotten")
	}
	fresh := netip.MustParseAddrPort("198.51.100.1:2000")
	if send(fresh, template, data) != 1 || send(fresh, data) != 1 {
		t.Error("a new exporter is kept out")
	}
}

// TestGarbage: random octets, and datagrams of real exporters cut short and with
// some octets changed. Nothing panics, what is refused is counted, and neither
// memory nor a good exporter suffers.
func TestGarbage(t *testing.T) {
	n := datagrams(t)
	var real [][]byte
	files, _ := filepath.Glob("testdata/*.pcap")
	for _, file := range files {
		for _, dg := range readCapture(t, file) {
			real = append(real, dg.Payload)
		}
	}
	state := New(Options{WaitBytes: 4 << 20})
	d := state.Decoder()
	b := flow.Table.NewBatch(8192)
	rows, good := uint64(0), 0
	count := func() {
		rows += uint64(b.Len())
		for row := range b.Len() {
			// No partition of 1970 or 2100, whatever a record says.
			start, end := int64(flow.FlowStart.At(b, row)), int64(flow.FlowEnd.At(b, row))
			if first, last := min(start, end), max(start, end); first < year2000 || last > arrival.UnixMilli()+oldMS || int64(flow.TimeReceived.At(b, row)) != arrival.Unix() {
				t.Fatalf("from %d to %d, received %d", start, end, flow.TimeReceived.At(b, row))
			}
			if flow.ExporterAddress.At(b, row).IP() == router.Addr() {
				good++
			}
		}
		b.Reset()
	}
	teach := datagram{version: 9, domain: 1, body: templateOf(9, 300, bytesOnly...)}
	d.Decode(&source.Datagram{Payload: teach.bytes(), Exporter: router, Received: arrival}, into(b, count))
	before := heap()
	r := rand.New(rand.NewPCG(3, 4))
	sent := 0
	for i := range n {
		var p []byte
		if i%4 == 0 {
			p = make([]byte, r.IntN(1500))
			for j := range p {
				p[j] = byte(r.Uint32())
			}
			if len(p) > 2 {
				p[0], p[1] = 0, []byte{5, 9, 10}[r.IntN(3)]
			}
		} else {
			p = slices.Clone(real[r.IntN(len(real))])
			for range r.IntN(8) {
				p[2+r.IntN(len(p)-2)] = byte(r.Uint32())
			}
			p = p[:len(p)-r.IntN(2)*r.IntN(len(p))]
		}
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(r.IntN(100))}), uint16(r.IntN(3)+1))
		d.Decode(&source.Datagram{Payload: p, Exporter: from, Received: arrival}, into(b, count))
		if i%100 == 0 {
			p := datagram{version: 9, domain: 1, sequence: uint32(1 + sent), body: set16(300, be(bytesOnly, 1)...)}
			d.Decode(&source.Datagram{Payload: p.bytes(), Exporter: router, Received: arrival}, into(b, count))
			sent++
		}
	}
	count()
	used := heap() - before
	runtime.KeepAlive(d)
	if rows != state.Counters().Flows.Load() || good != sent {
		t.Errorf("%d rows, %d counted; %d flows of the good exporter, want %d", rows, state.Counters().Flows.Load(), good, sent)
	}
	if used > 128<<20 {
		t.Errorf("%d MiB are used", used>>20)
	}
	sum, byExporter := uint64(0), uint64(0)
	for reason, n := range state.Counters().Refused() {
		if sum += n; n > 0 {
			t.Log(reason, ": ", n)
		}
	}
	for _, x := range state.options.Exporters.List() {
		byExporter += x.Refused.Load()
	}
	unknown := refused(state, source.UnknownVersion)
	if sum == 0 || byExporter != sum-unknown {
		t.Errorf("%d refused, %d of them of no version; exporters have %d", sum, unknown, byExporter)
	}
	t.Logf("%d datagrams, %d rows, %d MiB", n, rows, used>>20)
}

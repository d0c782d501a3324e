package detect

import (
	"bytes"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/simulate"
	"netmeta/source"
	"netmeta/source/netflow"
	"netmeta/source/sflow"
)

// into makes an Out for rows of the table of a batch, which calls flush when that is full.
func into(b *column.Batch, flush func()) *source.Out {
	return source.NewOut(source.SinkFunc(func(*column.Batch) { flush() }), b)
}

func newFamily() *Family {
	return &Family{Protocols: []source.Protocol{netflow.New(netflow.Options{}).Protocol(), sflow.New(sflow.Options{}).Protocol()}}
}

func newDecoder() (*Decoder, *source.Counters) {
	f := newFamily()
	return f.decoder(), &f.Unread
}

// Datagrams of all protocols may come mixed to one port.
func TestMixed(t *testing.T) {
	d, refused := newDecoder()
	var streams [][][]byte
	const each = 200
	for _, p := range simulate.Protocols {
		payloads, _ := simulate.Capture(p, each, 1)
		streams = append(streams, payloads)
	}
	types := map[uint8]int{}
	b := flow.Table.NewBatch(64)
	flush := func() {
		for row := range b.Len() {
			types[flow.FlowType.At(b, row)]++
		}
		b.Reset()
	}
	for left := true; left; {
		left = false
		for i, s := range streams {
			if len(s) == 0 {
				continue
			}
			left = true
			d.Decode(&source.Datagram{Payload: s[0], Received: time.Unix(1767290400, 0)}, into(b, flush))
			streams[i] = s[1:]
		}
	}
	flush()
	for _, typ := range []uint8{flow.TypeNetFlow5, flow.TypeNetFlow9, flow.TypeIPFIX, flow.TypeSFlow} {
		if types[typ] != each {
			t.Errorf("%d flows of type %s, sent %d", types[typ], flow.FlowType.Field.Enum[typ], each)
		}
	}
	if n := refused.Datagrams.Load(); n != 0 {
		t.Errorf("%d datagrams refused", n)
	}
}

func TestUnknown(t *testing.T) {
	f := func(payload string, want source.Reason) {
		t.Helper()
		d, refused := newDecoder()
		d.Decode(&source.Datagram{Payload: []byte(payload)}, into(flow.Table.NewBatch(1), func() {}))
		for r, n := range refused.Refused() {
			if (r == want) != (n == 1) {
				t.Errorf("%q: %q counted %d times", payload, r, n)
			}
		}
	}
	f("", source.ShortDatagram)
	f("\x00", source.ShortDatagram)
	f("GET / HTTP/1.1", source.UnknownVersion)
	f("\x00\x00\x00\x04....", source.UnknownVersion)
	f("\x00\x07\x00\x01....", source.UnknownVersion)
}

// FuzzDecode wants each datagram counted once, by the decoder whose version stands first
// in it, and looks for panics besides.
func FuzzDecode(f *testing.F) {
	for _, p := range simulate.Protocols {
		payloads, _ := simulate.Capture(p, 30, 1)
		for _, payload := range payloads {
			f.Add(payload)
		}
	}
	f.Add([]byte("\x00\x00\x00\x05\x00\x00\x00\x03........"))
	f.Add([]byte("GET / HTTP/1.1"))
	b := flow.Table.NewBatch(16)
	f.Fuzz(func(t *testing.T, payload []byte) {
		flows, samples := netflow.New(netflow.Options{}), sflow.New(sflow.Options{})
		family := &Family{Protocols: []source.Protocol{flows.Protocol(), samples.Protocol()}}
		d, refused := family.decoder(), &family.Unread
		d.Decode(&source.Datagram{Payload: payload, Received: time.Unix(1767290400, 0)}, into(b, b.Reset))
		for row := range b.Len() {
			column.AppendJSON(nil, b, row)
		}
		b.Reset()
		want := refused
		switch at := func(i int) byte { // 255 where there is nothing
			if i < len(payload) {
				return payload[i]
			}
			return 255
		}; {
		case at(0) == 0 && (at(1) == 5 || at(1) == 9 || at(1) == 10): // NetFlow has its version in 16 bits, sFlow in 32
			want = flows.Counters()
		case bytes.HasPrefix(payload, []byte{0, 0, 0, 5, 0, 0, 0}) && (at(7) == 1 || at(7) == 2):
			want = samples.Counters()
		}
		for name, c := range map[string]*source.Counters{"none": refused, "netflow": flows.Counters(), "sflow": samples.Counters()} {
			if n := c.Datagrams.Load(); (n == 1) != (c == want) || n > 1 {
				t.Errorf("%s counts %d datagrams: %x", name, n, payload)
			}
		}
	})
}

// Who sends what no decoder knows is in the list of exporters, with a sample of it.
func TestUnknownSender(t *testing.T) {
	family := newFamily()
	family.Exporters = new(source.Exporters)
	d := family.decoder()
	garbage := &source.Datagram{Payload: []byte("no flow data"), Exporter: netip.MustParseAddrPort("[::ffff:192.0.2.7]:5000"), Received: time.Now()}
	d.Decode(garbage, into(flow.Table.NewBatch(1), func() {}))
	list := family.Exporters.List()
	if len(list) != 1 {
		t.Fatalf("%d exporters", len(list))
	}
	x := list[0]
	if x.Address != netip.MustParseAddr("192.0.2.7") || x.Type != flow.TypeUnknown || x.Datagrams.Load() != 1 || x.Refused.Load() != 1 ||
		x.LastSeen.Load() != garbage.Received.UnixNano() || time.Since(x.First).Abs() > time.Minute {
		t.Errorf("%v %d: %d datagrams, %d refused, first %v", x.Address, x.Type, x.Datagrams.Load(), x.Refused.Load(), x.First)
	}
	if s := x.Sample(); s == nil || s.Reason != source.UnknownVersion || !bytes.Equal(s.Head, garbage.Payload) {
		t.Errorf("sample %+v", s)
	}
}

// Of an ignored sender nothing is decoded, and everything counted. For sFlow it is named by
// the agent as well.
func TestIgnored(t *testing.T) {
	family := newFamily()
	family.Exporters, family.Ignored = new(source.Exporters), new(source.Ignored)
	d, refused := family.decoder(), &family.Unread
	captures := map[simulate.Protocol][][]byte{}
	for _, p := range simulate.Protocols {
		captures[p], _ = simulate.Capture(p, 50, 1)
	}
	rows := 0
	b := flow.Table.NewBatch(64)
	flush := func() { rows += b.Len(); b.Reset() }
	send := func(from string) (sent, got int, ignored uint64) {
		rows = 0
		before := refusedFor(refused, source.SenderIgnored)
		for _, p := range simulate.Protocols {
			for _, payload := range captures[p] {
				d.Decode(&source.Datagram{Payload: payload, Exporter: netip.MustParseAddrPort(from), Received: time.Unix(1767290400, 0)}, into(b, flush))
				sent++
			}
		}
		flush()
		return sent, rows, refusedFor(refused, source.SenderIgnored) - before
	}
	f := func(from string, wantRows bool, wantIgnored int) {
		t.Helper()
		sent, got, ignored := send(from)
		if wantIgnored < 0 {
			wantIgnored = sent
		}
		if (got > 0) != wantRows || ignored != uint64(wantIgnored) {
			t.Errorf("from %s: %d rows, %d of %d ignored", from, got, ignored, sent)
		}
	}
	f("192.0.2.7:5000", true, 0)
	family.Ignored.Set([]netip.Addr{netip.MustParseAddr("192.0.2.7")})
	f("192.0.2.7:5000", false, -1)
	f("[::ffff:192.0.2.7]:5000", false, -1)
	f("192.0.2.8:5000", true, 0)
	r := family.Ignored.Of(netip.MustParseAddr("192.0.2.7"))
	if last := r.LastSeen.Load(); r.Datagrams.Load() == 0 || last != 1767290400e9 {
		t.Errorf("%d datagrams, the last at %d", r.Datagrams.Load(), last)
	}

	agent, ok := sflow.Agent(captures[simulate.SFlow][0])
	if !ok {
		t.Fatal("no agent")
	}
	family.Ignored.Set([]netip.Addr{agent, netip.MustParseAddr("192.0.2.7")})
	if family.Ignored.Of(netip.MustParseAddr("192.0.2.7")) != r {
		t.Error("its counts are gone")
	}
	named := 0
	for _, payload := range captures[simulate.SFlow] {
		if a, _ := sflow.Agent(payload); a == agent {
			named++
		}
	}
	f("192.0.2.8:5000", true, named)
	family.Ignored.Set(nil)
	f("192.0.2.7:5000", true, 0)

	family.Ignored.Set([]netip.Addr{netip.MustParseAddr("192.0.2.7")})
	dg := &source.Datagram{Payload: captures[simulate.SFlow][0], Exporter: netip.MustParseAddrPort("192.0.2.7:5000"), Received: time.Unix(1767290400, 0)}
	out := into(b, flush)
	if n := testing.AllocsPerRun(100, func() { d.Decode(dg, out) }); n != 0 {
		t.Errorf("%.0f allocations", n)
	}
}

func refusedFor(c *source.Counters, reason source.Reason) (n uint64) {
	for r, count := range c.Refused() {
		if r == reason {
			n = count
		}
	}
	return n
}

// What it costs to look whether a sender is ignored, before its datagrams are decoded, and to
// refuse one that is.
func BenchmarkIgnored(b *testing.B) {
	thousand := make([]netip.Addr, 1000)
	for i := range thousand {
		thousand[i] = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
	}
	payloads, _ := simulate.Capture(simulate.SFlow, 50, 1)
	f := func(name string, from netip.Addr, ignored []netip.Addr) {
		b.Run(name, func(b *testing.B) {
			family := newFamily()
			family.Ignored = new(source.Ignored)
			d := family.decoder()
			family.Ignored.Set(ignored)
			dg := &source.Datagram{Payload: payloads[0], Exporter: netip.AddrPortFrom(from, 5000), Received: time.Unix(1767290400, 0)}
			b.ReportAllocs()
			for b.Loop() {
				d.ignores(dg)
			}
		})
	}
	other := netip.MustParseAddr("192.0.2.7")
	f("nobody", other, nil)
	f("others", other, thousand)
	f("it", thousand[7], thousand)
}

// A flood of what is no flow record must not cost the workers more than flow records do.
// Each has its own senders, as the kernel deals them out; the list of exporters and the
// counters are theirs together.
func BenchmarkUnknown(b *testing.B) {
	family := newFamily()
	family.Exporters = new(source.Exporters)
	var workers atomic.Uint32
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		d := family.decoder()
		batch, worker := flow.Table.NewBatch(1), byte(workers.Add(1))
		out := into(batch, batch.Reset)
		var garbage [64]source.Datagram
		for i := range garbage {
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, worker, byte(i)}), 5000)
			garbage[i] = source.Datagram{Payload: []byte("no flow data"), Exporter: from, Received: time.Unix(1767290400, 0)}
		}
		for i := 0; pb.Next(); i++ {
			d.Decode(&garbage[i%len(garbage)], out)
		}
	})
}

// The names of reasons are labels of a metric, and dashboards and alerts ask for them: none
// may change, nor go. Each says what to do.
func TestReasons(t *testing.T) {
	want := []string{
		"bad address", "bad count", "bad length", "bad template", "datagram too short", "ignored", "implausible", "too many exporters",
		"too many living flows", "too many names", "too many samplers", "too many templates", "truncated in capture", "unknown header protocol",
		"unknown sample", "unknown set", "unknown template", "unknown version",
	}
	var got []string
	for r := range new(source.Counters).Refused() {
		got = append(got, r.String())
		if r.Remedy() == "" {
			t.Errorf("%s has no remedy", r)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("reasons %q\nwant %q", got, want)
	}
}

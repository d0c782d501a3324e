package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"netmeta/internal/pcap"
)

func TestValidate(t *testing.T) {
	f := func(o Options, want string) {
		t.Helper()
		if o.Protocol == "" {
			o.Protocol = IPFIX
		}
		got := ""
		if err := o.Validate(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%+v: got %q, want %q", o, got, want)
		}
	}
	f(Options{}, "")
	f(Options{Protocol: "netflow7"}, `protocol: "netflow7": unknown; use one of netflow5, netflow9, ipfix, sflow`)
	f(Options{Rate: -1}, "rate: -1: out of range; use flows per second, or 0 for as fast as possible")
	f(Options{Rate: math.NaN()}, "rate: NaN: out of range; use flows per second, or 0 for as fast as possible")
	f(Options{Duration: -1}, "duration: -1ns: out of range; use a positive time, or 0 for no limit")
	f(Options{Exporters: 65}, "exporters: 65: out of range; use 1 to 64")
	f(Options{Daily: true}, "a daily curve needs a rate; use the rate of the evening peak")
	f(Options{Sources: netip.MustParseAddr("2001:db8::1")}, "source address: 2001:db8::1: not IPv4; use an IPv4 address")
	f(Options{Sources: netip.MustParseAddr("192.0.2.1")}, "")
	_, err := Run(context.Background(), Options{Protocol: IPFIX, To: "127.0.0.1:9", Sources: netip.MustParseAddr("192.0.2.1")})
	if want := "source address: 192.0.2.1: not loopback; use one in 127.0.0.0/8 for the target 127.0.0.1:9"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// The same seed gives the same bytes at the same time, and the same flows at another; another seed gives others.
func TestSeed(t *testing.T) {
	for _, p := range Protocols {
		a, flowsA := Capture(p, 2000, 7)
		b, _ := Capture(p, 2000, 7)
		if !slices.EqualFunc(a, b, bytes.Equal) {
			t.Errorf("%s: two captures of one seed differ", p)
		}
		c, flowsC := Capture(p, 2000, 8)
		if slices.EqualFunc(a, c, bytes.Equal) {
			t.Errorf("%s: captures of two seeds are the same", p)
		}
		if len(flowsA) != 2000 || len(flowsC) != 2000 {
			t.Errorf("%s: %d and %d flows, want 2000", p, len(flowsA), len(flowsC))
		}

		later := time.Date(2026, 1, 1, 12, 0, 17, 0, time.UTC)
		o := Options{Protocol: p, Flows: 2000, Seed: 7, NoEvents: true, Now: func() time.Time { return later }}
		var moved []Flow
		for d := range Datagrams(o) {
			moved = append(moved, d.Flows...)
		}
		o.Now = func() time.Time { return later.Add(-17 * time.Second) }
		n := 0
		for d := range Datagrams(o) {
			for _, f := range d.Flows {
				m := moved[n]
				if f.StartMS != 0 {
					m.StartMS -= 17_000
					m.EndMS -= 17_000
				}
				if describe(m) != describe(f) {
					t.Fatalf("%s: flow %d later:\n%+v\nwant\n%+v", p, n, m, f)
				}
				n++
			}
		}
	}
}

// Exporters keep their addresses whether their traffic is sent or only made.
func TestSources(t *testing.T) {
	o := Options{Protocol: SFlow, Flows: 200, Sources: netip.MustParseAddr("127.0.6.1"), Exporters: 2}
	made := make(map[netip.Addr]bool)
	for d := range Datagrams(o) {
		made[d.Src.Addr()] = true
		if agent := netip.AddrFrom4([4]byte(d.Payload[8:])); agent != d.Src.Addr() {
			t.Fatalf("agent %v sends from %v", agent, d.Src)
		}
	}
	c := listen(t, "127.0.0.1:0")
	o.To = c.to()
	sent, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range sent.Exporters {
		if !made[netip.MustParseAddrPort(e.Source).Addr()] || len(made) != 2 {
			t.Errorf("sent from %s, made by %v", e.Source, made)
		}
	}
}

// The traffic is what the package comment says.
func TestModel(t *testing.T) {
	evening := time.Date(2026, 1, 1, 20, 0, 0, 0, time.UTC)
	o := Options{Protocol: IPFIX, Flows: 60_000, Rate: 100, Seed: 1, Now: func() time.Time { return evening }}
	ases, hosts := make(map[uint32]uint64), make(map[netip.Addr]int)
	rates := make(map[uint32]bool)
	var six, egress, attack, all int
	var bytesIn, bytesOut, largest, total uint64
	protos := make(map[uint8]int)
	seconds := make(map[int64]bool)
	for d := range Datagrams(o) {
		for _, f := range d.Flows {
			all++
			protos[f.Proto]++
			rates[f.SamplingRate] = true
			if f.Src.Is6() {
				six++
			}
			if f.Direction == 1 {
				egress++
				bytesOut += f.Bytes
				ases[f.DstAS] += f.Bytes
				hosts[f.Dst]++
			} else {
				bytesIn += f.Bytes
				ases[f.SrcAS] += f.Bytes
				hosts[f.Src]++
			}
			if f.SrcPort == 53 && f.Proto == udp && f.Bytes/f.Packets > 1000 {
				attack++
				seconds[d.Time.Unix()] = true
			}
			largest = max(largest, f.Bytes)
			total += f.Bytes
			if f.Bytes < 28*f.Packets || f.Bytes > 1500*f.Packets {
				t.Fatalf("%d bytes in %d packets", f.Bytes, f.Packets)
			}
			if !f.Src.IsGlobalUnicast() || !f.Dst.IsGlobalUnicast() || f.Src.Is4() != f.Dst.Is4() {
				t.Fatalf("%v to %v", f.Src, f.Dst)
			}
		}
	}
	share := func(name string, got, least, most float64) {
		t.Helper()
		if got < least || got > most {
			t.Errorf("%s: %.3f, want %.3f to %.3f", name, got, least, most)
		}
	}
	n := float64(all)
	share("IPv6", float64(six)/n, 0.25, 0.31)
	share("egress", float64(egress)/n, 0.3, 0.5)
	share("bytes in", float64(bytesIn)/float64(bytesIn+bytesOut), 0.7, 0.97)
	share("TCP", float64(protos[tcp])/n, 0.4, 0.75)
	share("UDP", float64(protos[udp])/n, 0.2, 0.55)
	share("ICMP", float64(protos[icmp]+protos[icmpv6])/n, 0.005, 0.05)
	share("attack", float64(attack)/n, 0.03, 0.12)
	share("attack seconds", float64(len(seconds)), 60, 140) // two in ten minutes, at datagrams' resolution
	share("largest flow over mean", float64(largest)/(float64(total)/n), 100, 1e6)
	if len(rates) < 5 {
		t.Errorf("sampling rates %v, want 5", rates)
	}
	if len(ases) < len(asTable) {
		t.Errorf("%d ASes", len(ases))
	}
	if len(hosts) < 3000 {
		t.Errorf("%d remote hosts", len(hosts))
	}
	// 15169 and 2906 lead in the evening.
	top := func(k int) []uint32 {
		list := make([]uint32, 0, len(ases))
		for as := range ases {
			list = append(list, as)
		}
		slices.SortFunc(list, func(a, b uint32) int { return int(int64(ases[b]-ases[a])>>63)*2 + 1 })
		return list[:k]
	}
	if got := top(4); !slices.Contains(got, 15169) || !slices.Contains(got, 2906) {
		t.Errorf("top ASes %v", got)
	}

	o = Options{Protocol: IPFIX, Flows: 30_000, Rate: 100, Seed: 1, NoEvents: true, IPv4Only: true, Now: o.Now}
	for d := range Datagrams(o) {
		for _, f := range d.Flows {
			if f.Src.Is6() {
				t.Fatal("IPv6 flow with IPv4Only")
			}
			if f.SrcPort == 53 && f.Proto == udp && f.Bytes/f.Packets > 1000 {
				t.Fatal("attack with NoEvents")
			}
		}
	}
}

// Customers have addresses of their own, and the host of a rank stays in its prefix.
func TestPrefixes(t *testing.T) {
	w := newWorld(5)
	check := func(p *prefix, v4, v6 string) {
		four := netip.MustParsePrefix(v4)
		for rank := range uint64(2000) {
			if a := p.host(rank, false); !four.Contains(a) {
				t.Fatalf("host %v outside of %v", a, v4)
			}
			if v6 == "" {
				continue
			}
			if a := p.host(rank, true); !netip.MustParsePrefix(v6).Contains(a) {
				t.Fatalf("host %v outside of %v", a, v6)
			}
		}
	}
	for i := range w.ases {
		check(&w.ases[i].prefix, w.ases[i].net4, w.ases[i].net6)
	}
	for i := range w.customers {
		check(&w.customers[i].prefix, w.customers[i].net4, w.customers[i].net6)
		a := netip.MustParsePrefix(w.customers[i].net4)
		for j := range i {
			if b := netip.MustParsePrefix(w.customers[j].net4); a.Overlaps(b) {
				t.Errorf("customers %v and %v overlap", a, b)
			}
		}
	}
}

func TestPicker(t *testing.T) {
	weights := []float64{3, 0, 1, 0, 6}
	var p picker
	p.set(weights)
	g := newGenerator(newWorld(1), Options{Protocol: IPFIX}, 0)
	counts := make([]float64, len(weights))
	const n = 100_000
	for range n {
		counts[p.pick(g.rand)]++
	}
	for i, w := range weights {
		if got, want := counts[i]/n, w/10; math.Abs(got-want) > 0.01 || want == 0 && got != 0 {
			t.Errorf("index %d: %.3f, want %.3f", i, got, want)
		}
	}
}

// The short v9 template for IPv4 is the one that decoders are measured with.
func TestShortTemplate(t *testing.T) {
	e := newExporter(newWorld(1), Options{Protocol: NetFlow9}, 0, time.Unix(0, 0))
	if len(e.fields[0]) != 20 || e.sizes[0] != 55 {
		t.Errorf("%d fields, %d bytes; want 20 and 55", len(e.fields[0]), e.sizes[0])
	}
}

// A rate and a duration are a number of flows; whatever ends first ends the run.
func TestLimit(t *testing.T) {
	f := func(o Options, want uint64) {
		t.Helper()
		o.Protocol = NetFlow9
		if got := newTraffic(o.withDefaults(), time.Unix(0, 0)).limit; got != want {
			t.Errorf("%+v: %d flows, want %d", o, got, want)
		}
	}
	f(Options{}, 0)
	f(Options{Rate: 100}, 0)
	f(Options{Duration: time.Second}, 0)
	f(Options{Flows: 7}, 7)
	f(Options{Rate: 150_000, Duration: time.Minute}, 9_000_000)
	f(Options{Rate: 10, Duration: time.Minute, Flows: 7}, 7)
	f(Options{Rate: 10, Duration: time.Second, Flows: 70}, 10)
	f(Options{Rate: 0.1, Duration: time.Second}, 1)
	f(Options{Rate: 10, Duration: time.Second, Daily: true}, 0)
}

// What is due follows the clock, comes in small portions, and is forgotten after a long pause.
func TestPace(t *testing.T) {
	now := time.Unix(0, 0)
	p := pace{last: now}
	f := func(after time.Duration, want float64) {
		t.Helper()
		now = now.Add(after)
		got := p.due(now, 100_000)
		if math.Abs(got-want) > 0.001 {
			t.Errorf("after %v: %v due, want %v", after, got, want)
		}
		p.owed -= got
	}
	f(0, 0)
	f(time.Millisecond, 100)
	f(2*time.Millisecond, 200)
	f(20*time.Millisecond, 500) // a burst is five milliseconds at most
	f(0, 500)
	f(time.Hour, 500)
	if p.owed > 100_000 {
		t.Errorf("%v owed after an hour, want a second's worth at most", p.owed)
	}
}

// collector listens on a free port and keeps what comes.
type collector struct {
	conn     *net.UDPConn
	mu       sync.Mutex
	payloads [][]byte
	sources  map[netip.AddrPort][]int // indexes in payloads
	arrived  chan struct{}
}

func listen(t *testing.T, address string) *collector {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(address)))
	if err != nil {
		t.Skipf("no socket on %s: %v", address, err)
	}
	conn.SetReadBuffer(8 << 20)
	c := &collector{conn: conn, sources: make(map[netip.AddrPort][]int), arrived: make(chan struct{}, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 65536)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			c.mu.Lock()
			c.sources[from] = append(c.sources[from], len(c.payloads))
			c.payloads = append(c.payloads, bytes.Clone(b[:n]))
			c.mu.Unlock()
			select {
			case c.arrived <- struct{}{}:
			default:
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return c
}

func (c *collector) to() string { return c.conn.LocalAddr().String() }

// wait returns when n datagrams have come. What was sent over loopback is in the socket already.
func (c *collector) wait(t *testing.T, n uint64) {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		c.mu.Lock()
		got := uint64(len(c.payloads))
		c.mu.Unlock()
		if got >= n {
			return
		}
		select {
		case <-c.arrived:
		case <-limit:
			t.Fatalf("%d datagrams arrived, want %d", got, n)
		}
	}
}

// What Run says that it sent is what arrives, from as many sources as there are exporters.
func TestRun(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		for _, protocol := range Protocols {
			t.Run(string(protocol)+" to "+address, func(t *testing.T) {
				c := listen(t, address)
				sent, err := Run(context.Background(), Options{
					Protocol: protocol, To: c.to(), Rate: 5000, Flows: 800, Seed: 4, Exporters: 3,
				})
				if err != nil {
					t.Fatal(err)
				}
				if sent.Flows != 800 {
					t.Errorf("%d flows, want 800", sent.Flows)
				}
				c.wait(t, sent.Datagrams)
				var got Totals
				p := newPeer(t)
				if len(c.sources) != 3 {
					t.Errorf("%d sources, want 3", len(c.sources))
				}
				hosts := make(map[netip.Addr]bool)
				for from, indexes := range c.sources {
					hosts[from.Addr()] = true
					for _, i := range indexes {
						got.Datagrams++
						for _, f := range p.decode(protocol, c.payloads[i]) {
							got.Flows++
							got.Bytes += f.Bytes
							got.Packets += f.Packets
							got.BytesScaled += f.Bytes * uint64(f.SamplingRate)
							got.PacketsScaled += f.Packets * uint64(f.SamplingRate)
						}
					}
				}
				if got != sent.Totals {
					t.Errorf("arrived %+v\nsent    %+v", got, sent.Totals)
				}
				var sum Totals
				for _, e := range sent.Exporters {
					sum.add(e.Totals)
					if _, ok := c.sources[netip.MustParseAddrPort(e.Source)]; !ok {
						t.Errorf("nothing arrived from %s", e.Source)
					}
				}
				if sum != sent.Totals {
					t.Errorf("sum over exporters %+v, want %+v", sum, sent.Totals)
				}
				if want := 3; strings.HasPrefix(address, "127") && len(hosts) != want {
					t.Errorf("source addresses %v, want %d", hosts, want)
				}
			})
		}
	}
}

func TestRunEnds(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	ctx, cancel := context.WithCancel(context.Background())
	o := Options{Protocol: SFlow, To: c.to(), Rate: 5000, Seed: 1}
	result := make(chan Sent)
	go func() {
		sent, err := Run(ctx, o)
		if err != nil {
			t.Error(err)
		}
		result <- sent
	}()
	c.wait(t, 20)
	cancel()
	sent := <-result
	c.wait(t, sent.Datagrams)
	if sent.Flows == 0 || sent.Counters == 0 {
		t.Errorf("sent %+v", sent)
	}

	// As fast as possible, a number of flows, all of the pool and more.
	o = Options{Protocol: NetFlow5, To: c.to(), Flows: 300_001, Exporters: 1}
	sent, err := Run(context.Background(), o)
	if err != nil || sent.Flows != 300_001 || sent.Datagrams != 10_001 {
		t.Errorf("sent %+v, %v", sent.Totals, err)
	}

	if _, err := Run(context.Background(), Options{Protocol: IPFIX, To: "127.0.0.1"}); err == nil ||
		!strings.HasPrefix(err.Error(), `target: "127.0.0.1": `) || !strings.HasSuffix(err.Error(), "; use HOST:PORT") {
		t.Errorf("target without port: %v", err)
	}
}

// Without a receiver, sending continues and reports it.
func TestRefused(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	to := conn.LocalAddr().String()
	conn.Close()
	sent, err := Run(context.Background(), Options{Protocol: NetFlow5, To: to, Flows: 3000, Exporters: 1})
	if err != nil {
		t.Fatal(err)
	}
	if sent.Flows != 3000 || sent.Refused == 0 {
		t.Errorf("%d flows sent, %d times refused", sent.Flows, sent.Refused)
	}
}

func TestSentJSON(t *testing.T) {
	b, err := json.Marshal(Sent{Protocol: SFlow, Totals: Totals{Flows: 3}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"protocol":"sflow","seconds":0,"rate":0,"datagrams":0,"flows":3,"bytes":0,"packets":0,"bytes_scaled":0,` +
		`"packets_scaled":0,"templates":0,"counters":0,"exporters":null}`
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
}

// A capture that is written, replayed and received is the one that was simulated; exporters stay apart.
func TestWriteAndReplay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ipfix.pcap")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	wrote, err := WriteCapture(file, Options{
		Protocol: IPFIX, Duration: time.Second, Seed: 2, Now: func() time.Time { return noon },
	})
	if err != nil || file.Close() != nil {
		t.Fatal(err)
	}
	if wrote.Flows != 1000 || wrote.Seconds < 0.95 || wrote.Seconds > 1.05 {
		t.Errorf("wrote %+v", wrote)
	}
	var want [][]byte
	r, err := pcap.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		d, err := r.NextUDP()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, bytes.Clone(d.Payload))
	}

	f := func(o ReplayOptions, address string, hosts int) {
		t.Helper()
		c := listen(t, address)
		o.To, o.Files = c.to(), []string{path}
		stats, err := Replay(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		all := want
		for n := 1; n < o.Loop; n++ {
			all = append(slices.Clip(all), want...)
		}
		if stats.Datagrams != uint64(len(all)) || stats.Sources != 4 {
			t.Errorf("%+v: replayed %+v, want %d datagrams of 4 sources", o, stats, len(all))
		}
		c.wait(t, stats.Datagrams)
		if !slices.EqualFunc(c.payloads, all, bytes.Equal) {
			t.Errorf("%+v: what arrived is not what was captured", o)
		}
		seen := make(map[netip.Addr]bool)
		for from := range c.sources {
			seen[from.Addr()] = true
		}
		if len(c.sources) != 4 || len(seen) != hosts {
			t.Errorf("%+v: %d sources with %d addresses, want 4 with %d", o, len(c.sources), len(seen), hosts)
		}
	}
	f(ReplayOptions{}, "127.0.0.1:0", 4)
	f(ReplayOptions{Rate: 5000, Loop: 2}, "127.0.0.1:0", 4)
	f(ReplayOptions{Speed: 10}, "127.0.0.1:0", 4)
	f(ReplayOptions{}, "[::1]:0", 1)

	c := listen(t, "127.0.0.1:0")
	stats, err := Replay(context.Background(), ReplayOptions{To: c.to(), Files: []string{path}, Port: 9, Loop: -1})
	if err != nil || stats.Datagrams != 0 || len(stats.Skipped) != 1 || stats.Skipped[0].Reason != "sent to another port" {
		t.Errorf("replay of another port: %+v, %v", stats, err)
	}
	_, err = Replay(context.Background(), ReplayOptions{To: c.to(), Files: []string{path + ".none"}})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("replay of a file that is not there: %v", err)
	}
}

// More sources than sockets: the oldest are closed, nothing is lost.
func TestReplayManySources(t *testing.T) {
	var b bytes.Buffer
	w, err := pcap.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	const n = maxSources + 40
	for i := range n {
		d := pcap.Datagram{
			Src:     netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 30000),
			Dst:     netip.MustParseAddrPort("192.0.2.1:2055"),
			Payload: []byte{byte(i >> 8), byte(i)},
			Time:    time.Unix(int64(i), 0),
		}
		if err := w.WriteUDP(d); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "many.pcap")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	c := listen(t, "127.0.0.1:0")
	stats, err := Replay(context.Background(), ReplayOptions{To: c.to(), Files: []string{path}, Rate: 5000})
	if err != nil || stats.Datagrams != n || stats.Sources != n {
		t.Fatalf("replayed %+v, %v", stats, err)
	}
	c.wait(t, n)
	if len(c.sources) != n {
		t.Errorf("%d sources, want %d", len(c.sources), n)
	}
}

// Once the pool has its memory, datagrams cost none, whether new or moved.
func TestAllocations(t *testing.T) {
	for _, p := range Protocols {
		now := time.Unix(1_800_000_000, 0)
		tr := newTraffic(Options{Protocol: p}.withDefaults(), now)
		for _, e := range tr.exporters {
			e.pool, e.renew = e.pool[:61], 2
		}
		for range 10 * 61 {
			tr.next(now)
		}
		if n := testing.AllocsPerRun(500, func() { tr.next(now) }); n != 0 {
			t.Errorf("%s: %v allocations per datagram", p, n)
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	g := newGenerator(newWorld(1), Options{Protocol: IPFIX}, 0)
	now := time.Unix(1_800_000_000, 0)
	g.at(now)
	var f Flow
	b.ReportAllocs()
	for b.Loop() {
		g.next(&f, now.UnixMilli())
	}
}

// The cost of a new datagram, per flow.
func BenchmarkEncode(b *testing.B) { benchmark(b, 1) }

// The cost of a datagram as the load generator makes it, per flow, without sending.
func BenchmarkPool(b *testing.B) { benchmark(b, renewEvery) }

func benchmark(b *testing.B, renew int) {
	for _, p := range Protocols {
		b.Run(string(p), func(b *testing.B) {
			now := time.Unix(1_800_000_000, 0)
			t := newTraffic(Options{Protocol: p}.withDefaults(), now)
			for _, e := range t.exporters {
				e.renew = renew
			}
			for range poolSize * 4 {
				t.next(now)
			}
			b.ReportAllocs()
			flows := 0
			for n := 0; b.Loop(); n++ {
				if n%64 == 0 {
					now = now.Add(time.Millisecond)
				}
				_, s := t.next(now)
				flows += int(s.totals.Flows)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(flows), "ns/flow")
		})
	}
}

// BenchmarkRun sends to a socket that is never read, as fast as the kernel accepts.
func BenchmarkRun(b *testing.B) {
	for _, p := range Protocols {
		b.Run(string(p), func(b *testing.B) {
			conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			flows := uint64(b.N) + 1_000_000
			sent, err := Run(context.Background(), Options{Protocol: p, To: conn.LocalAddr().String(), Flows: flows})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(sent.Seconds*1e9/float64(sent.Flows), "ns/flow")
			b.ReportMetric(sent.Rate, "flows/s")
		})
	}
}

// The trace has each datagram of flows once, with the sequence number that is in it.
func TestTrace(t *testing.T) {
	for _, p := range Protocols {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		var flows uint64
		next := map[uint32]uint32{} // by domain
		sent, err := Run(t.Context(), Options{Protocol: p, To: conn.LocalAddr().String(), Flows: 2000, Seed: 9, Trace: func(x Trace) {
			flows += x.Flows
			step := uint32(1) // v9 and sFlow count datagrams, among them those without flows
			if p == NetFlow5 || p == IPFIX {
				step = uint32(x.Flows)
			}
			if want, ok := next[x.Domain]; ok && x.Sequence != want && (step != 1 || x.Sequence != want+1) {
				t.Errorf("%s: sequence %d, want %d", p, x.Sequence, want)
			}
			next[x.Domain] = x.Sequence + step
		}})
		if err != nil || flows != sent.Flows || len(next) != defaultExporters {
			t.Errorf("%s: %d flows of %d in the trace, of %d exporters, %v", p, flows, sent.Flows, len(next), err)
		}
	}
}

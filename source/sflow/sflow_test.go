package sflow

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/internal/golden"
	"netmeta/internal/pcap"
	"netmeta/simulate"
	"netmeta/source"
)

// into makes an Out for rows of the table of a batch, which calls flush when that is full.
func into(b *column.Batch, flush func()) *source.Out {
	return source.NewOut(source.SinkFunc(func(*column.Batch) { flush() }), b)
}

var (
	sender  = netip.MustParseAddrPort("192.0.2.99:6343")
	arrival = time.Date(2026, 1, 1, 12, 0, 0, 250e6, time.UTC)
)

// eachDatagram gives the sFlow datagrams of a capture to f.
func eachDatagram(t testing.TB, name string, f func(*source.Datagram)) {
	t.Helper()
	r, err := pcap.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		d, err := r.NextUDP()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if Is(d.Payload) {
			f(&source.Datagram{Payload: d.Payload, Exporter: d.Src, Received: d.Time})
		}
	}
}

// A collector gathers rows as columns that are not zero. Its batch is small, so
// that it is flushed within datagrams.
type collector struct {
	t     testing.TB
	batch *column.Batch
	rows  []map[string]any
}

func newCollector(t testing.TB) *collector {
	return &collector{t: t, batch: flow.Table.NewBatch(3)}
}

func (c *collector) flush() {
	for row := range c.batch.Len() {
		c.rows = append(c.rows, object(c.t, column.AppendJSON(nil, c.batch, row)))
	}
	c.batch.Reset()
}

func decodeFile(t testing.TB, state *State, name string) []map[string]any {
	t.Helper()
	c, d := newCollector(t), state.Decoder()
	eachDatagram(t, name, func(dg *source.Datagram) { d.Decode(dg, into(c.batch, c.flush)) })
	c.flush()
	state.Settle()
	return c.rows
}

func decodePayload(t testing.TB, state *State, payload []byte) []map[string]any {
	t.Helper()
	c := newCollector(t)
	state.Decoder().Decode(&source.Datagram{Payload: payload, Exporter: sender, Received: arrival}, into(c.batch, c.flush))
	c.flush()
	return c.rows
}

// refused is what the state has refused, in words.
func refused(s *State) string {
	var text []string
	for r, n := range s.Counters().Refused() {
		if n > 0 {
			text = append(text, fmt.Sprintf("%d %s", n, r))
		}
	}
	return strings.Join(text, ", ")
}

// TestGolden decodes captures of real agents, pmacct's sfprobe and Open vSwitch, watching
// pings over IPv4 and IPv6 among other traffic, through a VXLAN tunnel too, and one of our
// simulator.
func TestGolden(t *testing.T) {
	for _, name := range []string{"pmsflow", "ovs", "ovs-vxlan", "simulated"} {
		state := New(Options{})
		var text []byte
		for _, row := range decodeFile(t, state, "testdata/"+name+".pcap") {
			line, err := json.Marshal(row) // columns by name
			if err != nil {
				t.Fatal(err)
			}
			text = append(append(text, line...), '\n')
		}
		c := state.Counters()
		text = fmt.Appendf(text, "%d datagrams, %d flows, %d counter samples, %d lost; refused: %s\n",
			c.Datagrams.Load(), c.Flows.Load(), c.CounterSamples.Load(), c.Lost.Load(), refused(state))
		golden.Equal(t, "testdata/"+name+".golden", text)
	}
}

// TestSimulated compares with what the simulator put in.
func TestSimulated(t *testing.T) {
	state := New(Options{})
	d, c := state.Decoder(), newCollector(t)
	var truth []simulate.Flow
	for s := range simulate.Datagrams(simulate.Options{Protocol: simulate.SFlow, Flows: 5000, Seed: 1}) {
		d.Decode(&source.Datagram{Payload: s.Payload, Exporter: s.Src, Received: s.Time}, into(c.batch, c.flush))
		truth = append(truth, s.Flows...)
	}
	c.flush()
	if len(c.rows) != len(truth) || len(truth) != 5000 {
		t.Fatalf("%d rows, want %d", len(c.rows), len(truth))
	}
	if r := refused(state); r != "" || state.Counters().Lost.Load() != 0 {
		t.Errorf("refused %s, lost %d", r, state.Counters().Lost.Load())
	}
	for i, f := range truth {
		mac := func(m [6]byte) string { return string(column.AppendMAC(nil, column.MACFrom(m))) }
		for name, want := range map[string]any{
			"SamplingRate": f.SamplingRate, "SamplingSource": "record", "Bytes": f.Bytes, "Packets": f.Packets,
			"SrcAddr": f.Src, "DstAddr": f.Dst, "SrcPort": f.SrcPort, "DstPort": f.DstPort, "Proto": f.Proto,
			"IPTos": f.TOS, "IPTTL": f.TTL, "TCPFlags": f.TCPFlags, "IcmpType": f.ICMPType, "IcmpCode": f.ICMPCode,
			"IPv6FlowLabel": f.FlowLabel, "FragmentId": f.FragmentID, "InIf": f.InIf, "OutIf": f.OutIf,
			"SrcVlan": f.SrcVLAN, "DstVlan": f.DstVLAN, "SrcMac": mac(f.SrcMAC), "DstMac": mac(f.DstMAC),
			"SrcMask": f.SrcMask, "DstMask": f.DstMask, "SrcAS": f.SrcAS, "DstAS": f.DstAS,
			"NextHop": f.NextHop, "BGPNextHop": f.BGPNextHop, "DstASPath": f.ASPath,
		} {
			got := c.rows[i][name]
			if text := fmt.Sprint(want); got == nil && (text == "0" || text == "[]" || text == "invalid IP" || text == "00:00:00:00:00:00") {
				continue
			} else if fmt.Sprint(got) != text {
				t.Fatalf("flow %d: %s = %v, want %v\n%v\n%+v", i, name, got, want, c.rows[i], f)
			}
		}
	}
}

// words is XDR written as numbers: decimal, or hexadecimal with 0x for whole bytes.
func words(t testing.TB, text string) (b []byte) {
	t.Helper()
	for w := range strings.FieldsSeq(text) {
		if h, ok := strings.CutPrefix(w, "0x"); ok {
			raw, err := hex.DecodeString(h)
			if err != nil {
				t.Fatal(err)
			}
			b = append(b, raw...)
			b = append(b, make([]byte, -len(raw)&3)...)
			continue
		}
		var n uint32
		if _, err := fmt.Sscan(w, &n); err != nil {
			t.Fatal(w, err)
		}
		b = append(b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return b
}

// block is a sample or a record: its format, its length, its content.
func block(t testing.TB, format int, content string) string {
	return fmt.Sprintf(" %d %d %s ", format, len(words(t, content)), content)
}

const (
	// A datagram from 192.0.2.1, sub-agent 7, sequence number 100, uptime 1,000,000.
	head = "5 1 0xc0000201 7 100 1000000 "
	// The beginning of a flow sample, 1 of 512 packets from interface 3 to 4.
	ports  = "1 3 512 0 0 3 4 "
	ports2 = "1 0 3 512 0 0 0 3 0 4 " // expanded
	// Ethernet, IPv4 from 192.0.2.10 to 198.51.100.20, UDP 53 to 4660.
	frame = "0x020000000001020000000002080045b8002812340000401100" + "00c000020ac6336414003512340008000000000000"
)

func TestDecode(t *testing.T) {
	f := func(payload, want, wantRefused string) {
		t.Helper()
		state := New(Options{SamplingRate: func(a netip.Addr) uint32 {
			if a == netip.MustParseAddr("192.0.2.77") {
				return 100
			}
			return 0
		}})
		rows := decodePayload(t, state, words(t, payload))
		var wanted []map[string]any
		for line := range bytes.Lines([]byte(want)) {
			if len(bytes.TrimSpace(line)) > 0 {
				wanted = append(wanted, object(t, line))
			}
		}
		for _, row := range rows {
			for _, name := range []string{"TimeReceived", "FlowStart", "FlowEnd", "FlowType", "SequenceNum", "ObservationDomain", "Packets"} {
				if row[name] == nil {
					t.Errorf("%s: no %s", payload, name)
				}
				delete(row, name)
			}
		}
		if !reflect.DeepEqual(rows, wanted) {
			text, _ := json.MarshalIndent(rows, "", " ")
			t.Errorf("%s\n got %s\nwant %s", payload, text, want)
		}
		if r := refused(state); r != wantRefused {
			t.Errorf("%s\nrefused %q, want %q", payload, r, wantRefused)
		}
	}
	row := func(fields string) string {
		return `{"ExporterAddress":"192.0.2.1","SamplingRate":512,"SamplingSource":"record","InIf":3,"OutIf":4,"Quality":["no-time"]` + fields + "}\n"
	}
	sample := func(records string, n int) string { return head + "1" + block(t, 1, ports+fmt.Sprint(n)+" "+records) }

	const udp = `,"SrcMac":"02:00:00:00:00:02","DstMac":"02:00:00:00:00:01","EType":2048,"SrcAddr":"192.0.2.10","DstAddr":"198.51.100.20",` +
		`"SrcPort":53,"DstPort":4660,"Proto":17,"IPTos":184,"IPTTL":64,"FragmentId":4660`
	header := block(t, sampledHeader, "1 1518 4 46 "+frame)

	// Headers.
	f(sample(header, 1), row(`,"Bytes":1518`+udp), "")
	f(head+"1"+block(t, 3, ports2+"1 "+header), row(`,"Bytes":1518`+udp), "")
	f(sample(block(t, sampledHeader, "11 1500 0 21 0x45b8001512340000403200"+"00c000020ac633641400"), 1),
		row(`,"Bytes":1500,"EType":2048,"SrcAddr":"192.0.2.10","DstAddr":"198.51.100.20","Proto":50,"IPTos":184,"IPTTL":64,"FragmentId":4660`), "")
	f(sample(block(t, sampledHeader, "13 1500 0 24 0x0001217f45b8001412340000403200"+"00c000020ac6336414"), 1),
		row(`,"Bytes":1500,"EType":2048,"SrcAddr":"192.0.2.10","DstAddr":"198.51.100.20","Proto":50,"IPTos":184,"IPTTL":64,"FragmentId":4660,"MPLSLabels":[18]`), "")
	f(sample(block(t, sampledHeader, "15 1500 0 4 0x00000000"), 1), row(`,"Bytes":1500`), "1 unknown header protocol")
	f(sample(block(t, sampledHeader, "1 1518 4 14 0x0200000000010200000000020800"), 1),
		strings.Replace(row(`,"Bytes":1518,"SrcMac":"02:00:00:00:00:02","DstMac":"02:00:00:00:00:01","EType":2048`), `["no-time"]`, `["truncated-header","no-time"]`, 1), "")

	// Headers as fields; the sampled header says more.
	ethernet := block(t, sampledEthernet, "64 0x020000000002 0x020000000001 34525")
	ipv4 := block(t, sampledIPv4, "1500 6 0xc000020a 0xc6336414 443 50000 24 184")
	f(sample(ethernet, 1), row(`,"Bytes":64,"SrcMac":"02:00:00:00:00:02","DstMac":"02:00:00:00:00:01","EType":34525`), "")
	f(sample(ipv4, 1), row(`,"Bytes":1500,"EType":2048,"SrcAddr":"192.0.2.10","DstAddr":"198.51.100.20","Proto":6,"SrcPort":443,"DstPort":50000,"TCPFlags":24,"IPTos":184`), "")
	f(sample(block(t, sampledIPv6, "1500 6 0x20010db8000000000000000000000001 0x20010db8000000000000000000000002 443 50000 24 8"), 1),
		row(`,"Bytes":1500,"EType":34525,"SrcAddr":"2001:db8::1","DstAddr":"2001:db8::2","Proto":6,"SrcPort":443,"DstPort":50000,"TCPFlags":24,"IPTos":8`), "")
	f(sample(header+ipv4+ethernet, 3), row(`,"Bytes":1518`+udp), "")
	f(sample(ipv4+ethernet+header, 3), row(`,"Bytes":1518,"TCPFlags":24`+udp), "")

	// Extensions.
	f(sample(header+block(t, extendedSwitch, "100 0 200 0"), 2), row(`,"Bytes":1518,"SrcVlan":100,"DstVlan":200`+udp), "")
	f(sample(block(t, extendedSwitch, "4294967295 0 0 0")+header, 2), row(`,"Bytes":1518`+udp), "")
	f(sample(header+block(t, extendedVLANTunnel, "2 0x88a800c8 0x81000064"), 2), row(`,"Bytes":1518,"SrcVlan":200,"SrcCustomerVlan":100`+udp), "")
	f(sample(header+block(t, extendedVLANTunnel, "1 0x88a800c8"), 2), row(`,"Bytes":1518,"SrcVlan":200`+udp), "")
	f(sample(block(t, sampledHeader, "1 64 4 18 0x020000000001020000000002810000648902")+block(t, extendedVLANTunnel, "1 0x88a800c8"), 2),
		row(`,"Bytes":64,"EType":35074,"SrcMac":"02:00:00:00:00:02","DstMac":"02:00:00:00:00:01","SrcVlan":200,"SrcCustomerVlan":100`), "")
	f(sample(block(t, extendedRouter, "1 0xc0000202 24 16"), 1), row(`,"NextHop":"192.0.2.2","SrcMask":24,"DstMask":16`), "")
	f(sample(block(t, extendedRouter, "2 0x20010db8000000000000000000000001 64 0"), 1), row(`,"NextHop":"2001:db8::1","SrcMask":64`), "")
	f(sample(block(t, extendedRouter, "0 4294967040 4294901760"), 1), row(`,"SrcMask":24,"DstMask":16`), "")
	f(sample(block(t, extendedRouter, "3 0 0 0"), 1), row(``), "1 bad length, 1 bad address")
	f(sample(block(t, extendedGateway, "1 0xc0000203 64496 64500 64501 2 2 2 64497 64498 1 1 64499 2 4226809857 4226809858 100"), 1),
		row(`,"BGPNextHop":"192.0.2.3","SrcAS":64500,"NextHopAS":64497,"DstAS":64499,"DstASPath":[64497,64498,64499],"DstCommunities":[4226809857,4226809858]`), "")
	// A set in the path (RFC 4271, section 4.3), and one that no list of communities follows.
	f(sample(block(t, extendedGateway, "2 0x20010db8000000000000000000000003 64496 64500 64501 2 2 1 64497 1 2 64498 64499 0 100"), 1),
		row(`,"BGPNextHop":"2001:db8::3","SrcAS":64500,"NextHopAS":64497,"DstAS":64499,"DstASPath":[64497,64498,64499]`), "")
	f(sample(block(t, extendedGateway, "0 64496 64500 0 0 0 100"), 1), row(`,"SrcAS":64500`), "")
	f(sample(block(t, extendedGateway, "0 64496 64500 0 1 2 4294967295 64497"), 1), row(`,"SrcAS":64500`), "1 bad length")
	f(sample(block(t, extendedMPLS, "1 0xc0000202 2 0x0012c0ff 0x000101ff 0"), 1), row(`,"NextHop":"192.0.2.2","MPLSLabels":[300,16]`), "")
	f(sample(block(t, extendedNAT, "1 0xcb007101 1 0xcb007102")+block(t, extendedNATPort, "1024 80"), 2),
		row(`,"SrcAddrNAT":"203.0.113.1","DstAddrNAT":"203.0.113.2","SrcPortNAT":1024,"DstPortNAT":80`), "")
	f(sample(header+block(t, tunnelIPv4Egress, "1568 17 0xc0000202 0xc0000203 49152 4789 0 0")+block(t, tunnelVNIEgress, "5000"), 3),
		row(`,"Bytes":1518,"TunnelType":"vxlan","OuterSrcAddr":"192.0.2.2","OuterDstAddr":"192.0.2.3","VNI":5000`+udp), "")
	for _, tunnel := range []struct{ record, name string }{
		{"4 0xc0000202 0xc0000203 0 0", "ipip"}, {"41 0xc0000202 0xc0000203 0 0", "6in4"}, {"47 0xc0000202 0xc0000203 0 0", "gre"},
		{"97 0xc0000202 0xc0000203 0 0", "etherip"}, {"115 0xc0000202 0xc0000203 0 0", "l2tp"}, {"137 0xc0000202 0xc0000203 0 0", "mpls"},
		{"17 0xc0000202 0xc0000203 49152 1701", "l2tp"}, {"17 0xc0000202 0xc0000203 49152 2152", "gtp-u"},
		{"17 0xc0000202 0xc0000203 49152 6081", "geneve"}, {"17 0xc0000202 0xc0000203 0 0x0000b512", "vxlan"}, {"17 0xc0000202 0xc0000203 49152 6635", "mpls"},
	} {
		f(sample(header+block(t, tunnelIPv4Ingress, "1568 "+tunnel.record+" 0 0"), 2),
			row(`,"Bytes":1518,"TunnelType":"`+tunnel.name+`","OuterSrcAddr":"192.0.2.2","OuterDstAddr":"192.0.2.3"`+udp), "")
	}
	f(sample(header+block(t, tunnelIPv6Egress, "1568 41 0x20010db8000000000000000000000001 0x20010db8000000000000000000000002 0 0 0 0"), 2),
		row(`,"Bytes":1518,"TunnelType":"ipip","OuterSrcAddr":"2001:db8::1","OuterDstAddr":"2001:db8::2"`+udp), "")
	f(sample(block(t, 1004, "0 0 0 0")+block(t, 4300<<12|5, "1 2 3")+header, 3), row(`,"Bytes":1518`+udp), "")

	// Interfaces and sampling.
	in := func(rate, input, output string) string {
		return head + "1" + block(t, 1, "1 3 "+rate+" 0 0 "+input+" "+output+" 0")
	}
	f(in("512", "3", "1073741823"), `{"ExporterAddress":"192.0.2.1","SamplingRate":512,"SamplingSource":"record","InIf":3,"Quality":["no-time"]}`, "")
	f(in("512", "3", "2147483655"), `{"ExporterAddress":"192.0.2.1","SamplingRate":512,"SamplingSource":"record","InIf":3,"Quality":["no-time"]}`, "")
	f(in("512", "3", "1073742082"), `{"ExporterAddress":"192.0.2.1","SamplingRate":512,"SamplingSource":"record","InIf":3,"Quality":["no-time"],"ForwardingStatus":129}`, "")
	f(in("512", "2147483648", "3"), `{"ExporterAddress":"192.0.2.1","SamplingRate":512,"SamplingSource":"record","OutIf":3,"Quality":["no-time"]}`, "")
	f(in("512", "3", "1073741824"), `{"ExporterAddress":"192.0.2.1","SamplingRate":512,"SamplingSource":"record","InIf":3,"Quality":["no-time"],"ForwardingStatus":131}`, "")
	// Expanded: a format and a value, so that an ifIndex may have 32 bits.
	in2 := func(input, output string) string {
		return head + "1" + block(t, 3, "1 0 3 512 0 0 "+input+" "+output+" 0")
	}
	f(in2("0 4294967294", "0 1073741824"), `{"ExporterAddress":"192.0.2.1","SamplingRate":512,"SamplingSource":"record","InIf":4294967294,"OutIf":1073741824,"Quality":["no-time"]}`, "")
	f(in2("0 3", "2 7"), `{"ExporterAddress":"192.0.2.1","SamplingRate":512,"SamplingSource":"record","InIf":3,"Quality":["no-time"]}`, "")
	f(in2("0 3", "1 257"), `{"ExporterAddress":"192.0.2.1","SamplingRate":512,"SamplingSource":"record","InIf":3,"Quality":["no-time"],"ForwardingStatus":137}`, "")
	f(in2("0 1073741823", "0 4294967295"), `{"ExporterAddress":"192.0.2.1","SamplingRate":512,"SamplingSource":"record","Quality":["no-interface","no-time"]}`, "")
	f(in("512", "0", "0"), `{"ExporterAddress":"192.0.2.1","SamplingRate":512,"SamplingSource":"record","Quality":["no-interface","no-time"]}`, "")
	f(in("0", "3", "4"), `{"ExporterAddress":"192.0.2.1","SamplingRate":1,"InIf":3,"OutIf":4,"Quality":["no-sampling","no-time"]}`, "")
	f(strings.Replace(in("0", "3", "4"), "0xc0000201", "0xc000024d", 1),
		`{"ExporterAddress":"192.0.2.77","SamplingRate":100,"SamplingSource":"config","InIf":3,"OutIf":4,"Quality":["no-time"]}`, "")

	// Agents.
	f(strings.Replace(in("512", "3", "4"), "1 0xc0000201", "2 0x20010db8000000000000000000000001", 1),
		strings.Replace(row(""), "192.0.2.1", "2001:db8::1", 1), "")
	f(strings.Replace(in("512", "3", "4"), "0xc0000201", "0", 1), strings.Replace(row(""), "192.0.2.1", "192.0.2.99", 1), "")

	// Counters, drops, other samples; what follows them is decoded.
	f(head+"5"+block(t, 2, "1 2 0")+block(t, 4, "1 0 2 0")+block(t, 5, "1 0 2 0 0 0 0 0")+block(t, 4300<<12|1, "1")+block(t, 1, ports+"0"), row(``), "1 unknown sample")

	// Broken datagrams: what lengths allow is decoded, the rest counted.
	f("5 1", "", "1 datagram too short")
	f("5 1 0xc0000201 7 100 1000000", "", "1 datagram too short")
	f("4 1 0xc0000201 7 100 1000000 0", "", "1 unknown version")
	f("5 3 0xc0000201 7 100 1000000 0", "", "1 bad address")
	f(head+"3"+block(t, 1, ports+"0"), row(``), "1 bad count")
	f(head+"1"+block(t, 1, ports+"0")+"1 2 3", row(``), "1 bad count")
	f(head+"2 1 4 1"+block(t, 1, ports+"0"), row(``), "1 bad length")
	f(head+"1 1 4000 "+ports+"1 "+header, row(`,"Bytes":1518`+udp), "1 bad length")
	f(sample(header, 2), row(`,"Bytes":1518`+udp), "1 bad count")
	f(sample(block(t, extendedSwitch, "100 0")+header, 2), row(`,"Bytes":1518`+udp), "1 bad length")
	f(sample(block(t, sampledHeader, "1 1518 4 500 "+frame), 1), row(`,"Bytes":1518`+udp), "1 bad length")
	// A sample that says a length too small, as the last one: read by its records.
	f(head+"1 1 52 "+ports+"1 1002 16 1 0xc0000202 24 16", row(`,"NextHop":"192.0.2.2","SrcMask":24,"DstMask":16`), "1 bad count")
}

func TestIs(t *testing.T) {
	f := func(payload string, want bool) {
		t.Helper()
		if got := Is(words(t, payload)); got != want {
			t.Errorf("Is(%s) = %v", payload, got)
		}
	}
	f(head+"0", true)
	f("5 2 0 0", true)
	f("5", false)
	f("5 3 0 0", false)
	f("4 1 0 0", false)
	f("0x00050001", false)
}

// TestSubAgents: each numbers its own datagrams.
func TestSubAgents(t *testing.T) {
	exporters := new(source.Exporters)
	state := New(Options{Exporters: exporters})
	d, c := state.Decoder(), newCollector(t)
	for n := range 20 {
		for sub := range 3 {
			payload := words(t, fmt.Sprintf("5 1 0xc0000201 %d %d %d 1", sub, 1000*sub+n*(sub+1), n*1000)+block(t, 1, ports+"0"))
			d.Decode(&source.Datagram{Payload: payload, Exporter: sender, Received: arrival}, into(c.batch, c.flush))
		}
	}
	state.Settle()
	if lost := state.Counters().Lost.Load(); lost != 19+38 {
		t.Errorf("lost %d, want 57", lost)
	}
	list := exporters.List()
	if len(list) != 1 {
		t.Fatalf("%d exporters, want 1", len(list))
	}
	x := list[0]
	if x.Address != netip.MustParseAddr("192.0.2.1") || x.Type != flow.TypeSFlow || x.Datagrams.Load() != 60 || x.Flows.Load() != 60 ||
		x.Lost.Load() != 57 || x.SamplingRate.Load() != 512 || x.SamplingSource.Load() != uint32(flow.SamplingRecord) || x.LastSeen.Load() != arrival.UnixNano() {
		t.Errorf("exporter %+v", x)
	}
}

// TestHealth: reordering, restarts and refusals are those of the exporter, whatever
// its address.
func TestHealth(t *testing.T) {
	exporters := new(source.Exporters)
	state := New(Options{Exporters: exporters})
	d, c := state.Decoder(), newCollector(t)
	for _, n := range []int{1, 3, 2, 4, 900_000, 900_001} {
		payload := words(t, fmt.Sprintf("5 2 0x20010db8000000000000000000000001 0 %d 1000 3", n)+block(t, 1, ports+"0")+block(t, 77, "1")+
			block(t, 5, "1 0 2 0 0 0 257 0"))
		d.Decode(&source.Datagram{Payload: payload, Exporter: sender, Received: arrival}, into(c.batch, c.flush))
	}
	x := exporters.List()[0]
	if x.Address != netip.MustParseAddr("2001:db8::1") || x.Lost.Load() != 0 || x.Reordered.Load() != 1 || x.Restarts.Load() != 1 ||
		x.Records.Load() != 12 || x.Flows.Load() != 6 || x.Refused.Load() != 6 {
		t.Errorf("%s: lost %d, reordered %d, restarts %d, records %d, flows %d, refused %d", x.Address,
			x.Lost.Load(), x.Reordered.Load(), x.Restarts.Load(), x.Records.Load(), x.Flows.Load(), x.Refused.Load())
	}
	for r, n := range x.Reasons() {
		if n != 0 && r != UnknownSample {
			t.Errorf("%d %s", n, r)
		}
	}
	if c := state.Counters(); c.Reordered.Load() != 1 || c.Restarts.Load() != 1 {
		t.Errorf("reordered %d, restarts %d", c.Reordered.Load(), c.Restarts.Load())
	}
	for reason, n := range state.Discarded() {
		if reason != "ttl-exceeded" || n != 6 {
			t.Errorf("%d discarded because of %s", n, reason)
		}
	}
}

// TestSamplings compares what an agent declares with what its counters say.
func TestSamplings(t *testing.T) {
	state := New(Options{})
	d, c := state.Decoder(), newCollector(t)
	send := func(format int, id string, seq, rate, pool, drops uint32) {
		interfaces := "3 4 0"
		if format == 3 {
			interfaces = "0 3 0 4 0"
		}
		payload := words(t, head+"1"+block(t, format, fmt.Sprint(seq, " ", id, " ", rate, " ", pool, " ", drops, " ", interfaces)))
		d.Decode(&source.Datagram{Payload: payload, Exporter: sender, Received: arrival}, into(c.batch, c.flush))
	}
	// Interface 3 samples 1 in 1,024 and reports 512; interface 4 as reported, with two drops and a late
	// sample; the host 2:1 restarted.
	start := uint32(0xfffff000)
	for i := range uint32(11) {
		send(1, "3", 100+i, 512, start+1024*i, 0)
		send(3, "0 4", i, 256, 256*i, i/5)
		send(3, "0 4", 5, 256, 256*5, 1)
	}
	for i := range uint32(4) {
		send(3, "2 1", 5000+i, 10, 1e6+10*i, 7)
	}
	for i := range uint32(4) {
		send(3, "2 1", 1+i, 10, 10*i, 0)
	}
	of := func(x source.Sampling) source.Sampling {
		x.Exporter, x.Type, x.Domain, x.From = netip.MustParseAddr("192.0.2.1"), flow.TypeSFlow, 7, flow.SamplingRecord
		return x
	}
	want := []source.Sampling{
		of(source.Sampling{Of: "entity", ID: 1, Rate: 10, Effective: 10, Samples: 5}),
		of(source.Sampling{Of: "interface", ID: 3, Rate: 512, Effective: 1024, Samples: 10}),
		of(source.Sampling{Of: "interface", ID: 4, Rate: 256, Effective: 256, Samples: 10, Dropped: 2}),
	}
	if got := state.Samplings(); !reflect.DeepEqual(got, want) {
		t.Errorf(" got %+v\nwant %+v", got, want)
	}
}

// TestSweep: when the tables are full, agents that fell silent make room, and those
// that did not are still followed.
func TestSweep(t *testing.T) {
	state := New(Options{})
	d, b := state.Decoder(), flow.Table.NewBatch(1)
	payload := words(t, head+"1"+block(t, 1, ports+"0"))
	send := func(subAgent int, at time.Time) {
		binary.BigEndian.PutUint32(payload[12:], uint32(subAgent))
		d.Decode(&source.Datagram{Payload: payload, Exporter: sender, Received: at}, into(b, b.Reset))
	}
	for n := range maxAgents + 10 {
		send(n, arrival)
	}
	if r := refused(state); len(state.agents) != maxAgents || r != "10 too many exporters" {
		t.Errorf("%d agents, refused %s", len(state.agents), r)
	}
	later := arrival.Add(idleAfter)
	send(5, later)
	later = later.Add(2 * time.Second)
	send(maxAgents+10, later)
	send(5, later)
	if r := refused(state); len(state.agents) != 2 || len(d.agents) != 1 || state.samplers.Load() != 2 || r != "10 too many exporters" {
		t.Errorf("%d and %d agents, %d samplers, refused %s", len(state.agents), len(d.agents), state.samplers.Load(), r)
	}
}

// TestConcurrent: decoders share agents; run it with -race.
func TestConcurrent(t *testing.T) {
	state := New(Options{})
	payloads, truth := simulate.Capture(simulate.SFlow, 2000, 1)
	var wait sync.WaitGroup
	const decoders = 4
	for range decoders {
		wait.Go(func() {
			d, b := state.Decoder(), flow.Table.NewBatch(64)
			for _, p := range payloads {
				d.Decode(&source.Datagram{Payload: p, Exporter: sender, Received: arrival}, into(b, b.Reset))
			}
		})
	}
	wait.Wait()
	state.Settle()
	if n := state.Counters().Flows.Load(); n != decoders*uint64(len(truth)) {
		t.Errorf("%d flows, want %d", n, decoders*len(truth))
	}
}

// TestManyAgents: forged agents do not fill memory, and their flows still count.
func TestManyAgents(t *testing.T) {
	state := New(Options{})
	d, b := state.Decoder(), flow.Table.NewBatch(1)
	payload := words(t, head+"1"+block(t, 1, ports+"0"))
	const agents = maxAgents + 1000
	for n := range agents {
		copy(payload[8:], []byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
		d.Decode(&source.Datagram{Payload: payload, Exporter: sender, Received: arrival}, into(b, b.Reset))
	}
	if n := state.Counters().Flows.Load(); n != agents {
		t.Errorf("%d flows, want %d", n, agents)
	}
	if r := refused(state); r != "" {
		t.Errorf("refused %s", r)
	}
	list, others := state.options.Exporters.All()
	if n := len(list) + int(others.Datagrams.Load()); len(list) != source.MaxExporters || n != agents {
		t.Errorf("%d exporters are listed; with the others %d, want %d", len(list), n, agents)
	}
	if len(state.agents) > maxAgents || len(d.agents) > maxAgents || len(state.agents) < source.MaxExporters {
		t.Errorf("%d and %d agents are kept", len(state.agents), len(d.agents))
	}
	samplers := 0
	for _, a := range state.agents {
		samplers += len(a.samplers)
	}
	if n := int(state.samplers.Load()); n != samplers {
		t.Errorf("%d samplers are counted, %d are kept", n, samplers)
	}
}

// benchmarkDatagram has 7 samples, each with 128 bytes of TCP over IPv4 and an
// extended switch record.
func benchmarkDatagram(t testing.TB) ([]byte, int) {
	const n = 7
	header := "0x020000000001020000000002080045b805dc1234400040060000c000020ac6336414" + "c00101bb000000010000000250180200" + strings.Repeat("00", 128-14-20-16)
	sample := block(t, 1, ports+"2 "+block(t, sampledHeader, "1 1518 4 128 "+header)+block(t, extendedSwitch, "100 0 200 0"))
	return words(t, head+fmt.Sprint(n)+strings.Repeat(sample, n)), n
}

func TestDecodeAllocates(t *testing.T) {
	d, b := New(Options{}).Decoder(), flow.Table.NewBatch(64)
	payload, _ := benchmarkDatagram(t)
	gateway := words(t, head+"1"+block(t, 1, ports+"1 "+block(t, extendedGateway, "1 0xc0000203 64496 64500 64501 1 2 2 64497 64498 2 1 2 100")))
	dg := &source.Datagram{Exporter: sender, Received: arrival}
	out := into(b, b.Reset)
	if n := testing.AllocsPerRun(1000, func() {
		dg.Payload = payload
		d.Decode(dg, out)
		dg.Payload = gateway
		d.Decode(dg, out)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDecode(b *testing.B) {
	payload, flows := benchmarkDatagram(b)
	b.Run("tcp4-switch", func(b *testing.B) { benchmarkDecode(b, [][]byte{payload}, flows) })
	// IPv4 and IPv6, switch, router and gateway records.
	payloads, truth := simulate.Capture(simulate.SFlow, 10_000, 1)
	b.Run("simulated", func(b *testing.B) { benchmarkDecode(b, payloads, len(truth)) })
}

func benchmarkDecode(b *testing.B, payloads [][]byte, flows int) {
	d, batch := New(Options{}).Decoder(), flow.Table.NewBatch(8192)
	dg := &source.Datagram{Exporter: sender, Received: arrival}
	out := into(batch, batch.Reset)
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range payloads {
			dg.Payload = p
			d.Decode(dg, out)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*flows), "ns/flow")
}

// What was refused of an agent that was ignored, or whose sender was, is not lost when it
// is taken again; of another agent it would be.
func TestResume(t *testing.T) {
	f := func(resumed string, want uint64) {
		t.Helper()
		state := New(Options{})
		d, c := state.Decoder(), newCollector(t)
		for _, n := range []int{1, 2, 4, 100, 101, 103} { // 3 and 102 were never received
			if n == 100 {
				state.Resume(netip.MustParseAddr(resumed))
			}
			payload := words(t, fmt.Sprintf("5 1 0xc0000201 0 %d %d 1", n, n*1000)+block(t, 1, ports+"0"))
			d.Decode(&source.Datagram{Payload: payload, Exporter: sender, Received: arrival}, into(c.batch, c.flush))
		}
		state.Settle()
		if n := state.Counters().Lost.Load(); n != want {
			t.Errorf("%s resumed: lost %d, want %d", resumed, n, want)
		}
	}
	f("192.0.2.1", 2)
	f(sender.Addr().String(), 2)
	f("203.0.113.99", 97)
}

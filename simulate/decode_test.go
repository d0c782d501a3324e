package simulate

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/netsampler/goflow2/v2/decoders/netflow"
	"github.com/netsampler/goflow2/v2/decoders/netflowlegacy"
	"github.com/netsampler/goflow2/v2/decoders/sflow"
)

// peer decodes with goflow2, an implementation that is not ours, and gopacket for the frames in sFlow. It keeps what a
// collector keeps: templates and sampling rates by domain, and checks what it can along the way.
type peer struct {
	t         testing.TB
	templates netflow.NetFlowTemplateSystem
	samplers  map[string]uint32 // "domain", "domain/sampler", "domain/if/interface"
	sequence  map[uint32]uint32 // next by domain
	samples   map[[2]uint32][2]uint32
	ifs       map[[2]uint32]*ifCounters // traffic of the flow samples, by agent and interface
}

func newPeer(t testing.TB) *peer {
	return &peer{
		t:         t,
		templates: netflow.CreateTemplateSystem(),
		samplers:  make(map[string]uint32),
		sequence:  make(map[uint32]uint32),
		samples:   make(map[[2]uint32][2]uint32),
		ifs:       make(map[[2]uint32]*ifCounters),
	}
}

func (p *peer) inSequence(domain, got, records uint32) {
	p.t.Helper()
	if want, ok := p.sequence[domain]; ok && got != want {
		p.t.Fatalf("domain %d: sequence number %d, want %d", domain, got, want)
	}
	p.sequence[domain] = got + records
}

func (p *peer) decode(protocol Protocol, payload []byte) []Flow {
	p.t.Helper()
	switch protocol {
	case NetFlow5:
		return p.decode5(payload)
	case NetFlow9:
		var m netflow.NFv9Packet
		if err := netflow.DecodeMessageVersion(bytes.NewBuffer(payload), p.templates, &m, nil); err != nil {
			p.t.Fatal(err)
		}
		p.inSequence(m.SourceId, m.SequenceNumber, 1)
		base := int64(m.UnixSeconds)*1000 - int64(m.SystemUptime)
		return p.sets(m.SourceId, base, int(m.Count), m.FlowSets)
	case IPFIX:
		var m netflow.IPFIXPacket
		if err := netflow.DecodeMessageVersion(bytes.NewBuffer(payload), p.templates, nil, &m); err != nil {
			p.t.Fatal(err)
		}
		if int(m.Length) != len(payload) {
			p.t.Fatalf("length %d in a message of %d", m.Length, len(payload))
		}
		records := 0
		for _, s := range m.FlowSets {
			switch s := s.(type) {
			case netflow.DataFlowSet:
				records += len(s.Records)
			case netflow.OptionsDataFlowSet:
				records += len(s.Records)
			}
		}
		p.inSequence(m.ObservationDomainId, m.SequenceNumber, uint32(records))
		return p.sets(m.ObservationDomainId, 0, -1, m.FlowSets)
	}
	return p.decodeSFlow(payload)
}

func (p *peer) decode5(payload []byte) (flows []Flow) {
	var m netflowlegacy.PacketNetFlowV5
	if err := netflowlegacy.DecodeMessageVersion(bytes.NewBuffer(payload), &m); err != nil {
		p.t.Fatal(err)
	}
	if int(m.Count) != len(m.Records) || len(payload) != 24+48*int(m.Count) {
		p.t.Fatalf("count %d, %d records, %d bytes", m.Count, len(m.Records), len(payload))
	}
	p.inSequence(uint32(m.EngineId), m.FlowSequence, uint32(m.Count))
	base := int64(m.UnixSecs)*1000 + int64(m.UnixNSecs)/1_000_000 - int64(m.SysUptime)
	addr := func(a netflowlegacy.IPAddress) netip.Addr {
		return netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)})
	}
	for _, r := range m.Records {
		flows = append(flows, Flow{
			Exporter: int(m.EngineId) - 1, SamplingRate: max(1, uint32(m.SamplingInterval&0x3fff)),
			StartMS: base + int64(r.First), EndMS: base + int64(r.Last),
			Src: addr(r.SrcAddr), Dst: addr(r.DstAddr), NextHop: addr(r.NextHop),
			SrcPort: r.SrcPort, DstPort: r.DstPort, Proto: r.Proto, TOS: r.Tos, TCPFlags: r.TCPFlags,
			Bytes: uint64(r.DOctets), Packets: uint64(r.DPkts), InIf: uint32(r.Input), OutIf: uint32(r.Output),
			SrcAS: uint32(r.SrcAS), DstAS: uint32(r.DstAS), SrcMask: r.SrcMask, DstMask: r.DstMask,
		})
	}
	return flows
}

func number(v any) uint64 {
	var n uint64
	for _, b := range v.([]byte) {
		n = n<<8 | uint64(b)
	}
	return n
}

// sets reads the sets of v9 (count is what the header says) and IPFIX (count is -1).
func (p *peer) sets(domain uint32, base int64, count int, sets []any) (flows []Flow) {
	records := 0
	for _, s := range sets {
		switch s := s.(type) {
		case netflow.TemplateFlowSet:
			records += len(s.Records)
		case netflow.NFv9OptionsTemplateFlowSet:
			records += len(s.Records)
		case netflow.IPFIXOptionsTemplateFlowSet:
			records += len(s.Records)
		case netflow.OptionsDataFlowSet:
			records += len(s.Records)
			for _, r := range s.Records {
				p.option(domain, r, count >= 0)
			}
		case netflow.DataFlowSet:
			records += len(s.Records)
			for _, r := range s.Records {
				flows = append(flows, p.record(domain, base, r.Values))
			}
		default:
			p.t.Fatalf("domain %d: %T: %v", domain, s, s)
		}
	}
	if count >= 0 && records != count {
		p.t.Fatalf("domain %d: %d records, header says %d", domain, records, count)
	}
	return flows
}

func (p *peer) option(domain uint32, r netflow.OptionsDataRecord, v9 bool) {
	scope := r.ScopesValues[0]
	v := make(map[uint16]uint64)
	for _, f := range r.OptionsValues {
		v[f.Type] = number(f.Value)
	}
	switch {
	case v[34] != 0:
		p.samplers[fmt.Sprint(domain)] = uint32(v[34])
	case v9:
		p.samplers[fmt.Sprintf("%d/%d", domain, v[48])] = uint32(v[50])
		if scope.Type == scopeInterface {
			p.samplers[fmt.Sprintf("%d/if/%d", domain, number(scope.Value))] = uint32(v[50])
		}
	default:
		p.samplers[fmt.Sprintf("%d/%d", domain, number(scope.Value))] = uint32((v[305] + v[306]) / v[305])
	}
}

func (p *peer) record(domain uint32, base int64, values []netflow.DataField) Flow {
	f := Flow{Exporter: int(domain) - 1}
	sampler := fmt.Sprint(domain)
	for _, d := range values {
		raw, n := d.Value.([]byte), number(d.Value)
		switch d.Type {
		case 1:
			f.Bytes = n
		case 2:
			f.Packets = n
		case 4:
			f.Proto = uint8(n)
		case 5:
			f.TOS = uint8(n)
		case 6:
			f.TCPFlags = uint8(n)
		case 7:
			f.SrcPort = uint16(n)
		case 11:
			f.DstPort = uint16(n)
		case 8, 27:
			f.Src, _ = netip.AddrFromSlice(raw)
		case 12, 28:
			f.Dst, _ = netip.AddrFromSlice(raw)
		case 15, 62:
			f.NextHop, _ = netip.AddrFromSlice(raw)
		case 18, 63:
			f.BGPNextHop, _ = netip.AddrFromSlice(raw)
		case 9, 29:
			f.SrcMask = uint8(n)
		case 13, 30:
			f.DstMask = uint8(n)
		case 10:
			f.InIf = uint32(n)
		case 14:
			f.OutIf = uint32(n)
		case 16:
			f.SrcAS = uint32(n)
		case 17:
			f.DstAS = uint32(n)
		case 22:
			f.StartMS = base + int64(n)
		case 21:
			f.EndMS = base + int64(n)
		case 152:
			f.StartMS = int64(n)
		case 153:
			f.EndMS = int64(n)
		case 31:
			f.FlowLabel = uint32(n)
		case 32, 139:
			f.ICMPType, f.ICMPCode = uint8(n>>8), uint8(n)
		case 52:
			f.TTL = uint8(n)
		case 56:
			f.SrcMAC = [6]byte(raw)
		case 80:
			f.DstMAC = [6]byte(raw)
		case 58:
			f.SrcVLAN = uint16(n)
		case 59:
			f.DstVLAN = uint16(n)
		case 60:
			if want := uint64(4); f.Src.Is6() {
				want = 6
				if n != want {
					p.t.Fatalf("IP version %d of %v", n, f.Src)
				}
			}
		case 61:
			f.Direction = uint8(n)
		case 89:
			f.ForwardingStatus = uint8(n)
		case 136:
			f.EndReason = uint8(n)
		case 48, 302:
			sampler = fmt.Sprintf("%d/%d", domain, n)
		default:
			p.t.Fatalf("domain %d: element %d", domain, d.Type)
		}
	}
	rate, ok := p.samplers[sampler]
	if !ok {
		p.t.Fatalf("domain %d: no rate for sampler %s", domain, sampler)
	}
	if other, ok := p.samplers[fmt.Sprintf("%d/if/%d", domain, f.InIf)]; ok && other != rate {
		p.t.Fatalf("domain %d: rate %d by sampler, %d by interface %d", domain, rate, other, f.InIf)
	}
	f.SamplingRate = rate
	return f
}

func (p *peer) decodeSFlow(payload []byte) (flows []Flow) {
	var m sflow.Packet
	if err := sflow.DecodeMessageVersion(bytes.NewBuffer(payload), &m); err != nil {
		p.t.Fatal(err)
	}
	if int(m.SamplesCount) != len(m.Samples) {
		p.t.Fatalf("%d samples, header says %d", len(m.Samples), m.SamplesCount)
	}
	p.inSequence(m.SubAgentId, m.SequenceNumber, 1)
	for _, s := range m.Samples {
		f := Flow{Exporter: int(m.SubAgentId) - 1, Packets: 1}
		var head sflow.SampleHeader
		var pool uint32
		var records []sflow.FlowRecord
		switch s := s.(type) {
		case sflow.FlowSample:
			head, pool, records = s.Header, s.SamplePool, s.Records
			f.SamplingRate, f.InIf, f.OutIf = s.SamplingRate, s.Input, s.Output
		case sflow.ExpandedFlowSample:
			head, pool, records = s.Header, s.SamplePool, s.Records
			f.SamplingRate, f.InIf, f.OutIf = s.SamplingRate, s.InputIfValue, s.OutputIfValue
		case sflow.CounterSample:
			p.counters(m.SubAgentId, s)
			continue
		default:
			p.t.Fatalf("sample %T", s)
		}
		if head.SourceIdType != 0 || head.SourceIdValue != f.InIf {
			p.t.Fatalf("data source %d:%d of a frame from interface %d", head.SourceIdType, head.SourceIdValue, f.InIf)
		}
		source := [2]uint32{m.SubAgentId, head.SourceIdValue}
		last := p.samples[source]
		if head.SampleSequenceNumber != last[0]+1 || pool != last[1]+f.SamplingRate {
			p.t.Fatalf("source %v: sample %d, pool %d after %v", source, head.SampleSequenceNumber, pool, last)
		}
		p.samples[source] = [2]uint32{head.SampleSequenceNumber, pool}
		for _, r := range records {
			switch d := r.Data.(type) {
			case sflow.SampledHeader:
				f.Bytes = uint64(d.FrameLength)
				p.frame(&f, d)
			case sflow.ExtendedSwitch:
				if uint32(f.SrcVLAN) != d.SrcVlan {
					p.t.Fatalf("VLAN %d in the frame, %d in extended_switch", f.SrcVLAN, d.SrcVlan)
				}
				f.DstVLAN = uint16(d.DstVlan)
			case sflow.ExtendedRouter:
				f.NextHop, _ = netip.AddrFromSlice(d.NextHop)
				f.SrcMask, f.DstMask = uint8(d.SrcMaskLen), uint8(d.DstMaskLen)
			case sflow.ExtendedGateway:
				f.BGPNextHop, _ = netip.AddrFromSlice(d.NextHop)
				f.SrcAS, f.ASPath = d.SrcAS, d.ASPath
				f.DstAS = d.ASPath[len(d.ASPath)-1]
				if d.AS != localAS || d.LocalPref != 100 || len(d.Communities) != 1 {
					p.t.Fatalf("gateway %+v", d)
				}
			default:
				p.t.Fatalf("record %T", d)
			}
		}
		p.count(m.SubAgentId, &f)
		flows = append(flows, f)
	}
	return flows
}

func (p *peer) interfaceOf(agent, index uint32) *ifCounters {
	key := [2]uint32{agent, index}
	if p.ifs[key] == nil {
		p.ifs[key] = new(ifCounters)
	}
	return p.ifs[key]
}

func (p *peer) count(agent uint32, f *Flow) {
	in, out := p.interfaceOf(agent, f.InIf), p.interfaceOf(agent, f.OutIf)
	in.inOctets += f.Bytes * uint64(f.SamplingRate)
	in.inPackets += f.SamplingRate
	out.outOctets += f.Bytes * uint64(f.SamplingRate)
	out.outPackets += f.SamplingRate
}

// counters checks that the counters of an interface match its flow samples.
func (p *peer) counters(agent uint32, s sflow.CounterSample) {
	for _, r := range s.Records {
		c := r.Data.(sflow.IfCounters)
		got := ifCounters{c.IfInOctets, c.IfOutOctets, c.IfInUcastPkts, c.IfOutUcastPkts}
		if want := p.interfaceOf(agent, c.IfIndex); got != *want {
			p.t.Fatalf("agent %d, interface %d: counters %+v, flow samples say %+v", agent, c.IfIndex, got, *want)
		}
		if s.Header.SourceIdValue != c.IfIndex || c.IfSpeed == 0 {
			p.t.Fatalf("counter sample %+v of %+v", c, s.Header)
		}
	}
}

// frame dissects a sampled header and verifies its lengths and checksums. The payload is zeros, as far as it goes.
func (p *peer) frame(f *Flow, h sflow.SampledHeader) {
	padded := len(h.HeaderData)
	if h.Protocol != headerEthernet || h.Stripped != 4 || padded != int(h.OriginalLength+3)/4*4 || padded > 128 {
		p.t.Fatalf("header %+v", h)
	}
	h.HeaderData = h.HeaderData[:h.OriginalLength]
	whole := append(bytes.Clone(h.HeaderData), make([]byte, int(h.FrameLength)-4-len(h.HeaderData))...)
	packet := gopacket.NewPacket(whole, layers.LayerTypeEthernet, gopacket.Default)
	if packet.NetworkLayer() == nil { // an error further up is about a payload of zeros
		p.t.Fatalf("no IP in %v", packet)
	}
	ipLength := 0
	var l4 []byte
	for _, l := range packet.Layers() {
		switch l := l.(type) {
		case *layers.Ethernet:
			f.SrcMAC, f.DstMAC = [6]byte(l.SrcMAC), [6]byte(l.DstMAC)
		case *layers.Dot1Q:
			f.SrcVLAN = l.VLANIdentifier
		case *layers.IPv4:
			f.Src, _ = netip.AddrFromSlice(l.SrcIP.To4())
			f.Dst, _ = netip.AddrFromSlice(l.DstIP.To4())
			f.Proto, f.TOS, f.TTL, f.FragmentID = uint8(l.Protocol), l.TOS, l.TTL, uint32(l.Id)
			ipLength, l4 = int(l.Length), l.Payload
			if slowChecksum(l.Contents) != 0 {
				p.t.Fatalf("IPv4 header checksum %x of %v", l.Checksum, f)
			}
		case *layers.IPv6:
			f.Src, _ = netip.AddrFromSlice(l.SrcIP)
			f.Dst, _ = netip.AddrFromSlice(l.DstIP)
			f.Proto, f.TOS, f.TTL, f.FlowLabel = uint8(l.NextHeader), l.TrafficClass, l.HopLimit, l.FlowLabel
			ipLength, l4 = int(l.Length)+40, l.Payload
		case *layers.TCP:
			f.SrcPort, f.DstPort = uint16(l.SrcPort), uint16(l.DstPort)
			f.TCPFlags = l.Contents[13]
		case *layers.UDP:
			f.SrcPort, f.DstPort = uint16(l.SrcPort), uint16(l.DstPort)
			if int(l.Length) != len(l4) {
				p.t.Fatalf("UDP length %d, IP payload %d", l.Length, len(l4))
			}
		case *layers.ICMPv4:
			f.ICMPType, f.ICMPCode = l.TypeCode.Type(), l.TypeCode.Code()
		case *layers.ICMPv6:
			f.ICMPType, f.ICMPCode = l.TypeCode.Type(), l.TypeCode.Code()
		}
	}
	tag := 0
	if f.SrcVLAN != 0 {
		tag = 4
	}
	if want := max(60, 14+tag+ipLength) + 4; int(h.FrameLength) != want {
		p.t.Fatalf("frame of %d, want %d for %d bytes of IP", h.FrameLength, want, ipLength)
	}
	if f.Proto == tcp || f.Proto == udp || f.Proto == icmp || f.Proto == icmpv6 {
		pseudo := append(f.Src.AsSlice(), f.Dst.AsSlice()...)
		pseudo = binary.BigEndian.AppendUint32(pseudo, uint32(len(l4)))
		pseudo = append(pseudo, 0, 0, 0, f.Proto)
		if f.Proto == icmp {
			pseudo = nil
		}
		if slowChecksum(append(pseudo, l4...)) != 0 {
			p.t.Fatalf("checksum of protocol %d wrong: %+v", f.Proto, f)
		}
	}
}

// slowChecksum is RFC 1071 word by word; it is zero over data that contain their right checksum.
func slowChecksum(data []byte) uint16 {
	if len(data)%2 == 1 {
		data = append(data, 0)
	}
	var s uint32
	for i := 0; i < len(data); i += 2 {
		s += uint32(data[i])<<8 + uint32(data[i+1])
		s = s&0xffff + s>>16
	}
	return ^uint16(s)
}

func describe(f Flow) string { return fmt.Sprintf("%+v", f) }

// Every record of every kind of exporter says what the model drew, as another decoder reads it.
func TestAnotherDecoder(t *testing.T) {
	for _, protocol := range Protocols {
		t.Run(string(protocol), func(t *testing.T) {
			p := newPeer(t)
			// At 400 flows/s of simulated time, templates and counters come again and an attack comes by.
			noon := time.Date(2026, 1, 1, 12, 0, 0, 345e6, time.UTC)
			o := Options{Protocol: protocol, Rate: 400, Flows: 40_000, Exporters: 7, Seed: 1, Now: func() time.Time { return noon }}
			flows, control := 0, 0
			for d := range Datagrams(o) {
				if len(d.Payload) > 1472 {
					t.Fatalf("payload of %d bytes", len(d.Payload))
				}
				got := p.decode(protocol, d.Payload)
				if len(got) != len(d.Flows) {
					t.Fatalf("%d flows, want %d", len(got), len(d.Flows))
				}
				for i := range got {
					if got, want := describe(got[i]), describe(d.Flows[i]); got != want {
						t.Fatalf("flow %d:\ngot  %s\nwant %s", flows+i, got, want)
					}
					f := &got[i]
					age := d.Time.UnixMilli() - f.EndMS
					if protocol != SFlow && (age < 0 || age > 3000 || f.EndMS-f.StartMS < 0 || f.EndMS-f.StartMS > 20_000) {
						t.Fatalf("flow from %d to %d at %d", f.StartMS, f.EndMS, d.Time.UnixMilli())
					}
				}
				flows += len(got)
				if len(got) == 0 {
					control++
				}
			}
			if flows != 40_000 {
				t.Errorf("%d flows, want 40000", flows)
			}
			if protocol != NetFlow5 && control < 7*4 {
				t.Errorf("%d datagrams with templates or counters in 100 s of 7 exporters", control)
			}
		})
	}
}

// What the pool sends again is what it sent before, later: it decodes the same, and its sequence numbers go on.
func TestPoolMoves(t *testing.T) {
	for _, protocol := range Protocols {
		t.Run(string(protocol), func(t *testing.T) {
			now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
			o := Options{Protocol: protocol, Seed: 3, Exporters: 2, Now: func() time.Time { return now }}.withDefaults()
			tr := newTraffic(o, now)
			for _, e := range tr.exporters {
				e.pool, e.keep = e.pool[:5], true
			}
			p := newPeer(t)
			for range 300 {
				_, s := tr.next(now)
				got := p.decode(protocol, s.buf)
				var want []Flow
				if s.kind == dataSlot {
					want = s.flows
				}
				if len(got) != len(want) {
					t.Fatalf("%d flows, want %d", len(got), len(want))
				}
				for i := range got {
					if got, want := describe(got[i]), describe(want[i]); got != want {
						t.Fatalf("flow %d:\ngot  %s\nwant %s", i, got, want)
					}
				}
				now = now.Add(777 * time.Millisecond)
			}
		})
	}
}

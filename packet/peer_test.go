package packet

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"netmeta/column"
	"netmeta/flow"
)

// A frameMaker makes random frames of nested layers with gopacket.
type frameMaker struct{ *rand.Rand }

func (r frameMaker) mac() net.HardwareAddr {
	m := binary.BigEndian.AppendUint64(nil, r.Uint64())[:6]
	m[0] = m[0]&^1 | 2
	return m
}

func (r frameMaker) ip(n int) net.IP {
	a := make(net.IP, n)
	for i := range a {
		a[i] = byte(r.Uint32())
	}
	a[0] = 0x20
	return a
}

// bytes is a frame as it is on the wire.
func (r frameMaker) bytes(t testing.TB) []byte {
	t.Helper()
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, r.frame(r.IntN(4))...); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func (r frameMaker) frame(depth int) []gopacket.SerializableLayer {
	eth := &layers.Ethernet{SrcMAC: r.mac(), DstMAC: r.mac()}
	stack := []gopacket.SerializableLayer{eth}
	etherType := &eth.EthernetType
	for range r.IntN(3) {
		tag := &layers.Dot1Q{VLANIdentifier: uint16(1 + r.IntN(4094)), Priority: uint8(r.IntN(8))}
		*etherType, etherType = layers.EthernetTypeDot1Q, &tag.Type
		stack = append(stack, tag)
	}
	if r.IntN(4) == 0 {
		*etherType = layers.EthernetTypeMPLSUnicast
		stack = append(stack, r.labels()...)
		etherType = new(layers.EthernetType)
	}
	ip, t := r.packet(depth)
	*etherType = t
	return append(stack, ip...)
}

func (r frameMaker) labels() (stack []gopacket.SerializableLayer) {
	n := 1 + r.IntN(3)
	for i := range n {
		stack = append(stack, &layers.MPLS{Label: r.Uint32N(1 << 20), StackBottom: i == n-1, TTL: 64})
	}
	return stack
}

func (r frameMaker) packet(depth int) ([]gopacket.SerializableLayer, layers.EthernetType) {
	if r.IntN(2) == 0 {
		ip := &layers.IPv4{Version: 4, IHL: 5, TOS: uint8(r.Uint32()), Id: uint16(r.Uint32()), TTL: uint8(1 + r.IntN(255)), SrcIP: r.ip(4), DstIP: r.ip(4)}
		if r.IntN(4) == 0 {
			ip.Options = []layers.IPv4Option{{OptionType: 148, OptionLength: 4, OptionData: []byte{0, 0}}} // router alert
		}
		rest, proto := r.payload(depth, ip, false)
		ip.Protocol = proto
		return append([]gopacket.SerializableLayer{ip}, rest...), layers.EthernetTypeIPv4
	}
	ip := &layers.IPv6{Version: 6, TrafficClass: uint8(r.Uint32()), FlowLabel: r.Uint32N(1 << 20), HopLimit: uint8(1 + r.IntN(255)), SrcIP: r.ip(16), DstIP: r.ip(16)}
	rest, proto := r.payload(depth, ip, true)
	ip.NextHeader = proto
	return append([]gopacket.SerializableLayer{ip}, rest...), layers.EthernetTypeIPv6
}

func (r frameMaker) payload(depth int, ip gopacket.NetworkLayer, v6 bool) ([]gopacket.SerializableLayer, layers.IPProtocol) {
	data := gopacket.Payload(make([]byte, r.IntN(60)))
	port := func() uint16 { return uint16(10_000 + r.IntN(50_000)) } // none of a tunnel
	choices := 5
	if depth > 0 {
		choices = 14
	}
	switch r.IntN(choices) {
	case 0, 1:
		tcp := &layers.TCP{SrcPort: layers.TCPPort(port()), DstPort: layers.TCPPort(port()), SYN: r.IntN(2) == 0, ACK: true, ECE: r.IntN(2) == 0, NS: r.IntN(2) == 0}
		tcp.SetNetworkLayerForChecksum(ip)
		return []gopacket.SerializableLayer{tcp, data}, layers.IPProtocolTCP
	case 2:
		if v6 {
			icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(128, 0)}
			icmp.SetNetworkLayerForChecksum(ip)
			return []gopacket.SerializableLayer{icmp, data}, layers.IPProtocolICMPv6
		}
		return []gopacket.SerializableLayer{&layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(3, uint8(r.IntN(14)))}, data}, layers.IPProtocolICMPv4
	case 3:
		return []gopacket.SerializableLayer{&layers.SCTP{SrcPort: layers.SCTPPort(port()), DstPort: layers.SCTPPort(port())}}, layers.IPProtocolSCTP
	case 4:
		udp := &layers.UDP{SrcPort: layers.UDPPort(port()), DstPort: layers.UDPPort(port())}
		udp.SetNetworkLayerForChecksum(ip)
		return []gopacket.SerializableLayer{udp, data}, layers.IPProtocolUDP
	case 5, 6:
		inner, t := r.packet(depth - 1)
		if t == layers.EthernetTypeIPv6 {
			return inner, layers.IPProtocolIPv6
		}
		return inner, layers.IPProtocolIPv4
	case 7, 8:
		gre := &layers.GRE{KeyPresent: r.IntN(2) == 0, SeqPresent: r.IntN(2) == 0, ChecksumPresent: r.IntN(2) == 0}
		if gre.KeyPresent {
			gre.Key = r.Uint32()
		}
		inner, t := r.packet(depth - 1)
		if r.IntN(3) == 0 {
			inner, t = r.frame(depth-1), layers.EthernetTypeTransparentEthernetBridging
		}
		gre.Protocol = t
		return append([]gopacket.SerializableLayer{gre}, inner...), layers.IPProtocolGRE
	case 9:
		udp := &layers.UDP{SrcPort: layers.UDPPort(port()), DstPort: portVXLAN}
		udp.SetNetworkLayerForChecksum(ip)
		return append([]gopacket.SerializableLayer{udp, &layers.VXLAN{ValidIDFlag: true, VNI: r.Uint32N(1 << 24)}}, r.frame(depth-1)...), layers.IPProtocolUDP
	case 10:
		return append([]gopacket.SerializableLayer{gopacket.Payload{0x30, 0}}, r.frame(depth-1)...), layers.IPProtocolEtherIP
	case 11:
		inner, _ := r.packet(depth - 1)
		return append(r.labels(), inner...), layers.IPProtocolMPLSInIP
	case 12:
		udp := &layers.UDP{SrcPort: layers.UDPPort(port()), DstPort: portMPLS}
		udp.SetNetworkLayerForChecksum(ip)
		inner, _ := r.packet(depth - 1)
		return append(append([]gopacket.SerializableLayer{udp}, r.labels()...), inner...), layers.IPProtocolUDP
	default:
		udp := &layers.UDP{SrcPort: layers.UDPPort(port()), DstPort: portGeneve}
		udp.SetNetworkLayerForChecksum(ip)
		return append([]gopacket.SerializableLayer{udp, &layers.Geneve{Protocol: layers.EthernetTypeTransparentEthernetBridging, VNI: r.Uint32N(1 << 24)}}, r.frame(depth-1)...), layers.IPProtocolUDP
	}
}

// peer reads a frame with gopacket, whose decoders are not ours, into the columns
// that we would fill.
func peer(frame []byte) map[string]any {
	p := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.NoCopy)
	row := map[string]any{}
	var labels []any
	addr := func(a net.IP) string {
		ip, _ := netip.AddrFromSlice(a)
		return ip.Unmap().String()
	}
	// An inner header is a new start; the link-layer values stay.
	inner := func() {
		for _, k := range []string{"SrcPort", "DstPort", "TCPFlags", "IPv6FlowLabel", "FragmentId", "IcmpType", "IcmpCode", "Proto"} {
			delete(row, k)
		}
	}
	through := func(tunnel string, vni uint32) {
		if row["TunnelType"] == nil {
			row["TunnelType"], row["OuterSrcAddr"], row["OuterDstAddr"], row["VNI"] = tunnel, row["SrcAddr"], row["DstAddr"], vni
		}
	}
	seen, tags := 0, []string{"SrcVlan", "SrcCustomerVlan"}
	tag := 0
	var before gopacket.Layer
	for _, l := range p.Layers() {
		switch l := l.(type) {
		case *layers.Ethernet:
			row["SrcMac"], row["DstMac"] = l.SrcMAC.String(), l.DstMAC.String()
			for _, name := range tags {
				delete(row, name)
			}
			tag = 0
		case *layers.Dot1Q:
			if tag < len(tags) {
				row[tags[tag]] = l.VLANIdentifier
				tag++
			}
		case *layers.MPLS:
			labels = append(labels, l.Label)
			switch before.(type) {
			case *layers.IPv4, *layers.IPv6, *layers.UDP:
				through("mpls", 0)
			}
		case *layers.IPv4, *layers.IPv6:
			if _, ok := before.(gopacket.NetworkLayer); ok && seen > 0 {
				_, outer4 := before.(*layers.IPv4)
				if _, inner6 := l.(*layers.IPv6); outer4 && inner6 {
					through("6in4", 0)
				} else {
					through("ipip", 0)
				}
			}
			seen++
			inner()
			switch l := l.(type) {
			case *layers.IPv4:
				row["EType"], row["SrcAddr"], row["DstAddr"], row["Proto"] = 0x0800, addr(l.SrcIP), addr(l.DstIP), uint8(l.Protocol)
				row["IPTos"], row["IPTTL"], row["FragmentId"] = l.TOS, l.TTL, l.Id
			case *layers.IPv6:
				row["EType"], row["SrcAddr"], row["DstAddr"], row["Proto"] = 0x86dd, addr(l.SrcIP), addr(l.DstIP), uint8(l.NextHeader)
				row["IPTos"], row["IPTTL"], row["IPv6FlowLabel"] = l.TrafficClass, l.HopLimit, l.FlowLabel
			}
		case *layers.TCP:
			row["SrcPort"], row["DstPort"] = uint16(l.SrcPort), uint16(l.DstPort)
			flags := int(be16(l.Contents[12:])) & 0x0e00 // without a name in gopacket, and kept (RFC 9565, section 3)
			for bit, set := range []bool{l.FIN, l.SYN, l.RST, l.PSH, l.ACK, l.URG, l.ECE, l.CWR, l.NS} {
				if set {
					flags |= 1 << bit
				}
			}
			row["TCPFlags"] = flags
		case *layers.UDP:
			row["SrcPort"], row["DstPort"] = uint16(l.SrcPort), uint16(l.DstPort)
		case *layers.SCTP:
			row["SrcPort"], row["DstPort"] = uint16(l.SrcPort), uint16(l.DstPort)
		case *layers.ICMPv4:
			row["IcmpType"], row["IcmpCode"] = l.TypeCode.Type(), l.TypeCode.Code()
		case *layers.ICMPv6:
			row["IcmpType"], row["IcmpCode"] = l.TypeCode.Type(), l.TypeCode.Code()
		case *layers.GRE:
			through("gre", l.Key)
		case *layers.EtherIP:
			through("etherip", 0)
		case *layers.VXLAN:
			through("vxlan", l.VNI)
		case *layers.Geneve:
			through("geneve", l.VNI)
		}
		before = l
	}
	if labels != nil {
		row["MPLSLabels"] = labels
	}
	return row
}

func init() { layers.RegisterUDPPortLayerType(portMPLS, layers.LayerTypeMPLS) } // gopacket does not know it

// comparePeer makes a frame and compares what we read in it with what gopacket does.
func comparePeer(t *testing.T, b *column.Batch, r frameMaker) {
	t.Helper()
	frame := r.bytes(t)
	compareRow(t, b, frame, peer(frame))
}

// compareRow wants a whole frame to have the columns of want and no others.
func compareRow(t *testing.T, b *column.Batch, frame []byte, want map[string]any) {
	t.Helper()
	b.Reset()
	b.Add()
	if info := Dissect(b, 0, Ethernet, frame); info.Truncated {
		t.Fatalf("truncated\n%x", frame)
	}
	got := decode(t, b)
	for _, f := range flow.Table.Fields {
		w, g := fmt.Sprint(want[f.Name]), fmt.Sprint(got[f.Name])
		switch w { // zero columns are left out
		case "0", "::", "00:00:00:00:00:00":
			w = "<nil>"
		}
		if w != g {
			t.Fatalf("%s = %s, want %s\n%s\n%x\n%v", f.Name, g, w, column.AppendJSON(nil, b, 0), frame, gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.Default))
		}
	}
}

// TestPeer compares with gopacket over random stacks of headers.
func TestPeer(t *testing.T) {
	b := flow.Table.NewBatch(1)
	for n := range uint64(20_000) {
		comparePeer(t, b, frameMaker{rand.New(rand.NewPCG(n, 1))})
	}
}

// FuzzPeer is TestPeer without end: the fuzzer draws the seeds.
func FuzzPeer(f *testing.F) {
	for n := range uint64(16) {
		f.Add(n, uint64(2))
	}
	b := flow.Table.NewBatch(1)
	f.Fuzz(func(t *testing.T, one, two uint64) { comparePeer(t, b, frameMaker{rand.New(rand.NewPCG(one, two))}) })
}

// plain reports that gopacket reads a frame as Ethernet, tags, one complete IP packet and a transport,
// without error: then it reads all of it as we do. Tunnels and the rest are distinguished by our own rules,
// which FuzzPeer compares for frames that follow them.
func plain(p gopacket.Packet) bool {
	if p.ErrorLayer() != nil || p.Metadata().Truncated {
		return false
	}
	known := func(t layers.EthernetType) bool { // gopacket has its own numbers
		return t == etherIPv4 || t == etherIPv6 || t == etherVLAN || t == etherQinQ
	}
	networks, tags := 0, 0
	for _, l := range p.Layers() {
		switch l := l.(type) {
		case *layers.Ethernet:
			if !known(l.EthernetType) {
				return false
			}
		case *layers.Dot1Q:
			if tags++; tags > 2 || !known(l.Type) || l.VLANIdentifier == 0 {
				return false
			}
		case *layers.IPv4:
			if networks++; l.Version != 4 || l.Length == 0 || l.FragOffset != 0 || l.Flags&layers.IPv4MoreFragments != 0 {
				return false
			}
		case *layers.IPv6:
			if networks++; l.Version != 6 || l.Length == 0 {
				return false
			}
		case *layers.TCP:
			return networks == 1
		case *layers.UDP:
			for _, port := range []layers.UDPPort{portGTPU, portVXLAN, portVXLANGPE, portVXLANLinux, portGeneve, portMPLS, portL2TP, portTeredo} {
				if l.DstPort == port || l.SrcPort == port {
					return false
				}
			}
			return networks == 1
		case *layers.ICMPv4, *layers.ICMPv6:
			return networks == 1
		default:
			return false
		}
	}
	return false
}

// FuzzRaw compares with gopacket whatever frame the fuzzer comes upon.
func FuzzRaw(f *testing.F) {
	for n := range uint64(64) {
		f.Add(frameMaker{rand.New(rand.NewPCG(n, 3))}.bytes(f))
	}
	b := flow.Table.NewBatch(1)
	f.Fuzz(func(t *testing.T, frame []byte) {
		if plain(gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.NoCopy)) {
			compareRow(t, b, frame, peer(frame))
		}
	})
}

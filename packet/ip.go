package packet

import (
	"netmeta/column"
	"netmeta/flow"
)

// Protocol numbers, https://www.iana.org/assignments/protocol-numbers.
const (
	protoHopByHop = 0
	protoICMP     = 1
	protoIPv4     = 4
	protoTCP      = 6
	protoUDP      = 17
	protoDCCP     = 33
	protoIPv6     = 41
	protoRouting  = 43
	protoFragment = 44
	protoGRE      = 47
	protoAH       = 51
	protoICMPv6   = 58
	protoDstOpts  = 60
	protoEtherIP  = 97
	protoL2TP     = 115
	protoSCTP     = 132
	protoUDPLite  = 136
	protoMPLS     = 137
	protoEthernet = 143
)

// rawIP reads an IP packet of either version.
func (d *dissector) rawIP(data []byte) {
	if !d.has(data, 1) {
		return
	}
	switch data[0] >> 4 {
	case 4:
		d.network(etherIPv4, data)
	case 6:
		d.network(etherIPv6, data)
	}
}

// ipv4 reads the header of RFC 791, section 3.1, of which 20 bytes are there:
//
//	0              1     2        4    6               8     9       10         12       16
//	| version, IHL | TOS | length | id | flags, offset | TTL | proto | checksum | source | destination | options
func (d *dissector) ipv4(data []byte) {
	_ = data[19]
	size, total := int(data[0]&0x0f)*4, int(be16(data[2:]))
	d.etherType = etherIPv4
	d.tos, d.ttl, d.proto = data[1], data[8], data[9]
	d.fragmentID, d.fragmentOffset = uint32(be16(data[4:])), be16(data[6:])&0x1fff
	d.src, d.dst = column.AddrFrom4([4]byte(data[12:])), column.AddrFrom4([4]byte(data[16:]))
	d.ip = size >= 20 || d.tunnel == flow.TunnelNone
	if d.tunnel == flow.TunnelNone {
		d.length = total
	}
	if size < 20 || total < size && total != 0 {
		return
	}
	if len(data) < size {
		d.truncated = true
		return
	}
	// Padding of the link follows the packet. Length 0 is segmentation offload.
	if total < len(data) && total != 0 {
		data = data[:total]
	}
	if d.fragmentOffset == 0 { // the transport header is in the first fragment
		d.payload(d.proto, data[size:])
	}
}

// shortIPv4 reads the start of a truncated header.
func (d *dissector) shortIPv4(data []byte) {
	d.truncated = true
	if len(data) == 0 || data[0]>>4 != 4 {
		return
	}
	var h [20]byte
	n := copy(h[:], data)
	d.etherType = etherIPv4
	d.tos, d.ttl, d.proto = h[1], h[8], h[9]
	if n >= 6 {
		d.fragmentID = uint32(be16(h[4:]))
	}
	if n >= 8 {
		d.fragmentOffset = be16(h[6:]) & 0x1fff
	}
	if n >= 16 {
		d.src = column.AddrFrom4([4]byte(h[12:]))
	}
	if d.tunnel == flow.TunnelNone { // within a tunnel a partial header would hide a complete one
		d.ip = true
		if n >= 4 {
			d.length = int(be16(h[2:]))
		}
	}
}

// ipv6 reads the header of RFC 8200, section 3, of which 40 bytes are there:
//
//	0                                               4                6             7           8        24
//	| version (4), traffic class (8), label (20)   | payload length | next header | hop limit | source | destination
func (d *dissector) ipv6(data []byte) {
	_ = data[39]
	first, length := be32(data), int(be16(data[4:]))
	d.etherType = etherIPv6
	d.tos, d.flowLabel = uint8(first>>20), first&0xfffff
	d.proto, d.ttl = data[6], data[7]
	d.src, d.dst = column.Addr(data[8:24]), column.Addr(data[24:40])
	d.ip = true
	if d.tunnel == flow.TunnelNone && length != 0 {
		d.length = 40 + length
	}
	data = data[40:]
	// Length 0 is a jumbogram (RFC 2675) or segmentation offload.
	if length < len(data) && length != 0 {
		data = data[:length]
	}
	d.payload(d.proto, data)
}

// shortIPv6 reads the start of a truncated header.
func (d *dissector) shortIPv6(data []byte) {
	d.truncated = true
	if len(data) == 0 || data[0]>>4 != 6 {
		return
	}
	var h [40]byte
	n := copy(h[:], data)
	d.etherType = etherIPv6
	if n >= 4 {
		first := be32(h[:])
		d.tos, d.flowLabel = uint8(first>>20), first&0xfffff
	}
	d.proto, d.ttl = h[6], h[7]
	if n >= 24 {
		d.src = column.Addr(h[8:24])
	}
	if d.tunnel == flow.TunnelNone {
		d.ip = true
		if n >= 6 {
			d.length = 40 + int(be16(h[4:]))
		}
	}
}

// payload reads extension headers, then the transport or a tunnel. Proto becomes the
// number of the last header.
func (d *dissector) payload(proto uint8, data []byte) {
	srv6 := false
	for range maxExtensions {
		switch proto {
		case protoTCP:
			d.tcp(data)
		case protoUDP:
			d.udp(data)
		case protoICMP, protoICMPv6:
			// 0      1      2          4
			// | type | code | checksum | …
			if len(data) >= 2 {
				d.icmpType, d.icmpCode = data[0], data[1]
			}
			d.has(data, 4)
		case protoSCTP, protoDCCP:
			d.ports(data)
			d.has(data, 12)
		case protoUDPLite:
			d.ports(data)
			d.has(data, 8)
		case protoGRE:
			d.gre(data)
		case protoIPv4:
			if srv6 {
				d.inside(flow.TunnelSRv6, 0, IPv4, data)
			} else {
				d.inside(flow.TunnelIPIP, 0, IPv4, data)
			}
		case protoIPv6:
			switch {
			case srv6:
				d.inside(flow.TunnelSRv6, 0, IPv6, data)
			case d.etherType == etherIPv4:
				d.inside(flow.Tunnel6in4, 0, IPv6, data)
			default:
				d.inside(flow.TunnelIPIP, 0, IPv6, data)
			}
		case protoEthernet: // RFC 8986, section 10.1; a single segment needs no routing header
			if d.etherType == etherIPv6 {
				d.inside(flow.TunnelSRv6, 0, Ethernet, data)
			}
		case protoMPLS: // RFC 4023
			d.inside(flow.TunnelMPLS, 0, MPLS, data)
		case protoL2TP:
			d.l2tp3(data)
		case protoEtherIP:
			// 0                          2
			// | version (4), 0 (12)     | frame (RFC 3378, section 3)
			if d.has(data, 2) && data[0]>>4 == 3 {
				d.inside(flow.TunnelEtherIP, 0, Ethernet, data[2:])
			}
		case protoAH:
			// 0      1        2          4     8          12
			// | next | length | reserved | SPI | sequence | ICV; length in words, minus two (RFC 4302, section 2)
			if !d.has(data, 8) {
				return
			}
			size := 8 + int(data[1])*4
			proto = data[0]
			if d.proto = proto; !d.has(data, size) {
				return
			}
			data = data[size:]
			continue
		case protoHopByHop, protoRouting, protoDstOpts:
			// 0      1        2
			// | next | length | …; length in units of eight bytes, without the first (RFC 8200, section 4)
			if d.etherType != etherIPv6 || !d.has(data, 8) {
				return
			}
			// Routing type 4 is segment routing (RFC 8754, section 2).
			srv6 = srv6 || proto == protoRouting && data[2] == 4
			size := 8 + int(data[1])*8
			proto = data[0]
			if d.proto = proto; !d.has(data, size) {
				return
			}
			data = data[size:]
			continue
		case protoFragment:
			// 0      1          2                    4
			// | next | reserved | offset (13), res, M | identification
			if d.etherType != etherIPv6 || !d.has(data, 8) {
				return
			}
			proto = data[0]
			d.proto = proto
			d.fragmentID, d.fragmentOffset = be32(data[4:]), be16(data[2:])>>3
			if d.fragmentOffset != 0 {
				return // the data is the middle of a payload
			}
			data = data[8:]
			continue
		}
		return
	}
}

// ports reads the first four bytes of TCP, UDP, SCTP and DCCP.
func (d *dissector) ports(data []byte) {
	if len(data) >= 4 {
		d.srcPort, d.dstPort = be16(data), be16(data[2:])
	}
}

// tcp reads the header of RFC 9293, section 3.1:
//
//	0        2             4          8     12                             14
//	| source | destination | sequence | ack | offset (4), flags (12)       | window | checksum | urgent
func (d *dissector) tcp(data []byte) {
	d.ports(data)
	if len(data) >= 14 {
		d.tcpFlags = be16(data[12:]) & 0x0fff
	}
	d.has(data, 20)
}

// udp reads ports and the tunnels that their destination port identifies.
//
//	0        2             4        6          8
//	| source | destination | length | checksum | payload
func (d *dissector) udp(data []byte) {
	d.ports(data)
	if !d.has(data, 8) {
		return
	}
	switch d.dstPort {
	case portVXLAN, portVXLANLinux:
		d.vxlan(data[8:])
	case portVXLANGPE:
		d.vxlanGPE(data[8:])
	case portGeneve:
		d.geneve(data[8:])
	case portGTPU:
		d.gtpu(data[8:])
	case portMPLS: // RFC 7510
		d.inside(flow.TunnelMPLS, 0, MPLS, data[8:])
	default:
		switch {
		case (d.dstPort == portTeredo || d.srcPort == portTeredo) && d.etherType == etherIPv4:
			d.teredo(data[8:])
		case d.dstPort == portL2TP || d.srcPort == portL2TP:
			d.l2tp(data[8:])
		}
	}
}

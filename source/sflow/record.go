package sflow

import (
	"math/bits"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/packet"
	"netmeta/source"
)

// Formats of the records of a flow sample, https://sflow.org/developers/structures.php. Others are skipped:
// users and URLs (1004, 1005), names of label-switched paths (1008 to 1011), radio (1013 to 1016), MAC
// addresses of outer frames (1021, 1022), the offset of the inner header (1027, 1028), which the packet
// itself shows, queues, rules and reasons of discards (1036 to 1042), and application transactions (2000 and
// above).
const (
	sampledHeader      = 1
	sampledEthernet    = 2
	sampledIPv4        = 3
	sampledIPv6        = 4
	extendedSwitch     = 1001
	extendedRouter     = 1002
	extendedGateway    = 1003
	extendedMPLS       = 1006
	extendedNAT        = 1007
	extendedVLANTunnel = 1012
	extendedNATPort    = 1020
	tunnelIPv4Egress   = 1023
	tunnelIPv4Ingress  = 1024
	tunnelIPv6Egress   = 1025
	tunnelIPv6Ingress  = 1026
	tunnelVNIEgress    = 1029
	tunnelVNIIngress   = 1030
)

// records reads n records:
//
//	0        4        8
//	| format | length | content …
func (d *Decoder) records(s *sample, n uint32, rest []byte) {
	for ; n > 0; n-- {
		if len(rest) < 8 {
			d.refuse(source.BadCount)
			return
		}
		var format uint32
		var content []byte
		if format, content, rest = d.next(rest); !d.record(s, format, content) {
			d.refuse(source.BadLength)
		}
	}
}

// next cuts off a record, of which at least the head is present.
func (d *Decoder) next(b []byte) (format uint32, content, rest []byte) {
	format, length := be32(b), int(be32(b[4:]))
	content = b[8:]
	if length > len(content) {
		d.refuse(source.BadLength) // the rest of it is read as far as it goes
		return format, content, nil
	}
	content, rest = content[:length], content[length:]
	return format, content, rest[min(len(rest), -length&3):] // padding
}

// record reads one record. It returns false if the record is too short.
func (d *Decoder) record(s *sample, format uint32, b []byte) bool {
	switch format {
	case sampledHeader:
		return d.sampledHeader(s, b)
	case sampledEthernet:
		return d.sampledEthernet(s, b)
	case sampledIPv4:
		return d.sampledIP(s, b, flow.EtherTypeIPv4, 4)
	case sampledIPv6:
		return d.sampledIP(s, b, flow.EtherTypeIPv6, 16)
	case extendedSwitch:
		// 0          4              8          12
		// | src VLAN | src priority | dst VLAN | dst priority
		if len(b) < 16 {
			return false
		}
		s.srcVLAN, s.dstVLAN = be32(b), be32(b[8:])
		return true
	case extendedRouter:
		// 0 (4, 8 or 20)  +4         +4
		// | next hop      | src mask | dst mask
		var ok bool
		s.nextHop, b, ok = d.address(b)
		if !ok || len(b) < 8 {
			return ok && len(b) >= 8
		}
		d.setMask(flow.SrcMask, s.row, be32(b))
		d.setMask(flow.DstMask, s.row, be32(b[4:]))
		return true
	case extendedGateway:
		return d.extendedGateway(s, b)
	case extendedMPLS:
		return d.extendedMPLS(s, b)
	case extendedNAT:
		src, b, ok := d.address(b)
		if !ok {
			return false
		}
		dst, _, ok := d.address(b)
		if !ok {
			return false
		}
		flow.SrcAddrNAT.Set(d.batch, s.row, src)
		flow.DstAddrNAT.Set(d.batch, s.row, dst)
		return true
	case extendedNATPort:
		if len(b) < 8 {
			return false
		}
		flow.SrcPortNAT.Set(d.batch, s.row, uint16(be32(b)))
		flow.DstPortNAT.Set(d.batch, s.row, uint16(be32(b[4:])))
		return true
	case extendedVLANTunnel:
		// 0       4
		// | count | TPID (16), priority (4), id (12) … outermost first
		if len(b) < 4 || be32(b) != 0 && len(b) < 8 {
			return false
		}
		if n := be32(b); n != 0 {
			s.stripped[0] = be32(b[4:]) & 0xfff
			if n > 1 && len(b) >= 12 {
				s.stripped[1] = be32(b[8:]) & 0xfff
			}
		}
		return true
	case tunnelIPv4Egress, tunnelIPv4Ingress:
		return d.tunnel(s, b, 4)
	case tunnelIPv6Egress, tunnelIPv6Ingress:
		return d.tunnel(s, b, 16)
	case tunnelVNIEgress, tunnelVNIIngress:
		if len(b) < 4 {
			return false
		}
		if vni := be32(b); vni != 0 && flow.VNI.At(d.batch, s.row) == 0 {
			flow.VNI.Set(d.batch, s.row, vni)
		}
		return true
	}
	return true
}

// sampledHeader reads
//
//	0          4              8          12              16
//	| protocol | frame length | stripped | header length | header, padded
//
// Bytes are those of the whole frame as it was on the wire, with its check sequence.
func (d *Decoder) sampledHeader(s *sample, b []byte) bool {
	if len(b) < 16 {
		return false
	}
	protocol, length := be32(b), be32(b[12:])
	s.bytes, s.header = uint64(be32(b[4:])), true
	head := b[16:]
	whole := uint64(length) <= uint64(len(head))
	if whole {
		head = head[:length]
	}
	var link packet.LinkType
	switch protocol {
	case 1:
		link = packet.Ethernet
	case 7, 14: // PPP; packets over SONET, which are PPP too (RFC 2615)
		link = packet.PPP
	case 10, 11, 12: // IP over ATM, IPv4, IPv6
		link = packet.RawIP
	case 13:
		link = packet.MPLS
	default:
		d.refuse(source.UnknownHeader)
		return whole
	}
	packet.Dissect(d.batch, s.row, link, head)
	return whole
}

// sampledEthernet reads a frame's header as fields:
//
//	0        4              12             20          24
//	| length | source, pad  | dest., pad   | EtherType
func (d *Decoder) sampledEthernet(s *sample, b []byte) bool {
	if len(b) < 24 {
		return false
	}
	if s.header {
		return true
	}
	s.bytes = uint64(be32(b))
	flow.SrcMac.Set(d.batch, s.row, column.MACFrom([6]byte(b[4:])))
	flow.DstMac.Set(d.batch, s.row, column.MACFrom([6]byte(b[12:])))
	// Below 0x600 it is the length of an 802.3 frame, or a mistake.
	if t := be32(b[20:]); t >= 0x600 && t <= 0xffff && flow.EType.At(d.batch, s.row) == 0 {
		flow.EType.Set(d.batch, s.row, uint16(t))
	}
	return true
}

// sampledIP reads a packet's header as fields; addresses have n bytes. The last field is the type of service
// of IPv4 or the priority of IPv6.
//
//	0        4          8        8+n           8+2n
//	| length | protocol | source | destination | src port | dst port | TCP flags | TOS
func (d *Decoder) sampledIP(s *sample, b []byte, etherType uint16, n int) bool {
	if len(b) < 24+2*n {
		return false
	}
	if s.header {
		return true
	}
	s.bytes = max(s.bytes, uint64(be32(b)))
	src, dst := addresses(b[8:], n)
	b, proto := b[8+2*n:], uint8(be32(b[4:]))
	flow.EType.Set(d.batch, s.row, etherType)
	flow.Proto.Set(d.batch, s.row, proto)
	flow.SrcAddr.Set(d.batch, s.row, src)
	flow.DstAddr.Set(d.batch, s.row, dst)
	flow.SrcPort.Set(d.batch, s.row, uint16(be32(b)))
	flow.DstPort.Set(d.batch, s.row, uint16(be32(b[4:])))
	flow.TCPFlags.Set(d.batch, s.row, uint16(be32(b[8:])))
	flow.IPTos.Set(d.batch, s.row, uint8(be32(b[12:])))
	return true
}

// tunnel reads the outer header of a tunnel, with the layout of sampledIP. A tunnel in the sampled header
// itself takes precedence.
func (d *Decoder) tunnel(s *sample, b []byte, n int) bool {
	if len(b) < 24+2*n {
		return false
	}
	if flow.TunnelType.At(d.batch, s.row) != flow.TunnelNone {
		return true
	}
	proto, port := uint8(be32(b[4:])), uint16(be32(b[12+2*n:]))
	tunnel := packet.TunnelOf(proto, port, n == 16)
	if tunnel == flow.TunnelNone { // Open vSwitch writes ports in the byte order of its host
		tunnel = packet.TunnelOf(proto, bits.ReverseBytes16(port), n == 16)
	}
	src, dst := addresses(b[8:], n)
	flow.TunnelType.Set(d.batch, s.row, tunnel)
	flow.OuterSrcAddr.Set(d.batch, s.row, src)
	flow.OuterDstAddr.Set(d.batch, s.row, dst)
	return true
}

// extendedGateway reads the BGP route to the destination:
//
//	0 (4, 8 or 20) +4   +4       +4            +4         …
//	| next hop     | AS | src AS | src peer AS | segments | segment … | communities | community … | local pref
//	segment: | 1 set, 2 sequence | length | AS …
func (d *Decoder) extendedGateway(s *sample, b []byte) bool {
	nextHop, b, ok := d.address(b)
	if !ok || len(b) < 16 {
		return false
	}
	if nextHop != (column.Addr{}) {
		flow.BGPNextHop.Set(d.batch, s.row, nextHop)
	}
	flow.SrcAS.Set(d.batch, s.row, be32(b[4:]))
	segments := be32(b[12:])
	b = b[16:]
	d.words = d.words[:0]
	for ; segments > 0; segments-- {
		if len(b) < 4 {
			return false
		}
		if b, ok = d.list(b[4:]); !ok {
			return false
		}
	}
	if n := len(d.words); n > 0 {
		flow.NextHopAS.Set(d.batch, s.row, d.words[0])
		flow.DstAS.Set(d.batch, s.row, d.words[n-1])
		flow.DstASPath.Set(d.batch, s.row, d.words)
	}
	d.words = d.words[:0]
	if _, ok = d.list(b); !ok {
		return false
	}
	if len(d.words) > 0 {
		flow.DstCommunities.Set(d.batch, s.row, d.words)
	}
	return true
}

// extendedMPLS reads the label stack of the packet as it was received. The stack with which it was sent
// follows, and has no column.
//
//	0 (4, 8 or 20) +4
//	| next hop     | labels | label (20), TC (3), S (1), TTL (8) …
func (d *Decoder) extendedMPLS(s *sample, b []byte) bool {
	var ok bool
	s.mplsNextHop, b, ok = d.address(b)
	if !ok {
		return false
	}
	d.words = d.words[:0]
	if _, ok = d.list(b); !ok {
		return false
	}
	if len(d.words) == 0 || len(flow.MPLSLabels.At(d.batch, s.row)) > 0 {
		return true // empty, or the header already had them
	}
	for i := range d.words {
		d.words[i] >>= 12
	}
	flow.MPLSLabels.Set(d.batch, s.row, d.words)
	return true
}

// list appends a counted list of words to d.words.
func (d *Decoder) list(b []byte) (rest []byte, ok bool) {
	if len(b) < 4 {
		return b, false
	}
	n, b := be32(b), b[4:]
	if uint64(n)*4 > uint64(len(b)) {
		return b, false
	}
	for range n {
		d.words = append(d.words, be32(b))
		b = b[4:]
	}
	return b, true
}

// address reads an address, and counts unknown families.
func (d *Decoder) address(b []byte) (column.Addr, []byte, bool) {
	a, rest, ok := address(b)
	if !ok && len(b) >= 4 && be32(b) > familyIPv6 {
		d.refuse(BadAddress)
	}
	return a, rest, ok
}

// addresses reads source and destination, n bytes each.
func addresses(b []byte, n int) (src, dst column.Addr) {
	if n == 4 {
		return column.AddrFrom4([4]byte(b)), column.AddrFrom4([4]byte(b[4:]))
	}
	return column.Addr(b[:16]), column.Addr(b[16:32])
}

// setMask sets a prefix length. Some agents send the mask itself.
func (d *Decoder) setMask(c column.U8, row int, mask uint32) {
	if mask > 128 {
		if n := bits.LeadingZeros32(^mask); n == bits.OnesCount32(mask) {
			mask = uint32(n)
		} else {
			d.refuse(source.BadLength)
			return
		}
	}
	if mask != 0 {
		c.Set(d.batch, row, uint8(mask))
	}
}

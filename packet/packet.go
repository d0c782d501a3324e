// Package packet reads the headers at the beginning of a packet and fills one row
// of the flows table from them: addresses, ports, flags, VLAN, MPLS labels. It
// reads through tags, labels and tunnels to the innermost IP packet.
//
// For a tunnelled packet the columns hold the innermost flow, and the type, the two
// addresses and the id of the outermost tunnel. If a tunnel carries no IP (ARP in
// VXLAN, spanning tree in ERSPAN), the flow is that of the outer packet, with the
// type of the tunnel.
//
// All input is hostile: nothing is read beyond the end, nothing recurses deeper than
// the limits below, and no input is an error. Unreadable values stay zero.
package packet

import (
	"encoding/binary"

	"netmeta/column"
	"netmeta/flow"
)

// LinkType is the type of the first header. Numbers are those of capture files,
// https://www.tcpdump.org/linktypes.html.
type LinkType uint16

const (
	Null     LinkType = 0   // address family in the byte order of the capturing machine, then IP
	Ethernet LinkType = 1   // Ethernet II or IEEE 802.3
	PPP      LinkType = 9   // PPP, with or without the address and control of HDLC framing (RFC 1662)
	RawIPOld LinkType = 12  // as RawIP, as some systems number it
	RawIPBSD LinkType = 14  // the same
	PPPHDLC  LinkType = 50  // the same, or Cisco HDLC
	RawIP    LinkType = 101 // IPv4 or IPv6 by the version field
	CHDLC    LinkType = 104 // Cisco HDLC
	Loop     LinkType = 108 // as Null, in network byte order
	LinuxSLL LinkType = 113 // Linux cooked capture
	MPLS     LinkType = 219 // a label stack
	IPv4     LinkType = 228
	IPv6     LinkType = 229
	SLL2     LinkType = 276 // Linux cooked capture, version 2
)

// Known reports whether packets of the link type can be read.
func (l LinkType) Known() bool {
	switch l {
	case Null, Ethernet, PPP, RawIPOld, RawIPBSD, PPPHDLC, RawIP, CHDLC, Loop, LinuxSLL, MPLS, IPv4, IPv6, SLL2:
		return true
	}
	return false
}

// Limits. Real packets stay far below them.
const (
	maxTags       = 8  // VLAN tags of one frame
	maxLabels     = 16 // MPLS labels of one packet
	maxExtensions = 16 // extension headers of one IP packet
	maxInside     = 8  // packets within packets
	maxLayers     = 32 // EtherTypes of one packet
)

// Info is the result of Dissect besides the columns.
type Info struct {
	// Length is the length of the outermost IP packet according to its header; 0 if
	// there is none or it is not given (segmentation offload, jumbograms).
	Length int
	// Truncated reports whether the data ends within a header. The row then has
	// TruncatedHead in its Quality.
	Truncated bool
}

// Dissect reads data, a packet that begins with the given link layer, into a row.
// It sets the columns for which it finds a value other than zero and does not change
// the others.
func Dissect(b *column.Batch, row int, link LinkType, data []byte) Info {
	var d dissector
	d.link(link, data)
	d.write(b, row)
	return Info{Length: d.length, Truncated: d.truncated}
}

// A header holds the columns of one packet without its tunnel. A tunnel starts a new
// header and restores the old one if it contains no flow.
type header struct {
	src, dst         column.Addr
	srcMAC, dstMAC   uint64
	flowLabel        uint32
	fragmentID       uint32
	fragmentOffset   uint16
	vlan             uint16
	customerVLAN     uint16
	etherType        uint16
	srcPort, dstPort uint16
	tcpFlags         uint16
	proto            uint8
	tos, ttl         uint8
	icmpType         uint8
	icmpCode         uint8
	ip               bool // a whole IP header was read
}

// A dissector is the state of one Dissect. It lives on the stack.
type dissector struct {
	header

	// The outermost tunnel.
	tunnel             uint8
	vni                uint32
	outerSrc, outerDst column.Addr

	labels     [maxLabels]uint32
	labelCount int

	inner     int // packets within packets so far
	layers    int // EtherTypes so far
	length    int
	truncated bool
}

// inside reads a packet within the packet. It reports whether the packet has a flow,
// which is then the one in the header. TunnelNone is for encapsulations without
// addresses, such as Ethernet over MPLS, which have no columns.
func (d *dissector) inside(tunnel uint8, vni uint32, link LinkType, data []byte) bool {
	d.through(tunnel, vni)
	if d.inner == maxInside {
		return false
	}
	d.inner++
	outer := d.header
	d.header = header{srcMAC: outer.srcMAC, dstMAC: outer.dstMAC, vlan: outer.vlan, customerVLAN: outer.customerVLAN}
	d.link(link, data)
	if !d.ip {
		d.header = outer
		return false
	}
	return true
}

// through records the tunnel if it is the outermost.
func (d *dissector) through(tunnel uint8, vni uint32) {
	if d.tunnel == flow.TunnelNone && tunnel != flow.TunnelNone {
		d.tunnel, d.vni, d.outerSrc, d.outerDst = tunnel, vni, d.src, d.dst
	}
}

// write skips columns that are zero, so that it does not take an unused rare column
// into use.
func (d *dissector) write(b *column.Batch, row int) {
	if d.ip {
		flow.SrcAddr.Set(b, row, d.src)
		flow.DstAddr.Set(b, row, d.dst)
		flow.Proto.Set(b, row, d.proto)
		if d.srcPort|d.dstPort != 0 {
			flow.SrcPort.Set(b, row, d.srcPort)
			flow.DstPort.Set(b, row, d.dstPort)
		}
		if d.tcpFlags != 0 {
			flow.TCPFlags.Set(b, row, d.tcpFlags)
		}
		if d.tos != 0 {
			flow.IPTos.Set(b, row, d.tos)
		}
		if d.ttl != 0 {
			flow.IPTTL.Set(b, row, d.ttl)
		}
		if d.flowLabel != 0 {
			flow.IPv6FlowLabel.Set(b, row, d.flowLabel)
		}
		if d.fragmentID != 0 {
			flow.FragmentId.Set(b, row, d.fragmentID)
		}
		if d.fragmentOffset != 0 {
			flow.FragmentOffset.Set(b, row, d.fragmentOffset)
		}
		if d.icmpType|d.icmpCode != 0 {
			flow.IcmpType.Set(b, row, d.icmpType)
			flow.IcmpCode.Set(b, row, d.icmpCode)
		}
	}
	if d.etherType != 0 {
		flow.EType.Set(b, row, d.etherType)
	}
	if d.srcMAC|d.dstMAC != 0 {
		flow.SrcMac.Set(b, row, d.srcMAC)
		flow.DstMac.Set(b, row, d.dstMAC)
	}
	if d.vlan != 0 {
		flow.SrcVlan.Set(b, row, d.vlan)
	}
	if d.customerVLAN != 0 {
		flow.SrcCustomerVlan.Set(b, row, d.customerVLAN)
	}
	if d.labelCount != 0 {
		flow.MPLSLabels.Set(b, row, d.labels[:d.labelCount])
	}
	if d.tunnel != flow.TunnelNone {
		flow.TunnelType.Set(b, row, d.tunnel)
		flow.OuterSrcAddr.Set(b, row, d.outerSrc)
		flow.OuterDstAddr.Set(b, row, d.outerDst)
		if d.vni != 0 {
			flow.VNI.Set(b, row, d.vni)
		}
	}
	if d.truncated {
		flow.Quality.Set(b, row, flow.Quality.At(b, row)|flow.TruncatedHead)
	}
}

func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

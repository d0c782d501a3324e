package packet

import "netmeta/flow"

// Destination ports of tunnels.
const (
	portL2TP       = 1701 // of one end; the other may use another port
	portGTPU       = 2152
	portTeredo     = 3544 // of the server; it is the source port of what comes from there
	portVXLAN      = 4789
	portVXLANGPE   = 4790
	portVXLANLinux = 8472 // default of Linux, from before the assignment
	portGeneve     = 6081
	portMPLS       = 6635
)

// TunnelOf returns the type of a tunnel from its outer header alone: the protocol, the
// destination port of UDP, and whether it is IPv6. TunnelNone: unknown.
func TunnelOf(proto uint8, port uint16, ipv6 bool) uint8 {
	switch proto {
	case protoIPv4:
		return flow.TunnelIPIP
	case protoIPv6:
		if ipv6 {
			return flow.TunnelIPIP
		}
		return flow.Tunnel6in4
	case protoGRE:
		return flow.TunnelGRE
	case protoRouting, protoEthernet:
		return flow.TunnelSRv6
	case protoEtherIP:
		return flow.TunnelEtherIP
	case protoL2TP:
		return flow.TunnelL2TP
	case protoMPLS:
		return flow.TunnelMPLS
	case protoUDP:
		switch port {
		case portL2TP:
			return flow.TunnelL2TP
		case portGTPU:
			return flow.TunnelGTPU
		case portVXLAN, portVXLANGPE, portVXLANLinux:
			return flow.TunnelVXLAN
		case portGeneve:
			return flow.TunnelGeneve
		case portMPLS:
			return flow.TunnelMPLS
		}
	}
	return flow.TunnelNone
}

// gre reads the header of RFC 2784 and RFC 2890, and that of PPTP (RFC 2637),
// which is version 1. What follows the EtherType is there when its flag is set:
//
//	0                2           4
//	| flags, version | EtherType | checksum, reserved | key | sequence | acknowledgement | payload
func (d *dissector) gre(data []byte) {
	const (
		hasChecksum = 0x8000
		hasRouting  = 0x4000 // RFC 1701; deprecated, and not worth reading
		hasKey      = 0x2000
		hasSequence = 0x1000
		hasAck      = 0x0080 // version 1

		etherERSPAN  = 0x88be // types I and II
		etherERSPAN3 = 0x22eb
		etherWCCP    = 0x883e
	)
	var flags, etherType, version uint16
	if len(data) >= 4 {
		flags, etherType, version = be16(data), be16(data[2:]), be16(data)&7
	}
	size, keyAt := 4, 0
	if flags&hasChecksum != 0 {
		size += 4
	}
	if flags&hasKey != 0 {
		keyAt = size
		size += 4
	}
	if flags&hasSequence != 0 {
		size += 4
	}
	if flags&hasAck != 0 && version == 1 {
		size += 4
	}
	// The key of PPTP is a length and a call id: not an id of the tunnel.
	var key uint32
	if keyAt != 0 && version == 0 && len(data) >= keyAt+4 {
		key = be32(data[keyAt:])
	}
	if len(data) < size || flags&hasRouting != 0 || version > 1 {
		d.truncated = d.truncated || len(data) < size
		d.through(flow.TunnelGRE, key)
		return
	}
	data = data[size:]
	if etherType == etherCMD && len(data) >= 8 && data[2] == 1 && data[3] == 1 {
		// 0           2         3        4        6     8
		// | EtherType | version | length | option | tag | payload
		etherType, data = be16(data), data[8:]
	}
	switch etherType {
	case etherIPv4:
		d.inside(flow.TunnelGRE, key, IPv4, data)
	case etherIPv6:
		d.inside(flow.TunnelGRE, key, IPv6, data)
	case etherTEB:
		d.inside(flow.TunnelGRE, key, Ethernet, data)
	case etherMPLS, etherMPLSUp:
		d.inside(flow.TunnelGRE, key, MPLS, data)
	case etherPPP:
		d.inside(flow.TunnelGRE, key, PPP, data)
	case etherWCCP:
		// Version 2 of the protocol puts four bytes before the packet, version 1 none.
		if len(data) >= 4 && data[0]>>4 != 4 {
			data = data[4:]
		}
		d.inside(flow.TunnelGRE, key, IPv4, data)
	case etherERSPAN:
		// Type I has no ERSPAN header, and no sequence number in the GRE header.
		if flags&hasSequence == 0 {
			d.inside(flow.TunnelERSPAN, 0, Ethernet, data)
		} else {
			d.erspan(data, 8)
		}
	case etherERSPAN3:
		d.erspan(data, 12)
	default:
		d.through(flow.TunnelGRE, key)
	}
}

// erspan reads the header of type II, in eight bytes, or type III, in twelve and
// eight more when the lowest bit says so (draft-foschiano-erspan). The VLAN is that
// of a frame whose tag was taken off.
//
//	0                        2                         4                   8
//	| version (4), VLAN (12) | flags (6), session (10) | index, timestamp | tag (16), P (1), type (5), … O (1) | frame
func (d *dissector) erspan(data []byte, size int) {
	var session uint32
	var vlan uint16
	if len(data) >= 4 {
		vlan, session = be16(data)&0xfff, uint32(be16(data[2:])&0x3ff)
	}
	link := Ethernet
	if size == 12 && len(data) >= 12 {
		if data[10]>>2&0x1f == 2 {
			link = RawIP
		}
		if data[11]&1 != 0 {
			size += 8
		}
	}
	d.through(flow.TunnelERSPAN, session)
	if d.has(data, size) && d.inside(flow.TunnelERSPAN, session, link, data[size:]) && d.vlan == 0 {
		d.vlan = vlan
	}
}

// vxlan reads the header of RFC 7348, section 5. Without the flag it is something
// else on that port.
//
//	0       1          4     7          8
//	| flags | reserved | VNI | reserved | frame
func (d *dissector) vxlan(data []byte) {
	const hasVNI = 0x08
	if d.has(data, 8) && data[0]&hasVNI != 0 {
		d.inside(flow.TunnelVXLAN, be32(data[4:])>>8, Ethernet, data[8:])
	}
}

// vxlanGPE reads the header of VXLAN with a protocol in it (draft-ietf-nvo3-vxlan-gpe,
// section 3):
//
//	0       1          3          4     7          8
//	| flags | reserved | protocol | VNI | reserved | packet
func (d *dissector) vxlanGPE(data []byte) {
	const hasVNI, hasProtocol = 0x08, 0x04
	if !d.has(data, 8) || data[0]&hasVNI == 0 {
		return
	}
	vni, link := be32(data[4:])>>8, Ethernet
	if data[0]&hasProtocol != 0 {
		switch data[3] {
		case 1:
			link = IPv4
		case 2:
			link = IPv6
		case 3:
		default: // network service headers and others
			d.through(flow.TunnelVXLAN, vni)
			return
		}
	}
	d.inside(flow.TunnelVXLAN, vni, link, data[8:])
}

// teredo reads IPv6 over UDP over IPv4 (RFC 4380, section 5.1.1), after up to two
// indications. Either address of the packet has the prefix 2001::/32, so that nothing
// else on the port is taken for it.
//
//	authentication: | 0001 | id length | value length | id | value | nonce (8) | confirmation
//	origin:         | 0000 | port | address (4)
func (d *dissector) teredo(data []byte) {
	if len(data) >= 4 && be16(data) == 1 {
		data = data[min(len(data), 13+int(data[2])+int(data[3])):]
	}
	if len(data) >= 8 && be16(data) == 0 {
		data = data[8:]
	}
	const prefix = 0x20010000
	if len(data) >= 40 && data[0]>>4 == 6 && (be32(data[8:]) == prefix || be32(data[24:]) == prefix) {
		d.inside(flow.Tunnel6in4, 0, IPv6, data)
	}
}

// l2tp reads data messages over UDP of both versions: PPP in version 2 (RFC 2661,
// section 3.1), anything in version 3 (RFC 3931, section 4.1.2.1). The id is that of the
// tunnel, in the upper half, with that of the session.
//
//	0                2                        (4 or 6)      (8 or 10)
//	| flags, version | length, if L | tunnel, session | Ns, Nr, if S | offset, if O | PPP
//	| flags, version | reserved (16)                  | session id (32) | …
func (d *dissector) l2tp(data []byte) {
	const (
		isControl   = 0x8000
		hasLength   = 0x4000
		hasSequence = 0x0800
		hasOffset   = 0x0200
		reserved    = 0x34f0
	)
	if !d.has(data, 4) {
		return
	}
	flags := be16(data)
	switch {
	case flags == 3:
		d.l2tp3(data[4:])
		return
	case flags&(isControl|reserved) != 0 || flags&0xf != 2:
		return // control, or something else on that port
	}
	size := 2
	if flags&hasLength != 0 {
		size += 2
	}
	if !d.has(data, size+4) {
		return
	}
	id := be32(data[size:])
	d.through(flow.TunnelL2TP, id)
	size += 4
	if flags&hasSequence != 0 {
		size += 4
	}
	if flags&hasOffset != 0 {
		if size += 2; !d.has(data, size) {
			return
		}
		size += int(be16(data[size-2:]))
	}
	if d.has(data, size) {
		d.inside(flow.TunnelL2TP, id, PPP, data[size:])
	}
}

// l2tp3 reads a data message of L2TP version 3 (RFC 3931, section 4.1.1.1). How long the
// cookie is, 0, 4 or 8 bytes, and whether a sublayer of 4 bytes follows it, was agreed
// upon by the two ends; the frame is looked for at each of these places. Session 0 is
// control.
//
//	0            4
//	| session id | cookie | sublayer | frame
func (d *dissector) l2tp3(data []byte) {
	if !d.has(data, 4) || be32(data) == 0 {
		return
	}
	id := be32(data)
	d.through(flow.TunnelL2TP, id)
	for at := 4; at <= 4+8+4; at += 4 {
		if len(data) >= at && startsEthernet(data[at:]) {
			d.inside(flow.TunnelL2TP, id, Ethernet, data[at:])
			return
		}
	}
}

// geneve reads the header of RFC 8926, section 3.4:
//
//	0                              1       2           4     7          8
//	| version (2), options (6)     | flags | EtherType | VNI | reserved | options | payload
func (d *dissector) geneve(data []byte) {
	if !d.has(data, 8) || data[0]>>6 != 0 {
		return
	}
	etherType, vni := be16(data[2:]), be32(data[4:])>>8
	d.through(flow.TunnelGeneve, vni)
	size := 8 + int(data[0]&0x3f)*4
	if !d.has(data, size) {
		return
	}
	switch data = data[size:]; etherType {
	case etherTEB:
		d.inside(flow.TunnelGeneve, vni, Ethernet, data)
	case etherIPv4:
		d.inside(flow.TunnelGeneve, vni, IPv4, data)
	case etherIPv6:
		d.inside(flow.TunnelGeneve, vni, IPv6, data)
	}
}

// gtpu reads the header of 3GPP TS 29.281, section 5.1, of a message that carries a
// user's packet. The second part is there when one of the flags E, S and PN is set;
// extension headers follow it, in units of four bytes:
//
//	0                  1      2        4      8          10      11               12
//	| version, flags   | type | length | TEID | sequence | N-PDU | next extension | payload
func (d *dissector) gtpu(data []byte) {
	const (
		version1   = 0x30 // with the protocol type of GTP
		hasSecond  = 0x07
		hasNext    = 0x04 // only with this one the next extension means something
		userPacket = 255
	)
	if !d.has(data, 8) || data[0]&0xf0 != version1 || data[1] != userPacket {
		return
	}
	teid := be32(data[4:])
	d.through(flow.TunnelGTPU, teid)
	size := 8
	if data[0]&hasSecond != 0 {
		size = 12
		if !d.has(data, size) {
			return
		}
		for range maxExtensions {
			// 0                 1         4n-1
			// | length in words | content | next extension |
			if data[0]&hasNext == 0 || data[size-1] == 0 {
				break
			}
			if !d.has(data, size+4) || data[size] == 0 || !d.has(data, size+int(data[size])*4) {
				return
			}
			size += int(data[size]) * 4
		}
	}
	d.inside(flow.TunnelGTPU, teid, RawIP, data[size:])
}

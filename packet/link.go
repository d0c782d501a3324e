package packet

import (
	"encoding/binary"

	"netmeta/flow"
)

// EtherTypes, https://www.iana.org/assignments/ieee-802-numbers.
const (
	etherIPv4     = flow.EtherTypeIPv4
	etherIPv6     = flow.EtherTypeIPv6
	etherARP      = 0x0806
	etherTEB      = 0x6558 // Ethernet within GRE or Geneve
	etherVLAN     = 0x8100 // 802.1Q
	etherMPLS     = 0x8847
	etherMPLSUp   = 0x8848 // upstream-assigned label (RFC 5332)
	etherPPPoE    = 0x8864 // session stage
	etherPPP      = 0x880b
	etherQinQ     = 0x88a8 // 802.1ad
	etherPBB      = 0x88e7 // 802.1ah
	etherCMD      = 0x8909 // Cisco metadata: a security group tag
	etherVNTag    = 0x8926 // of virtual interfaces
	etherETag     = 0x893f // 802.1BR
	etherQinQ9100 = 0x9100 // 802.1ad before its standardisation

	// Smaller values are the length of an 802.3 frame.
	minEtherType = 0x0600
)

// link reads a packet from its link layer on.
func (d *dissector) link(link LinkType, data []byte) {
	switch link {
	case Ethernet:
		d.ethernet(data)
	case RawIP, RawIPOld, RawIPBSD:
		d.rawIP(data)
	case IPv4:
		d.network(etherIPv4, data)
	case IPv6:
		d.network(etherIPv6, data)
	case MPLS:
		d.etherType = etherMPLS
		d.mpls(data)
	case PPP, PPPHDLC:
		d.ppp(data)
	case CHDLC:
		// 0         1         2        4
		// | address | control | EtherType | payload
		if !d.has(data, 4) {
			return
		}
		d.network(be16(data[2:]), data[4:])
	case LinuxSLL:
		// 0       2        4         6                14       16
		// | type  | ARPHRD | addrlen | address (8)    | proto | payload
		if !d.has(data, 16) {
			return
		}
		if be16(data[4:]) == 6 {
			d.srcMAC = mac(data[6:])
		}
		d.cooked(be16(data[14:]), data[16:])
	case SLL2:
		// 0       2     4         8        10     11        12            20
		// | proto | mbz | ifindex | ARPHRD | type | addrlen | address (8) | payload
		if !d.has(data, 20) {
			return
		}
		if data[11] == 6 {
			d.srcMAC = mac(data[12:])
		}
		d.cooked(be16(data), data[20:])
	case Null, Loop:
		// The family has another number and another byte order on every system; the
		// version field of the IP header gives the version.
		if !d.has(data, 4) {
			return
		}
		d.rawIP(data[4:])
	}
}

// has reports whether n bytes are left. A packet with fewer is truncated.
func (d *dissector) has(data []byte, n int) bool {
	if len(data) < n {
		d.truncated = true
		return false
	}
	return true
}

// ethernet reads
//
//	0             6        12          14
//	| destination | source | EtherType | payload
func (d *dissector) ethernet(data []byte) {
	d.vlan, d.customerVLAN = 0, 0
	if len(data) < 14 {
		d.shortEthernet(data)
		return
	}
	d.dstMAC, d.srcMAC = mac(data), mac(data[6:])
	d.network(be16(data[12:]), data[14:])
}

func (d *dissector) shortEthernet(data []byte) {
	d.truncated = true
	if len(data) >= 6 {
		d.dstMAC = mac(data)
	}
	if len(data) >= 12 {
		d.srcMAC = mac(data[6:])
	}
}

// mac reads six bytes. Almost always two more are there, and then it is one load.
func mac(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.BigEndian.Uint64(b) >> 16
	}
	return uint64(be16(b))<<32 | uint64(be32(b[2:]))
}

// cooked reads what follows a Linux cooked header, whose protocol is an EtherType
// but for a few small numbers.
func (d *dissector) cooked(proto uint16, data []byte) {
	const (
		lanLLC    = 0x0004
		lanPPP    = 0x0007
		lanPPPRaw = 0x0008
	)
	switch proto {
	case lanLLC:
		d.llc(data)
	case lanPPP, lanPPPRaw:
		d.ppp(data)
	default:
		if proto >= minEtherType {
			d.network(proto, data)
		}
	}
}

// network reads VLAN tags, then the network layer, as the EtherType indicates.
func (d *dissector) network(etherType uint16, data []byte) {
	if d.layers++; d.layers > maxLayers {
		return
	}
	for range maxTags {
		switch etherType {
		case etherVLAN, etherQinQ, etherQinQ9100:
			// 0                       2           4
			// | priority (4), id (12) | EtherType | payload
			if !d.has(data, 4) {
				d.etherType = etherType
				return
			}
			// The outermost tag is the service tag, the next one the customer's; id 0
			// carries a priority only.
			if id := be16(data) & 0x0fff; d.vlan == 0 {
				d.vlan = id
			} else if d.customerVLAN == 0 {
				d.customerVLAN = id
			}
			etherType, data = be16(data[2:]), data[4:]
			continue
		case etherCMD, etherVNTag, etherETag:
			// Tags of fabrics, four or six bytes, without information about the flow.
			size := 6
			if etherType == etherVNTag {
				size = 4
			}
			if !d.has(data, size+2) {
				d.etherType = etherType
				return
			}
			etherType, data = be16(data[size:]), data[size+2:]
			continue
		}
		break
	}
	if etherType < minEtherType {
		d.llc(data)
		return
	}
	d.etherType = etherType
	switch etherType {
	case etherIPv4:
		if len(data) < 20 {
			d.shortIPv4(data)
		} else if data[0]>>4 == 4 {
			d.ipv4(data)
		}
	case etherIPv6:
		if len(data) < 40 {
			d.shortIPv6(data)
		} else if data[0]>>4 == 6 {
			d.ipv6(data)
		}
	case etherMPLS, etherMPLSUp:
		d.mpls(data)
	case etherPPPoE:
		// 0               1      2            4        6
		// | version, type | code | session id | length | PPP (RFC 2516, section 4)
		if d.has(data, 6) {
			d.ppp(data[6:])
		}
	case etherPPP:
		d.ppp(data)
	case etherPBB:
		// 0                         4
		// | flags (8), I-SID (24) | customer frame
		if d.has(data, 4) {
			d.inside(flow.TunnelNone, 0, Ethernet, data[4:])
		}
	}
}

// llc reads the header of an 802.3 frame, where SNAP may carry an EtherType
// (RFC 1042). Without one EType stays empty.
//
//	0      1      2         3     6
//	| DSAP | SSAP | control | OUI | EtherType | payload
func (d *dissector) llc(data []byte) {
	if !d.has(data, 3) || data[0] != 0xaa || data[1] != 0xaa || data[2] != 3 || !d.has(data, 8) {
		return
	}
	if oui := be32(data[2:]) & 0xffffff; oui != 0 && oui != 0xf8 { // RFC 1042; 802.1H
		return
	}
	if t := be16(data[6:]); t >= minEtherType {
		d.network(t, data[8:])
	}
}

// ppp reads a PPP frame: the protocol in two bytes, or in one when it is odd and
// compressed (RFC 1661, sections 2 and 6.5). HDLC framing puts ff 03 before it
// (RFC 1662); Cisco HDLC is distinguished by its address.
func (d *dissector) ppp(data []byte) {
	if len(data) >= 4 && (data[0] == 0x0f || data[0] == 0x8f) && data[1] == 0 {
		d.network(be16(data[2:]), data[4:])
		return
	}
	if len(data) >= 2 && data[0] == 0xff && data[1] == 3 {
		data = data[2:]
	}
	if !d.has(data, 1) {
		return
	}
	proto := uint16(data[0])
	if proto&1 != 0 {
		data = data[1:]
	} else if d.has(data, 2) {
		proto, data = be16(data), data[2:]
	} else {
		return
	}
	switch proto {
	case 0x0021:
		d.network(etherIPv4, data)
	case 0x0057:
		d.network(etherIPv6, data)
	case 0x0281:
		d.network(etherMPLS, data)
	case 0x0283:
		d.network(etherMPLSUp, data)
	}
}

// mpls reads a label stack (RFC 3032) and guesses what is under it, which no field
// says:
//
//	0            20   23  24    32
//	| label      | TC | S | TTL |
func (d *dissector) mpls(data []byte) {
	for range maxLabels {
		if !d.has(data, 4) {
			return
		}
		entry := be32(data)
		data = data[4:]
		if d.labelCount < maxLabels {
			d.labels[d.labelCount] = entry >> 12
			d.labelCount++
		}
		if entry&0x100 == 0 {
			continue
		}
		d.underLabels(data)
		return
	}
}

// underLabels: the first four bits are 4 or 6 for IP, and 0 for the control word of
// a pseudowire so that nothing takes it for IP (RFC 4385, section 3). A pseudowire
// without one begins with a MAC address, which may begin with anything.
func (d *dissector) underLabels(data []byte) {
	if !d.has(data, 1) {
		return
	}
	switch data[0] >> 4 {
	case 4:
		if !startsEthernet(data) {
			d.network(etherIPv4, data)
			return
		}
	case 6:
		if !startsEthernet(data) {
			d.network(etherIPv6, data)
			return
		}
	case 0:
		if len(data) >= 4 && !startsEthernet(data) {
			data = data[4:]
		}
	}
	d.inside(flow.TunnelNone, 0, Ethernet, data)
}

// startsEthernet reports whether the data looks like a frame with IP or ARP. It must not
// mistake IP for it: the EtherType would be in the source address, so any host in
// 8.0.64.0/20 would do. The checksum of the IPv4 header after it confirms that.
func startsEthernet(data []byte) bool {
	for at := 12; at <= 12+2*4 && len(data) >= at+8; at += 4 {
		rest := data[at+2:]
		switch be16(data[at:]) {
		case etherIPv4:
			return checksumIPv4(rest)
		case etherIPv6:
			return rest[0]>>4 == 6
		case etherARP:
			return be32(rest) == 1<<16|etherIPv4 // of Ethernet and IPv4 (RFC 826)
		case etherVLAN, etherQinQ, etherQinQ9100:
			continue
		}
		return false
	}
	return false
}

// checksumIPv4 reports whether the data starts with a complete IPv4 header with a correct
// checksum (RFC 1071).
func checksumIPv4(data []byte) bool {
	if len(data) < 20 || data[0]>>4 != 4 {
		return false
	}
	size := int(data[0]&0x0f) * 4
	if size < 20 || len(data) < size {
		return false
	}
	sum := uint32(0)
	for i := 0; i < size; i += 2 {
		sum += uint32(be16(data[i:]))
	}
	sum = sum>>16 + sum&0xffff
	sum += sum >> 16
	return sum&0xffff == 0xffff
}

package pcap

import (
	"encoding/binary"
	"net/netip"
)

// EtherTypes, https://www.iana.org/assignments/ieee-802-numbers.
const (
	etherIPv4  = 0x0800
	etherIPv6  = 0x86dd
	etherVLAN  = 0x8100 // 802.1Q
	etherQinQ  = 0x88a8 // 802.1ad
	etherQinQ9 = 0x9100 // 802.1ad before its standardisation
)

// IP protocol numbers and IPv6 extension headers, https://www.iana.org/assignments/protocol-numbers.
const (
	protoHopByHop = 0
	protoUDP      = 17
	protoRouting  = 43
	protoFragment = 44
	protoAH       = 51
	protoDstOpts  = 60
	protoMobility = 135
)

// maxExtensions bounds the chain of IPv6 extension headers; real packets have at most three.
const maxExtensions = 16

// maxTags bounds the stack of VLAN tags; real frames have at most three.
const maxTags = 8

// datagram strips the link header from f and continues with IP. If ok is false it has counted the reason, except
// for fragments, which it stores.
func (r *Reader) datagram(f Frame) (d Datagram, ok bool) {
	data := f.Data
	cut := f.Length > len(data)
	switch f.LinkType {
	case LinkEthernet:
		if len(data) < 14 {
			return r.skip(reasonShort)
		}
		return r.etherType(f, binary.BigEndian.Uint16(data[12:]), data[14:], cut)
	case LinkLinuxSLL:
		// 0       2         4         6                14      16
		// | type  | ARPHRD  | addrlen | address (8)    | proto | payload
		if len(data) < 16 {
			return r.skip(reasonShort)
		}
		return r.etherType(f, binary.BigEndian.Uint16(data[14:]), data[16:], cut)
	case LinkLinuxSLL2:
		// 0       2     4         8        10     11        12            20
		// | proto | mbz | ifindex | ARPHRD | type | addrlen | address (8) | payload
		if len(data) < 20 {
			return r.skip(reasonShort)
		}
		return r.etherType(f, binary.BigEndian.Uint16(data), data[20:], cut)
	case LinkNull, LinkLoop:
		if len(data) < 4 {
			return r.skip(reasonShort)
		}
		// The family has the byte order of an unknown machine, and families are small numbers.
		family := binary.BigEndian.Uint32(data)
		if family > 0xffff {
			family = binary.LittleEndian.Uint32(data)
		}
		switch family {
		case 2, 10, 24, 28, 30: // AF_INET; AF_INET6 on Linux, OpenBSD and NetBSD, FreeBSD, macOS
			return r.ip(f, data[4:], cut)
		}
		return r.skip(reasonNotIP)
	case LinkRaw, LinkRawOld, LinkRawBSD, LinkIPv4, LinkIPv6:
		return r.ip(f, data, cut)
	}
	return r.skip(reasonLinkType)
}

func (r *Reader) skip(reason skipReason) (Datagram, bool) {
	r.skipped[reason]++
	return Datagram{}, false
}

func (r *Reader) etherType(f Frame, etherType uint16, data []byte, cut bool) (Datagram, bool) {
	for range maxTags {
		switch etherType {
		case etherIPv4, etherIPv6:
			return r.ip(f, data, cut)
		case etherVLAN, etherQinQ, etherQinQ9:
			if len(data) < 4 {
				return r.skip(reasonShort)
			}
			etherType, data = binary.BigEndian.Uint16(data[2:]), data[4:]
		default:
			return r.skip(reasonNotIP)
		}
	}
	return r.skip(reasonNotIP)
}

func (r *Reader) ip(f Frame, data []byte, cut bool) (Datagram, bool) {
	if len(data) == 0 {
		return r.skip(reasonShort)
	}
	switch data[0] >> 4 {
	case 4:
		return r.ipv4(f, data, cut)
	case 6:
		return r.ipv6(f, data, cut)
	}
	return r.skip(reasonBadIP)
}

// ipv4 reads the header of RFC 791, section 3.1.
func (r *Reader) ipv4(f Frame, data []byte, cut bool) (Datagram, bool) {
	if len(data) < 20 {
		return r.skip(reasonShort)
	}
	header := int(data[0]&0x0f) * 4
	total := int(binary.BigEndian.Uint16(data[2:]))
	if total == 0 {
		total = len(data) // segmentation offload: the length was unknown when the packet was captured
	}
	if header < 20 || total < header {
		return r.skip(reasonBadIP)
	}
	if header > len(data) {
		return r.skip(reasonShort)
	}
	proto := data[9]
	if proto != protoUDP {
		return r.skip(reasonNotUDP)
	}
	src, dst := netip.AddrFrom4([4]byte(data[12:])), netip.AddrFrom4([4]byte(data[16:]))
	if total <= len(data) {
		data, cut = data[:total], false // the rest is link padding
	} else if !cut {
		return r.skip(reasonBadIP)
	}
	flags := binary.BigEndian.Uint16(data[6:])
	id := uint32(binary.BigEndian.Uint16(data[4:]))
	offset, more := int(flags&0x1fff)*8, flags&0x2000 != 0
	payload := data[header:]
	if offset == 0 && !more {
		return r.udp(f, src, dst, payload, total-header, cut)
	}
	return r.fragment(f, fragmentKey{src, dst, id, proto}, payload, offset, more, cut)
}

// ipv6 reads the header and the extension headers of RFC 8200, sections 3 and 4.
func (r *Reader) ipv6(f Frame, data []byte, cut bool) (Datagram, bool) {
	if len(data) < 40 {
		return r.skip(reasonShort)
	}
	src, dst := netip.AddrFrom16([16]byte(data[8:])), netip.AddrFrom16([16]byte(data[24:]))
	length := int(binary.BigEndian.Uint16(data[4:]))
	next := data[6]
	data = data[40:]
	if length == 0 {
		length = len(data) // a jumbogram (RFC 2675), or segmentation offload
	}
	if length <= len(data) {
		data, cut = data[:length], false
	} else if !cut {
		return r.skip(reasonBadIP)
	}
	for range maxExtensions {
		var size int
		switch next {
		case protoUDP:
			return r.udp(f, src, dst, data, length, cut)
		case protoHopByHop, protoRouting, protoDstOpts, protoMobility:
			if len(data) < 8 {
				return r.skip(reasonShort)
			}
			size = 8 + int(data[1])*8
		case protoAH:
			if len(data) < 8 {
				return r.skip(reasonShort)
			}
			size = 8 + int(data[1])*4 // RFC 4302, section 2.2: in words of four bytes minus two
		case protoFragment:
			// 0      1          2               3        4
			// | next | reserved | offset (13), res, M | identification
			if len(data) < 8 {
				return r.skip(reasonShort)
			}
			offset, more := int(binary.BigEndian.Uint16(data[2:])&0xfff8), data[3]&1 != 0
			if offset != 0 || more {
				key := fragmentKey{src, dst, binary.BigEndian.Uint32(data[4:]), data[0]}
				return r.fragment(f, key, data[8:], offset, more, cut)
			}
			size = 8 // an atomic fragment, RFC 6946
		default:
			return r.skip(reasonNotUDP)
		}
		if size > length {
			return r.skip(reasonBadIP)
		}
		if size > len(data) {
			return r.skip(reasonShort)
		}
		next, data, length = data[0], data[size:], length-size
	}
	return r.skip(reasonBadIP)
}

// fragment stores a fragment, and continues with the datagram that it completes.
func (r *Reader) fragment(f Frame, key fragmentKey, data []byte, offset int, more, cut bool) (Datagram, bool) {
	// In IPv6, extension headers may follow the fragment header; exporters do not send such packets.
	if key.proto != protoUDP {
		return r.skip(reasonNotUDP)
	}
	if cut {
		return r.skip(reasonBadFragment)
	}
	whole, lost := r.frags.add(f.Time, key, data, offset, more)
	for _, reason := range lost {
		if reason != 0 {
			r.skipped[reason]++
		}
	}
	if whole == nil {
		return Datagram{}, false
	}
	return r.udp(f, key.src, key.dst, whole, len(whole), false)
}

// udp reads the header of RFC 768. length is the payload length by the IP header: more than len(data) if the
// capture truncated the packet.
func (r *Reader) udp(f Frame, src, dst netip.Addr, data []byte, length int, cut bool) (Datagram, bool) {
	if len(data) < 8 {
		if cut {
			return r.skip(reasonShort)
		}
		return r.skip(reasonBadUDP)
	}
	n := int(binary.BigEndian.Uint16(data[4:]))
	if n == 0 {
		n = length // a jumbogram, or segmentation offload
	}
	if n < 8 || n > length {
		return r.skip(reasonBadUDP)
	}
	d := Datagram{
		Time: f.Time,
		Src:  netip.AddrPortFrom(src, binary.BigEndian.Uint16(data)),
		Dst:  netip.AddrPortFrom(dst, binary.BigEndian.Uint16(data[2:])),
	}
	if n > len(data) {
		d.Payload, d.Truncated = data[8:], true
	} else {
		d.Payload = data[8:n]
	}
	return d, true
}

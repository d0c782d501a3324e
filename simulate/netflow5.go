package simulate

import "net/netip"

const (
	header5  = 24
	record5  = 48
	records5 = 30 // the maximum of v5, and the number that routers send: 1,464 bytes
)

// encode5 writes NetFlow v5, which has IPv4 only. The sequence number counts flows.
//
//	0         2       4        8      12      16         20            21          22
//	| version | count | uptime | secs | nsecs | sequence | engine type | engine ID | mode (2 bits), interval |
//
//	0     4     8          12   14    16        20       24      28     32         34
//	| src | dst | next hop | in | out | packets | octets | first | last | src port | dst port
//	36    37      38         39    40       42       44         45         46
//	| pad | flags | protocol | TOS | src AS | dst AS | src mask | dst mask | pad |
func (e *exporter) encode5(s *slot, limit uint64) {
	n := int(min(uint64(records5), limit))
	b := append(s.buf, make([]byte, header5+n*record5)...)
	be.PutUint16(b, 5)
	be.PutUint16(b[2:], uint16(n))
	b[21] = uint8(e.domain)
	rate, _ := e.rateOf(0)
	if rate > 1 {
		be.PutUint16(b[22:], 1<<14|uint16(rate)) // mode 1: every n-th packet
	}

	f := &e.flow
	for i := range n {
		e.gen.next(f, s.clock)
		f.SamplingRate = rate
		f.SrcAS, f.DstAS = as16(f.SrcAS), as16(f.DstAS)

		at := header5 + i*record5
		r := b[at : at+record5]
		putAddr4(r[0:], f.Src)
		putAddr4(r[4:], f.Dst)
		putAddr4(r[8:], f.NextHop)
		be.PutUint16(r[12:], uint16(f.InIf))
		be.PutUint16(r[14:], uint16(f.OutIf))
		be.PutUint32(r[16:], uint32(f.Packets))
		be.PutUint32(r[20:], uint32(f.Bytes))
		be.PutUint32(r[24:], uint32(f.StartMS-e.boot))
		be.PutUint32(r[28:], uint32(f.EndMS-e.boot))
		be.PutUint16(r[32:], f.SrcPort)
		be.PutUint16(r[34:], f.DstPort)
		r[36], r[37], r[38], r[39] = 0, f.TCPFlags, f.Proto, f.TOS
		be.PutUint16(r[40:], uint16(f.SrcAS))
		be.PutUint16(r[42:], uint16(f.DstAS))
		r[44], r[45], r[46], r[47] = f.SrcMask, f.DstMask, 0, 0
		s.add(e, f, record{at: at})
	}
	for i := range s.flows {
		f := &s.flows[i] // values that a v5 record cannot carry
		f.TTL, f.FragmentID, f.ICMPType, f.ICMPCode = 0, 0, 0, 0
		f.SrcVLAN, f.DstVLAN, f.SrcMAC, f.DstMAC = 0, 0, [6]byte{}, [6]byte{}
		f.BGPNextHop, f.ASPath = netip.Addr{}, nil
		f.Direction, f.ForwardingStatus, f.EndReason = 0, 0, 0
	}
	s.buf, s.count = b, uint32(n)
}

// as16 returns an AS number for a field of two bytes: AS_TRANS (RFC 6793) for larger ones.
func as16(as uint32) uint32 {
	if as > 0xffff {
		return 23456
	}
	return as
}

func putAddr4(b []byte, a netip.Addr) {
	four := a.As4()
	copy(b, four[:])
}

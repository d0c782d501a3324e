package simulate

import (
	"net/netip"
	"time"
)

// sFlow version 5, https://sflow.org/sflow_version_5.txt. Everything is XDR: words of four bytes.
const (
	formatFlowSample     = 1
	formatCounterSample  = 2
	formatFlowExpanded   = 3
	formatCounterExp     = 4
	recordRawHeader      = 1
	recordExtendedSwitch = 1001
	recordExtendedRouter = 1002
	recordExtendedGate   = 1003
	recordIfCounters     = 1

	headerEthernet = 1   // header_protocol
	headerBytes    = 128 // maximum of a sampled frame, the default of agents
	fcs            = 4   // frame check sequence: counted in the frame's length, not carried
	minFrame       = 60  // without fcs
)

// sampleMost is larger than any flow sample: head, header of 128, switch, router, gateway with a path of two.
const sampleMost = 52 + 28 + headerBytes + 24 + 36 + 96

// headerSFlow begins a datagram.
//
//	0         4              8 (4 or 16 bytes)
//	| version | address type | agent | sub-agent | sequence | uptime | samples |
func (e *exporter) headerSFlow(b []byte) []byte {
	b = be.AppendUint32(b, 5)
	b = appendAddrType(b, e.agent)
	b = be.AppendUint32(b, e.domain)
	return append(b, make([]byte, 12)...)
}

// afterAgent returns the offset of the sub-agent.
func (e *exporter) afterAgent() int {
	if e.agent.Is4() {
		return 12
	}
	return 24
}

func appendAddrType(b []byte, a netip.Addr) []byte {
	if a.Is4() {
		return appendAddr(be.AppendUint32(b, 1), a)
	}
	return appendAddr(be.AppendUint32(b, 2), a)
}

// encodeSamples fills s with flow samples.
func (e *exporter) encodeSamples(s *slot, limit uint64) {
	b := e.headerSFlow(s.buf)
	f := &e.flow
	n := uint64(0)
	for ; n < limit && len(b)+sampleMost <= maxPayload; n++ {
		e.gen.next(f, s.clock)
		f.SamplingRate, _ = e.rateOf(f.InIf)
		f.StartMS, f.EndMS = 0, 0
		f.Direction, f.ForwardingStatus, f.EndReason = 0, 0, 0
		at := len(b)
		b = e.appendSample(b, f)
		s.add(e, f, record{
			at: at, in: uint8(ifNumber(f.InIf)), out: uint8(ifNumber(f.OutIf)), bytes: uint32(f.Bytes), rate: f.SamplingRate,
		})
	}
	be.PutUint32(b[e.afterAgent()+12:], uint32(n))
	s.buf, s.count = b, 1 // the sequence number counts datagrams
}

// appendSample writes a flow sample of the frame f and reduces f to the values that the sample carries.
//
//	flow_sample                                  flow_sample_expanded
//	0        4        8          12              0        4        8          12             16
//	| format | length | sequence | source ID     | format | length | sequence | source class | source index
//	16     20     24      28   32    36          20     24     28      32          36
//	| rate | pool | drops | in | out | records   | rate | pool | drops | in format | in | out format | out | records
func (e *exporter) appendSample(b []byte, f *Flow) []byte {
	start := len(b)
	if e.rich {
		b = be.AppendUint32(b, formatFlowExpanded)
		b = append(b, make([]byte, 12)...)
		b = be.AppendUint32(b, f.InIf)
	} else {
		b = be.AppendUint32(b, formatFlowSample)
		b = append(b, make([]byte, 8)...)
		b = be.AppendUint32(b, f.InIf) // class 0: ifIndex
	}
	b = be.AppendUint32(b, f.SamplingRate)
	b = append(b, make([]byte, 8)...) // pool, drops
	if e.rich {
		b = be.AppendUint32(b, 0)
	}
	b = be.AppendUint32(b, f.InIf)
	if e.rich {
		b = be.AppendUint32(b, 0)
	}
	b = be.AppendUint32(b, f.OutIf)
	gateway := e.index%2 == 0
	records := uint32(3)
	if gateway {
		records = 4
	}
	b = be.AppendUint32(b, records)

	// sampled_header
	//	0          4              8          12              16
	//	| protocol | frame length | stripped | header length | header, padded to words
	record := len(b)
	b = append(b, make([]byte, 24)...)
	b = appendFrame(b, f)
	header := len(b) - record - 24
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	be.PutUint32(b[record:], recordRawHeader)
	be.PutUint32(b[record+4:], uint32(len(b)-record-8))
	be.PutUint32(b[record+8:], headerEthernet)
	be.PutUint32(b[record+12:], uint32(f.Bytes))
	be.PutUint32(b[record+16:], fcs)
	be.PutUint32(b[record+20:], uint32(header))

	// extended_switch
	b = be.AppendUint32(b, recordExtendedSwitch)
	b = be.AppendUint32(b, 16)
	b = be.AppendUint32(b, uint32(f.SrcVLAN))
	b = be.AppendUint32(b, 0)
	b = be.AppendUint32(b, uint32(f.DstVLAN))
	b = be.AppendUint32(b, 0)

	// extended_router
	record = len(b)
	b = be.AppendUint32(b, recordExtendedRouter)
	b = be.AppendUint32(b, 0)
	b = appendAddrType(b, f.NextHop)
	b = be.AppendUint32(b, uint32(f.SrcMask))
	b = be.AppendUint32(b, uint32(f.DstMask))
	be.PutUint32(b[record+4:], uint32(len(b)-record-8))

	// extended_gateway
	if gateway {
		record = len(b)
		b = be.AppendUint32(b, recordExtendedGate)
		b = be.AppendUint32(b, 0)
		b = appendAddrType(b, f.BGPNextHop)
		b = be.AppendUint32(b, localAS)
		b = be.AppendUint32(b, f.SrcAS)
		b = be.AppendUint32(b, f.SrcAS) // peer: as if all ASes were neighbours
		b = be.AppendUint32(b, 1)       // one segment,
		b = be.AppendUint32(b, 2)       // a sequence
		b = be.AppendUint32(b, uint32(len(f.ASPath)))
		for _, as := range f.ASPath {
			b = be.AppendUint32(b, as)
		}
		b = be.AppendUint32(b, 1)
		b = be.AppendUint32(b, localAS<<16|f.OutIf) // community
		b = be.AppendUint32(b, 100)                 // local preference
		be.PutUint32(b[record+4:], uint32(len(b)-record-8))
	} else {
		f.SrcAS, f.DstAS, f.ASPath, f.BGPNextHop = 0, 0, nil, netip.Addr{}
	}
	be.PutUint32(b[start+4:], uint32(len(b)-start-8))
	return b
}

// appendFrame writes the first bytes of the Ethernet frame of f. Lengths and checksums are those of the whole
// frame, whose payload is zeros. It sets Bytes to the length of the frame.
func appendFrame(b []byte, f *Flow) []byte {
	start := len(b)
	b = append(b, f.DstMAC[:]...)
	b = append(b, f.SrcMAC[:]...)
	if f.SrcVLAN != 0 {
		b = be.AppendUint16(b, 0x8100)
		b = be.AppendUint16(b, f.SrcVLAN)
	}
	length := int(f.Bytes) // of the IP packet
	six := f.Src.Is6()
	ipSize := 20
	if six {
		ipSize = 40
		b = be.AppendUint16(b, 0x86dd)
	} else {
		b = be.AppendUint16(b, 0x0800)
	}
	ip := len(b)
	b = append(b, zeros[:ipSize]...)
	h := b[ip:]
	var pseudo uint32
	if six {
		be.PutUint32(h, 6<<28|uint32(f.TOS)<<20|f.FlowLabel)
		be.PutUint16(h[4:], uint16(length-ipSize))
		h[6], h[7] = f.Proto, f.TTL
		src, dst := f.Src.As16(), f.Dst.As16()
		copy(h[8:], src[:])
		copy(h[24:], dst[:])
		pseudo = sum(0, h[8:40])
	} else {
		h[0], h[1] = 0x45, f.TOS
		be.PutUint16(h[2:], uint16(length))
		be.PutUint16(h[4:], uint16(f.FragmentID))
		h[8], h[9] = f.TTL, f.Proto
		src, dst := f.Src.As4(), f.Dst.As4()
		copy(h[12:], src[:])
		copy(h[16:], dst[:])
		be.PutUint16(h[10:], fold(sum(0, h[:20])))
		pseudo = sum(0, h[12:20])
	}
	pseudo += uint32(f.Proto) + uint32(length-ipSize)

	l4 := len(b)
	switch f.Proto {
	case tcp:
		b = append(b, zeros[:20]...)
		h := b[l4:]
		be.PutUint16(h, f.SrcPort)
		be.PutUint16(h[2:], f.DstPort)
		be.PutUint32(h[4:], uint32(mix(uint64(f.FragmentID)+1)))
		h[12], h[13] = 5<<4, f.TCPFlags
		be.PutUint16(h[14:], 0xffff) // window
		be.PutUint16(h[16:], fold(sum(pseudo, h)))
	case udp:
		b = append(b, zeros[:8]...)
		h := b[l4:]
		be.PutUint16(h, f.SrcPort)
		be.PutUint16(h[2:], f.DstPort)
		be.PutUint16(h[4:], uint16(length-ipSize))
		be.PutUint16(h[6:], fold(sum(pseudo, h)))
		if be.Uint16(h[6:]) == 0 {
			be.PutUint16(h[6:], 0xffff)
		}
	case icmp, icmpv6:
		b = append(b, zeros[:8]...)
		h := b[l4:]
		h[0], h[1] = f.ICMPType, f.ICMPCode
		if f.Proto == icmp {
			pseudo = 0 // has no pseudo header
		}
		be.PutUint16(h[2:], fold(sum(pseudo, h)))
	case esp:
		b = append(b, zeros[:8]...)
		be.PutUint32(b[l4:], 0x10000+uint32(f.InIf)) // security parameters index
	case gre:
		// Enhanced GRE with PPP, RFC 2637, section 4.1: flags, protocol, length, call ID.
		b = append(b, 0x20, 0x01, 0x88, 0x0b)
		b = be.AppendUint16(b, uint16(length-ipSize-8))
		b = be.AppendUint16(b, uint16(f.InIf))
	}

	frame := max(ip-start+length, minFrame)
	f.Bytes, f.Packets = uint64(frame+fcs), 1
	if captured := len(b) - start; captured < min(frame, headerBytes) {
		b = append(b, zeros[:min(frame, headerBytes)-captured]...)
	}
	return b[:start+min(frame, headerBytes)]
}

var zeros [headerBytes]byte

// sum adds up the words of data for a checksum, RFC 1071.
func sum(s uint32, data []byte) uint32 {
	for ; len(data) >= 2; data = data[2:] {
		s += uint32(be.Uint16(data))
	}
	return s
}

func fold(s uint32) uint16 {
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return ^uint16(s)
}

// moveSamples writes the counters: datagrams, samples and packets per data source.
func (e *exporter) moveSamples(s *slot, uptime uint32) {
	b := s.buf
	at := e.afterAgent()
	be.PutUint32(b[at+4:], e.sequence+1)
	be.PutUint32(b[at+8:], uptime)
	pool := 20
	if e.rich {
		pool = 24
	}
	for _, r := range s.records {
		source := &e.samples[r.in]
		source.sequence++
		source.pool += r.rate
		be.PutUint32(b[r.at+8:], source.sequence)
		be.PutUint32(b[r.at+pool:], source.pool)

		in, out := &e.counters[r.in], &e.counters[r.out]
		in.inOctets += uint64(r.bytes) * uint64(r.rate)
		in.inPackets += r.rate
		out.outOctets += uint64(r.bytes) * uint64(r.rate)
		out.outPackets += r.rate
	}
}

// encodeCounters fills s with a counter sample for each interface. The counters equal the traffic that the flow samples
// represent.
//
//	counters_sample: | format | length | sequence | source ID | records |
//	expanded:        | format | length | sequence | source class | source index | records |
func (e *exporter) encodeCounters(s *slot, now time.Time) {
	b := e.headerSFlow(s.buf[:0])
	at := e.afterAgent()
	be.PutUint32(b[at+4:], e.sequence+1)
	be.PutUint32(b[at+8:], uint32(now.UnixMilli()-e.boot))
	be.PutUint32(b[at+12:], uint32(interfaces))
	e.sequence++
	e.counterSeq++
	for i := range interfaces {
		c := &e.counters[i]
		start := len(b)
		if e.rich {
			b = be.AppendUint32(b, formatCounterExp)
			b = be.AppendUint32(b, 0)
			b = be.AppendUint32(b, e.counterSeq)
			b = be.AppendUint32(b, 0)
		} else {
			b = be.AppendUint32(b, formatCounterSample)
			b = be.AppendUint32(b, 0)
			b = be.AppendUint32(b, e.counterSeq)
		}
		b = be.AppendUint32(b, ifIndex(i))
		b = be.AppendUint32(b, 1)
		b = be.AppendUint32(b, recordIfCounters)
		b = be.AppendUint32(b, 88)
		b = be.AppendUint32(b, ifIndex(i))
		b = be.AppendUint32(b, 6) // ethernetCsmacd
		speed := uint64(10_000_000_000)
		if i < len(uplinkVLAN) {
			speed = 100_000_000_000
		}
		b = be.AppendUint64(b, speed)
		b = be.AppendUint32(b, 1) // full duplex
		b = be.AppendUint32(b, 3) // admin and operationally up
		b = be.AppendUint64(b, c.inOctets)
		b = be.AppendUint32(b, c.inPackets)
		b = append(b, zeros[:5*4]...) // multicast, broadcast, discards, errors, unknown protocols
		b = be.AppendUint64(b, c.outOctets)
		b = be.AppendUint32(b, c.outPackets)
		b = append(b, zeros[:5*4]...) // multicast, broadcast, discards, errors, promiscuous
		be.PutUint32(b[start+4:], uint32(len(b)-start-8))
	}
	s.buf = b
}

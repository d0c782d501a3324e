package simulate

import (
	"net/netip"
	"time"
)

// Information elements that records carry: https://www.iana.org/assignments/ipfix. NetFlow v9 has the same numbers
// below 128, and some that IPFIX reserves.
const (
	ieOctets           = 1
	iePackets          = 2
	ieProtocol         = 4
	ieTOS              = 5
	ieTCPFlags         = 6
	ieSrcPort          = 7
	ieSrcIPv4          = 8
	ieSrcMask4         = 9
	ieInIf             = 10
	ieDstPort          = 11
	ieDstIPv4          = 12
	ieDstMask4         = 13
	ieOutIf            = 14
	ieNextHop4         = 15
	ieSrcAS            = 16
	ieDstAS            = 17
	ieBGPNextHop4      = 18
	ieEndSysUpTime     = 21
	ieStartSysUpTime   = 22
	ieSrcIPv6          = 27
	ieDstIPv6          = 28
	ieSrcMask6         = 29
	ieDstMask6         = 30
	ieFlowLabel        = 31
	ieICMPTypeCode4    = 32
	ieSamplingInterval = 34
	ieSamplingAlgo     = 35
	ieSamplerID        = 48 // v9
	ieSamplerMode      = 49 // v9
	ieSamplerInterval  = 50 // v9
	ieMinTTL           = 52
	ieSrcMAC           = 56
	ieSrcVLAN          = 58
	ieDstVLAN          = 59
	ieIPVersion        = 60
	ieDirection        = 61
	ieNextHop6         = 62
	ieBGPNextHop6      = 63
	ieDstMAC           = 80
	ieForwardingStatus = 89
	ieEndReason        = 136
	ieICMPTypeCode6    = 139
	ieExportingProcess = 144
	ieDomain           = 149
	ieStartMS          = 152
	ieEndMS            = 153
	ieSelectorID       = 302
	ieSelectorAlgo     = 304
	iePacketInterval   = 305
	iePacketSpace      = 306
)

// Scopes of v9 options have their own numbers: RFC 3954, section 6.1.
const (
	scopeSystem    = 1
	scopeInterface = 2
)

// Template IDs. They are the same for all exporters, as in routers of one vendor.
const (
	template4       = 256
	template6       = 257
	templateOptions = 258
)

const (
	header9     = 20
	headerIPFIX = 16
)

// field is one field of a template. Its length is the one on the wire, which for numbers may be shorter than that of the
// element (reduced-size encoding, RFC 7011, section 6.2).
type field struct{ id, length uint16 }

// planTemplates chooses the templates of e and encodes the sets that define them.
//
// The short template of v9 has the 20 fields that most routers send, 55 bytes for IPv4. The times are the first fields, so that
// move finds them.
func (e *exporter) planTemplates() {
	times := []field{{ieStartSysUpTime, 4}, {ieEndSysUpTime, 4}}
	sampler := field{ieSamplerID, 1}
	if e.protocol == IPFIX {
		times = []field{{ieStartMS, 8}, {ieEndMS, 8}}
		sampler = field{ieSelectorID, 1}
	}
	if e.sampling == byDomain {
		sampler = field{ieIPVersion, 1}
	}
	counter, ifSize := uint16(4), uint16(4)
	if e.rich {
		counter, ifSize = 8, 2
	}
	for v, family := range [2][]field{
		{{ieSrcIPv4, 4}, {ieDstIPv4, 4}, {ieNextHop4, 4}, {ieSrcMask4, 1}, {ieDstMask4, 1}},
		{{ieSrcIPv6, 16}, {ieDstIPv6, 16}, {ieNextHop6, 16}, {ieSrcMask6, 1}, {ieDstMask6, 1}},
	} {
		fields := append([]field{}, times...)
		fields = append(fields, field{ieOctets, counter}, field{iePackets, counter})
		fields = append(fields, family...)
		fields = append(fields,
			field{ieSrcPort, 2}, field{ieDstPort, 2}, field{ieProtocol, 1}, field{ieTOS, 1}, field{ieTCPFlags, 1},
			field{ieInIf, ifSize}, field{ieOutIf, ifSize}, field{ieSrcAS, 4}, field{ieDstAS, 4},
			field{ieDirection, 1}, sampler)
		if e.rich {
			if v == 0 {
				fields = append(fields, field{ieBGPNextHop4, 4}, field{ieICMPTypeCode4, 2})
			} else {
				fields = append(fields, field{ieBGPNextHop6, 16}, field{ieICMPTypeCode6, 2}, field{ieFlowLabel, 4})
			}
			fields = append(fields, field{ieMinTTL, 1}, field{ieSrcMAC, 6}, field{ieDstMAC, 6}, field{ieSrcVLAN, 2},
				field{ieDstVLAN, 2}, field{ieForwardingStatus, 1})
			if e.protocol == IPFIX {
				fields = append(fields, field{ieEndReason, 1})
			}
		}
		e.fields[v] = fields
		for _, f := range fields {
			e.sizes[v] += int(f.length)
		}
	}
	e.fixed = e.encodeSets()
}

// encodeSets writes the template set, the options template set and the set with the options.
func (e *exporter) encodeSets() []byte {
	ipfix := e.protocol == IPFIX
	var b []byte
	begin := func(id uint16) int {
		b = be.AppendUint16(b, id)
		b = be.AppendUint16(b, 0)
		return len(b) - 4
	}
	end := func(at int) {
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
		be.PutUint16(b[at+2:], uint16(len(b)-at))
	}
	fields := func(list []field) {
		for _, f := range list {
			b = be.AppendUint16(b, f.id)
			b = be.AppendUint16(b, f.length)
		}
	}

	// RFC 3954, section 5.2 and RFC 7011, section 3.4.1
	at := begin(map[bool]uint16{false: 0, true: 2}[ipfix])
	for v, id := range [2]uint16{template4, template6} {
		b = be.AppendUint16(b, id)
		b = be.AppendUint16(b, uint16(len(e.fields[v])))
		fields(e.fields[v])
	}
	end(at)

	// Rows hold scope, then options.
	var scope, options []field
	var rows [][]uint32
	samplers := e.rates[:1]
	if e.rates[1] != 0 {
		samplers = e.rates[:]
	}
	switch {
	case e.sampling == byDomain && ipfix:
		scope = []field{{ieDomain, 4}}
		if e.rich {
			scope = []field{{ieExportingProcess, 4}}
		}
		options = []field{{ieSamplingInterval, 4}, {ieSamplingAlgo, 1}}
		rows = [][]uint32{{e.domain, e.rates[0], 1}}
	case e.sampling == byDomain:
		scope = []field{{scopeSystem, 4}}
		options = []field{{ieSamplingInterval, 4}, {ieSamplingAlgo, 1}}
		rows = [][]uint32{{0, e.rates[0], 2}}
	case ipfix:
		// Systematic count-based selection (RFC 5477, section 8.2.2): 1 packet selected, rate-1 skipped.
		scope = []field{{ieSelectorID, 1}}
		options = []field{{ieSelectorAlgo, 2}, {iePacketInterval, 4}, {iePacketSpace, 4}}
		for i, rate := range samplers {
			rows = append(rows, []uint32{uint32(i + 1), 1, 1, rate - 1})
		}
	case e.sampling == byInterface:
		scope = []field{{scopeInterface, 4}}
		options = []field{{ieSamplerID, 1}, {ieSamplerMode, 1}, {ieSamplerInterval, 4}}
		for i := range interfaces {
			rate, sampler := e.rateOf(ifIndex(i))
			rows = append(rows, []uint32{ifIndex(i), uint32(sampler), 2, rate})
		}
	default:
		scope = []field{{scopeSystem, 4}}
		options = []field{{ieSamplerID, 1}, {ieSamplerMode, 1}, {ieSamplerInterval, 4}}
		rows = [][]uint32{{0, 1, 2, e.rates[0]}}
	}
	if ipfix { // RFC 7011, section 3.4.2.2: counts of fields, the scope among them
		at = begin(3)
		b = be.AppendUint16(b, templateOptions)
		b = be.AppendUint16(b, uint16(len(scope)+len(options)))
		b = be.AppendUint16(b, uint16(len(scope)))
	} else { // RFC 3954, section 6.1: lengths in bytes
		at = begin(1)
		b = be.AppendUint16(b, templateOptions)
		b = be.AppendUint16(b, uint16(4*len(scope)))
		b = be.AppendUint16(b, uint16(4*len(options)))
	}
	fields(scope)
	fields(options)
	end(at)

	at = begin(templateOptions)
	all := append(scope, options...)
	for _, row := range rows {
		for i, f := range all {
			b = appendUint(b, uint64(row[i]), f.length)
		}
	}
	end(at)
	e.options = uint32(len(rows))
	return b
}

// encodeTemplates fills s with the datagram that announces templates and sampling.
func (e *exporter) encodeTemplates(s *slot, now time.Time) {
	if e.protocol == NetFlow9 {
		now = now.Truncate(time.Second)
	}
	s.clock = now.UnixMilli()
	s.buf = append(e.header(s.buf[:0], s.clock), e.fixed...)
	e.finish(s.buf, 3+e.options) // three templates
	if e.protocol == NetFlow9 {
		e.sequence++
	} else {
		e.sequence += e.options // templates do not count: RFC 7011, section 3.1
	}
}

// header begins a datagram. move writes the times and the sequence number again.
//
//	NetFlow v9: RFC 3954, section 5.1         IPFIX: RFC 7011, section 3.1
//	0         2       4        8              0         2        4
//	| version | count | uptime | secs         | version | length | export time
//	12         16                             8          12
//	| sequence | source ID |                  | sequence | observation domain |
func (e *exporter) header(b []byte, nowMS int64) []byte {
	if e.protocol == IPFIX {
		b = append(b, 0, 10, 0, 0)
		b = be.AppendUint32(b, uint32(nowMS/1000))
	} else {
		b = append(b, 0, 9, 0, 0)
		b = be.AppendUint32(b, uint32(nowMS-e.boot))
		b = be.AppendUint32(b, uint32(nowMS/1000))
	}
	b = be.AppendUint32(b, e.sequence)
	return be.AppendUint32(b, e.domain)
}

// finish writes the count or length into the header of b.
func (e *exporter) finish(b []byte, records uint32) {
	if e.protocol == IPFIX {
		be.PutUint16(b[2:], uint16(len(b)))
	} else {
		be.PutUint16(b[2:], uint16(records))
	}
}

// encodeRecords writes v9 or IPFIX: a set with the IPv4 flows, then one with those of IPv6. The sequence number counts
// datagrams in v9 and data records in IPFIX.
//
// The seconds of a v9 header have no fraction, so a collector that computes a start from seconds, uptime and first
// switched may be off by one second. Our header and its uptime are at the whole second, so no difference arises.
func (e *exporter) encodeRecords(s *slot, limit uint64) {
	four, six := e.scratch[0][:0], e.scratch[1][:0]
	f := &e.flow
	used := header9 + 2*(4+3)
	for n := uint64(0); n < limit && used+e.sizes[1] <= maxPayload; n++ {
		e.gen.next(f, s.clock)
		if f.Src.Is6() {
			six = append(six, *f)
			used += e.sizes[1]
		} else {
			four = append(four, *f)
			used += e.sizes[0]
		}
	}
	e.scratch = [2][]Flow{four, six}

	b := e.header(s.buf, s.clock)
	for v, flows := range e.scratch {
		if len(flows) == 0 {
			continue
		}
		set := len(b)
		b = be.AppendUint16(b, uint16(template4+v))
		b = be.AppendUint16(b, 0)
		for i := range flows {
			f := &flows[i]
			var sampler uint8
			f.SamplingRate, sampler = e.rateOf(f.InIf)
			at := len(b)
			for _, field := range e.fields[v] {
				b = e.appendField(b, field, f, sampler)
			}
			s.add(e, f, record{at: at})
			if e.keep {
				s.flows[len(s.flows)-1] = carried(f, e.fields[v])
			}
		}
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
		be.PutUint16(b[set+2:], uint16(len(b)-set))
	}
	s.buf, s.count = b, uint32(len(four)+len(six))
	e.finish(b, s.count)
}

func (e *exporter) appendField(b []byte, t field, f *Flow, sampler uint8) []byte {
	var v uint64
	switch t.id {
	case ieSrcIPv4, ieSrcIPv6:
		return appendAddr(b, f.Src)
	case ieDstIPv4, ieDstIPv6:
		return appendAddr(b, f.Dst)
	case ieNextHop4, ieNextHop6:
		return appendAddr(b, f.NextHop)
	case ieBGPNextHop4, ieBGPNextHop6:
		return appendAddr(b, f.BGPNextHop)
	case ieSrcMAC:
		return append(b, f.SrcMAC[:]...)
	case ieDstMAC:
		return append(b, f.DstMAC[:]...)
	case ieOctets:
		v = f.Bytes
	case iePackets:
		v = f.Packets
	case ieProtocol:
		v = uint64(f.Proto)
	case ieTOS:
		v = uint64(f.TOS)
	case ieTCPFlags:
		v = uint64(f.TCPFlags)
	case ieSrcPort:
		v = uint64(f.SrcPort)
	case ieDstPort:
		v = uint64(f.DstPort)
	case ieSrcMask4, ieSrcMask6:
		v = uint64(f.SrcMask)
	case ieDstMask4, ieDstMask6:
		v = uint64(f.DstMask)
	case ieInIf:
		v = uint64(f.InIf)
	case ieOutIf:
		v = uint64(f.OutIf)
	case ieSrcAS:
		v = uint64(f.SrcAS)
	case ieDstAS:
		v = uint64(f.DstAS)
	case ieStartSysUpTime:
		v = uint64(f.StartMS - e.boot)
	case ieEndSysUpTime:
		v = uint64(f.EndMS - e.boot)
	case ieStartMS:
		v = uint64(f.StartMS)
	case ieEndMS:
		v = uint64(f.EndMS)
	case ieDirection:
		v = uint64(f.Direction)
	case ieSamplerID, ieSelectorID:
		v = uint64(sampler)
	case ieIPVersion:
		v = 4
		if f.Src.Is6() {
			v = 6
		}
	case ieICMPTypeCode4, ieICMPTypeCode6:
		v = uint64(f.ICMPType)<<8 | uint64(f.ICMPCode)
	case ieFlowLabel:
		v = uint64(f.FlowLabel)
	case ieMinTTL:
		v = uint64(f.TTL)
	case ieSrcVLAN:
		v = uint64(f.SrcVLAN)
	case ieDstVLAN:
		v = uint64(f.DstVLAN)
	case ieForwardingStatus:
		v = uint64(f.ForwardingStatus)
	case ieEndReason:
		v = uint64(f.EndReason)
	}
	return appendUint(b, v, t.length)
}

func appendUint(b []byte, v uint64, length uint16) []byte {
	switch length {
	case 1:
		return append(b, uint8(v))
	case 2:
		return be.AppendUint16(b, uint16(v))
	case 4:
		return be.AppendUint32(b, uint32(v))
	}
	return be.AppendUint64(b, v)
}

func appendAddr(b []byte, a netip.Addr) []byte {
	if a.Is4() {
		four := a.As4()
		return append(b, four[:]...)
	}
	sixteen := a.As16()
	return append(b, sixteen[:]...)
}

// carried returns f without the values that a record with these fields omits.
func carried(f *Flow, fields []field) Flow {
	c := Flow{
		Exporter: f.Exporter, SamplingRate: f.SamplingRate, StartMS: f.StartMS, EndMS: f.EndMS,
		Src: f.Src, Dst: f.Dst, SrcPort: f.SrcPort, DstPort: f.DstPort, Proto: f.Proto, TOS: f.TOS, TCPFlags: f.TCPFlags,
		Bytes: f.Bytes, Packets: f.Packets, InIf: f.InIf, OutIf: f.OutIf, SrcMask: f.SrcMask, DstMask: f.DstMask,
		SrcAS: f.SrcAS, DstAS: f.DstAS, NextHop: f.NextHop, Direction: f.Direction,
	}
	for _, t := range fields {
		switch t.id {
		case ieBGPNextHop4, ieBGPNextHop6:
			c.BGPNextHop = f.BGPNextHop
		case ieSrcMAC:
			c.SrcMAC = f.SrcMAC
		case ieDstMAC:
			c.DstMAC = f.DstMAC
		case ieICMPTypeCode4, ieICMPTypeCode6:
			c.ICMPType, c.ICMPCode = f.ICMPType, f.ICMPCode
		case ieFlowLabel:
			c.FlowLabel = f.FlowLabel
		case ieMinTTL:
			c.TTL = f.TTL
		case ieSrcVLAN:
			c.SrcVLAN = f.SrcVLAN
		case ieDstVLAN:
			c.DstVLAN = f.DstVLAN
		case ieForwardingStatus:
			c.ForwardingStatus = f.ForwardingStatus
		case ieEndReason:
			c.EndReason = f.EndReason
		}
	}
	return c
}

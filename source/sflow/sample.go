package sflow

import (
	"netmeta/column"
	"netmeta/flow"
	"netmeta/source"
)

// Formats of samples. The upper 20 bits are an enterprise number; these have that of sFlow.org, 0. Formats of
// records have the same structure.
const (
	flowSample             = 1
	counterSample          = 2
	expandedFlowSample     = 3
	expandedCountersSample = 4
	discardedPacket        = 5 // sflow_drops.txt
)

// samples reads n samples:
//
//	0        4        8
//	| format | length | content …
//
// If a length in a datagram is wrong, the datagram is decoded as far as the lengths allow.
func (d *Decoder) samples(n uint32, rest []byte) {
	for ; n > 0; n-- {
		if len(rest) < 8 {
			d.refuse(source.BadCount)
			return
		}
		format, length := be32(rest), int(be32(rest[4:]))
		content := rest[8:]
		switch {
		case length > len(content):
			d.refuse(source.BadLength)
			rest = nil
		case n == 1 && length < len(content):
			// The rest belongs to no sample. Some agents send too small a length. Their last sample is read
			// whole, because its records have their own count.
			d.refuse(source.BadCount)
			rest = nil
		default:
			content, rest = content[:length], content[length:]
			rest = rest[min(len(rest), -length&3):] // padding
		}
		d.known++
		switch format {
		case flowSample:
			d.flowSample(content)
		case expandedFlowSample:
			d.expandedFlowSample(content)
		case counterSample, expandedCountersSample:
			d.countersSample(content, format == expandedCountersSample)
		case discardedPacket:
			d.discarded(content)
		default:
			d.known--
			d.refuse(UnknownSample)
		}
	}
}

// flowSample reads
//
//	0          4                        8      12     16      20      24       28        32
//	| sequence | class (8), index (24) | rate | pool | drops | input | output | records | record …
func (d *Decoder) flowSample(b []byte) {
	if len(b) < 32 {
		d.refuse(source.BadLength)
		return
	}
	// The upper two bits are the format of an interface.
	input, output := be32(b[20:]), be32(b[24:])
	d.drawn = append(d.drawn, samplingInfo{uint64(b[4])<<32 | uint64(be32(b[4:])&0xffffff), be32(b), be32(b[8:]), be32(b[12:]), be32(b[16:])})
	d.add(sample{
		rate: be32(b[8:]),
		in:   port{input >> 30, input & 0x3fffffff},
		out:  port{output >> 30, output & 0x3fffffff},
	}, be32(b[28:]), b[32:])
}

// expandedFlowSample reads a flow sample without the limits of bit fields:
//
//	0          4       8       12     16     20      24             32              40        44
//	| sequence | class | index | rate | pool | drops | input (8)    | output (8)    | records | record …
func (d *Decoder) expandedFlowSample(b []byte) {
	if len(b) < 44 {
		d.refuse(source.BadLength)
		return
	}
	d.drawn = append(d.drawn, samplingInfo{uint64(be32(b[4:]))<<32 | uint64(be32(b[8:])), be32(b), be32(b[12:]), be32(b[16:]), be32(b[20:])})
	d.add(sample{
		rate: be32(b[12:]),
		in:   port{be32(b[24:]), be32(b[28:])},
		out:  port{be32(b[32:]), be32(b[36:])},
	}, be32(b[40:]), b[44:])
}

// port is an interface of a sample: one of three formats, and a value.
type port struct{ format, value uint32 }

const (
	portIndex    = 0 // ifIndex
	portDropped  = 1 // why the packet was discarded
	portMultiple = 2 // number of interfaces it was sent to

	// The ifIndex of packets that the device sent or received itself.
	portInternal = 0x3fffffff
)

// index returns the ifIndex; 0 if there is none or it is unknown.
func (p port) index() uint32 {
	if p.format != portIndex || p.value == portInternal || p.value == 0xffffffff {
		return 0
	}
	return p.value
}

// sample collects the content of a flow sample until its row is complete.
type sample struct {
	row     int
	rate    uint32
	in, out port

	bytes                uint64
	header               bool // a sampled header was read; it has more than sampled_ipv4 and the like
	srcVLAN, dstVLAN     uint32
	stripped             [2]uint32 // tags that the agent removed, outermost first
	nextHop, mplsNextHop column.Addr
}

// add makes the row of a sample.
func (d *Decoder) add(s sample, records uint32, b []byte) {
	if d.thin.Skip {
		d.thinned++
		return
	}
	if d.batch.Full() {
		d.batch = d.out.Batch(&flow.Table, 1)
	}
	s.row = d.batch.Add()
	d.records(&s, records, b)

	batch, row := d.batch, s.row
	flow.TimeReceived.Set(batch, row, d.seconds)
	flow.FlowStart.Set(batch, row, d.millis)
	flow.FlowEnd.Set(batch, row, d.millis)
	flow.FlowType.Set(batch, row, flow.TypeSFlow)
	flow.ExporterAddress.Set(batch, row, d.exporter)
	flow.ObservationDomain.Set(batch, row, d.subAgent)
	flow.SequenceNum.Set(batch, row, d.sequence)
	flow.Bytes.Set(batch, row, s.bytes)
	flow.Packets.Set(batch, row, 1)

	quality := flow.Quality.At(batch, row) | flow.NoTime
	d.rate, d.rateBy = s.rate, flow.SamplingRecord
	if d.rate == 0 {
		d.rate, d.rateBy = 1, flow.SamplingUnknown
		if f := d.state.options.SamplingRate; f != nil {
			if rate := f(d.exporter.IP()); rate != 0 {
				d.rate, d.rateBy = rate, flow.SamplingConfig
			}
		}
		if d.rateBy == flow.SamplingUnknown {
			quality |= flow.NoSampling
		}
	}
	if !flow.Plausible(s.bytes, 1, d.rate) {
		quality |= flow.Implausible
		d.implausible++
	}
	flow.SamplingRate.Set(batch, row, d.thin.Raise(d.rate))
	if d.thin.OneOf > 1 {
		quality |= flow.Thinned
	}
	flow.SamplingSource.Set(batch, row, d.rateBy)

	in, out := s.in.index(), s.out.index()
	if in|out == 0 {
		quality |= flow.NoInterface
	} else {
		flow.InIf.Set(batch, row, in)
		flow.OutIf.Set(batch, row, out)
	}
	if s.out.format == portDropped {
		flow.ForwardingStatus.Set(batch, row, forwardingStatus(s.out.value))
	}
	flow.Quality.Set(batch, row, quality)

	// The switch knows the VLAN of an untagged frame too. Tags that it removed were outside these.
	src := s.srcVLAN
	if s.stripped[0] != 0 {
		src = s.stripped[0]
		customer := uint32(flow.SrcVlan.At(batch, row)) // the frame's own, if it was inside a removed one
		if s.stripped[1] != 0 {
			customer = s.stripped[1]
		}
		if isVLAN(customer) {
			flow.SrcCustomerVlan.Set(batch, row, uint16(customer))
		}
	}
	if isVLAN(src) {
		flow.SrcVlan.Set(batch, row, uint16(src))
	}
	if isVLAN(s.dstVLAN) {
		flow.DstVlan.Set(batch, row, uint16(s.dstVLAN))
	}
	if s.nextHop == (column.Addr{}) {
		s.nextHop = s.mplsNextHop
	}
	if s.nextHop != (column.Addr{}) {
		flow.NextHop.Set(batch, row, s.nextHop)
	}
	d.flows++
}

// isVLAN reports a valid VLAN: 0 is none, and 0xffffffff unknown.
func isVLAN(id uint32) bool { return id > 0 && id < 0xfff }

// forwardingStatus returns the number of a discard reason in the IANA registry of forwardingStatus (RFC 7270,
// section 4.12). Below 256, sFlow has the codes of ICMP destination unreachable.
func forwardingStatus(reason uint32) uint8 {
	const (
		unknown          = 128
		aclDeny          = 129
		unroutable       = 131
		fragmentationSet = 133
		badTTL           = 137
		policer          = 138
		wred             = 139
	)
	switch reason {
	case 0, 1, 5, 6, 7, 11, 12: // network or host unreachable or unknown, source route failed
		return unroutable
	case 4, 262: // too big
		return fragmentationSet
	case 9, 10, 13, 258: // prohibited; access list
		return aclDeny
	case 257:
		return badTTL
	case 260: // random early detection
		return wred
	case 261: // traffic shaping or rate limiting
		return policer
	}
	return unknown
}

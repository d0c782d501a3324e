package netflow

import (
	"encoding/binary"
	"math"
	"slices"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/packet"
)

// Elements with special rules. Numbers are those of the IANA registry.

// The special steps.
const (
	innerAddr    op = plainOps + iota // source or destination of an inner header
	timeSeconds                       // seconds since 1970
	timeMillis                        // milliseconds since 1970
	timeNTP                           // seconds since 1900 and a fraction (RFC 7011 §6.1.9, §6.1.10)
	timeDelta                         // microseconds before the export time
	timeUptime                        // milliseconds of SysUptime
	timeDuration                      // milliseconds between start and end
	timeDurationMicro
	rateInterval // one of that many
	rateSpace    // number chosen, number skipped: 305 and 306
	ratePopulation
	rateProbability
	rateSelector // of a selector or sampler in options data
	icmpTypeCode
	direction
	ipVersion
	family // EtherType from the addresses, or from the template if all its addresses are of one family
	dscp
	mplsLabels
	tunnelType // from the outer protocol
	appName
	appID
	frameSection // the first bytes of a sampled packet
)

// none means no second element.
const none = math.MaxUint16

// Bytes and packets: only one element is right, even if it is zero. The counters of this observation point
// come first, then those after it, the cumulative counters since the flow start, those of the initiator, and
// the layer 2 counts, in the same order.
var counters = map[*column.Field][]column.IE{
	flow.Bytes.Field:   {{ID: 1}, {ID: 23}, {ID: 85}, {ID: 171}, {ID: 231}, {ID: 352}, {ID: 417}, {ID: 353}, {ID: 420}},
	flow.Packets.Field: {{ID: 2}, {ID: 24}, {ID: 86}, {ID: 172}, {ID: 298}, {ID: 430}, {ID: 431}},
}

// Those of them that count since the flow start.
var sinceBegin = []column.IE{{ID: 85}, {ID: 171}, {ID: 353}, {ID: 420}, {ID: 86}, {ID: 172}, {ID: 431}}

// Elements that a template with an outer and an inner header has twice, in this order.
var layered = []*column.Field{
	flow.SrcPort.Field, flow.DstPort.Field, flow.Proto.Field, flow.TCPFlags.Field, flow.IPTos.Field, flow.IPv6FlowLabel.Field,
}

// Elements of start and end, the most precise first: zero means absent, and then the next one is used. The
// last four are the time of an event.
var times = []struct {
	start, end uint16
	op         op
}{
	{152, 153, timeMillis},
	{156, 157, timeNTP},
	{154, 155, timeNTP},
	{150, 151, timeSeconds},
	{158, 159, timeDelta},
	{22, 21, timeUptime},
	{323, 323, timeMillis},
	{325, 325, timeNTP},
	{324, 324, timeNTP},
	{322, 322, timeSeconds},
}

// Elements that hold the first bytes of a sampled packet (RFC 5477 §8.5), and their protocol.
var sections = []struct {
	id   uint16
	link packet.LinkType
}{
	{315, packet.Ethernet}, // dataLinkFrameSection
	{104, packet.Ethernet}, // layer2packetSectionData, its predecessor (Cisco NetFlow-Lite)
	{313, packet.RawIP},    // ipHeaderPacketSection
	{316, packet.MPLS},     // mplsLabelStackSection
}

// Elements with the name of an application; the first that has one counts.
var appNames = []column.IE{
	{ID: 96},                // applicationName
	{PEN: 25461, ID: 56701}, // Palo Alto Networks App-ID
	{PEN: 35632, ID: 119},   // nProbe L7_PROTO_NAME
	{PEN: 3054, ID: 111},    // Ixia L7 application name
}

// specialField handles a field of the table whose elements are plain but have special rules.
func (c *compiler) specialField(f *column.Field) bool {
	switch {
	case counters[f] != nil:
		for _, ie := range counters[f] {
			if c.plain(f, []column.IE{ie}) {
				break
			}
		}
		// If the template has the element twice, the first one counts.
		c.steps = slices.DeleteFunc(c.steps, func(s step) bool { return s.field == f && s.fill })
		return true
	case f == flow.SrcAddr.Field, f == flow.DstAddr.Field:
		// In the order of the record: the outer header comes first.
		found := false
		for i, e := range c.elements {
			if slices.Contains(f.IE, e.IE) && (e.length == 4 || e.length == 16) {
				s := step{op: putAddr, pos: uint16(i), field: f}
				if found {
					s.op = innerAddr
				}
				c.add(s)
				found = true
			}
		}
		return true
	case f == flow.EType.Field:
		return true // after the addresses
	case slices.Contains(layered, f) && c.twoHeaders():
		// The last one is the inner one.
		for i, e := range c.elements {
			if slices.Contains(f.IE, e.IE) && e.length > 0 && e.length <= 8 {
				c.add(step{op: plainOp(f), pos: uint16(i), field: f})
			}
		}
		return true
	}
	return false
}

// twoHeaders reports that records describe an outer and an inner header.
func (c *compiler) twoHeaders() bool {
	addrs, protos := 0, 0
	for _, e := range c.elements {
		switch e.IE {
		case column.IE{ID: 8}, column.IE{ID: 27}:
			addrs++
		case column.IE{ID: 4}:
			protos++
		}
	}
	return addrs >= 2 && protos >= 2
}

// special adds the steps of elements that no field lists.
func (c *compiler) special() {
	for _, t := range times {
		c.time(t.start, t.op, flow.FlowStart.Field)
	}
	for _, t := range times {
		c.time(t.end, t.op, flow.FlowEnd.Field)
	}
	c.one(161, timeDuration)
	c.one(162, timeDurationMicro)

	c.one(34, rateInterval)
	c.two(310, 309, ratePopulation)
	c.two(305, 306, rateSpace)
	c.one(50, rateInterval)
	c.one(311, rateProbability)
	c.selector = c.one(302, rateSelector)
	c.selector = c.one(48, rateSelector) || c.selector

	explicit := c.one(32, icmpTypeCode)
	explicit = c.one(139, icmpTypeCode) || explicit
	for _, id := range []uint16{176, 177, 178, 179} {
		explicit = explicit || c.first(id) >= 0
	}
	c.icmpInPort = !explicit && c.first(4) >= 0 && c.first(11) >= 0

	c.one(61, direction)
	c.etherType()
	if c.first(5) < 0 {
		c.one(195, dscp)
	}
	for id := uint16(70); id < 80; id++ {
		if pos := c.first(id); pos >= 0 && c.elements[pos].length == 3 {
			c.labels = append(c.labels, uint16(pos))
		}
	}
	if len(c.labels) > 0 {
		c.add(step{op: mplsLabels, pos: c.labels[0]})
	}
	if pos := c.first(4); pos >= 0 && c.twoHeaders() {
		s := step{op: tunnelType, pos: uint16(pos), with: none}
		if port := c.first(11); port >= 0 {
			s.with = uint16(port)
		}
		for _, e := range c.elements {
			if e.PEN == 0 && e.ID >= 492 && e.ID <= 502 { // segment routing header (RFC 9487)
				s.fill = true
			}
		}
		c.add(s)
	}
	for _, ie := range appNames {
		c.find(ie, func(pos, _ uint16) { c.add(step{op: appName, pos: pos, with: none}) })
	}
	c.one(95, appID)
	for _, section := range sections {
		if pos := c.first(section.id); pos >= 0 {
			c.add(step{op: frameSection, pos: uint16(pos), with: uint16(section.link)})
			for _, id := range []uint16{103, 312} { // layer2packetSectionSize, dataLinkFrameSize
				if size := c.first(id); size >= 0 {
					c.frameSize = size
				}
			}
		}
	}
}

func (c *compiler) one(id uint16, o op) bool {
	pos := c.first(id)
	if pos >= 0 {
		c.add(step{op: o, pos: uint16(pos), with: none})
	}
	return pos >= 0
}

func (c *compiler) two(id, with uint16, o op) {
	if a, b := c.first(id), c.first(with); a >= 0 && b >= 0 {
		c.add(step{op: o, pos: uint16(a), with: uint16(b)})
	}
}

func (c *compiler) time(id uint16, o op, f *column.Field) {
	pos := c.first(id)
	if pos < 0 {
		return
	}
	s := step{op: o, pos: uint16(pos), with: none, field: f, fill: true}
	if o == timeUptime {
		if p := c.first(160); p >= 0 { // systemInitTimeMilliseconds
			s.with = uint16(p)
		}
	}
	c.add(s)
}

// etherType: the IP version and the addresses are the best sources. The element (256) is what was in front of
// the IP header, which may be a tag or a label, and some exporters fill it with something else; it is used
// for what is not IP.
func (c *compiler) etherType() {
	versioned := c.one(60, ipVersion)
	v4, v6, pos := false, false, 0
	for i, e := range c.elements {
		if !slices.Contains(flow.SrcAddr.Field.IE, e.IE) && !slices.Contains(flow.DstAddr.Field.IE, e.IE) {
			continue
		}
		switch e.length {
		case 4:
			v4, pos = true, i
		case 16:
			v6, pos = true, i
		}
	}
	if v4 || v6 {
		s := step{op: family, pos: uint16(pos), fill: versioned}
		switch {
		case !v6:
			s.with = flow.EtherTypeIPv4
		case !v4:
			s.with = flow.EtherTypeIPv6
		}
		c.add(s)
	}
	if pos := c.first(256); pos >= 0 {
		c.add(step{op: putUint16, pos: uint16(pos), field: flow.EType.Field, fill: true})
	}
}

// Seconds between 1900 and 1970.
const ntpEpoch = 2_208_988_800

// ntpMillis converts an NTP timestamp to milliseconds since 1970. Seconds whose top bit is clear are of the
// era that begins in 2036 (RFC 4330 §3).
func ntpMillis(v uint64) uint64 {
	if v == 0 {
		return 0
	}
	s, frac := v>>32, v&0xffffffff
	if s < 1<<31 {
		s += 1 << 32
	}
	return (s-ntpEpoch)*1000 + frac*1000>>32
}

// runSpecial executes a special step over n records, like run.
func (d *Decoder) runSpecial(s *step, at *layout, records []byte, stride, row, n int) {
	b := d.batch
	off, width := int(at.offset[s.pos]), int(at.width[s.pos])
	p := records[off:]
	value := func(i int) uint64 { return number(p[i*stride:], width) }
	second := func(i int) uint64 {
		return number(records[int(at.offset[s.with])+i*stride:], int(at.width[s.with]))
	}
	switch s.op {
	case innerAddr:
		d.inner(s.field, p, stride, width, row, n)

	case timeSeconds, timeMillis, timeNTP, timeDelta:
		if s.op == timeNTP && width != 8 {
			return
		}
		col := b.Uint64s(s.field)[row : row+n]
		for i := range col {
			v := number(p[i*stride:], width)
			if col[i] != 0 || v == 0 && s.op != timeDelta {
				continue
			}
			switch s.op {
			case timeSeconds:
				col[i] = v * 1000
			case timeMillis:
				col[i] = v
			case timeNTP:
				col[i] = ntpMillis(v)
			case timeDelta:
				col[i] = uint64(d.exported - int64(v/1000))
			}
		}
	case timeUptime:
		col := b.Uint64s(s.field)[row : row+n]
		if d.hasUptime && width == 4 {
			// The difference modulo 2^32 is right across a wrap of either, as long as
			// they are less than 24 days apart.
			for i := range col {
				if col[i] == 0 {
					age := int32(d.uptime - binary.BigEndian.Uint32(p[i*stride:]))
					col[i] = uint64(d.exported - int64(age))
				}
			}
			return
		}
		// IPFIX has no SysUptime in its header. Without the time of the last initialisation, in the record or
		// in options data, the absolute time is unknown.
		for i := range col {
			boot := d.reported.booted
			if s.with != none {
				boot = second(i)
			}
			if col[i] == 0 && boot != 0 {
				col[i] = d.sinceBoot(boot, uint32(value(i)))
			}
		}
	case timeDuration, timeDurationMicro:
		start, end := flow.FlowStart.Column(b)[row:row+n], flow.FlowEnd.Column(b)[row:row+n]
		for i := range start {
			v := value(i)
			if s.op == timeDurationMicro {
				v /= 1000
			}
			if start[i] == 0 && end[i] > v {
				start[i] = end[i] - v
			} else if end[i] == 0 && start[i] != 0 {
				end[i] = start[i] + v
			}
		}

	case rateInterval, rateSpace, ratePopulation, rateProbability, rateSelector:
		rate, from := flow.SamplingRate.Column(b)[row:row+n], flow.SamplingSource.Column(b)[row:row+n]
		for i := range rate {
			if rate[i] != 0 {
				continue
			}
			r, source := uint32(0), flow.SamplingRecord
			switch s.op {
			case rateInterval:
				r = clamp32(value(i))
			case rateSpace:
				r = oneOf(value(i), second(i)+value(i))
			case ratePopulation:
				r = oneOf(second(i), value(i))
			case rateProbability:
				r = probability(value(i), width)
			case rateSelector:
				r, source = d.reported.rates[selectorKey(value(i))], flow.SamplingOptions
			}
			if r != 0 {
				rate[i], from[i] = r, source
			}
		}

	case icmpTypeCode:
		for i := range n {
			if v := value(i); v != 0 && flow.IcmpType.At(b, row+i) == 0 && flow.IcmpCode.At(b, row+i) == 0 {
				flow.IcmpType.Set(b, row+i, uint8(v>>8))
				flow.IcmpCode.Set(b, row+i, uint8(v))
			}
		}
	case direction:
		col := flow.Direction.Column(b)[row : row+n]
		for i := range col {
			if v := number(p[i*stride:], width); v < 2 {
				col[i] = flow.DirectionIn + uint8(v)
			}
		}
	case ipVersion:
		col := flow.EType.Column(b)[row : row+n]
		for i := range col {
			switch value(i) {
			case 4:
				col[i] = flow.EtherTypeIPv4
			case 6:
				col[i] = flow.EtherTypeIPv6
			}
		}
	case family:
		d.family(s.with, s.fill, row, n)
	case tunnelType:
		for i := range n {
			if !d.tunnelled(row + i) {
				continue
			}
			port := uint64(0)
			if s.with != none {
				port = second(i)
			}
			if t := tunnel(uint8(value(i)), uint16(port), flow.OuterSrcAddr.At(b, row+i), s.fill); t != flow.TunnelNone {
				flow.TunnelType.Set(b, row+i, t)
			}
		}
	case dscp:
		col := flow.IPTos.Column(b)[row : row+n]
		for i := range col {
			col[i] = uint8(value(i) << 2)
		}
	case appName:
		col := flow.ApplicationName.Column(b)[row : row+n]
		for i := range col {
			if col[i] == (column.Label{}) {
				col[i] = d.label(p[i*stride : i*stride+width])
			}
		}
	case appID:
		m := d.metadata
		if m == nil {
			return
		}
		m.mu.RLock()
		defer m.mu.RUnlock()
		for i := range n {
			if flow.ApplicationName.At(b, row+i) == (column.Label{}) {
				if app, ok := m.applications[appKey(p[i*stride:i*stride+width])]; ok {
					flow.ApplicationName.Set(b, row+i, app.Name)
				}
			}
		}
	}
}

// mpls copies label stack entries (RFC 3032 §2.1), one element each, top first:
//
//	label 20 bits | traffic class 3 | bottom of stack 1
//
// The exporter writes zeros after the bottom.
func (d *Decoder) mpls(positions []uint16, at *layout, records []byte, stride, row, n int) {
	for i := range n {
		depth := 0
		for level, pos := range positions {
			if int(at.width[pos]) != 3 {
				continue
			}
			v := number(records[i*stride+int(at.offset[pos]):], 3)
			d.stack[level] = uint32(v >> 4)
			if v != 0 {
				depth = level + 1
			}
		}
		if depth > 0 {
			flow.MPLSLabels.Set(d.batch, row+i, d.stack[:depth])
		}
	}
}

// inner copies the second source or destination address of a record. If the first is also set, it is that of
// the outer header.
func (d *Decoder) inner(f *column.Field, p []byte, stride, width, row, n int) {
	outer := flow.OuterSrcAddr
	if f == flow.DstAddr.Field {
		outer = flow.OuterDstAddr
	}
	col := d.batch.Addrs(f)[row : row+n]
	for i := range col {
		a := address(p[i*stride:], width)
		switch {
		case unset(a):
		case unset(col[i]):
			col[i] = a
		default:
			if outer.At(d.batch, row+i) == (column.Addr{}) {
				outer.Set(d.batch, row+i, col[i])
			}
			col[i] = a
		}
	}
}

// frame reads the flow from sampled packets. Each counts as one, unless the record has counters.
func (d *Decoder) frame(pl *plan, link packet.LinkType, s *step, at *layout, records []byte, stride, row, n int) {
	b := d.batch
	for i := range n {
		record := records[i*stride:]
		data := record[at.offset[s.pos]:][:at.width[s.pos]]
		info := packet.Dissect(b, row+i, link, data)
		if flow.Packets.At(b, row+i) != 0 || flow.Bytes.At(b, row+i) != 0 {
			continue
		}
		size := uint64(info.Length)
		if size == 0 && pl.frameSize >= 0 {
			size = number(record[at.offset[pl.frameSize]:], int(at.width[pl.frameSize]))
		}
		if size == 0 {
			size = uint64(len(data))
		}
		flow.Packets.Set(b, row+i, 1)
		flow.Bytes.Set(b, row+i, size)
	}
}

// family sets the EtherType from the addresses; etype is not zero if all addresses of the template are of
// that family. With fill, it only sets what the IP version did not.
func (d *Decoder) family(etype uint16, fill bool, row, n int) {
	col := flow.EType.Column(d.batch)[row : row+n]
	if etype != 0 && !fill {
		set(col, etype)
		return
	}
	src, dst := flow.SrcAddr.Column(d.batch)[row:row+n], flow.DstAddr.Column(d.batch)[row:row+n]
	for i := range col {
		switch {
		case col[i] != 0 && unset(src[i]) && unset(dst[i]):
		case col[i] != 0 && !d.tunnelled(row+i):
		case !unset(src[i]):
			col[i] = etherTypeOf(src[i])
		case !unset(dst[i]):
			col[i] = etherTypeOf(dst[i])
		case etype != 0:
			col[i] = etype
		}
	}
}

// tunnelled reports that the addresses of the row are those of an inner header,
// which the element ipVersion does not describe.
func (d *Decoder) tunnelled(row int) bool {
	return flow.OuterSrcAddr.At(d.batch, row) != (column.Addr{})
}

// tunnel returns the type of a tunnel from its outer header.
func tunnel(proto uint8, port uint16, outer column.Addr, segments bool) uint8 {
	if segments {
		return flow.TunnelSRv6
	}
	return packet.TunnelOf(proto, port, etherTypeOf(outer) == flow.EtherTypeIPv6)
}

func etherTypeOf(a column.Addr) uint16 {
	if [12]byte(a[:12]) == [12]byte(zero4[:12]) {
		return flow.EtherTypeIPv4
	}
	return flow.EtherTypeIPv6
}

// sinceBoot returns the time switched milliseconds after boot, modulo 2^32, that is nearest to the export
// time.
func (d *Decoder) sinceBoot(boot uint64, switched uint32) uint64 {
	age := int32(uint32(d.exported) - uint32(boot) - switched)
	return uint64(d.exported - int64(age))
}

// oneOf returns the rate if n of every total packets are chosen, rounded.
func oneOf(n, total uint64) uint32 {
	if n == 0 {
		return 0
	}
	return clamp32((total + n/2) / n)
}

// probability returns the rate for a sampling probability, a float.
func probability(v uint64, width int) uint32 {
	var f float64
	switch width {
	case 4:
		f = float64(math.Float32frombits(uint32(v)))
	case 8:
		f = math.Float64frombits(v)
	}
	if !(f > 0 && f <= 1) {
		return 0
	}
	return clamp32(uint64(math.Round(min(1/f, math.MaxUint32))))
}

func clamp32(v uint64) uint32 { return uint32(min(v, math.MaxUint32)) }

// appKey makes one number of an application ID (RFC 6759 §4): classification engine, one byte, and selector,
// of variable length. Engine 20 is that of a vendor: a selector of four bytes follows the enterprise number
// (§4.1), which has less than 24 bits.
func appKey(p []byte) uint64 {
	switch n := len(p); {
	case n == 0 || n > 9 || n == 9 && p[1] != 0:
		return 0
	case n == 9:
		return uint64(p[0])<<56 | number(p[2:], 7)
	default:
		return uint64(p[0])<<56 | number(p[1:], n-1)
	}
}

// maxLabels bounds the texts that a decoder stores.
const maxLabels = 8192

// label interns a text of a record, cut at the first zero byte.
func (d *Decoder) label(p []byte) column.Label {
	p = untilZero(p)
	if l, ok := d.labels[string(p)]; ok {
		return l
	}
	if len(d.labels) >= maxLabels {
		clear(d.labels)
	}
	l := column.LabelOf(string(appendText(nil, p[:min(len(p), maxText)])))
	d.labels[string(p)] = l
	return l
}

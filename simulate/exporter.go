package simulate

import (
	"encoding/binary"
	"net/netip"
	"time"
)

var be = binary.BigEndian

// maxPayload of all but v5 fits into an Ethernet frame with IPv6 and UDP, with room for a tunnel.
const maxPayload = 1400

const (
	poolSize       = 4093 // datagrams; a prime, so that the renewed ones move over the whole pool
	renewEvery     = 16   // datagrams, at rates above alwaysNew
	alwaysNew      = 50_000.0
	templatesEvery = 20 * time.Second
	templatesAfter = 4096 // datagrams, for collectors that lose many
	countersEvery  = 5 * time.Second
)

// exporterPlan holds the fixed properties of an exporter, by index modulo the number of plans.
type exporterPlan struct {
	weight   int       // of its traffic
	rates    [2]uint32 // of samplers; the second, if there is one, is for traffic received from customers
	sampling samplingKind
	rich     bool // long templates; in sFlow expanded samples
}

// samplingKind is the way v9 and IPFIX exporters announce sampling rates.
type samplingKind uint8

const (
	bySystem    samplingKind = iota // v9: sampler ID with scope system. IPFIX: selector ID, 305 and 306
	byInterface                     // v9: sampler ID with scope interface. IPFIX: as above, two selectors
	byDomain                        // element 34 for the whole domain; records name no sampler
)

var exporterPlans = [...]exporterPlan{
	{8, [2]uint32{1000, 0}, bySystem, false},
	{5, [2]uint32{512, 128}, byInterface, true},
	{4, [2]uint32{2048, 0}, byDomain, false},
	{1, [2]uint32{1, 0}, bySystem, true},
	{3, [2]uint32{100, 0}, byDomain, true},
	{3, [2]uint32{4096, 1024}, byInterface, false},
}

// exporter encodes the datagrams of one router.
type exporter struct {
	exporterPlan
	protocol Protocol
	index    int
	domain   uint32
	agent    netip.Addr
	source   netip.AddrPort // for traffic without sockets
	boot     int64          // Unix ms
	gen      generator
	fields   [2][]field // v9 and IPFIX: templates of IPv4 and IPv6
	sizes    [2]int     // of their records
	fixed    []byte     // v9 and IPFIX: sets of templates, options templates and options
	options  uint32     // options records in fixed

	pool    []slot
	control slot // templates or counters
	made    int  // data datagrams
	renew   int
	keep    bool // keep the flows of a datagram in its slot
	flow    Flow // the current one
	scratch [2][]Flow

	sequence      uint32
	nextTemplates time.Time
	sinceTemplate int
	nextCounters  time.Time
	samples       [interfaces]struct{ sequence, pool uint32 }
	counterSeq    uint32
	counters      [interfaces]ifCounters

	sent      Totals
	templates uint64
	samplesUp uint64 // counter samples
	credit    int    // in the round robin over exporters
}

type ifCounters struct {
	inOctets, outOctets   uint64
	inPackets, outPackets uint32
}

// slot is a datagram that can be sent repeatedly, each time after move.
type slot struct {
	buf     []byte
	clock   int64    // Unix ms to which the times in buf refer
	records []record // the parts of buf that move updates
	count   uint32   // records as the sequence number of the protocol counts them
	totals  Totals
	kind    slotKind
	flows   []Flow // when kept
}

type slotKind uint8

const (
	dataSlot slotKind = iota
	templateSlot
	counterSlot
)

// record locates the values that move updates.
type record struct {
	at int // offset of the record, or of the sFlow sample

	// sFlow: the data source (also the interface that the frame came in by), the other interface, the frame.
	in, out uint8
	bytes   uint32
	rate    uint32
}

func newExporter(w *world, o Options, index int, now time.Time) *exporter {
	e := &exporter{
		exporterPlan: exporterPlans[index%len(exporterPlans)],
		protocol:     o.Protocol,
		index:        index,
		domain:       uint32(index + 1),
		boot:         now.UnixMilli() - int64(time.Hour/time.Millisecond)*int64(7+100*index),
		gen:          newGenerator(w, o, index),
		renew:        1,
	}
	if o.Rate == 0 || o.Rate > alwaysNew {
		e.renew = renewEvery
	}
	e.agent = netip.AddrFrom4([4]byte{192, 0, 2, byte(1 + index)})
	if o.Sources.IsValid() {
		e.agent = o.Sources
		for range index {
			e.agent = e.agent.Next()
		}
	}
	e.source = netip.AddrPortFrom(e.agent, uint16(40000+index))
	e.pool = make([]slot, poolSize)
	switch o.Protocol {
	case NetFlow5:
		e.rates[1] = 0 // one rate in the header
	case NetFlow9, IPFIX:
		e.planTemplates()
	case SFlow:
		if e.rates[0] == 1 {
			e.rates[0] = 64 // sFlow never samples every packet in practice
		}
		if index%4 == 3 && !o.Sources.IsValid() {
			e.agent = netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 15: byte(1 + index)})
		}
	}
	return e
}

// rateOf returns the sampling rate for traffic received on an interface, and the ID of its sampler.
func (e *exporter) rateOf(inIf uint32) (rate uint32, sampler uint8) {
	if e.rates[1] != 0 && inIf >= customerIf {
		return e.rates[1], 2
	}
	return e.rates[0], 1
}

// next returns the next datagram of e, ready to send, with at most limit flows (if not 0). The slot is valid for
// poolSize-1 further calls, but one of templates or counters only until the next call.
func (e *exporter) next(now time.Time, limit uint64) *slot {
	switch e.protocol {
	case NetFlow9, IPFIX:
		if e.sinceTemplate >= templatesAfter || !now.Before(e.nextTemplates) {
			e.sinceTemplate, e.nextTemplates = 0, now.Add(templatesEvery)
			s := e.controlSlot(templateSlot)
			e.encodeTemplates(s, now)
			return s
		}
		e.sinceTemplate++
	case SFlow:
		if !now.Before(e.nextCounters) {
			e.nextCounters = now.Add(countersEvery)
			s := e.controlSlot(counterSlot)
			e.encodeCounters(s, now)
			return s
		}
	}
	s := &e.pool[e.made%len(e.pool)]
	if len(s.buf) == 0 || e.made%e.renew == 0 || limit != 0 && s.totals.Flows > limit {
		e.encode(s, now, limit)
	}
	e.made++
	e.move(s, now)
	return s
}

func (e *exporter) controlSlot(kind slotKind) *slot {
	s := &e.control
	s.kind, s.totals, s.count = kind, Totals{Datagrams: 1}, 0
	return s
}

// encode fills s with new flows.
func (e *exporter) encode(s *slot, now time.Time, limit uint64) {
	if cap(s.buf) == 0 {
		s.buf = make([]byte, 0, header5+records5*record5) // the longest of all datagrams
		s.records = make([]record, 0, records5)
	}
	s.buf, s.records, s.flows = s.buf[:0], s.records[:0], s.flows[:0]
	s.totals, s.count = Totals{Datagrams: 1}, 0
	if limit == 0 {
		limit = 1 << 32
	}
	if e.protocol == NetFlow9 {
		now = now.Truncate(time.Second) // see encodeRecords
	}
	s.clock = now.UnixMilli()
	e.gen.at(now)
	switch e.protocol {
	case NetFlow5:
		e.encode5(s, limit)
	case NetFlow9, IPFIX:
		e.encodeRecords(s, limit)
	case SFlow:
		e.encodeSamples(s, limit)
	}
}

// add counts f, whose record is at offset at, in the totals of s.
func (s *slot) add(e *exporter, f *Flow, r record) {
	s.totals.Flows++
	s.totals.Bytes += f.Bytes
	s.totals.Packets += f.Packets
	s.totals.BytesScaled += f.Bytes * uint64(f.SamplingRate)
	s.totals.PacketsScaled += f.Packets * uint64(f.SamplingRate)
	s.records = append(s.records, r)
	if e.keep {
		s.flows = append(s.flows, *f)
	}
}

// move sets the times in s to now and its sequence numbers to the next ones.
func (e *exporter) move(s *slot, now time.Time) {
	if e.protocol == NetFlow9 {
		now = now.Truncate(time.Second)
	}
	ms := now.UnixMilli()
	delta := ms - s.clock
	s.clock = ms
	b := s.buf
	uptime := uint32(ms - e.boot)
	switch e.protocol {
	case NetFlow5:
		be.PutUint32(b[4:], uptime)
		be.PutUint32(b[8:], uint32(ms/1000))
		be.PutUint32(b[12:], uint32(ms%1000)*1_000_000)
		be.PutUint32(b[16:], e.sequence)
		if delta != 0 {
			for _, r := range s.records {
				shift32(b[r.at+24:], delta)
				shift32(b[r.at+28:], delta)
			}
		}
	case NetFlow9:
		be.PutUint32(b[4:], uptime)
		be.PutUint32(b[8:], uint32(ms/1000))
		be.PutUint32(b[12:], e.sequence)
		if delta != 0 {
			for _, r := range s.records {
				shift32(b[r.at:], delta)
				shift32(b[r.at+4:], delta)
			}
		}
	case IPFIX:
		be.PutUint32(b[4:], uint32(ms/1000))
		be.PutUint32(b[8:], e.sequence)
		if delta != 0 {
			for _, r := range s.records {
				shift64(b[r.at:], delta)
				shift64(b[r.at+8:], delta)
			}
		}
	case SFlow:
		e.moveSamples(s, uptime)
	}
	for i := range s.flows {
		if f := &s.flows[i]; f.StartMS != 0 {
			f.StartMS += delta
			f.EndMS += delta
		}
	}
	if e.protocol == NetFlow9 {
		e.sequence++ // v9 counts datagrams; encodeTemplates counts those of templates
	} else {
		e.sequence += s.count
	}
}

// sequenceOf returns the sequence number in the datagram.
func (e *exporter) sequenceOf(s *slot) uint32 {
	at := 8 // IPFIX
	switch e.protocol {
	case NetFlow5:
		at = 16
	case NetFlow9:
		at = 12
	case SFlow: // after version, type and octets of the agent's address, sub-agent
		at = 12 + e.agent.BitLen()/8
	}
	return be.Uint32(s.buf[at:])
}

func shift32(b []byte, delta int64) { be.PutUint32(b, be.Uint32(b)+uint32(delta)) }
func shift64(b []byte, delta int64) { be.PutUint64(b, be.Uint64(b)+uint64(delta)) }

// done counts a datagram that was sent.
func (e *exporter) done(s *slot) {
	e.sent.add(s.totals)
	switch s.kind {
	case templateSlot:
		e.templates++
	case counterSlot:
		e.samplesUp += uint64(interfaces)
	}
}

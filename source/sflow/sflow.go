// Package sflow decodes sFlow version 5 (https://sflow.org/sflow_version_5.txt) into rows of two tables:
// flows has a row for a flow sample, counters one for a counter sample.
//
// All of sFlow is XDR, words of four bytes:
//
//	datagram  ─► sample   ─► record
//	             length      length
//
//	0         4                8        (4 or 16)   +4          +4         +4       +4
//	| version | address family | agent  | sub-agent | sequence | uptime  | samples | sample …
//
// Samples and records have a length, so that unknown ones can be skipped. All decoders of the process share a
// State; a Decoder belongs to one goroutine.
package sflow

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"sync/atomic"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/source"
)

const version = 5

// Families of addresses.
const (
	familyUnknown = 0 // no address follows
	familyIPv4    = 1
	familyIPv6    = 2
)

// Is reports whether a datagram is sFlow version 5: the version in 32 bits, where
// NetFlow has it in 16, and an agent address of a known family.
func Is(payload []byte) bool {
	if len(payload) < 8 || be32(payload) != version {
		return false
	}
	family := be32(payload[4:])
	return family == familyIPv4 || family == familyIPv6
}

// Agent returns the agent address in a datagram; ok is false if it is not sFlow version 5, or truncated.
func Agent(payload []byte) (agent netip.Addr, ok bool) {
	if !Is(payload) {
		return agent, false
	}
	a, _, ok := address(payload[4:])
	return a.IP(), ok
}

// Options has the parameters of a State.
type Options struct {
	// Exporters is the list of exporters to update; nil: a private list.
	Exporters *source.Exporters

	// SamplingRate returns the configured rate of an exporter, 0 if there is none. It is used for samples
	// without a rate. Nil: nothing is configured. It must be safe for concurrent use.
	SamplingRate func(exporter netip.Addr) uint32

	// Names receives names and speeds of interfaces from counter samples. Nil: they are not used.
	Names source.Names
}

// State is shared by the decoders of a process. It is safe for concurrent use.
type State struct {
	options  Options
	counters source.Counters
	doubts   source.Doubts // gaps since the positions given to Follow

	mu        sync.RWMutex // guards the following
	agents    map[agentKey]*agent
	following source.Positions[agentKey] // of an earlier run
	swept     int64                      // Unix seconds

	sweeps   atomic.Uint64 // number of sweeps that evicted agents
	samplers atomic.Int64  // of all agents

	discarded [discardReasons + 1]atomic.Uint64
}

// New makes an empty State.
func New(o Options) *State {
	if o.Exporters == nil {
		o.Exporters = new(source.Exporters)
	}
	return &State{options: o, agents: map[agentKey]*agent{}}
}

// Counters returns the counters of what was received, dropped and not decoded.
func (s *State) Counters() *source.Counters { return &s.counters }

// Protocol returns the protocol for the list of datagram protocols.
func (s *State) Protocol() source.Protocol {
	return source.Protocol{Name: name, Is: Is, New: func() source.Decoder { return s.Decoder() }, Agent: Agent, State: s}
}

// name is the protocol's name in metrics and in the file of sequences.
const name = "sflow"

// Report implements source.State.
func (s *State) Report(r *source.Report) {
	r.Members = append(r.Members, source.Member{Name: name, Counters: &s.counters, Discards: s.Discarded()})
}

// Decoder makes a decoder for one goroutine.
func (s *State) Decoder() *Decoder {
	return &Decoder{state: s, agents: map[agentKey]*agent{}}
}

// Decoder decodes datagrams. It belongs to one goroutine.
type Decoder struct {
	state  *State
	agents map[agentKey]*agent // a part of the state's, to read without a lock
	sweeps uint64              // of the state, when agents was started

	marks source.Marks

	datagram
	drawn []samplingInfo // of the flow samples of the datagram
	words []uint32       // of the list being read: an AS path, communities, labels

	rng source.PRNG

	tell func(source.Note) // nil if notes are not wanted

	counters *column.Batch // of the counters table
}

var _ source.Decoder = (*Decoder)(nil)

// datagram is what the rows of a datagram have in common.
type datagram struct {
	refused  bool // part of it was not decoded, and why
	reason   source.Reason
	out      *source.Out
	batch    *column.Batch // of flows, that of out
	from     *agent
	exporter column.Addr
	subAgent uint32
	sequence uint32
	uptime   uint32 // of the agent, in milliseconds
	seconds  uint32 // of the time of arrival
	millis   uint64

	flows   uint64
	known   uint64 // samples of a known format
	thin    source.ThinDecision
	thinned uint64 // samples without rows because of a limit

	implausible uint64 // rows that no network carries
	rate        uint32 // of the last flow sample
	rateBy      uint8  // flow.Sampling…
}

// Decode implements source.Decoder.
func (d *Decoder) Decode(dg *source.Datagram, out *source.Out) {
	counters := &d.state.counters
	counters.Datagrams.Add(1)
	p := dg.Payload
	switch {
	case len(p) < 8:
		d.unread(source.ShortDatagram)
		return
	case be32(p) != version:
		d.unread(source.UnknownVersion)
		return
	}
	agent, rest, ok := address(p[4:])
	if !ok {
		if family := be32(p[4:]); family > familyIPv6 {
			d.unread(BadAddress)
		} else {
			d.unread(source.ShortDatagram)
		}
		return
	}
	if len(rest) < 16 {
		d.unread(source.ShortDatagram)
		return
	}
	if agent == (column.Addr{}) || agent == column.AddrFrom4([4]byte{}) {
		agent = column.AddrFrom(dg.Exporter.Addr()) // it does not know its own address
	}
	d.datagram = datagram{
		out:      out,
		batch:    out.Batch(&flow.Table, 1),
		exporter: agent,
		subAgent: be32(rest),
		sequence: be32(rest[4:]),
		uptime:   be32(rest[8:]),
		seconds:  uint32(dg.Received.Unix()),
		millis:   uint64(dg.Received.UnixMilli()),
	}
	d.find(dg.Exporter.Addr())
	entry := d.from.entry
	d.thin = entry.Thin(int64(d.seconds), &d.rng)
	d.samples(be32(rest[12:]), rest[16:])
	d.follow()

	entry.Sent(d.flows+d.thinned, d.thinned)
	if d.thinned > 0 {
		counters.Thinned.Add(d.thinned)
	}
	if d.implausible > 0 {
		counters.Implausible.Add(d.implausible)
		entry.Implausible.Add(d.implausible)
	}
	entry.Datagrams.Add(1)
	entry.LastSeen.Store(dg.Received.UnixNano())
	entry.Records.Add(d.known)
	if d.flows > 0 {
		counters.Flows.Add(d.flows)
		entry.Flows.Add(d.flows)
		entry.SamplingRate.Store(d.rate)
		entry.SamplingSource.Store(uint32(d.rateBy))
	}
	if len(d.drawn) > 0 && d.from.known {
		for range d.state.drawn(d.from, d.drawn) {
			d.refuse(TooManySamplers)
		}
	}
	if d.refused {
		entry.Keep(d.reason, dg)
	}
	d.datagram, d.drawn = datagram{}, d.drawn[:0]
}

// Resume restarts the sequence of an agent or a sender whose datagrams were dropped for a while, so that they
// do not count as lost.
func (s *State) Resume(addr netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := func(key agentKey) bool { return key.sender == addr || key.agent.IP() == addr }
	for key, a := range s.agents {
		if of(key) {
			s.forgetLocked(key, a)
		}
	}
	s.following.Forget(of)
	s.sweeps.Add(1)
}

// find looks up the agent.
func (d *Decoder) find(sender netip.Addr) {
	if n := d.state.sweeps.Load(); n != d.sweeps {
		clear(d.agents)
		d.sweeps = n
	}
	key := agentKey{sender, d.exporter, d.subAgent}
	a := d.agents[key]
	if a == nil || a.entry.Forgotten() {
		if a = d.state.agentOf(key, int64(d.seconds)); a.known {
			d.agents[key] = a
		}
	}
	d.from = a
	if !a.known {
		d.refuse(source.TooManyExporters)
	}
}

// follow checks the sequence number, after the samples are decoded.
func (d *Decoder) follow() {
	a := d.from
	if !a.known {
		return
	}
	d.marks.Heard(&a.sequence)
	f := a.heard(d.datagram.sequence, d.uptime, int64(d.millis))
	d.state.found(a, f)
	if f.Missed != (source.Missed{}) {
		d.state.doubts.Add(f.Missed, a.entry, d.subAgent, &d.state.counters)
	}
}

// refuse counts something of the agent that was not decoded.
func (d *Decoder) refuse(r source.Reason) {
	d.state.counters.Refuse(r)
	d.refused, d.reason = true, r
	d.from.entry.Refuse(r)
	if d.tell != nil {
		d.tell(r.Note(d.parts()...))
	}
}

// unread counts a datagram whose agent cannot be read.
func (d *Decoder) unread(r source.Reason) {
	d.state.counters.Refuse(r)
	if d.tell != nil {
		d.tell(r.Note(source.Part{Name: "FlowType", Value: flow.FlowType.Field.Enum[flow.TypeSFlow]}))
	}
}

// Notes sets the function that receives notes about everything that is not a flow sample or a counter sample.
func (d *Decoder) Notes(tell func(source.Note)) { d.tell = tell }

// parts returns what the notes of a datagram have in common, by the names of columns of flows.
func (d *Decoder) parts() []source.Part {
	return []source.Part{
		{Name: "FlowType", Value: flow.FlowType.Field.Enum[flow.TypeSFlow]},
		{Name: "ExporterAddress", Value: d.exporter.IP().String()},
		{Name: "ObservationDomain", Value: uint64(d.subAgent)},
		{Name: "SequenceNum", Value: uint64(d.datagram.sequence)},
	}
}

// address reads the family of an address and the address; ok is false if the family is unknown or the address
// truncated. An address without family is ::.
func address(b []byte) (a column.Addr, rest []byte, ok bool) {
	if len(b) < 4 {
		return a, b, false
	}
	switch family, b := be32(b), b[4:]; {
	case family == familyUnknown:
		return a, b, true
	case family == familyIPv4 && len(b) >= 4:
		return column.AddrFrom4([4]byte(b)), b[4:], true
	case family == familyIPv6 && len(b) >= 16:
		return column.Addr(b[:16]), b[16:], true
	}
	return a, b, false
}

func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

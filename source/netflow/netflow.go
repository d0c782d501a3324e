// Package netflow decodes NetFlow v5, NetFlow v9 (RFC 3954) and IPFIX (RFC 7011)
// into rows of the flows table.
//
// A template is compiled once into a plan: a list of steps that each copy one element into one column
// (plan.go; elements with special rules are in special.go). A set of n records is then decoded step by step
// over all n, not record by record:
//
//	datagram ─► message (v5.go, message.go) ─► set ─► plan of its template ─► columns ─► finish: times, sampling, quality
//	                                            ├─► template set: cache (cache.go, template.go)
//	                                            ├─► options data: sampling rates, names (options.go)
//	                                            └─► no template yet: wait (waiting.go)
//
// All decoders of the process share a State. A Decoder belongs to one goroutine and reads the state through
// its own views, so that decoding takes no lock that another decoder needs.
package netflow

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/source"
)

// Version returns the version in the first two bytes of a datagram, and whether this package decodes it.
func Version(payload []byte) (version int, ok bool) {
	if len(payload) < 2 {
		return 0, false
	}
	version = int(binary.BigEndian.Uint16(payload))
	return version, version == 5 || version == 9 || version == 10
}

// Is reports whether a datagram is NetFlow v5, v9 or IPFIX.
func Is(payload []byte) bool {
	_, ok := Version(payload)
	return ok
}

// Options has the limits of a State. Zero means the default.
type Options struct {
	// Exporters is the list of exporters to update; nil: a private list.
	Exporters *source.Exporters

	// SamplingRate returns the configured rate of an exporter, 0 for none. It is used if neither the records
	// nor options data nor a header has a rate. Nil: nothing is configured. It must be safe for concurrent
	// use.
	SamplingRate func(exporter netip.Addr) uint32

	// Names receives the names of interfaces in options data, and those that Load reads. Nil: they are not
	// used.
	Names source.Names

	// Extra are the elements that go into the column Extra. Elements finds them by name.
	Extra []Element

	// At most 4096 templates per exporter and 100,000 in total. Each source port and observation domain that
	// sends also counts as one.
	ExporterTemplates, Templates int

	// TemplateBytes bounds the memory of all templates by the length of their records: 64 MiB.
	TemplateBytes int

	// NameBytes bounds the memory of names from options data: 32 MiB.
	NameBytes int

	// The state of a sender expires if it sends nothing for 24 hours.
	Expiry time.Duration

	// Sets with an unknown template wait for it up to 5 minutes, in at most 32 MiB.
	WaitTime  time.Duration
	WaitBytes int

	oneWay bool // tests: no rows for the reverse direction of biflows
}

func (o *Options) fill() {
	set := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	set(&o.ExporterTemplates, 4096)
	set(&o.Templates, 100_000)
	set(&o.TemplateBytes, 64<<20)
	set(&o.WaitBytes, 32<<20)
	set(&o.NameBytes, 32<<20)
	if o.Expiry <= 0 {
		o.Expiry = 24 * time.Hour
	}
	if o.WaitTime <= 0 {
		o.WaitTime = 5 * time.Minute
	}
	if o.Exporters == nil {
		o.Exporters = new(source.Exporters)
	}
}

// State is shared by the decoders of a process: templates, options data, sequence numbers and counters. It is
// safe for concurrent use.
type State struct {
	doubts   source.Doubts // gaps since the positions given to Follow
	counters source.Counters
	options  Options
	changes  atomic.Uint64 // increases with every change to what Save writes

	mu             sync.Mutex // guards everything below, and all exporters, domains and templates
	exporters      map[exporterKey]*exporter
	held           int // sessions and templates
	bytes          int // of template records
	waiting        int // bytes of waiting sets
	swept          time.Time
	optionsVersion uint64 // of the newest exporterOptions
	metadata       map[netip.Addr]*Metadata
	names          int // bytes of names in metadata

	following source.Positions[sequenceKey] // of an earlier run

	activeFlows flowTable // of templates with cumulative counters; it has its own lock
}

// New makes an empty State.
func New(o Options) *State {
	o.fill()
	return &State{options: o, exporters: map[exporterKey]*exporter{}, metadata: map[netip.Addr]*Metadata{}}
}

// Protocol returns the protocol for the list of datagram protocols.
func (s *State) Protocol() source.Protocol {
	return source.Protocol{Name: name, Is: Is, New: func() source.Decoder { return s.Decoder() }, State: s}
}

// name is the name of the protocols in metrics and in the file of sequences.
const name = "netflow"

// Report implements source.State.
func (s *State) Report(r *source.Report) {
	r.Members = append(r.Members, source.Member{Name: name, Counters: &s.counters})
}

// Decoder makes a decoder for one goroutine.
func (s *State) Decoder() *Decoder {
	return &Decoder{state: s, views: map[viewKey]*view{}, cut: source.Lookup{Exporters: s.options.Exporters}, labels: map[string]column.Label{}, values: map[string]string{}}
}

// Decoder decodes datagrams. It belongs to one goroutine.
type Decoder struct {
	state *State
	views map[viewKey]*view
	last  *view         // the view of the previous datagram, often also of the next one
	cut   source.Lookup // of senders whose header cannot be read

	marks source.Marks

	message
	out   *source.Out
	batch *column.Batch // of flows, in out

	lay    layout     // of the variable-length record being decoded
	stack  [10]uint32 // MPLS labels of one row
	labels map[string]column.Label

	// For Extra: the entries and a value of the row being decoded, and the values of the last rows.
	pairs  []column.Pair
	text   []byte
	values map[string]string

	rng source.PRNG

	tell func(source.Note) // nil if notes are not wanted
}

var _ source.Decoder = (*Decoder)(nil)

// message is what the rows of a datagram have in common.
type message struct {
	version   uint16
	typ       uint8 // flow.Type…
	known     bool  // entry is the exporter's own
	refused   bool  // part of it was not decoded, and why
	reason    source.Reason
	quality   uint16
	received  int64 // milliseconds since 1970
	exported  int64 // milliseconds since 1970, by the exporter's clock
	uptime    uint32
	hasUptime bool
	sequence  uint32
	domain    uint32 // observation domain, source id, or engine type and id
	addr      column.Addr
	exporter  netip.AddrPort
	entry     *source.Exporter
	reported  *exporterOptions // options data of the sender; never nil
	metadata  *Metadata        // names in its options data; nil if there are none

	thin    source.ThinDecision
	thinned uint32 // records without rows because of a limit

	implausible uint64 // rows that no network carries

	headerRate uint32 // sampling rate in the header of v5; 0 for none

	records uint32   // data records seen so far
	blind   bool     // some records could not be counted
	flows   uint64   // rows added
	session *session // nil if there is no room for one
	view    *view
}

// Decode implements source.Decoder.
func (d *Decoder) Decode(dg *source.Datagram, out *source.Out) {
	s := d.state
	s.counters.Datagrams.Add(1)
	p := dg.Payload
	version, ok := Version(p)
	if !ok {
		// The sender is unknown, so it has no entry in the list of exporters.
		s.counters.Refuse(source.UnknownVersion)
		if d.tell != nil {
			d.tell(source.UnknownVersion.Note(source.Part{Name: "ExporterAddress", Value: dg.Exporter.Addr().Unmap().String()}))
		}
		return
	}
	d.out, d.batch = out, out.Batch(&flow.Table, 1)
	d.message = message{
		version:  uint16(version),
		received: dg.Received.UnixMilli(),
		exporter: dg.Exporter,
		addr:     column.AddrFrom(dg.Exporter.Addr()),
		reported: noOptions,
	}
	switch version {
	case 5:
		d.typ = flow.TypeNetFlow5
		d.decode5(p)
	case 9:
		d.typ = flow.TypeNetFlow9
		d.decode9(p)
	case 10:
		d.typ = flow.TypeIPFIX
		d.decode10(p)
	}
	if d.entry != nil {
		d.entry.Datagrams.Add(1)
		d.entry.LastSeen.Store(dg.Received.UnixNano())
		if d.flows > 0 {
			d.entry.Flows.Add(d.flows)
		}
		if d.records > 0 {
			d.entry.Records.Add(uint64(d.records))
			d.entry.Sent(uint64(d.records), uint64(d.thinned))
		}
		if d.refused {
			d.entry.Keep(d.reason, dg)
		}
	}
	if d.implausible > 0 {
		s.counters.Implausible.Add(d.implausible)
		if d.entry != nil {
			d.entry.Implausible.Add(d.implausible)
		}
	}
	if d.thinned > 0 {
		s.counters.Thinned.Add(uint64(d.thinned))
	}
	if d.flows > 0 {
		s.counters.Flows.Add(d.flows)
	}
	d.out, d.batch = nil, nil
}

// A skew of the exporter's clock above this is marked in its rows.
const skewMS = 60_000

// open looks up the sender of the message whose header was read.
func (d *Decoder) open() {
	d.use(d.lookup())
	skew := d.exported - d.received
	if skew > skewMS || skew < -skewMS {
		d.quality |= flow.ClockSkewed
	}
	d.entry.Skew(skew)
	d.thin = d.entry.Thin(d.received/1000, &d.rng)
	if !d.known {
		d.refuse(source.TooManyExporters)
	}
	if d.session != nil && !d.session.used.Load() {
		d.session.used.Store(true)
	}
}

// unread counts a message whose header is truncated or invalid.
func (d *Decoder) unread(r source.Reason) {
	d.entry, d.known = d.cut.Of(d.exporter.Addr(), d.typ, d.received)
	d.refuse(r)
}

// use makes a view the current one.
func (d *Decoder) use(v *view) {
	d.view, d.session, d.entry, d.known, d.reported, d.metadata = v, v.session, v.entry, v.known, v.reported, v.metadata
}

func (d *Decoder) refuse(r source.Reason) {
	d.state.counters.Refuse(r)
	d.refused, d.reason = true, r
	if d.entry != nil {
		d.entry.Refuse(r)
	}
	d.noteRefused(r)
}

// follow checks the sequence number of the message, after its records were counted.
func (d *Decoder) follow(n source.Numbering) {
	ses := d.session
	if ses == nil {
		return
	}
	d.marks.Heard(&ses.sequence)
	f := ses.heard(source.Arrival{
		Position: source.Position{Seq: d.sequence, Units: d.records}, At: d.received, Uptime: d.uptime, HasUptime: d.hasUptime,
		Uncounted: d.blind && n.Norm != source.ByDatagram,
	}, n)
	if f == (source.SequenceResult{}) {
		return
	}
	d.state.counters.Find(f)
	d.entry.Find(f)
	if f.Missed != (source.Missed{}) {
		d.state.doubts.Add(f.Missed, d.entry, d.domain, &d.state.counters)
	}
}

// Counters returns the counters of what was received, dropped and not decoded.
func (s *State) Counters() *source.Counters { return &s.counters }

// Settle counts what is still pending: sets that wait for their template as NoTemplate, and gaps that late
// datagrams might have filled as lost. Call it when no more datagrams will arrive, as at the end of a capture
// file.
func (s *State) Settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.exporters {
		for _, dom := range x.domains {
			s.dropWaitingLocked(dom, func(*waitingSet) bool { return true })
			for _, ses := range dom.sessions {
				f := ses.sequence.Settle()
				s.counters.Find(f)
				x.entry.Current().Find(f)
			}
		}
	}
}

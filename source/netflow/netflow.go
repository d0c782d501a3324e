// Package netflow decodes NetFlow v5, NetFlow v9 (RFC 3954) and IPFIX (RFC 7011)
// into rows of the flows table.
//
// A template is compiled once into a plan, a list of steps that each copy one
// element into one column (plan.go; the elements that need thought are in
// special.go). A set of n records is then decoded step by step over all n, not
// record by record:
//
//	datagram ─► message (v5.go, message.go) ─► set ─► plan of its template ─► columns ─► finish: times, sampling, quality
//	                                            ├─► template set: cache (cache.go, template.go)
//	                                            ├─► options data: sampling rates, names (options.go)
//	                                            └─► no template yet: wait (waiting.go)
//
// State is what all decoders of the process share; a Decoder belongs to one
// goroutine and reads the state through a view of its own, so that decoding takes
// no lock that another decoder wants.
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

// Version is the version that the first two bytes of a datagram name, and
// whether this package decodes it.
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

// Config has the limits of a State. The zero value of a limit stands for its
// default.
type Config struct {
	// Exporters is the list of exporters to keep up to date; nil means a list
	// of its own.
	Exporters *source.Exporters

	// SamplingRate is the configured rate of an exporter, 0 for none. It is used
	// when neither the records nor options data nor a header say one. Nil means
	// that nothing is configured. It must be safe for concurrent use.
	SamplingRate func(exporter netip.Addr) uint32

	// Names receives the names of interfaces in options data, and in what Load reads.
	// Nil means that they are not used.
	Names source.Names

	// Extra are the elements that go into the column of that name. Elements makes
	// them of names.
	Extra []Element

	// At most 4096 templates of one exporter and 100,000 in all. Each source port
	// and observation domain that sends counts as one too.
	ExporterTemplates, Templates int

	// TemplateBytes bounds the memory of all templates by the length of their
	// records: 64 MiB.
	TemplateBytes int

	// NameBytes bounds the memory of names that options data told: 32 MiB.
	NameBytes int

	// What a sender told is forgotten when nothing came from it for 24 hours.
	Expiry time.Duration

	// Sets whose template is not known yet wait for it up to 5 minutes, in at
	// most 32 MiB.
	WaitTime  time.Duration
	WaitBytes int

	oneWay bool // tests: no rows for the reverse direction of biflows
}

func (c *Config) fill() {
	set := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	set(&c.ExporterTemplates, 4096)
	set(&c.Templates, 100_000)
	set(&c.TemplateBytes, 64<<20)
	set(&c.WaitBytes, 32<<20)
	set(&c.NameBytes, 32<<20)
	if c.Expiry <= 0 {
		c.Expiry = 24 * time.Hour
	}
	if c.WaitTime <= 0 {
		c.WaitTime = 5 * time.Minute
	}
	if c.Exporters == nil {
		c.Exporters = new(source.Exporters)
	}
}

// State is what the decoders of a process share: templates, what options data
// told, sequence numbers, and the counters. It is safe for concurrent use.
type State struct {
	doubts   source.Doubts // what was missed since the places given to Follow
	counters source.Counters
	config   Config
	changes  atomic.Uint64 // rises with whatever Save keeps

	mu        sync.Mutex // guards everything below, and all exporters, domains and templates
	exporters map[exporterKey]*exporter
	held      int // sessions and templates
	bytes     int // of template records
	waiting   int // bytes of waiting sets
	swept     time.Time
	told      uint64 // how many facts were made
	metadata  map[netip.Addr]*Metadata
	names     int // bytes of names in metadata

	following source.Places[sequenceKey] // of an earlier run

	living flowTable // whose templates have totals; it has a lock of its own
}

// New makes an empty State.
func New(c Config) *State {
	c.fill()
	return &State{config: c, exporters: map[exporterKey]*exporter{}, metadata: map[netip.Addr]*Metadata{}}
}

// Protocol is this member of the family of datagrams.
func (s *State) Protocol() source.Protocol {
	return source.Protocol{Name: name, Is: Is, New: func() source.Decoder { return s.Decoder() }, State: s}
}

// name is that of the protocols in metrics, and in the file of sequences.
const name = "netflow"

// Report implements source.State.
func (s *State) Report(r *source.Report) {
	r.Members = append(r.Members, source.Member{Name: name, Counters: &s.counters})
}

// Decoder makes a decoder for one goroutine.
func (s *State) Decoder() *Decoder {
	return &Decoder{state: s, views: map[viewKey]*view{}, cut: source.Lookup{Exporters: s.config.Exporters}, labels: map[string]column.Label{}, values: map[string]string{}}
}

// A Decoder decodes datagrams. It belongs to one goroutine.
type Decoder struct {
	state *State
	views map[viewKey]*view
	last  *view         // the view of the previous datagram: often the next one's too
	cut   source.Lookup // of those whose datagrams have no header that can be read

	marks source.Marks

	message
	out   *source.Out
	batch *column.Batch // of flows, that of out

	lay    layout     // of the variable-length record being decoded
	stack  [10]uint32 // MPLS labels of one row
	labels map[string]column.Label

	// For Extra: the entries and a value of the row being decoded, and the values
	// of the last rows.
	pairs  []column.Pair
	text   []byte
	values map[string]string

	dice source.Dice

	tell func(source.Note) // nil when nobody wants notes
}

var _ source.Decoder = (*Decoder)(nil)

// A message is what the rows of a datagram have in common.
type message struct {
	version   uint16
	typ       uint8 // flow.Type…
	known     bool  // entry is the exporter's own
	refused   bool  // something of it, and why
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
	facts     *facts    // what options data told about the sender; never nil
	metadata  *Metadata // the names that it told; nil if none

	draw    source.Draw
	thinned uint32 // records that give no rows

	implausible uint64 // rows that no network has carried

	headerRate uint32 // sampling rate in the header of v5; 0 for none

	records uint32   // data records seen so far
	blind   bool     // some records could not be counted
	flows   uint64   // rows added
	session *session // nil when there is no room for one
	view    *view
}

// Decode implements source.Decoder.
func (d *Decoder) Decode(dg *source.Datagram, out *source.Out) {
	s := d.state
	s.counters.Datagrams.Add(1)
	p := dg.Payload
	version, ok := Version(p)
	if !ok {
		// Nothing tells who this is: no entry in the list of exporters for it.
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
		facts:    noFacts,
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

// A skew of the exporter's clock beyond this is marked on its rows.
const skewMS = 60_000

// open finds the sender of the message whose header has been read.
func (d *Decoder) open() {
	d.use(d.lookup())
	skew := d.exported - d.received
	if skew > skewMS || skew < -skewMS {
		d.quality |= flow.ClockSkewed
	}
	d.entry.Skew(skew)
	d.draw = d.entry.Draw(d.received/1000, &d.dice)
	if !d.known {
		d.refuse(source.TooManyExporters)
	}
	if d.session != nil && !d.session.used.Load() {
		d.session.used.Store(true)
	}
}

// unread refuses a message whose header is cut, or cannot be one.
func (d *Decoder) unread(r source.Reason) {
	d.entry, d.known = d.cut.Of(d.exporter.Addr(), d.typ, d.received)
	d.refuse(r)
}

// use makes a view that of the message.
func (d *Decoder) use(v *view) {
	d.view, d.session, d.entry, d.known, d.facts, d.metadata = v, v.session, v.entry, v.known, v.facts, v.metadata
}

func (d *Decoder) refuse(r source.Reason) {
	d.state.counters.Refuse(r)
	d.refused, d.reason = true, r
	if d.entry != nil {
		d.entry.Refuse(r)
	}
	d.noteRefused(r)
}

// follow checks the sequence number of the message, after its records have been
// counted.
func (d *Decoder) follow(n source.Numbering) {
	ses := d.session
	if ses == nil {
		return
	}
	d.marks.Heard(&ses.sequence)
	f := ses.heard(source.Arrival{
		Place: source.Place{Seq: d.sequence, Units: d.records}, At: d.received, Uptime: d.uptime, HasUptime: d.hasUptime,
		Uncounted: d.blind && n.Norm != source.ByDatagram,
	}, n)
	if f == (source.Finding{}) {
		return
	}
	d.state.counters.Find(f)
	d.entry.Find(f)
	if f.Missed != (source.Missed{}) {
		d.state.doubts.Add(f.Missed, d.entry, d.domain, &d.state.counters)
	}
}

// Counters count what came in and what was refused.
func (s *State) Counters() *source.Counters { return &s.counters }

// Settle counts what is still open: sets that wait for their template as
// NoTemplate, gaps that a late datagram might have filled as lost. Call it when
// no more datagrams come, as at the end of a capture file.
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

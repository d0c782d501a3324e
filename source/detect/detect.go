// Package detect detects the protocol of a datagram from its content, so that any protocol may arrive at any
// port.
package detect

import (
	"net/netip"

	"netmeta/flow"
	"netmeta/source"
)

// Family has the datagram protocols, and the counters of datagrams that none of them decodes.
type Family struct {
	Protocols []source.Protocol
	Exporters *source.Exporters // also receives senders of no known protocol; may be nil
	Ignored   *source.Ignored   // senders whose datagrams are dropped unread; may be nil

	Unread source.Counters // datagrams of no protocol, or dropped unread
}

// Decoder makes a decoder for one goroutine.
func (f *Family) Decoder() source.Decoder { return f.decoder() }

func (f *Family) decoder() *Decoder {
	d := &Decoder{family: f, senders: source.Lookup{Exporters: f.Exporters}}
	for _, p := range f.Protocols {
		d.members = append(d.members, member{p.Is, p.New()})
	}
	return d
}

// Report adds the counters of all protocols, and of datagrams that none of them decodes.
func (f *Family) Report(r *source.Report) {
	for _, p := range f.Protocols {
		p.Report(r)
	}
	r.Members = append(r.Members, source.Member{Name: "udp", Counters: &f.Unread})
}

// Resume records that the datagrams of a sender are accepted again.
func (f *Family) Resume(a netip.Addr) {
	for _, p := range f.Protocols {
		p.Resume(a)
	}
}

// Settle counts what is still pending: no more datagrams will arrive.
func (f *Family) Settle() {
	for _, p := range f.Protocols {
		p.Settle()
	}
}

// Decoder decodes datagrams of every protocol. It belongs to one goroutine.
type Decoder struct {
	family  *Family
	members []member
	senders source.Lookup
	tell    func(source.Note) // nil if notes are not wanted
}

// member is the decoder of one protocol.
type member struct {
	is func(payload []byte) bool
	source.Decoder
}

// Notes implements source.Decoder.
func (d *Decoder) Notes(tell func(source.Note)) {
	d.tell = tell
	for _, m := range d.members {
		m.Notes(tell)
	}
}

// Decode gives the datagram to the decoder of its protocol.
func (d *Decoder) Decode(dg *source.Datagram, out *source.Out) {
	if d.family.Ignored != nil && d.ignores(dg) {
		return
	}
	for i := range d.members {
		if d.members[i].is(dg.Payload) {
			d.members[i].Decode(dg, out)
			return
		}
	}
	d.refuse(dg)
}

// refuse counts a datagram of no protocol.
func (d *Decoder) refuse(dg *source.Datagram) {
	reason := source.UnknownVersion
	if len(dg.Payload) < 4 {
		reason = source.ShortDatagram
	}
	d.family.Unread.Datagrams.Add(1)
	d.family.Unread.Refuse(reason)
	if d.family.Exporters != nil {
		x, _ := d.senders.Of(dg.Exporter.Addr(), flow.TypeUnknown, dg.Received.UnixMilli())
		x.Datagrams.Add(1)
		x.LastSeen.Store(dg.Received.UnixNano())
		x.Refuse(reason)
		x.Keep(reason, dg)
	}
	if d.tell != nil {
		d.tell(reason.Note(source.Part{Name: "ExporterAddress", Value: dg.Exporter.Addr().Unmap().String()}))
	}
}

// Mark implements source.Decoder.
func (d *Decoder) Mark() (durable func()) {
	var all []func()
	for _, m := range d.members {
		if f := m.Mark(); f != nil {
			all = append(all, f)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return func() {
		for _, f := range all {
			f()
		}
	}
}

// ignores drops the datagram if its sender is ignored. An exporter is ignored by its address in the list of
// exporters, which may be one that the datagram names.
func (d *Decoder) ignores(dg *source.Datagram) bool {
	ignored := d.family.Ignored
	if ignored.Empty() {
		return false
	}
	r := ignored.Of(dg.Exporter.Addr().Unmap())
	for i := 0; r == nil && i < len(d.family.Protocols); i++ {
		if named := d.family.Protocols[i].Agent; named != nil {
			if agent, ok := named(dg.Payload); ok {
				r = ignored.Of(agent)
			}
		}
	}
	if r == nil {
		return false
	}
	r.Refuse(dg)
	d.family.Unread.Datagrams.Add(1)
	d.family.Unread.Refuse(source.SenderIgnored)
	return true
}

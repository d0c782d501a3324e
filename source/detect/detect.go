// Package detect tells the protocol of a datagram from its content, so that any
// version may come to any port.
//
//	NetFlow v5, v9, IPFIX   version:uint16 = 5, 9 or 10
//	sFlow v5                version:uint32 = 5
package detect

import (
	"netmeta/column"
	"netmeta/flow"
	"netmeta/source"
	"netmeta/source/netflow"
	"netmeta/source/sflow"
)

// A Decoder decodes datagrams of every protocol that has one. It belongs to one
// goroutine.
type Decoder struct {
	Refused   *source.Counters  // counts datagrams of no known protocol
	Exporters *source.Exporters // who sends them is there too; nil: nobody wants to know
	Ignored   *source.Ignored   // whose datagrams are refused unread; nil: nobody's

	NetFlow *netflow.Decoder
	SFlow   *sflow.Decoder

	senders source.Lookup
	tell    func(source.Note) // nil when nobody wants notes
}

// Notes makes the decoder tell what it comes across beside flows and counters.
func (d *Decoder) Notes(tell func(source.Note)) {
	d.tell = tell
	d.NetFlow.Notes(tell)
	d.SFlow.Notes(tell)
}

// Decode gives the datagram to the decoder of its protocol.
func (d *Decoder) Decode(dg *source.Datagram, b *column.Batch, flush func()) {
	if d.Ignored != nil && d.ignores(dg) {
		return
	}
	if _, ok := netflow.Version(dg.Payload); ok {
		d.NetFlow.Decode(dg, b, flush)
		return
	}
	if sflow.Is(dg.Payload) {
		d.SFlow.Decode(dg, b, flush)
		return
	}
	reason := source.UnknownVersion
	if len(dg.Payload) < 4 {
		reason = source.ShortDatagram
	}
	d.Refused.Datagrams.Add(1)
	d.Refused.Refuse(reason)
	if d.Exporters != nil {
		d.senders.Exporters = d.Exporters
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

// Mark takes note of the places in the sequences of all senders that were heard since the
// last call. Call the function that it returns, on any goroutine, when the rows of all
// that was decoded until now are stored or in the spool. It is nil when nothing was heard.
func (d *Decoder) Mark() (safe func()) {
	netflow, sflow := d.NetFlow.Mark(), d.SFlow.Mark()
	switch {
	case netflow == nil:
		return sflow
	case sflow == nil:
		return netflow
	}
	return func() { netflow(); sflow() }
}

// ignores refuses the datagram if its sender is ignored. An exporter is ignored under the
// address that the list of exporters has of it, which for sFlow is that of the agent.
func (d *Decoder) ignores(dg *source.Datagram) bool {
	if d.Ignored.Empty() {
		return false
	}
	r := d.Ignored.Of(dg.Exporter.Addr().Unmap())
	if r == nil {
		if agent, ok := sflow.Agent(dg.Payload); ok {
			r = d.Ignored.Of(agent)
		}
	}
	if r == nil {
		return false
	}
	r.Refuse(dg)
	d.Refused.Datagrams.Add(1)
	d.Refused.Refuse(source.SenderIgnored)
	return true
}

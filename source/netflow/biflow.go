package netflow

import (
	"netmeta/column"
	"netmeta/flow"
)

// Biflows (RFC 5103): one record has both directions of a conversation. The elements of the reverse direction
// have the IDs of the forward ones with a separate enterprise number. A record whose reverse direction has
// packets becomes two rows, or one row in the reverse direction if only that has packets.

const reversePEN = 29305

// compileReverse makes the plan of the reverse direction, nil if the template has none.
func (c *compiler) compileReverse() *plan {
	// Firewalls count per initiator and responder. The counters of the responder are the reverse of those
	// that compile uses if there are no others.
	initiator := c.counts(231)
	elements := make([]element, len(c.elements))
	found := false
	for i, e := range c.elements {
		elements[i] = element{column.IE{PEN: reversePEN}, e.length} // nothing
		switch {
		case e.PEN == reversePEN:
			elements[i].IE = column.IE{ID: e.ID}
		case initiator && e.IE == column.IE{ID: 232}:
			elements[i].IE = column.IE{ID: 231}
		case initiator && e.IE == column.IE{ID: 299}:
			elements[i].IE = column.IE{ID: 298}
		}
		found = found || elements[i].PEN == 0
	}
	if !found {
		return nil
	}
	back := compileOneWay(elements)
	r := back.plan
	if r.totals = back.totals(c); r.totals != nil {
		r.totals.way = 1
	}
	for _, s := range r.steps {
		switch s.field {
		case flow.Bytes.Field, flow.Packets.Field:
			r.volume = append(r.volume, s.pos)
		case flow.FlowStart.Field, flow.FlowEnd.Field:
			r.timed = true
		}
	}
	if r.volume == nil {
		return nil
	}
	return r
}

// counts reports that Bytes comes from an element.
func (c *compiler) counts(id uint16) bool {
	for _, s := range c.steps {
		if s.field == flow.Bytes.Field {
			return c.elements[s.pos].IE == column.IE{ID: id}
		}
	}
	return false
}

// reverse adds the row of the reverse direction of a record whose forward row is complete. The batch must
// have room.
func (d *Decoder) reverse(p *plan, at *layout, record []byte, forward int) {
	r := p.reverse
	some := uint64(0)
	for _, pos := range r.volume {
		some |= number(record[at.offset[pos]:], int(at.width[pos]))
	}
	if some == 0 {
		return
	}
	b := d.batch
	row := forward
	if flow.Bytes.At(b, row)|flow.Packets.At(b, row) != 0 {
		row = b.AddCopy(forward)
		d.flows++
	}
	b.Turn(row)
	// These values describe only the forward direction.
	flow.Bytes.Set(b, row, 0)
	flow.Packets.Set(b, row, 0)
	flow.TCPFlags.Set(b, row, 0)
	if r.timed {
		flow.FlowStart.Set(b, row, 0)
		flow.FlowEnd.Set(b, row, 0)
	}
	switch flow.Direction.At(b, row) {
	case flow.DirectionIn:
		flow.Direction.Set(b, row, flow.DirectionOut)
	case flow.DirectionOut:
		flow.Direction.Set(b, row, flow.DirectionIn)
	}
	for i := range r.steps {
		d.run(r, &r.steps[i], at, record, 0, row, 1)
	}
	if r.totals != nil {
		d.goOn(r.totals, at, record, 0, row, 1)
	}
	quality := flow.Quality.Column(b)[row : row+1]
	if r.timed {
		d.placeInTime(quality, row, 1)
	}
	if quality[0]&flow.Implausible != 0 { // of the forward direction: it has a row of its own, or no traffic
		quality[0] &^= flow.Implausible
		if row == forward {
			d.implausible--
		}
	}
	times := uint32(1)
	if quality[0]&flow.Thinned != 0 {
		times = max(d.thin.OneOf, 1)
	}
	d.judge(quality, row, 1, times)
}

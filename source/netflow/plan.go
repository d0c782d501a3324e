package netflow

import (
	"encoding/binary"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/packet"
	"netmeta/source"
)

// layout has the positions of the elements of a record.
type layout struct {
	offset []uint32
	width  []uint32
}

// plan decodes the records of one template. It is immutable once compiled.
type plan struct {
	layout          // of a fixed-length record; otherwise only width, and variable for lengths in the record
	stride int      // length of a record; 0 when records have different lengths
	least  int      // of the shortest record
	steps  []step   // in the order in which they must run
	labels []uint16 // elements that are MPLS labels, top first
	extras []extra  // elements that go into Extra

	frameSize int      // element with the size of a sampled frame, -1 if there is none
	reverse   *plan    // of the reverse direction of biflows; nil if there is none
	volume    []uint16 // of a reverse plan: its counters
	timed     bool     // of a reverse plan: it has times of its own

	totals *totals // nil unless the counters are cumulative

	selector   bool // records have the ID of a selector or sampler
	icmpInPort bool // ICMP type and code may be in the destination port
}

// step copies one element of each record into one column.
type step struct {
	op    op
	fill  bool          // only if the column is still zero: an earlier element takes precedence
	pos   uint16        // the element, by place in the template
	with  uint16        // a second element that the step needs
	field *column.Field // the column
}

type op uint8

// The plain steps; the others are in special.go.
const (
	putUint8 op = iota
	putUint16
	putUint32
	putUint64
	putAddr    // IPv4 or IPv6, told by its length
	putNextHop // an address, where zero means none
	plainOps
)

// compile makes the plan of a template. Plain elements are those listed by the fields of the flows table, in
// the order of each list. The first that the template has takes precedence; the others replace its zeros.
func compile(elements []element) *plan {
	c := compileOneWay(elements)
	c.plan.totals = c.totals(c)
	c.reverse = c.compileReverse()
	return c.plan
}

func compileOneWay(elements []element) *compiler {
	c := compiler{elements: elements, plan: &plan{frameSize: -1}}
	c.place()
	for _, f := range flow.Table.Fields {
		if len(f.IE) > 0 && !c.specialField(f) {
			c.plain(f, f.IE)
		}
	}
	c.special()
	return &c
}

type compiler struct {
	*plan
	elements []element
}

// place computes the layout.
func (c *compiler) place() {
	n := len(c.elements)
	c.offset, c.width = make([]uint32, n), make([]uint32, n)
	fixed := true
	for i, e := range c.elements {
		c.offset[i], c.width[i] = uint32(c.least), uint32(e.length)
		c.least += e.least()
		fixed = fixed && e.length != variable
	}
	if fixed {
		c.stride = c.least
	}
}

// find calls f for each position of an element that has a length.
func (c *compiler) find(ie column.IE, f func(pos uint16, length uint16)) {
	for i, e := range c.elements {
		if e.IE == ie && e.length > 0 {
			f(uint16(i), e.length)
		}
	}
}

// first returns the first position of an IANA element, -1 if the template lacks it.
func (c *compiler) first(id uint16) (pos int) {
	pos = -1
	c.find(column.IE{ID: id}, func(p, _ uint16) {
		if pos < 0 {
			pos = int(p)
		}
	})
	return pos
}

func (c *compiler) add(s step) { c.steps = append(c.steps, s) }

// plain adds the steps of a field that is a number or an address. It reports whether there were any.
func (c *compiler) plain(f *column.Field, list []column.IE) (found bool) {
	for _, ie := range list {
		c.find(ie, func(pos, length uint16) {
			s := step{op: plainOp(f), pos: pos, field: f, fill: found}
			switch s.op {
			case putAddr, putNextHop:
				if length != 4 && length != 16 {
					return
				}
			default:
				if length > 8 && length != variable {
					return
				}
			}
			c.add(s)
			found = true
		})
	}
	return found
}

func plainOp(f *column.Field) op {
	switch f.Kind {
	case column.Uint8, column.Enum:
		return putUint8
	case column.Uint16:
		return putUint16
	case column.Uint32, column.Time:
		return putUint32
	case column.Uint64, column.TimeMS:
		return putUint64
	case column.IP:
		if f == flow.SrcAddr.Field || f == flow.DstAddr.Field {
			return putAddr
		}
		return putNextHop
	}
	panic("BUG: field " + f.Name + " has elements but is neither number nor address")
}

// fixed decodes records of one length. The body has nothing else.
func (d *Decoder) fixed(p *plan, body []byte) {
	for len(body) > 0 {
		n := min(len(body)/p.stride, d.room(p))
		row := d.batch.AddN(n)
		for i := range p.steps {
			d.run(p, &p.steps[i], &p.layout, body, p.stride, row, n)
		}
		if p.extras != nil {
			for i := range n {
				d.putExtras(p.extras, &p.layout, body[i*p.stride:], row+i)
			}
		}
		if p.totals != nil {
			d.goOn(p.totals, &p.layout, body, p.stride, row, n)
		}
		d.finish(p, row, n)
		if p.reverse != nil {
			for i := range n {
				if !d.batch.Full() { // always, except in a batch of one row
					d.reverse(p, &p.layout, body[i*p.stride:], row+i)
				}
			}
		}
		body = body[n*p.stride:]
	}
}

// variable decodes records of different lengths, followed by padding.
func (d *Decoder) variable(p *plan, body []byte) {
	lay := d.layout(p)
	for !padding(body, p.least) {
		room := d.room(p)
		first := d.batch.Len()
		for ; room > 0 && !padding(body, p.least); room-- {
			size := lay.measure(p.width, body)
			if size < 0 {
				d.refuse(source.BadLength)
				d.blind = true
				body = nil
				break
			}
			row := d.batch.Add()
			for i := range p.steps {
				d.run(p, &p.steps[i], &lay, body, 0, row, 1)
			}
			if p.extras != nil {
				d.putExtras(p.extras, &lay, body, row)
			}
			if p.totals != nil {
				d.goOn(p.totals, &lay, body, 0, row, 1)
			}
			d.records++
			if p.reverse != nil {
				// The offsets are those of this record only.
				d.finish(p, row, 1)
				if !d.batch.Full() {
					d.reverse(p, &lay, body, row)
				}
				first = d.batch.Len()
			}
			body = body[size:]
		}
		if n := d.batch.Len() - first; n > 0 {
			d.finish(p, first, n)
		}
	}
}

// layout returns a layout with room for the fields of one record.
func (d *Decoder) layout(p *plan) layout {
	if cap(d.lay.offset) == 0 {
		d.lay = layout{make([]uint32, maxFields), make([]uint32, maxFields)}
	}
	return layout{d.lay.offset[:len(p.width)], d.lay.width[:len(p.width)]}
}

// thinnable reports that each record is independent. With cumulative counters, the next record includes one
// that is left out.
func (p *plan) thinnable() bool {
	return p.totals == nil && (p.reverse == nil || p.reverse.totals == nil)
}

// room returns the number of records that can be added; at least one, since a full batch is handed on.
// Biflows need two rows.
func (d *Decoder) room(p *plan) int {
	rows := 1
	if p.reverse != nil {
		rows = 2
	}
	if d.batch.Room() < rows {
		d.batch = d.out.Batch(&flow.Table, rows)
	}
	return max(d.batch.Room()/rows, 1)
}

// padding reports that the rest of a set holds no record (RFC 7011 §3.3.1).
func padding(p []byte, least int) bool {
	return len(p) < least || len(p) <= 3 && allZero(p)
}

// measure finds the elements of a record and its length, -1 if it does not fit. The length of a
// variable-length element precedes it (RFC 7011 §7):
//
//	0 length below 255   1 content
//	0 255                1 length, 2 bytes   3 content
func (l *layout) measure(widths []uint32, p []byte) (size int) {
	for i, w := range widths {
		if w == variable {
			if size >= len(p) {
				return -1
			}
			w = uint32(p[size])
			size++
			if w == 255 {
				if size+2 > len(p) {
					return -1
				}
				w = uint32(binary.BigEndian.Uint16(p[size:]))
				size += 2
			}
		}
		l.offset[i], l.width[i] = uint32(size), w
		size += int(w)
		if size > len(p) {
			return -1
		}
	}
	return size
}

// run executes one step over n records, which start stride bytes apart, into n rows from row on.
func (d *Decoder) run(pl *plan, s *step, at *layout, records []byte, stride, row, n int) {
	b := d.batch
	width := int(at.width[s.pos])
	if width == 0 || width > 8 && s.op <= putUint64 { // integers are not longer (RFC 7011 §6.1.1)
		return
	}
	p := records[at.offset[s.pos]:]
	switch s.op {
	case putUint8:
		numbers(b.Uint8s(s.field)[row:row+n], p, stride, width, s.fill)
	case putUint16:
		numbers(b.Uint16s(s.field)[row:row+n], p, stride, width, s.fill)
	case putUint32:
		numbers(b.Uint32s(s.field)[row:row+n], p, stride, width, s.fill)
	case putUint64:
		numbers(b.Uint64s(s.field)[row:row+n], p, stride, width, s.fill)
	case putAddr:
		addresses(b.Addrs(s.field)[row:row+n], p, stride, width)
	case putNextHop:
		nextHops(b.Addrs(s.field)[row:row+n], p, stride, width, s.fill)
	case frameSection:
		d.frame(pl, packet.LinkType(s.with), s, at, records, stride, row, n)
	case mplsLabels:
		d.mpls(pl.labels, at, records, stride, row, n)
	default:
		d.runSpecial(s, at, records, stride, row, n)
	}
}

// numbers copies unsigned integers of 1 to 8 bytes. They may be shorter than the element's definition (RFC
// 7011 §6.2) or longer than the column, which then holds the lower bytes.
func numbers[T uint8 | uint16 | uint32 | uint64](col []T, p []byte, stride, width int, fill bool) {
	at := 0
	switch {
	case fill:
		for i := range col {
			if col[i] == 0 {
				col[i] = T(number(p[at:], width))
			}
			at += stride
		}
	case width == 1:
		for i := range col {
			col[i] = T(p[at])
			at += stride
		}
	case width == 2:
		for i := range col {
			col[i] = T(binary.BigEndian.Uint16(p[at:]))
			at += stride
		}
	case width == 4:
		for i := range col {
			col[i] = T(binary.BigEndian.Uint32(p[at:]))
			at += stride
		}
	case width == 8:
		for i := range col {
			col[i] = T(binary.BigEndian.Uint64(p[at:]))
			at += stride
		}
	default:
		for i := range col {
			col[i] = T(number(p[at:], width))
			at += stride
		}
	}
}

// number reads an unsigned integer; of more than 8 bytes, the last 8.
func number(p []byte, width int) (v uint64) {
	switch width {
	case 1:
		return uint64(p[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(p))
	case 4:
		return uint64(binary.BigEndian.Uint32(p))
	case 8:
		return binary.BigEndian.Uint64(p)
	}
	for _, c := range p[:width] {
		v = v<<8 | uint64(c)
	}
	return v
}

// addresses copies source or destination addresses into new rows.
func addresses(col []column.Addr, p []byte, stride, width int) {
	at := 0
	switch width {
	case 4:
		for i := range col {
			put4(&col[i], binary.BigEndian.Uint32(p[at:]))
			at += stride
		}
	case 16:
		for i := range col {
			col[i] = column.Addr(p[at:])
			at += stride
		}
	}
}

// nextHops copies addresses, where zero means none.
func nextHops(col []column.Addr, p []byte, stride, width int, fill bool) {
	at := 0
	switch width {
	case 4:
		for i := range col {
			if v := binary.BigEndian.Uint32(p[at:]); v != 0 && (!fill || col[i] == column.Addr{}) {
				put4(&col[i], v)
			}
			at += stride
		}
	case 16:
		for i := range col {
			if a := column.Addr(p[at:]); !unset(a) && (!fill || col[i] == column.Addr{}) {
				col[i] = a
			}
			at += stride
		}
	}
}

// put4 writes an IPv4 address into an address that is zero.
func put4(a *column.Addr, v uint32) {
	binary.BigEndian.PutUint64(a[8:], 0xffff<<32|uint64(v))
}

func address(p []byte, width int) column.Addr {
	if width == 4 {
		return column.AddrFrom4([4]byte(p))
	}
	return column.Addr(p[:16])
}

var zero4 = column.AddrFrom4([4]byte{})

// unset reports the zero address of either family.
func unset(a column.Addr) bool { return a == column.Addr{} || a == zero4 }

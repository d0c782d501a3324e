package netflow

import (
	"encoding/binary"

	"netmeta/source"
)

// The headers of v9 (RFC 3954 §5.1) and IPFIX (RFC 7011 §3.1).
//
//	v9, 20 bytes                 IPFIX, 16 bytes
//	 0 version 9                  0 version 10
//	 2 count                      2 length of the message
//	 4 SysUptime ms               4 export time, Unix seconds
//	 8 Unix seconds               8 sequence number
//	12 sequence number           12 observation domain id
//	16 source id
//
// The count of v9 is ignored: exporters disagree on what it counts.
const (
	header9  = 20
	header10 = 16
)

func (d *Decoder) decode9(p []byte) {
	if len(p) < header9 {
		d.unread(source.ShortDatagram)
		return
	}
	d.uptime, d.hasUptime = binary.BigEndian.Uint32(p[4:]), true
	d.exported = int64(binary.BigEndian.Uint32(p[8:])) * 1000
	d.sequence = binary.BigEndian.Uint32(p[12:])
	d.domain = binary.BigEndian.Uint32(p[16:])
	d.open()
	d.sets(p[header9:])
	d.follow(numbering9)
}

func (d *Decoder) decode10(p []byte) {
	if len(p) < header10 {
		d.unread(source.ShortDatagram)
		return
	}
	d.exported = int64(binary.BigEndian.Uint32(p[4:])) * 1000
	d.sequence = binary.BigEndian.Uint32(p[8:])
	d.domain = binary.BigEndian.Uint32(p[12:])
	d.open()
	switch length := int(binary.BigEndian.Uint16(p[2:])); {
	case length == len(p):
	case length < header10 || length > len(p):
		// Truncated on the way, or a wrong length: the sets have their own lengths.
		d.refuse(source.BadLength)
		d.blind = true
	default:
		if len(p)-length > 3 {
			d.refuse(source.BadLength)
		}
		p = p[:length]
	}
	d.sets(p[header10:])
	d.follow(numbering10)
}

// Set ids below 256 (RFC 3954 §5, RFC 7011 §3.3.2).
const (
	templates9  = 0
	options9    = 1
	templates10 = 2
	options10   = 3
	firstData   = 256
)

// sets decodes the sets of a message. Each begins with an id and its length, this
// header included:
//
//	0 id   2 length   4 records, then padding
//
// A set that cannot be decoded does not affect the next. A length that points beyond the message does, since
// the start of the next set is unknown.
func (d *Decoder) sets(p []byte) {
	for len(p) >= 4 {
		id, length := binary.BigEndian.Uint16(p), int(binary.BigEndian.Uint16(p[2:]))
		if length < 4 || length > len(p) {
			if !allZero(p) { // padding after the last set, as some v9 exporters write
				d.refuse(source.BadLength)
				d.blind = true
			}
			return
		}
		body := p[4:length]
		p = p[length:]
		switch {
		case id >= firstData:
			d.data(id, body)
		case id == templates9 && d.version == 9, id == templates10 && d.version == 10:
			d.templateSet(body, false)
		case id == options9 && d.version == 9, id == options10 && d.version == 10:
			d.templateSet(body, true)
		default:
			d.refuse(UnknownSet)
		}
	}
}

func (d *Decoder) data(id uint16, body []byte) {
	t := d.template(id)
	if t.template == nil || t.borrowed && !t.fits(body) {
		d.blind = true
		if d.thin.Skip {
			return // the sets that are kept represent the rest
		}
		d.noteWaiting(id, body)
		d.wait(id, body)
		return
	}
	d.decodeSet(t.template, body)
}

// decodeSet decodes the body of a data set, which is flows or options data.
func (d *Decoder) decodeSet(t *template, body []byte) {
	before := d.records
	switch {
	case t.options:
		d.optionsData(t, body)
	case d.thin.Skip && t.plan.thinnable():
		d.skip(t.plan, body)
	case t.plan.stride > 0:
		n := len(body) / t.plan.stride
		d.records += uint32(n)
		d.fixed(t.plan, body[:n*t.plan.stride])
	default:
		d.variable(t.plan, body)
	}
	if d.records != before && d.session != nil && !d.session.proven.Load() {
		d.session.proven.Store(true)
	}
}

// skip counts the records of a set that gives no rows.
func (d *Decoder) skip(p *plan, body []byte) {
	n := uint32(0)
	if p.stride > 0 {
		n = uint32(len(body) / p.stride)
	} else {
		for lay := d.layout(p); !padding(body, p.least); n++ {
			size := lay.measure(p.width, body)
			if size < 0 {
				d.refuse(source.BadLength)
				d.blind = true
				break
			}
			body = body[size:]
		}
	}
	d.records += n
	d.thinned += n
}

func allZero(p []byte) bool {
	for _, c := range p {
		if c != 0 {
			return false
		}
	}
	return true
}

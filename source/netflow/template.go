package netflow

import (
	"encoding/binary"

	"netmeta/column"
)

// maxFields bounds the fields of a template; real templates have less than 150.
const maxFields = 512

// variable is the length of a field whose length is in the record (RFC 7011 §7). A v9 field of that length
// would not fit into a datagram, and some v9 exporters mean the same by it.
const variable = 65535

// element is a field specifier of a template (RFC 7011 §3.2).
type element struct {
	column.IE
	length uint16
}

// least returns the minimum size of the field in bytes.
func (e element) least() int {
	if e.length == variable {
		return 1
	}
	return int(e.length)
}

// template is a template as announced. It does not change once it is in the cache, except that its plan is
// made when the first data need it.
type template struct {
	id      uint16
	version uint16
	options bool
	scopes  uint16 // of an options template: number of scope elements
	spec    string // the field specifiers as received
	plan    *plan  // guarded by State.mu until a view has it
}

// fits reports that a set may be of this template, judged by the rest after the last record. It is used for
// borrowed templates only: right after two processes with one address have started, data of one may arrive
// before its template and find the other's.
func (t *template) fits(body []byte) bool {
	if t.options || t.plan.stride == 0 {
		return true
	}
	return len(body) >= t.plan.stride && len(body)%t.plan.stride <= 3
}

// same reports that records of both are read alike.
func (t *template) same(o *template) bool {
	return t.spec == o.spec && t.options == o.options && t.scopes == o.scopes
}

// elements parses the field specifiers.
func (t *template) elements() []element {
	list := make([]element, 0, len(t.spec)/4)
	p := []byte(t.spec)
	for len(p) > 0 {
		e, n := readElement(p, t.version)
		list = append(list, e)
		p = p[n:]
	}
	if t.version == 9 {
		for i := range list {
			if t.options && i < int(t.scopes) {
				list[i].ID = scope9(list[i].ID)
			} else {
				list[i].IE = vendor9(list[i].ID)
			}
		}
	}
	return list
}

// readElement reads one field specifier and its size, 0 if it does not fit.
//
//	v9:    0 type                        2 length
//	IPFIX: 0 E bit, element id           2 length   4 enterprise number, if E is set
func readElement(p []byte, version uint16) (e element, n int) {
	if len(p) < 4 {
		return e, 0
	}
	e.ID, e.length = binary.BigEndian.Uint16(p), binary.BigEndian.Uint16(p[2:])
	if version == 9 || e.ID < 0x8000 {
		return e, 4
	}
	if len(p) < 8 {
		return e, 0
	}
	e.ID &= 0x7fff
	e.PEN = binary.BigEndian.Uint32(p[4:])
	return e, 8
}

// scope9 returns the element for a scope field type of v9 (RFC 3954 §6.1). Exporters also write element IDs
// there, as in IPFIX.
func scope9(typ uint16) uint16 {
	switch typ {
	case 1: // system
		return 144 // exportingProcessId
	case 2: // interface
		return 10 // ingressInterface
	case 3: // line card
		return 141 // lineCardId
	case 4: // cache
		return 173 // flowKeyIndicator replaces "flow cache"; nothing reads it
	case 5: // template
		return 145 // templateId
	}
	return typ
}

// vendor9 returns the element for a field type of v9. v9 has no enterprise numbers, so vendors used types
// from the upper end. ASA writes address translation with numbers from before there were elements for it
// (Cisco ASA NetFlow Implementation Guide, table 2), Palo Alto Networks has two of its own, and nProbe adds
// 57472 to its IPFIX elements.
func vendor9(typ uint16) column.IE {
	const nprobe = 57472
	switch {
	case typ == 40001: // NF_F_XLATE_SRC_ADDR_IPV4
		typ = 225
	case typ == 40002: // NF_F_XLATE_DST_ADDR_IPV4
		typ = 226
	case typ == 40003: // NF_F_XLATE_SRC_PORT
		typ = 227
	case typ == 40004: // NF_F_XLATE_DST_PORT
		typ = 228
	case typ == 40005: // NF_F_FW_EVENT
		typ = 233
	case typ == 56701 || typ == 56702: // App-ID, User-ID
		return column.IE{PEN: 25461, ID: typ}
	case typ > nprobe && typ < nprobe+1024:
		return column.IE{PEN: 35632, ID: typ - nprobe}
	}
	return column.IE{ID: typ}
}

// templateSet decodes a set of templates or of options templates.
//
//	template, v9 and IPFIX:    0 id   2 field count                                  4 fields
//	options template, v9:      0 id   2 scope length    4 option length (in bytes)   6 fields
//	options template, IPFIX:   0 id   2 field count     4 scope field count          6 fields
func (d *Decoder) templateSet(p []byte, options bool) {
	for len(p) >= 4 && !allZero(p) {
		t := &template{version: d.version, options: options}
		t.id = binary.BigEndian.Uint16(p)
		count := int(binary.BigEndian.Uint16(p[2:]))
		if count == 0 && d.version == 10 && t.id >= 2 {
			// A withdrawal. Over UDP it must not be sent and is ignored, since datagrams may arrive in
			// another order than sent (RFC 7011 §8.4).
			d.state.counters.Templates.Add(1)
			d.noteTemplate(t)
			p = p[4:]
			continue
		}
		if t.id < firstData {
			d.refuse(BadTemplate)
			return
		}
		fields := p[4:]
		if options {
			if len(p) < 6 {
				d.refuse(BadTemplate)
				return
			}
			scopes := int(binary.BigEndian.Uint16(p[4:]))
			fields = p[6:]
			if d.version == 9 {
				if count%4 != 0 || scopes%4 != 0 {
					d.refuse(BadTemplate)
					return
				}
				count, scopes = (count+scopes)/4, count/4
			}
			if scopes > count {
				d.refuse(BadTemplate)
				return
			}
			t.scopes = uint16(min(scopes, maxFields))
		}
		size, least := 0, 0
		for i := 0; i < count; i++ {
			e, n := readElement(fields[size:], d.version)
			if n == 0 {
				d.refuse(BadTemplate) // ends inside a field, so nothing after it can be found
				return
			}
			size += n
			least += e.least()
		}
		p = fields[size:]
		if count > maxFields || least == 0 || least > 65535 {
			d.refuse(BadTemplate)
			continue
		}
		t.spec = string(fields[:size])
		d.state.counters.Templates.Add(1)
		d.noteTemplate(t)
		if d.setTemplate(t) {
			d.release(t.id)
		}
	}
}

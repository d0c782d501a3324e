package netflow

import (
	"encoding/binary"

	"netmeta/column"
	"netmeta/source"
)

// NetFlow v5 has no templates, but its record can be written as one.
//
//	header, 24 bytes                         record, 48 bytes
//	 0 version 5       12 nanoseconds         0 srcaddr      20 octets      38 protocol
//	 2 count           16 flow sequence       4 dstaddr      24 first       39 tos
//	 4 SysUptime ms    20 engine type, id     8 next hop     28 last        40 src AS, dst AS
//	 8 Unix seconds    22 sampling: 2 bits   12 in, out if   32 src, dst    44 src, dst mask
//	                      mode, 14 rate      16 packets         port        46 pad
const (
	header5 = 24
	record5 = 48
)

var plan5 = compile([]element{
	iana(8, 4), iana(12, 4), iana(15, 4), iana(10, 2), iana(14, 2), iana(2, 4), iana(1, 4),
	iana(22, 4), iana(21, 4), iana(7, 2), iana(11, 2), iana(210, 1), iana(6, 1), iana(4, 1),
	iana(5, 1), iana(16, 2), iana(17, 2), iana(9, 1), iana(13, 1), iana(210, 2),
})

func iana(id, length uint16) element { return element{column.IE{ID: id}, length} }

func (d *Decoder) decode5(p []byte) {
	if len(p) < header5 {
		d.short()
		return
	}
	count := int(binary.BigEndian.Uint16(p[2:]))
	d.uptime, d.hasUptime = binary.BigEndian.Uint32(p[4:]), true
	d.exported = int64(binary.BigEndian.Uint32(p[8:]))*1000 + int64(binary.BigEndian.Uint32(p[12:]))/1e6
	d.sequence = binary.BigEndian.Uint32(p[16:])
	d.domain = uint32(binary.BigEndian.Uint16(p[20:]))
	d.open()
	d.headerRate = uint32(binary.BigEndian.Uint16(p[22:]) & 0x3fff)

	body := p[header5:]
	if whole := len(body) / record5; count != whole || len(body)%record5 > 3 {
		d.refuse(source.BadCount)
		count = min(count, whole)
	}
	d.records = uint32(count)
	if d.draw.Skip {
		d.thinned = d.records
	} else {
		d.fixed(plan5, body[:count*record5])
	}
	d.follow(numbering5)
}

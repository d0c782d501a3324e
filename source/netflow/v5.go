package netflow

import (
	"encoding/binary"

	"netmeta/column"
	"netmeta/source"
)

// NetFlow v5 has no templates, but its record can be described by one.
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

// padding5 is the number of bytes that may follow the last record.
const padding5 = 3

func (d *Decoder) decode5(p []byte) {
	if len(p) < header5 {
		d.unread(source.ShortDatagram)
		return
	}
	body := p[header5:]
	count, agrees, ok := count5(int(binary.BigEndian.Uint16(p[2:])), len(body))
	if !ok {
		d.unread(source.BadCount)
		return
	}
	body = body[:count*record5]
	nanoseconds := binary.BigEndian.Uint32(p[12:])
	if nanoseconds >= 1e9 || !plausible5(body) {
		d.unread(Implausible)
		return
	}
	d.uptime, d.hasUptime = binary.BigEndian.Uint32(p[4:]), true
	d.exported = int64(binary.BigEndian.Uint32(p[8:]))*1000 + int64(nanoseconds)/1e6
	d.sequence = binary.BigEndian.Uint32(p[16:])
	d.domain = uint32(binary.BigEndian.Uint16(p[20:]))
	d.open()
	d.headerRate = uint32(binary.BigEndian.Uint16(p[22:]) & 0x3fff)

	if !agrees {
		d.refuse(source.BadCount)
	}
	d.records = uint32(count)
	if d.thin.Skip {
		d.thinned = d.records
	} else {
		d.fixed(plan5, body)
	}
	d.follow(numbering5)
}

// count5 returns the number of records to read from a body, given the number in the header. agrees is false
// if the two differ; count is then what fits. ok is false if neither can be right.
func count5(said, length int) (count int, agrees, ok bool) {
	const most = 30 // per datagram, by the format
	whole, rest := length/record5, length%record5
	switch {
	case said == whole && rest <= padding5:
		return said, true, true
	case said <= most:
		return min(said, whole), false, true // truncated, or followed by something else
	case whole <= most && rest <= padding5:
		return whole, false, true // the header is wrong, the length is right
	}
	return 0, false, false
}

// plausible5 reports that at least half of the records have prefixes of at most 32 bits. One in sixty of
// random records has.
func plausible5(records []byte) bool {
	const source, destination, bits = 44, 45, 32
	wrong := 0
	for r := records; len(r) > 0; r = r[record5:] {
		if r[source] > bits || r[destination] > bits {
			wrong++
		}
	}
	return wrong*2*record5 <= len(records)
}

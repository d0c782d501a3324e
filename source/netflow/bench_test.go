package netflow

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/source"
)

// arrival is when datagrams of tests arrive.
var arrival = time.UnixMilli(1_750_000_000_123)

var router = netip.MustParseAddrPort("192.0.2.1:40000")

// common is the record of 20 fields that most routers send, 55 bytes.
var common = []element{
	iana(8, 4), iana(12, 4), iana(15, 4), iana(10, 4), iana(14, 4), iana(2, 4), iana(1, 4),
	iana(22, 4), iana(21, 4), iana(7, 2), iana(11, 2), iana(6, 1), iana(4, 1), iana(5, 1),
	iana(16, 4), iana(17, 4), iana(9, 1), iana(13, 1), iana(61, 1), iana(89, 1),
}

// commonIPFIX is the same with times as IPFIX exporters send them, in seconds
// so that the length is the same.
func commonIPFIX() []element {
	list := append([]element(nil), common...)
	list[7], list[8] = iana(150, 4), iana(151, 4)
	return list
}

// datagram builds a message.
type datagram struct {
	version  uint16
	port     uint16
	domain   uint32
	sequence uint32
	body     []byte
}

func (m datagram) bytes() (p []byte) {
	secs := uint32(arrival.Unix())
	p = binary.BigEndian.AppendUint16(p, m.version)
	if m.version == 9 {
		p = binary.BigEndian.AppendUint16(p, 1)
		p = binary.BigEndian.AppendUint32(p, 1_000_000) // SysUptime
	} else {
		p = binary.BigEndian.AppendUint16(p, uint16(16+len(m.body)))
	}
	p = binary.BigEndian.AppendUint32(p, secs)
	p = binary.BigEndian.AppendUint32(p, m.sequence)
	p = binary.BigEndian.AppendUint32(p, m.domain)
	return append(p, m.body...)
}

func (m datagram) decode(d *Decoder, b *column.Batch) {
	from := router
	if m.port != 0 {
		from = netip.AddrPortFrom(router.Addr(), m.port)
	}
	d.Decode(&source.Datagram{Payload: m.bytes(), Exporter: from, Received: arrival}, into(b, b.Reset))
}

func set16(id uint16, body ...byte) (p []byte) {
	p = binary.BigEndian.AppendUint16(p, id)
	p = binary.BigEndian.AppendUint16(p, uint16(4+len(body)))
	return append(p, body...)
}

func appendElements(p []byte, list []element) []byte {
	for _, e := range list {
		if e.PEN == 0 {
			p = binary.BigEndian.AppendUint16(p, e.ID)
			p = binary.BigEndian.AppendUint16(p, e.length)
			continue
		}
		p = binary.BigEndian.AppendUint16(p, e.ID|0x8000)
		p = binary.BigEndian.AppendUint16(p, e.length)
		p = binary.BigEndian.AppendUint32(p, e.PEN)
	}
	return p
}

// templateOf is a set with one template.
func templateOf(version, id uint16, list ...element) []byte {
	p := binary.BigEndian.AppendUint16(nil, id)
	p = binary.BigEndian.AppendUint16(p, uint16(len(list)))
	setID := uint16(templates9)
	if version == 10 {
		setID = templates10
	}
	return set16(setID, appendElements(p, list)...)
}

// optionsOf is a set with one options template.
func optionsOf(version, id uint16, scopes int, list ...element) []byte {
	p := binary.BigEndian.AppendUint16(nil, id)
	if version == 9 {
		p = binary.BigEndian.AppendUint16(p, uint16(4*scopes))
		p = binary.BigEndian.AppendUint16(p, uint16(4*(len(list)-scopes)))
		return set16(options9, appendElements(p, list)...)
	}
	p = binary.BigEndian.AppendUint16(p, uint16(len(list)))
	p = binary.BigEndian.AppendUint16(p, uint16(scopes))
	return set16(options10, appendElements(p, list)...)
}

// benchmarkDatagram is a datagram of 24 common records, and the one with its
// template.
func benchmarkDatagram(version uint16) (template, data []byte, flows int) {
	const n = 24
	list := common
	if version == 10 {
		list = commonIPFIX()
	}
	var body []byte
	for i := range n {
		for _, e := range list {
			v := uint64(i*7 + 1)
			switch e.ID {
			case 8, 12, 15:
				v = 0x0a000000 + uint64(i*1234567%65536)
			case 22, 21:
				v = 990_000 + uint64(i)
			case 150, 151:
				v = uint64(arrival.Unix()) - 5
			case 4:
				v = 6
			case 61:
				v = uint64(i & 1)
			}
			var p [8]byte
			binary.BigEndian.PutUint64(p[:], v)
			body = append(body, p[8-e.length:]...)
		}
	}
	template = datagram{version: version, body: templateOf(version, 256, list...)}.bytes()
	return template, datagram{version: version, body: set16(256, body...)}.bytes(), n
}

func benchmark5() ([]byte, int) {
	const n = 24
	p := make([]byte, header5+n*record5)
	binary.BigEndian.PutUint16(p, 5)
	binary.BigEndian.PutUint16(p[2:], n)
	binary.BigEndian.PutUint32(p[4:], 1_000_000)
	binary.BigEndian.PutUint32(p[8:], uint32(arrival.Unix()))
	binary.BigEndian.PutUint16(p[22:], 1<<14|100)
	for i := range n {
		r := p[header5+i*record5:]
		for j := range r[:record5] {
			r[j] = byte(j*3 + i)
		}
		binary.BigEndian.PutUint32(r[24:], 990_000)
		binary.BigEndian.PutUint32(r[28:], 995_000)
		r[38], r[44], r[45] = 6, 24, 16
	}
	return p, n
}

func BenchmarkDecode20(b *testing.B) {
	run := func(name string, template, data []byte, flows int) {
		b.Run(name, func(b *testing.B) {
			d := New(Options{}).Decoder()
			batch := flow.Table.NewBatch(8192)
			out := into(batch, batch.Reset)
			dg := source.Datagram{Exporter: router, Received: arrival}
			if dg.Payload = template; template != nil {
				d.Decode(&dg, out)
			}
			dg.Payload = data
			d.Decode(&dg, out)
			if batch.Len() != flows {
				b.Fatal(batch.Len(), "flows")
			}
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				d.Decode(&dg, out)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*flows), "ns/flow")
		})
	}
	p5, n5 := benchmark5()
	run("netflow5", nil, p5, n5)
	t9, p9, n9 := benchmarkDatagram(9)
	run("netflow9", t9, p9, n9)
	t10, p10, n10 := benchmarkDatagram(10)
	run("ipfix", t10, p10, n10)
}

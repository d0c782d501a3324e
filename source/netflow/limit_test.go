package netflow

import (
	"encoding/binary"
	"math"
	"net/netip"
	"testing"
	"time"

	"netmeta/flow"
	"netmeta/source"
)

// Of an exporter that is over its limit a part is kept, with a sampling rate that
// makes up for the rest: of each of its own rates. Everything else in what is left out is
// read, so nothing counts as lost. Records of totals are all kept: each has what the one
// before had.
func TestThinning(t *testing.T) {
	const seconds, messages, perMessage = 8, 200, 20 // a second
	const limit = 500
	fixed := []element{iana(1, 4), iana(34, 4)}
	for _, c := range []struct {
		what    string
		version uint16
		list    []element
		all     bool
	}{
		{"v9", 9, fixed, false},
		{"IPFIX", 10, fixed, false},
		{"IPFIX, variable length", 10, []element{iana(1, 4), iana(34, 4), iana(82, variable)}, false},
		{"IPFIX, totals", 10, []element{iana(85, 4), iana(34, 4), iana(152, 8)}, true},
	} {
		exporters := new(source.Exporters)
		exporters.Limit(func(netip.Addr) uint64 { return limit })
		state := New(Options{Exporters: exporters})
		d := state.Decoder()
		b := flow.Table.NewBatch(1000)
		var rows, scaled [2]float64 // of each of the two rates
		flush := func() {
			for row := range b.Len() {
				rate, marked := flow.SamplingRate.At(b, row), flow.Quality.At(b, row)&flow.Thinned != 0
				of := 0
				if flow.Bytes.At(b, row)%2 == 1 {
					of = 1
				}
				if own := []uint32{10, 1000}[of]; rate%own != 0 || marked == c.all && rate != own || !marked && rate != own {
					t.Fatalf("%s: rate %d of an exporter that samples 1 of %d, marked: %v", c.what, rate, own, marked)
				}
				rows[of]++
				scaled[of] += float64(rate)
			}
			b.Reset()
		}
		sequence := uint32(0)
		send := func(second int, body []byte, units uint32) {
			m := datagram{version: c.version, sequence: sequence, body: body}
			d.Decode(&source.Datagram{Payload: m.bytes(), Exporter: router, Received: arrival.Add(time.Duration(second) * time.Second)}, into(b, flush))
			if sequence++; c.version == 10 {
				sequence += units - 1
			}
		}
		sequence-- // a datagram without records
		if c.version == 9 {
			sequence++
		}
		send(0, templateOf(c.version, 300, c.list...), 0)
		if c.version == 10 {
			sequence = 0
		}
		n := uint32(0)
		for second := range seconds {
			for range messages {
				var body []byte
				for range perMessage {
					n++
					body = binary.BigEndian.AppendUint32(body, n)
					body = binary.BigEndian.AppendUint32(body, []uint32{10, 1000}[n%2])
					for _, e := range c.list[2:] {
						if e.length == variable {
							body = append(body, 3, 'e', 't', 'h')
						} else {
							body = binary.BigEndian.AppendUint64(body, uint64(n))
						}
					}
				}
				send(second, set16(300, body...), perMessage)
			}
		}
		flush()
		state.Settle()
		counts := state.Counters()
		x, _ := exporters.Of(router.Addr(), map[uint16]uint8{9: flow.TypeNetFlow9, 10: flow.TypeIPFIX}[c.version])
		const sent = seconds * messages * perMessage
		if got := uint64(rows[0]+rows[1]) + x.Thinned.Load(); got != sent || x.Records.Load() != sent || counts.Thinned.Load() != x.Thinned.Load() {
			t.Errorf("%s: %v rows, %d thinned, %d records, sent %d", c.what, rows, x.Thinned.Load(), x.Records.Load(), sent)
		}
		if counts.Lost.Load() != 0 || x.Refused.Load() != 0 && !c.all { // of totals only so many flows are remembered
			t.Errorf("%s: %d lost, %d refused", c.what, counts.Lost.Load(), x.Refused.Load())
		}
		if r := x.SamplingRate.Load(); r != 10 && r != 1000 {
			t.Errorf("%s: the exporter's own rate is said to be %d", c.what, r)
		}
		if c.all {
			if x.Thinned.Load() != 0 {
				t.Errorf("%s: %d records thinned", c.what, x.Thinned.Load())
			}
			continue
		}
		if kept := rows[0] + rows[1]; kept > 1.6*limit*seconds+limit*3 {
			t.Errorf("%s: %.0f rows in %d s, the limit is %d a second", c.what, kept, seconds, limit)
		}
		// Of m messages of which one in k is drawn, the deviation of the sum is √(m·k).
		const k = messages * perMessage / limit
		for i, own := range []float64{10, 1000} {
			want := sent / 2 * own
			if off, sigma := math.Abs(scaled[i]-want), own*perMessage/2*math.Sqrt(seconds*messages*k); off > 4*sigma {
				t.Errorf("%s: at a rate of %.0f %.0f scaled, sent %.0f: off by %.1f deviations", c.what, own, scaled[i], want, off/sigma)
			}
		}
	}
}

// Options data and templates in a datagram that is left out are read.
func TestThinningReadsOptions(t *testing.T) {
	exporters := new(source.Exporters)
	exporters.Limit(func(netip.Addr) uint64 { return 1 })
	state := New(Options{Exporters: exporters})
	d, b := state.Decoder(), flow.Table.NewBatch(1000)
	x, _ := exporters.Of(router.Addr(), flow.TypeIPFIX)
	rows := func(body []byte) int {
		datagram{version: 10, body: body}.decode(d, b)
		return b.Len()
	}
	data := make([]byte, 40)
	rows(append(templateOf(10, 300, iana(1, 4)), set16(300, data...)...))
	for x.Thinned.Load() == 0 { // until one is left out
		before := b.Len()
		options := append(optionsOf(10, 301, 1, iana(143, 4), iana(34, 4)), set16(301, 0, 0, 0, 1, 0, 0, 0, 77)...)
		if rows(append(options, set16(300, data...)...)) == before && x.Options.Load() == 0 {
			t.Error("options data were not read")
		}
	}
	if list := state.Samplings(); len(list) != 1 || list[0].Rate != 77 {
		t.Errorf("sampling rates %+v", list)
	}
}

func BenchmarkSkip(b *testing.B) {
	exporters := new(source.Exporters)
	exporters.Limit(func(netip.Addr) uint64 { return 1 })
	d, batch := New(Options{Exporters: exporters}).Decoder(), flow.Table.NewBatch(8192)
	template, data, flows := benchmarkDatagram(9)
	dg := source.Datagram{Payload: template, Exporter: router, Received: arrival}
	out := into(batch, batch.Reset)
	d.Decode(&dg, out)
	dg.Payload = data
	for b.Loop() {
		d.Decode(&dg, out)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*flows), "ns/flow")
}

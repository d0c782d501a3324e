package sflow

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"netmeta/flow"
	"netmeta/source"
)

// A sample of a frame of 4 GiB, and one with an implausible rate, are marked and kept.
func TestImplausible(t *testing.T) {
	state := New(Options{Exporters: new(source.Exporters)})
	d, b := state.Decoder(), flow.Table.NewBatch(10)
	word := binary.BigEndian.AppendUint32
	send := func(rate, length uint32) {
		header := make([]byte, 16)
		record := word(word(word(word(nil, 1), length), 0), uint32(len(header)))
		record = append(record, header...)
		sample := word(word(word(word(nil, 1), 7), rate), 1000)
		sample = word(word(word(word(sample, 0), 1), 2), 1)
		sample = append(word(word(sample, 1), uint32(len(record))), record...)
		p := word(word(word(nil, 5), 1), 0xc0000201)
		p = word(word(word(word(p, 0), 1), 1000), 1)
		p = append(word(word(p, 1), uint32(len(sample))), sample...)
		d.Decode(&source.Datagram{Payload: p, Exporter: netip.MustParseAddrPort("192.0.2.1:1"), Received: time.Unix(1_750_000_000, 0)}, into(b, b.Reset))
	}
	send(1000, 1518)
	send(1000, 1<<32-1)
	send(1<<32-1, 64)
	if b.Len() != 3 {
		t.Fatalf("%d rows", b.Len())
	}
	for row, want := range []bool{false, true, true} {
		if got := flow.Quality.At(b, row)&flow.Implausible != 0; got != want {
			t.Errorf("row %d with %d bytes at 1 in %d: marked %v", row, flow.Bytes.At(b, row), flow.SamplingRate.At(b, row), got)
		}
	}
	if n := state.Counters().Implausible.Load(); n != 2 {
		t.Errorf("%d counted", n)
	}
}

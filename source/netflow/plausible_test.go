package netflow

import (
	"testing"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/source"
)

// Records that no network has carried are kept as they are and marked, each direction of a
// biflow by itself; they are counted, of their exporter too.
func TestImplausible(t *testing.T) {
	back := func(id, length uint16) element { return element{column.IE{PEN: reversePEN, ID: id}, length} }
	list := []element{iana(1, 8), iana(2, 8), iana(34, 4), back(1, 8), back(2, 8)}
	exporters := new(source.Exporters)
	state := New(Options{Exporters: exporters})
	d, b := state.Decoder(), flow.Table.NewBatch(100)
	body := templateOf(10, 300, list...)
	for _, r := range [][]uint64{
		{1500, 1, 1000, 40, 1},
		{1500, 1 << 58, 1, 40, 1},
		{1500, 1, 1, 1 << 63, 2},
		{1500, 1, 1<<32 - 1, 0, 0},
	} {
		body = append(body, set16(300, be(list, r...)...)...)
	}
	m := datagram{version: 10, body: body}
	d.Decode(&source.Datagram{Payload: m.bytes(), Exporter: router, Received: arrival}, into(b, b.Reset))
	want := []bool{false, false, true, false, false, true, true}
	if b.Len() != len(want) {
		t.Fatalf("%d rows", b.Len())
	}
	for row, marked := range want {
		if got := flow.Quality.At(b, row)&flow.Implausible != 0; got != marked {
			t.Errorf("row %d with %d bytes of %d packets: marked %v", row, flow.Bytes.At(b, row), flow.Packets.At(b, row), got)
		}
	}
	if flow.Packets.At(b, 2) != 1<<58 || flow.Bytes.At(b, 5) != 1<<63 {
		t.Errorf("what was counted was changed: %d, %d", flow.Packets.At(b, 2), flow.Bytes.At(b, 5))
	}
	if n, of := state.Counters().Implausible.Load(), exporters.List()[0].Implausible.Load(); n != 3 || of != n {
		t.Errorf("%d counted, %d of the exporter", n, of)
	}
}

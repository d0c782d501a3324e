package health

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/source"
)

// A row counts what happened since the row before; an exporter that is silent for an
// hour gets none.
func TestMinute(t *testing.T) {
	var list source.Exporters
	r := Recorder{Exporters: &list}
	b := Table.NewBatch(1) // so that it is handed on more than once
	begin := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	a, _ := list.Of(netip.MustParseAddr("192.0.2.1"), flow.TypeIPFIX)
	z, _ := list.Of(netip.MustParseAddr("2001:db8::1"), flow.TypeSFlow)
	f := func(want ...string) {
		t.Helper()
		var got []string
		out := source.NewOut(source.SinkFunc(func(b *column.Batch) {
			for row := range b.Len() {
				got = append(got, string(column.AppendText(nil, b, row)))
			}
		}), b)
		r.Minute(begin, out)
		if err := out.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("rows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	hear := func(x *source.Exporter, datagrams, flows uint64) {
		x.Datagrams.Add(datagrams)
		x.Flows.Add(flows)
		x.LastSeen.Store(begin.UnixNano())
	}
	hear(a, 10, 240)
	a.SamplingRate.Store(1000)
	a.SamplingSource.Store(uint32(flow.SamplingOptions))
	a.Skew(-250)
	hear(z, 1, 7)
	z.Refuse(source.BadLength)
	f("TimeReceived=2026-01-02T03:04:00.000Z ExporterAddress=192.0.2.1 FlowType=ipfix Datagrams=10 Flows=240 SamplingRate=1000 SamplingSource=options ClockSkewMS=-250",
		"TimeReceived=2026-01-02T03:04:00.000Z ExporterAddress=2001:db8::1 FlowType=sflow Datagrams=1 Flows=7 Refused=1")
	begin = begin.Add(time.Minute)
	hear(a, 5, 100)
	f("TimeReceived=2026-01-02T03:05:00.000Z ExporterAddress=192.0.2.1 FlowType=ipfix Datagrams=5 Flows=100 SamplingRate=1000 SamplingSource=options ClockSkewMS=-250",
		"TimeReceived=2026-01-02T03:05:00.000Z ExporterAddress=2001:db8::1 FlowType=sflow")
	begin = begin.Add(2 * time.Hour)
	hear(z, 1, 1)
	f("TimeReceived=2026-01-02T05:05:00.000Z ExporterAddress=2001:db8::1 FlowType=sflow Datagrams=1 Flows=1")

	// One that was forgotten has a row of the rest; the others, which came and went
	// within the minute, have a row together.
	begin = begin.Add(time.Hour)
	hear(a, 3, 30) // then a flood, in which only z sends anything that can be decoded
	z.Records.Store(1)
	a.LastSeen.Store(1)
	for i := uint32(0); !a.Forgotten(); i++ {
		x, _ := list.Of(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), flow.TypeIPFIX)
		x.Datagrams.Add(1)
		x.LastSeen.Store(2)
	}
	list.Of(netip.MustParseAddr("192.0.2.2"), flow.TypeIPFIX) // so that another one is forgotten
	all, others := list.All()
	more := others.Datagrams.Load() - 18        // those of a
	b = Table.NewBatch(source.MaxExporters + 2) // no flush in between
	r.Minute(begin, source.NewOut(source.SinkFunc(func(*column.Batch) { t.Fatal("full") }), b))
	got := map[string]bool{}
	for row := range b.Len() {
		got[string(column.AppendText(nil, b, row))] = true
	}
	for _, want := range []string{
		"TimeReceived=2026-01-02T06:05:00.000Z ExporterAddress=192.0.2.1 FlowType=ipfix Datagrams=3 Flows=30 SamplingRate=1000 SamplingSource=options ClockSkewMS=-250",
		fmt.Sprintf("TimeReceived=2026-01-02T06:05:00.000Z Datagrams=%d", more),
	} {
		if !got[want] {
			t.Errorf("no row %s", want)
		}
	}
	if len(r.last) != len(all) {
		t.Errorf("%d exporters are remembered, %d are in the list", len(r.last), len(all))
	}
	b.Reset()
	a.Current().Datagrams.Add(5) // by who still holds it
	begin = begin.Add(24 * time.Hour)
	f("TimeReceived=2026-01-03T06:05:00.000Z Datagrams=5")

	// Drops of the kernel belong to no exporter.
	dropped := uint64(7)
	r.KernelDropped = func() uint64 { return dropped }
	f("TimeReceived=2026-01-03T06:05:00.000Z KernelDropped=7")
	f()
	dropped, begin = 10, begin.Add(time.Minute)
	f("TimeReceived=2026-01-03T06:06:00.000Z KernelDropped=3")
}

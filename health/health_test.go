package health

import (
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
	b := Table.NewBatch(1) // so that flush is needed
	begin := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	a, _ := list.Of(netip.MustParseAddr("192.0.2.1"), flow.TypeIPFIX)
	z, _ := list.Of(netip.MustParseAddr("2001:db8::1"), flow.TypeSFlow)
	f := func(want ...string) {
		t.Helper()
		var got []string
		flush := func() {
			for row := range b.Len() {
				got = append(got, string(column.AppendText(nil, b, row)))
			}
			b.Reset()
		}
		r.Minute(begin, b, flush)
		flush()
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
}

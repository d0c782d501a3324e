package health

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/source"
)

// The course has whole minutes alone, at most an hour of them, also those without flows.
func TestCourse(t *testing.T) {
	var list source.Exporters
	r := Recorder{Exporters: &list}
	b := Table.NewBatch(source.MaxExporters + 2)
	out := source.NewOut(source.SinkFunc(func(*column.Batch) {}), b)
	begin := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	x, _ := list.Of(netip.MustParseAddr("192.0.2.1"), flow.TypeIPFIX)
	minute := func(flows uint64) {
		x.Flows.Add(flows)
		x.LastSeen.Store(begin.UnixNano())
		r.Minute(begin, out)
		b.Reset()
		begin = begin.Add(time.Minute)
	}
	if minute(7); r.Course(x) != nil {
		t.Errorf("%v: the first minute is not a whole one", r.Course(x))
	}
	minute(10)
	minute(0)
	minute(1 << 40)
	if got := r.Course(x); !slices.Equal(got, []uint64{10, 0, 1<<32 - 1}) {
		t.Error(got)
	}
	for i := range uint64(70) {
		minute(i)
	}
	if got := r.Course(x); len(got) != 60 || got[0] != 10 || got[59] != 69 {
		t.Errorf("%d minutes: %v", len(got), got)
	}
	for i := uint32(0); !x.Forgotten(); i++ {
		other, _ := list.Of(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), flow.TypeIPFIX)
		other.Records.Store(1)
		other.LastSeen.Store(begin.UnixNano())
		other.Datagrams.Store(1 << 20)
		x.Records.Store(0)
		x.LastSeen.Store(1)
	}
	if minute(0); r.Course(x) != nil {
		t.Error("the course of a forgotten exporter is kept")
	}
}

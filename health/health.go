// Package health records the health of exporters in the exporters table. An exporter has a
// row for each minute in which it sent something, and for an hour after. A row holds the
// datagrams and records of the minute, losses, and the quality of the data.
package health

import (
	"maps"
	"sync/atomic"
	"time"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/source"
)

// Table is the exporters table. Order here is order in ClickHouse.
var Table = column.Table{
	Name:      "exporters",
	Partition: "toYYYYMM(TimeReceived)",
	Order:     "ExporterAddress, FlowType, TimeReceived",
}

func count(name, title, doc string) column.U64 {
	return Table.U64(column.Field{Name: name, Title: title, Group: "health", Role: column.Measure, Doc: doc})
}

func state(name, title, doc string) column.U32 {
	return Table.U32(column.Field{Name: name, Title: title, Group: "health", Role: column.Mark, Doc: doc})
}

// The fields. Counts are of the minute.
var (
	TimeReceived = Table.Time(column.Field{Name: "TimeReceived", Title: "minute", Group: "record", Role: column.Mark,
		Doc:   "Start of the minute, in seconds.",
		Codec: "DoubleDelta, ZSTD(1)"})
	ExporterAddress = Table.IP(column.Field{Name: "ExporterAddress", Title: "exporter address", Filter: "exporter", Group: "exporter",
		Doc: "Address of the exporter, or the agent address of sFlow; :: is the sum of all exporters that are not in the list."})
	FlowType = Table.Enum(column.Field{Name: "FlowType", Title: "record type", Filter: "type", Group: "record",
		Enum: flow.FlowType.Field.Enum,
		Doc:  "Protocol of its records."})

	Datagrams   = count("Datagrams", "datagrams", "Datagrams received.")
	Records     = count("Records", "records", "Data records or samples decoded.")
	Flows       = count("Flows", "flows", "Rows of the flows table made from them.")
	Thinned     = count("Thinned", "thinned", "Data records dropped because the exporter exceeds its limit; the sampling rate of the others compensates.")
	Implausible = count("Implausible", "implausible", "Rows with the quality bit implausible: no network carries that much.")
	Options     = count("Options", "options", "Options data records.")
	Lost        = count("Lost", "lost", "Datagrams (NetFlow v9, sFlow) or flow records (NetFlow v5, IPFIX) lost by sequence number.")
	Reordered   = count("Reordered", "reordered", "Datagrams received after a later one.")
	Restarts    = count("Restarts", "restarts", "Restarts of the exporter.")
	Refused     = count("Refused", "refused", "Datagrams, sets and records that were not decoded, for any reason.")
	Dropped     = count("Dropped", "dropped", "Data sets dropped because their template did not arrive.")

	KernelDropped = count("KernelDropped", "dropped by the kernel", "Datagrams that the kernel dropped because a receive buffer was full. Their exporters are unknown, so only the row of :: counts them; each exporter counts its own as Lost.")

	Waiting      = state("Waiting", "waiting", "Data sets waiting for their template at the end of the minute.")
	Templates    = state("Templates", "templates", "Templates known at the end of the minute.")
	SamplingRate = state("SamplingRate", "sampling rate", "Sampling rate of the last record; 1 if unknown.")

	SamplingSource = Table.Enum(column.Field{Name: "SamplingSource", Title: "sampling source", Group: "health", Role: column.Mark,
		Enum: flow.SamplingSource.Field.Enum,
		Doc:  "Source of that rate."})
	ClockSkewMS = Table.I64(column.Field{Name: "ClockSkewMS", Title: "clock skew", Group: "health", Role: column.Mark, Unit: column.Millisecond,
		Doc: "Time by which the exporter's clock is ahead, a moving average."})
	ResolutionMS = Table.U64(column.Field{Name: "ResolutionMS", Title: "resolution", Group: "health", Role: column.Mark, Unit: column.Millisecond,
		Doc: "Median duration of the records since the start of NetMeta; charts cannot be more precise than this."})
)

// silence is how long a silent exporter still gets rows, which show that it is silent.
const silence = time.Hour

// A Recorder makes the rows of the exporters of one list. It belongs to one goroutine,
// apart from Course.
type Recorder struct {
	Exporters     *source.Exporters
	KernelDropped func() uint64 // at all sockets since the start; nil: there are none

	courses courses
	last    map[*source.Exporter]counts
	others  counts
	kernel  uint64
}

// counts holds the counts of Table for a minute, in the order of counters.
type counts [11]uint64

// flowCount is the index of Flows in counts.
const flowCount = 2

var counters = [len(counts{})]column.U64{Datagrams, Records, Flows, Thinned, Implausible, Options, Lost, Reordered, Restarts, Refused, Dropped}

func countsOf(x *source.Exporter) (c counts) {
	for i, n := range []*atomic.Uint64{&x.Datagrams, &x.Records, &x.Flows, &x.Thinned, &x.Implausible, &x.Options, &x.Lost, &x.Reordered, &x.Restarts, &x.Refused, &x.Dropped} {
		c[i] = n.Load()
	}
	return c
}

func (c counts) plus(o counts) counts {
	for i := range c {
		c[i] += o[i]
	}
	return c
}

// minus is at least 0, because a last datagram of an exporter that is being evicted may be
// counted in between.
func (c counts) minus(o counts) counts {
	for i := range c {
		c[i] -= min(c[i], o[i])
	}
	return c
}

// Minute gives out a row for each exporter with what it did since the last call. What was heard of exporters that are no longer in
// the list, or never were, is in a row of the address ::.
func (r *Recorder) Minute(begin time.Time, out *source.Out) {
	if r.last == nil {
		r.last = map[*source.Exporter]counts{}
	}
	row := func(x *source.Exporter, c counts, kernel uint64) {
		b := out.Batch(&Table, 1)
		row := b.Add()
		TimeReceived.Set(b, row, uint32(begin.Unix()))
		if x.Address.IsValid() {
			ExporterAddress.Set(b, row, column.AddrFrom(x.Address))
		}
		FlowType.Set(b, row, x.Type)
		for i, h := range counters {
			h.Set(b, row, c[i])
		}
		Waiting.Set(b, row, uint32(max(x.Waiting.Load(), 0)))
		Templates.Set(b, row, uint32(max(x.Templates.Load(), 0)))
		SamplingRate.Set(b, row, x.SamplingRate.Load())
		SamplingSource.Set(b, row, uint8(x.SamplingSource.Load()))
		ClockSkewMS.Set(b, row, uint64(x.ClockSkewMS()))
		ResolutionMS.Set(b, row, x.MedianDurationMS())
		if kernel > 0 {
			KernelDropped.Set(b, row, kernel)
		}
	}
	list, others := r.Exporters.All()
	left := maps.Clone(r.last) // of the exporters in the list
	for _, x := range list {
		delete(left, x)
		now := countsOf(x)
		was, seen := r.last[x]
		r.last[x] = now
		if seen { // otherwise the minute is incomplete
			r.courses.add(x, now[flowCount]-was[flowCount])
		}
		if now != was || begin.Sub(time.Unix(0, x.LastSeen.Load())) <= silence {
			row(x, now.minus(was), 0)
		}
	}
	// The rest of an evicted exporter; the sum of the others includes all of it.
	now := countsOf(others)
	was := r.others
	r.others = now
	for x, had := range left {
		all := countsOf(x)
		if all != had {
			row(x, all.minus(had), 0)
		}
		was = was.plus(all)
		delete(r.last, x)
		r.courses.drop(x)
	}
	dropped := r.kernel
	if r.KernelDropped != nil {
		r.kernel = r.KernelDropped()
	}
	if dropped = r.kernel - dropped; now != was || dropped > 0 {
		row(others, now.minus(was), dropped)
	}
}

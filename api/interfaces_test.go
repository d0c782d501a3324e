package api

import (
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"slices"
	"testing"

	"netmeta/column"
	"netmeta/counter"
	"netmeta/flow"
	"netmeta/internal/enginetest"
	"netmeta/native"
	"netmeta/query"
	"netmeta/store"
)

// put stores a batch of a table.
func put(t testing.TB, w *store.Client, b *column.Batch) {
	t.Helper()
	var e native.Encoder
	block := e.Encode(b)
	schemas := []store.Schema{{Table: &flow.Table, RollupDays: map[int64]int{60: 0, 3600: 0}}, {Table: &counter.Table}}
	s, _ := empty(t)
	spool, err := store.OpenSpool(t.TempDir(), store.DiskShare{}, []*column.Table{&flow.Table, &counter.Table}, s.Log)
	if err != nil {
		t.Fatal(err)
	}
	defer spool.Close()
	queue := make(chan native.Block, 1)
	queue <- block
	close(queue)
	if err := (&store.Writer{Inserter: store.NewTables(w, schemas, s.Log), Tables: []*column.Table{&flow.Table, &counter.Table}, Spool: spool, Log: s.Log}).Run(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
}

var linkExporter = column.AddrFrom4([4]byte{203, 0, 113, 1})

// linked is a server with an hour of one exporter. Interface 1 receives 600 kB of layer 2
// a minute, half of it sampled 1:10 and half 1:100, and 6 MB in its 30th minute, and sends
// it all to interface 2. Its counters, read every 20 s, count just this and restart in
// the 40th minute; those of interface 2 count half. Interface 3 has counters alone.
func linked(t testing.TB) (*Server, *store.Client, int64) {
	t.Helper()
	s, w := empty(t)
	start := s.now().Unix()/3600*3600 - 3600
	flows, counters := flow.Table.NewBatch(1000), counter.Table.NewBatch(1000)
	var octets uint64
	for second := int64(0); second < 3600; second += 20 {
		minute := second / 60
		many := uint64(1)
		if minute == 30 {
			many = 10
		}
		for i, rate := range []uint32{10, 100} {
			// 100,000 octets of layer 2 in packets of 1,000, of which sFlow counts all and IPFIX
			// leaves out header and check sequence.
			packets := []uint64{10, 1}[i] * many
			row := flows.Add()
			flow.TimeReceived.Set(flows, row, uint32(start+second))
			flow.ExporterAddress.Set(flows, row, linkExporter)
			flow.SamplingRate.Set(flows, row, rate)
			flow.Packets.Set(flows, row, packets)
			flow.FlowType.Set(flows, row, []uint8{flow.TypeIPFIX, flow.TypeSFlow}[i])
			flow.Bytes.Set(flows, row, packets*[]uint64{982, 1000}[i])
			flow.InIf.Set(flows, row, 1)
			flow.OutIf.Set(flows, row, 2)
			flow.InIfName.Set(flows, row, column.LabelOf("et-0/0/1"))
			flow.InIfDescription.Set(flows, row, column.LabelOf("TRANSIT"))
			flow.ExporterName.Set(flows, row, column.LabelOf("core1"))
			flow.InIfBoundary.Set(flows, row, 1)
			flow.OutIfSpeed.Set(flows, row, 1_000_000)
		}
		octets += 200_000 * many
		if second == 2400 {
			octets = 100 // the device has restarted
		}
		for _, index := range []uint32{1, 2, 3} {
			row := counters.Add()
			counter.TimeReceived.Set(counters, row, uint32(start+second))
			counter.ExporterAddress.Set(counters, row, linkExporter)
			counter.SourceClass.Set(counters, row, counter.ClassInterface)
			counter.IfIndex.Set(counters, row, index)
			counter.Records.Set(counters, row, counter.HasInterface)
			counter.SequenceNum.Set(counters, row, uint32(second/20))
			switch index {
			case 1:
				counter.IfSpeed.Set(counters, row, 160_000)
				counter.IfStatus.Set(counters, row, counter.AdminUp|counter.OperUp)
				counter.InOctets.Set(counters, row, octets)
				counter.InErrors.Set(counters, row, (1<<32-100+uint64(second/20)*40)&(1<<32-1)) // wraps
			case 2:
				counter.OutOctets.Set(counters, row, octets/2)
			case 3:
				counter.IfName.Set(counters, row, column.LabelOf("spare"))
			}
		}
	}
	row := flows.Add() // in by no interface, out into the device
	flow.TimeReceived.Set(flows, row, uint32(start+10))
	flow.ExporterAddress.Set(flows, row, linkExporter)
	flow.SamplingRate.Set(flows, row, 1)
	flow.Packets.Set(flows, row, 100)
	flow.Bytes.Set(flows, row, 98_200)
	flow.OutIf.Set(flows, row, 0x3FFFFFFF)
	put(t, w, flows)
	put(t, w, counters)
	return s, w, start
}

func near(a, b, by float64) bool { return math.Abs(a-b) <= by*math.Abs(b) }

func TestInterfaces(t *testing.T) {
	s, w, start := linked(t)
	target := fmt.Sprintf("/api/v1/interfaces?from=%d&to=%d", start, start+3600)
	f := func(h http.Handler) Interfaces {
		t.Helper()
		var got Interfaces
		ask(t, h, "GET", target, "", http.StatusOK, &got)
		if got.From != start || got.To != start+3600 || got.Step != 60 || got.More != 0 || len(got.Interfaces) != 3 {
			t.Fatalf("%+v", got)
		}
		one, two, three := got.Interfaces[0], got.Interfaces[1], got.Interfaces[2]
		if one.Exporter != "203.0.113.1" || one.Index != 1 || one.Interface != "et-0/0/1" || one.Description != "TRANSIT" || one.Boundary != "external" || one.Speed != 160_000 || one.Status == nil || *one.Status != 3 {
			t.Errorf("%+v", one)
		}
		if two.Index != 2 || two.Interface != "" || two.Boundary != "" || two.Speed != 1_000_000 || two.In.Avg != 0 || two.In.Coverage != nil || two.In.Error != nil {
			t.Errorf("%+v", two)
		}
		if three.Index != 3 || three.Name != "core1" || three.Interface != "spare" || three.Out.Avg != 0 || len(three.In.Course) != 60 || three.Speed != 0 || three.In.UseP95 != nil {
			t.Errorf("%+v", three)
		}
		// 59 minutes with 600,000 octets and one with ten times as many.
		for _, side := range []query.LinkSide{one.In, two.Out} {
			if !near(side.Avg, 69*600_000*8/3600., 1e-9) || side.P95 != 80_000 || side.Max != 800_000 || side.Last != 80_000 || len(side.Course) != 60 || side.Course[0] != 80_000 || side.Course[30] != 800_000 {
				t.Errorf("%+v", side)
			}
			// Σ packets·rate·(rate−1) is 207 × (10·10·9 + 100·99), of 207 × 200 packets.
			if side.Error == nil || !near(*side.Error, 1.96*math.Sqrt(207*(900+9900))/(207*200), 1e-9) {
				t.Errorf("error %v", side.Error)
			}
		}
		if *one.In.UseP95 != 0.5 || *one.In.UseMax != 5 || *two.Out.UseP95 != 0.08 {
			t.Errorf("use %v %v %v", *one.In.UseP95, *one.In.UseMax, *two.Out.UseP95)
		}
		// 179 intervals of 20 s, one of them over the restart.
		if want := (206 - 1) * 200_000 * 8 / (178 * 20.); !near(*one.In.Counter, want, 1e-9) || !near(*two.Out.Counter, want/2, 1e-9) || *one.Out.Counter != 0 {
			t.Errorf("counters %v %v %v, want %v", *one.In.Counter, *two.Out.Counter, *one.Out.Counter, want)
		}
		if !near(*one.In.Errors, 2, 1e-9) || *one.In.Discards != 0 {
			t.Errorf("errors %v, discards %v", *one.In.Errors, *one.In.Discards)
		}
		if one.In.Coverage == nil || !near(*one.In.Coverage, 1, 0.01) || two.Out.Coverage == nil || !near(*two.Out.Coverage, 2, 0.01) || one.Out.Coverage != nil {
			t.Errorf("coverage %v %v", one.In.Coverage, two.Out.Coverage)
		}
		// All that interface 2 sent, and both sides of the flow of unknown interfaces.
		known := 69 * 600_000.
		if len(got.Unnamed) != 1 || got.Unnamed[0].Exporter != "203.0.113.1" || !near(got.Unnamed[0].Share, (known+2*100_000)/(2*known+2*100_000), 1e-9) {
			t.Errorf("%+v", got.Unnamed)
		}
		return got
	}
	raw := f(s.Handler())
	if again := f(s.Handler()); again.Meta.MS != raw.Meta.MS {
		t.Error("asked again, it was not kept")
	}

	// The same from the sums of minutes.
	enginetest.Roll(t, w, store.Schema{Table: &flow.Table, RollupDays: map[int64]int{60: 0, 3600: 0}}, s.now().Unix())
	summed := serverFor(s.Store, s.now())
	if got := f(summed.Handler()); got.Meta.SQL == raw.Meta.SQL {
		t.Error("the rollups were not asked")
	}

	// A window that begins and ends within a minute takes its ends from the flows.
	var got Interfaces
	ask(t, summed.Handler(), "GET", fmt.Sprintf("/api/v1/interfaces?from=%d&to=%d", start+30, start+3590), "", http.StatusOK, &got)
	// Of 180 times 200,000 octets and the minute with ten times as many, two are before it and one is after.
	if one := got.Interfaces[0]; !near(one.In.Avg, (180+27-2)*200_000*8/3560., 1e-9) || one.In.Max != 800_000 {
		t.Errorf("over parts of minutes: %+v", one.In)
	}
	ask(t, s.Handler(), "GET", target+"&exporter=203.0.113.9&q=tcp", "", http.StatusOK, &got)
	if len(got.Interfaces) != 0 || len(got.Unnamed) != 0 || !slices.Equal(got.Meta.Unknown, []string{"q"}) {
		t.Errorf("%+v", got)
	}
	ask(t, s.Handler(), "GET", target+"&exporter=203.0.113.1", "", http.StatusOK, &got)
	if len(got.Interfaces) != 3 {
		t.Errorf("of one exporter: %+v", got)
	}
	// Counters that cover a quarter of the window tell rates, and no coverage.
	ask(t, s.Handler(), "GET", fmt.Sprintf("/api/v1/interfaces?from=%d&to=%d", start, start+4*3600), "", http.StatusOK, &got)
	if one := got.Interfaces[0]; one.In.Counter == nil || one.In.Coverage != nil || one.In.P95 != 80_000 {
		t.Errorf("over four hours: %+v", one)
	}
	// What was before the first flow of all is not known, and does not count as idle.
	for _, s := range []*Server{s, summed} {
		ask(t, s.Handler(), "GET", fmt.Sprintf("/api/v1/interfaces?from=%d&to=%d", start-10*3600, start+3600), "", http.StatusOK, &got)
		if one := got.Interfaces[0]; !near(one.In.Avg, 69*600_000*8/3600., 0.02) || one.In.P95 != 80_000 || len(one.In.Course) == 0 || one.In.Course[0] != 0 {
			t.Errorf("of a store that is younger: %+v", one.In)
		}
	}
	// What the configuration says is there without flows too: before what counters say, after
	// what flows do.
	named := serverFor(s.Store, s.now())
	reconfigure(named, func(c *Settings) {
		c.Schema.ExporterName = func(a netip.Addr) string { return map[string]string{"203.0.113.1": "edge1"}[a.String()] }
		c.Schema.Interface = func(a netip.Addr, index uint32) (name, description, boundary string, speed uint64) {
			if a.String() != "203.0.113.1" {
				t.Errorf("asked for %v", a)
			}
			return fmt.Sprint("port", index), "as configured", "internal", []uint64{0, 0, 5, 8_000}[index]
		}
	})
	ask(t, named.Handler(), "GET", target, "", http.StatusOK, &got)
	for i, want := range []string{"edge1 et-0/0/1 TRANSIT external 160000", "edge1 port2 as configured internal 1000000", "edge1 port3 as configured internal 8000"} {
		x := got.Interfaces[i]
		if text := fmt.Sprintln(x.Name, x.Interface, x.Description, x.Boundary, x.Speed); text != want+"\n" {
			t.Errorf("%s, want %s", text, want)
		}
	}
	if three := got.Interfaces[2]; three.In.UseP95 == nil {
		t.Error("no share of the configured speed")
	}
	var p Problem
	ask(t, s.Handler(), "GET", "/api/v1/interfaces?exporter=core1", "", http.StatusBadRequest, &p)
	if p.Key != "exporter" {
		t.Errorf("%+v", p)
	}
	ask(t, s.Handler(), "GET", "/api/v1/interfaces?from=now", "", http.StatusBadRequest, &p)
}

// More interfaces than one answer lists are counted.
func TestInterfacesBounded(t *testing.T) {
	s, w := empty(t)
	if err := w.Exec(t.Context(), fmt.Sprintf(`INSERT INTO flows (TimeReceived, InIf, OutIf, Bytes, Packets, SamplingRate)
		SELECT toDateTime(%d, 'UTC'), number + 1, 0, number, 1, 1 FROM numbers(%d)`, s.now().Unix()-100, query.MaxInterfaces+10)); err != nil {
		t.Fatal(err)
	}
	var got Interfaces
	ask(t, s.Handler(), "GET", "/api/v1/interfaces", "", http.StatusOK, &got)
	// The sum of interface 0 takes a place.
	if len(got.Interfaces) != query.MaxInterfaces-1 || got.More != 11 || got.Interfaces[0].Index != query.MaxInterfaces+10 {
		t.Errorf("%d listed, %d more", len(got.Interfaces), got.More)
	}
}

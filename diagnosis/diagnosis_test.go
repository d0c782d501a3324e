package diagnosis

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"netmeta/flow"
)

// well is an exporter without a problem.
func well() Exporter {
	return Exporter{
		Announces: flow.Announces(flow.TypeIPFIX), Heard: true, Silence: time.Second,
		Datagrams: 1000, Records: 20_000, Flows: 20_000, Templates: 2, SamplingRate: 1000, SamplingKnown: true,
		ClockSkew: 12 * time.Millisecond, Resolution: 5 * time.Second, Course: minutes(60, 100),
	}
}

// minutes returns a course of n equal minutes, followed by others.
func minutes(n int, flows uint64, then ...uint64) []uint64 {
	list := make([]uint64, n)
	for i := range list {
		list[i] = flows
	}
	return append(list, then...)
}

// told lists problems in short form: "id level: what".
func told(list []Problem) string {
	var out []string
	for _, p := range list {
		out = append(out, fmt.Sprintf("%s %s: %s", p.ID, p.Level, strings.TrimPrefix(p.Of+" "+p.What, " ")))
	}
	return strings.Join(out, "\n")
}

// remedied checks that each problem has a remedy that is a sentence.
func remedied(t *testing.T, list []Problem) {
	t.Helper()
	for _, p := range list {
		if p.ID == "" || p.Remedy == "" || !strings.HasSuffix(p.Remedy, ".") {
			t.Errorf("%+v has no id or no sentence as its remedy", p)
		}
	}
}

// A problem begins beyond its threshold, not at it.
func TestExporter(t *testing.T) {
	differs := func(effective float64) []Sampling {
		return []Sampling{{Of: "exporter", Rate: 1}, {Of: "interface", ID: 3, Rate: 1000, Effective: effective}}
	}
	for _, c := range []struct {
		change func(x *Exporter)
		want   string
	}{
		{func(x *Exporter) {}, ""},
		{func(x *Exporter) { x.Silence = 30 * time.Second }, ""},
		{func(x *Exporter) { x.Silence = 31 * time.Second }, "silent warn: silent for 31 s"},
		{func(x *Exporter) { x.Silence = 300 * time.Second }, "silent warn: silent for 5 min"},
		{func(x *Exporter) { x.Silence = 301 * time.Second }, "silent bad: silent for 5 min 1 s"},
		{func(x *Exporter) { x.Silence, x.Heard = time.Hour, false }, ""},
		{func(x *Exporter) { x.Course = minutes(55, 100, 3, 3, 3, 3, 3) }, "few-flows warn: less than a fifth of the flows of the last hour"},
		{func(x *Exporter) { x.Course = minutes(55, 100, 20, 20, 20, 20, 20) }, ""},
		{func(x *Exporter) { x.Course = minutes(10, 100, 0) }, ""}, // too few minutes are known
		{func(x *Exporter) { x.Course = minutes(60, 0) }, ""},
		{func(x *Exporter) { x.Course, x.Silence = minutes(55, 100, 0, 0, 0, 0, 0), time.Minute }, "silent warn: silent for 1 min"},
		{func(x *Exporter) { x.SamplingKnown = false }, "sampling-unknown bad: sampling rate unknown; traffic counted as unsampled"},
		{func(x *Exporter) { x.SamplingKnown, x.Flows = false, 0 }, ""},
		{func(x *Exporter) { x.Samplings = differs(1200) }, ""},
		{func(x *Exporter) { x.Samplings = differs(1300) }, "sampling-differs warn: interface 3 declares 1:1,000 but samples 1:1,300"},
		{func(x *Exporter) { x.Samplings = differs(700) }, "sampling-differs warn: interface 3 declares 1:1,000 but samples 1:700"},
		{func(x *Exporter) { x.Templates, x.Waiting = 0, 3 }, "no-template bad: no template yet"},
		{func(x *Exporter) { x.Templates, x.Announces = 0, flow.Announces(flow.TypeNetFlow5) }, ""},
		{func(x *Exporter) { x.Waiting = 2 }, "template-awaited warn: 2 data sets waiting for their template"},
		{func(x *Exporter) { x.Dropped = 12_345 }, "template-late bad: 12.3 k data sets dropped: no template"},
		{func(x *Exporter) { x.Lost = 20 }, ""},
		{func(x *Exporter) { x.Lost = 40 }, "loss warn: 0.2% lost in transit"},
		{func(x *Exporter) { x.Lost = 400 }, "loss bad: 2.0% lost in transit"},
		{func(x *Exporter) { x.ClockSkew = -2 * time.Second }, ""},
		{func(x *Exporter) { x.ClockSkew = -2500 * time.Millisecond }, "clock warn: clock is 3 s behind"},
		{func(x *Exporter) { x.ClockSkew = 60 * time.Second }, "clock warn: clock is 1 min ahead"},
		{func(x *Exporter) { x.ClockSkew = 61 * time.Second }, "clock bad: clock is 61 s ahead"},
		{func(x *Exporter) { x.Resolution = 10 * time.Second }, ""},
		{func(x *Exporter) { x.Resolution = time.Minute }, "resolution warn: its records span 1 min; finer charts are smoothed"},
		{func(x *Exporter) { x.Refused, x.Reasons = 4, map[string]uint64{"unknown set": 1, "bad length": 3} },
			"refused warn: 4 not decoded: bad length (3), unknown set (1)"},
		{func(x *Exporter) { x.Refused = 4 }, "refused warn: 4 not decoded: reason unknown"},
		{func(x *Exporter) { x.Thinned = 3 }, "thinned warn: over its limit; 3 records thinned, the sampling rate of the rest compensates"},
		{func(x *Exporter) { x.Silence, x.SamplingKnown = 40*time.Second, false },
			"sampling-unknown bad: sampling rate unknown; traffic counted as unsampled\nsilent warn: silent for 40 s"},
	} {
		x := well()
		c.change(&x)
		list := x.Problems()
		remedied(t, list)
		if got := told(list); got != c.want {
			t.Errorf("%+v:\n%s\nnot\n%s", x, got, c.want)
		}
	}
}

// Loss depends on what the sequence numbers of a protocol count.
func TestLoss(t *testing.T) {
	for typ, lost := range map[uint8]uint64{flow.TypeSFlow: 1000, flow.TypeNetFlow9: 1000, flow.TypeIPFIX: 20_000, flow.TypeNetFlow5: 20_000} {
		x := well()
		x.Announces, x.Lost = flow.Announces(typ), lost
		if got := x.Loss(); got != 0.5 {
			t.Errorf("type %d: %v", typ, got)
		}
	}
	if got := (Exporter{}).Loss(); got != 0 {
		t.Error(got)
	}
}

func traffic(change func(*Traffic)) Traffic {
	p := func(v float64) *float64 { return &v }
	s := Traffic{Max: 6e9, UseP95: p(0.5), UseMax: p(0.6), Counter: p(4e9), Coverage: p(1), Error: p(0.01)}
	change(&s)
	return s
}

func same(*Traffic) {}

func covered(v float64) func(*Traffic) { return func(s *Traffic) { s.Coverage = &v } }

func TestInterface(t *testing.T) {
	for _, c := range []struct {
		change func(*Traffic)
		want   string
	}{
		{same, ""},
		{func(s *Traffic) { *s.UseMax = 1.05 }, ""}, // within the sampling error
		{func(s *Traffic) { s.Max, *s.UseMax = 1.2e10, 1.2 }, "over-capacity bad: sent 12.0 Gb/s, above its speed of 10.0 Gb/s"},
		{covered(1.1), ""},
		{covered(0.85), "coverage-low warn: coverage 0.85 (flow bytes ÷ counter bytes, sent)"},
		{func(s *Traffic) { *s.Coverage, *s.Error = 0.85, 0.1 }, ""},
		{covered(1.97), "coverage-twice warn: coverage 1.97 (flow bytes ÷ counter bytes, sent)"},
		{covered(10), "coverage-high warn: coverage 10.00 (flow bytes ÷ counter bytes, sent)"},
		{func(s *Traffic) { *s.Coverage, s.Error = 0, nil }, "coverage-none warn: no flows for the traffic that its counters show as sent"},
		{func(s *Traffic) { *s.Coverage, *s.Counter = 0, 900 }, ""},
		{func(s *Traffic) { s.Coverage, s.Counter = nil, nil }, ""},
		{func(s *Traffic) { s.UseP95, s.UseMax = nil, nil }, ""},
	} {
		i := Interface{Name: "et-0/0/2", Index: 3, Speed: 1e10, In: traffic(same), Out: traffic(c.change)}
		list := i.Problems()
		remedied(t, list)
		if got := told(list); got != c.want {
			t.Errorf("%+v: %s, not %s", i.Out, got, c.want)
		}
	}
	for use, want := range map[float64]Level{0.8: "", 0.81: Warn, 0.95: Warn, 0.96: Bad} {
		if got := (Traffic{UseP95: &use}).UseLevel(); got != want {
			t.Errorf("%v of the speed is %q, not %q", use, got, want)
		}
	}
	if got := (Traffic{}).UseLevel(); got != "" {
		t.Error(got)
	}
}

// Each kind of problem is listed once, with the number of other interfaces that have it.
func TestProblemsOf(t *testing.T) {
	twice := traffic(covered(2))
	list := ProblemsOf([]Interface{
		{Name: "et-0/0/2", Index: 3, Speed: 1e10, In: twice, Out: twice},
		{Index: 4, Speed: 1e10, In: twice, Out: traffic(same)},
		{Name: "et-0/0/5", Index: 5, Speed: 1e10, In: traffic(covered(0.5)), Out: traffic(same)},
	}, 0.2)
	remedied(t, list)
	want := "coverage-twice warn: et-0/0/2: coverage 2.00 (flow bytes ÷ counter bytes, received); 1 more interface\n" +
		"coverage-low warn: et-0/0/5: coverage 0.50 (flow bytes ÷ counter bytes, received)\n" +
		"unnamed warn: 20.0% of its bytes are on interfaces without a name"
	if got := told(list); got != want {
		t.Errorf("%s\nnot\n%s", got, want)
	}
	if list := ProblemsOf([]Interface{{Index: 4, In: traffic(same), Out: traffic(same)}}, 0.01); len(list) > 0 {
		t.Error(list)
	}
}

// A day is forecast only if the rise is certain.
func TestNearlyFullIn(t *testing.T) {
	for _, c := range []struct {
		rise  Rise
		speed uint64
		want  int
	}{
		{Rise{5e9, 1e8, 1e7}, 1e10, 30},
		{Rise{5e9, 3e9 / 89.5, 1e6}, 1e10, 90},
		{Rise{5e9, 1e8, 6e7}, 1e10, 0}, // the rise is uncertain
		{Rise{5e9, -1e8, 1e7}, 1e10, 0},
		{Rise{9e9, 1e8, 1e7}, 1e10, 0}, // nearly full already
		{Rise{5e9, 1e3, 0}, 1e10, 0},   // not in ten years
		{Rise{5e9, 1e8, 0}, 0, 0},
		{Rise{math.NaN(), math.NaN(), math.NaN()}, 1e10, 0},
	} {
		got, level := c.rise.NearlyFullIn(c.speed)
		if got != c.want || (level == Warn) != (got > 0 && got < 90) {
			t.Errorf("%+v of %d: %d (%s), not %d", c.rise, c.speed, got, level, c.want)
		}
	}
}

func TestCollector(t *testing.T) {
	for _, c := range []struct {
		facts Collector
		state string
		want  string
	}{
		{Collector{EngineUp: true, Queue: 0.5, SpoolRows: 0, DiskLimits: true, DiskDays: 14}, AllStored, ""},
		{Collector{StoreError: "no answer"}, EngineDown, "engine-down bad: engine is down, restarting; new rows go to the spool"},
		{Collector{EngineUp: true, StoreError: "no answer"}, StoreTrouble, "store-refuses bad: store inserts are failing"},
		{Collector{EngineUp: true, SpoolError: "no space left"}, StoreTrouble, "spool-unwritable bad: spool cannot be written"},
		{Collector{EngineUp: true, SpoolRows: 5, SpoolOldest: time.Minute}, RowsWait, ""},
		{Collector{EngineUp: true, SpoolRows: 5, SpoolOldest: 90 * time.Second}, RowsWait, "spool-waits warn: spool rows have waited for 90 s"},
		{Collector{EngineUp: true, Queue: 0.625}, AllStored, "queue-full warn: queue 63% full; the store cannot keep up"},
		{Collector{EngineUp: true, DiskLimits: true, DiskDays: 3.5}, AllStored, "disk-full warn: disk is full in 3 days; the oldest rows are then dropped"},
		{Collector{EngineUp: true, DiskLimits: true, DiskDays: 0.5}, AllStored, "disk-full warn: disk is full in less than a day; the oldest rows are then dropped"},
		{Collector{EngineUp: true, DiskDays: 3}, AllStored, ""},
		{Collector{EngineUp: true, SpoolRows: 1, Losses: []Loss{{"kernel :2055", "receive buffer full", 1200, "Raise it."}}}, Losses,
			"loss warn: kernel :2055 1,200 receive buffer full since start"},
		{Collector{Losses: []Loss{{"network", "missing", 1, "Look."}}}, EngineDown,
			"engine-down bad: engine is down, restarting; new rows go to the spool\nloss warn: network 1 missing since start"},
	} {
		list := c.facts.Problems()
		remedied(t, list)
		if got := told(list); got != c.want || c.facts.State() != c.state {
			t.Errorf("%+v: %s: %s, not %s: %s", c.facts, c.facts.State(), got, c.state, c.want)
		}
	}
	for used, want := range map[float64]Level{0.9: "", 0.91: Bad} {
		if got := (Collector{DiskUsed: used}).DiskLevel(); got != want {
			t.Errorf("%v of the disk: %q", used, got)
		}
	}
}

// steps lists an arrival in short: "+ what" for a completed step.
func steps(list []Step) (text, remedy string) {
	var out []string
	for _, s := range list {
		mark := "- "
		if s.Done {
			mark = "+ "
		} else if remedy == "" {
			remedy = s.Remedy
		}
		out = append(out, mark+s.What)
	}
	return strings.Join(out, "; "), remedy
}

// The first incomplete step has a remedy.
func TestArrival(t *testing.T) {
	arrival := func(change func(a *Arrival)) Arrival {
		a := Arrival{Type: "ipfix", Stored: true, Waits: 41 * time.Second, Inserted: true, Lag: 200 * time.Millisecond, Exporter: well()}
		a.Datagrams, a.Flows, a.Records, a.SamplingRate = 5, 40, 40, 100
		change(&a)
		return a
	}
	for _, c := range []struct {
		change       func(a *Arrival)
		want, remedy string
	}{
		{func(a *Arrival) {}, "+ 5 datagrams; + ipfix; + 2 templates; + 1:100 sampled; + 40 flows stored", ""},
		{func(a *Arrival) {
			a.Type, a.Announces, a.Templates, a.SamplingRate = "sflow", flow.Announces(flow.TypeSFlow), 0, 1
		},
			"+ 5 datagrams; + sflow; + not sampled; + 40 flows stored", ""},
		{func(a *Arrival) { a.Templates, a.Flows, a.Records = 0, 0, 0 },
			"+ 5 datagrams; + ipfix; - waiting for a template for 41 s; - no flows yet", "template data timeout 60"},
		{func(a *Arrival) { a.Flows = 0 }, "+ 5 datagrams; + ipfix; + 2 templates; + 1:100 sampled; - no flows yet", "flow monitor is applied"},
		{func(a *Arrival) { a.SamplingKnown = false },
			"+ 5 datagrams; + ipfix; + 2 templates; - sampling rate unknown; + 40 flows stored", "sampler-table"},
		{func(a *Arrival) { a.Lag, a.StoreError = 20*time.Second, "no space left" },
			"+ 5 datagrams; + ipfix; + 2 templates; + 1:100 sampled; - 40 flows waiting to be stored", "no space left"},
		{func(a *Arrival) { a.Lag = 10 * time.Second },
			"+ 5 datagrams; + ipfix; + 2 templates; + 1:100 sampled; - 40 flows waiting to be stored", "Inserts are failing"},
		{func(a *Arrival) { a.Stored = false },
			"+ 5 datagrams; + ipfix; + 2 templates; + 1:100 sampled; - 40 flows waiting to be stored", "being stored"},
		{func(a *Arrival) { a.Stored, a.Waits = false, LooksBack+time.Second }, // beyond the search range
			"+ 5 datagrams; + ipfix; + 2 templates; + 1:100 sampled; + 40 flows stored", ""},
		{func(a *Arrival) { a.Stored, a.Waits, a.Inserted = false, LooksBack+time.Second, false },
			"+ 5 datagrams; + ipfix; + 2 templates; + 1:100 sampled; - 40 flows waiting to be stored", "being stored"},
		{func(a *Arrival) {
			a.Type, a.Announces, a.Flows, a.Records, a.Templates = "unknown", flow.Announcement{}, 0, 0, 0
			a.Refused, a.Reasons = 5, map[string]uint64{"unknown version": 5}
		}, "+ 5 datagrams; - not decoded", "Unknown version (5). Check that it sends NetFlow"},
		{func(a *Arrival) { a.Type, a.Flows, a.Records, a.Templates, a.Refused = "netflow9", 0, 0, 0, 5 },
			"+ 5 datagrams; - not decoded", "Check that it sends NetFlow"},
	} {
		a := arrival(c.change)
		got, remedy := steps(a.Steps())
		if got != c.want || (remedy == "") != (c.remedy == "") || !strings.Contains(remedy, c.remedy) {
			t.Errorf("%s (%s)\nnot\n%s (%s)", got, remedy, c.want, c.remedy)
		}
	}
}

// The remedy for missing interface names depends on what an exporter can announce.
func TestNames(t *testing.T) {
	for typ, want := range map[uint8]string{flow.TypeSFlow: "counter polling", flow.TypeIPFIX: "interface-table", flow.TypeNetFlow5: "NetFlow v5 cannot"} {
		s := Names(flow.Announces(typ), 0.4)
		if s.Done || s.What != "no names for 40.0% of its bytes" || !strings.Contains(s.Remedy, want) {
			t.Errorf("type %d: %+v", typ, s)
		}
	}
	if s := Names(flow.Announcement{}, 0.01); !s.Done || s.What != "interface names" || s.Remedy != "" {
		t.Errorf("%+v", s)
	}
}

// Numbers read as in the web UI.
func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		count(0): "0", count(9999): "9,999", count(10_000): "10.0 k", count(999_499): "999 k", count(999_500): "1.00 M", count(math.MaxUint64): "18.4 E",
		grouped(1234567): "1,234,567", grouped(12): "12",
		bits(1.2e10): "12.0 Gb/s", bits(0): "0 b/s", bits(0.25): "0.25 b/s", bits(999.6): "1.00 kb/s",
		share(0): "0%", share(0.0004): "<0.1%", share(0.002): "0.2%", share(0.9999): "100%", share(0.125): "12.5%",
		duration(0): "0 s", duration(time.Minute): "1 min", duration(119 * time.Second): "119 s", duration(125 * time.Second): "2 min 5 s",
		duration(time.Hour + 30*time.Second): "1 h", duration(25 * time.Hour): "1 d 1 h", duration(400 * time.Hour): "16 d 16 h",
		sentence("no space left"): "No space left.", sentence(""): "",
	} {
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

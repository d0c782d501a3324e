package api

import (
	"fmt"
	"math"
	"net/http"
	"testing"

	"netmeta/flow"
	"netmeta/internal/enginetest"
	"netmeta/store"
)

// The counters of linked, in buckets that end with readings and in some that do not.
func TestLinkCounters(t *testing.T) {
	s, _, start := linked(t)
	f := func(index, step int, from, to int64) linkAnswer {
		t.Helper()
		var got linkAnswer
		ask(t, s.Handler(), "GET", fmt.Sprintf("/api/v1/interfaces/203.0.113.1/%d?from=%d&to=%d&step=%d&tz=utc", index, from, to, step), "", http.StatusOK, &got)
		if got.Weeks != nil || len(got.Times) != int((to-from)/int64(step)) {
			t.Errorf("%+v", got)
		}
		return got
	}
	is := func(at string, got *float64, want float64) {
		t.Helper()
		if got == nil || !near(*got, want, 1e-9) {
			t.Errorf("%s: %v, want %v", at, got, want)
		}
	}
	// 200,000 octets in 20 s, of which the last third of a minute comes after the minute.
	c := f(1, 60, start, start+3600).Counters
	if c == nil || len(c.In) != 60 {
		t.Fatalf("%+v", c)
	}
	is("minute 0", c.In[0], 80_000)
	is("minute 10", c.In[10], 80_000)
	// The reading at the minute's begin already holds what the flows of that second brought: of
	// minute 29 the last 20 s carry ten times as much, of minute 30 the first 40 s.
	is("minute 29", c.In[29], 80_000*(2+10)/3)
	is("minute 30", c.In[30], 80_000*(20+1)/3)
	is("restart", c.In[39], 80_000) // 40 s of it are known
	is("nothing sent", c.Out[10], 0)
	is("the last, of which 40 s are known", c.In[59], 80_000)
	if n := f(2, 60, start, start+3600).Counters; true {
		is("half", n.Out[10], 40_000)
	}
	// Finer than the readings: each has its part in every bucket that it covers.
	fine := f(1, 5, start+600, start+900).Counters
	for i := range fine.In {
		is(fmt.Sprint(i), fine.In[i], 80_000)
	}
	// What was before the first reading nobody counted.
	if early := f(1, 60, start-600, start).Counters; early != nil {
		t.Errorf("%+v", early)
	}
	if none := f(9, 60, start, start+3600).Counters; none != nil {
		t.Errorf("an interface without counters: %+v", none)
	}
	for target, key := range map[string]string{
		"core1/1": "exporter", "203.0.113.1/0": "index", "203.0.113.1/-4": "index", "203.0.113.1/4294967296": "index",
		"203.0.113.1/1?from=now": "from", "203.0.113.1/1?step=0": "step", "203.0.113.1/1?tz=Mars": "tz",
	} {
		var p problem
		ask(t, s.Handler(), "GET", "/api/v1/interfaces/"+target, "", http.StatusBadRequest, &p)
		if p.Key != key {
			t.Errorf("%s: %+v", target, p)
		}
	}
}

// Ten days that rise by 1,000 bit/s each, with two hours of four times as much a day.
func TestLinkWeeks(t *testing.T) {
	s, w := empty(t)
	now := s.now().Unix() / 3600 * 3600
	midnight := now/86400*86400 - 10*86400
	if err := w.Exec(t.Context(), fmt.Sprintf(`INSERT INTO flows (TimeReceived, ExporterAddress, InIf, OutIf, Bytes, Packets, SamplingRate, FlowType)
		SELECT toDateTime(%d + number * 3600, 'UTC'), '::ffff:203.0.113.1', 7, 8, 450 * (10 + intDiv(number, 24)) * if(number %% 24 IN (3, 4), 4, 1), 1, 1000, 'sflow' FROM numbers(%d) SETTINGS max_partitions_per_insert_block = 0`,
		midnight+1800, (now-midnight)/3600)); err != nil {
		t.Fatal(err)
	}
	enginetest.Roll(t, w, store.Schema{Table: &flow.Table, RollupDays: []int{0, 0}}, now)
	h := serverFor(s.Store, s.now()).Handler()
	f := func(index int) linkAnswer {
		t.Helper()
		var got linkAnswer
		ask(t, h, "GET", fmt.Sprintf("/api/v1/interfaces/203.0.113.1/%d?tz=utc", index), "", http.StatusOK, &got)
		return got
	}
	got := f(7).Weeks
	if got == nil || got.From != midnight || len(got.In) != int((now-midnight)/3600) || len(got.Out) != len(got.In) || got.Trend == nil || got.Trend.Days != 10 {
		t.Fatalf("%+v", got)
	}
	for i, v := range got.In {
		want := float64(1000 * (10 + i/24))
		if i%24 == 3 || i%24 == 4 {
			want *= 4
		}
		if !near(v, want, 1e-9) || got.Out[i] != 0 {
			t.Fatalf("hour %d: %v, want %v; sent %v", i, v, want, got.Out[i])
		}
	}
	// One of 24 hours may be more than the 95th percentile: the second largest is it.
	in, out := got.Trend.In, got.Trend.Out
	if !near(in.P95, 4000*19, 1e-9) || !near(in.PerDay, 4000, 1e-9) || math.Abs(in.Error) > 1e-3 || out.PerDay != 0 || out.P95 != 0 {
		t.Errorf("%+v, sent %+v", in, out)
	}
	if other := f(8).Weeks; other == nil || !near(other.Out[3], 40_000, 1e-9) || other.In[3] != 0 || !near(other.Trend.Out.PerDay, 4000, 1e-9) {
		t.Errorf("the other side: %+v", other)
	}
	if none := f(9).Weeks; none != nil {
		t.Errorf("of no interface: %+v", none)
	}
}

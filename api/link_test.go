package api

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"netmeta/flow"
	"netmeta/internal/enginetest"
	"netmeta/store"
)

// The counters of linked, in buckets that end with readings and in some that do not.
func TestLinkCounters(t *testing.T) {
	s, _, start := linked(t)
	f := func(index, step int, from, to int64) LinkCourse {
		t.Helper()
		var got LinkCourse
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
		var p Problem
		ask(t, s.Handler(), "GET", "/api/v1/interfaces/"+target, "", http.StatusBadRequest, &p)
		if p.Key != key {
			t.Errorf("%s: %+v", target, p)
		}
	}
}

// Ten days that rise by 1,000 bit/s each, with two hours of four times as much a day.
func TestLinkWeeks(t *testing.T) {
	s, w := empty(t)
	days, hours := int64(10), "1"
	some := func(int) bool { return true } // the hours of a day with flows
	if testing.Short() {                   // an hour takes the roller a moment
		hours = "number % 24 IN (0, 3, 4)"
		some = func(hour int) bool { return hour == 0 || hour == 3 || hour == 4 }
	}
	now := s.now().Unix() / 3600 * 3600
	midnight := now/86400*86400 - days*86400
	if err := w.Exec(t.Context(), fmt.Sprintf(`INSERT INTO flows (TimeReceived, ExporterAddress, InIf, OutIf, Bytes, Packets, SamplingRate, FlowType)
		SELECT toDateTime(%d + number * 3600, 'UTC'), '::ffff:203.0.113.1', 7, 8, 450 * (10 + intDiv(number, 24)) * if(number %% 24 IN (3, 4), 4, 1), 1, 1000, 'sflow' FROM numbers(%d) WHERE %s SETTINGS max_partitions_per_insert_block = 0`,
		midnight+1800, (now-midnight)/3600, hours)); err != nil {
		t.Fatal(err)
	}
	enginetest.Roll(t, w, store.Schema{Table: &flow.Table, RollupDays: map[int64]int{60: 0, 3600: 0}}, now)
	h := serverFor(s.Store, s.now()).Handler()
	f := func(index int) LinkCourse {
		t.Helper()
		var got LinkCourse
		ask(t, h, "GET", fmt.Sprintf("/api/v1/interfaces/203.0.113.1/%d?tz=utc", index), "", http.StatusOK, &got)
		return got
	}
	got := f(7).Weeks
	if got == nil || got.From != midnight || len(got.In) != int((now-midnight)/3600) || len(got.Out) != len(got.In) || got.Trend == nil || got.Trend.Days != int(days) {
		t.Fatalf("%+v", got)
	}
	for i, v := range got.In {
		want := float64(1000 * (10 + i/24))
		if i%24 == 3 || i%24 == 4 {
			want *= 4
		}
		if !some(i % 24) {
			want = 0
		}
		if i == 0 { // the first flow came in the middle of it: nobody knows of the half before
			want *= 2
		}
		if !near(v, want, 1e-9) || got.Out[i] != 0 {
			t.Fatalf("hour %d: %v, want %v; sent %v", i, v, want, got.Out[i])
		}
	}
	// One of 24 hours may be more than the 95th percentile: the second largest is it.
	in, out := got.Trend.In, got.Trend.Out
	if !near(in.P95, 4000*float64(9+days), 1e-9) || !near(in.PerDay, 4000, 1e-9) || math.Abs(in.Error) > 1e-3 || out.PerDay != 0 || out.P95 != 0 {
		t.Errorf("%+v, sent %+v", in, out)
	}
	if other := f(8).Weeks; other == nil || !near(other.Out[3], 40_000, 1e-9) || other.In[3] != 0 || !near(other.Trend.Out.PerDay, 4000, 1e-9) {
		t.Errorf("the other side: %+v", other)
	}
	if none := f(9).Weeks; none != nil {
		t.Errorf("of no interface: %+v", none)
	}
}

// Per cent of the speed are what SQL says by hand, raw and from sums; who has no speed is
// left out and counted.
func TestQueryPercent(t *testing.T) {
	s, w := empty(t)
	from := s.now().Unix()/3600*3600 - 7200
	// Interface i of 1 to 5 has i Mbit/s, which half of its rows say; 6 and 7 have none, 0 is none.
	flows := flow.Table.NewBatch(3600)
	for n := range uint32(3600) {
		row, i := flows.Add(), n%8
		flow.TimeReceived.Set(flows, row, uint32(from)+n)
		flow.ExporterAddress.Set(flows, row, linkExporter)
		flow.InIf.Set(flows, row, i)
		flow.OutIf.Set(flows, row, 9)
		if i < 6 && n%16 > 7 {
			flow.InIfSpeed.Set(flows, row, uint64(i)*1_000_000)
		}
		flow.Bytes.Set(flows, row, uint64(1000+n))
		flow.Packets.Set(flows, row, 3)
		flow.SamplingRate.Set(flows, row, 10)
		flow.FlowType.Set(flows, row, []uint8{flow.TypeSFlow, flow.TypeIPFIX, flow.TypeIPFIX}[n%3])
		flow.Direction.Set(flows, row, uint8(1+n%5/4))
	}
	put(t, w, flows)
	f := func(h http.Handler, keys, bytes string) result {
		t.Helper()
		var got result
		ask(t, h, "GET", fmt.Sprintf("/api/v1/query?unit=pct&by=in.if&dir=sum&from=%d&to=%d&step=600&tz=utc%s", from, from+3600, keys), "", http.StatusOK, &got)
		res, _, err := s.Store.Select(t.Context(), store.Query{SQL: fmt.Sprintf(
			`SELECT InIf, intDiv(toUnixTimestamp(TimeReceived), 600) * 600 AS t, toFloat64(sum((%s) * SamplingRate)) * 8 / 600 / (InIf * 1000000) * 100 AS v FROM flows WHERE InIf BETWEEN 1 AND 5 GROUP BY 1, 2 ORDER BY 1, 2`, bytes)})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string][]float64{}
		for i, index := range res.Columns[0].([]uint32) {
			key := fmt.Sprintf("203.0.113.1#%d", index)
			want[key] = append(want[key], res.Columns[2].([]float64)[i])
		}
		for _, one := range got.Series {
			values, sum := want[one.Key[0]], 0.
			if len(values) != 6 || len(one.Values) != 6 {
				t.Fatalf("%+v: %v", one, values)
			}
			for i, v := range values {
				if sum += v; !near(one.Values[i], v, 6e-4) {
					t.Errorf("%s at %d: %v, want %v", one.Key[0], i, one.Values[i], v)
				}
			}
			if !near(one.Avg, sum/6, 1e-9) || one.Other {
				t.Errorf("%s: %v, want %v", one.Key[0], one.Avg, sum/6)
			}
		}
		if len(got.Total) != 0 || len(got.Dirs) != 1 || len(got.Meta.Notes) != 1 || got.Meta.Notes[0] != "pct: 2 interfaces are left out, whose speed neither records nor the configuration say" {
			t.Errorf("total %v, notes %q", got.Total, got.Meta.Notes)
		}
		return got
	}
	const l1, l2 = "Bytes + if(FlowType = 'sflow', 20, 38) * Packets", "Bytes + if(FlowType = 'sflow', 0, 18) * Packets"
	raw := s.Handler()
	got := f(raw, "", l1)
	// All carry alike, so the slowest is the fullest.
	for i, one := range got.Series {
		if want := fmt.Sprintf("203.0.113.1#%d", i+1); len(got.Series) != 5 || one.Key[0] != want {
			t.Errorf("place %d: %s of %d, want %s", i, one.Key[0], len(got.Series), want)
		}
	}
	for _, rank := range []string{"max", "last", "p95"} {
		if got := f(raw, "&layer=l2&n=2&rank="+rank, l2); len(got.Series) != 2 || got.Series[0].Key[0] != "203.0.113.1#1" || got.Other != 3 {
			t.Errorf("%s: %d series, first %s, %d more", rank, len(got.Series), got.Series[0].Key[0], got.Other)
		}
	}
	if got := f(raw, "&n=2&skip=1", l1); len(got.Series) != 2 || got.Series[0].Key[0] != "203.0.113.1#2" || got.Other != 2 {
		t.Errorf("skip: %+v", got.Series)
	}
	// Parts of an interface are of its speed, also those whose rows do not say it.
	var parts result
	ask(t, raw, "GET", fmt.Sprintf("/api/v1/query?unit=pct&by=in.if,direction&dir=sum&q=in.if%%3D2&from=%d&to=%d", from, from+3600), "", http.StatusOK, &parts)
	whole := 0.
	for _, one := range parts.Series {
		whole += one.Avg
	}
	if len(parts.Series) != 2 || !near(whole, got.Series[1].Avg, 1e-9) {
		t.Errorf("parts %v, whole %v", whole, got.Series[1].Avg)
	}
	rec := httptest.NewRecorder()
	raw.ServeHTTP(rec, httptest.NewRequest("GET", fmt.Sprintf("/api/v1/query.csv?unit=pct&by=in.if&dir=sum&n=2&of=table&from=%d&to=%d", from, from+3600), nil))
	if n := strings.Count(rec.Body.String(), "\r\n"); n != 3 || strings.Contains(rec.Body.String(), "total,sum") {
		t.Errorf("CSV:\n%s", rec.Body)
	}
	enginetest.Roll(t, w, store.Schema{Table: &flow.Table, RollupDays: map[int64]int{60: 0, 3600: 0}}, s.now().Unix())
	if got := f(serverFor(s.Store, s.now()).Handler(), "", l1); got.Meta.Table != "rollup_1m_if" {
		t.Errorf("asked of %s", got.Meta.Table)
	}
}

package query

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"netmeta/filter"
	"netmeta/internal/golden"
	"netmeta/internal/problem"
)

// seriesNow is when the requests of the golden files are asked.
var seriesNow = time.Date(2026, 11, 23, 12, 34, 56, 0, time.UTC)

// TestSeriesGolden makes the statements of testdata/series/*.txt. The first line
// of a file is the URL; to add a case, make a file of one line and run with -update.
func TestSeriesGolden(t *testing.T) {
	seriesGolden(t, "testdata/series/*.txt", 15, Schema{Names: filter.Names{Macros: goldenMacros}})
}

// TestRollupGolden does the same in testdata/rollups, with rollups that are complete
// from different times on and flows of the last 30 days.
func TestRollupGolden(t *testing.T) {
	day := func(n int) int64 { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC).Unix() }
	seriesGolden(t, "testdata/rollups/*.txt", 6, Schema{Names: filter.Names{Macros: goldenMacros}, Oldest: day(-6), Once: true,
		Rollups: []Rollup{{Table: "rollup_1m", Step: 60, Since: day(1), Until: 1 << 40}, {Table: "rollup_1h", Step: 3600, Until: 1 << 40}}})
}

func seriesGolden(t *testing.T, pattern string, least int, s Schema) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) < least {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		line, _, _ := strings.Cut(string(data), "\n")
		r, rg := request(t, line)
		var out bytes.Buffer
		fmt.Fprintln(&out, line)
		fmt.Fprintln(&out)
		st, err := r.Series(rg, s)
		if err != nil {
			fmt.Fprintln(&out, "error:", err)
			golden.Equal(t, path, out.Bytes())
			continue
		}
		fmt.Fprintln(&out, st.SQL)
		fmt.Fprintln(&out)
		for _, name := range slices.Sorted(maps.Keys(st.Params)) {
			fmt.Fprintf(&out, "%s = %s\n", name, st.Params[name])
		}
		for _, c := range st.Columns {
			fmt.Fprintf(&out, "→ %s %s\n", c.Name, c.Type)
		}
		if len(s.Rollups) > 0 {
			fmt.Fprintln(&out, "tables:", strings.Join(st.Tables, ", "))
		}
		for _, n := range st.Notes {
			fmt.Fprintln(&out, "note:", n)
		}
		golden.Equal(t, path, out.Bytes())
	}
}

func request(t testing.TB, query string) (Request, Range) {
	t.Helper()
	v, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := ParseURL(v)
	if err != nil {
		t.Fatal(err)
	}
	rg, err := r.Resolve(seriesNow)
	if err != nil {
		t.Fatal(err)
	}
	return r, rg
}

func TestSeriesErrors(t *testing.T) {
	f := func(query string, want error) {
		t.Helper()
		r, rg := request(t, query)
		_, err := r.Series(rg, Schema{})
		var key *problem.Error
		var wrong *filter.Error
		switch want.(type) {
		case *problem.Error:
			if !errors.As(err, &key) {
				t.Errorf("%s: %v", query, err)
			}
		case *filter.Error:
			if !errors.As(err, &wrong) {
				t.Errorf("%s: %v", query, err)
			}
		}
	}
	f("q=src+prt+53", &filter.Error{})
	f("unit=pct", &problem.Error{})
	f("unit=pct&by=proto", &problem.Error{})
	f("unit=pct&by=in.if,out.if", &problem.Error{})
	f("unit=pct&by=in.if&rank=delta", &problem.Error{})
	f("unit=pct&by=in.if&agg=peak&spread=1", &problem.Error{})
	f("rank=delta", &problem.Error{})
	f("vs=1d", &problem.Error{})
	f("vs=-1d/d", &problem.Error{})
	f("vs=2027-01-01", &problem.Error{})
	f("vs=band5w", &problem.Error{})
	f("agg=peak&unit=bpp", &problem.Error{})
	f("by=ts:1s&from=-2h", &problem.Error{})
	f("by=ts:1h&spread=1", &problem.Error{})
}

// rowsOf writes rows down one by one.
type rowsOf struct{ Rows }

func (r *rowsOf) add(t int64, dir string, top bool, groups int, keys []string, value, packets, n uint64) {
	r.Time = append(r.Time, uint32(t))
	r.Dir = append(r.Dir, dir)
	flag := uint8(0)
	if top {
		flag = 1
	}
	r.Top = append(r.Top, flag)
	r.Groups = append(r.Groups, uint64(groups))
	for len(r.Keys) < len(keys) {
		r.Keys = append(r.Keys, nil)
	}
	for i, k := range keys {
		r.Keys[i] = append(r.Keys[i], k)
	}
	r.Value = append(r.Value, value)
	r.Packets = append(r.Packets, float64(packets))
	r.N = append(r.N, n)
	r.Variance = append(r.Variance, float64(packets*999)) // rate 1000
}

// A window of the past has its place by the calendar: over a change of the clock noon
// is compared with noon.
func TestShifts(t *testing.T) {
	f := func(query string, want ...int64) {
		t.Helper()
		r, rg := request(t, query)
		got, err := r.shifts(&rg)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v %v, want %v", query, got, err, want)
		}
	}
	f("")
	f("vs=prev&from=-90m", 5400)
	f("vs=-1d", 86400)
	f("vs=-30m", 1800)
	f("vs=1790000000&from=1790003600&to=1790007200", 3600)
	f("vs=2026-11-20T00:00&from=2026-11-21&to=2026-11-22&tz=Europe/Berlin", 86400)
	f("vs=-7d&from=2026-10-26&to=2026-10-27&tz=Europe/Berlin", 7*86400+3600) // summer time ended on the 25th
	f("vs=band4w", 7*86400, 14*86400, 21*86400, 28*86400)
}

// Buckets of a day go from midnight to midnight: of 25 hours where summer time ends, of 23
// where it begins.
func TestDayBuckets(t *testing.T) {
	f := func(query string, hours ...int64) {
		t.Helper()
		_, rg := request(t, query+"&step=86400&tz=Europe/Berlin")
		var got []int64
		for i, begin := range rg.Times {
			if h, m, s := time.Unix(begin, 0).In(rg.Location).Clock(); h != 0 || m != 0 || s != 0 {
				t.Errorf("%s: bucket %d begins at %02d:%02d:%02d", query, i, h, m, s)
			}
			end := rg.End
			if i+1 < len(rg.Times) {
				end = rg.Times[i+1]
			}
			got = append(got, (end-begin)/3600)
		}
		if !slices.Equal(got, hours) || rg.FirstPartial || rg.LastPartial {
			t.Errorf("%s: hours %v, want %v; partial %v %v", query, got, hours, rg.FirstPartial, rg.LastPartial)
		}
	}
	f("from=2026-10-24&to=2026-10-27", 24, 25, 24)
	f("from=2026-03-28&to=2026-03-31", 24, 23, 24)
}

// The groups of a time go along the clock of the zone over its changes, weeks from Monday
// to Monday.
func TestTimeGroups(t *testing.T) {
	f := func(query string, length int64, first string, hours ...int64) {
		t.Helper()
		_, rg := request(t, query+"&tz=Europe/Berlin")
		groups := rg.each(length)
		if got := time.Unix(groups.Times[0], 0).In(rg.Location).Format("Mon 2006-01-02 15:04"); got != first {
			t.Errorf("%s: begins at %s, want %s", query, got, first)
		}
		var got []int64
		for i := range groups.Times {
			got = append(got, groups.covered(i)/3600)
		}
		if !slices.Equal(got, hours) {
			t.Errorf("%s: hours %v, want %v", query, got, hours)
		}
	}
	f("from=2026-10-24&to=2026-10-27", 86400, "Sat 2026-10-24 00:00", 24, 25, 24)
	f("from=2026-10-24T06:00&to=2026-10-26", 43200, "Sat 2026-10-24 00:00", 6, 12, 13, 12)
	f("from=2026-10-14&to=2026-10-28", 7*86400, "Mon 2026-10-12 00:00", 5*24, 7*24+1, 2*24)
	f("from=2026-03-28&to=2026-03-31", 2*86400, "Fri 2026-03-27 00:00", 24, 47)
	f("from=2026-03-29&to=2026-03-29T04:00", 3600, "Sun 2026-03-29 00:00", 1, 1, 1)
}

// Rows in another order give the same series in the same order, down to sums of floats
// over directions.
func TestAssembleOrder(t *testing.T) {
	r, rg := request(t, "by=src.as&rank=p95&rankdir=sum&unit=fps&from=1790000005&to=1790000035&step=10")
	var want []string
	for turn := range 4 {
		var rows rowsOf
		for i := range 9 {
			i = (i*[]int{1, 2, 4, 5}[turn] + turn) % 9
			dir, key := []string{"in", "out", "internal"}[i/3], []string{"174", "3356", "2906"}[i%3]
			rows.add(1790000010, dir, true, 3, []string{key}, []uint64{1, 2, 3}[(i/3+i%3)%3], 1, 1)
		}
		res, err := Assemble(r, rg, rows.Rows, Schema{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range res.Series {
			got = append(got, s.Dir+" "+s.Key[0])
		}
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("turn %d: %q, at first %q", turn, got, want)
		}
	}
}

func TestAssemble(t *testing.T) {
	r, rg := request(t, "by=src.as&from=1790000005&to=1790000035&step=10")
	if len(rg.Times) != 4 || !rg.FirstPartial || !rg.LastPartial {
		t.Fatalf("%+v", rg)
	}
	var rows rowsOf
	rows.add(1790000000, "in", true, 9, []string{"174"}, 1000, 1000, 1)
	rows.add(1790000010, "in", true, 9, []string{"174"}, 4000, 4000, 4)
	rows.add(1790000020, "in", true, 9, []string{"174"}, 2000, 2000, 2)
	rows.add(1790000030, "in", true, 9, []string{"174"}, 9000, 9000, 9)
	rows.add(1790000010, "in", true, 9, []string{"3356"}, 20000, 20000, 20)
	rows.add(1790000010, "in", false, 0, []string{"0"}, 500, 500, 1)
	rows.add(1790000030, "out", true, 1, []string{"174"}, 100, 100, 1)
	got, err := Assemble(r, rg, rows.Rows, Schema{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(got, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "testdata/assemble.json", append(text, '\n'))

	if s := got.Series[0]; s.Key[0] != "3356" || s.Max != 16000 || s.Last != 0 || s.Total != 20000 {
		t.Errorf("the first series is %+v", s)
	}
	if s := got.Series[1]; s.Max != 3200 || s.Last != 1600 {
		t.Errorf("buckets that the window cuts count: %+v", s)
	}
	if s := got.Series[2]; !s.Other || s.Folded != 7 || got.Other != 7 {
		t.Errorf("other is %+v, %d", s, got.Other)
	}
}

// TestSumIsTotal adds up random rows: the series with Other are the total, in the
// figures and in each bucket.
func TestSumIsTotal(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, query := range []string{"by=src.as,proto&from=-10m", "by=src.as,proto&from=-10m&rankdir=sum&rank=max", "by=src.as,proto&unit=pps&rank=p95&from=-2d&tz=Europe/Berlin&step=7200", "by=src.as,proto&unit=bytes&rank=last&from=-77s&step=10"} {
		r, rg := request(t, query)
		var rows rowsOf
		want := map[string]uint64{}
		for _, at := range rg.Times {
			for _, dir := range []string{"unknown", "out", "in"} {
				for range rnd.IntN(6) {
					v := rnd.Uint64N(1e12)
					want[dir] += v
					key := fmt.Sprint(rnd.IntN(4))
					rows.add(at, dir, key != "0", 10, []string{key, "6"}, v, v/1000, v/1e6)
				}
			}
		}
		got, err := Assemble(r, rg, rows.Rows, Schema{})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Dirs, []string{"in", "out", "unknown"}) {
			t.Errorf("dirs %v", got.Dirs)
		}
		sums := map[string]uint64{}
		points := map[string]Points{}
		share := map[string]float64{}
		for i, s := range got.Series {
			sums[s.Dir] += s.Total
			share[s.Dir] += s.Share
			if points[s.Dir] == nil {
				points[s.Dir] = make(Points, len(rg.Times))
			}
			for j, v := range s.Values {
				points[s.Dir][j] += v
			}
			if i > 0 && got.Series[i-1].Dir == s.Dir && got.Series[i-1].Other {
				t.Errorf("%s: Other of %s is not the last", query, s.Dir)
			}
		}
		for _, total := range got.Total {
			if total.Total != want[total.Dir] || sums[total.Dir] != want[total.Dir] {
				t.Errorf("%s %s: total %d, sum of series %d, want %d", query, total.Dir, total.Total, sums[total.Dir], want[total.Dir])
			}
			if math.Abs(share[total.Dir]-1) > 1e-9 {
				t.Errorf("%s %s: the shares are %v together", query, total.Dir, share[total.Dir])
			}
			for j, v := range total.Values {
				if math.Abs(v-points[total.Dir][j]) > 1e-6*v {
					t.Errorf("%s %s: bucket %d is %v, the series make %v", query, total.Dir, j, v, points[total.Dir][j])
				}
			}
		}
	}
}

func TestAssembleRefuses(t *testing.T) {
	r, rg := request(t, "by=src.as&from=-10s")
	var rows rowsOf
	rows.add(5, "in", true, 1, []string{"1"}, 1, 1, 1)
	if _, err := Assemble(r, rg, rows.Rows, Schema{}); err == nil {
		t.Error("a bucket that is not there is taken")
	}
	rows = rowsOf{}
	rows.add(rg.Times[0], "in", true, 1, []string{"1"}, 1, 1, 1)
	rows.Keys = nil
	if _, err := Assemble(r, rg, rows.Rows, Schema{}); err == nil {
		t.Error("missing keys are taken")
	}
	if res, err := Assemble(r, rg, Rows{}, Schema{}); err != nil || len(res.Series) != 0 {
		t.Errorf("no rows: %v %v", res, err)
	}
}

func TestPoints(t *testing.T) {
	f := func(p Points, want string) {
		t.Helper()
		got, err := json.Marshal(p)
		if err != nil || string(got) != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
		var back []float64
		if err := json.Unmarshal(got, &back); err != nil {
			t.Errorf("%s: %v", got, err)
		}
		for i, v := range back {
			if !math.IsNaN(p[i]) && !math.IsInf(p[i], 0) && math.Abs(v-p[i]) > 0.00051*math.Abs(p[i]) {
				t.Errorf("%v is written as %v", p[i], v)
			}
		}
	}
	f(Points{}, "[]")
	f(Points{0, 1, 5, 10, 999, 1000, 1234, 12345, 999949, 999950, 1000000, 123456789}, "[0,1,5,10,999,1000,1234,12350,999900,1e+06,1e+06,1.235e+08]")
	f(Points{0.5, 1.2345, 99.999, math.NaN(), math.Inf(1)}, "[0.5,1.234,100,0,0]")
}

func TestError95(t *testing.T) {
	// sflow.org/packetSamplingBasics: 1,000 of the samples are of the class.
	r, rg := request(t, "from=1790000000&to=1790000010&step=10")
	rows := Rows{Time: []uint32{1790000000}, Dir: []string{"in"}, Top: []uint8{1}, Groups: []uint64{1}, Value: []uint64{1}, N: []uint64{1000},
		Packets: []float64{1000 * 1e6}, Variance: []float64{1000 * 1e6 * (1e6 - 1)}}
	res, err := Assemble(r, rg, rows, Schema{})
	if err != nil {
		t.Fatal(err)
	}
	if e := res.Series[0].Error; e == nil || math.Abs(*e-0.0620) > 0.0001 {
		t.Errorf("error %v, want 6.2 %%", e)
	}
	rows.Packets[0], rows.Variance[0] = 1000, 0 // not sampled
	if res, _ = Assemble(r, rg, rows, Schema{}); res.Series[0].Error != nil {
		t.Errorf("error %v of what was not sampled", *res.Series[0].Error)
	}
}

// What the catalogue calls groupable goes with by=, and nothing else does.
func TestGroupable(t *testing.T) {
	for _, f := range filter.Catalogue() {
		if _, err := parseDim("by", f.Name); (err == nil) != f.Groupable {
			t.Errorf("%s: groupable is %v, by= says %v", f.Name, f.Groupable, err)
		}
	}
}

func TestValues(t *testing.T) {
	for _, name := range []string{"src.as", "as", "remote.ip", "port", "in.if", "if", "exporter", "src.country", "mac", "proto"} {
		if _, ok := Values(name, Schema{}); !ok {
			t.Errorf("%s has no values", name)
		}
	}
	for _, name := range []string{"bytes", "bps", "nothing", "'; --"} {
		if _, ok := Values(name, Schema{}); ok {
			t.Errorf("%s has values", name)
		}
	}
	f := func(name string, keys, labels []string, want filter.Item) {
		t.Helper()
		q, _ := Values(name, Schema{})
		got := q.Items([][]string{keys}, [][]string{labels}, []float64{3.1e10}, Schema{})
		if len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	f("src.as", []string{"2906"}, nil, filter.Item{Insert: "2906 ", Label: "2906", Kind: "value", Detail: "AS2906 · 31 Gb/s"})
	f("mac", []string{"73588229205"}, nil, filter.Item{Insert: "00:11:22:33:44:55 ", Label: "00:11:22:33:44:55", Kind: "value", Detail: "31 Gb/s"})
	f("exporter", []string{"::ffff:192.0.2.1"}, []string{"fra1"}, filter.Item{Insert: "192.0.2.1 ", Label: "192.0.2.1", Kind: "value", Detail: "fra1 · 31 Gb/s"})
}

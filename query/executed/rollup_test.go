package executed

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"netmeta/access"
	"netmeta/column"
	"netmeta/filter"
	"netmeta/flow"
	"netmeta/internal/enginetest"
	"netmeta/query"
	"netmeta/store"
)

// rolledTable makes a flows table and its rollups and fills them by several inserts, and
// with more by SQL. A minute or an hour with more than 6,500 sums is folded, if these are
// more than a tenth of its flows.
func rolledTable(t *testing.T, rows int, more ...string) *store.Client {
	t.Helper()
	w, reader := enginetest.Clients(t)
	s := store.Schema{Table: &flow.Table, Columns: []string{"all"}, RollupDays: map[int64]int{60: 0, 3600: 0}}
	if err := store.Migrate(t.Context(), w, s, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(13, 17))
	const inserts = 5
	for i := range inserts {
		b := flow.Table.NewBatch(rows / inserts)
		for range rows / inserts {
			fill(rnd, b, b.Add(), true)
		}
		insert(t, w, b, fmt.Sprint(i))
	}
	for _, sql := range more {
		if err := w.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	enginetest.RollWith(t, &store.Roller{Client: w, Schema: func() store.Schema { return s }, Owner: "test", Log: slog.New(slog.DiscardHandler), Floor: 6500}, now.Unix())
	return reader
}

// rollupsOf asks the store which rollups there are, as the API does.
func rollupsOf(t *testing.T, reader *store.Client) []query.Rollup {
	t.Helper()
	res, _, err := reader.Select(t.Context(), store.Query{SQL: query.RollupState(access.Everything).SQL})
	if err != nil {
		t.Fatal(err)
	}
	if res.Rows == 0 {
		return nil
	}
	list := query.RollupsOf(res.Columns[0].([]string), res.Columns[1].([]uint32), res.Columns[2].([]uint32))
	if res, _, err = reader.Select(t.Context(), store.Query{SQL: query.FoldedState(access.Everything).SQL}); err != nil {
		t.Fatal(err)
	}
	if res.Rows > 0 {
		query.SetFolded(list, res.Columns[0].([]string), res.Columns[1].([]uint32), res.Columns[2].([]uint64))
	}
	return list
}

// resolved is the request of a URL and its time.
func resolved(t *testing.T, q string) (query.Request, query.Range) {
	t.Helper()
	v, err := url.ParseQuery(q)
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := query.ParseURL(v)
	if err != nil {
		t.Fatal(err)
	}
	rg, err := r.Resolve(now)
	if err != nil {
		t.Fatal(err)
	}
	return r, rg
}

// answer is what a request gives under a schema.
func answer(t *testing.T, reader *store.Client, q string, s query.Schema) (query.Statement, query.Rows, query.Result) {
	t.Helper()
	r, rg := resolved(t, q)
	st, err := r.Series(rg, s)
	if err != nil {
		t.Fatal(err)
	}
	res, _, err := reader.Select(t.Context(), store.Query{SQL: st.SQL, Params: st.Params})
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%v", q, err, st.SQL, st.Params)
	}
	var rows query.Rows
	for i, name := range res.Names {
		if err := rows.Set(name, res.Columns[i]); err != nil {
			t.Fatal(err)
		}
	}
	result, err := query.Assemble(r, rg, rows, query.Schema{})
	if err != nil {
		t.Fatal(err)
	}
	return st, rows, result
}

// unlike are flows of one minute whose columns hardly repeat.
func unlike(minute time.Time, columns, values string) string {
	return fmt.Sprintf("INSERT INTO flows (TimeReceived, Bytes, Packets, SamplingRate, %s) SELECT %d + number %% 60, 64 + number %% 1400, 1, 10, %s FROM numbers(20000)", columns, minute.Unix(), values)
}

// TestRollupsAgree asks random questions of the flows alone and with the rollups: the
// answers are the same, also of minutes that the rollups have not whole.
func TestRollupsAgree(t *testing.T) {
	begin := now.Truncate(time.Hour)
	reader := rolledTable(t, 30_000,
		unlike(begin.Add(-115*time.Minute), "SrcAS, DstAS", "rand32(1), rand32(2)"),
		unlike(begin.Add(-50*time.Minute), "InIf, OutIf", "rand32(1), rand32(2)"),
		unlike(begin.Add(-48*time.Minute), "InIf, OutIf", "rand32(3), rand32(4)"),
		unlike(begin.Add(-20*time.Hour), "SrcAS, DstAS, Proto, EType, InIf", "rand32(1), rand32(2), rand32(3) % 256, rand32(4) % 65536, rand32(5) % 4000"),
	)
	rollups := rollupsOf(t, reader)
	folded := map[string]int{}
	for i, r := range rollups {
		folded[r.Table], rollups[i].Folded = len(r.Folded), nil
	}
	if want := map[string]int{"rollup_1m": 4, "rollup_1m_as": 2, "rollup_1m_if": 2, "rollup_1m_net": 1, "rollup_1h": 2}; !reflect.DeepEqual(folded, want) {
		t.Errorf("folded times %v, want %v", folded, want)
	}
	hour, minute := now.Truncate(time.Hour).Unix(), now.Truncate(time.Minute).Unix()
	var want []query.Rollup
	for _, r := range flow.Table.Rollups {
		want = append(want, query.Rollup{Table: r.Name, Step: r.Step, Until: map[int64]int64{60: minute, 3600: hour}[r.Step]})
	}
	if !reflect.DeepEqual(rollups, want) {
		t.Fatalf("rollups %+v, want %+v", rollups, want)
	}
	rollups = rollupsOf(t, reader)
	rnd := rand.New(rand.NewPCG(19, 23))
	by := []string{"", "src.as", "dst.as", "remote.as", "local.as,direction", "proto", "exporter", "in.if", "out.if,src.as", "src.country", "remote.country,in.boundary", "in.provider", "src.netname", "dst.nettenant", "etype,type", "exportersite", "sampling",
		"src.as,dst.as", "proto,etype", "direction", "src.country,proto",
		"dst.port", "src.ip", "dscp", "flags", "src.city", "app"}
	filters := []string{"", "tcp", "src as 174", "as 64500 or as 15169", "not udp", "remote as in [174, 3356]", "exporter = 192.0.2.1", "in if 5", "country DE", "src country != FR", "direction in", `netname ~ "cust"`, "in.boundary = external", "sampling > 1", "@empty",
		"port 53", "ip 10.0.0.1", "bytes > 1000", "bps > 1", `"Cogent"`, "@dns", "dscp ef", "ttl 3", "src ip = dst ip"}
	used := map[string]int{}
	asks := enginetest.Times(300)
	for range asks {
		v := url.Values{}
		to := now.Unix() - rnd.Int64N(2*3600)
		from := to - 60 - rnd.Int64N(4*3600)
		switch rnd.IntN(4) { // bounds on a minute or an hour, and whole days
		case 0:
			from -= from % 60
		case 1:
			from, to = from-from%3600, to-to%3600+3600
		case 2:
			from, to = now.Unix()-86400*(1+rnd.Int64N(2)), now.Unix()
		}
		v.Set("from", fmt.Sprint(from))
		v.Set("to", fmt.Sprint(to))
		if step := pick(rnd, 0, 0, 60, 90, 300, 1800, 3600, 7200, 14400, 86400); step > 0 {
			v.Set("step", fmt.Sprint(step))
		} else {
			v.Set("px", fmt.Sprint(pick(rnd, 3, 10, 50, 200)))
		}
		for key, value := range map[string]string{
			"tz":      pick(rnd, "", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York"),
			"unit":    pick(rnd, "", "pps", "fps", "bytes", "packets", "flows", "bpp"),
			"layer":   pick(rnd, "", "l2", "l1"),
			"rank":    pick(rnd, "", "max", "last", "p95"),
			"rankdir": pick(rnd, "", "sum"),
			"dir":     pick(rnd, "", "", "in", "out", "sum"),
			"by":      pick(rnd, by...),
			"q":       pick(rnd, filters...),
			"n":       pick(rnd, "2", "5", "50"),
			"vs":      pick(rnd, "", "", "", "prev", "-1h", "-90m", "band4w"),
			"agg":     pick(rnd, "", "", "", "", "", "peak"),
		} {
			if value != "" {
				v.Set(key, value)
			}
		}
		if v.Get("vs") != "" && rnd.IntN(2) == 0 {
			v.Set("rank", "delta")
		}
		if v.Get("unit") == "bpp" {
			v.Del("agg")
		}
		q := v.Encode()
		raw, want, wantResult := answer(t, reader, q, query.Schema{Names: filter.Names{Macros: macros}, Once: true})
		asked := slices.Clone(rollups)
		if rnd.IntN(4) == 0 { // flows came late
			for i := range asked {
				asked[i].Stale = [][2]int64{{hour - 3*3600, hour - 2*3600}, {hour - 3600, hour}}
			}
		}
		rolled, got, gotResult := answer(t, reader, q, query.Schema{Names: filter.Names{Macros: macros}, Rollups: asked})
		if !slices.Equal(raw.Tables, []string{"flows"}) {
			t.Fatalf("%s: without rollups it reads %v", q, raw.Tables)
		}
		for _, table := range rolled.Tables {
			used[table]++
		}
		used[strings.Join(rolled.Tables, "+")]++
		sameRows(t, q, rolled, want, got)
		if want, got := shape(t, wantResult), shape(t, gotResult); want != got {
			t.Errorf("%s: another result from %v:\n%s\n%s", q, rolled.Tables, want, got)
		}
		if t.Failed() {
			t.Fatalf("%s\n%v", rolled.SQL, rolled.Params)
		}
		if v.Get("unit") != "bpp" && rnd.IntN(3) == 0 {
			want, got := facets(t, reader, q, query.Schema{Names: filter.Names{Macros: macros}}), facets(t, reader, q, query.Schema{Names: filter.Names{Macros: macros}, Rollups: asked})
			if want != got {
				t.Fatalf("facets of %s by the flows and with rollups:\n%s\n%s", q, want, got)
			}
		}
	}
	t.Log(used)
	for _, table := range append(flow.Table.Rollups, column.Rollup{Name: "flows"}) {
		if used[table.Name] < asks/40 {
			t.Errorf("%s was asked %d times of %d", table.Name, used[table.Name], asks)
		}
	}
}

// facets are lists of the largest values under a schema, as JSON.
func facets(t *testing.T, reader *store.Client, q string, s query.Schema) string {
	t.Helper()
	r, rg := resolved(t, q)
	fq, err := r.Facets(rg, s, "src.as,in.if,exporter,remote.country,src.netname,proto,type,dst.as/in.boundary,dst.port")
	if err != nil {
		t.Fatal(err)
	}
	res, _, err := reader.Select(t.Context(), store.Query{SQL: fq.SQL, Params: fq.Params})
	if err != nil {
		t.Fatalf("%s: %v\n%s", q, err, fq.SQL)
	}
	if res.Rows == 0 {
		return "none"
	}
	n := func(name string) []uint64 { return res.Column(name).([]uint64) }
	lists, total, err := fq.Read(query.FacetRows{
		Facet: res.Column("facet").([]uint8), Keys: res.Column("keys").([][]string), Labels: res.Column("labels").([][]string),
		Total: n("total"), Distinct: n("distinct"), Whole: n("whole"),
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(lists)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", total, text)
}

// shape is the JSON of a result, without the digits that depend on the order in which
// floats were added up, and without labels: of a group whose names changed it has any.
func shape(t *testing.T, r query.Result) string {
	t.Helper()
	for i := range r.Series {
		s := &r.Series[i]
		s.Label = nil
		if s.Error != nil {
			*s.Error = math.Round(*s.Error*1e9) / 1e9
		}
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sameRows compares rows in any order, all columns exactly but the variance.
func sameRows(t *testing.T, q string, st query.Statement, want, got query.Rows) {
	t.Helper()
	type row struct {
		t                 uint32
		dir, keys, labels string
		top, w            uint8
		groups            uint64
		value, n          uint64
		packets           float64
		peak, edge        uint64
	}
	sorted := func(r query.Rows) ([]row, map[row]float64) {
		list, variance := make([]row, len(r.Time)), map[row]float64{}
		for i := range list {
			x := row{t: r.Time[i], dir: r.Dir[i], top: r.Top[i], groups: r.Groups[i], value: r.Value[i], packets: r.Packets[i], n: r.N[i]}
			if len(r.Window) > 0 {
				x.w = r.Window[i]
			}
			if len(r.Peak) > 0 {
				x.peak, x.edge = r.Peak[i], r.Edge[i]
			}
			for _, k := range r.Keys {
				x.keys += k[i] + "\x00"
			}
			for _, l := range r.Labels {
				x.labels += l[i] + "\x00"
			}
			if x.top == 0 {
				x.keys, x.labels = "", "" // mean nothing
			}
			list[i], variance[x] = x, r.Variance[i]
		}
		slices.SortFunc(list, func(a, b row) int {
			return cmp.Or(cmp.Compare(a.w, b.w), cmp.Compare(a.t, b.t), strings.Compare(a.dir, b.dir), cmp.Compare(a.top, b.top), strings.Compare(a.keys, b.keys))
		})
		return list, variance
	}
	a, va := sorted(want)
	b, vb := sorted(got)
	if !slices.Equal(a, b) {
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Errorf("%s: flows %+v, %v %+v", q, a[i], st.Tables, b[i])
				return
			}
		}
		t.Errorf("%s: %d rows of flows, %d of %v", q, len(a), len(b), st.Tables)
	}
	for x, v := range va {
		if math.Abs(v-vb[x]) > 1e-9*math.Abs(v) {
			t.Errorf("%s: variance %v of flows, %v of %v", q, v, vb[x], st.Tables)
		}
	}
}

// A rollup answers for what it has whole alone.
func TestRollupsSince(t *testing.T) {
	reader := rolledTable(t, 20_000)
	hour := now.Truncate(time.Hour).Unix()
	for _, q := range []string{"from=-5h&step=3600&by=src.as", "from=-4h&step=60", "from=-3h&step=300&by=proto"} {
		for _, since := range []int64{0, hour - 4*3600, hour - 2*3600, hour + 3600} {
			rollups := []query.Rollup{{Table: "rollup_1m", Step: 60, Since: since + 600, Until: hour}, {Table: "rollup_1h", Step: 3600, Since: since, Until: hour}}
			_, want, _ := answer(t, reader, q, query.Schema{})
			st, got, _ := answer(t, reader, q, query.Schema{Rollups: rollups})
			sameRows(t, q, st, want, got)
			if since > hour && !slices.Equal(st.Tables, []string{"flows"}) {
				t.Errorf("%s: %v answer for what they do not have", q, st.Tables)
			}
			if since == hour-2*3600 && (len(st.Tables) < 2 || !slices.Contains(st.Tables, "flows")) {
				t.Errorf("%s: only %v answer", q, st.Tables)
			}
		}
	}
}

// Of a time from which the flows are gone the rollups answer, and the answer says so.
func TestRollupsAlone(t *testing.T) {
	w, reader := enginetest.Clients(t)
	s := store.Schema{Table: &flow.Table, RollupDays: map[int64]int{60: 0, 3600: 0}}
	if err := store.Migrate(t.Context(), w, s, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	hour := now.Truncate(time.Hour)
	for i := range 4 {
		sql := fmt.Sprintf("INSERT INTO flows (TimeReceived, SamplingRate, Bytes, Packets) VALUES (%d, 10, 1000, 1)", hour.Unix()-int64(i)*3600+60)
		if err := w.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	enginetest.Roll(t, w, s, hour.Unix()+3600)
	if err := w.Exec(t.Context(), fmt.Sprintf("ALTER TABLE flows DROP PARTITION %d", hour.Unix()-3*3600)); err != nil {
		t.Fatal(err)
	}
	rollups := rollupsOf(t, reader)
	st, rows, _ := answer(t, reader, "from=-6h&step=3600&unit=bytes&dir=sum", query.Schema{Rollups: rollups, Oldest: hour.Unix() - 2*3600 + 60})
	var total uint64
	for _, v := range rows.Value {
		total += v
	}
	if total != 4*10_000 {
		t.Errorf("%d bytes, want those of four hours", total)
	}
	want := "flows from before 2026-11-23 10:01 have expired; that part comes from rollup_1h"
	if !slices.Contains(st.Notes, want) {
		t.Errorf("notes %q", st.Notes)
	}

	// A store that has never known more says that: nothing is gone.
	young := query.Schema{Rollups: rollups, Oldest: hour.Unix() - 2*3600 + 60, First: hour.Unix() - 2*3600}
	st, _, _ = answer(t, reader, "from=-6h&step=3600&unit=bytes&dir=sum", young)
	want = "the oldest record is of 2026-11-23 10:01: averages count the time before as nothing"
	if !slices.Equal(st.Notes, []string{want}) {
		t.Errorf("notes %q, want %q", st.Notes, want)
	}
	if st, _, _ = answer(t, reader, "from=-125m&step=60&unit=bytes&dir=sum&by=src.ip", young); len(st.Notes) != 0 {
		t.Errorf("of a window that is nearly full it says %q", st.Notes)
	}

}

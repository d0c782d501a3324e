package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/counter"
	"netmeta/event"
	"netmeta/filter"
	"netmeta/flow"
	"netmeta/internal/enginetest"
	"netmeta/native"
	"netmeta/query"
	"netmeta/sender"
	"netmeta/store"
	"netmeta/view"
)

// serverFor is a server over a store, with a process that knows a little of itself.
func serverFor(c *store.Client, now time.Time) *Server {
	s := &Server{
		Store:   c,
		Process: &process{now: now},
		Control: control{},
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4")
			io.WriteString(w, "netmeta_flows_total 1\n")
		}),
		Page: http.NotFoundHandler(),
		Log:  slog.New(slog.DiscardHandler),
		Now:  func() time.Time { return now },
	}
	s.Configure(Settings{
		Hosts:  []string{"example.com"}, // that httptest asks for
		Schema: query.Schema{Names: filter.Names{Macros: map[string]string{"web": "port in [80, 443]"}}},
	})
	return s
}

// reconfigure changes the settings of a server, as a reload does.
func reconfigure(s *Server, change func(*Settings)) {
	next := s.settings().Settings
	change(&next)
	s.Configure(next)
}

// A process knows a little of itself, and what a test makes it say.
type process struct {
	now       time.Time
	exporters []Exporter // nil: one
	samplings map[string][]Sampling
	undecoded map[string]*Sample
	stale     [][2]int64
	notKnown  error // what is stale
	notReady  error
}

func (p *process) Status() Status {
	now := p.now.Unix()
	exporters := p.exporters
	if exporters == nil {
		exporters = []Exporter{{Address: "192.0.2.1", Type: "ipfix", Standing: "new", SamplingSource: "options"}}
	}
	return Status{Version: "test", Started: now - 60, Now: now,
		Listeners: []Listener{{Addr: "127.0.0.1:2055", Kind: "NetFlow", Datagrams: 3, Bytes: 400, Sockets: []Socket{{Datagrams: 3, Bytes: 400, Queued: 2304, Buffer: 425984}}}},
		Drops:     []Drop{{Where: "decode", Reason: "no template", Count: 1, Hint: "wait"}},
		Enrich:    []EnrichTable{{Name: "networks", Entries: 2, Loaded: 1, Source: "configuration"}},
		Exporters: exporters,
		Ignored:   []Ignored{{Address: "192.0.2.77", Since: now - 3600, Datagrams: 7, Last: now}}}
}

func (p *process) Samplings() map[string][]Sampling                 { return p.samplings }
func (p *process) Undecoded() map[string]*Sample                    { return p.undecoded }
func (p *process) KeepFree() store.DiskShare                        { return store.DiskShare{} }
func (p *process) StaleRollups(context.Context) ([][2]int64, error) { return p.stale, p.notKnown }
func (p *process) Ready(context.Context) error                      { return p.notReady }

// A control does nothing and says that it did.
type control struct{}

func (control) Config() any {
	return map[string]any{"data": "./data", "http": Default()}
}

func (control) Reload() (ReloadResult, error) {
	return ReloadResult{Applied: []string{"http.hosts"}, Restart: []string{"data"}}, nil
}

func (control) SetDemo(bool) error { return nil }

func empty(t testing.TB) (s *Server, w *store.Client) {
	t.Helper()
	w, r := enginetest.Clients(t)
	makeTables(t, w)
	return over(t, w, r, time.Now().Truncate(time.Second)), w
}

// makeTables makes the tables of flows, counters and events.
func makeTables(t testing.TB, w *store.Client) {
	t.Helper()
	for _, schema := range []store.Schema{{Table: &flow.Table, RollupDays: map[int64]int{60: 0, 3600: 0}}, {Table: &counter.Table}} {
		if err := store.Migrate(t.Context(), w, schema, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Migrate(t.Context(), w, store.Schema{Table: &event.Table}, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
}

// over is a server over a store, at a time, with files of its own.
func over(t testing.TB, w, r *store.Client, now time.Time) *Server {
	t.Helper()
	s := serverFor(r, now)
	s.Writer = w
	var err error
	if s.Links, err = view.OpenLinks(filepath.Join(t.TempDir(), "links")); err != nil {
		t.Fatal(err)
	}
	if s.Views, err = view.Open(filepath.Join(t.TempDir(), "views.json")); err != nil {
		t.Fatal(err)
	}
	if s.Senders, err = sender.Open(filepath.Join(t.TempDir(), "senders.json")); err != nil {
		t.Fatal(err)
	}
	return s
}

const seedRows = 6000

// seeds are the rows of all servers that seeded returns.
var seeds struct {
	fill           sync.Once
	writer, reader *store.Client
	at             time.Time
}

// seeded is a server over flows of the last two hours, of every direction and
// sampling rate, and one flow to port 9999 six hours ago. Tests share the rows and only read them.
func seeded(t testing.TB) *Server {
	t.Helper()
	seeds.fill.Do(func() {
		w, r := enginetest.Kept(t)
		makeTables(t, w)
		at := time.Now().Truncate(time.Second)
		seed(t, over(t, w, r, at), w)
		seeds.writer, seeds.reader, seeds.at = w, r, at
	})
	if seeds.writer == nil {
		t.Fatal("the rows of another test are missing")
	}
	return over(t, seeds.writer, seeds.reader, seeds.at)
}

// seededAlone is a server over the same rows, whose store no other test has used.
func seededAlone(t testing.TB) *Server {
	t.Helper()
	s, w := empty(t)
	seed(t, s, w)
	return s
}

// seed inserts the rows of seeded and rolls them up.
func seed(t testing.TB, s *Server, w *store.Client) {
	t.Helper()
	r := rand.New(rand.NewPCG(2, 2))
	b := flow.Table.NewBatch(seedRows)
	address := func(n int) column.Addr {
		if r.IntN(3) == 0 {
			return column.Addr{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 15: byte(r.IntN(n))}
		}
		return column.AddrFrom4([4]byte{192, 0, 2, byte(r.IntN(n))})
	}
	for range seedRows - 1 {
		row := b.Add()
		flow.TimeReceived.Set(b, row, uint32(s.now().Unix()-int64(r.IntN(7200))))
		flow.ExporterAddress.Set(b, row, column.AddrFrom4([4]byte{203, 0, 113, byte(1 + r.IntN(2))}))
		flow.SamplingRate.Set(b, row, []uint32{1, 100, 1024}[r.IntN(3)])
		flow.FlowType.Set(b, row, []uint8{flow.TypeSFlow, flow.TypeIPFIX}[r.IntN(2)])
		flow.Packets.Set(b, row, 1+uint64(r.IntN(20)))
		flow.Bytes.Set(b, row, 40+uint64(r.ExpFloat64()*5000))
		flow.SrcAddr.Set(b, row, address(30))
		flow.DstAddr.Set(b, row, address(30))
		flow.EType.Set(b, row, []uint16{flow.EtherTypeIPv4, flow.EtherTypeIPv6}[r.IntN(2)])
		flow.Proto.Set(b, row, []uint8{6, 17, 1}[r.IntN(3)])
		flow.SrcPort.Set(b, row, []uint16{53, 80, 443, 40000}[r.IntN(4)])
		flow.DstPort.Set(b, row, []uint16{53, 80, 443, 40000}[r.IntN(4)])
		flow.SrcAS.Set(b, row, uint32(64500+r.IntN(40)))
		flow.DstAS.Set(b, row, uint32(64500+r.IntN(5)))
		flow.InIf.Set(b, row, uint32(r.IntN(6)))
		flow.OutIf.Set(b, row, uint32(r.IntN(6)))
		flow.Direction.Set(b, row, uint8(r.IntN(5)))
		if r.IntN(2) == 0 {
			flow.InIfName.Set(b, row, column.LabelOf(fmt.Sprint("ge-0/0/", flow.InIf.At(b, row))))
		}
		// Half of the rows say the speed of an interface; those of 4 say nothing for the last hour, those of 5 never do.
		if i := flow.InIf.At(b, row); i > 0 && i < 5 && (i < 4 || int64(flow.TimeReceived.At(b, row)) < s.now().Unix()-3600) && r.IntN(2) == 0 {
			flow.InIfSpeed.Set(b, row, uint64(i)*1_000_000)
		}
	}
	old := b.Add()
	flow.TimeReceived.Set(b, old, uint32(s.now().Unix()-6*3600))
	flow.SamplingRate.Set(b, old, 1)
	flow.Bytes.Set(b, old, 100)
	flow.Packets.Set(b, old, 1)
	flow.DstPort.Set(b, old, 9999)
	var e native.Encoder
	queue := make(chan native.Block, 1)
	queue <- e.Encode(b)
	close(queue)
	spool, err := store.OpenSpool(t.TempDir(), store.DiskShare{}, []*column.Table{&flow.Table}, s.Log)
	if err != nil {
		t.Fatal(err)
	}
	defer spool.Close()
	schema := store.Schema{Table: &flow.Table, RollupDays: map[int64]int{60: 0, 3600: 0}}
	writer := &store.Writer{Inserter: store.NewTables(w, []store.Schema{schema}, s.Log), Tables: []*column.Table{&flow.Table}, Spool: spool, Log: s.Log}
	if err := writer.Run(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
	enginetest.Roll(t, w, schema, s.now().Unix())
}

// result is the answer of /api/v1/query.
type result struct {
	query.Result
	Meta Meta `json:"meta"`
}

// ask sends a request, checks the answer against the description and decodes it.
func ask(t testing.TB, h http.Handler, method, target, body string, status int, v any) {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(method, target, strings.NewReader(body)))
	if rec.Code != status {
		t.Errorf("%s %.200s: %d %.300s, want %d", method, target, rec.Code, rec.Body, status)
		return
	}
	path, _, _ := strings.Cut(target, "?")
	description(t).answer(t, method, path, rec)
	if err := json.Unmarshal(rec.Body.Bytes(), v); err != nil {
		t.Errorf("%s %.200s: %v", method, target, err)
	}
}

// conditions are filters with the same said in SQL by hand.
var conditions = []struct{ filter, sql string }{
	{"", "1"},
	{"tcp", "Proto = 6"},
	{"src port 443", "SrcPort = 443"},
	{"port in [53, 80] and not udp", "(SrcPort IN (53, 80) OR DstPort IN (53, 80)) AND Proto != 17"},
	{"as = 64501", "(SrcAS = 64501 OR DstAS = 64501)"},
	{"remote.as < 64510", "if(Direction = 'out', DstAS, SrcAS) < 64510"},
	{"net 192.0.2.0/28", "(SrcAddr BETWEEN toIPv6('192.0.2.0') AND toIPv6('192.0.2.15') OR DstAddr BETWEEN toIPv6('192.0.2.0') AND toIPv6('192.0.2.15'))"},
	{"src net 2001:db8::/32", "SrcAddr >= toIPv6('2001:db8::') AND SrcAddr < toIPv6('2001:db9::')"},
	{"exporter = 203.0.113.2 and in if 3", "ExporterAddress = toIPv6('203.0.113.2') AND InIf = 3"},
	{`in.if = "ge-0/0/2"`, "InIfName = 'ge-0/0/2'"},
	{"bytes > 3000 or packets = 1", "Bytes > 3000 OR Packets = 1"},
	{"vni = 7 or src.country = DE", "0"}, // rare columns that the table has not
	{"vni = 0", "1"},
	{"ip6 and @web", "EType = 34525 AND (SrcPort IN (80, 443) OR DstPort IN (80, 443))"},
}

// direct are the sums of a statement written by hand: by direction and bucket.
type direct map[string]map[int64]uint64

func (d direct) total(dir string) (n uint64) {
	for _, v := range d[dir] {
		n += v
	}
	return n
}

func directly(t testing.TB, c *store.Client, expr, dir, bucket, where string, from, to int64) direct {
	t.Helper()
	return aggregated(t, c, "sum("+expr+")", dir, bucket, where, from, to)
}

func aggregated(t testing.TB, c *store.Client, aggregate, dir, bucket, where string, from, to int64) direct {
	t.Helper()
	res, _, err := c.Select(t.Context(), store.Query{SQL: fmt.Sprintf(
		"SELECT toString(%s) AS d, toUInt32(%s) AS t, %s FROM flows WHERE toUnixTimestamp(TimeReceived) >= %d AND toUnixTimestamp(TimeReceived) < %d AND (%s) GROUP BY d, t", dir, bucket, aggregate, from, to, where)})
	if err != nil {
		t.Fatal(err)
	}
	d := direct{}
	for i := range res.Rows {
		name := res.Columns[0].([]string)[i]
		if d[name] == nil {
			d[name] = map[int64]uint64{}
		}
		d[name][int64(res.Columns[1].([]uint32)[i])] = res.Columns[2].([]uint64)[i]
	}
	return d
}

// What the API says of 200 random questions is what SQL written by hand says; the
// series add up to the totals, in sum and in each bucket; the CSV has the same numbers.
func TestQueryNumbers(t *testing.T) {
	s := seeded(t)
	h := s.Handler()
	r := rand.New(rand.NewPCG(1, 3))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	near := func(a, b, of float64) bool { return math.Abs(a-b) <= 1e-9+of*6e-4 } // four digits
	for range enginetest.Times(200) {
		c := conditions[r.IntN(len(conditions))]
		v := url.Values{}
		set := func(key, value string) {
			if value != "" {
				v.Set(key, value)
			}
		}
		set("q", c.filter)
		set("unit", pick("", "bps", "pps", "fps", "bytes", "packets", "flows", "pct"))
		set("layer", pick("", "l2", "l1"))
		set("by", pick("", "src.as", "proto", "src.ip", "in.if", "dst.net:28:64", "remote.as,proto", "exporter,direction", "src.country", "in.if,src.port,dst.port", "ts:10m", "proto,ts:1h"))
		set("dir", pick("", "both", "in", "out", "internal", "sum"))
		set("n", pick("", "1", "3", "50"))
		set("skip", pick("", "", "1", "4", "100"))
		set("rank", pick("", "avg", "max", "last", "p95"))
		set("rankdir", pick("", "each", "sum"))
		set("from", pick("", "-2h", "-37m", "-7h"))
		set("to", pick("", "now", "-5m"))
		set("step", pick("", "auto", "60", "7", "300"))
		set("px", pick("", "900"))
		set("vs", pick("", "", "", "prev", "-90m"))
		set("agg", pick("", "", "peak"))
		if v.Get("unit") == "pct" {
			v.Set("by", pick("in.if", "proto,in.if", "in.if,src.port"))
		}
		if v.Get("step") == "7" && v.Get("from") == "-7h" {
			v.Set("step", "60")
		}
		target := "/api/v1/query?" + v.Encode()
		var got result
		ask(t, h, "GET", target, "", http.StatusOK, &got)

		layer := v.Get("layer")
		if layer == "" && got.Unit == "pct" {
			layer = "l1"
		}
		expr := map[string]string{"pps": "Packets * SamplingRate", "packets": "Packets * SamplingRate", "fps": "1", "flows": "1"}[got.Unit]
		if expr == "" {
			expr = map[string]string{"": "Bytes", "l2": "(Bytes + (FlowType != 1) * 18 * Packets)", "l1": "(Bytes + 20 * Packets + (FlowType != 1) * 18 * Packets)"}[layer] + " * SamplingRate"
		}
		dir, where := "Direction", c.sql
		switch d := v.Get("dir"); d {
		case "sum":
			dir = "'sum'"
		case "in", "out", "internal":
			where = "Direction = '" + d + "' AND (" + where + ")"
		}
		shift := int64(0)
		if got.VS != nil {
			shift = got.VS.Shifts[0]
		}
		// What the window, or the one before it, has in each bucket, and in each second.
		sums := func(of string, shift int64) direct {
			return directly(t, s.Store, expr, of, fmt.Sprintf("intDiv(toUnixTimestamp(TimeReceived) + %d, %d) * %[2]d", shift, got.Step), where, got.From-shift, got.To-shift)
		}
		seconds := func(of string) direct {
			if v.Get("agg") != "peak" {
				return nil
			}
			return directly(t, s.Store, expr, of, "toUnixTimestamp(TimeReceived)", where, got.From, got.To)
		}
		want, before := sums(dir, 0), direct{}
		if shift > 0 {
			before = sums(dir, shift)
		}
		second := seconds(dir)
		for d := range before { // also a direction in which only then there was something
			if want[d] == nil {
				want[d] = map[int64]uint64{}
			}
		}
		if len(want) != len(got.Dirs) || len(want) != len(got.Total) && got.Unit != "pct" {
			t.Errorf("%s: directions %v, SQL finds %v", target, got.Dirs, want)
			continue
		}
		// factor is what a byte in a second is in the unit of a rate.
		compare := func(what string, values, peaks query.Points, vs *query.Versus, now, then, second map[int64]uint64, factor, earlier float64) {
			t.Helper()
			most := make([]float64, len(got.Times))
			for at, v := range second {
				i := len(got.Times) - 1
				for got.Times[i] > at {
					i--
				}
				most[i] = max(most[i], float64(v)*factor)
			}
			for i, start := range got.Times {
				length := 1.
				if rate := strings.HasSuffix(got.Unit, "ps") || got.Unit == "pct"; rate {
					length = float64(min(start+got.Step, got.To) - max(start, got.From))
				}
				exact := float64(now[start]) * factor / length
				old := float64(then[start]) * earlier / length
				if !near(values[i], exact, exact) || peaks != nil && !near(peaks[i], most[i], most[i]) || vs != nil && !near(vs.Values[i], old, old) {
					t.Errorf("%s: %s at %d: %v, peaks %v, before %+v, SQL %v, %v, %v", target, what, start, values[i], peaks, vs, exact, most[i], old)
					return
				}
			}
			if (peaks == nil) != (v.Get("agg") != "peak") || (vs == nil) != (shift == 0) || vs != nil && vs.Total != (direct{"": then}).total("") {
				t.Errorf("%s: %s: peaks %v, before %+v", target, what, peaks, vs)
			}
		}
		if got.Unit == "pct" {
			const link = "concat(replaceOne(toString(ExporterAddress), '::ffff:', ''), '#', toString(InIf))"
			group := map[string]string{"in.if": link, "proto,in.if": "concat(toString(Proto), '|', " + link + ")", "in.if,src.port": "concat(" + link + ", '|', toString(SrcPort))"}[v.Get("by")]
			group = "concat(toString(" + dir + "), '|', " + group + ")"
			now, then, second := sums(group, 0), sums(group, shift), seconds(group)
			speeds := func(shift int64) direct {
				return aggregated(t, s.Store, "max(InIfSpeed)", link, "0", where, got.From-shift, got.To-shift)
			}
			fast, was := speeds(0), speeds(shift)
			for _, one := range got.Series {
				at := slices.IndexFunc(one.Key, func(k string) bool { return strings.Contains(k, "#") })
				name, speed, old := one.Dir+"|"+strings.Join(one.Key, "|"), fast[one.Key[at]][0], was[one.Key[at]][0]
				if one.Other || speed == 0 && old == 0 || one.Total != now.total(name) {
					t.Errorf("%s: %+v of speed %d, SQL %d", target, one, speed, now.total(name))
				}
				compare(name, one.Values, one.Peaks, one.VS, now[name], then[name], second[name], 800/float64(cmp.Or(speed, old)), 800/float64(cmp.Or(old, speed)))
				delete(now, name)
			}
			if v.Get("n") == "50" && v.Get("skip") == "" && v.Get("rankdir") != "sum" && v.Get("by") != "in.if,src.port" {
				for name := range now {
					at := slices.IndexFunc(strings.Split(name, "|"), func(k string) bool { return strings.Contains(k, "#") })
					if key := strings.Split(name, "|")[at]; fast[key][0]+was[key][0] > 0 {
						t.Errorf("%s: %s is left out, of speed %d", target, name, fast[key][0])
					}
				}
			}
		}
		for _, total := range got.Total {
			var sum, folded uint64
			values := make([]float64, len(got.Times))
			for _, one := range got.Series {
				if one.Dir != total.Dir {
					continue
				}
				sum += one.Total
				folded += uint64(one.Folded)
				for i, v := range one.Values {
					values[i] += v
				}
			}
			if total.Total != want.total(total.Dir) || sum != total.Total {
				t.Errorf("%s: %s: total %d, series %d, SQL %d", target, total.Dir, total.Total, sum, want.total(total.Dir))
			}
			factor := 1.
			if got.Unit == "bps" {
				factor = 8
			}
			compare(total.Dir, total.Values, total.Peaks, total.VS, want[total.Dir], before[total.Dir], second[total.Dir], factor, factor)
			for i, v := range values {
				if !near(v, total.Values[i], 2*v) { // both are rounded
					t.Errorf("%s: %s at %d: the series are %v, the total %v", target, total.Dir, got.Times[i], v, total.Values[i])
				}
			}
		}
		compareCSV(t, h, v, got, want)
		if t.Failed() {
			t.Logf("%s\n%v", got.Meta.SQL, got.Meta.Params)
			return
		}
	}
}

// compareCSV holds both kinds of CSV against the answer in JSON, and its sums of
// buckets, which are not rounded, against SQL.
func compareCSV(t *testing.T, h http.Handler, v url.Values, got result, want direct) {
	t.Helper()
	read := func(of string) [][]string {
		v.Set("of", of)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("GET", "/api/v1/query.csv?"+v.Encode(), nil))
		lines, err := csv.NewReader(rec.Body).ReadAll()
		if err != nil || rec.Code != http.StatusOK || len(lines) == 0 {
			t.Fatalf("%v: %d %v", v, rec.Code, err)
		}
		return lines
	}
	by := 2 * len(got.By)
	table := read("table")[1:]
	for i, one := range got.Series {
		line := table[i]
		shown := []string{kind(one), one.Dir}
		for j := range got.By {
			if one.Other {
				shown = append(shown, "", "")
			} else {
				shown = append(shown, one.Key[j], one.Label[j])
			}
		}
		shown = append(shown, number(one.Avg), number(one.Max), number(one.Last), fmt.Sprint(one.Total), number(one.Share), optional(one.Error))
		if one.Peak != nil {
			shown = append(shown, number(*one.Peak))
		}
		if one.VS != nil {
			shown = append(shown, number(one.VS.Avg), fmt.Sprint(one.VS.Total), number(one.VS.Delta), optional(one.VS.Change))
		}
		if !slices.Equal(line, shown) {
			t.Errorf("%v: the table says\n%q, the JSON\n%q", v, line, shown)
		}
	}
	for i, total := range got.Total {
		if line := table[len(got.Series)+i]; line[0] != "total" || line[1] != total.Dir || line[2+by+3] != fmt.Sprint(want.total(total.Dir)) {
			t.Errorf("%v: the table says %q, SQL %d", v, line, want.total(total.Dir))
		}
	}
	lines := read("series")[1:]
	if len(lines) != len(got.Series)*len(got.Times) {
		t.Errorf("%v: %d lines, %d series of %d buckets", v, len(lines), len(got.Series), len(got.Times))
		return
	}
	for i, one := range got.Series {
		values := make(query.Points, len(got.Times))
		for j := range values {
			line := lines[i*len(values)+j]
			values[j], _ = strconv.ParseFloat(line[3+by], 64)
			if at, err := time.Parse(time.RFC3339, line[0]); err != nil || at.Unix() != got.Times[j] || line[4+by] != fmt.Sprint(one.N[j]) {
				t.Errorf("%v: line %q is not of %d with n %d", v, line, got.Times[j], one.N[j])
			}
			if got.Unit == "bytes" || got.Unit == "packets" || got.Unit == "flows" {
				want[one.Dir][got.Times[j]] -= uint64(values[j])
			}
		}
		exact, _ := values.MarshalJSON()
		rounded, _ := one.Values.MarshalJSON()
		if !bytes.Equal(exact, rounded) {
			t.Errorf("%v: values\n%s, in JSON\n%s", v, exact, rounded)
		}
	}
	if got.Unit == "bytes" || got.Unit == "packets" || got.Unit == "flows" {
		for dir, buckets := range want {
			for at, left := range buckets {
				if left != 0 {
					t.Errorf("%v: %s at %d: SQL finds %d more than the lines of the CSV", v, dir, at, int64(left))
				}
			}
		}
	}
}

// A line of CSV has the earlier window and the peak beside the value when they were
// asked for.
func TestCSVColumns(t *testing.T) {
	h := seeded(t).Handler()
	f := func(target, want string) {
		t.Helper()
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("GET", target, nil))
		head, _, _ := strings.Cut(rec.Body.String(), "\r\n")
		if rec.Code != http.StatusOK || head != want {
			t.Errorf("%s: %d %s, want %s", target, rec.Code, head, want)
		}
		lines, err := csv.NewReader(rec.Body).ReadAll()
		if err != nil || len(lines) < 3 {
			t.Errorf("%s: %d lines, %v", target, len(lines), err)
		}
	}
	f("/api/v1/query?format=csv", "time,kind,dir,bps,sampled packets")
	f("/api/v1/query.csv?by=src.as&unit=bytes&vs=prev", "time,kind,dir,src.as,src.as label,bytes,sampled packets,before")
	f("/api/v1/query.csv?agg=peak&dir=sum&vs=prev", "time,kind,dir,bps,sampled packets,peak of 1 s,before")
	f("/api/v1/query.csv?of=table&agg=peak&vs=prev", "kind,dir,avg,max,last,total,share,error,peak of 1 s,before avg,before total,delta,change")

	var p Problem
	ask(t, h, "GET", "/api/v1/query.csv?of=cells", "", http.StatusBadRequest, &p)
	if p.Key != "of" {
		t.Errorf("%+v", p)
	}
}

// What a window is compared with is what was asked for it then, and a store that does
// not reach back so far says so.
func TestQueryVersus(t *testing.T) {
	s := seeded(t)
	h := s.Handler()
	var got, then result
	ask(t, h, "GET", "/api/v1/query?by=proto&n=50&from=-30m&vs=prev", "", http.StatusOK, &got)
	ask(t, h, "GET", "/api/v1/query?by=proto&n=50&from=-60m&to=-30m", "", http.StatusOK, &then)
	for i, total := range got.Total {
		if total.VS == nil || total.VS.Total != then.Total[i].Total || total.VS.Delta != total.Avg-then.Total[i].Avg {
			t.Errorf("%s: %+v, want %d", total.Dir, total.VS, then.Total[i].Total)
		}
	}
	if got.VS == nil || !slices.Equal(got.VS.Shifts, []int64{1800}) || len(got.Meta.Notes) != 0 {
		t.Errorf("%+v, notes %v", got.VS, got.Meta.Notes)
	}
	ask(t, h, "GET", "/api/v1/query?vs=band4w", "", http.StatusOK, &got)
	if len(got.VS.Shifts) != 4 || len(got.Meta.Notes) != 1 || len(got.Total[0].VS.Min) != len(got.Times) {
		t.Errorf("%+v, notes %v", got.VS, got.Meta.Notes)
	}
}

// Bytes per packet are a ratio in each bucket, and do not add up.
func TestQueryRatio(t *testing.T) {
	s := seeded(t)
	var got result
	ask(t, s.Handler(), "GET", "/api/v1/query?unit=bpp&by=proto&dir=sum&step=600", "", http.StatusOK, &got)
	const bucket = "intDiv(toUnixTimestamp(TimeReceived), 600) * 600"
	bytes := directly(t, s.Store, "Bytes * SamplingRate", "'sum'", bucket, "1", got.From, got.To)["sum"]
	packets := directly(t, s.Store, "Packets * SamplingRate", "'sum'", bucket, "1", got.From, got.To)["sum"]
	for i, start := range got.Times {
		want := float64(bytes[start]) / float64(packets[start])
		if v := got.Total[0].Values[i]; math.Abs(v-want) > want*6e-4 {
			t.Errorf("at %d: %v, want %v", start, v, want)
		}
	}
}

// Buckets of an hour begin with the hours of the zone.
func TestQueryZone(t *testing.T) {
	s := seeded(t)
	f := func(zone string, step, offset int64) {
		t.Helper()
		var got result
		ask(t, s.Handler(), "GET", fmt.Sprintf("/api/v1/query?unit=bytes&dir=sum&from=-7h&step=%d&tz=%s", step, zone), "", http.StatusOK, &got)
		want := directly(t, s.Store, "Bytes * SamplingRate", "'sum'", fmt.Sprintf("intDiv(toUnixTimestamp(TimeReceived) + %d, %d) * %[2]d - %[1]d", offset, step), "1", got.From, got.To)["sum"]
		for i, start := range got.Times {
			if v, exact := got.Total[0].Values[i], float64(want[start]); (start+offset)%step != 0 || math.Abs(v-exact) > exact*6e-4 {
				t.Errorf("%s at %d: %v, want %v", zone, start, v, exact)
			}
		}
	}
	f("utc", 3600, 0)
	f("Asia/Kolkata", 3600, 19800)
	f("Asia/Kathmandu", 7200, 20700)
	f("Asia/Kathmandu", 60, 20700)
}

// The series are the largest groups, in order.
// Each hour of a zone that is half an hour off is a group with what SQL finds in it, its
// average is over its own time, and no bucket of the chart has more than one of them.
func TestQueryTime(t *testing.T) {
	s := seeded(t)
	var got result
	ask(t, s.Handler(), "GET", "/api/v1/query?by=ts:1h&dir=sum&from=-2h&unit=bps&step=1800&tz=Asia/Kolkata", "", http.StatusOK, &got)
	res, _, err := s.Store.Select(t.Context(), store.Query{SQL: fmt.Sprintf("SELECT formatDateTime(toStartOfHour(toTimeZone(TimeReceived, 'Asia/Kolkata')), '%%FT%%T+05:30'), sum(Bytes * SamplingRate) FROM flows WHERE TimeReceived >= %d AND TimeReceived < %d GROUP BY 1", got.From, got.To)})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]uint64{}
	for i, hour := range res.Columns[0].([]string) {
		want[hour] = res.Columns[1].([]uint64)[i]
	}
	if len(got.Series) != len(want) || len(want) < 2 {
		t.Fatalf("%d groups, SQL finds %v", len(got.Series), want)
	}
	for _, one := range got.Series {
		if one.Total != want[one.Key[0]] || one.Filter[0] != "" {
			t.Errorf("%s has %d, SQL finds %d", one.Key[0], one.Total, want[one.Key[0]])
		}
		if from, to := one.Time[0], one.Time[1]; math.Abs(one.Avg-float64(one.Total)*8/float64(to-from)) > 1 || from < got.From || to > got.To || to-from > 3600 {
			t.Errorf("%s from %d to %d has the average %v of %d", one.Key[0], from, to, one.Avg, one.Total)
		}
		for i, v := range one.Values {
			if at := got.Times[i]; v > 0 && (at+1800 <= one.Time[0] || at >= one.Time[1]) {
				t.Errorf("%s has %v at %d", one.Key[0], v, at)
			}
		}
	}
}

// With skip the largest come as one series, and pages of groups are those of one long
// list. Other counts what is left.
func TestQuerySkip(t *testing.T) {
	h := seeded(t).Handler()
	names := func(v url.Values) (list []string, larger, other int) {
		t.Helper()
		var got result
		ask(t, h, "GET", "/api/v1/query?"+v.Encode(), "", http.StatusOK, &got)
		for _, one := range got.Series {
			switch {
			case one.Larger:
				larger = one.Folded
			case one.Other:
				other = one.Folded
			default:
				list = append(list, one.Key[0])
			}
		}
		return list, larger, other
	}
	for _, rank := range []string{"avg", "p95"} {
		v := url.Values{"by": {"src.as"}, "dir": {"sum"}, "from": {"-2h"}, "rank": {rank}, "n": {"50"}}
		all, _, _ := names(v)
		v.Set("n", "7")
		for skip := 0; skip < len(all)+7; skip += 7 {
			v.Set("skip", fmt.Sprint(skip))
			list, larger, other := names(v)
			if want := all[min(skip, len(all)):min(skip+7, len(all))]; !slices.Equal(list, want) || larger != min(skip, len(all)) || larger+len(list)+other != len(all) {
				t.Errorf("%s: skip=%d gives %v, want %v; %d larger, %d other of %d", rank, skip, list, want, larger, other, len(all))
			}
		}
	}
}

func TestQueryTop(t *testing.T) {
	s := seeded(t)
	h := s.Handler()
	var got result
	ask(t, h, "GET", "/api/v1/query?by=src.as&n=5&dir=sum&from=-1h&unit=bytes", "", http.StatusOK, &got)
	res, _, err := s.Store.Select(t.Context(), store.Query{SQL: fmt.Sprintf(
		"SELECT toString(SrcAS), sum(Bytes * SamplingRate) AS b FROM flows WHERE toUnixTimestamp(TimeReceived) >= %d AND toUnixTimestamp(TimeReceived) < %d GROUP BY 1 ORDER BY b DESC", got.From, got.To)})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Series) != 6 || got.Other != res.Rows-5 || !got.Series[5].Other || got.Series[5].Folded != res.Rows-5 {
		t.Fatalf("%d series, %d folded, %d groups", len(got.Series), got.Other, res.Rows)
	}
	for i := range 5 {
		if one := got.Series[i]; one.Key[0] != res.Columns[0].([]string)[i] || one.Total != res.Columns[1].([]uint64)[i] {
			t.Errorf("series %d is %s with %d, want %s with %d", i, one.Key, one.Total, res.Columns[0].([]string)[i], res.Columns[1].([]uint64)[i])
		}
		// Its filter finds it alone.
		var alone result
		ask(t, h, "GET", "/api/v1/query?dir=sum&from=-1h&unit=bytes&q="+url.QueryEscape(got.Series[i].Filter[0]), "", http.StatusOK, &alone)
		if len(alone.Total) != 1 || alone.Total[0].Total != got.Series[i].Total {
			t.Errorf("filter %q finds %+v, want %d", got.Series[i].Filter[0], alone.Total, got.Series[i].Total)
		}
	}
	if got.Meta.Rows == 0 || got.Meta.Bytes == 0 || got.Meta.MS <= 0 || got.Meta.Table != "flows" || got.Meta.Through < s.now().Unix()-60 {
		t.Errorf("meta %+v", got.Meta)
	}
}

func TestQueryEmpty(t *testing.T) {
	none, _ := empty(t)
	some := seeded(t)
	f := func(s *Server, target, why string, matches bool) {
		t.Helper()
		var got result
		ask(t, s.Handler(), "GET", target, "", http.StatusOK, &got)
		if got.Meta.Empty != why || got.Meta.Matches7d != matches {
			t.Errorf("%s: %q %v, want %q %v", target, got.Meta.Empty, got.Meta.Matches7d, why, matches)
		}
		if (why != "") != (len(got.Series) == 0) || got.Series == nil || got.Total == nil || got.Dirs == nil || len(got.Times) == 0 {
			t.Errorf("%s: %d series", target, len(got.Series))
		}
	}
	f(none, "/api/v1/query", "no-exporter", false)
	f(none, "/api/v1/query?q=tcp&by=src.as", "no-exporter", false)
	f(some, "/api/v1/query", "", false)
	f(some, "/api/v1/query?q=dst+port+9999", "no-match", true)
	f(some, "/api/v1/query?q=dst+port+9999&from=-12h", "", false)
	f(some, "/api/v1/query?q=dst+port+9998", "no-match", false)
	f(some, "/api/v1/query?from=-30d&to=-20d", "before-retention", false)
}

// A question over hours is answered from sums, which the answer says, and one that they
// have no answer to from the flows.
func TestQueryRollups(t *testing.T) {
	s := seeded(t)
	h := s.Handler()
	f := func(q, table string) (total uint64) {
		t.Helper()
		var got result
		ask(t, h, "GET", "/api/v1/query?unit=bytes&dir=sum&"+q, "", http.StatusOK, &got)
		if got.Meta.Table != table {
			t.Errorf("%s: %s answers, want %s", q, got.Meta.Table, table)
		}
		return got.Total[0].Total
	}
	sums, flows := f("from=-24h&by=src.as", "rollup_1m_as, flows"), f("from=-24h&q=not+port+1", "flows")
	if sums != flows || sums == 0 {
		t.Errorf("%d bytes by the rollups, %d by the flows", sums, flows)
	}
	f("from=-24h&by=dst.port", "flows")
	f("from=-15m&by=src.as", "flows") // finer than a minute

	// A flow that came late, whose hour the rollups are not asked for.
	late := s.now().Unix() - 20*3600
	if err := s.Writer.Exec(t.Context(), fmt.Sprintf("INSERT INTO flows (TimeReceived, SamplingRate, Bytes, Packets) VALUES (%d, 1, 7, 1)", late)); err != nil {
		t.Fatal(err)
	}
	again := serverFor(s.Store, s.now())
	again.Process.(*process).stale = [][2]int64{{late / 3600 * 3600, late/3600*3600 + 3600}}
	h = again.Handler()
	if got := f("from=-24h&by=src.as", "rollup_1m_as, flows"); got != sums+7 {
		t.Errorf("%d bytes with a flow that came late, want %d", got, sums+7)
	}
	// Nobody knows what the rollups lack: the flows are asked.
	again = serverFor(s.Store, s.now())
	again.Process.(*process).notKnown = errors.New("the store is away")
	h = again.Handler()
	f("from=-24h&by=src.as", "flows")
}

// What is wrong with a request is said with its place and a remedy.
func TestQueryErrors(t *testing.T) {
	h := seeded(t).Handler()
	f := func(target, key string) {
		t.Helper()
		var p Problem
		ask(t, h, "GET", target, "", http.StatusBadRequest, &p)
		if p.Key != key || p.Detail == "" || p.Status != http.StatusBadRequest {
			t.Errorf("%s: %+v, want key %s", target, p, key)
		}
	}
	for _, target := range []string{"unit=nope", "unit=pct", "n=0", "n=51", "n=x", "from=yesterday", "to=tomorrow", "from=now", "by=nonsense", "by=bytes", "step=0",
		"px=-1", "dir=up", "rank=delta", "rank=worst", "tz=Mars", "layer=l7", "live=2", "vs=1d", "format=xml", "viz=cube", "rankdir=x"} {
		key, _, _ := strings.Cut(target, "=")
		f("/api/v1/query?"+target, key)
	}
	f("/api/v1/query?step=1&from=-10h", "step")
	f("/api/v1/query?by="+strings.Repeat("src.as,", 9), "by")

	var p Problem
	ask(t, h, "GET", "/api/v1/query?q=src+prt+53", "", http.StatusBadRequest, &p)
	if p.Key != "q" || p.Span == nil || *p.Span != [2]int{4, 7} || p.Suggestion == "" {
		t.Errorf("filter: %+v", p)
	}
	var got result
	ask(t, h, "GET", "/api/v1/query?colour=red&vs=-1d&q="+url.QueryEscape(strings.Repeat("(", 300)), "", http.StatusBadRequest, &p)
	ask(t, h, "GET", "/api/v1/query?colour=red&vs=-1d", "", http.StatusOK, &got)
	if !slices.Equal(got.Meta.Unknown, []string{"colour"}) || len(got.Meta.Notes) != 1 {
		t.Errorf("unknown %v, notes %v", got.Meta.Unknown, got.Meta.Notes)
	}
}

// What goes wrong in the store is told apart.
func TestStoreErrors(t *testing.T) {
	f := func(code, status int) {
		t.Helper()
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-ClickHouse-Exception-Code", fmt.Sprint(code))
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintf(w, "Code: %d. DB::Exception: so it is.", code)
		}))
		defer srv.Close()
		s := serverFor(store.NewClient(srv.URL, "", "", ""), time.Now())
		var p Problem
		ask(t, s.Handler(), "GET", "/api/v1/query", "", status, &p)
		if p.Status != status {
			t.Errorf("code %d: %+v", code, p)
		}
	}
	f(159, http.StatusGatewayTimeout)
	f(202, http.StatusServiceUnavailable)
	f(241, http.StatusInsufficientStorage)
	f(47, http.StatusBadGateway)

	away := serverFor(store.NewClient("http://127.0.0.1:1", "", "", ""), time.Now()).Handler()
	var p Problem
	ask(t, away, "GET", "/api/v1/query", "", http.StatusServiceUnavailable, &p)
	if strings.Contains(p.Detail, "127.0.0.1") || !strings.Contains(p.Detail, "retry") {
		t.Errorf("store away: %+v", p)
	}
	var st Status
	ask(t, away, "GET", "/api/v1/status", "", http.StatusOK, &st)
	if st.Engine.Error == "" || st.Storage.Rows != 0 || st.Version != "test" {
		t.Errorf("status without a store: %+v", st)
	}
	var c filter.Completion
	ask(t, away, "GET", "/api/v1/filter/complete?text=src.as+%3D+", "", http.StatusOK, &c)

	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "\x01\x01\x01t\x06String\x01x") // t is no number
	}))
	defer broken.Close()
	ask(t, serverFor(store.NewClient(broken.URL, "", "", ""), time.Now()).Handler(), "GET", "/api/v1/query", "", http.StatusInternalServerError, &p)
}

// endless is a server whose questions never end.
func endless(t *testing.T) (url string, list func() []RunningQuery) {
	url, list, _ = endlessStore(t)
	return url, list
}

func endlessStore(t *testing.T) (url string, list func() []RunningQuery, page *store.Client) {
	t.Helper()
	url, list, page, _ = endlessClients(t)
	return url, list, page
}

func endlessClients(t *testing.T) (url string, list func() []RunningQuery, page, writer *store.Client) {
	t.Helper()
	w, r := enginetest.Clients(t)
	if err := w.Exec(t.Context(), `CREATE VIEW flows AS SELECT toDateTime(now() - 10, 'UTC') AS TimeReceived, CAST('in', 'Enum8(\'in\' = 1)') AS Direction,
		number AS Bytes, sipHash64(number) AS Packets, toUInt32(1) AS SamplingRate FROM numbers(1000000000000)`); err != nil {
		t.Fatal(err)
	}
	s := serverFor(r, time.Now())
	s.Writer = w
	srv := httptest.NewUnstartedServer(s.Handler())
	srv.Config.ReadTimeout = 200 * time.Millisecond // of a request, not of the time that its answer takes
	srv.Start()
	t.Cleanup(srv.Close)
	return srv.URL, func() []RunningQuery {
		res, err := http.Get(srv.URL + "/api/v1/queries")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var a struct{ Queries []RunningQuery }
		if err := json.NewDecoder(res.Body).Decode(&a); err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(a.Queries, func(q RunningQuery) bool { return !strings.Contains(q.SQL, "FROM flows") })
	}, r, w
}

// An SQL client that calls its query as the page does is listed as what it is, and is not
// ended in place of the page's.
func TestQueryOfAnotherUser(t *testing.T) {
	base, list, page := endlessStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	forged := make(chan error, 1)
	go func() {
		_, _, err := enginetest.SQLClient(page).Select(ctx, store.Query{SQL: "SELECT sum(Bytes) FROM flows",
			Settings: map[string]string{"log_comment": "netmeta asks query tab-7", "max_execution_time": "60"}})
		forged <- err
	}()
	until(t, "the forged query runs", func() bool { return len(list()) == 1 })
	if q := list()[0]; q.What != "" || q.User != "reader" {
		t.Errorf("listed as %+v", q)
	}
	ended := make(chan int, 1)
	go func() {
		req, _ := http.NewRequest("GET", base+"/api/v1/query", nil)
		req.Header.Set("Query-Tag", "tab-7")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			ended <- 0
			return
		}
		res.Body.Close()
		ended <- res.StatusCode
	}()
	until(t, "both run", func() bool { return len(list()) == 2 })
	req, _ := http.NewRequest("DELETE", base+"/api/v1/queries/tab-7", nil)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if status := <-ended; status != http.StatusConflict {
		t.Errorf("the page's query: %d", status)
	}
	until(t, "the other one is left", func() bool { q := list(); return len(q) == 1 && q[0].User == "reader" })
	cancel()
	<-forged
	until(t, "the forged query is gone", func() bool { return len(list()) == 0 })
}

func until(t *testing.T, what string, fact func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !fact(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// A request that nobody waits for ends its query in the store; while somebody waits it
// goes on, however long that takes.
func TestQueryCancelled(t *testing.T) {
	base, list := endless(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		req, _ := http.NewRequestWithContext(ctx, "GET", base+"/api/v1/query", nil)
		_, err := http.DefaultClient.Do(req)
		ended <- err
	}()
	until(t, "the query has run longer than a request may take to come", func() bool { q := list(); return len(q) == 1 && q[0].Elapsed > 0.5 })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	until(t, "the query is gone", func() bool { return len(list()) == 0 })
}

// A query is ended by the tag of its request, or by the store's own id.
func TestEndQuery(t *testing.T) {
	base, list := endless(t)
	end := func(id string) int {
		req, _ := http.NewRequest("DELETE", base+"/api/v1/queries/"+id, nil)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	f := func(id func(RunningQuery) string) {
		t.Helper()
		ended := make(chan *http.Response, 1)
		go func() {
			req, _ := http.NewRequest("GET", base+"/api/v1/query", nil)
			req.Header.Set("Query-Tag", "tab-7")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
			}
			ended <- res
		}()
		until(t, "the query runs and says how far it is", func() bool { q := list(); return len(q) == 1 && q[0].Rows > 0 })
		if q := list(); len(q) != 1 || q[0].What != "query" || q[0].Tag != "tab-7" {
			t.Errorf("asked by %+v", q)
		}
		if status := end(id(list()[0])); status != http.StatusNoContent {
			t.Errorf("ending it: %d", status)
		}
		res := <-ended
		defer res.Body.Close()
		var p Problem
		if err := json.NewDecoder(res.Body).Decode(&p); err != nil || res.StatusCode != http.StatusConflict || p.Title != "query cancelled" {
			t.Errorf("who asked gets %d %+v %v", res.StatusCode, p, err)
		}
		until(t, "the query is gone", func() bool { return len(list()) == 0 })
	}
	f(func(q RunningQuery) string { return q.ID })
	f(func(RunningQuery) string { return "tab-7" })
	if status := end("tab-7"); status != http.StatusNotFound {
		t.Errorf("ending it again: %d", status)
	}
}

// The estimate comes from the index and is not below what is read.
func TestEstimate(t *testing.T) {
	s := seededAlone(t)
	var e Estimate
	ask(t, s.Handler(), "GET", "/api/v1/estimate?from=-1h", "", http.StatusOK, &e)
	if e.Rows == 0 || e.Rows > seedRows || e.Parts == 0 || e.MS != 0 || e.Oldest != s.now().Unix()-6*3600 {
		t.Errorf("%+v", e)
	}
	s.learn(store.Stats{Rows: 10_000_000, Elapsed: time.Second})
	var two Estimate
	ask(t, s.Handler(), "GET", "/api/v1/estimate?from=-1h&vs=prev&by=src.as", "", http.StatusOK, &two)
	if two.Rows <= e.Rows || two.MS != float64(two.Rows)/10_000 {
		t.Errorf("%+v, and without comparison %+v", two, e)
	}
}

func TestFilter(t *testing.T) {
	s := seeded(t)
	h := s.Handler()
	var checked struct {
		OK        bool
		Canonical string
		Error     filter.Error
	}
	for _, f := range []func(filter string){
		func(q string) {
			ask(t, h, "GET", "/api/v1/filter/check?q="+url.QueryEscape(q), "", http.StatusOK, &checked)
		},
		func(q string) {
			body, _ := json.Marshal(map[string]string{"q": q})
			ask(t, h, "POST", "/api/v1/filter/check", string(body), http.StatusOK, &checked)
		},
	} {
		if f("udp src port 53"); !checked.OK || checked.Canonical != "proto = udp and src.port = 53" {
			t.Errorf("%+v", checked)
		}
		if f("src prt 53"); checked.OK || checked.Error.Span != [2]int{4, 7} || !strings.Contains(checked.Error.Suggestion, "port") {
			t.Errorf("%+v", checked)
		}
		if f("@web"); !checked.OK {
			t.Errorf("%+v", checked)
		}
	}

	complete := func(method, text, cursor string) (c filter.Completion) {
		t.Helper()
		if method == "GET" {
			ask(t, h, "GET", "/api/v1/filter/complete?text="+url.QueryEscape(text)+"&cursor="+cursor, "", http.StatusOK, &c)
			return c
		}
		if cursor == "" {
			cursor = "null"
		}
		body, _ := json.Marshal(text)
		ask(t, h, "POST", "/api/v1/filter/complete", fmt.Sprintf(`{"text":%s,"cursor":%s}`, body, cursor), http.StatusOK, &c)
		return c
	}
	has := func(c filter.Completion, label string) bool {
		return slices.ContainsFunc(c.Items, func(it filter.Item) bool { return it.Label == label })
	}
	for _, method := range []string{"GET", "POST"} {
		if c := complete(method, "src.as = 1 or dst.po", "20"); c.Replace != [2]int{14, 20} || !has(c, "dst.port") {
			t.Errorf("%s: %+v", method, c)
		}
		if c := complete(method, "por and tcp", "3"); c.Replace != [2]int{0, 3} || !has(c, "port") {
			t.Errorf("%s: %+v", method, c)
		}
		for _, cursor := range []string{"", "-3", "100000", "1e300"} {
			if c := complete(method, "por", cursor); c.Replace != [2]int{0, 3} || !has(c, "port") {
				t.Errorf("%s at %q: %+v", method, cursor, c)
			}
		}
		if c := complete(method, "@", ""); !has(c, "@web") {
			t.Errorf("%s: %+v", method, c)
		}
		// Values that occur, with how much of them: first the known ones.
		var c filter.Completion
		for end := time.Now().Add(20 * time.Second); len(c.Items) == 0 && time.Now().Before(end); {
			c = complete(method, "dst.as = ", "")
		}
		if len(c.Items) != 5 || c.Items[0].Kind != "value" || !strings.Contains(c.Items[0].Detail, "b/s") || !strings.HasPrefix(strings.TrimPrefix(c.Items[0].Label, "AS"), "6450") {
			t.Errorf("%s: values %+v", method, c)
		}
	}

	for _, path := range []string{"/api/v1/filter/check", "/api/v1/filter/complete"} {
		for _, body := range []string{"", "{", "[]", `"q"`, "q=1", `{"q":"` + strings.Repeat("x", bodyLimit) + `"}`} {
			var p Problem
			ask(t, h, "POST", path, body, http.StatusBadRequest, &p)
			if p.Key != "body" || p.Detail == "" {
				t.Errorf("%s with %.20q: %+v", path, body, p)
			}
		}
	}
}

func TestStatus(t *testing.T) {
	s := seededAlone(t)
	var st Status
	ask(t, s.Handler(), "GET", "/api/v1/status", "", http.StatusOK, &st)
	g := st.Storage
	if g.Rows != seedRows || g.Bytes == 0 || g.BytesPerRow <= 0 || g.Newest < s.now().Unix()-60 || g.Oldest != s.now().Unix()-6*3600 || g.DiskTotal < g.DiskFree || g.DiskFree == 0 {
		t.Errorf("storage %+v", g)
	}
	if len(st.Listeners) != 1 || len(st.Drops) != 1 || len(st.Exporters) != 1 || st.Engine.Error != "" {
		t.Errorf("status %+v", st)
	}
}

func TestReady(t *testing.T) {
	s, _ := empty(t)
	var p Problem
	s.Process.(*process).notReady = errors.New("the queue to the store is full")
	ask(t, s.Handler(), "GET", "/readyz", "", http.StatusServiceUnavailable, &p)
	if p.Detail != "the queue to the store is full" {
		t.Errorf("%+v", p)
	}
	var ok map[string]string
	ask(t, s.Handler(), "GET", "/healthz", "", http.StatusOK, &ok)
	s.Process.(*process).notReady = nil
	ask(t, s.Handler(), "GET", "/readyz", "", http.StatusOK, &ok)
}

func TestNotFound(t *testing.T) {
	s, _ := empty(t)
	f := func(method, path string) {
		t.Helper()
		rec := httptest.NewRecorder()
		s.Handler().ServeHTTP(rec, httptest.NewRequest(method, path, nil))
		var p Problem
		if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil || rec.Code != http.StatusNotFound || rec.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: %d %s", method, path, rec.Code, rec.Body)
		}
	}
	f("GET", "/api/")
	f("GET", "/api/v1/nothing")
	f("GET", "/api/v2/query")
}

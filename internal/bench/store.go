package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"netmeta/column"
	"netmeta/engine"
	"netmeta/flow"
	"netmeta/native"
	"netmeta/query"
	"netmeta/simulate"
	"netmeta/source"
	"netmeta/source/netflow"
	"netmeta/store"
)

// The store's benchmark fills tables that differ in one property with the same simulated
// rows, through the same inserts, and runs the same queries on each. Costs are CPU
// seconds of the engine's process, so other work on the machine does not count; only the
// times of queries are wall-clock time.

// storeBench holds the settings of the benchmark.
type storeBench struct {
	dir    string // of the engine's data; kept, so that a table can be queried again
	match  string // regular expression on the names of candidates
	rows   int
	span   time.Duration // that the rows are spread over
	insert int           // rows of an insert
	again  int           // number of further inserts of the same rows
	days   int           // by which the rollups of hours are older than the flows
	fill   bool          // else the tables exist
	ask    bool
	times  int    // that each query runs
	only   string // regular expression on the names of queries
}

// candidate is a layout of the flows table.
type candidate struct {
	name  string
	order string   // ORDER BY; empty: the default
	index []string // lines between the columns and the end of CREATE TABLE
	set   func(*column.Field)
	rows  int // of an insert; 0: as in storeBench

	rollups int // number of rollups that are filled
}

// codec sets the codec of columns by name.
func codec(codecs map[string]string) func(*column.Field) {
	return func(f *column.Field) {
		if c, ok := codecs[f.Name]; ok {
			f.Codec = c
		}
	}
}

// every sets the codec of all columns of a kind.
func every(c string, kinds ...column.Kind) func(*column.Field) {
	return func(f *column.Field) {
		if slices.Contains(kinds, f.Kind) && f.Codec == "" {
			f.Codec = c
		}
	}
}

const (
	fiveMinutes = "toStartOfFiveMinutes(TimeReceived), "
	minute      = "toStartOfMinute(TimeReceived), "
)

var numbers = []column.Kind{column.Uint8, column.Uint16, column.Uint32, column.Uint64, column.Enum}

var candidates = []candidate{
	{name: "default"},

	{name: "order-time", order: "TimeReceived"},
	{name: "order-1m-if", order: minute + "ExporterAddress, InIf, OutIf"},
	{name: "order-5m-if", order: fiveMinutes + "ExporterAddress, InIf, OutIf"},
	{name: "order-5m-if-time", order: fiveMinutes + "ExporterAddress, InIf, OutIf, TimeReceived"},
	{name: "order-5m-if-as", order: fiveMinutes + "ExporterAddress, InIf, OutIf, SrcAS, DstAS"},
	{name: "order-5m-if-as-addr", order: fiveMinutes + "ExporterAddress, InIf, OutIf, SrcAS, DstAS, SrcAddr, DstAddr"},
	{name: "order-5m-if-addr", order: fiveMinutes + "ExporterAddress, InIf, OutIf, SrcAddr, DstAddr"},
	{name: "order-5m-addr", order: fiveMinutes + "SrcAddr, DstAddr"},
	{name: "order-5m-dst-src", order: fiveMinutes + "DstAddr, SrcAddr"},
	{name: "order-1h-if-as-addr", order: "toStartOfHour(TimeReceived), ExporterAddress, InIf, OutIf, SrcAS, DstAS, SrcAddr, DstAddr"},

	{name: "codec-lz4", set: func(f *column.Field) { f.Codec = "LZ4" }},
	{name: "codec-zstd1", set: every("ZSTD(1)", append([]column.Kind{column.IP, column.Text}, numbers...)...)},
	{name: "codec-zstd3", set: every("ZSTD(3)", append([]column.Kind{column.IP, column.Text}, numbers...)...)},
	{name: "codec-zstd-ip", set: every("ZSTD(1)", column.IP)},
	{name: "codec-zstd-ip-times", set: codec(map[string]string{
		"SrcAddr": "ZSTD(1)", "DstAddr": "ZSTD(1)", "NextHop": "ZSTD(1)", "BGPNextHop": "ZSTD(1)", "ExporterAddress": "ZSTD(1)",
		"FlowStart": "Delta, ZSTD(1)", "FlowEnd": "Delta, ZSTD(1)"})},
	{name: "codec-t64", set: every("T64, ZSTD(1)", column.Uint16, column.Uint32, column.Uint64)},
	{name: "codec-counts", set: codec(map[string]string{"Bytes": "T64, ZSTD(1)", "Packets": "T64, ZSTD(1)"})},

	{name: "index-none", index: []string{}},
	{name: "index-bloom-1", index: addressIndex("bloom_filter(0.01) GRANULARITY 1")},
	{name: "index-bloom-4", index: addressIndex("bloom_filter(0.01) GRANULARITY 4")},
	{name: "index-bloom-loose", index: addressIndex("bloom_filter(0.05) GRANULARITY 1")},
	{name: "index-set", index: addressIndex("set(0) GRANULARITY 1")},
	{name: "index-projection", index: []string{
		"PROJECTION bySrcAddr (SELECT _part_offset ORDER BY SrcAddr)", "PROJECTION byDstAddr (SELECT _part_offset ORDER BY DstAddr)"}},

	{name: "width-all", set: func(f *column.Field) { f.Rare = false }},
	{name: "insert-10k", rows: 10_000},
	{name: "insert-500k", rows: 500_000},

	{name: "rollups-1", rollups: 1},
	{name: "rollups-all", rollups: len(flow.Table.Rollups)},
}

func addressIndex(kind string) []string {
	return []string{"INDEX SrcAddrIndex SrcAddr TYPE " + kind, "INDEX DstAddrIndex DstAddr TYPE " + kind}
}

// schema returns the flows table with the candidate's layout.
func (c candidate) schema() store.Schema {
	t := flow.Table
	t.Fields = slices.Clone(t.Fields)
	if c.set != nil {
		for i, f := range t.Fields {
			changed := *f
			c.set(&changed)
			t.Fields[i] = &changed
		}
	}
	if c.order != "" {
		t.Order = c.order
	}
	if c.index != nil {
		t.Indexes = nil
	}
	s := store.Schema{Table: &t}
	if t.Rollups = t.Rollups[:c.rollups]; c.rollups > 0 {
		s.RollupDays = map[int64]int{60: 0, 3600: 0}
	}
	return s
}

// create returns the statements that create the table and its rollups.
func (c candidate) create() []string {
	list := c.schema().CreateAll()
	if len(c.index) > 0 {
		head, tail, _ := strings.Cut(list[0], "\n)\n")
		list[0] = head + ",\n    " + strings.Join(c.index, ",\n    ") + "\n)\n" + tail
	}
	return list
}

func (b storeBench) run(ctx context.Context, w io.Writer) error {
	match, err := regexp.Compile(b.match)
	if err != nil {
		return err
	}
	binary, err := netmetaBinary()
	if err != nil {
		return err
	}
	quiet := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	supervisor, err := engine.New(engine.Options{Path: b.dir, Exe: binary, Memory: 8 << 30, Logger: quiet})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { supervisor.Run(ctx); close(ended) }()
	defer func() { stop(); <-ended }()
	ready, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := supervisor.Ready(ready); err != nil {
		return err
	}
	user := supervisor.Writer()
	admin := store.NewClient(supervisor.URL(), user.Name, user.Password, "")
	found := false
	for _, c := range candidates {
		if !match.MatchString(c.name) {
			continue
		}
		found = true
		db := "bench_" + strings.ReplaceAll(c.name, "-", "_")
		m := measurement{storeBench: b, candidate: c, w: w, client: store.NewClient(supervisor.URL(), user.Name, user.Password, db),
			cpu: func() float64 { return cpuSeconds(supervisor.Stats().PID) }}
		if b.fill {
			if err := admin.Exec(ctx, "DROP DATABASE IF EXISTS "+db); err != nil {
				return err
			}
			if err := admin.Exec(ctx, "CREATE DATABASE "+db); err != nil {
				return err
			}
			if err := m.fillTable(ctx); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
		if b.again > 0 {
			if err := m.repeat(ctx); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
		if b.days > 0 {
			if err := m.age(ctx); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
		if b.ask {
			if err := m.askTable(ctx); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	if !found {
		return fmt.Errorf("no candidate matches %q", b.match)
	}
	return nil
}

// measurement is the state of measuring one candidate.
type measurement struct {
	storeBench
	candidate candidate
	w         io.Writer
	client    *store.Client
	cpu       func() float64 // of the engine so far
}

func (m measurement) figure(name string, value float64, unit string) {
	fmt.Fprintf(m.w, "store/%s/%s\t%s\t%s\n", m.candidate.name, name, short(value), unit)
}

// storeBegin is the arrival time of the first simulated row: a midnight, so that runs
// are comparable.
var storeBegin = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// simulated yields blocks of simulated NetFlow v9 of eight exporters.
func (m measurement) simulated(ctx context.Context, blocks chan<- native.Block) {
	defer close(blocks)
	state := netflow.New(netflow.Options{Exporters: &source.Exporters{}})
	decoder := state.Decoder()
	var encoder native.Encoder
	left := m.rows
	out := source.NewOut(source.SinkFunc(func(batch *column.Batch) {
		if b := encoder.Encode(batch); b.Rows > 0 && left > 0 {
			left -= b.Rows
			select {
			case blocks <- b:
			case <-ctx.Done():
				left = 0
			}
		}
	}), flow.Table.NewBatch(source.BatchRows))
	for d := range simulate.Datagrams(simulate.Options{
		Protocol: simulate.NetFlow9, Exporters: 8, Rate: float64(m.rows) / m.span.Seconds(), Seed: 1, Now: func() time.Time { return storeBegin },
	}) {
		if left <= 0 {
			return
		}
		decoder.Decode(&source.Datagram{Payload: d.Payload, Exporter: d.Src, Received: d.Time}, out)
	}
}

// fillTable inserts the rows and prints their cost and size.
func (m measurement) fillTable(ctx context.Context) error {
	schema := m.candidate.schema()
	for _, sql := range m.candidate.create() {
		if err := m.client.Exec(ctx, sql); err != nil {
			return err
		}
	}
	size := m.insert
	if m.candidate.rows > 0 {
		size = m.candidate.rows
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	blocks := make(chan native.Block, 64)
	go m.simulated(ctx, blocks)
	have := map[string]bool{}
	roller := store.Roller{Client: m.client, Schema: func() store.Schema { return schema }, Owner: "bench", Log: slog.New(slog.DiscardHandler)}
	var rolled time.Duration // of one core
	var waiting []native.Block
	var inserts, rows, pending int
	before := m.cpu()
	put := func() error {
		if pending == 0 {
			return nil
		}
		var names []string
		data := make([][]byte, len(waiting))
		for i, b := range waiting {
			data[i] = b.Data
			for _, f := range b.Columns {
				if !slices.Contains(names, f.Name) {
					names = append(names, f.Name)
				}
			}
		}
		if slices.ContainsFunc(names, func(n string) bool { return !have[n] }) {
			schema.Columns = append(schema.Columns, names...)
			if err := store.Migrate(ctx, m.client, schema, slog.New(slog.DiscardHandler)); err != nil {
				return err
			}
			for _, n := range names {
				have[n] = true
			}
		}
		inserts++
		if err := m.client.Insert(ctx, "flows", names, strconv.Itoa(inserts), data...); err != nil {
			return err
		}
		rows += pending
		if m.candidate.rollups > 0 {
			at := storeBegin.Add(time.Duration(float64(rows) / float64(m.rows) * float64(m.span)))
			begin := time.Now()
			if _, err := roller.Roll(ctx, at.Unix()-10); err != nil {
				return err
			}
			rolled += time.Since(begin)
		}
		for i := range waiting {
			waiting[i].Release()
		}
		waiting, pending = waiting[:0], 0
		return nil
	}
	for b := range blocks {
		waiting, pending = append(waiting, b), pending+b.Rows
		if pending >= size {
			if err := put(); err != nil {
				return err
			}
		}
	}
	if err := put(); err != nil {
		return err
	}
	inserted := m.cpu()
	m.figure("rows", float64(rows), "rows")
	m.figure("insert CPU, merges meanwhile included", (inserted-before)*1e9/float64(rows), "ns/row")
	if m.candidate.rollups > 0 {
		m.figure("of which time to add up, on one core", float64(rolled.Nanoseconds())/float64(rows), "ns/row")
		m.figure("steps added up again", float64(roller.Stats.Remade.Load()), "steps")
	}
	if err := m.sizes(ctx); err != nil {
		return err
	}
	m.figure("insert CPU to one part an hour", (m.cpu()-before)*1e9/float64(rows), "ns/row")
	return m.columns(ctx, float64(rows))
}

// repeat inserts the rows of the first span again, later.
func (m measurement) repeat(ctx context.Context) error {
	done, err := m.number(ctx, "SELECT toFloat64(toUInt32(max(TimeReceived))) FROM flows")
	if err != nil {
		return err
	}
	step := int64(m.span.Seconds())
	spans := (int64(done) - storeBegin.Unix() + step/2) / step
	for i := range m.again {
		shift := (spans + int64(i)) * step
		res, _, err := m.client.Select(ctx, store.Query{SQL: `
SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'flows' AND default_kind = '' ORDER BY position`})
		if err != nil {
			return err
		}
		columns := strings.Join(res.Columns[0].([]string), ", ")
		moved := strings.Replace(columns, "TimeReceived", fmt.Sprintf("TimeReceived + %d", shift), 1)
		moved = strings.Replace(moved, "FlowStart", fmt.Sprintf("FlowStart + toIntervalSecond(%d)", shift), 1)
		moved = strings.Replace(moved, "FlowEnd", fmt.Sprintf("FlowEnd + toIntervalSecond(%d)", shift), 1)
		if err := m.client.Exec(ctx, fmt.Sprintf("INSERT INTO flows (%s) SELECT %s FROM flows WHERE TimeReceived < toDateTime(%d, 'UTC') SETTINGS max_insert_block_size = 500000, max_partitions_per_insert_block = 1000",
			columns, moved, storeBegin.Unix()+step)); err != nil {
			return err
		}
	}
	return m.sizes(ctx)
}

// age adds up the flows, and copies the hours of the newest day to the given number of earlier days.
func (m measurement) age(ctx context.Context) error {
	schema := m.candidate.schema()
	now, err := m.number(ctx, "SELECT toFloat64(toUInt32(max(TimeReceived))) FROM flows")
	if err != nil {
		return err
	}
	roller := store.Roller{Client: m.client, Schema: func() store.Schema { return schema }, Owner: "bench", Log: slog.New(slog.DiscardHandler)}
	for more := true; more; {
		if more, err = roller.Roll(ctx, int64(now)); err != nil {
			return err
		}
	}
	for day := range m.days {
		if err := m.client.Exec(ctx, fmt.Sprintf("INSERT INTO rollup_1h SELECT * REPLACE (TimeReceived - %d AS TimeReceived) FROM rollup_1h WHERE TimeReceived >= toDateTime(%d, 'UTC')", (day+1)*86400, int64(now)-86400)); err != nil {
			return err
		}
	}
	return m.client.Exec(ctx, "OPTIMIZE TABLE rollup_1h FINAL")
}

// sizes merges the table and prints the size of a row.
func (m measurement) sizes(ctx context.Context) error {
	if err := m.client.Exec(ctx, "OPTIMIZE TABLE flows FINAL"); err != nil {
		return err
	}
	tables := []string{"flows"}
	for _, r := range flow.Table.Rollups {
		tables = append(tables, r.Name)
	}
	for _, table := range tables {
		of := " FROM system.parts WHERE database = currentDatabase() AND active AND table = '" + table + "'"
		rows, err := m.number(ctx, "SELECT toFloat64(sum(rows))"+of)
		if err != nil {
			return err
		}
		bytes, err := m.number(ctx, "SELECT toFloat64(sum(bytes_on_disk))"+of)
		if err != nil {
			return err
		}
		if rows > 0 {
			m.figure("rows of "+table, rows, "rows")
			m.figure("bytes after merges of "+table, bytes/rows, "bytes/row")
		}
	}
	return nil
}

// columns prints the size of the larger columns.
func (m measurement) columns(ctx context.Context, rows float64) error {
	res, _, err := m.client.Select(ctx, store.Query{SQL: `
SELECT column, toFloat64(sum(column_bytes_on_disk)) AS bytes
FROM system.parts_columns WHERE database = currentDatabase() AND table = 'flows' AND active
GROUP BY column ORDER BY bytes DESC LIMIT 16`})
	if err != nil {
		return err
	}
	for i, name := range res.Columns[0].([]string) {
		m.figure("bytes of "+name, res.Columns[1].([]float64)[i]/rows, "bytes/row")
	}
	return nil
}

// number returns the result of a query for one Float64.
func (m measurement) number(ctx context.Context, sql string) (float64, error) {
	res, _, err := m.client.Select(ctx, store.Query{SQL: sql})
	if err != nil {
		return 0, err
	}
	return res.Columns[0].([]float64)[0], nil
}

// storeQuery is a query of the web UI, or SQL.
type storeQuery struct{ name, url, sql string }

// statement returns the SQL of a query at a time. The part of a URL before "?" names the
// query of the web UI; without it, it is the chart.
func (a storeQuery) statement(now time.Time, s query.Schema) (st query.Statement, err error) {
	if a.url == "" {
		return query.Statement{SQL: strings.ReplaceAll(a.sql, "now_()", fmt.Sprintf("toDateTime(%d)", now.Unix()))}, nil
	}
	part, rest, ok := strings.Cut(a.url, "?")
	if !ok {
		part, rest = "", a.url
	}
	v, err := url.ParseQuery(strings.ReplaceAll(rest, "now_()", strconv.FormatInt(now.Unix(), 10)))
	if err != nil {
		return st, err
	}
	if part == "flows" {
		f, _, err := query.ParseFlows(v, false)
		if err != nil {
			return st, err
		}
		rg, err := f.Resolve(now)
		if err != nil {
			return st, err
		}
		return f.Page(rg, s)
	}
	r, _, err := query.ParseURL(v)
	if err != nil {
		return st, err
	}
	rg, err := r.Resolve(now)
	if err != nil {
		return st, err
	}
	switch part {
	case "facets":
		q, err := r.Facets(rg, s, "")
		return q.Statement, err
	case "explain":
		r.Sel = fmt.Sprintf("%d~%d", now.Unix()-300, now.Unix())
		q, err := r.Explain(rg, s)
		return q.Statement, err
	}
	return r.Series(rg, s)
}

// questions are typical queries of users: see doc/decisions/0009-order-key.md.
func (m measurement) questions(ctx context.Context) ([]storeQuery, error) {
	// A customer's busy host, a rarely seen host, and an exporter.
	text := func(sql string) (string, error) {
		res, _, err := m.client.Select(ctx, store.Query{SQL: sql})
		if err != nil {
			return "", err
		}
		return res.Columns[0].([]string)[0], nil
	}
	host := func(rank string) (string, error) {
		return text("SELECT replaceOne(toString(a), '::ffff:', '') FROM (SELECT DstAddr AS a, count() AS n FROM flows WHERE DstAddr BETWEEN toIPv6('::ffff:198.18.0.0') AND toIPv6('::ffff:198.19.255.255') GROUP BY a) ORDER BY n DESC, a LIMIT 1 OFFSET " + rank)
	}
	busy, err := host("20")
	if err != nil {
		return nil, err
	}
	quiet, err := host("4000")
	if err != nil {
		return nil, err
	}
	exporter, err := text("SELECT replaceOne(toString(min(ExporterAddress)), '::ffff:', '') FROM flows")
	if err != nil {
		return nil, err
	}
	return []storeQuery{
		{"link, 1 h by remote AS", "from=-1h&by=remote.as&q=" + url.QueryEscape("exporter = "+exporter+" and in.if = 2"), ""},
		{"all, 1 h by source AS", "from=-1h&by=src.as", ""},
		{"all, 24 h by source AS", "from=-24h&by=src.as", ""},
		{"all, 24 h by destination port and protocol", "from=-24h&by=proto,dst.port", ""},
		{"all, 1 h by destination address", "from=-1h&by=dst.ip", ""},
		{"all, 30 min at 1 s by destination AS", "from=-30m&step=1&by=dst.as", ""},
		{"all, 1 h at 1 s", "from=-1h&step=1", ""},
		{"all, 1 h at 1 s by destination AS", "from=-1h&step=1&by=dst.as", ""},
		{"busy host, 24 h by remote address", "from=-24h&by=remote.ip&q=ip+" + busy, ""},
		{"quiet host, 24 h by remote address", "from=-24h&by=remote.ip&q=ip+" + quiet, ""},
		{"quiet host, 1 h", "from=-1h&q=ip+" + quiet, ""},
		{"all, 24 h by remote AS and interface", "from=-24h&by=remote.as,in.if", ""},
		{"all, 24 h", "from=-24h", ""},
		{"all, 1 h", "from=-1h", ""},
		{"all, 30 d by source AS", "from=-30d&by=src.as", ""},
		{"overview: 24 h", "from=-24h&px=400", ""},
		{"overview: 24 h against the day before", "from=-24h&px=400&vs=-1d", ""},
		{"overview: 24 h by remote AS", "from=-24h&by=remote.as&n=6&px=60&vs=-1d", ""},
		{"overview: changes in 24 h by remote AS", "from=-24h&by=remote.as&n=6&dir=sum&rank=delta&px=10&vs=-1d", ""},
		{"facets, 1 h", "facets?from=-1h", ""},
		{"explain, 5 min", "explain?from=-1h", ""},
		{"flows, 1 h, a page", "flows?from=-1h", ""},
		{"newest 500 records", "", "SELECT * FROM flows WHERE TimeReceived >= now_() - 900 ORDER BY TimeReceived DESC LIMIT 500 FORMAT Null"},
	}, nil
}

// askTable runs each query several times, on the rollups too if there are any, and prints medians.
func (m measurement) askTable(ctx context.Context) error {
	newest, err := m.number(ctx, "SELECT toFloat64(toUInt32(max(TimeReceived))) FROM flows")
	if err != nil {
		return err
	}
	now := time.Unix(int64(newest)+1, 0)
	questions, err := m.questions(ctx)
	if err != nil {
		return err
	}
	only, err := regexp.Compile(m.only)
	if err != nil {
		return err
	}
	questions = slices.DeleteFunc(questions, func(q storeQuery) bool { return !only.MatchString(q.name) })
	// The engine caches the granules in which a condition matched nothing, but a user's
	// query is new.
	settings := map[string]string{"use_query_condition_cache": "0"}
	schema, err := schemaOf(ctx, m.client, m.candidate.rollups > 0)
	if err != nil {
		return err
	}
	wide := schema // with the rollups of all fields alone
	wide.Rollups = slices.DeleteFunc(slices.Clone(schema.Rollups), func(r query.Rollup) bool {
		return slices.ContainsFunc(flow.Table.Rollups, func(t column.Rollup) bool { return t.Name == r.Table && len(t.Groups) > 0 })
	})
	var all []storeQuery // each on the flows, and on the rollups if they answer it
	statements := map[storeQuery]query.Statement{}
	for _, q := range questions {
		name, before := q.name, ""
		for _, with := range []struct {
			what   string
			schema query.Schema
		}{{"", query.Schema{Once: true}}, {", with rollups of all fields", wide}, {", with rollups", schema}} {
			st, err := q.statement(now, with.schema)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if st.SQL != before {
				q.name, before = name+with.what, st.SQL
				statements[q], all = st, append(all, q)
			}
		}
	}
	for _, q := range all {
		st := statements[q]
		var ms, cpu []float64
		var read uint64
		for range m.times {
			runtime.GC() // keep our garbage collector from running while the engine is measured
			begin, before := time.Now(), m.cpu()
			var stats store.Stats
			if q.url != "" {
				_, stats, err = m.client.Select(ctx, store.Query{SQL: st.SQL, Params: st.Params, Settings: settings})
			} else {
				err = m.client.Exec(ctx, st.SQL)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
			ms, cpu, read = append(ms, float64(time.Since(begin).Microseconds())/1000), append(cpu, (m.cpu()-before)*1000), stats.Rows
		}
		m.figure(q.name, median(ms), "ms")
		if m.times >= 20 {
			m.figure(q.name+", 95th percentile", slices.Sorted(slices.Values(ms))[m.times*95/100], "ms")
		}
		m.figure(q.name+", CPU", median(cpu), "ms")
		m.figure(q.name+", read", float64(read), "rows")
	}
	return nil
}

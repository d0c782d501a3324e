package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
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

// mergeBench measures the costs and savings of merge settings: simulated flows at a steady rate into a
// separate store, rollups summed every ten seconds, and two queries at the same time. Costs are CPU seconds
// of the engine's process.
type mergeBench struct {
	label   string
	flows   string // settings of the flows table, as in MODIFY SETTING; empty: unchanged
	rollups string // of the rollups
	rate    int    // flows/s
	minutes int
	rest    time.Duration // after the load, while merges continue
	random  bool          // ASes hardly repeat, the worst case for rollups
	jump    time.Duration // by which the times of flows are ahead of the clock in the second half: another partition
}

func (b mergeBench) run(ctx context.Context, w io.Writer) error {
	binary, err := netmetaBinary()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "netmeta-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	e, err := engine.New(engine.Options{Path: dir, Exe: binary, Memory: 4 << 30, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		// mergeRun is the state of a running mergeBench.
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); e.Run(ctx) }()
	defer func() { stop(); <-ended }()
	ready, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := e.Ready(ready); err != nil {
		return err
	}
	m := &mergeRun{mergeBench: b, w: w, pid: e.Stats().PID, client: store.NewClient(e.URL(), e.Writer().Name, e.Writer().Password, ""),
		schema: store.Schema{Table: &flow.Table, TTLDays: 30, RollupDays: map[int64]int{60: 90, 3600: 400}}}
	return m.run(ctx)
}

// mergeRun is the state of a running mergeBench.
type mergeRun struct {
	mergeBench
	w      io.Writer
	pid    int
	client *store.Client
	schema store.Schema

	columns []string // real columns
	rows    int
	inserts []float64 // ms
}

func (m *mergeRun) run(ctx context.Context) error {
	if err := m.insert(ctx, m.record(rand.New(rand.NewPCG(1, 1)), m.source(time.Now()), time.Now().Add(time.Second)), "first"); err != nil { // makes rare columns real
		return err
	}
	if err := m.configure(ctx); err != nil {
		return err
	}
	before, merged, merges := cpuSeconds(m.pid), m.event(ctx, "MergedRows"), m.event(ctx, "Merge")
	m.rows, m.inserts = 0, nil
	asking, stop := context.WithCancel(ctx)
	var asked sync.WaitGroup
	var charts, facets []float64
	asked.Go(func() {
		askEvery(asking, 15*time.Second, func() error { return m.chart(asking) }, func(ms float64) { charts = append(charts, ms) })
	})
	asked.Go(func() {
		askEvery(asking, 15*time.Second, func() error { return m.facets(asking) }, func(ms float64) { facets = append(facets, ms) })
	})
	err := m.load(ctx)
	stop()
	asked.Wait()
	if err != nil {
		return err
	}
	loaded, parts := cpuSeconds(m.pid), m.parts(ctx)
	if err := sleep(ctx, m.rest); err != nil {
		return err
	}
	all, rested := cpuSeconds(m.pid), m.parts(ctx)
	var quiet []float64
	for range 10 {
		start := time.Now()
		if err := m.chart(ctx); err != nil {
			return err
		}
		quiet = append(quiet, float64(time.Since(start).Microseconds())/1000)
	}
	rows := float64(m.rows)
	for _, f := range []struct {
		name  string
		value float64
		unit  string
	}{
		{"rows", rows, "rows"},
		{"engine CPU, load", (loaded - before) * 1e9 / rows, "ns/flow"},
		{"engine CPU, load and rest", (all - before) * 1e9 / rows, "ns/flow"},
		{"merged rows", (m.event(ctx, "MergedRows") - merged) / rows, "rows/flow"},
		{"merges", m.event(ctx, "Merge") - merges, "merges"},
		{"insert, median", median(m.inserts), "ms"},
		{"insert, 95th percentile", percentile(m.inserts, 95), "ms"},
		{"last hour by AS, median", median(charts), "ms"},
		{"last hour by AS, 95th percentile", percentile(charts, 95), "ms"},
		{"facets of the last hour, median", median(facets), "ms"},
		{"facets of the last hour, 95th percentile", percentile(facets, 95), "ms"},
		{"last hour by AS after the rest, median", median(quiet), "ms"},
		{"last hour by AS after the rest, CPU", (cpuSeconds(m.pid) - all) * 1000 / float64(len(quiet)), "ms"},
		{"engine memory, most", peakMiB(m.pid), "MiB"},
	} {
		fmt.Fprintf(m.w, "merges/%s/%s\t%s\t%s\n", m.label, f.name, short(f.value), f.unit)
	}
	fmt.Fprintf(m.w, "merges/%s/parts after the load\t%s\nmerges/%[1]s/parts after the rest\t%s\n", m.label, parts, rested)
	return nil
}

// configure applies the settings to the tables.
func (m *mergeRun) configure(ctx context.Context) error {
	set := map[string]string{flow.Table.Name: m.mergeBench.flows}
	for _, r := range flow.Table.Rollups {
		set[r.Name] = m.rollups
	}
	for table, settings := range set {
		if settings == "" {
			continue
		}
		if err := m.client.Exec(ctx, "ALTER TABLE "+table+" MODIFY SETTING "+settings); err != nil {
			return err
		}
	}
	return nil
}

// load inserts twice a second, as the writer does, and updates the rollups every ten seconds.
func (m *mergeRun) load(ctx context.Context) error {
	begin := time.Now()
	next := m.source(begin)
	rnd := rand.New(rand.NewPCG(1, 2))
	roller := store.Roller{Client: m.client, Schema: func() store.Schema { return m.schema }, Owner: "bench", Log: slog.New(slog.DiscardHandler)}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for i := range m.minutes * 120 {
		<-tick.C
		blocks := m.record(rnd, next, begin.Add(time.Duration(i+1)*500*time.Millisecond))
		start := time.Now()
		if err := m.insert(ctx, blocks, fmt.Sprint("bench-", i)); err != nil {
			return err
		}
		m.inserts = append(m.inserts, float64(time.Since(start).Microseconds())/1000)
		if i%20 == 19 {
			if _, err := roller.Roll(ctx, m.shifted(time.Now(), begin).Unix()-10); err != nil {
				return err
			}
		}
	}
	return nil
}

// shifted returns the time of flows at a moment.
func (m *mergeRun) shifted(t, begin time.Time) time.Time {
	if t.Sub(begin) > time.Duration(m.minutes)*time.Minute/2 {
		return t.Add(m.jump)
	}
	return t
}

// source yields datagrams from a time on.
func (m *mergeRun) source(begin time.Time) func(until time.Time, yield func(simulate.Datagram)) {
	datagrams := make(chan []simulate.Datagram, 4)
	go func() {
		var list []simulate.Datagram
		for d := range simulate.Datagrams(simulate.Options{Protocol: simulate.NetFlow9, Exporters: 8, Rate: float64(m.rate), Seed: 1, Now: func() time.Time { return begin }}) {
			d.Payload = slices.Clone(d.Payload)
			if list = append(list, d); len(list) == 1000 {
				datagrams <- list
				list = nil
			}
		}
	}()
	var left []simulate.Datagram
	return func(until time.Time, yield func(simulate.Datagram)) {
		for {
			if len(left) == 0 {
				left = <-datagrams
			}
			d := left[0]
			if d.Time.After(until) {
				return
			}
			d.Time = m.shifted(d.Time, begin)
			yield(d)
			left = left[1:]
		}
	}
}

var decoding = sync.OnceValue(func() source.Decoder {
	return netflow.New(netflow.Options{Exporters: &source.Exporters{}}).Decoder()
})

// record returns the blocks of the datagrams before a time.
func (m *mergeRun) record(rnd *rand.Rand, next func(time.Time, func(simulate.Datagram)), until time.Time) (blocks []native.Block) {
	var encoder native.Encoder
	out := source.NewOut(source.SinkFunc(func(batch *column.Batch) {
		if m.random {
			for row := range batch.Len() {
				flow.SrcAS.Set(batch, row, rnd.Uint32())
				flow.DstAS.Set(batch, row, rnd.Uint32())
			}
		}
		if b := encoder.Encode(batch); b.Rows > 0 {
			blocks = append(blocks, b)
		}
	}), flow.Table.NewBatch(source.BatchRows))
	next(until, func(d simulate.Datagram) {
		decoding().Decode(&source.Datagram{Payload: d.Payload, Exporter: d.Src, Received: d.Time}, out)
	})
	if err := out.Flush(context.Background()); err != nil {
		panic("BUG: " + err.Error()) // the sink above cannot fail
	}
	return blocks
}

func (m *mergeRun) insert(ctx context.Context, blocks []native.Block, token string) error {
	carried := map[*column.Field]bool{}
	data := make([][]byte, len(blocks))
	for i, b := range blocks {
		data[i] = b.Data
		m.rows += b.Rows
		for _, f := range b.Columns {
			carried[f] = true
		}
	}
	var names []string
	for _, f := range flow.Table.Fields {
		if carried[f] {
			names = append(names, f.Name)
		}
	}
	if slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(m.columns, name) }) {
		m.columns = append(m.columns, names...)
		m.schema.Columns = m.columns
		if err := store.Migrate(ctx, m.client, m.schema, slog.New(slog.DiscardHandler)); err != nil {
			return err
		}
	}
	err := m.client.Insert(ctx, flow.Table.Name, names, token, data...)
	for i := range blocks {
		blocks[i].Release()
	}
	return err
}

func (m *mergeRun) chart(ctx context.Context) error { return askOnce(ctx, m.client, true) }

func (m *mergeRun) facets(ctx context.Context) error {
	values, err := url.ParseQuery("from=-1h")
	if err != nil {
		return err
	}
	req, _, err := query.ParseURL(values)
	if err != nil {
		return err
	}
	rg, err := req.Resolve(time.Now())
	if err != nil {
		return err
	}
	schema, err := schemaOf(ctx, m.client, true)
	if err != nil {
		return err
	}
	q, err := req.Facets(rg, schema, "src.as,dst.as,in.if,out.if")
	if err != nil {
		return err
	}
	_, _, err = m.client.Select(ctx, store.Query{SQL: q.SQL, Params: q.Params})
	return err
}

func (m *mergeRun) event(ctx context.Context, name string) float64 {
	res, _, err := m.client.Select(ctx, store.Query{SQL: "SELECT toFloat64(sum(value)) FROM system.events WHERE event = '" + name + "'"})
	if err != nil || res.Rows == 0 {
		return 0
	}
	return res.Columns[0].([]float64)[0]
}

// parts returns the number of parts of each table, by partition.
func (m *mergeRun) parts(ctx context.Context) string {
	res, _, err := m.client.Select(ctx, store.Query{SQL: `
SELECT arrayStringConcat(groupArray(text), ' ') FROM (
    SELECT concat(table, '/', partition_id, '=', toString(count()), '@', toString(max(level))) AS text
    FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table, partition_id ORDER BY table, partition_id)`})
	if err != nil || res.Rows == 0 {
		return fmt.Sprint(err)
	}
	return res.Columns[0].([]string)[0]
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func percentile(v []float64, n int) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)*n/100]
}

// peakMiB returns the peak memory of a process.
func peakMiB(pid int) float64 {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), "VmHWM:"); ok {
			var kb float64
			fmt.Sscan(rest, &kb)
			return kb / 1024
		}
	}
	return 0
}

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"

	"netmeta/access"
	"netmeta/column"
	"netmeta/engine"
	"netmeta/flow"
	"netmeta/native"
	"netmeta/query"
	"netmeta/store"
)

// recordedSeconds is the length of the load that engineAlone keeps in memory and inserts repeatedly.
const recordedSeconds = 10

// engineAlone measures the engine with the rows of a load while nothing else runs. A client inserts the collector's
// blocks once a second and runs the same query each second, with or without rollups. It returns nanoseconds of the
// engine's CPU per row.
func engineAlone(l load, seconds int, rollups bool) (float64, error) {
	binary, err := netmetaBinary()
	if err != nil {
		return 0, err
	}
	blocks, err := record(l)
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "netmeta-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	log := slog.New(slog.DiscardHandler)
	e, err := engine.New(engine.Options{Path: dir, Exe: binary, Logger: log})
	if err != nil {
		return 0, err
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); e.Run(ctx) }()
	defer func() { stop(); <-ended }()
	ready, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := e.Ready(ready); err != nil {
		return 0, err
	}
	client := store.NewClient(e.URL(), e.Writer().Name, e.Writer().Password, "")
	carried := map[*column.Field]bool{}
	for _, b := range blocks {
		for _, f := range b.Columns {
			carried[f] = true
		}
	}
	var columns []string
	for _, f := range flow.Table.Fields {
		if carried[f] {
			columns = append(columns, f.Name)
		}
	}
	schema := store.Schema{Table: &flow.Table, TTLDays: 30, Columns: columns}
	if rollups {
		schema.RollupDays = map[int64]int{60: 90, 3600: 400}
	}
	if err := store.Migrate(ctx, client, schema, log); err != nil {
		return 0, err
	}
	roller := store.Roller{Client: client, Schema: func() store.Schema { return schema }, Owner: "bench", Log: log}

	before := cpuSeconds(e.Stats().PID)
	var asked sync.WaitGroup
	asking, stopAsking := context.WithCancel(ctx)
	defer stopAsking()
	asked.Go(func() { eachSecond(asking, func() error { return askOnce(asking, client, rollups) }, func(float64) {}) })
	rows := 0
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for second := range seconds {
		n := len(blocks) / recordedSeconds
		part := blocks[second%recordedSeconds*n:][:n]
		data := make([][]byte, n)
		for i, b := range part {
			data[i] = b.Data
			rows += b.Rows
		}
		if err := client.Insert(ctx, flow.Table.Name, columns, fmt.Sprint("bench-", second), data...); err != nil {
			return 0, err
		}
		if rollups && second%10 == 9 {
			if _, err := roller.Roll(ctx, time.Now().Unix()-10); err != nil {
				return 0, err
			}
		}
		<-tick.C
	}
	stopAsking()
	asked.Wait()
	return (cpuSeconds(e.Stats().PID) - before) * 1e9 / float64(rows), nil
}

// askOnce runs the API's query directly on the store.
func askOnce(ctx context.Context, client *store.Client, rollups bool) error {
	values, err := url.ParseQuery(question)
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
	schema, err := schemaOf(ctx, client, rollups)
	if err != nil {
		return err
	}
	stmt, err := req.Series(rg, schema)
	if err != nil {
		return err
	}
	_, _, err = client.Select(ctx, store.Query{SQL: stmt.SQL, Params: stmt.Params})
	return err
}

// schemaOf returns the state of the tables from which a server builds statements.
func schemaOf(ctx context.Context, client *store.Client, rollups bool) (s query.Schema, err error) {
	s.Once = true
	if !rollups {
		return s, nil
	}
	res, _, err := client.Select(ctx, store.Query{SQL: query.RollupState(access.Everything).SQL})
	if err == nil && res.Rows > 0 {
		s.Rollups = query.RollupsOf(res.Columns[0].([]string), res.Columns[1].([]uint32), res.Columns[2].([]uint32))
		if res, _, err = client.Select(ctx, store.Query{SQL: query.FoldedState(access.Everything).SQL}); err == nil && res.Rows > 0 {
			query.SetFolded(s.Rollups, res.Columns[0].([]string), res.Columns[1].([]uint32), res.Columns[2].([]uint64))
		}
	}
	return s, err
}

// record returns the blocks of a load.
func record(l load) ([]native.Block, error) {
	c, err := newCollector(false)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var blocks []native.Block
	var run sync.WaitGroup
	var failed error
	run.Go(func() {
		_, failed = c.run(ctx, func(b native.Block) {
			if b.Table == &flow.Table {
				blocks = append(blocks, b)
			}
		})
	})
	_, _, err = generate(int(c.port()), l, recordedSeconds*time.Second)
	stop()
	run.Wait()
	if err := errors.Join(err, failed); err != nil {
		return nil, err
	}
	return slices.Clip(blocks), nil
}

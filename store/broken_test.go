package store_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/engine"
	"netmeta/flow"
	"netmeta/internal/enginetest"
	"netmeta/native"
	"netmeta/store"
)

// ownEngine starts an engine with a data directory of its own.
func ownEngine(t *testing.T, dir string) (*engine.Supervisor, *store.Client) {
	t.Helper()
	e, err := engine.New(engine.Options{Path: dir, Memory: 2 << 30, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { e.Run(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })
	ready, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := e.Ready(ready); err != nil {
		t.Fatal(err)
	}
	user := e.Writer()
	return e, store.NewClient(e.URL(), user.Name, user.Password, "")
}

// An ALTER on a full disk can leave a table without its definition. A rollup that has lost
// it is no reason to refuse rows of flows, whether a column becomes real with them or not.
func TestBrokenRollup(t *testing.T) {
	dir := t.TempDir()
	_, w := ownEngine(t, dir)
	schema := withRollups()
	tables := store.NewTables(w, []store.Schema{schema}, quiet)
	if err := tables.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	spool := openSpool(t, t.TempDir(), &flow.Table)
	put := func(blocks ...native.Block) {
		t.Helper()
		writer := &store.Writer{Inserter: tables, Tables: []*column.Table{&flow.Table}, Log: quiet, Spool: spool}
		run(t, writer, blocks...)
		if n := writer.Stats.RefusedRows.Load(); n > 0 {
			t.Errorf("%d rows refused", n)
		}
	}
	roller := &store.Roller{Client: w, Schema: func() store.Schema { return schema }, Owner: "test", Log: quiet}
	put(rollupRows(rnd, 1000, false))
	if _, err := roller.Roll(t.Context(), end-7200); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rollup_1m", "rollup_1h"} {
		path := text(t, w, "SELECT metadata_path FROM system.tables WHERE database = currentDatabase() AND name = '"+name+"'")
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, "clickhouse", path)
		}
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
	}
	put(rollupRows(rnd, 1000, false))
	put(rollupRows(rnd, 1000, true)) // SrcCountry and InIfBoundary become real
	if got := text(t, w, "SELECT count(), countIf(SrcCountry = 'DE') > 0 FROM flows"); got != "3000\t1" {
		t.Errorf("flows %s", got)
	}
	// The rollups have got their definitions again, and their sums.
	schema.Columns = []string{"SrcCountry", "InIfBoundary"}
	if got := text(t, w, "SELECT count() FROM system.tables WHERE database = currentDatabase() AND create_table_query = ''"); got != "0" {
		t.Errorf("%s tables have no definition", got)
	}
	if plan, err := store.Plan(t.Context(), w, schema); err != nil || len(plan) > 0 {
		t.Errorf("left to do: %v, %v", plan, err)
	}
	enginetest.RollWith(t, roller, end)
	sameSums(t, w)

	// One that cannot be converted, because a user has made another table with its name.
	for _, sql := range []string{"DROP TABLE rollup_1m_as SYNC", "CREATE TABLE rollup_1m_as (TimeReceived String) ENGINE = MergeTree ORDER BY TimeReceived"} {
		if err := w.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	tables = store.NewTables(w, []store.Schema{schema}, quiet)
	if err := tables.Migrate(t.Context()); err != nil {
		t.Error(err)
	}
	var broken *store.RollupError
	if err := store.Migrate(t.Context(), w, schema, quiet); !errors.As(err, &broken) || broken.Rollup != "rollup_1m_as" {
		t.Errorf("%v", err)
	}
	vni := flow.Table.NewBatch(1)
	flow.TimeReceived.Set(vni, vni.Add(), end-1)
	flow.VNI.Set(vni, 0, 7) // becomes real
	var e native.Encoder
	put(e.Encode(vni))
	if got := text(t, w, "SELECT count() FROM flows WHERE VNI = 7"); got != "1" {
		t.Errorf("%s flows with a new column", got)
	}
}

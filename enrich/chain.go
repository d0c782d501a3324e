package enrich

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"netmeta/column"
	"netmeta/enrich/feed"
	"netmeta/enrich/names"
	"netmeta/enrich/stage"
	"netmeta/flow"
)

// Chain holds the tables of all stages and makes the stages of each worker. It is safe for concurrent use.
//
// Set applies a new configuration while stages run: it makes new tables and swaps all of them at once. A
// batch is enriched with the tables that were current when it arrived; no worker waits.
type Chain struct {
	Book names.Book // of names that sources report: they write, the stages read

	env     environment
	now     atomic.Pointer[tables]
	changed chan struct{} // the tables were swapped

	mu      sync.Mutex // serialises Prepare, and guards the following
	fetched []feed.Location
}

// New makes a chain from a valid configuration, as Set does. Last good copies of feeds are in the directory
// feeds of the data directory.
func New(cfg Config, data string, log *slog.Logger) (*Chain, error) {
	c := &Chain{changed: make(chan struct{}, 1)}
	c.env = environment{&c.Book, feed.Options{Dir: filepath.Join(data, "feeds"), Log: log}}
	c.now.Store(&tables{})
	return c, c.Set(cfg)
}

// Set makes tables from a valid configuration and its files, and swaps them in. After an error nothing has
// changed. It never uses the network.
func (c *Chain) Set(cfg Config) error {
	commit, err := c.Prepare(cfg)
	if err == nil {
		commit()
	}
	return err
}

// Prepare makes the tables of a configuration; stages use them after commit is called. Errors are those of
// Set.
func (c *Chain) Prepare(cfg Config) (commit func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old, next := c.now.Load(), &tables{}
	var errs []error
	for i, table := range stages {
		var err error
		if next[i], err = table(cfg, c.env, old[i]); err != nil {
			errs = append(errs, fmt.Errorf("enrich.%w", err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return func() { c.swap(next, append(slices.Clone(cfg.NetworkFiles), cfg.Data)) }, nil
}

// swap replaces the tables of all stages.
func (c *Chain) swap(next *tables, fetched []feed.Location) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fetched = fetched
	c.now.Store(next)
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// Run runs the tables that work in the background, those of each configuration in turn, until ctx ends.
func (c *Chain) Run(ctx context.Context) {
	for ctx.Err() == nil {
		c.prune()
		c.runTables(ctx, c.now.Load())
	}
}

// prune removes the copies of feeds that are no longer fetched.
func (c *Chain) prune() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := feed.Prune(c.env.feeds.Dir, c.fetched); err != nil {
		c.env.feeds.Log.Warn("copies of feeds that are no longer configured remain", "err", err)
	}
}

// runTables runs tables until others are swapped in or ctx ends.
func (c *Chain) runTables(ctx context.Context, t *tables) {
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	for _, table := range t {
		if r, ok := table.(stage.Runner); ok {
			running.Go(func() { r.Run(ctx) })
		}
	}
	select {
	case <-c.changed:
	case <-ctx.Done():
	}
	stop()
	running.Wait()
}

// Stage makes the stages of one worker; call it with each batch, from one goroutine. Batches of tables other
// than flows pass unchanged.
func (c *Chain) Stage() func(*column.Batch) {
	w := &worker{chain: c}
	return w.apply
}

// worker owns the stages of one goroutine.
type worker struct {
	chain  *Chain
	tables *tables // of the stages
	stages [len(stages)]stage.Stage
}

func (w *worker) apply(b *column.Batch) {
	if b.Table() != &flow.Table {
		return
	}
	if now := w.chain.now.Load(); now != w.tables {
		w.change(now)
	}
	for _, s := range w.stages {
		s.Apply(b)
	}
}

// change makes the stages of new tables.
func (w *worker) change(t *tables) {
	w.tables = t
	for i, table := range t {
		w.stages[i] = table.Stage()
	}
}

// Status lists the data of the stages.
func (c *Chain) Status() (list []stage.Status) {
	for _, table := range c.now.Load() {
		if r, ok := table.(stage.Reporter); ok {
			list = append(list, r.Status()...)
		}
	}
	return list
}

// Package sourcetest is one suite of tests for every source: everything that arrives is handed on once, a
// full queue makes the source wait, and what it acknowledges is durable, whatever process is killed. It uses
// the real pipe, writer, spool and engine.
package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/internal/enginetest"
	"netmeta/native"
	"netmeta/pipe"
	"netmeta/source"
	"netmeta/store"
)

// Subject is a source, ready to run, with its sender. It sends records numbered from 0; each gives one row of
// flows, whose Bytes are 1 + its number.
type Subject struct {
	source.Source
	Send  func(first, n int) // returns when the source, or what it reads from, has them
	Acked func() int         // number of records acknowledged, from the first on

	// Reload changes the configuration and back while the source runs; nil: it cannot change.
	Reload func() error

	// Lost returns how many records were lost before they reached the source, by its own count; nil: none can
	// be lost.
	Lost func() int

	// Keeps says that records cannot be given back: the source hands on everything that it received before it
	// ends, and waits for room as long as necessary. Other sources end at once.
	Keeps bool
}

// Main is the TestMain of a package that tests sources.
func Main(m *testing.M) {
	if isChild() {
		m.Run()
		return
	}
	enginetest.Main(m)
}

// Test runs the suite over a source, which open makes for each part.
func Test(t *testing.T, open func(testing.TB) Subject) {
	if isChild() {
		beChild(t, open(t))
		return
	}
	t.Run("all arrives", func(t *testing.T) { testArrives(t, open(t)) })
	t.Run("one is not kept waiting", func(t *testing.T) { testAge(t, open(t)) })
	t.Run("reload", func(t *testing.T) { testReload(t, open(t)) })
	t.Run("full queue", func(t *testing.T) { testFull(t, open(t)) })
	t.Run("acknowledged when durable", func(t *testing.T) { testAcknowledged(t, open(t)) })
	t.Run("killed", testKilled)
}

const some = 3000 // records

// newPipe makes a pipe for a number of blocks, which have only the number of each record: native.Decode does
// not read every column.
func newPipe(blocks int) *pipe.Pipe {
	return pipe.New(blocks, 64<<20, func() pipe.Stage {
		return func(b *column.Batch) {
			numbers := slices.Clone(flow.Bytes.Column(b)[:b.Len()])
			b.Reset()
			for _, n := range numbers {
				flow.Bytes.Set(b, b.Add(), n)
			}
		}
	})
}

// running is a source that runs into a pipe.
type running struct {
	Subject
	t     testing.TB
	pipe  *pipe.Pipe
	stop  context.CancelFunc
	ended chan error

	mu   sync.Mutex
	rows map[int]int // how often each record arrived
	all  int
}

func run(t testing.TB, s Subject, p *pipe.Pipe) *running {
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	r := &running{Subject: s, t: t, pipe: p, stop: stop, ended: make(chan error, 1), rows: map[int]int{}}
	go func() {
		r.ended <- s.Run(ctx, func(d source.Durability) *source.Out {
			e := p.Emitter()
			e.Synced = d == source.Synced
			return source.NewOut(e)
		})
	}()
	return r
}

// take takes all blocks from the queue, after which they count as durable.
func (r *running) take() {
	for b := range r.pipe.Queue() {
		r.pipe.Taken(b)
		if b.Rows > 0 && b.Table == &flow.Table {
			res, err := native.Decode(bytes.NewReader(b.Data))
			if err != nil {
				r.t.Error(err)
				return
			}
			r.mu.Lock()
			for _, v := range res.Column("Bytes").([]uint64) {
				r.rows[int(v)-1]++
				r.all++
			}
			r.mu.Unlock()
		}
		if b.Safe != nil {
			b.Safe()
		}
		b.Release()
	}
}

func (r *running) came() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all
}

func (r *running) lost() int {
	if r.Lost == nil {
		return 0
	}
	return r.Lost()
}

// end stops the source and waits for it.
func (r *running) end() {
	r.t.Helper()
	r.stop()
	select {
	case err := <-r.ended:
		if err != nil && !errors.Is(err, context.Canceled) {
			r.t.Errorf("the source ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		r.t.Fatal("the source does not end")
	}
}

// once checks that n records arrived, less those that were lost, each once.
func (r *running) once(n int) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for number, times := range r.rows {
		if times != 1 || number < 0 || number >= n {
			r.t.Fatalf("record %d came %d times", number, times)
		}
	}
	if len(r.rows)+r.lost() != n {
		r.t.Errorf("%d records arrived and %d were lost, sent %d", len(r.rows), r.lost(), n)
	}
}

func until(t testing.TB, what string, fact func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !fact(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("in vain waited for: " + what)
		}
	}
}

// Everything that was sent is handed on, and no goroutine of the source is left after its end.
func testArrives(t *testing.T, s Subject) {
	before := runtime.NumGoroutine()
	r := run(t, s, newPipe(64))
	done := make(chan bool)
	go func() { r.take(); close(done) }()
	s.Send(0, some)
	if !s.Keeps { // otherwise unacknowledged records are given back
		until(t, "all records", func() bool { return s.Acked() == some })
	}
	r.end()
	r.pipe.Close()
	<-done
	r.once(some)
	if lost := r.lost(); lost > 0 {
		t.Errorf("%d records were lost of %d", lost, some)
	}
	if s.Acked() != some {
		t.Errorf("%d of %d records are acknowledged", s.Acked(), some)
	}
	until(t, "the end of the source's goroutines", func() bool { return runtime.NumGoroutine() <= before })
}

// A single record does not wait for more.
func testAge(t *testing.T, s Subject) {
	r := run(t, s, newPipe(64))
	go r.take()
	sent := time.Now()
	s.Send(0, 1)
	until(t, "the only record", func() bool { return r.came() == 1 })
	if d := time.Since(sent); d > 5*time.Second {
		t.Errorf("it waited for %v", d)
	}
	r.end()
	r.pipe.Close()
}

// A reload neither loses nor duplicates records.
func testReload(t *testing.T, s Subject) {
	if s.Reload == nil {
		t.Skip("nothing of it changes while it runs")
	}
	r := run(t, s, newPipe(64))
	done := make(chan bool)
	go func() { r.take(); close(done) }()
	const reloads = 10
	for i := range reloads {
		s.Send(i*some/reloads, some/reloads)
		if err := s.Reload(); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "all records", func() bool { return s.Acked() == some })
	r.end()
	r.pipe.Close()
	<-done
	r.once(some)
}

// If the queue is full, the source waits and acknowledges nothing. At its end it waits for room only if its
// records cannot be given back.
func testFull(t *testing.T, s Subject) {
	r := run(t, s, newPipe(1))
	const many = 20 * some
	s.Send(0, many)
	until(t, "a full queue", func() bool { return r.pipe.Level().Full })
	time.Sleep(400 * time.Millisecond) // longer than rows wait for others
	if n := r.pipe.Blocks.Load(); n != 1 || s.Acked() != 0 {
		t.Errorf("%d blocks went into a queue of one; %d records are acknowledged", n, s.Acked())
	}
	r.stop()
	if !s.Keeps {
		r.end()
		if s.Acked() != 0 {
			t.Errorf("%d records are acknowledged that were not handed on", s.Acked())
		}
		return
	}
	select {
	case err := <-r.ended:
		t.Fatalf("it ended, with records that nobody has: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	done := make(chan bool)
	go func() { r.take(); close(done) }()
	r.end()
	r.pipe.Close()
	<-done
	r.once(many)
}

// Acknowledged records are in the spool, because the store is down; before that, none are acknowledged.
func testAcknowledged(t *testing.T, s Subject) {
	r := run(t, s, newPipe(64))
	s.Send(0, some)
	until(t, "rows in the queue", func() bool { return r.pipe.Rows.Load() > 0 })
	time.Sleep(400 * time.Millisecond)
	if n := s.Acked(); n != 0 {
		t.Fatalf("%d records are acknowledged that are in memory alone", n)
	}
	w := newWriter(t, t.TempDir(), store.NewClient("http://127.0.0.1:1", "", "", ""))
	w.Taken = r.pipe.Taken
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	written := make(chan error, 1)
	go func() { written <- w.Run(ctx, r.pipe.Queue()) }()
	until(t, "all records acknowledged", func() bool {
		acked := s.Acked() // first: the other number only grows
		if rows := w.Spool.Stats().WrittenRows; uint64(acked) > rows {
			t.Fatalf("%d records are acknowledged, %d are in the spool", acked, rows)
		}
		return acked == some
	})
	r.end()
	r.pipe.Close()
	cancel()
	if err := <-written; err != nil {
		t.Fatal(err)
	}
}

// newWriter makes a writer of flows, with its spool in a directory.
func newWriter(t testing.TB, dir string, c *store.Client) *store.Writer {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	spool, err := store.OpenSpool(filepath.Join(dir, "spool"), store.DiskShare{}, []*column.Table{&flow.Table}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { spool.Close() })
	return &store.Writer{Inserter: store.NewTables(c, []store.Schema{{Table: &flow.Table}}, quiet), Tables: []*column.Table{&flow.Table}, Log: quiet, Spool: spool}
}

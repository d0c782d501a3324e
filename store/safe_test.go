package store_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"

	"netmeta/column"
	"netmeta/internal/enginetest"
	"netmeta/native"
	"netmeta/store"
)

// Blocks are reported as safe in the order of the queue, once each, and never before their rows and those of
// all earlier blocks are stored or in the spool, whatever the table.
func TestSafe(t *testing.T) {
	for _, c := range []struct {
		name string
		mode int32
	}{{"stored", open}, {"spooled, then stored", busy}, {"spooled at the end", cut}} {
		t.Run(c.name, func(t *testing.T) {
			s, other := standard(), standard()
			other.Table.Name = "others"
			clients, r := enginetest.Clients(t)
			migrate(t, clients, store.Schema{Table: &s.Table})
			migrate(t, clients, store.Schema{Table: &other.Table})
			f := newFront(t, clients.URL.Reveal())
			w := writer(t, store.NewClient(f.URL, clients.User, clients.Password.Reveal(), clients.Database), &s.Table, &other.Table)
			f.mode.Store(c.mode)
			var (
				told  []int
				calls int
				rows  int // handed over until now
			)
			w.Safe = func() { calls++ }
			mark := func(b native.Block) native.Block {
				i, need := rows, rows+b.Rows
				rows = need
				b.Safe = func() {
					told = append(told, i)
					have := int(w.Spool.Stats().Rows)
					for _, table := range []*column.Table{&s.Table, &other.Table} {
						n, err := strconv.Atoi(text(t, r, fmt.Sprintf("SELECT count() FROM %s", table.Name)))
						if err != nil {
							t.Error(err)
						}
						have += n
					}
					if have < need {
						t.Errorf("told that %d rows are safe: %d are", need, have)
					}
				}
				return b
			}
			queue := make(chan native.Block, 100)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error)
			go func() { ended <- w.Run(ctx, queue) }()
			queue <- mark(native.Block{Table: &s.Table}) // nothing is before it, nor in it
			for i := range 20 {
				queue <- mark(s.bytes(uint64(i), 1))
				queue <- mark(other.bytes(uint64(i), 1, 2))
				queue <- other.bytes() // without rows or a callback
				queue <- mark(native.Block{Table: &s.Table})
			}
			close(queue)
			switch c.mode {
			case busy:
				until(t, "an attempt in vain", func() bool { return f.refused.Load() > 0 })
				f.mode.Store(open)
			case cut:
				until(t, "an attempt in vain", func() bool { return f.refused.Load() > 0 })
				cancel()
			}
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if len(told) != 61 || calls == 0 || calls > len(told) {
				t.Errorf("%d of 61 told, %d calls", len(told), calls)
			}
			for i := range told[1:] {
				if told[i+1] < told[i] {
					t.Errorf("told out of order: %v", told)
					break
				}
			}
		})
	}
}

// Rows that are to survive a loss of power are synced when they are stored and before they
// are said to be safe, and stay in the spool until then; other inserts are not synced.
func TestSafeSynced(t *testing.T) {
	for _, c := range []struct {
		name  string
		mode  int32 // of the store at the begin
		fails int32 // how often it cannot be synced
	}{{"stored", open, 0}, {"spooled, then stored", busy, 2}} {
		t.Run(c.name, func(t *testing.T) {
			s := standard()
			clients, r := enginetest.Clients(t)
			migrate(t, clients, store.Schema{Table: &s.Table})
			f := newFront(t, clients.URL.Reveal())
			w := writer(t, store.NewClient(f.URL, clients.User, clients.Password.Reveal(), clients.Database), &s.Table)
			f.mode.Store(c.mode)
			var (
				syncs atomic.Int32
				fails atomic.Int32
				safe  atomic.Int32
			)
			fails.Store(c.fails)
			w.Sync = func() error {
				if n := text(t, r, "SELECT count() FROM flows"); n != "4" {
					t.Errorf("synced with %s rows in the store", n)
				}
				if c.mode == open && safe.Load() > 1 {
					t.Error("said to be safe before the disk has them")
				}
				if c.mode == busy && w.Spool.Stats().Rows != 3 {
					t.Errorf("synced with %d rows in the spool", w.Spool.Stats().Rows)
				}
				syncs.Add(1)
				if fails.Add(-1) >= 0 {
					return errors.New("the disk is busy")
				}
				return nil
			}
			block := func(synced bool, values ...uint64) native.Block {
				b := s.bytes(values...)
				b.Synced, b.Safe = synced, func() { safe.Add(1) }
				return b
			}
			queue := make(chan native.Block)
			ended := make(chan error)
			go func() { ended <- w.Run(t.Context(), queue) }()
			if c.mode == open {
				queue <- block(false, 1)
				until(t, "the first block", func() bool { return safe.Load() == 1 })
				if syncs.Load() != 0 {
					t.Error("synced what did not ask for it")
				}
				queue <- block(true, 2, 3, 4)
			} else {
				queue <- block(true, 2, 3, 4)
				until(t, "the spool", func() bool { return safe.Load() == 1 })
				if syncs.Load() != 0 {
					t.Error("the store was synced, which has nothing")
				}
				if err := clients.Insert(t.Context(), "flows", []string{"Bytes"}, "beside", s.bytes(1).Data); err != nil {
					t.Fatal(err)
				}
				f.mode.Store(open)
			}
			close(queue)
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if got := text(t, r, "SELECT count(), sum(Bytes) FROM flows"); got != "4\t10" || syncs.Load() != c.fails+1 || w.Spool.Stats().Rows != 0 {
				t.Errorf("%s rows and their sum, %d syncs, %d rows in the spool", got, syncs.Load(), w.Spool.Stats().Rows)
			}
		})
	}
}

package store_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"netmeta/column"
	"netmeta/internal/enginetest"
	"netmeta/native"
	"netmeta/store"
)

// Blocks are told to be safe in the order of the queue, once each, and never before their
// rows and those of all blocks ahead are stored or in the spool, whatever the table.
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
				queue <- other.bytes() // without rows, and nobody wants to know
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

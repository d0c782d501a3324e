package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"netmeta/column"
	"netmeta/native"
)

const (
	// An insert takes what is queued, up to about this many rows: one part of the
	// table for each insert, so larger is cheaper, until memory matters.
	// A body of more than a million rows or 256 MiB would be cut by the server and its
	// token not recognised on a retry.
	insertRows  = 500_000
	insertBytes = 128 << 20
	// Inserts begin at most this often.
	insertEvery = time.Second
	// An attempt that takes longer is given up and made again; the token keeps the rows
	// from being stored twice should the first one still end well.
	insertTimeout = 2 * time.Minute
	// Pauses between attempts grow from the first to the last of these.
	retryFirst = 100 * time.Millisecond
	retryLast  = 5 * time.Second
)

// A Writer takes blocks to one table, in order, one insert at a time.
type Writer struct {
	Client *Client
	Schema Schema
	Log    *slog.Logger

	real map[string]bool // columns that the table has, as far as we have looked
	id   string          // of this process, first part of every token
	seq  uint64

	Stats WriterStats
}

// WriterStats count what the writer did. They are safe for concurrent use.
type WriterStats struct {
	Rows        atomic.Uint64
	Blocks      atomic.Uint64
	Bytes       atomic.Uint64 // of Native blocks
	Inserts     atomic.Uint64
	Errors      atomic.Uint64 // attempts that failed, retried ones included
	RefusedRows atomic.Uint64 // given up because the store will never take them
	LastMS      atomic.Uint64 // duration of the last insert
	LastAt      atomic.Int64  // Unix milliseconds of its end
}

// Run takes blocks from the queue until it is closed and empty, then returns nil.
// While the store is away it keeps the blocks it holds and tries again; ctx ends
// that too, and what was not stored is then lost, which the error says.
func (w *Writer) Run(ctx context.Context, queue <-chan native.Block) error {
	if w.id == "" {
		var raw [8]byte
		rand.Read(raw[:])
		w.id = hex.EncodeToString(raw[:])
	}
	var began time.Time
	for open := true; open; {
		first, ok := <-queue
		if !ok {
			return nil
		}
		var blocks []native.Block
		rows, size := 0, 0
		add := func(b native.Block) {
			blocks, rows, size = append(blocks, b), rows+b.Rows, size+len(b.Data)
		}
		add(first)
		// Take what waits. Then wait for more until the last insert is a second old, so
		// that inserts are large under load, larger still when the store is slow, and
		// the first flow after silence is visible at once.
		due := began.Add(insertEvery)
		for open && rows < insertRows && size < insertBytes && (len(queue) > 0 || time.Until(due) > 0) {
			select {
			case b, ok := <-queue:
				if open = ok; ok {
					add(b)
				}
			case <-time.After(time.Until(due)):
			}
		}
		began = time.Now()
		if err := w.insert(ctx, blocks, rows, size); err != nil {
			return err
		}
	}
	return nil
}

// insert stores blocks, again and again until the store takes them or refuses them
// for good. Every attempt sends the same bytes under the same token.
func (w *Writer) insert(ctx context.Context, blocks []native.Block, rows, size int) error {
	w.seq++
	token := fmt.Sprintf("%s-%d", w.id, w.seq)
	data := make([][]byte, len(blocks))
	carried := map[*column.Field]bool{}
	for i, b := range blocks {
		data[i] = b.Data
		for _, f := range b.Columns {
			carried[f] = true
		}
	}
	var names []string
	for _, f := range w.Schema.Table.Fields {
		if carried[f] {
			names = append(names, f.Name)
		}
	}
	refused := false
	for pause := retryFirst; ; pause = min(2*pause, retryLast) {
		start := time.Now()
		err := w.attempt(ctx, names, token, data)
		switch {
		case err == nil:
			w.Stats.Rows.Add(uint64(rows))
			w.Stats.Blocks.Add(uint64(len(blocks)))
			w.Stats.Bytes.Add(uint64(size))
			w.Stats.Inserts.Add(1)
			w.Stats.LastMS.Store(uint64(time.Since(start).Milliseconds()))
			w.Stats.LastAt.Store(time.Now().UnixMilli())
			if pause == retryFirst { // else a former attempt may still be reading them
				for i := range blocks {
					blocks[i].Release()
				}
			}
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("store: stopped with %d rows not stored: %w", rows, err)
		}
		w.Stats.Errors.Add(1)
		w.real = nil // the table may have been changed under us, or dropped
		// One refusal may come from such a change. Two in a row will not end.
		if !Temporary(err) && refused {
			w.Stats.RefusedRows.Add(uint64(rows))
			w.Log.Error("store refuses rows for good: they are lost", "table", w.Schema.Table.Name, "rows", rows, "err", err)
			return nil
		}
		refused = !Temporary(err)
		w.Log.Warn("store does not take rows: trying again", "table", w.Schema.Table.Name, "rows", rows, "pause", pause, "err", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// attempt makes the columns real that are not yet, and inserts.
func (w *Writer) attempt(ctx context.Context, names []string, token string, data [][]byte) error {
	ctx, cancel := context.WithTimeout(ctx, insertTimeout)
	defer cancel()
	if slices.ContainsFunc(names, func(name string) bool { return !w.real[name] }) {
		s := w.Schema
		s.Columns = slices.Concat(s.Columns, names)
		if err := Migrate(ctx, w.Client, s, w.Log); err != nil {
			return err
		}
		if w.real == nil {
			w.real = map[string]bool{}
		}
		for _, name := range names {
			w.real[name] = true
		}
	}
	return w.Client.Insert(ctx, w.Schema.Table.Name, names, token, data...)
}

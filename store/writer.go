package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"netmeta/column"
	"netmeta/native"
)

const (
	// An insert takes what is queued, up to about this many rows: one part of the
	// table for each insert, so larger is cheaper, until memory matters.
	insertRows = 500_000
	// Inserts begin at most this often.
	insertEvery = time.Second
	// Pauses between attempts grow from the first to the last of these.
	retryFirst = 100 * time.Millisecond
	retryLast  = 5 * time.Second
)

// A Writer takes blocks to one table, in order, one insert at a time.
type Writer struct {
	Client *Client
	Schema Schema
	Log    *slog.Logger

	real map[string]bool // columns that the table really has
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
	for {
		first, open := <-queue
		if !open {
			return nil
		}
		// Wait until the last insert is a second old, so that inserts are large
		// under load and the first flow after silence is visible at once.
		blocks, rows := []native.Block{first}, first.Rows
		due := time.After(time.Until(began.Add(insertEvery)))
	collect:
		for rows < insertRows && open {
			select {
			case b, ok := <-queue:
				if !ok {
					open = false
					break collect
				}
				blocks, rows = append(blocks, b), rows+b.Rows
			case <-due:
				break collect
			}
		}
		began = time.Now()
		if err := w.insert(ctx, blocks, rows); err != nil {
			return err
		}
		if !open {
			return nil
		}
	}
}

// insert stores blocks, again and again until the store takes them or refuses them
// for good. Every attempt sends the same bytes under the same token.
func (w *Writer) insert(ctx context.Context, blocks []native.Block, rows int) error {
	w.seq++
	token := fmt.Sprintf("%s-%d", w.id, w.seq)
	data, size := make([][]byte, len(blocks)), 0
	carried := map[*column.Field]bool{}
	for i, b := range blocks {
		data[i] = b.Data
		size += len(b.Data)
		for _, f := range b.Columns {
			carried[f] = true
		}
	}
	var fields []*column.Field
	var names []string
	for _, f := range w.Schema.Table.Fields {
		if carried[f] {
			fields, names = append(fields, f), append(names, f.Name)
		}
	}
	for pause := retryFirst; ; pause = min(2*pause, retryLast) {
		start := time.Now()
		err := w.promote(ctx, fields)
		if err == nil {
			err = w.Client.Insert(ctx, w.Schema.Table.Name, names, token, data...)
		}
		switch {
		case err == nil:
			w.Stats.Rows.Add(uint64(rows))
			w.Stats.Blocks.Add(uint64(len(blocks)))
			w.Stats.Bytes.Add(uint64(size))
			w.Stats.Inserts.Add(1)
			w.Stats.LastMS.Store(uint64(time.Since(start).Milliseconds()))
			w.Stats.LastAt.Store(time.Now().UnixMilli())
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("store: stopped with %d rows not stored: %w", rows, err)
		}
		w.Stats.Errors.Add(1)
		w.real = nil // the table may have been changed under us
		if !Temporary(err) {
			w.Stats.RefusedRows.Add(uint64(rows))
			w.Log.Error("store refuses a block for good: its rows are lost", "table", w.Schema.Table.Name, "rows", rows, "err", err)
			return nil
		}
		w.Log.Warn("store does not take a block: trying again", "table", w.Schema.Table.Name, "rows", rows, "pause", pause, "err", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// promote makes the rare ones of the fields real columns.
func (w *Writer) promote(ctx context.Context, fields []*column.Field) error {
	if w.real == nil {
		have, _, err := Describe(ctx, w.Client, w.Schema.Table.Name)
		if err != nil {
			return err
		}
		w.real = map[string]bool{}
		for _, c := range have {
			w.real[c.Name] = c.Kind != "ALIAS"
		}
	}
	for _, f := range fields {
		if w.real[f.Name] {
			continue
		}
		for _, ch := range w.Schema.Promote(f) {
			w.Log.Info("store: "+ch.Reason, "table", w.Schema.Table.Name)
			if err := w.Client.Exec(ctx, ch.SQL); err != nil {
				return fmt.Errorf("%s: %w", ch.Reason, err)
			}
		}
		w.real[f.Name] = true
	}
	return nil
}

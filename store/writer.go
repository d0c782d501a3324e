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

// A Writer takes blocks to their tables, in order, one insert at a time.
type Writer struct {
	Client  *Client
	Schemas []Schema // of all tables whose blocks come
	Log     *slog.Logger

	real map[*column.Field]bool // columns that the tables have, as far as we have looked
	id   string                 // of this process, first part of every token
	seq  uint64

	Stats WriterStats
	rows  [maxTables]atomic.Uint64 // stored, by the number of the schema

	reloaded atomic.Pointer[[]Schema] // what Reload was given
}

// Reload tells how the tables are to be kept from now on; the tables are the same. It
// changes none, but has the writer keep what Migrate does with these schemas. It is
// safe for concurrent use.
func (w *Writer) Reload(schemas []Schema) { w.reloaded.Store(&schemas) }

// current is how a table of Schemas is to be kept now.
func (w *Writer) current(s Schema) Schema {
	if list := w.reloaded.Load(); list != nil {
		for _, now := range *list {
			if now.Table == s.Table {
				return now
			}
		}
	}
	return s
}

// maxTables bounds the number of schemas.
const maxTables = 8

// RowsOf is how many rows of a table were stored. It is safe for concurrent use.
func (w *Writer) RowsOf(table *column.Table) uint64 {
	for i, s := range w.Schemas {
		if s.Table == table {
			return w.rows[i].Load()
		}
	}
	return 0
}

// WriterStats count what the writer did. They are safe for concurrent use.
type WriterStats struct {
	Rows        atomic.Uint64 // of all tables
	Blocks      atomic.Uint64
	Bytes       atomic.Uint64 // of Native blocks
	Inserts     atomic.Uint64
	Errors      atomic.Uint64 // attempts that failed, retried ones included
	RefusedRows atomic.Uint64 // given up because the store will never take them
	LastMS      atomic.Uint64 // duration of the last insert
	Since       atomic.Int64  // Unix milliseconds when the oldest rows not stored yet were taken; 0: there are none
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
		blocks := map[*column.Table][]native.Block{}
		rows, size := 0, 0
		add := func(b native.Block) {
			blocks[b.Table] = append(blocks[b.Table], b)
			rows, size = rows+b.Rows, size+len(b.Data)
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
		w.Stats.Since.Store(began.UnixMilli())
		for i, s := range w.Schemas {
			if err := w.insert(ctx, s, &w.rows[i], blocks[s.Table]); err != nil {
				return fmt.Errorf("store: stopped with %d rows not stored: %w", rowsOf(blocks), err)
			}
			delete(blocks, s.Table)
		}
		if len(blocks) > 0 {
			panic(fmt.Sprintf("BUG: %d rows of a table that the writer does not know", rowsOf(blocks)))
		}
		w.Stats.Since.Store(0)
	}
	return nil
}

func rowsOf(blocks map[*column.Table][]native.Block) (n int) {
	for _, list := range blocks {
		for _, b := range list {
			n += b.Rows
		}
	}
	return n
}

// insert stores blocks of one table, again and again until the store takes them or
// refuses them for good. Every attempt sends the same bytes under the same token.
func (w *Writer) insert(ctx context.Context, s Schema, stored *atomic.Uint64, blocks []native.Block) error {
	if len(blocks) == 0 {
		return nil
	}
	w.seq++
	token := fmt.Sprintf("%s-%d", w.id, w.seq)
	data := make([][]byte, len(blocks))
	carried := map[*column.Field]bool{}
	rows, size := 0, 0
	for i, b := range blocks {
		data[i] = b.Data
		rows, size = rows+b.Rows, size+len(b.Data)
		for _, f := range b.Columns {
			carried[f] = true
		}
	}
	var fields []*column.Field
	for _, f := range s.Table.Fields {
		if carried[f] {
			fields = append(fields, f)
		}
	}
	refused := false
	for pause := retryFirst; ; pause = min(2*pause, retryLast) {
		start := time.Now()
		err := w.attempt(ctx, s, fields, token, data)
		switch {
		case err == nil:
			stored.Add(uint64(rows))
			w.Stats.Rows.Add(uint64(rows))
			w.Stats.Blocks.Add(uint64(len(blocks)))
			w.Stats.Bytes.Add(uint64(size))
			w.Stats.Inserts.Add(1)
			w.Stats.LastMS.Store(uint64(time.Since(start).Milliseconds()))
			if pause == retryFirst { // else a former attempt may still be reading them
				for i := range blocks {
					blocks[i].Release()
				}
			}
			return nil
		case ctx.Err() != nil:
			return err
		}
		w.Stats.Errors.Add(1)
		w.real = nil // a table may have been changed under us, or dropped
		// One refusal may come from such a change. Two in a row will not end.
		if !Temporary(err) && refused {
			w.Stats.RefusedRows.Add(uint64(rows))
			w.Log.Error("store refuses rows for good: they are lost", "table", s.Table.Name, "rows", rows, "err", err)
			return nil
		}
		refused = !Temporary(err)
		w.Log.Warn("store does not take rows: trying again", "table", s.Table.Name, "rows", rows, "pause", pause, "err", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// attempt makes the columns real that are not yet, and inserts.
func (w *Writer) attempt(ctx context.Context, s Schema, fields []*column.Field, token string, data [][]byte) error {
	ctx, cancel := context.WithTimeout(ctx, insertTimeout)
	defer cancel()
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	if slices.ContainsFunc(fields, func(f *column.Field) bool { return !w.real[f] }) {
		s = w.current(s)
		s.Columns = slices.Concat(s.Columns, names)
		if err := Migrate(ctx, w.Client, s, w.Log); err != nil {
			return err
		}
		if w.real == nil {
			w.real = map[*column.Field]bool{}
		}
		for _, f := range fields {
			w.real[f] = true
		}
	}
	return w.Client.Insert(ctx, s.Table.Name, names, token, data...)
}

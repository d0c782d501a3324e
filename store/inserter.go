package store

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"netmeta/column"
	"netmeta/native"
)

// An Inserter takes rows to where they are kept: the tables of a ClickHouse, or whatever
// hands them on, such as a topic. A Writer calls one method at a time. Errors that are not
// Temporary say that it will never take these rows.
type Inserter interface {
	// Insert takes blocks of one table, all or none. Two calls with the same token and the
	// same blocks keep them once. It may fail with an *InterruptedError.
	Insert(ctx context.Context, table *column.Table, token string, blocks ...native.Block) error

	// Ping asks something that no rows can make fail.
	Ping(ctx context.Context) error

	// Has tells whether the rows of a block are kept, though their insert was interrupted;
	// false when that cannot be told.
	Has(ctx context.Context, block native.Block) (bool, error)
}

// An InterruptedError says that the connection broke during an insert: what was to take the
// rows may have died of them.
type InterruptedError struct{ Err error }

func (e *InterruptedError) Error() string { return e.Err.Error() }
func (e *InterruptedError) Unwrap() error { return e.Err }

// Tables are the tables of a ClickHouse. They are made, and changed to be as their schemas
// say, by Migrate and before an insert that brings the first value of a rare column.
type Tables struct {
	client  *Client
	log     *slog.Logger
	schemas atomic.Pointer[[]Schema]

	columns map[*column.Field]bool // that the tables have, as far as the inserts know

	mu     sync.Mutex
	broken Outage // of rollups
}

// NewTables makes them; nothing is sent before the first call.
func NewTables(client *Client, schemas []Schema, log *slog.Logger) *Tables {
	t := &Tables{client: client, log: log}
	t.Reload(schemas)
	return t
}

// Reload tells how the tables are to be kept from now on; which ones there are stays. It
// changes none: that is for Migrate. It is safe for concurrent use.
func (t *Tables) Reload(schemas []Schema) { t.schemas.Store(&schemas) }

// Schemas are those of the tables. It is safe for concurrent use.
func (t *Tables) Schemas() []Schema { return *t.schemas.Load() }

// Schema is that of one table, which must be among them.
func (t *Tables) Schema(table *column.Table) Schema {
	for _, s := range t.Schemas() {
		if s.Table == table {
			return s
		}
	}
	panic("BUG: table " + table.Name + " has no schema")
}

// Migrate makes the tables, or changes those that are there. It is safe for concurrent use.
func (t *Tables) Migrate(ctx context.Context) error {
	for _, s := range t.Schemas() {
		if err := t.migrate(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// migrate does that with one. Rollups that cannot be as they must are no reason not to store
// rows: one that lacks a column is not added up, and is made again when it has it.
func (t *Tables) migrate(ctx context.Context, s Schema) error {
	err := Migrate(ctx, t.client, s, t.log)
	if len(s.rollups()) == 0 || err != nil && !onlyRollups(err) {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.broken.Failed(t.log, "a rollup cannot be brought up to date: rows are stored without it, and questions over days read them", time.Now(), "err", err)
	} else {
		t.broken.Over(t.log, "the rollups are up to date again", time.Now())
	}
	return nil
}

// Plan lists what Migrate would do.
func (t *Tables) Plan(ctx context.Context) (changes []Change, err error) {
	for _, s := range t.Schemas() {
		more, err := Plan(ctx, t.client, s)
		if err != nil {
			return nil, err
		}
		changes = append(changes, more...)
	}
	return changes, nil
}

// Ping asks a question that harms nobody.
func (t *Tables) Ping(ctx context.Context) error { return t.client.Exec(ctx, "SELECT 1") }

// Insert makes the columns real that are not yet, and inserts.
func (t *Tables) Insert(ctx context.Context, table *column.Table, token string, blocks ...native.Block) (err error) {
	defer func() {
		if err != nil {
			t.columns = nil // a table may have been changed under us, or dropped
		}
	}()
	data := make([][]byte, len(blocks))
	carried := map[*column.Field]bool{}
	for i, b := range blocks {
		data[i] = b.Data
		for _, f := range b.Columns {
			carried[f] = true
		}
	}
	var names []string
	known := true
	for _, f := range table.Fields {
		if carried[f] {
			names = append(names, f.Name)
			known = known && t.columns[f]
		}
	}
	s := t.Schema(table)
	if !known {
		s.Columns = slices.Concat(s.Columns, names)
		if err := t.migrate(ctx, s); err != nil {
			return err
		}
		if t.columns == nil {
			t.columns = map[*column.Field]bool{}
		}
		for f := range carried {
			t.columns[f] = true
		}
	}
	if err = t.client.Insert(ctx, s.Layout.Distributed(table.Name), names, token, data...); err != nil && brokeOff(err) {
		return &InterruptedError{err}
	}
	return err
}

// Has tells whether a block of an insert that killed the store is in the table all the
// same: one of several parts may have been written, or all of them and only the answer not.
// The rows of an insert within a partition are stored all at once or not at all, so some
// rows of the block tell.
func (t *Tables) Has(ctx context.Context, b native.Block) (bool, error) {
	rows, names := lookedFor(b)
	if len(rows) == 0 {
		return false, nil
	}
	columns := strings.Join(names, ", ")
	res, _, err := t.client.Select(ctx, Query{SQL: "SELECT count() FROM (SELECT DISTINCT " + columns + " FROM " + t.Schema(b.Table).Layout.Distributed(b.Table.Name) +
		" WHERE (" + columns + ") IN (" + strings.Join(rows, ", ") + "))"})
	if err != nil {
		// Whatever it is, it is not the rows' fault: hence not as an exception.
		return false, fmt.Errorf("look for rows of an insert that killed the store: %v", err)
	}
	n, ok := res.Column("count()").([]uint64)
	if !ok || len(n) != 1 {
		return false, fmt.Errorf("look for rows of an insert that killed the store: the answer has %d rows", res.Rows)
	}
	return n[0] > uint64(len(rows)/2), nil
}

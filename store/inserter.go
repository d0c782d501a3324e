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

// Inserter writes rows to their destination: the tables of a ClickHouse, or a relay such as a topic. A Writer
// calls one method at a time. An error that is not Temporary means that these rows will never be accepted.
type Inserter interface {
	// Insert writes blocks of one table, all or none. Two calls with the same token and the same blocks store
	// them once. It may fail with an *InterruptedError.
	Insert(ctx context.Context, table *column.Table, token string, blocks ...native.Block) error

	// Ping runs a check that no rows can make fail.
	Ping(ctx context.Context) error

	// Has reports whether the rows of a block are stored although their insert was interrupted; false if that
	// is unknown.
	Has(ctx context.Context, block native.Block) (bool, error)
}

// InterruptedError says that the connection broke during an insert: the rows may have crashed the server.
type InterruptedError struct{ Err error }

func (e *InterruptedError) Error() string { return e.Err.Error() }
func (e *InterruptedError) Unwrap() error { return e.Err }

// Tables are the tables of a ClickHouse. Migrate makes them and changes them to match their schemas, as does
// an insert with the first value of a rare column.
type Tables struct {
	client  *Client
	log     *slog.Logger
	schemas atomic.Pointer[[]Schema]

	columns map[*column.Field]bool // of the tables, as far as the inserts know

	mu     sync.Mutex
	broken Outage // of rollups
}

// NewTables makes Tables; nothing is sent before the first call.
func NewTables(client *Client, schemas []Schema, log *slog.Logger) *Tables {
	t := &Tables{client: client, log: log}
	t.Reload(schemas)
	return t
}

// Reload replaces the schemas of the same tables. It does not change the tables, which is for Migrate. It is
// safe for concurrent use.
func (t *Tables) Reload(schemas []Schema) { t.schemas.Store(&schemas) }

// Schemas returns the schemas of the tables. It is safe for concurrent use.
func (t *Tables) Schemas() []Schema { return *t.schemas.Load() }

// Schema returns the schema of one of the tables.
func (t *Tables) Schema(table *column.Table) Schema {
	for _, s := range t.Schemas() {
		if s.Table == table {
			return s
		}
	}
	panic("BUG: table " + table.Name + " has no schema")
}

// Migrate makes or changes the tables. It is safe for concurrent use.
func (t *Tables) Migrate(ctx context.Context) error {
	for _, s := range t.Schemas() {
		if err := t.migrate(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// migrate does that for one table. Rollups that cannot be migrated must not prevent inserts: one that lacks a
// column is not updated, and is rebuilt once it has it.
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

// Ping runs a harmless query.
func (t *Tables) Ping(ctx context.Context) error { return t.client.Exec(ctx, "SELECT 1") }

// Insert makes missing columns real, and inserts.
func (t *Tables) Insert(ctx context.Context, table *column.Table, token string, blocks ...native.Block) (err error) {
	defer func() {
		if err != nil {
			t.columns = nil // a table may have been changed or dropped
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

// Has reports whether a block of an insert that crashed the store is in the table nevertheless: one of
// several parts may have been written, or all of them without a response. An insert within a partition is
// atomic, so some rows of the block are enough.
func (t *Tables) Has(ctx context.Context, b native.Block) (bool, error) {
	rows, names := lookedFor(b)
	if len(rows) == 0 {
		return false, nil
	}
	columns := strings.Join(names, ", ")
	res, _, err := t.client.Select(ctx, Query{SQL: "SELECT count() FROM (SELECT DISTINCT " + columns + " FROM " + t.Schema(b.Table).Layout.Distributed(b.Table.Name) +
		" WHERE (" + columns + ") IN (" + strings.Join(rows, ", ") + "))"})
	if err != nil {
		// Whatever the reason, the rows are not to blame, so the error is not an exception.
		return false, fmt.Errorf("search for rows of an insert that crashed the store: %v", err)
	}
	n, ok := res.Column("count()").([]uint64)
	if !ok || len(n) != 1 {
		return false, fmt.Errorf("search for rows of an insert that crashed the store: the result has %d rows", res.Rows)
	}
	return n[0] > uint64(len(rows)/2), nil
}

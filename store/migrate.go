package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
)

// columnsOf reads the columns of tables; a missing table has none.
func columnsOf(ctx context.Context, c *Client, tables ...string) (map[string][]Column, error) {
	res, _, err := c.Select(ctx, Query{SQL: `
SELECT table, name, type, default_kind, default_expression
FROM system.columns WHERE database = currentDatabase() AND table IN (` + quoted(tables) + `) ORDER BY table, position`})
	if err != nil {
		return nil, fmt.Errorf("columns of %s: %w", strings.Join(tables, ", "), err)
	}
	columns := map[string][]Column{}
	for i := range res.Rows {
		of := func(column int) string { return res.Columns[column].([]string)[i] }
		columns[of(0)] = append(columns[of(0)], Column{Name: of(1), Type: of(2), Kind: of(3), Expression: of(4)})
	}
	return columns, nil
}

// quoted returns a list for IN.
func quoted(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = quote(name)
	}
	return strings.Join(list, ", ")
}

// Describe reads the columns and the CREATE statement of a table; no columns if there is no such table.
func Describe(ctx context.Context, c *Client, table string) ([]Column, string, error) {
	columns, err := columnsOf(ctx, c, table)
	if err != nil || len(columns[table]) == 0 {
		return nil, "", err
	}
	res, _, err := c.Select(ctx, Query{Params: map[string]string{"table": table}, SQL: `
SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = {table:String}`})
	if err != nil {
		return nil, "", fmt.Errorf("definition of %s: %w", table, err)
	}
	if res.Rows == 0 {
		return nil, "", nil
	}
	return columns[table], res.Columns[0].([]string)[0], nil
}

// Plan lists the changes for the table and its rollups: making them, or changing existing ones. A rare column
// becomes real in the rollups first and in the table last: while it is an alias there, its value is zero and
// no sum lacks it. If the only errors are *RollupErrors, the list has all other changes.
func Plan(ctx context.Context, c *Client, s Schema) ([]Change, error) {
	have, create, err := Describe(ctx, c, s.Table.Name)
	if err != nil {
		return nil, err
	}
	changes := []Change{{SQL: s.Create(), Reason: "table " + s.Table.Name + " is new"}}
	switch {
	case len(have) > 0 && create == "": // rows wait until somebody has looked at it
		return nil, fmt.Errorf("the definition of table %s cannot be read: its file in the store's directory metadata is damaged", s.Table.Name)
	case len(have) > 0:
		if changes, err = s.Diff(have, create); err != nil {
			return nil, err
		}
	}
	rollups, err := planRollups(ctx, c, s, have)
	if err != nil && !onlyRollups(err) {
		return nil, err
	}
	promotes := func(ch Change) bool { return ch.rare != "" }
	last := slices.DeleteFunc(slices.Clone(changes), func(ch Change) bool { return !promotes(ch) })
	return slices.Concat(slices.DeleteFunc(changes, promotes), rollups, last), err
}

// onlyRollups reports that an error is only about rollups.
func onlyRollups(err error) bool {
	var e *RollupError
	return errors.As(err, &e)
}

// Migrate executes the plan. Any number of processes may do so at once. If the only errors are *RollupErrors,
// the table itself is migrated.
func Migrate(ctx context.Context, c *Client, s Schema, log *slog.Logger) error {
	m := migration{ctx: ctx, client: c, schema: s, log: log, failed: map[string]error{}}
	for {
		done, err := m.attempt()
		if err != nil {
			return err
		}
		if done {
			break
		}
	}
	var errs []error
	for _, rollup := range slices.Sorted(maps.Keys(m.failed)) {
		errs = append(errs, &RollupError{rollup, m.failed[rollup]})
	}
	return errors.Join(errs...)
}

// migration is one call of Migrate.
type migration struct {
	ctx    context.Context
	client *Client
	schema Schema
	log    *slog.Logger

	again  bool             // it was planned again because of changes that require it
	last   string           // the statement that failed in the last attempt
	failed map[string]error // rollups that failed, and why
}

// attempt executes one plan, and reports whether it was completed.
func (m *migration) attempt() (done bool, err error) {
	changes, err := Plan(m.ctx, m.client, m.schema)
	if err != nil && !onlyRollups(err) {
		return false, err
	}
	m.giveUp(err)
	more := false
	var entered []string
	defer func() {
		if len(entered) > 0 {
			m.log.Info("store: adding columns with first values", "table", m.schema.Table.Name, "columns", strings.Join(entered, " "))
		}
	}()
	for _, batch := range joined(changes) {
		first := batch[0]
		if m.failed[first.rollup] != nil {
			continue
		}
		sql := statement(batch)
		err := m.client.change(m.ctx, Query{SQL: sql})
		more = more || first.more // such a change is alone
		switch {
		case err == nil:
			for _, ch := range batch {
				if ch.rare == "" {
					m.log.Info("store: "+ch.Reason, "table", m.schema.Table.Name)
				} else if !slices.Contains(entered, ch.rare) {
					entered = append(entered, ch.rare)
				}
			}
		// Two processes plan the same. One is first, and the change of the other fails (a column cannot be
		// added twice). The next plan lacks it. A second failure is an error.
		case sql != m.last && m.ctx.Err() == nil:
			m.last = sql
			return false, nil
		case first.rollup != "" && !Temporary(err) && m.ctx.Err() == nil:
			m.failed[first.rollup] = fmt.Errorf("%s: %w", reasons(batch), err)
		default:
			return false, fmt.Errorf("%s: %w", reasons(batch), err)
		}
	}
	if more && !m.again {
		m.again = true
		return false, nil
	}
	return true, m.begin()
}

// reasons are those of changes that are joined.
func reasons(changes []Change) string {
	var list []string
	for _, ch := range changes {
		list = append(list, ch.Reason)
	}
	return strings.Join(list, "; ")
}

// begin records the state of rollups that have none yet.
func (m *migration) begin() error {
	for i := range m.schema.rollups() {
		name := m.schema.Table.Rollups[i].Name
		if m.failed[name] != nil {
			continue
		}
		if err := beginRollup(m.ctx, m.client, m.schema, name); err != nil {
			if Temporary(err) {
				return err
			}
			m.failed[name] = err
		}
	}
	return nil
}

// giveUp records the rollups of an error.
func (m *migration) giveUp(err error) {
	var e *RollupError
	switch many, ok := err.(interface{ Unwrap() []error }); {
	case ok:
		for _, err := range many.Unwrap() {
			m.giveUp(err)
		}
	case errors.As(err, &e):
		m.failed[e.Rollup] = e.Err
	}
}

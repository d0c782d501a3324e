package store

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// columnsOf reads the columns of tables; a table that is not there has none.
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

// quoted is a list for IN.
func quoted(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = quote(name)
	}
	return strings.Join(list, ", ")
}

// Describe reads the columns and the CREATE statement of a table; no columns when
// there is no such table.
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

// Plan lists what must be done for the table and its rollups to be as wanted: making
// them, or changing those that are there. A rare column becomes real in the rollups
// first and in the table last: as long as it is an alias there, its value is zero and
// no sum lacks it.
func Plan(ctx context.Context, c *Client, s Schema) ([]Change, error) {
	have, create, err := Describe(ctx, c, s.Table.Name)
	if err != nil {
		return nil, err
	}
	changes := []Change{{SQL: s.Create(), Reason: "table " + s.Table.Name + " is new"}}
	if len(have) > 0 {
		if changes, err = s.Diff(have, create); err != nil {
			return nil, err
		}
	}
	rollups, err := planRollups(ctx, c, s, have)
	if err != nil {
		return nil, err
	}
	promotes := func(ch Change) bool { return ch.rare != "" }
	last := slices.DeleteFunc(slices.Clone(changes), func(ch Change) bool { return !promotes(ch) })
	return slices.Concat(slices.DeleteFunc(changes, promotes), rollups, last), nil
}

// Migrate carries the plan out. Any number of processes may do so at once.
func Migrate(ctx context.Context, c *Client, s Schema, log *slog.Logger) error {
	var failed Change
	for {
		changes, err := Plan(ctx, c, s)
		if err != nil {
			return err
		}
		var entered []string
		for _, ch := range changes {
			if err = c.change(ctx, Query{SQL: ch.SQL}); err != nil {
				// Two processes plan the same; one of them is first, and the change of the
				// other fails (a column cannot be added twice). The next plan is without
				// it. What fails twice is wrong.
				if ch == failed || ctx.Err() != nil {
					return fmt.Errorf("%s: %w", ch.Reason, err)
				}
				failed = ch
				break
			}
			if ch.rare == "" {
				log.Info("store: "+ch.Reason, "table", s.Table.Name)
			} else if !slices.Contains(entered, ch.rare) {
				entered = append(entered, ch.rare)
			}
		}
		if len(entered) > 0 {
			log.Info("store: columns have their first values and enter the table", "table", s.Table.Name, "columns", strings.Join(entered, " "))
		}
		if err != nil {
			continue
		}
		return beginRollups(ctx, c, s)
	}
}

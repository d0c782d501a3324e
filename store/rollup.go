package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"netmeta/column"
)

// Rollups are tables of sums: of the rows of a table, step by step, and of another rollup, so that the rows
// themselves are summed only once. A Roller sums a step when it is over (roller.go). Materialized views,
// which do it with each insert, doubled the cost of the insert, and made a hundred small sums of the rows of
// one minute.
//
// The cost of summing is the number of columns. So a rare column is also an alias in the rollups until it
// becomes real. See doc/decisions/0008-rollups.md.

// flowsColumn counts the rows in a row of a rollup.
const flowsColumn = "Flows"

// rollup returns the schema of the i-th rollup's table. Its rare columns are real if the table is to have
// them, or has them already, according to have.
func (s Schema) rollup(i int, have []Column) Schema {
	r := &s.Table.Rollups[i]
	t := &column.Table{Name: r.Name, Partition: "toDate(TimeReceived)", Engine: column.Summing}
	if r.Step >= 3600 {
		t.Partition = "toYYYYMM(TimeReceived)"
	}
	out := Schema{Table: t, Layout: s.Layout, TTLDays: s.RollupDays[r.Step], Columns: s.Columns}
	for _, c := range have {
		if c.Kind == "" {
			out.Columns = append(out.Columns[:len(out.Columns):len(out.Columns)], c.Name)
		}
	}
	for _, f := range s.Table.Fields {
		kept := *f
		switch {
		case f.Kind == column.Time && f.Name == "TimeReceived":
			kept.Doc = fmt.Sprintf("Start of the %d seconds that the row is of.", r.Step)
			out.key = append(out.key, f.Name)
		case f.Rollup && !r.Keeps(f):
			continue
		case f.Rollup && out.real(f):
			out.key = append(out.key, f.Name)
		case f.Rollup:
		case f.Role == column.Measure && f.Kind != column.Alias:
			kept.Doc = "Sum of " + f.Name + " of the rows."
			out.sums = append(out.sums, f.Name)
		case f.Role == column.Measure:
		default:
			continue
		}
		t.Fields = append(t.Fields, &kept)
	}
	out.sums = append(out.sums, flowsColumn)
	t.U64(column.Field{Name: flowsColumn, Title: "flows", Role: column.Measure, Doc: "How many rows of " + s.Table.Name + " it stands for."})
	out.key = append(out.key, foldedColumn)
	t.U8(column.Field{Name: foldedColumn, Title: "folded", Doc: "1: it stands for rows whose keys were too many to keep, and has lost fields."})
	return out
}

// source returns the table that the i-th rollup sums.
func (s Schema) source(i int) string {
	return cmp.Or(s.Table.Rollups[i].Of, s.Table.Name)
}

// rollups returns the rollups that are kept.
func (s Schema) rollups() []column.Rollup {
	if len(s.RollupDays) == 0 {
		return nil
	}
	return s.Table.Rollups
}

// addUp returns the statement that writes the sums of some times, of the rows or of a rollup, into a table
// like the rollup r, the i-th. Addresses are grouped by a 64-bit hash: they are few, and the key then fits
// the engine's fast tables.
func (s Schema) addUp(r Schema, i int, source, into string, of []timeRange) string {
	count := "count()"
	if source != s.Table.Name {
		count = "sum(f." + flowsColumn + ")"
	}
	columns := []string{fmt.Sprintf("toDateTime(intDiv(toUInt32(f.TimeReceived), %d) * %[1]d, 'UTC') AS TimeReceived", s.Table.Rollups[i].Step)}
	group := []string{"TimeReceived"}
	for _, name := range r.key[1:] {
		expr, by := "f."+name, "f."+name
		if name == foldedColumn && source == s.Table.Name {
			columns = append(columns, "0 AS "+name)
			continue
		}
		if name != foldedColumn && s.Table.Field(name).Kind == column.IP {
			expr, by = "any(f."+name+")", "cityHash64(f."+name+")"
		}
		columns, group = append(columns, expr+" AS "+name), append(group, by)
	}
	for _, name := range r.sums {
		expr := saturated("f." + name)
		if name == flowsColumn {
			expr = count
		}
		columns = append(columns, expr+" AS "+name)
	}
	return fmt.Sprintf("INSERT INTO %s (%s)\nSELECT\n    %s\nFROM %s AS f\nWHERE %s\nGROUP BY\n    %s",
		into, strings.Join(r.stored(), ", "), strings.Join(columns, ",\n    "), source, during("f.TimeReceived", of), strings.Join(group, ",\n    "))
}

const maxSum = "18446744073709551615" // 2^64−1

// saturated is a sum that ends at 2^64−1, as do sums of queries: see package query, which gets the same from
// flows and from their sums.
func saturated(column string) string {
	sum, rough := "sum("+column+")", "sum(toFloat64("+column+"))"
	return "if(" + rough + " < 9e18 OR " + rough + " < 27e18 AND " + sum + " > 8800000000000000000, " + sum + ", " + maxSum + ")"
}

// stored returns the columns of a rollup that are not computed.
func (s Schema) stored() []string { return slices.Concat(s.key, s.sums) }

// CreateAll returns all statements that make a table and its rollups, in order.
func (s Schema) CreateAll() []string {
	list := []string{s.Create()}
	for i := range s.rollups() {
		r := s.rollup(i, nil)
		list = append(list, r.Create())
	}
	if len(s.rollups()) > 0 {
		list = append(list, s.stateTable().Create(), s.foldedTable().Create())
	}
	return list
}

var sortingKey = regexp.MustCompile(` ORDER BY \(([^)]*)\)`)

// keyOf returns the sorting key in the CREATE statement of a rollup.
func keyOf(create string) []string {
	m := sortingKey.FindStringSubmatch(create)
	if m == nil {
		return nil
	}
	return strings.Split(m[1], ", ")
}

// RollupError says that a rollup, or the state of all rollups, could not be migrated. The table could: rows
// can be stored and queried.
type RollupError struct {
	Rollup string
	Err    error
}

func (e *RollupError) Error() string { return "rollup " + e.Rollup + ": " + e.Err.Error() }
func (e *RollupError) Unwrap() error { return e.Err }

// planRollups lists the changes of the rollups; have are the columns of the table. Rollups that cannot be
// migrated are omitted and returned as *RollupErrors.
func planRollups(ctx context.Context, c *Client, s Schema, have []Column) (changes []Change, err error) {
	if len(s.rollups()) == 0 {
		return nil, nil
	}
	var failed []error
	plan := func(name string, f func() ([]Change, error)) error {
		more, err := f()
		switch {
		case err == nil:
		case Temporary(err):
			return err
		default:
			failed = append(failed, &RollupError{name, err})
			return nil
		}
		for i := range more {
			more[i].rollup = name
		}
		changes = append(changes, more...)
		return nil
	}
	for _, beside := range []Schema{s.stateTable(), s.foldedTable()} {
		if err := plan(beside.Table.Name, func() ([]Change, error) { return planTable(ctx, c, beside, "table") }); err != nil {
			return nil, err
		}
	}
	cut := map[string]bool{} // rollups that lack values of the rows
	for i := range s.rollups() {
		if err := plan(s.Table.Rollups[i].Name, func() ([]Change, error) { return planRollup(ctx, c, s, i, have, cut) }); err != nil {
			return nil, err
		}
	}
	return changes, errors.Join(failed...)
}

// planTable lists the changes of one table.
func planTable(ctx context.Context, c *Client, s Schema, what string) ([]Change, error) {
	columns, create, err := Describe(ctx, c, s.Table.Name)
	if err != nil {
		return nil, err
	}
	if len(columns) == 0 {
		return []Change{{SQL: s.Create(), Reason: what + " " + s.Table.Name + " is new"}}, nil
	}
	return s.Diff(columns, create)
}

// planRollup lists the changes of the i-th rollup.
func planRollup(ctx context.Context, c *Client, s Schema, i int, have []Column, cut map[string]bool) (changes []Change, err error) {
	r := s.rollup(i, have)
	name := r.Table.Name
	old, _, err := Describe(ctx, c, name+"_view")
	if err != nil {
		return nil, err
	}
	if len(old) > 0 {
		changes = append(changes, Change{SQL: s.Layout.dropView(name + "_view"), Reason: "rollup " + name + " is added up without a view"})
	}
	columns, create, err := Describe(ctx, c, name)
	if err != nil {
		return nil, err
	}
	if len(columns) == 0 {
		return append(changes, Change{SQL: r.Create(), Reason: "rollup " + name + " is new"}), nil
	}
	if create == "" {
		return s.restore(ctx, c, i, columns)
	}
	// A column that is already real in the table is missing in the sums until now. One that is about to
	// become real was zero. The state of the rollup is cleared first, so that a process that dies in between
	// leaves no wrong state.
	cut[name] = cut[s.source(i)] || slices.ContainsFunc(r.stored(), func(name string) bool { return real(have, name) && !real(columns, name) })
	if cut[name] {
		changes = append(changes, Change{SQL: s.forget(name), Reason: "rollup " + name + " is rebuilt with more columns"})
	}
	more, err := r.Diff(columns, create)
	if err != nil {
		return nil, err
	}
	return append(changes, more...), nil
}

// restore lists the changes that restore the definition of the i-th rollup after an ALTER on a full disk has
// lost it: the table exists until the engine restarts, but cannot be changed. A new table takes over its
// parts and its name.
func (s Schema) restore(ctx context.Context, c *Client, i int, columns []Column) (changes []Change, err error) {
	like := s
	like.Columns = nil
	r := like.rollup(i, columns)
	name, aside := r.Table.Name, r.Table.Name+"_restored"
	r.Table.Name = aside
	parts, err := c.rows(ctx, "SELECT DISTINCT _partition_id FROM "+s.Layout.Local(name))
	if err != nil {
		return nil, err
	}
	l := s.Layout
	step := func(sql string) {
		changes = append(changes, Change{SQL: sql, Reason: "rollup " + name + " has lost its definition, and gets it again"})
	}
	step(l.Drop(aside))
	step(r.Create())
	for row := range parts.Rows {
		step(l.Alter(aside) + " ATTACH PARTITION ID " + quote(parts.Columns[0].([]string)[row]) + " FROM " + l.Local(name))
	}
	step(fmt.Sprintf("INSERT INTO %s SELECT * REPLACE ((SELECT toString(uuid) FROM system.tables WHERE database = currentDatabase() AND name = %s) AS Next, Revision + 1 AS Revision) FROM %[1]s FINAL WHERE Name = %[3]s",
		l.Distributed(StateTable), quote(aside), quote(name)))
	step(l.exchange(aside, name))
	step(l.Drop(aside))
	changes[len(changes)-1].more = true
	return changes, nil
}

// real reports that a column exists and is not computed.
func real(columns []Column, name string) bool {
	return slices.ContainsFunc(columns, func(c Column) bool { return c.Name == name && c.Kind == "" })
}

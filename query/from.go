package query

import (
	"slices"
	"strings"

	"netmeta/access"
	"netmeta/column"
	"netmeta/counter"
	"netmeta/flow"
)

// from returns FROM with a table and a condition, to which it adds that of the scope. It is the only place
// that names a table to read rows from, so no statement can omit the scope. between is the text between the
// name and the condition, and ends with WHERE or PREWHERE and a space. An empty condition means every row.
func (c *compiler) from(table, between, condition string) string {
	allowed := c.allowed(table)
	switch {
	case allowed == "" && condition == "":
		between = strings.TrimRight(strings.TrimSuffix(between, "WHERE "), " \n")
	case allowed != "" && condition == "":
		condition = allowed
	case allowed != "":
		condition = allowed + " AND (" + condition + ")"
	}
	return "FROM " + table + between + condition
}

// allowed returns the condition that a row of a table is in the scope, empty if all are. The flows and their
// rollups have the same columns, and so the same condition.
func (c *compiler) allowed(table string) string {
	if c.scope.IsEverything() {
		return ""
	}
	has := holds(table)
	if slices.ContainsFunc(c.scope.Fields(), func(f *column.Field) bool { return !has(f) }) {
		return "0"
	}
	if c.rows == "" {
		c.rows = c.scope.SQL(c.params, has)
	}
	return c.rows
}

// holds returns which fields of the flows a table has, with the same name. Tables of events, exporters and
// rollup states have none.
func holds(table string) func(*column.Field) bool {
	for i := range flow.Table.Rollups {
		if r := &flow.Table.Rollups[i]; r.Name == table {
			return r.Keeps
		}
	}
	for _, t := range []*column.Table{&flow.Table, &counter.Table} {
		if t.Name == table {
			return func(f *column.Field) bool {
				own := t.Field(f.Name)
				return own != nil && own.Kind == f.Kind
			}
		}
	}
	return func(*column.Field) bool { return false }
}

// closed are the tables besides flows, rollups and counters.
var closed = []string{"events", "exporters", "rollup_state", "rollup_folded"}

// RowFilters returns the conditions for the rows in a scope, by name of the table, with their values as
// literals; nil if all are. They do not depend on a statement: the store applies them to every read of a
// table.
func RowFilters(scope access.Scope) map[string]string {
	if scope.IsEverything() {
		return nil
	}
	names := append([]string{flow.Table.Name, counter.Table.Name}, closed...)
	for _, r := range flow.Table.Rollups {
		names = append(names, r.Name)
	}
	filters := map[string]string{}
	for _, name := range names {
		c := newCompiler(scope)
		filters[name] = c.params.Literals(c.allowed(name))
	}
	return filters
}

package query

import (
	"slices"
	"strings"

	"netmeta/access"
	"netmeta/column"
	"netmeta/counter"
	"netmeta/flow"
)

// from is FROM with a table and a condition, to which it adds that of the scope. It is the
// only place that names a table to read rows from, so no statement can leave the scope out.
// between is what stands between the name and the condition, and ends with WHERE or PREWHERE
// and a space. An empty condition is every row.
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

// allowed is the condition that a row of a table is in the scope, empty if all are. The flows
// and their rollups have the same columns, and so the same condition.
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

// holds tells which fields of the flows a table has, under the same name. Tables that are not
// about flows or counters have none: what happened, how exporters are, what rollups there are.
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

// closed are the tables beside flows, rollups and counters.
var closed = []string{"events", "exporters", "rollup_state", "rollup_folded"}

// RowFilters are the conditions for the rows of each table that are in a scope, by name of
// the table, with their values as literals; nil if all are. They do not depend on a statement:
// the store applies them to whatever reads a table.
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

package store

import (
	"maps"
	"slices"
	"strings"
)

// WithRows returns a client of which every statement sees some rows only: of each table
// those that meet the condition that rows has under its name. A condition is one SQL
// expression of the table's columns without a subquery; "0" closes a table. Parts that
// cannot be read are left out as before.
//
// This holds whatever the statement is, also for one that names its tables without a
// scope. The embedded engine closes all tables that rows does not have, refuses system
// tables, EXPLAIN, SHOW, PREWHERE and what else would tell of other rows, and tells no
// number of rows read; see doc/decisions/0022-two-walls.md. An external ClickHouse only
// applies the conditions, so rows must name every table there. Only the user page of the
// embedded engine may do this. The client does not insert.
func (c *Client) WithRows(rows map[string]string) *Client {
	of := *c
	of.conditions = map[string]string{} // never nil
	maps.Copy(of.conditions, rows)
	return &of
}

// tableFilters is the setting additional_table_filters of the client's statements as of
// now: its rows, without the parts that cannot be read. Empty: all rows of all parts.
func (c *Client) tableFilters() string { return c.filters(c.Parts.List()) }

// filters is the setting that leaves some parts out.
func (c *Client) filters(without []Part) string {
	parts := map[string][]string{}
	for _, p := range without {
		parts[p.Table] = append(parts[p.Table], p.Name)
	}
	conditions := maps.Clone(c.conditions)
	if conditions == nil {
		conditions = map[string]string{}
	}
	for table, names := range parts {
		condition := "_part NOT IN (" + quoted(names) + ")"
		if own, ok := conditions[table]; ok {
			condition = "(" + own + ") AND " + condition
		} else if c.conditions != nil {
			condition = "0"
		}
		conditions[table] = condition
	}
	if len(conditions) == 0 {
		return ""
	}
	var list []string
	for _, table := range slices.Sorted(maps.Keys(conditions)) {
		list = append(list, quote(table)+":"+quote(conditions[table]))
	}
	return "{" + strings.Join(list, ",") + "}"
}

package store

import (
	"maps"
	"slices"
	"strings"
)

// WithRows returns a client whose statements only see some rows: of each table those that match its condition
// in rows. A condition is one SQL expression on the table's columns without a subquery; "0" closes a table.
// Unreadable parts are left out as before.
//
// This applies to every statement, even one that names its tables without a scope. The embedded engine closes
// all tables that are not in rows, rejects system tables, EXPLAIN, SHOW, PREWHERE and whatever else would
// reveal other rows, and reports no number of rows read; see doc/decisions/0022-two-walls.md. An external
// ClickHouse only applies the conditions, so rows must name every table there. Only the user page of the
// embedded engine may do this. The client cannot insert.
func (c *Client) WithRows(rows map[string]string) *Client {
	of := *c
	of.conditions = map[string]string{} // never nil
	maps.Copy(of.conditions, rows)
	return &of
}

// tableFilters returns the current setting additional_table_filters of the client's statements: its rows,
// without the unreadable parts. Empty: all rows of all parts.
func (c *Client) tableFilters() string { return c.filters(c.Parts.List()) }

// filters returns the setting that leaves some parts out.
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

// Package tables lists what NetMeta keeps. A table is a folder, which declares its fields,
// and a line here: from it follow the statements that make and extend it, the rows that the
// writer and the spool take, how long they are kept, and what netmeta schema prints.
package tables

import (
	"netmeta/column"
	"netmeta/counter"
	"netmeta/event"
	"netmeta/flow"
	"netmeta/health"
	"netmeta/store"
)

// All are the tables.
var All = []*column.Table{
	&flow.Table,
	&counter.Table,
	&health.Table,
	&event.Table,
}

// Schemas returns the schemas of the tables.
func Schemas(p store.Policy) []store.Schema {
	list := make([]store.Schema, len(All))
	for i, t := range All {
		list[i] = p.Schema(t)
	}
	return list
}

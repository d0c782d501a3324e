package query

import (
	"netmeta/access"
	"netmeta/flow"
)

// Span is the statement for the newest and the oldest second of the flows of a scope, 0 when
// there are none: newest UInt32, oldest UInt32. For Everything no rows are read, because the
// parts of the table know both. Else the table is read from both ends, in its own order, up to
// the first row of the scope.
func Span(scope access.Scope) Statement {
	c := newCompiler(scope)
	all := c.from(flow.Table.Name, " WHERE ", "")
	if !scope.IsEverything() {
		end := func(order string) string {
			return "SELECT * FROM (SELECT TimeReceived " + all + " ORDER BY toStartOfFiveMinutes(TimeReceived) " + order + ", TimeReceived " + order + " LIMIT 1)"
		}
		all = "FROM (" + end("DESC") + " UNION ALL " + end("ASC") + ")"
	}
	return Statement{
		SQL:     "SELECT toUInt32(max(TimeReceived)) AS newest, toUInt32(min(TimeReceived)) AS oldest " + all,
		Params:  c.params,
		Columns: []ResultColumn{{"newest", "UInt32"}, {"oldest", "UInt32"}},
	}
}

// First is the statement for the oldest second of a rollup, 0 when it is empty: first UInt32.
// As with Span, no rows are read for Everything.
func (r Rollup) First(scope access.Scope) Statement {
	c := newCompiler(scope)
	return Statement{
		SQL:     "SELECT toUInt32(min(TimeReceived)) AS first " + c.from(r.Table, " WHERE ", ""),
		Params:  c.params,
		Columns: []ResultColumn{{"first", "UInt32"}},
	}
}

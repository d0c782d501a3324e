package query

import (
	"netmeta/access"
	"netmeta/flow"
)

// Span returns the statement for the newest and the oldest second of the flows of a scope, 0 if there are
// none: newest UInt32, oldest UInt32. For Everything it reads no rows, because the parts of the table have
// both. Otherwise it reads the table from both ends, in its order, up to the first row of the scope.
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

// First returns the statement for the oldest second of a rollup, 0 if it is empty: first UInt32. For
// Everything it reads no rows, as Span.
func (r Rollup) First(scope access.Scope) Statement {
	c := newCompiler(scope)
	return Statement{
		SQL:     "SELECT toUInt32(min(TimeReceived)) AS first " + c.from(r.Table, " WHERE ", ""),
		Params:  c.params,
		Columns: []ResultColumn{{"first", "UInt32"}},
	}
}

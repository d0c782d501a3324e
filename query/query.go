// Package query is what people ask: a Request, which is also the URL of the page. It turns
// requests, with a filter (package filter) in each, into SQL with bound parameters, and the
// columns that come back into series. It is pure: no clock, no network, no store. The same
// request gives the same text.
//
// A question takes this path:
//
//	ParseURL(values)            → Request, what the URL says
//	Request.Resolve(now)        → Range, seconds and buckets
//	Request.Series(range, …)    → Statement, SQL and parameters
//	  (the store runs it)       → Rows, plain columns
//	Assemble(request, range, rows, schema) → Result, series whose sum is the total
//
// Text from outside never becomes part of the SQL: values travel as parameters, names are
// looked up.
package query

import (
	"fmt"
	"net/netip"
	"slices"

	"netmeta/access"
	"netmeta/filter"
	"netmeta/flow"
	"netmeta/internal/problem"
)

// A Schema is what a question may name beside the fields, and what the store has.
type Schema struct {
	filter.Names // what a filter may name beside the fields

	// Scope is the rows that a statement may read.
	Scope access.Scope

	// Rollups are the tables of sums that may be asked in place of the flows, in the
	// order of flow.Table.Rollups. Where there are none the flows are asked.
	Rollups []Rollup

	// Once says that the engine can work a common table expression out once, however
	// often the statement names it: see OnceState.
	Once bool

	// Oldest is when the oldest flow that is kept was received, 0 when that is not
	// known.
	Oldest int64

	// First is when the oldest sum of a rollup that is kept begins, at most Oldest; 0
	// when there is none, or that is not known.
	First int64

	// ExporterName is what the operator calls an exporter, and Interface what he says of
	// an interface, texts empty and the speed in bits per second 0 where he says nothing;
	// nil: nothing.
	ExporterName func(exporter netip.Addr) string
	Interface    func(exporter netip.Addr, index uint32) (name, description, boundary string, speed uint64)
}

// begun is when the very first flow was received, 0 when that is not known: when a rollup
// has sums of before the flows, they are of flows that are gone.
func (s Schema) begun() int64 {
	if s.First < floor(s.Oldest, flow.Table.Rollups[len(flow.Table.Rollups)-1].Step) {
		return 0
	}
	return s.Oldest
}

// A Statement is SQL with its parameters.
type Statement struct {
	SQL string

	// Params are the values of {name:Type} in SQL, in ClickHouse's own text form
	// for parameters (escaped as in TabSeparated): they go into the URL parameter
	// "param_"+name as they are.
	Params map[string]string

	// Columns of the result, in order. The types are those of Rows alone: UInt8,
	// UInt32, UInt64, Float64 and String.
	Columns []ResultColumn

	// Notes say, a sentence each, what of the request is not answered.
	Notes []string

	// Tables are those that the statement reads, the one with most of the window first.
	Tables []string
}

// FlowsAlone says that no rollup is asked.
func (s Statement) FlowsAlone() bool { return slices.Equal(s.Tables, []string{flow.Table.Name}) }

// A ResultColumn is a column of a statement's result.
type ResultColumn struct{ Name, Type string }

// Invalid is the problem with a key of a request: its value, and what to write.
func Invalid(key, value, message string) *problem.Error {
	return problem.Bad("request not understood", key, fmt.Sprintf("%s=%q: %s", key, value, message))
}

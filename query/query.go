// Package query makes statements: it converts a Request, which is also the URL of the web UI, with a filter
// (package filter), into SQL with bound parameters, and the columns of the result into series. It is pure: no
// clock, no network, no store. The same request gives the same text.
//
// The path of a query:
//
//	ParseURL(values)            → Request, the keys of the URL
//	Request.Resolve(now)        → Range, seconds and buckets
//	Request.Series(range, …)    → Statement, SQL and parameters
//	  (the store runs it)       → Rows, plain columns
//	Assemble(request, range, rows, schema) → Result, series whose sum is the total
//
// Text from outside never becomes part of the SQL: values are sent as parameters, names are looked up.
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

// Schema is what a query may name besides the fields, and what the store has.
type Schema struct {
	filter.Names // what a filter may name besides the fields

	// Scope is the rows that a statement may read.
	Scope access.Scope

	// Rollups are the tables of sums that can be read instead of the flows, in the order of
	// flow.Table.Rollups. If there are none, the flows are read.
	Rollups []Rollup

	// Once says that the engine can compute a common table expression once, however often the statement names
	// it: see OnceState.
	Once bool

	// Oldest is when the oldest flow in the store was received, 0 if unknown.
	Oldest int64

	// First is the start of the oldest sum of a rollup in the store, at most Oldest; 0 if there is none, or
	// it is unknown.
	First int64

	// ExporterName returns the configured name of an exporter, and Interface the configured values of an
	// interface: empty texts and speed 0 (bits per second) if there are none; nil: nothing.
	ExporterName func(exporter netip.Addr) string
	Interface    func(exporter netip.Addr, index uint32) (name, description, boundary string, speed uint64)
}

// begun returns when the very first flow was received, 0 if unknown: if a rollup has sums from before the
// oldest flow, they are of expired flows.
func (s Schema) begun() int64 {
	if s.First < floor(s.Oldest, flow.Table.Rollups[len(flow.Table.Rollups)-1].Step) {
		return 0
	}
	return s.Oldest
}

// Statement is SQL with its parameters.
type Statement struct {
	SQL string

	// Params are the values of {name:Type} in SQL, in ClickHouse's own text form for parameters (escaped as
	// in TabSeparated): they are the values of the URL parameter "param_"+name.
	Params map[string]string

	// Columns of the result, in order. The types are those of Rows: UInt8, UInt32, UInt64, Float64 and
	// String.
	Columns []ResultColumn

	// Notes are sentences about parts of the request that the statement does not answer.
	Notes []string

	// Tables are those that the statement reads, the one with most of the range first.
	Tables []string
}

// FlowsAlone reports that no rollup is read.
func (s Statement) FlowsAlone() bool { return slices.Equal(s.Tables, []string{flow.Table.Name}) }

// ResultColumn is a column of a statement's result.
type ResultColumn struct{ Name, Type string }

// Invalid returns the problem with a key of a request: its value, and the fix.
func Invalid(key, value, message string) *problem.Error {
	return problem.Bad("request not understood", key, fmt.Sprintf("%s=%q: %s", key, value, message))
}

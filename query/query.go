// Package query is what people ask: a Request, which is also the URL of the page,
// and the filter language. It turns them into SQL with bound parameters and the
// columns that come back into series. It is pure: no clock, no network, no store.
// The same request gives the same text.
//
// A question takes this path:
//
//	ParseURL(values)            → Request, what the URL says
//	Request.Resolve(now)        → Range, seconds and buckets
//	Request.Series(range, …)    → Statement, SQL and parameters
//	  (the store runs it)       → Rows, plain columns
//	Assemble(request, range, rows, schema) → Result, series whose sum is the total
//
// The package knows the fields only from flow.Table, and beside it a table of
// other words for them (field.go). Text from outside never becomes part of the
// SQL: values travel as parameters, names are looked up.
package query

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"netmeta/flow"
)

// A Schema is what a filter may name beside the fields.
type Schema struct {
	// Macros are the saved filters behind @name, without the @.
	Macros map[string]string

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

	// ASName is what an AS is called, empty if that is not known; nil: nothing is.
	ASName func(as uint32) string

	// ExporterName is what the operator calls an exporter, and Interface what he says of
	// an interface, texts empty and the speed in bits per second 0 where he says nothing;
	// nil: nothing.
	ExporterName func(exporter netip.Addr) string
	Interface    func(exporter netip.Addr, index uint32) (name, description, boundary string, speed uint64)

	// FindAS calls yield with the ASes whose names contain a text, until it returns
	// false; nil: none is known.
	FindAS func(text string, yield func(as uint32, name string) bool)
}

// begun is when the very first flow was received, 0 when that is not known: when a rollup
// has sums of before the flows, they are of flows that are gone.
func (s Schema) begun() int64 {
	if s.First < floor(s.Oldest, flow.Table.Rollups[len(flow.Table.Rollups)-1].Step) {
		return 0
	}
	return s.Oldest
}

func (s Schema) asName(as uint32) string {
	if s.ASName == nil {
		return ""
	}
	return s.ASName(as)
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

// A KeyError says which key of a request is wrong, and what to write.
type KeyError struct {
	Key, Value string
	Message    string // what is wrong and the remedy
}

func (e *KeyError) Error() string { return fmt.Sprintf("%s=%q: %s", e.Key, e.Value, e.Message) }

// nearest finds the candidate with the smallest edit distance to word, "" if
// none is near enough to be what was meant.
func nearest(word string, candidates []string) string {
	word = strings.ToLower(word)
	limit := 1
	switch {
	case len(word) > 7:
		limit = 3
	case len(word) > 3:
		limit = 2
	}
	best, found := limit+1, ""
	for _, c := range candidates {
		d := distance(word, strings.ToLower(c), limit+1)
		if d < best || d == best && d <= limit && strings.HasPrefix(c, word) && !strings.HasPrefix(found, word) {
			best, found = d, c
		}
	}
	return found
}

// distance is the number of letters to insert, remove, change or swap with their
// neighbour to turn a into b (optimal string alignment); limit when it is at
// least that.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit || len(a) > 64 || len(b) > 64 {
		return limit
	}
	prev2, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
		}
		if slices.Min(row) >= limit {
			return limit
		}
		prev2, prev, row = prev, row, prev2
	}
	return min(prev[len(b)], limit)
}

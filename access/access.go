// Package access has the identity of a caller, and the rows that it may see. The API identifies the caller of
// a request once and puts the identity into the context. Statements, caches and lists read it there.
//
// A context without an Identity was not checked: its scope is Nothing. Statements of the program itself use
// Everything.
package access

import (
	"context"
	"errors"
	"fmt"

	"netmeta/column"
	"netmeta/filter"
	"netmeta/internal/param"
)

// Identity is the caller of a request. The zero value is an anonymous caller, who may see every row.
type Identity struct {
	Name  string // name of the user or the token; empty: without a login
	Scope Scope
}

type key struct{}

// With returns a context for the requests of a caller.
func With(ctx context.Context, who Identity) context.Context {
	return context.WithValue(ctx, key{}, who)
}

// From returns the caller in a context. Without one, the scope is Nothing.
func From(ctx context.Context) Identity {
	if who, ok := ctx.Value(key{}).(Identity); ok {
		return who
	}
	return Identity{Scope: Nothing}
}

// Scope is a filter: the rows that a caller may see. The zero value is every row of every table.
type Scope struct {
	filter filter.Filter // without a root: all rows, or no row if none is set
	none   bool
}

// Scopes without a filter.
var (
	Everything = Scope{}
	Nothing    = Scope{none: true}
)

// Parse parses a scope. It only names fields and values, because macros and names of ASes may change while
// the program runs. An empty filter is an error, because it would be Everything.
func Parse(text string) (Scope, error) {
	f, err := filter.Parse(text, filter.Names{})
	if err != nil {
		return Nothing, fmt.Errorf("scope: %w", err)
	}
	if f.Root == nil {
		return Nothing, errors.New("scope: the filter is empty")
	}
	return Scope{filter: f}, nil
}

// IsEverything reports whether the scope has every row.
func (s Scope) IsEverything() bool { return !s.none && s.filter.Root == nil }

// String returns the canonical filter, empty for Everything. Different scopes have different texts, so it may
// be a key of caches.
func (s Scope) String() string {
	if s.none {
		return "nothing"
	}
	return s.filter.String()
}

// Fields returns the fields of the flows that the scope reads.
func (s Scope) Fields() []*column.Field { return s.filter.Fields() }

// SQL returns the condition for the rows of a table, and adds its values to params: empty for Everything. The
// table has the fields for which has is true. If it lacks a field that the scope reads, the scope has none of
// its rows.
func (s Scope) SQL(params param.Set, has func(*column.Field) bool) string {
	if s.IsEverything() {
		return ""
	}
	if s.none {
		return "0"
	}
	for _, f := range s.Fields() {
		if !has(f) {
			return "0"
		}
	}
	return s.filter.SQL(params)
}

// Match sets keep[row] for each row of a batch that is in the scope. If the table lacks a field that the
// scope reads, none is.
func (s Scope) Match(b *column.Batch, keep []bool) {
	keep = keep[:b.Len()]
	clear(keep)
	if s.none {
		return
	}
	if m, err := s.filter.Compile(b.Table()); err == nil {
		m.Match(b, keep)
	}
}

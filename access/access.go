// Package access says who asks, and which rows that person may see. The API finds out who
// makes a request, once, and puts it into the context. Statements, caches and lists take it
// from there.
//
// A context without a Who is one that nobody has checked: its scope is Nothing. What the
// program asks for itself uses Everything.
package access

import (
	"context"
	"errors"
	"fmt"

	"netmeta/column"
	"netmeta/filter"
	"netmeta/internal/param"
)

// Who makes a request. The zero value is anybody, who may see every row.
type Who struct {
	Name  string // of the user or the token; empty: without a login
	Scope Scope
}

type key struct{}

// With is a context for the requests of who.
func With(ctx context.Context, who Who) context.Context {
	return context.WithValue(ctx, key{}, who)
}

// From returns who makes the request of a context. Without one, it may see nothing.
func From(ctx context.Context) Who {
	if who, ok := ctx.Value(key{}).(Who); ok {
		return who
	}
	return Who{Scope: Nothing}
}

// A Scope is a filter: the rows that somebody may see. The zero value is every row of every
// table.
type Scope struct {
	filter filter.Filter // without a root: all rows, or with none no row
	none   bool
}

// Scopes without a filter.
var (
	Everything = Scope{}
	Nothing    = Scope{none: true}
)

// Parse reads a scope. It names fields and values only: macros and names of ASes may change
// while the program runs. An empty filter is an error, because it would be Everything.
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

// String is the canonical filter, empty for Everything. Different scopes have different
// texts, so that it is a key of caches.
func (s Scope) String() string {
	if s.none {
		return "nothing"
	}
	return s.filter.String()
}

// Fields are the fields of the flows that the scope reads.
func (s Scope) Fields() []*column.Field { return s.filter.Fields() }

// SQL is the condition for the rows of a table, with its values added to params: empty for
// Everything. The table has the fields for which has is true. If it lacks one that the scope
// reads, the scope cannot tell its rows apart and has none of them.
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

// Match sets keep[row] for each row of a batch that the scope has. If the table lacks a field
// that the scope reads, it has none of them.
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

package query

import (
	"netmeta/access"
	"netmeta/internal/param"
)

// compiler is a statement under construction: everything from outside goes into params.
type compiler struct {
	params param.Set
	scope  access.Scope // the rows that the statement may read
	rows   string       // its condition, once a table has needed it
}

func newCompiler(scope access.Scope) *compiler { return &compiler{params: param.Set{}, scope: scope} }

package query

import "netmeta/internal/param"

// A compiler is a statement in the making: all that came from outside goes into params.
type compiler struct {
	params param.Set
}

func newCompiler() *compiler { return &compiler{param.Set{}} }

package filter

import (
	"slices"

	"netmeta/column"
)

// Fields returns the fields of the flows table that the filter reads, each once.
func (f Filter) Fields() []*column.Field {
	var list []*column.Field
	visit(f.Root, func(fields []*column.Field) {
		for _, one := range fields {
			if !slices.Contains(list, one) {
				list = append(list, one)
			}
		}
	})
	return list
}

// visit calls add with the fields of each condition.
func visit(n Node, add func([]*column.Field)) {
	switch n := n.(type) {
	case And:
		for _, of := range n.Of {
			visit(of, add)
		}
	case Or:
		for _, of := range n.Of {
			visit(of, add)
		}
	case Not:
		visit(n.Of, add)
	case Macro:
		visit(n.Of, add)
	case Search:
		add(searched)
	case Compare:
		for _, t := range n.terms() {
			add(t.fields())
		}
	}
}

// terms returns all terms of a comparison.
func (n Compare) terms() []term {
	if n.With != nil {
		return append(n.Field.main(), n.With.main()[0])
	}
	var list []term
	main, alt := splitAlt(n.Values)
	if len(main) > 0 {
		list = n.Field.main()
		if n.textual() {
			list = append(list, n.Field.more()...)
		}
	}
	if len(alt) > 0 {
		list = append(list, n.Field.alt()...)
	}
	return list
}

// textual reports that the operator searches for a part of a text, in all names of a field.
func (n Compare) textual() bool { return n.Op == Match || n.Op == NotMatch || n.Op == Has }

// OneHost reports that the filter matches only rows of one address, or of a few.
func (f Filter) OneHost() bool { return oneHost(f.Root) }

func oneHost(n Node) bool {
	switch n := n.(type) {
	case And:
		return slices.ContainsFunc(n.Of, oneHost)
	case Or:
		return !slices.ContainsFunc(n.Of, func(n Node) bool { return !oneHost(n) })
	case Macro:
		return n.Of != nil && oneHost(n.Of)
	case Compare:
		return (n.Op == Eq || n.Op == In) && n.With == nil && n.Field.base.name == "ip" &&
			!slices.ContainsFunc(n.Values, func(v Value) bool { return v.Alt || v.From != v.To })
	}
	return false
}

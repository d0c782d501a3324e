package filter

import (
	"netmeta/column"
	"netmeta/flow"
)

// Expr is an expression on a row of the flows table, with the fields that it reads.
type Expr struct {
	SQL    string
	Fields []*column.Field
}

// term is one side of a field: a column, the column that the direction of a row selects, or a value computed
// from several.
type term struct {
	column *column.Field
	out    *column.Field // of remote and local: replaces column in outbound rows
	of     *computation
}

func (t term) sql() string {
	switch {
	case t.of != nil:
		return t.of.sql
	case t.out != nil:
		return "if(Direction = 'out', " + t.out.Name + ", " + t.column.Name + ")"
	}
	return t.column.Name
}

func (t term) fields() []*column.Field {
	switch {
	case t.of != nil:
		return t.of.fields
	case t.out != nil:
		return []*column.Field{flow.Direction.Field, t.out, t.column}
	}
	return []*column.Field{t.column}
}

func (t term) expr() Expr { return Expr{t.sql(), t.fields()} }

// terms returns the columns of a field: two for either side of a pair, otherwise one.
//
// Remote is the far side: the source of inbound traffic, the destination of outbound traffic. For all other
// traffic (internal, transit, unknown) the source counts as remote and the destination as local.
func (f *Field) terms(first, second *column.Field) []term {
	switch f.Side {
	case "any":
		return []term{{column: first}, {column: second}}
	case "dst", "out":
		return []term{{column: second}}
	case "remote":
		return []term{{column: first, out: second}}
	case "local":
		return []term{{column: second, out: first}}
	}
	return []term{{column: first}}
}

// main returns the terms for values of the field's own class.
func (f *Field) main() []term {
	if f.base.of != nil {
		return []term{{of: f.base.of}}
	}
	return f.terms(f.base.first, f.base.second)
}

// alt returns the terms for values of the second class.
func (f *Field) alt() []term { return f.terms(f.base.altFirst, f.base.altSecond) }

// more returns the terms that ~ and has search too; none for most fields.
func (f *Field) more() []term {
	if f.base.moreFirst == nil {
		return nil
	}
	return f.terms(f.base.moreFirst, f.base.moreSecnd)
}

// Expr returns the expression of a field that is not of either side.
func (f *Field) Expr() Expr { return f.main()[0].expr() }

// NumberExpr returns the expression of the number of an interface, whose Expr is its name.
func (f *Field) NumberExpr() Expr { return f.alt()[0].expr() }

// IsInterface reports that the field is the interface, which its exporter and its number identify; the name
// is only its label.
func (f *Field) IsInterface() bool { return f.base.altFirst == flow.InIf.Field }

// IsExporter reports that the field is the exporter, which its address identifies.
func (f *Field) IsExporter() bool { return f.base.first == flow.ExporterAddress.Field }

// HasPrefixes reports that values are addresses that can be grouped by their prefixes.
func (f *Field) HasPrefixes() bool { return f.base.class == classIP && !f.dual() }

// Groupable reports that each record has one value of the field that a chart can be split by.
func (f *Field) Groupable() bool {
	b := f.base
	return !f.Either() && (b.of == nil || b.class == classCodepoint) && !b.class.list() && (b.first == nil || b.first.Role != column.Measure)
}

// Sided returns the names of the same field with a side, none if it has no sides.
func (f *Field) Sided() []string {
	var list []string
	for _, side := range f.base.sides()[1:] {
		list = append(list, side+"."+f.base.name)
	}
	return list
}

package filter

import (
	"netmeta/column"
	"netmeta/flow"
)

// An Expr is an expression on a row of the flows table, and the fields that it reads.
type Expr struct {
	SQL    string
	Fields []*column.Field
}

// A term is one side of a field: a column, the column that the direction of a row chooses,
// or what is worked out of several.
type term struct {
	column *column.Field
	out    *column.Field // of remote and local: in place of column in rows that go out
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

// terms are what a field stands for: two for either side of a pair, otherwise one.
//
// Remote is the far side: the source of what comes in, the destination of what
// goes out. Of traffic that does neither (internal, transit, unknown) the source
// counts as remote and the destination as local.
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

// main are the terms that values of the field's own class are compared with.
func (f *Field) main() []term {
	if f.base.of != nil {
		return []term{{of: f.base.of}}
	}
	return f.terms(f.base.first, f.base.second)
}

// alt are those of the second class.
func (f *Field) alt() []term { return f.terms(f.base.altFirst, f.base.altSecond) }

// more are those that ~ and has search too; none for most fields.
func (f *Field) more() []term {
	if f.base.moreFirst == nil {
		return nil
	}
	return f.terms(f.base.moreFirst, f.base.moreSecnd)
}

// Expr is the expression of a field that is not of either side.
func (f *Field) Expr() Expr { return f.main()[0].expr() }

// NumberExpr is the expression of the number of an interface, whose Expr is its name.
func (f *Field) NumberExpr() Expr { return f.alt()[0].expr() }

// IsInterface says that the field is the interface, which is known by its exporter and its
// number; the name is only its label.
func (f *Field) IsInterface() bool { return f.base.altFirst == flow.InIf.Field }

// IsExporter says that the field is the exporter, known by its address.
func (f *Field) IsExporter() bool { return f.base.first == flow.ExporterAddress.Field }

// HasPrefixes says that values are addresses that can be grouped by their prefixes.
func (f *Field) HasPrefixes() bool { return f.base.class == classIP && !f.dual() }

// Groupable says that each record has one value of the field that a chart can be split by.
func (f *Field) Groupable() bool {
	b := f.base
	return !f.Either() && (b.of == nil || b.class == classCodepoint) && !b.class.list() && (b.first == nil || b.first.Role != column.Measure)
}

// Sided are the names of the same field with a side, none when it has no sides.
func (f *Field) Sided() []string {
	var list []string
	for _, side := range f.base.sides()[1:] {
		list = append(list, side+"."+f.base.name)
	}
	return list
}

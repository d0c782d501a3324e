package access

import (
	"context"
	"slices"
	"testing"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/internal/param"
)

func parse(t *testing.T, text string) Scope {
	t.Helper()
	s, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A context that nobody has checked gives no row away, and one that somebody has checked
// keeps what was found out.
func TestContext(t *testing.T) {
	if who := From(context.Background()); who.Scope.IsEverything() || who.Scope.String() != Nothing.String() {
		t.Errorf("a context without identity sees %q", who.Scope)
	}
	if who := From(With(context.Background(), Identity{})); !who.Scope.IsEverything() {
		t.Errorf("anybody sees %q", who.Scope)
	}
	a := Identity{"alice", parse(t, "exporter = 192.0.2.1")}
	ctx, cancel := context.WithCancel(With(context.Background(), a))
	defer cancel()
	if who := From(context.WithoutCancel(ctx)); who.Name != "alice" || who.Scope.String() != a.Scope.String() {
		t.Errorf("found %+v", who)
	}
}

func TestParse(t *testing.T) {
	for _, text := range []string{"", "  ", "@web", "nosuch = 1", "exporter ="} {
		if s, err := Parse(text); err == nil || s.IsEverything() {
			t.Errorf("%q: %q, %v", text, s, err)
		}
	}
	if a, b := parse(t, "src port 53 udp"), parse(t, "(src.port=53) and proto = udp"); a.String() != b.String() {
		t.Errorf("%q and %q are the same scope", a, b)
	}
}

// The condition is that of the filter where the table has its fields, and else no row.
func TestSQL(t *testing.T) {
	all := func(*column.Field) bool { return true }
	but := func(lacks *column.Field) func(*column.Field) bool {
		return func(f *column.Field) bool { return f != lacks }
	}
	two := parse(t, "exporter = 192.0.2.1 and src port 53")
	for _, c := range []struct {
		scope  Scope
		has    func(*column.Field) bool
		want   string
		params int
	}{
		{Everything, all, "", 0},
		{Nothing, all, "0", 0},
		{two, all, "ExporterAddress = {p0:IPv6} AND SrcPort = {p1:UInt16}", 2},
		{two, but(flow.Proto.Field), "ExporterAddress = {p0:IPv6} AND SrcPort = {p1:UInt16}", 2},
		{two, but(flow.SrcPort.Field), "0", 0},
		{two, but(flow.ExporterAddress.Field), "0", 0},
	} {
		params := param.Set{}
		if got := c.scope.SQL(params, c.has); got != c.want || len(params) != c.params {
			t.Errorf("%q: %s with %v, want %s", c.scope, got, params, c.want)
		}
	}
}

// Rows of a batch match as those of the store do.
func TestMatch(t *testing.T) {
	b := flow.Table.NewBatch(3)
	for _, port := range []uint16{53, 80, 53} {
		flow.SrcPort.Set(b, b.Add(), port)
	}
	var other column.Table
	other.Name = "other"
	number := other.U16(column.Field{Name: "Number"})
	foreign := other.NewBatch(1)
	number.Set(foreign, foreign.Add(), 53)
	for _, c := range []struct {
		scope Scope
		batch *column.Batch
		want  []bool
	}{
		{Everything, b, []bool{true, true, true}},
		{Nothing, b, []bool{false, false, false}},
		{parse(t, "src port 53"), b, []bool{true, false, true}},
		{parse(t, "src port 53"), foreign, []bool{false}},
		{Everything, foreign, []bool{true}},
	} {
		keep := []bool{true, true, true}[:c.batch.Len()]
		if c.scope.Match(c.batch, keep); !slices.Equal(keep, c.want) {
			t.Errorf("%q matches %v of %s, want %v", c.scope, keep, c.batch.Table().Name, c.want)
		}
	}
}

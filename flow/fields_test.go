package flow

import (
	"testing"

	"netmeta/column"
)

// Names that a field needs must be there before the fields: Go initialises files in
// their order, and puts off what is not ready.
func TestOrder(t *testing.T) {
	order := ""
	for _, f := range Table.Fields[:10] {
		order += f.Name + " "
	}
	if order != "TimeReceived FlowStart FlowEnd FlowType ExporterAddress ObservationDomain SequenceNum SamplingRate SamplingSource Quality " {
		t.Errorf("the first fields are %s", order)
	}
}

// What questions need of every rollup (query/series.go) and the store of their order.
func TestRollups(t *testing.T) {
	groups := map[string]bool{}
	for _, f := range Table.Fields {
		groups[f.Group] = groups[f.Group] || f.Rollup
	}
	before := map[string]*column.Rollup{"": {Step: 1}}
	for i := range Table.Rollups {
		r := &Table.Rollups[i]
		of := before[r.Of]
		if of == nil || r.Step%of.Step != 0 || r.Name == "" {
			t.Errorf("%s cannot be added up from %q", r.Name, r.Of)
		}
		if !r.Keeps(SamplingRate.Field) || !r.Keeps(Direction.Field) {
			t.Errorf("%s does not keep sampling rate and direction", r.Name)
		}
		for _, f := range Table.Fields {
			if r.Of != "" && r.Keeps(f) && !of.Keeps(f) {
				t.Errorf("%s keeps %s, and %s does not", r.Name, f.Name, r.Of)
			}
		}
		for _, g := range r.Groups {
			if !groups[g] {
				t.Errorf("%s keeps the group %s, of which no field is for rollups", r.Name, g)
			}
		}
		for _, name := range r.Fields {
			if f := Table.Field(name); f == nil || !f.Rollup {
				t.Errorf("%s keeps %s, which is no field for rollups", r.Name, name)
			}
		}
		before[r.Name] = r
	}
}

// What every statement in fields.go promises.
func TestFields(t *testing.T) {
	filters := map[string]string{}
	elements := map[column.IE]string{}
	for _, f := range Table.Fields {
		if f.Title == "" || f.Doc == "" || f.Group == "" {
			t.Errorf("%s lacks a title, a sentence or a group", f.Name)
		}
		if f.Doc != "" && f.Doc[len(f.Doc)-1] != '.' {
			t.Errorf("%s: the sentence %q has no end", f.Name, f.Doc)
		}
		if name := f.FilterName(); name != "" {
			if other, ok := filters[name]; ok {
				t.Errorf("%s and %s are both %q in the filter language", f.Name, other, name)
			}
			filters[name] = f.Name
		}
		for _, ie := range f.IE {
			if other, ok := elements[ie]; ok {
				t.Errorf("element %d fills both %s and %s", ie.ID, f.Name, other)
			}
			elements[ie] = f.Name
		}
		if f.Kind == column.Enum && (len(f.Enum) == 0 || len(f.Enum) > 127) {
			t.Errorf("%s has %d names", f.Name, len(f.Enum))
		}
		if f.Kind == column.Alias && (f.SQL == "" || f.Type == "" || f.Rare) {
			t.Errorf("%s is computed but has no expression or type", f.Name)
		}
	}
}

package counter

import (
	"testing"

	"netmeta/column"
)

// Names that a field needs must be there before the fields.
func TestOrder(t *testing.T) {
	order := ""
	for _, f := range Table.Fields[:8] {
		order += f.Name + " "
	}
	if order != "TimeReceived ExporterAddress ObservationDomain SourceClass IfIndex SequenceNum Uptime Records " {
		t.Errorf("the first fields are %s", order)
	}
}

// What every statement in fields.go promises.
func TestFields(t *testing.T) {
	filters := map[string]string{}
	for _, f := range Table.Fields {
		if f.Title == "" || f.Doc == "" || f.Group == "" || f.Doc[len(f.Doc)-1] != '.' {
			t.Errorf("%s lacks a title, a group or a whole sentence", f.Name)
		}
		if name := f.FilterName(); name != "" {
			if other, ok := filters[name]; ok {
				t.Errorf("%s and %s are both %q in filters", f.Name, other, name)
			}
			filters[name] = f.Name
		}
		if f.Kind == column.Enum && (len(f.Enum) == 0 || len(f.Enum) > 127) {
			t.Errorf("%s has %d names", f.Name, len(f.Enum))
		}
	}
	if len(records) > 32 {
		t.Errorf("%d records do not fit the column", len(records))
	}
}

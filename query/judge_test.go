package query

import "testing"

// What is wrong with interfaces is said of each, of each direction and of each exporter.
func TestJudge(t *testing.T) {
	p := func(v float64) *float64 { return &v }
	well := LinkSide{UseP95: p(0.5), UseMax: p(0.6), Counter: p(4e9), Coverage: p(1)}
	twice := LinkSide{UseP95: p(0.9), UseMax: p(0.95), Counter: p(4e9), Coverage: p(2)}
	l := InterfaceList{
		Interfaces: []Interface{
			{Exporter: "192.0.2.2", Interface: "ae1", Index: 7, Speed: 1e10, In: twice, Out: well},
			{Exporter: "192.0.2.1", Index: 8, In: well, Out: well},
		},
		Unnamed: []Unnamed{{"192.0.2.1", 0.5}, {"192.0.2.3", 0}},
	}
	l.judge()
	if i := l.Interfaces[0]; len(i.Problems) != 1 || i.Problems[0].ID != "coverage-twice" || i.In.UseLevel != "warn" || !i.In.Uncovered || i.Out.UseLevel != "" || i.Out.Uncovered {
		t.Errorf("%+v", i)
	}
	if i := l.Interfaces[1]; i.Problems == nil || len(i.Problems) > 0 {
		t.Errorf("%+v: problems are an empty list", i)
	}
	got := ""
	for _, x := range l.Exporters {
		got += x.Exporter
		for _, p := range x.Problems {
			got += " " + p.ID
		}
		got += "\n"
	}
	if want := "192.0.2.1 unnamed\n192.0.2.2 coverage-twice\n192.0.2.3\n"; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}

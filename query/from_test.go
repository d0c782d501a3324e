package query

import (
	"path/filepath"
	"testing"
	"time"

	"netmeta/access"
	"netmeta/flow"
	"netmeta/internal/golden"
)

func scopeOf(t *testing.T, text string) access.Scope {
	t.Helper()
	s, err := access.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The condition of the scope stands beside that of the statement, whatever that is.
func TestFrom(t *testing.T) {
	port := scopeOf(t, "src port 53 or dst port 53")
	exporter := scopeOf(t, "exporter = 192.0.2.1")
	const either = "(SrcPort = {p0:UInt16} OR DstPort = {p1:UInt16})"
	for _, c := range []struct {
		scope                     access.Scope
		table, between, condition string
		want                      string
	}{
		{access.Everything, "flows", " WHERE ", "a OR b", "FROM flows WHERE a OR b"},
		{access.Everything, "flows", "\nPREWHERE ", "a", "FROM flows\nPREWHERE a"},
		{access.Everything, "flows", " WHERE ", "", "FROM flows"},
		{access.Everything, "events", " FINAL\nWHERE ", "", "FROM events FINAL"},
		{access.Nothing, "flows", " WHERE ", "", "FROM flows WHERE 0"},
		{access.Nothing, "flows", " WHERE ", "a OR b", "FROM flows WHERE 0 AND (a OR b)"},
		{port, "flows", " WHERE ", "", "FROM flows WHERE " + either},
		{port, "flows", " WHERE ", "a OR b", "FROM flows WHERE " + either + " AND (a OR b)"},
		{port, "rollup_1m", " WHERE ", "a", "FROM rollup_1m WHERE 0 AND (a)"},
		{port, "counters", " WHERE ", "a", "FROM counters WHERE 0 AND (a)"},
		{port, "events", " FINAL WHERE ", "a", "FROM events FINAL WHERE 0 AND (a)"},
		{port, "system.parts", " WHERE ", "a", "FROM system.parts WHERE 0 AND (a)"},
		{exporter, "rollup_1m", " WHERE ", "a", "FROM rollup_1m WHERE ExporterAddress = {p0:IPv6} AND (a)"},
		{exporter, "counters", " WHERE ", "a", "FROM counters WHERE ExporterAddress = {p0:IPv6} AND (a)"},
		{exporter, "exporters", " WHERE ", "a", "FROM exporters WHERE 0 AND (a)"},
	} {
		if got := newCompiler(c.scope).from(c.table, c.between, c.condition); got != c.want {
			t.Errorf("%q of %s: %s, want %s", c.scope, c.table, got, c.want)
		}
	}
	// Tables of one statement share the values.
	c := newCompiler(port)
	if a, b := c.from("flows", " WHERE ", ""), c.from("flows", " WHERE ", ""); a != b || len(c.params) != 2 {
		t.Errorf("%s, %s, %v", a, b, c.params)
	}
}

// A rollup answers if it keeps what the scope reads.
func TestScopeRollups(t *testing.T) {
	var s Schema
	for _, r := range flow.Table.Rollups {
		s.Rollups = append(s.Rollups, Rollup{Table: r.Name, Step: r.Step, Until: 1 << 32})
	}
	n := func(scope string) int {
		s.Scope = access.Everything
		if scope != "" {
			s.Scope = scopeOf(t, scope)
		}
		return len(s.answering(nil))
	}
	if all, some, none := n(""), n(`exportertenant = "acme"`), n("src port 53"); all != len(flow.Table.Rollups) || some == 0 || some == all || none != 0 {
		t.Errorf("%d, %d and %d rollups answer", all, some, none)
	}
}

// TestScopedGolden writes testdata/scoped: statements for somebody who may see the flows of a
// tenant.
func TestScopedGolden(t *testing.T) {
	scope := scopeOf(t, `src.nettenant = "acme" or dst.nettenant = "acme"`)
	now := time.Unix(1790000030, 0)
	s := Schema{Scope: scope, Rollups: []Rollup{{Table: "rollup_1m", Step: 60, Until: 1789999980}, {Table: "rollup_1m_if", Step: 60, Until: 1789999980}}}
	r := Request{Filter: "src port 53 or dst port 53", From: "-1h", To: "now", TZ: "utc", Unit: "bps", N: 3, Step: 60, By: []string{"src.country"}}
	rg, err := r.Resolve(now)
	if err != nil {
		t.Fatal(err)
	}
	all := statements(scope)
	add := func(name string, st Statement, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		all[name] = st
	}
	series, err := r.Series(rg, s)
	add("series", series, err)
	byCountry := r
	byCountry.Filter = ""
	rolled, err := byCountry.Series(rg, s)
	add("series-rolled", rolled, err)
	facets, err := r.Facets(rg, s, "")
	add("facets", facets.Statement, err)
	explain, err := r.Explain(rg, s)
	add("explain", explain.Statement, err)
	interfaces, err := r.Interfaces(now, s, "")
	add("interfaces", interfaces.Statement, err)
	probe, err := r.Probe(1, 2, s)
	add("probe", probe, err)
	implausible, err := r.Implausible(rg, s)
	add("implausible", implausible, err)
	page, err := Flows{Request: r, Columns: standardColumns, Limit: 10}.Page(rg, s)
	add("flows", page, err)
	values, _ := Values("as", s)
	add("values", values.Statement, nil)
	add("counted", Link{Index: 5}.Counted(rg, s), nil)
	for _, name := range []string{"storage", "disks", "once", "running", "event-put"} { // no rows
		delete(all, name)
	}
	for name, st := range all {
		golden.Equal(t, filepath.Join("testdata/scoped", name+".txt"), statementText(name, st))
	}
}

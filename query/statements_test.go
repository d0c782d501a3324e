package query

import (
	"bytes"
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"

	"netmeta/access"
	"netmeta/internal/golden"
)

// statements are those that no request of the page makes, by the names of their golden files.
func statements(scope access.Scope) map[string]Statement {
	gaps := []Gap{
		{Exporter: netip.MustParseAddr("192.0.2.1"), Type: 2, Domain: 7, From: 4294967290, Length: 12},
		{Exporter: netip.MustParseAddr("2001:db8::1"), Type: 1, From: 5, Length: 1},
	}
	return map[string]Statement{
		"span":          Span(scope),
		"first":         Rollup{Table: "rollup_1h"}.First(scope),
		"storage":       Storage(),
		"disks":         Disks(),
		"stored":        Stored(scope, 1790000000, []string{"192.0.2.1", "2001:db8::1"}),
		"gaps":          LastOfGaps(scope, gaps, 1790000000, 1790000060),
		"coverage":      Coverage(Schema{Scope: scope}),
		"rollup-state":  RollupState(scope),
		"folded-mark":   FoldedMark(scope),
		"folded-state":  FoldedState(scope),
		"once":          {SQL: OnceState()},
		"running":       Running("netmeta: list of 100% of the queries"),
		"events":        Events(scope, 1790000000, 1790003600, "it's an attack"),
		"event-put":     PutEvent(EventRow{ID: "a-1", Kind: "attack", Start: 1790000000, Target: "192.0.2.7", Severity: "critical", Text: "tab\t'quoted'", Attrs: map[string]string{"b": "", "a": "1\n2"}}),
		"event-reports": EventReports(scope, "a-1"),
	}
}

// TestStatementsGolden writes testdata/statements. Package executed runs the files.
func TestStatementsGolden(t *testing.T) {
	all := statements(access.Everything)
	for name, st := range all {
		golden.Equal(t, filepath.Join("testdata/statements", name+".txt"), statementText(name, st))
	}
	files, err := filepath.Glob("testdata/statements/*.txt")
	if err != nil || len(files) != len(all) {
		t.Errorf("%d files of %d statements, %v", len(files), len(all), err)
	}
}

// statementText is a statement with its parameters and columns.
func statementText(title string, st Statement) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s\n\n%s\n\n", title, st.SQL)
	for _, name := range slices.Sorted(maps.Keys(st.Params)) {
		fmt.Fprintf(&out, "%s = %s\n", name, st.Params[name])
	}
	for _, c := range st.Columns {
		fmt.Fprintf(&out, "→ %s %s\n", c.Name, c.Type)
	}
	return out.Bytes()
}

package query

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netmeta/flow"
	"netmeta/internal/golden"
)

// TestQuestionsGolden makes the statements of testdata/questions/*.txt: of records,
// facets (with rollups too) and explanations. The first line of a file is the kind and the URL; to add a
// case, make a file of one line and run with -update.
func TestQuestionsGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/questions/*.txt")
	if err != nil || len(paths) < 7 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		line, _, _ := strings.Cut(string(data), "\n")
		st, err := question(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		golden.Equal(t, path, statementText(line, st))
	}
}

func question(line string) (st Statement, err error) {
	kind, keys, _ := strings.Cut(line, " ")
	v, err := url.ParseQuery(keys)
	if err != nil {
		return st, err
	}
	if kind == "flows" || kind == "csv" {
		f, _, err := ParseFlows(v, kind == "csv")
		if err != nil {
			return st, err
		}
		rg, err := f.Resolve(seriesNow)
		if err != nil {
			return st, err
		}
		if kind == "csv" {
			return f.Export(rg, Schema{}, true)
		}
		return f.Page(rg, Schema{})
	}
	names := v.Get("facets")
	v.Del("facets")
	r, _, err := ParseURL(v)
	if err != nil {
		return st, err
	}
	rg, err := r.Resolve(seriesNow)
	if err != nil {
		return st, err
	}
	switch kind {
	case "facets":
		q, err := r.Facets(rg, Schema{}, names)
		return q.Statement, err
	case "facets-rolled": // the newest hour but one has got flows late, and one rollup has not all hours yet
		hour := seriesNow.Unix() / 3600 * 3600
		var s Schema
		for _, t := range flow.Table.Rollups {
			s.Rollups = append(s.Rollups, Rollup{Table: t.Name, Step: t.Step, Until: hour, Stale: [][2]int64{{hour - 7200, hour - 3600}}})
		}
		s.Rollups[2].Since = hour - 4*3600
		q, err := r.Facets(rg, s, names)
		return q.Statement, err
	}
	q, err := r.Explain(rg, Schema{})
	return q.Statement, err
}

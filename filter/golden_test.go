package filter

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"netmeta/internal/golden"
	"netmeta/internal/param"
)

// goldenMacros are the macros of filter.jsonl.
var goldenMacros = map[string]string{
	"dns":      "port 53 (tcp or udp)",
	"internal": "src net 10.0.0.0/8 dst net 10.0.0.0/8",
	"loop":     "tcp or @loop2",
	"loop2":    "not @loop",
	"broken":   "port fifty",
	"empty":    "",
}

// A filterCase is a line of filter.jsonl: what a text means, or what is wrong.
type filterCase struct {
	Text      string            `json:"text"`
	Canonical *string           `json:"canonical,omitempty"`
	AST       json.RawMessage   `json:"ast,omitempty"`
	SQL       string            `json:"sql,omitempty"`
	Params    map[string]string `json:"params,omitempty"`
	Error     *Error            `json:"error,omitempty"`
}

func filterCases(t testing.TB) []filterCase {
	data, err := os.ReadFile("testdata/filter.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var cases []filterCase
	for line := range strings.Lines(string(data)) {
		var c filterCase
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		cases = append(cases, c)
	}
	return cases
}

func compileText(text string, names Names) (filterCase, Filter) {
	c := filterCase{Text: text}
	f, err := Parse(text, names)
	if err != nil {
		if !errors.As(err, &c.Error) {
			panic(err)
		}
		return c, f
	}
	canonical := f.String()
	c.Canonical = &canonical
	if c.AST, err = json.Marshal(f); err != nil {
		panic(err)
	}
	if f.Root != nil {
		params := param.Set{}
		c.SQL = compiler{params}.condition(f.Root)
		if len(params) > 0 {
			c.Params = params
		}
	}
	return c, f
}

// TestFilterGolden compiles every text of filter.jsonl. To add a case, add a line
// with its text alone and run with -update.
func TestFilterGolden(t *testing.T) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	n := 0
	for _, c := range filterCases(t) {
		got, f := compileText(c.Text, Names{Macros: goldenMacros})
		if err := enc.Encode(got); err != nil {
			t.Fatal(err)
		}
		n++
		if got.Error != nil {
			if s := got.Error.Span; s[0] > s[1] || s[1] > len(c.Text) {
				t.Errorf("%q: the span %v is outside", c.Text, s)
			}
			continue
		}
		sameAgain(t, f)
	}
	if n < 200 {
		t.Errorf("%d cases", n)
	}
	golden.Equal(t, "testdata/filter.jsonl", out.Bytes())
}

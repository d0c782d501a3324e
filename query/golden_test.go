package query

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"netmeta/internal/golden"
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
	Error     *FilterError      `json:"error,omitempty"`
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

func compileText(text string, s Schema) (filterCase, Filter) {
	c := filterCase{Text: text}
	f, err := ParseFilter(text, s)
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
		compiler := newCompiler()
		c.SQL = compiler.condition(f.Root)
		if len(compiler.params) > 0 {
			c.Params = compiler.params
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
		got, f := compileText(c.Text, Schema{Macros: goldenMacros})
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

// TestURLGolden parses every URL of urls.jsonl; what a URL means must not change.
func TestURLGolden(t *testing.T) {
	data, err := os.ReadFile("testdata/urls.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	type urlCase struct {
		URL     string   `json:"url"`
		Request *Request `json:"request,omitempty"`
		Back    string   `json:"back,omitempty"`
		Unknown []string `json:"unknown,omitempty"`
		From    string   `json:"from,omitempty"`
		To      string   `json:"to,omitempty"`
		Step    int64    `json:"step,omitempty"`
		Buckets int      `json:"buckets,omitempty"`
		Partial string   `json:"partial,omitempty"`
		Error   string   `json:"error,omitempty"`
	}
	now := time.Date(2026, 11, 23, 12, 34, 56, 789e6, time.UTC)
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	n := 0
	for line := range strings.Lines(string(data)) {
		var c urlCase
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		n++
		v, err := url.ParseQuery(c.URL)
		if err != nil {
			t.Fatal(err)
		}
		c = urlCase{URL: c.URL}
		r, unknown, err := ParseURL(v)
		if err == nil {
			c.Request, c.Unknown, c.Back = &r, unknown, r.Values().Encode()
			again, _, err := ParseURL(r.Values())
			if err != nil || !equalJSON(again, r) {
				t.Errorf("%s: read back as %+v, %v", c.URL, again, err)
			}
			rg, err := r.Resolve(now)
			if err != nil {
				c.Error = err.Error()
			} else {
				checkRange(t, c.URL, rg)
				c.From = time.Unix(rg.From, 0).In(rg.Location).Format(time.RFC3339)
				c.To = time.Unix(rg.To, 0).In(rg.Location).Format(time.RFC3339)
				c.Step, c.Buckets = rg.Step, len(rg.Times)
				if rg.FirstPartial {
					c.Partial += "first "
				}
				if rg.LastPartial {
					c.Partial += "last"
				}
				c.Partial = strings.TrimSpace(c.Partial)
			}
		} else {
			c.Error = err.Error()
		}
		if err := enc.Encode(c); err != nil {
			t.Fatal(err)
		}
	}
	if n < 60 {
		t.Errorf("%d cases", n)
	}
	golden.Equal(t, "testdata/urls.jsonl", out.Bytes())
}

func equalJSON(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}

// checkRange holds for every range.
func checkRange(t *testing.T, what string, rg Range) {
	t.Helper()
	if len(rg.Times) == 0 || rg.Times[0] > rg.From || rg.End < rg.To || len(rg.Times) > 1 && rg.Times[1] <= rg.From || rg.Times[len(rg.Times)-1] >= rg.To {
		t.Errorf("%s: buckets %d…%d do not fit the window %d…%d", what, rg.Times[0], rg.End, rg.From, rg.To)
	}
	var covered int64
	for i := range rg.Times {
		if i > 0 && rg.Times[i] <= rg.Times[i-1] {
			t.Errorf("%s: buckets do not ascend", what)
		}
		if rg.covered(i) <= 0 {
			t.Errorf("%s: bucket %d is empty", what, i)
		}
		covered += rg.covered(i)
	}
	if covered != rg.To-rg.From {
		t.Errorf("%s: the buckets cover %d of %d seconds", what, covered, rg.To-rg.From)
	}
}

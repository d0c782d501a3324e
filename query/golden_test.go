package query

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"netmeta/internal/golden"
)

// goldenMacros are the macros of the golden files.
var goldenMacros = map[string]string{
	"dns":      "port 53 (tcp or udp)",
	"internal": "src net 10.0.0.0/8 dst net 10.0.0.0/8",
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

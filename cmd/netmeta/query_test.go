package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netmeta/collector"
	"netmeta/internal/wholefile"
	"netmeta/query"
	"netmeta/simulate"
)

// The command line gives the answers of the API, over the store and from a server.
func TestQuery(t *testing.T) {
	p := start(t, t.TempDir())
	p.ready()
	sent := p.simulate(simulate.Options{Protocol: simulate.IPFIX, Flows: 3000, Seed: 5})
	p.visible("", sent.BytesScaled)
	// A range ends before the second that it ends in.
	waitFor(t, 5*time.Second, "the end of the second of the flows", func() error {
		if p.sql("SELECT max(TimeReceived) < now() FROM flows") != "1" {
			return errors.New("it goes on")
		}
		return nil
	})

	// The data directory says where it runs, and a file of one that is no more says nothing.
	if at := collector.RunningOn(t.Context(), p.data); at != p.url {
		t.Errorf("it runs on %q, want %q", at, p.url)
	}
	old := t.TempDir()
	if err := wholefile.Write(filepath.Join(old, "page.json"), map[string]any{"url": p.url, "started": 1_700_000_000}); err != nil {
		t.Fatal(err)
	}
	if at := collector.RunningOn(t.Context(), old); at != "" {
		t.Errorf("another one on %q is taken for it", at)
	}

	ask := func(args ...string) string { return must(t, append([]string{"query", "--data", p.data}, args...)...) }
	type answer struct {
		Series []struct {
			Key, Label []string
			Total      uint64
			Other      bool
		}
		Total []struct{ Total uint64 }
	}
	var local, remote answer
	if err := json.Unmarshal([]byte(ask("--json", "by=src.as", "dir=sum", "unit=bytes", "n=3", "from=-15m", "tcp")), &local); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(must(t, "query", "--json", "--server", p.url, p.url+"/explore?q=tcp&by=src.as&dir=sum&unit=bytes", "n=3", "from=-15m")), &remote); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(local) != fmt.Sprint(remote) || len(local.Series) != 4 || !local.Series[3].Other {
		t.Errorf("over the store %+v\nfrom the server %+v", local, remote)
	}

	table := ask("by=src.as", "dir=sum", "n=3", "from=-15m", "vs=prev", "agg=peak", "tcp")
	for _, want := range []string{"tcp by src.as", "peak 1 s", "previous", "Other (", "Total", local.Series[0].Label[0], "b/s", "█"} {
		if !strings.Contains(table, want) {
			t.Errorf("%q is not in the table:\n%s", want, table)
		}
	}
	lines, err := csv.NewReader(strings.NewReader(ask("--csv", "of=table", "by=src.as", "dir=sum", "n=3", "from=-15m", "tcp"))).ReadAll()
	if err != nil || len(lines) != 6 || lines[1][2] != local.Series[0].Key[0] || lines[5][7] != fmt.Sprint(local.Total[0].Total) {
		t.Errorf("%q %v", lines, err)
	}
	if out := must(t, "top", "--data", p.data, "--count", "1", "by=dst.port", "from=-15m"); !strings.Contains(out, "all traffic by dst.port") || !strings.Contains(out, "Total") {
		t.Errorf("top:\n%s", out)
	}
	if out := ask("port 1", "from=-2h"); !strings.Contains(out, "no flows in this range match the filter") {
		t.Errorf("nothing found:\n%s", out)
	}

	f := func(want string, args ...string) {
		t.Helper()
		if _, stderr, code := netmeta(t, "", append(args, "--data", p.data)...); code != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%q: exit %d: %s", args, code, stderr)
		}
	}
	f("src prt 53\n      ^^^\ndid you mean port?", "query", "src prt 53")
	f("by=\"nothing\"", "query", "by=nothing")
	f("not a URL", "query", "--server", "here")
	f("refused", "query", "--server", "http://127.0.0.1:1")
	f("too short; use at least 1s", "top", "--interval", "1ms")
}

func TestParseAsk(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		v, err := parseAsk(args)
		if err != nil || v.Encode() != want {
			t.Errorf("%q: %s %v, want %s", args, v.Encode(), err, want)
		}
	}
	f("")
	f("by=src.as&q=udp+port+53", "by=src.as", "udp", "port", "53")
	f("q=port%3D53", "port=53") // no key of a URL: a filter
	f("by=x&n=3&q=%28tcp%29+and+%28as+174%29", "https://netmeta.example/explore?q=tcp&by=x", "n=3", "as 174")
	f("q=tcp", "/explore?q=tcp")
	f("q=tcp", "?q=tcp")
	if _, err := parseAsk([]string{"?q=%zz"}); err == nil {
		t.Error("a broken URL is taken")
	}
}

func TestSpark(t *testing.T) {
	f := func(want string, values ...float64) {
		t.Helper()
		if got := spark(values); got != want {
			t.Errorf("%v: %q, want %q", values, got, want)
		}
	}
	f("")
	f("   ", 0, 0, 0)
	f("▁▅█ ", 1, 4.5, 8, 0)
	many := make([]float64, 1000)
	many[999] = 1
	f(strings.Repeat(" ", 23)+"█", many...)
}

// What an exporter calls an interface cannot command a terminal.
func TestAlign(t *testing.T) {
	var b strings.Builder
	align(&b, [][]string{{"<name", "n"}, {"a\x1b[2Jb", "10"}, {"münchen", "7"}})
	if want := "name      n\na·[2Jb   10\nmünchen   7\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

// Per cent of different speeds have no total; their lines are there all the same.
func TestQueryTablePercent(t *testing.T) {
	var r result
	r.Unit, r.By, r.Dirs = "pct", []string{"in.if"}, []string{"in"}
	r.Series = []query.Series{{Dir: "in", Key: []string{"192.0.2.1#5"}, Label: []string{"fra1 ae1"}, Values: query.Points{40, 44}, Stats: query.Stats{Avg: 42}}}
	var out strings.Builder
	r.rows(&out)
	if !strings.Contains(out.String(), "fra1 ae1") || !strings.Contains(out.String(), "42 %") || strings.Contains(out.String(), "Total") {
		t.Errorf("the table:\n%s", &out)
	}
}

package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"netmeta/flow"
	"netmeta/simulate"
)

// Every command says how it is used.
func TestHelp(t *testing.T) {
	all, _, _ := netmeta(t, "", "--help")
	for f := range reflect.TypeFor[cli]().Fields() {
		name := f.Tag.Get("name")
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		if !strings.Contains(all, "\n  "+name+" ") {
			t.Errorf("netmeta --help does not list %s:\n%s", name, all)
		}
		help, stderr, code := netmeta(t, "", name, "--help")
		if code != 0 || stderr != "" {
			t.Errorf("netmeta %s --help: exit %d: %s", name, code, stderr)
		}
		if name != "version" && !regexp.MustCompile(`(?s)\nExamples?:\n.*\n +[^\n]*netmeta `+name).MatchString(help) {
			t.Errorf("netmeta %s --help has no example:\n%s", name, help)
		}
	}
}

// A mistake on the command line is an error with a remedy.
func TestUsage(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		stdout, stderr, code := netmeta(t, "", args...)
		if code == 0 || !strings.Contains(stderr, want) {
			t.Errorf("netmeta %s: exit %d, %q, %q; want %q", strings.Join(args, " "), code, stdout, stderr, want)
		}
	}
	f("run", "rnu")
	f("--to", "simulate")
	f(`must be one of "netflow5"`, "simulate", "--to", "127.0.0.1:2055", "--protocol", "netflow7")
	f("no-such-file.pcap", "decode", "no-such-file.pcap")
	f("no-such-file.pcap", "replay", "--to", "127.0.0.1:2055", "no-such-file.pcap")
	f("../../LICENSE", "decode", "../../LICENSE")
	f("no query", "sql", "--data", t.TempDir(), " ")
	f("netmeta run", "sql", "--data", filepath.Join(t.TempDir(), "none"), "SELECT 1")
	f("no-such-file.yaml", "check", "no-such-file.yaml")
	f("no-such-file.yaml", "run", "--config", "no-such-file.yaml")
}

func TestCheck(t *testing.T) {
	good := write(t, "data: /var/lib/netmeta\nsources:\n  sampling:\n    exporters:\n      192.0.2.1: 1000\nfilter:\n  macros:\n    ours: src.as = 64500\n")
	if out := must(t, "check", good); out != good+": ok\n" {
		t.Errorf("%q", out)
	}
	f := func(config string, want ...string) {
		t.Helper()
		name := write(t, config)
		stdout, stderr, code := netmeta(t, "", "check", name)
		if code != 1 || stdout != "" || !strings.Contains(stderr, name) {
			t.Errorf("exit %d, %q, %q", code, stdout, stderr)
		}
		for _, w := range want {
			if !strings.Contains(stderr, w) {
				t.Errorf("%q does not say %q", stderr, w)
			}
		}
	}
	f("http:\n  listne: :80\n", "line 2", `"http.listne"`, `"listen"`)
	f("http:\n  listen: eighty\n", "http.listen", "eighty", "HOST:PORT")
	f("store:\n  retention-days: -1\n", "store.retention-days", "-1")
	f("store:\n  retention-days: a month\n", "a month")
	f("sources:\n  udp:\n    workers: 1000\n", "sources.udp.workers", "1 to 64")
	f("filter:\n  macros:\n    web: src.prt = 443\n", "filter.macros.web", "4–7", "did you mean port")
	f("\tdata: x\n", "1")
}

// Data directories: simulated flows are never mixed with real ones by default.
func TestData(t *testing.T) {
	f := func(want string, c runCmd) {
		t.Helper()
		if cfg, err := c.config(); err != nil || cfg.Data != want {
			t.Errorf("%+v: data in %q, want %q: %v", c, cfg.Data, want, err)
		}
	}
	some, named := write(t, "store:\n  retention-days: 7\n"), write(t, "data: /srv/flows\n")
	f("./data", runCmd{})
	f("./data", runCmd{Config: some})
	f("/srv/flows", runCmd{Config: named})
	f("/x", runCmd{Config: named, Data: "/x"})
	f("./data-demo", runCmd{Demo: true})
	f("./data-demo", runCmd{Demo: true, Config: some})
	f("/srv/flows", runCmd{Demo: true, Config: named})
	f("/x", runCmd{Demo: true, Data: "/x"})
}

// decoded runs netmeta decode and takes apart what it prints.
func decoded(t *testing.T, stdin string, args ...string) (lines []map[string]any, summary map[string]int, notDecoded int) {
	t.Helper()
	stdout, stderr, code := netmeta(t, stdin, append([]string{"decode", "--json"}, args...)...)
	if code != 0 {
		t.Fatalf("decode %v: exit %d: %s", args, code, stderr)
	}
	scanner := bufio.NewScanner(strings.NewReader(stdout))
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		d := json.NewDecoder(bytes.NewReader(scanner.Bytes()))
		d.UseNumber()
		m := map[string]any{}
		if err := d.Decode(&m); err != nil {
			t.Fatalf("decode %v: %v: %s", args, err, scanner.Text())
		}
		for name := range m {
			if f := flow.Table.Field(name); f == nil {
				t.Fatalf("decode %v: %s is no column", args, name)
			}
		}
		lines = append(lines, m)
	}
	summary = map[string]int{}
	count := regexp.MustCompile(`^(packets|flows|templates|options records|counter samples|discarded-packet notices|lost by sequence number|packets discarded by the exporter):? (\d+)( \([^)]+\))?$`)
	refused := regexp.MustCompile(`^not decoded: (\d+) \(.+\)$`)
	for line := range strings.Lines(stderr) {
		line = strings.TrimSuffix(line, "\n")
		if m := count.FindStringSubmatch(line); m != nil {
			summary[m[1]], _ = strconv.Atoi(m[2])
		} else if m := refused.FindStringSubmatch(line); m != nil {
			n, _ := strconv.Atoi(m[1])
			notDecoded += n
		} else {
			t.Errorf("decode %v: summary has a line %q", args, line)
		}
	}
	if summary["flows"] != len(lines) {
		t.Errorf("decode %v: summary says %d flows, %d are printed", args, summary["flows"], len(lines))
	}
	return lines, summary, notDecoded
}

// Every capture there is goes through the command.
func TestDecodeCaptures(t *testing.T) {
	files, _ := filepath.Glob("../../source/*/testdata/*.pcap")
	if len(files) < 10 {
		t.Fatal("captures of real exporters are missing: ", files)
	}
	for _, file := range files {
		lines, summary, _ := decoded(t, "", file)
		if len(lines) == 0 || summary["packets"] == 0 {
			t.Errorf("%s: %d flows, summary %v", file, len(lines), summary)
		}
	}
	const corpus = "../../../shared/corpus"
	all, _ := filepath.Glob(corpus + "/*/*.pcap")
	if len(all) == 0 {
		t.Log("no corpus of captures beside the repository: ", corpus)
	}
	for _, file := range all {
		lines, summary, notDecoded := decoded(t, "", file)
		expected, err := os.ReadFile(strings.TrimSuffix(file, ".pcap") + ".expected.jsonl")
		if err != nil {
			continue
		}
		kinds := map[string]int{}
		for line := range bytes.Lines(expected) {
			var e struct{ Record, Proto string }
			if err := json.Unmarshal(line, &e); err != nil {
				t.Fatal(file, err)
			}
			if e.Proto != "netflow1" { // is refused
				kinds[e.Record]++
			}
		}
		// There are more where a record is two flows (RFC 5103), where its template came
		// later, and where the other decoder gave up.
		if len(lines) < kinds["flow"] {
			t.Errorf("%s: %d flows, another decoder has %v; summary %v, not decoded %d", file, len(lines), kinds, summary, notDecoded)
		}
	}
}

// A capture is read from a pipe, compressed or not, as from its file.
func TestDecodeStandardInput(t *testing.T) {
	const file = "../../source/netflow/testdata/pmipfix.pcap"
	plain, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(plain)
	w.Close()
	want := must(t, "decode", "--json", file)
	for name, stdin := range map[string]string{"plain": string(plain), "gzip": packed.String()} {
		if stdout, stderr, code := netmeta(t, stdin, "decode", "--json", "-"); code != 0 || stdout != want {
			t.Errorf("%s: exit %d, %d octets, want %d: %s", name, code, len(stdout), len(want), stderr)
		}
	}
	// Cut anywhere, it says what it has and why it ends.
	for _, n := range []int{0, 10, 24, 30, len(plain) / 2, len(plain) - 1} {
		if _, stderr, code := netmeta(t, string(plain[:n]), "decode", "-"); code > 1 || strings.Contains(stderr, "panic") {
			t.Errorf("cut after %d octets: exit %d: %s", n, code, stderr)
		}
	}
}

// What simulate says it wrote is what decode finds.
func TestSimulateAndDecode(t *testing.T) {
	for _, protocol := range simulate.Protocols {
		file := filepath.Join(t.TempDir(), "simulated.pcap")
		var sent simulate.Sent
		if err := json.Unmarshal([]byte(must(t, "simulate", "--protocol", string(protocol), "--flows", "3000", "--seed", "7", "--write", file)), &sent); err != nil {
			t.Fatal(err)
		}
		lines, summary, notDecoded := decoded(t, "", file)
		var got simulate.Totals
		for _, m := range lines {
			n := func(name string) uint64 {
				v, _ := strconv.ParseUint(fmt.Sprint(m[name]), 10, 64)
				return v
			}
			got = sum(got, simulate.Totals{Flows: 1, Bytes: n("Bytes"), Packets: n("Packets"),
				BytesScaled: n("Bytes") * n("SamplingRate"), PacketsScaled: n("Packets") * n("SamplingRate")})
			if m["FlowType"] != string(protocol) {
				t.Fatalf("%s: %v", protocol, m)
			}
		}
		got.Datagrams = uint64(summary["packets"])
		if got != sent.Totals || notDecoded != 0 || summary["lost by sequence number"] != 0 {
			t.Errorf("%s: decode finds %+v, simulate says %+v; summary %v, not decoded %d", protocol, got, sent.Totals, summary, notDecoded)
		}
		if sent.Flows != 3000 {
			t.Errorf("%s: %d flows", protocol, sent.Flows)
		}
	}
}

// SQL is answered while netmeta runs and while it does not, in any format, read-only.
func TestSQL(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir())
	p.ready()
	sent := p.simulate(simulate.Options{Protocol: simulate.NetFlow9, Flows: 2000, Seed: 2})
	p.visible("", sent.BytesScaled)
	both := func(state string) {
		t.Helper()
		f := func(want string, args ...string) {
			t.Helper()
			if got := must(t, append([]string{"sql", "--data", p.data}, args...)...); got != want {
				t.Errorf("%s: sql %v: %q, want %q", state, args, got, want)
			}
		}
		f("2000\n", "SELECT count() FROM flows")
		f("2000\tnetflow9\n", "SELECT count(), any(FlowType) FROM flows")
		f("{\"n\":2000}\n", "--format", "JSONEachRow", "SELECT toUInt32(count()) AS n FROM flows")
		f("\"n\",\"t\"\n2000,\"netflow9\"\n", "--format", "CSVWithNames", "SELECT toUInt32(count()) AS n, any(FlowType) AS t FROM flows")
		f("", "SELECT 1 FROM flows WHERE 0")
		if out := must(t, "sql", "--data", p.data, "--format", "PrettyCompact", "SELECT 1 AS one"); !strings.Contains(out, "one") || !strings.Contains(out, "│") {
			t.Errorf("%s: no table: %s", state, out)
		}
		if out, stderr, code := netmeta(t, "SELECT count()\nFROM flows", "sql", "--data", p.data); code != 0 || out != "2000\n" {
			t.Errorf("%s: from standard input: exit %d, %q, %s", state, code, out, stderr)
		}
		refused := func(want, query string) {
			t.Helper()
			if out, stderr, code := netmeta(t, "", "sql", "--data", p.data, query); code != 1 || out != "" || !strings.Contains(stderr, want) {
				t.Errorf("%s: %s: exit %d, %q, %q; want %q", state, query, code, out, stderr, want)
			}
		}
		refused("UNKNOWN_TABLE", "SELECT * FROM flws")
		refused("SYNTAX_ERROR", "SELEC 1")
		for _, query := range []string{"DROP TABLE flows", "TRUNCATE TABLE flows", "INSERT INTO flows (Bytes) VALUES (1)",
			"ALTER TABLE flows DELETE WHERE 1", "CREATE TABLE x (a UInt8) ENGINE = Memory", "SELECT * FROM file('/etc/passwd', 'LineAsString')",
			"SELECT * FROM url('http://127.0.0.1/', 'LineAsString')"} {
			refused("netmeta:", query)
		}
		victim := filepath.Join(t.TempDir(), "victim")
		if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, query := range []string{"SELECT 1 AS a FORMAT Protobuf SETTINGS output_format_schema='" + victim + "'",
			"SELECT 1 AS a SETTINGS output_format_schema='" + victim + "' FORMAT CSV", "SELECT 1 INTO OUTFILE '" + victim + "' TRUNCATE", "SELECT * FROM `" + victim + "`",
			"SELECT query FROM system.processes", "SELECT path FROM system.disks", "SELECT 1 FROM flows" + strings.Repeat(", flows", 5000),
			"SELECT 1" + strings.Repeat(" BETWEEN 0 AND 1", 40), "SELECT 1 SETTINGS max_threads = 1000"} {
			refused("netmeta:", query)
		}
		f("0\n", "EXISTS TABLE `"+victim+"`")
		if text, err := os.ReadFile(victim); err != nil || string(text) != "precious" {
			t.Errorf("%s: a query wrote a file: %q, %v", state, text, err)
		}
		f("2000\n", "SELECT count() FROM flows")
		if out, stderr, code := netmeta(t, "", "schema", "--data", p.data, "--diff"); code != 0 || out != "" {
			t.Errorf("%s: schema --diff: exit %d, %q, %q", state, code, out, stderr)
		}
	}
	both("running")
	p.stop(syscall.SIGINT)
	both("stopped")
	create := must(t, "schema")
	for _, f := range flow.Table.Fields {
		if !strings.Contains(create, "\n    "+f.Name+" ") {
			t.Errorf("schema has no %s", f.Name)
		}
	}
	if !strings.Contains(create, "\nCREATE TABLE IF NOT EXISTS events\n") {
		t.Error("schema has no table of events")
	}
}

package main

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"netmeta/simulate"
)

// Every metric that is served has its line in doc/metrics.md with the same words, and
// every line there is served.
func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir())
	p.ready()
	for _, protocol := range []simulate.Protocol{simulate.IPFIX, simulate.SFlow} {
		sent := p.simulate(simulate.Options{Protocol: protocol, Flows: 500, Seed: 1})
		p.visible("type = "+string(protocol), sent.BytesScaled)
	}
	help, samples := map[string]string{}, map[string]bool{}
	for line := range strings.Lines(p.text("/metrics")) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, text, _ := strings.Cut(rest, " ")
			help[name] = text
		} else if !strings.HasPrefix(line, "#") {
			samples[regexp.MustCompile(`^\w+`).FindString(line)] = true
		}
	}
	doc, err := os.ReadFile("../../doc/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (?:counter|gauge) \\| .*? \\| (.*) \\|$").FindAllStringSubmatch(string(doc), -1) {
		documented[m[1]] = strings.ReplaceAll(m[2], `\|`, "|")
	}
	if len(documented) < 20 {
		t.Fatalf("only %d metrics in the document", len(documented))
	}
	for name := range samples {
		switch {
		case strings.HasPrefix(name, "go_"), strings.HasPrefix(name, "process_"):
		case help[name] == "":
			t.Errorf("%s has no HELP", name)
		case documented[name] != help[name]:
			t.Errorf("%s is documented as %q, its HELP is %q: run go test ./internal/gen -update", name, documented[name], help[name])
		}
	}
	const onOccurrence = "netmeta_source_discarded_total" // a line for each reason that occurred; the simulator drops nothing
	for name := range documented {
		if !samples[name] && name != onOccurrence {
			t.Errorf("%s is documented, but not served", name)
		}
	}
}

// Profiles are served where debug.listen says, and nowhere else.
func TestDebug(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	p, _ := configured(t, udpPort("127.0.0.1:0")+"debug:\n  listen: "+addr+"\nlog:\n  format: json\n")
	p.ready()
	get := func(url string) string {
		t.Helper()
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.Header.Get("Content-Type")
	}
	if got := get("http://" + addr + "/debug/pprof/heap"); got != "application/octet-stream" {
		t.Errorf("a profile is %s", got)
	}
	if got := get(p.url + "/debug/pprof/heap"); got == "application/octet-stream" {
		t.Error("the page's address serves profiles")
	}
	if !strings.Contains(p.said(), `{"time":"`) || strings.Contains(p.said(), "level=INFO") {
		t.Errorf("the log is not JSON:\n%s", p.said())
	}
}

// systemd takes the unit, and finds it confined.
func TestUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze here")
	}
	text, err := os.ReadFile("../../deploy/systemd/netmeta.service")
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "netmeta.service")
	if err := os.WriteFile(unit, []byte(strings.ReplaceAll(string(text), "/usr/local/bin/netmeta", exe)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", unit).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("verify: %v: %s", err, out)
	}
	out, err := exec.Command(analyze, "security", "--offline=true", unit).CombinedOutput()
	m := regexp.MustCompile(`exposure level .*: (\d+\.\d)`).FindSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("security: %v: %s", err, out)
	}
	if level, err := strconv.ParseFloat(string(m[1]), 64); err != nil || level > 2 {
		t.Errorf("exposure level %s, want at most 2.0", m[1])
	}
	// The flags of ExecStart are ours.
	fields := strings.Fields(regexp.MustCompile(`(?m)^ExecStart=(.*)$`).FindStringSubmatch(string(text))[1])
	if !slices.Contains(fields, "run") || !slices.Contains(fields, "--config") || !slices.Contains(fields, "--data") {
		t.Errorf("ExecStart is %q", fields)
	}
}

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A part that is broken while NetMeta runs is named by the page, by Status, doctor and
// metrics, and the command puts it aside and takes it back.
func TestParts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, _ := configuredOn(t, dir, udpPort("127.0.0.1:0"))
	p.ready()
	p.write(fmt.Sprintf("INSERT INTO flows (TimeReceived, SrcAS, Bytes, Packets) SELECT %d - number %% 60, number %% 7, 1000, 1 FROM numbers(3000)", time.Now().Unix()/3600*3600-60))
	data := filepath.Join(dir, "data")
	parts := func(args ...string) (string, int) {
		out, diag, code := netmeta(t, "", append([]string{"parts", "--data", data}, args...)...)
		return out + diag, code
	}
	if out, code := parts("check"); code != 0 || !strings.Contains(out, "all parts are readable") {
		t.Fatalf("check: %d %s", code, out)
	}
	sql := func(query string) string {
		out, diag, code := netmeta(t, "", "sql", "--data", data, query)
		if code != 0 {
			t.Fatal(diag)
		}
		return strings.TrimSpace(out)
	}
	name, path, _ := strings.Cut(sql("SELECT name, path FROM system.parts WHERE active AND table = 'flows' AND rows = 3000"), "\t")
	rows := sql("SELECT count() FROM flows WHERE _part = '" + name + "'")
	for _, file := range []string{"data.bin", "data.cmrk4"} {
		if err := os.Remove(filepath.Join(path, file)); err != nil {
			t.Fatal(err)
		}
	}
	answer := p.text("/api/v1/query?from=-3h&by=src.as&q=src+port+0")
	if !strings.Contains(answer, "part "+name+" of flows cannot be read: "+rows+" rows") {
		t.Errorf("the answer does not name the part: %.600s", answer)
	}
	for _, path := range []string{"facets?facets=src.as&", "flows?", "explain?", "interfaces?"} {
		if answer := p.text("/api/v1/" + path + "from=-3h"); !strings.Contains(answer, "part "+name+" of flows cannot be read") {
			t.Errorf("%s does not name the part: %.600s", path, answer)
		}
	}
	st := p.status()
	if list := st.Storage.Unreadable; len(list) != 1 || list[0].Name != name || fmt.Sprint(list[0].Rows) != rows || !strings.Contains(list[0].Remedy, "netmeta parts detach flows/"+name) {
		t.Errorf("status: %+v", list)
	}
	if text := p.text("/metrics"); !strings.Contains(text, "netmeta_store_unreadable_parts 1\n") || !strings.Contains(text, "netmeta_store_unreadable_rows "+rows+"\n") {
		t.Error("metrics do not tell of it")
	}
	if out, _, _ := netmeta(t, "", "doctor", "--config", filepath.Join(dir, "netmeta.yaml")); !strings.Contains(out, "flows/"+name+" cannot be read") {
		t.Errorf("doctor: %s", out)
	}
	if out, code := parts("check"); code == 0 || !strings.Contains(out, "flows/"+name+" cannot be read: "+rows+" rows from ") {
		t.Errorf("check: %d %s", code, out)
	}
	if out, code := parts("detach", name); code != 0 || !strings.Contains(out, rows+" rows from ") || !strings.Contains(out, "use --yes") {
		t.Errorf("detach: %d %s", code, out)
	}
	if got := sql("SELECT count() FROM system.parts WHERE active AND name = '" + name + "'"); got != "1" {
		t.Error("it is detached without --yes")
	}
	if out, code := parts("detach", "flows/"+name, "--yes"); code != 0 || !strings.Contains(out, "parts attach flows/"+name) {
		t.Errorf("detach: %d %s", code, out)
	}
	if out, _ := parts(); !strings.Contains(out, "flows/"+name) || !strings.Contains(out, "by a user") {
		t.Errorf("list: %s", out)
	}
	if out, code := parts("attach", name); code != 0 || !strings.Contains(out, "use --yes") {
		t.Errorf("attach: %d %s", code, out)
	}
	if out, code := parts("detach", "no-such-part", "--yes"); code == 0 || !strings.Contains(out, "no such part: no-such-part") {
		t.Errorf("detach: %d %s", code, out)
	}
}

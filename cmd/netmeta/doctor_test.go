package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netmeta/config"
)

// examined runs netmeta doctor and gives its findings.
func examined(t *testing.T, args ...string) (list []finding, code int) {
	t.Helper()
	out, diag, code := netmeta(t, "", append([]string{"doctor", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		t.Fatalf("%v: %s%s", err, out, diag)
	}
	for _, f := range list {
		if (f.Level == "OK") != (f.Remedy == "") {
			t.Errorf("%+v: what is not OK has a remedy, and nothing else has", f)
		}
	}
	return list, code
}

// wants looks for a finding of a level whose text has all words.
func wants(t *testing.T, list []finding, level, check string, words ...string) {
	t.Helper()
next:
	for _, f := range list {
		if f.Level != level || f.Check != check {
			continue
		}
		for _, w := range words {
			if !strings.Contains(f.Found+" "+f.Remedy, w) {
				continue next
			}
		}
		return
	}
	t.Errorf("no %s %s with %q among %+v", level, check, words, list)
}

// Before the first start: nothing fails where all is well, and what is in the way is
// found.
func TestDoctorBefore(t *testing.T) {
	dir := t.TempDir()
	base := "data: " + dir + "/data\nhttp:\n  listen: 127.0.0.1:0\n"
	list, code := examined(t, "--config", write(t, base+udpPort("127.0.0.1:0")))
	if code != 0 {
		t.Errorf("exit code %d: %+v", code, list)
	}
	wants(t, list, "OK", "configuration")
	wants(t, list, "OK", "engine", "26.7", "starts")
	wants(t, list, "OK", "disk", "will be created")

	busy, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	page := strings.TrimPrefix(other.URL, "http://")
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		t.Fatal(err)
	}
	text := "data: " + dir + "/data\nhttp:\n  listen: " + page + "\n" + udpPort(busy.LocalAddr().String()) + fmt.Sprintf("store:\n  keep-free: %d\n", fs.Bavail*uint64(fs.Bsize)*2)
	t.Setenv("NETMETA_LIBCHDB", dir+"/nowhere.so")
	list, code = examined(t, "--config", write(t, text))
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	me := fmt.Sprint("process ", os.Getpid())
	wants(t, list, "FAIL", "ports", "UDP "+busy.LocalAddr().String(), me, "sources.udp.listen")
	wants(t, list, "FAIL", "ports", "TCP "+page, me, "http.listen")
	wants(t, list, "FAIL", "running", "another program answers on", page)
	wants(t, list, "FAIL", "engine", "nowhere.so", "make build")
	wants(t, list, "WARN", "disk", "less than", "store.keep-free")

	list, code = examined(t, "--config", write(t, base+"store:\n  retention-days: -5\n"))
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	wants(t, list, "FAIL", "configuration", "store.retention-days", "-5", "netmeta check")

	// In words for people, with the exit code.
	out, diag, code := netmeta(t, "", "doctor", "--config", write(t, base+"store: {url: 'http://127.0.0.1:1'}\n"+udpPort("127.0.0.1:0")))
	if code != 1 || !strings.Contains(out, "FAIL  store") || !strings.Contains(out, "→ start that ClickHouse") || !strings.Contains(diag, "1 of ") {
		t.Errorf("exit code %d: %s%s", code, out, diag)
	}
}

// What only the kernel or the disk can have.
func TestDoctorChecks(t *testing.T) {
	f := func(check func(*doctor), level, name string, words ...string) {
		t.Helper()
		d := &doctor{proc: t.TempDir(), cfg: config.Default()}
		check(d)
		wants(t, d.findings, level, name, words...)
	}
	buffer := func(text string) func(*doctor) {
		return func(d *doctor) {
			if err := os.MkdirAll(filepath.Join(d.proc, "sys/net/core"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(d.proc, "sys/net/core/rmem_max"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			d.buffers()
		}
	}
	f(buffer("212992\n"), "WARN", "buffers", "0.2 MiB", "net.core.rmem_max=33554432")
	f(buffer("33554432\n"), "OK", "buffers", "32.0 MiB")
	f((*doctor).buffers, "WARN", "buffers", "cannot read net.core.rmem_max")

	clock := func(state int, status int32, most time.Duration, err error) func(*doctor) {
		return func(d *doctor) { d.judgeClock(state, status, most, err) }
	}
	f(clock(unix.TIME_OK, 0, 3*time.Millisecond, nil), "OK", "clock", "3ms")
	f(clock(unix.TIME_ERROR, 0, 0, nil), "WARN", "clock", "not synchronized", "chrony")
	f(clock(unix.TIME_OK, unix.STA_UNSYNC, 0, nil), "WARN", "clock", "not synchronized")
	f(clock(unix.TIME_OK, 0, 2*time.Second, nil), "WARN", "clock", "2s")
	f(clock(-1, 0, 0, errors.New("not permitted")), "WARN", "clock", "not permitted")

	var shm unix.Statfs_t
	if err := unix.Statfs("/dev/shm", &shm); err != nil || shm.Type != unix.TMPFS_MAGIC {
		lacking(t, "no tmpfs on /dev/shm: %v", err)
	}
	f(func(d *doctor) { d.cfg.Data = "/dev/shm/netmeta-doctor"; d.disk() }, "WARN", "disk", "tmpfs", "--data")
	f(func(d *doctor) { d.cfg.Data = "/proc/nowhere"; d.disk() }, "FAIL", "disk", "/proc")
}

// What a running NetMeta knows: losses, and what exporters lack.
func TestDoctorRunning(t *testing.T) {
	t.Parallel()
	first := freeUDP(t)
	p, rewrite := configured(t, udpPort(first))
	p.ready()
	args := []string{"--config", filepath.Join(filepath.Dir(p.data), "netmeta.yaml"), "--listen", strings.TrimPrefix(p.url, "http://")}
	list, _ := examined(t, args...)
	wants(t, list, "OK", "running", "answers")
	wants(t, list, "OK", "engine", "runs on")
	wants(t, list, "OK", "ports", "NetMeta listens on UDP "+first)
	wants(t, list, "OK", "losses")
	wants(t, list, "WARN", "exporters", "nothing received")
	// The data directory says where the page is.
	list, _ = examined(t, args[:2]...)
	wants(t, list, "OK", "running", "answers on "+p.url)
	wants(t, list, "OK", "ports", "NetMeta listens on UDP "+first)

	conn, err := net.Dial("udp", first)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, datagram := range []string{
		"no flow records",
		// IPFIX: a template of one field, octetDeltaCount, a record of it, and a record of
		// another template that does not come.
		"\x00\x0a\x00\x2c\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x07" + "\x00\x02\x00\x0c\x01\x00\x00\x01\x00\x01\x00\x04" + "\x01\x00\x00\x08\x00\x00\x00\x09" + "\x01\x2c\x00\x08\x00\x00\x00\x09",
	} {
		if _, err := conn.Write([]byte(datagram)); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, 10*time.Second, "both decoded", func() error {
		if s := p.status(); s.Pipeline.Flows != 1 || len(s.Drops) == 0 {
			return fmt.Errorf("%+v, %v", s.Pipeline, s.Drops)
		}
		return nil
	})
	rewrite(udpPort(first, freeUDP(t)))
	list, code := examined(t, args...)
	wants(t, list, "WARN", "exporters", "127.0.0.1 (ipfix)", "waiting for their template", "60 s")
	wants(t, list, "WARN", "exporters", "127.0.0.1 (ipfix)", "sampling rate unknown", "sampler-table")
	wants(t, list, "WARN", "losses", "decoder", "unknown version")
	wants(t, list, "WARN", "ports", "configured but not open", "netmeta reload")
	wants(t, list, "OK", "forecast", "unknown")
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
}

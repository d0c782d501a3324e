package engine

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"netmeta/engine/libchdb"
)

// TestConfined plays what SQL can reach by the user who may do everything: the process
// cannot do it.
func TestConfined(t *testing.T) {
	dir := t.TempDir()
	outside := t.TempDir()
	canary := filepath.Join(outside, "canary")
	for _, name := range []string{canary, filepath.Join(dir, "views.json")} {
		if err := os.WriteFile(name, []byte("untouched\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(dir, "clickhouse", "user_scripts", "program")
	if err := os.MkdirAll(filepath.Dir(program), 0o700); err != nil {
		t.Fatal(err)
	}
	ran := filepath.Join(dir, "clickhouse", "ran")
	if err := os.WriteFile(program, []byte("#!/bin/sh\ntouch "+ran+"\necho 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); io.WriteString(w, "1\n") }))
	defer server.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			conn.Close()
		}
	}()
	t.Setenv("SOME_SECRET", "in-the-environment")

	var log syncBuffer
	s := start(t, dir, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	w := ready(t, s)
	c := s.Stats().Confinement
	if c.Landlock == 0 || !c.Seccomp {
		t.Skipf("THE CONFINEMENT IS NOT TESTED: this system does not have it: %v", c.Missing)
	}
	if len(c.Missing) > 0 || c.Stack < threadStack || c.Temp != filepath.Join(dir, "tmp") {
		t.Errorf("%+v", c)
	}
	if want := fmt.Sprintf("landlock=abi %d, seccomp=on, stack=64 MiB, tmp=%s", c.Landlock, c.Temp); !strings.Contains(log.String(), want) {
		t.Errorf("the log does not say %q:\n%s", want, log.String())
	}
	w.must("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	w.must("INSERT INTO t VALUES (1)")
	f := func(sql, want string) {
		t.Helper()
		got := w.do("POST", sql, "http_max_tries", "1", "http_retry_initial_backoff_ms", "1", "http_retry_max_backoff_ms", "2", "connect_timeout", "1", "s3_retry_attempts", "1")
		if got.status == 200 || !strings.Contains(got.body, want) {
			t.Errorf("%s: %d %.300s, want %s", sql, got.status, got.body, want)
		}
	}
	const denied = "Permission denied"
	for _, name := range []string{"/etc/passwd", canary, filepath.Join(dir, "secrets/writer"), filepath.Join(dir, "views.json"), filepath.Join(dir, "engine.json"),
		fmt.Sprintf("/proc/%d/environ", os.Getpid()), fmt.Sprintf("/proc/%d/maps", os.Getpid()), fmt.Sprintf("/proc/%d/cmdline", os.Getpid()), "/proc/self/root" + canary} {
		f(fmt.Sprintf("SELECT * FROM file('%s', 'LineAsString')", name), denied)
		f(fmt.Sprintf("SELECT file('%s')", name), denied)
	}
	for _, name := range []string{canary, filepath.Join(outside, "new"), filepath.Join(dir, "secrets/writer"), filepath.Join(dir, "views.json"), filepath.Join(dir, "new"), filepath.Join(dir, "engine.xml")} {
		f(fmt.Sprintf("INSERT INTO FUNCTION file('%s', 'LineAsString', 'a String') SETTINGS engine_file_truncate_on_insert = 1 SELECT 'overwritten'", name), denied)
		f(fmt.Sprintf("SELECT 1 AS a FORMAT Protobuf SETTINGS output_format_schema = '%s'", name), denied)
	}
	f(fmt.Sprintf("SELECT * FROM url('%s/', 'LineAsString', 'a String')", server.URL), "I/O error")
	f(fmt.Sprintf("INSERT INTO FUNCTION url('%s/', 'LineAsString', 'a String') SELECT 'x'", server.URL), "I/O error")
	f(fmt.Sprintf("SELECT * FROM remote('%s', 'system', 'one')", listener.Addr()), "")
	f(fmt.Sprintf("SELECT * FROM mysql('%s', 'a', 'b', 'c', 'd')", listener.Addr()), "")
	f(fmt.Sprintf("SELECT * FROM postgresql('%s', 'a', 'b', 'c', 'd')", listener.Addr()), "")
	f(fmt.Sprintf("SELECT * FROM s3('%s/bucket/key', 'CSV', 'a String')", server.URL), "")
	f("SELECT * FROM executable('program', 'TSV', 'a UInt8')", "")
	f(fmt.Sprintf("BACKUP TABLE t TO File('%s')", filepath.Join(outside, "backup")), "")
	f("BACKUP TABLE t TO Disk('default', '../../backup')", "")
	w.must(fmt.Sprintf("CREATE DATABASE d ENGINE = Filesystem('%s')", outside))
	f("SELECT * FROM d.canary", "")

	if n := asked.Load(); n != 0 {
		t.Errorf("%d connections came out", n)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("a program ran")
	}
	for _, name := range []string{canary, filepath.Join(dir, "views.json")} {
		if text, err := os.ReadFile(name); string(text) != "untouched\n" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	for _, d := range []string{outside, dir} {
		entries, err := os.ReadDir(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			switch e.Name() {
			case "canary", "views.json", "clickhouse", "tmp", "secrets", "engine.json", "engine.xml", "engine.lock":
			default:
				t.Errorf("%s has %s", d, e.Name())
			}
		}
	}
	if got := w.must("SELECT * FROM file('/proc/self/environ', 'RawBLOB')"); strings.Contains(got, "SOME_SECRET") {
		t.Errorf("the environment: %s", got)
	}
	// What it needs works: parts, detached ones, hard links, answers of any size.
	w.must("ALTER TABLE t FREEZE")
	w.must("ALTER TABLE t DETACH PARTITION ID 'all'")
	w.must("ALTER TABLE t ATTACH PARTITION ID 'all'")
	w.must("OPTIMIZE TABLE t FINAL")
	if got := w.must("SELECT count() FROM t"); got != "1" {
		t.Errorf("%s rows", got)
	}
	if st := s.Stats(); st.Restarts != 0 {
		t.Errorf("the engine died: %+v", st)
	}
}

// TestUnconfined: the switch for debuggers works, and it is said what is missing.
func TestUnconfined(t *testing.T) {
	var log syncBuffer
	s := start(t, t.TempDir(), func(o *Options) {
		o.Env = append(o.Env, Unconfined+"=1")
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	ready(t, s).must("SELECT * FROM file('/etc/passwd', 'LineAsString') FORMAT Null")
	c := s.Stats().Confinement
	if c.Landlock != 0 || c.Seccomp || len(c.Missing) != 2 || !strings.Contains(log.String(), "a protection is missing") {
		t.Errorf("%+v\n%s", c, log.String())
	}
}

// TestTempEmptied: what the last engine left is gone at the next start, and what is
// temporary now is not where an older NetMeta had it.
func TestTempEmptied(t *testing.T) {
	if _, err := libchdb.Find(); err != nil {
		t.Skipf("THE ENGINE IS NOT TESTED: %v", err)
	}
	dir := t.TempDir()
	var left []string
	for _, name := range []string{"tmp/answers/a", "tmp/engine/tmp1", "clickhouse/tmp/tmp1"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("left"), 0o600); err != nil {
			t.Fatal(err)
		}
		left = append(left, path)
	}
	w := ready(t, start(t, dir, nil))
	for _, path := range left {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
	if to, err := os.Readlink(filepath.Join(dir, "clickhouse/tmp")); to != "../tmp/engine" {
		t.Errorf("clickhouse/tmp leads to %q, %v", to, err)
	}
	w.must("SELECT count() FROM (SELECT number FROM numbers(1000000) ORDER BY rand()) SETTINGS max_bytes_before_external_sort = 1000000, max_bytes_ratio_before_external_sort = 0")
}

// TestDeepStatements: the threads of the engine have stacks that hold statements which
// ended it with 8 MiB.
func TestDeepStatements(t *testing.T) {
	joins := 5000 // over a minute
	if testing.Short() {
		joins = 1500
	}
	s := start(t, t.TempDir(), nil)
	w := ready(t, s)
	if got := w.must("SELECT 1 FROM system.one" + strings.Repeat(" CROSS JOIN system.one", joins)); got != "1" {
		t.Errorf("joins: %s", got)
	}
	if st := s.Stats(); st.Restarts != 0 {
		t.Errorf("the engine died: %s", st.LastError)
	}
}

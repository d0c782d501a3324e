package engine

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTakeBack: the token of a part that is nowhere is taken back, and nothing else.
func TestTakeBack(t *testing.T) {
	store := t.TempDir()
	table := filepath.Join(store, "store", "abc", "abcdef")
	logs := filepath.Join(table, "deduplication_logs")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(logs, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{logs, table + "/2026_1_4_2", table + "/2026_6_6_0_9", table + "/tmp_insert_2026_7_7_0", table + "/all_5_5_0", table + "/detached"} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write("deduplication_log_2.txt", "1\t2026_1_1_0\t2026_a\n1\t2026_9_9_0\t2026_old\n2\t2026_9_9_0\t2026_old\n")
	const last = "1\t2026_4_4_0\t2026_b\n1\t2026_6_6_0\t2026_c\n1\tall_5_5_0\tall_d\n1\t2026_7_7_0\t2026_e\n"
	write("deduplication_log_10.txt", last+"1\t2026_8_8_0\t20")
	check := func(want string) {
		t.Helper()
		if err := takeBackTokens(store, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(logs, "deduplication_log_10.txt"))
		if err != nil || string(got) != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	check(last + "2\t2026_7_7_0\t2026_e\n")
	check(last + "2\t2026_7_7_0\t2026_e\n") // which changes nothing any more
}

// TestTokenWithoutRows: an engine that died after it had written a token and before the
// rows were there stores them when they are inserted again.
func TestTokenWithoutRows(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, nil)
	w := ready(t, s)
	w.must("CREATE TABLE kept (a UInt64) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 1000")
	insert := func(token string) {
		t.Helper()
		if status, text, err := w.post(t.Context(), "INSERT INTO kept VALUES ("+token+")", "insert_deduplication_token="+token); err != nil || status != 200 {
			t.Fatalf("insert: %d %s, %v", status, text, err)
		}
	}
	insert("1")
	insert("2")
	pid := s.Stats().PID
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil { // so that it is not started again before it is all done
		t.Fatal(err)
	}
	part, err := filepath.Glob(filepath.Join(dir, "clickhouse", "store", "*", "*", "all_2_2_0"))
	if err != nil || len(part) != 1 {
		t.Fatalf("%v, %v", part, err)
	}
	if err := os.RemoveAll(part[0]); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for s.Stats().PID == pid {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	insert("1")
	insert("2")
	insert("2")
	if got := w.must("SELECT a FROM kept ORDER BY a"); got != strings.Join([]string{"1", "2"}, "\n") {
		t.Errorf("rows %q", got)
	}
}

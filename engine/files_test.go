package engine

import (
	"strings"
	"testing"
)

func TestJudgeFiles(t *testing.T) {
	f := func(most uint64, wantWarning, wantErr string) {
		t.Helper()
		warning, err := judgeFiles(most)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if !strings.Contains(warning, wantWarning) || !strings.Contains(text, wantErr) || (wantWarning == "") != (warning == "") || (wantErr == "") != (text == "") {
			t.Errorf("%d: %q, %q", most, warning, text)
		}
	}
	f(64, "", "64; at least 256 are needed")
	f(1024, "1024; queries over many parts", "")
	f(1<<20, "", "")
}

// TestFewFiles: with the least that is allowed the engine starts, stores and answers.
func TestFewFiles(t *testing.T) {
	s := start(t, t.TempDir(), func(o *Options) { o.Env = append(o.Env, "NETMETA_ENGINE_TEST_FILES=256") })
	w := ready(t, s)
	w.must("CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a PARTITION BY a % 8")
	w.must("INSERT INTO t SELECT number, toString(number) FROM numbers(100000)")
	if got := w.must("SELECT count(), uniqExact(b) FROM t"); got != "100000\t100000" {
		t.Error(got)
	}
}

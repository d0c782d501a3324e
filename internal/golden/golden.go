// Package golden compares the output of a test with a reviewed file. Run the tests
// with -update to rewrite the files; the diff is the review.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

// Equal fails the test when got differs from the file.
func Equal(t testing.TB, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run the test with -update to create it", err)
	}
	if string(want) == string(got) {
		return
	}
	t.Errorf("differs from %s (-update rewrites it) at line %d\n got: %s", path, firstDifference(want, got), lineAt(got, firstDifference(want, got)))
}

func firstDifference(a, b []byte) int {
	line := 1
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			break
		}
		if a[i] == '\n' {
			line++
		}
	}
	return line
}

func lineAt(text []byte, line int) []byte {
	start := 0
	for i, c := range text {
		if c != '\n' {
			continue
		}
		if line--; line == 0 {
			return text[start:i]
		}
		start = i + 1
	}
	return text[start:]
}

package terminal

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"Gi0/1 – Zürich 東京 ▁▂▃":     "Gi0/1 – Zürich 東京 ▁▂▃",
		"\x1b]0;pwned\a\x1b[31m":    "·]0;pwned··[31m",
		"a\tb\nc\rd\x00\x7f":        "a·b·c·d··",
		"\u0080\u009b31m\u009f":     "··31m·",
		"\x9b31m":                   "·31m", // C1 as a byte: not UTF-8
		"\xff\xc3":                  "··",
		"eth\u202egnp.exe\u202c":    "eth·gnp.exe·",
		"\u2066x\u2069\u200f\u061c": "·x···",
		"a\u2028b\u2029c":           "a·b·c",
		"\U0010ffff":                "\U0010ffff",
	} {
		if got := Clean(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// A Writer shows the same however its text comes in parts, and nothing that is not
// visible.
func TestWriter(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		for range 50 {
			var out bytes.Buffer
			w := NewWriter(&out)
			for rest := []byte(in); len(rest) > 0; {
				n := 1 + rand.IntN(len(rest))
				if got, err := w.Write(rest[:n]); got != n || err != nil {
					t.Fatal(got, err)
				}
				rest = rest[n:]
			}
			if out.String() != want {
				t.Fatalf("%q: %q, want %q", in, out.String(), want)
			}
		}
	}
	f("a\tb\r\nc\n", "a\tb\r\nc\n")
	f("a\rb", "a·b")
	f("東京\x1b[2J\u009b2J\u202e\n", "東京·[2J·2J·\n")
	f("\xe6\x9dx\x9b\n", "··x·\n")
	f(strings.Repeat("┌─┐\u0085", 100)+"\n", strings.Repeat("┌─┐·", 100)+"\n")
}

func FuzzWriter(f *testing.F) {
	f.Add([]byte("a\x1b[31m\r\n\xe6\x9d\xb1\x9b"), 3)
	f.Fuzz(func(t *testing.T, in []byte, cut int) {
		var out bytes.Buffer
		w := NewWriter(&out)
		cut = min(max(0, cut), len(in))
		w.Write(in[:cut])
		w.Write(in[cut:])
		w.Write([]byte("\n"))
		text := out.String()
		if !utf8.ValidString(text) {
			t.Fatalf("%q is not UTF-8", text)
		}
		text = strings.NewReplacer("\r\n", "", "\n", "", "\t", "").Replace(text)
		if Clean(text) != text {
			t.Fatalf("%q: %q", in, text)
		}
	})
}

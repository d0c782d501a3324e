package netflow

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netmeta/column"
)

var update = flag.Bool("update", false, "write the expected files anew")

// TestCaptures decodes captures of real exporters and compares with the text
// beside them: one line a flow, then what was counted.
func TestCaptures(t *testing.T) {
	files, err := filepath.Glob("testdata/*.pcap")
	if err != nil || len(files) == 0 {
		t.Fatal("no captures in testdata: ", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			state := New(Config{})
			b := decodeFile(t, state, file)
			state.Settle()
			var got bytes.Buffer
			for row := range b.Len() {
				got.Write(append(column.AppendJSON(nil, b, row), '\n'))
			}
			c := state.Counters()
			fmt.Fprintf(&got, "datagrams %d, flows %d, templates %d, options records %d, lost %d\n",
				c.Datagrams.Load(), c.Flows.Load(), c.Templates.Load(), c.OptionsRecords.Load(), c.Lost.Load())
			for reason, n := range c.Refused() {
				if n > 0 {
					fmt.Fprintf(&got, "%s: %d\n", reason, n)
				}
			}
			expect := strings.TrimSuffix(file, ".pcap") + ".txt"
			if *update {
				if err := os.WriteFile(expect, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(expect)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%s differs; review and run with -update. Got:\n%s", expect, firstDifference(got.String(), string(want)))
			}
		})
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			return fmt.Sprintf("line %d\n got %s\nwant %s", i+1, g[i], append(w, "")[min(i, len(w))])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

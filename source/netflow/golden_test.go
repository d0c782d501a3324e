package netflow

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"netmeta/column"
	"netmeta/internal/golden"
)

// TestCaptures decodes captures of real exporters and of our simulator and compares with the text
// beside them: one line a flow, then what was counted.
func TestCaptures(t *testing.T) {
	files, err := filepath.Glob("testdata/*.pcap")
	if err != nil || len(files) == 0 {
		t.Fatal("no captures in testdata: ", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			state := New(Options{})
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
			golden.Equal(t, strings.TrimSuffix(file, ".pcap")+".txt", got.Bytes())
		})
	}
}

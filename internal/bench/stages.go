package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// stageBenchmarks are the packages with benchmarks of a stage.
var stageBenchmarks = []struct{ pkg, match string }{
	{"./source/netflow", "Decode20"},
	{"./source/sflow", "."},
	{"./packet", "."},
	{"./native", "Encode"},
	{"./query", "."},
}

// benchLine matches BenchmarkName-2  100  12345 ns/op  51.5 ns/flow …  0 allocs/op.
var benchLine = regexp.MustCompile(`^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+(.*)$`)

// measureStages runs each benchmark five times.
func measureStages(figs *figures) error {
	for _, b := range stageBenchmarks {
		cmd := exec.Command("go", "test", "-run", "^$", "-bench", b.match, "-benchmem", "-benchtime", "300ms", "-count", "5", b.pkg)
		cmd.Stderr = os.Stderr
		text, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, text)
		}
		for line := range strings.Lines(string(text)) {
			m := benchLine.FindStringSubmatch(strings.TrimSpace(line))
			if m == nil {
				continue
			}
			words := strings.Fields(m[2])
			for i := 0; i+1 < len(words); i += 2 {
				if v, err := strconv.ParseFloat(words[i], 64); err == nil {
					figs.add(strings.TrimPrefix(b.pkg, "./")+"/"+m[1], v, words[i+1])
				}
			}
		}
	}
	return nil
}

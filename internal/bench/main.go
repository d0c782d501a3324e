// Command bench measures NetMeta: each stage alone, the path from a socket to a finished
// block, the whole system from UDP to a table that can be queried, the engine alone
// with the same rows, and goflow2 for comparison. It prints one figure per line,
// name<TAB>median<TAB>unit<TAB>each run, and writes the same to bench.tsv. Generator,
// collector and engine share the machine.
//
//	go run ./internal/bench [-runs 3] [-rate 400000] [-seconds 60] [-stages=false] [-socket=false] [-whole=false] [-peer]
//
// With -soak it runs at a steady rate and checks for growth.
//
//	go run ./internal/bench -soak 30 -rate 100000
//
// With -store it compares layouts of the table instead: order keys, codecs, indexes.
//
//	go run ./internal/bench -store '^order-' -store-dir /var/tmp/bench [-store-rows 20000000]
//
// With -gate it compares the cost of stages, as ratios to a reference loop, with recorded ones.
//
//	go run ./internal/bench -gate internal/bench/gate.tsv [-gate-update]
//
// With -merges it measures settings of merges under a steady load.
//
//	go run ./internal/bench -merges wide -merges-flows 'min_parts_to_merge_at_once = 20' -rate 100000
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	if len(os.Args) == 2 {
		if part, ok := parts[os.Args[1]]; ok {
			exit(part())
		}
	}
	var o options
	flag.IntVar(&o.runs, "runs", 3, "number of runs; figures are medians")
	flag.IntVar(&o.rate, "rate", 400_000, "flows per second, end to end")
	flag.IntVar(&o.seconds, "seconds", 60, "duration of an end-to-end run")
	flag.StringVar(&o.protocol, "protocol", "netflow9", "protocol of the end-to-end run")
	flag.BoolVar(&o.stages, "stages", true, "measure the stages alone")
	flag.BoolVar(&o.socket, "socket", true, "measure from the socket to the block")
	flag.BoolVar(&o.whole, "whole", true, "measure end to end, and the engine alone with the same rows")
	flag.BoolVar(&o.peer, "peer", false, "measure goflow2 in the same way")
	flag.IntVar(&o.soak, "soak", 0, "minutes of a steady run that checks for growth; nothing else is measured then")
	flag.StringVar(&o.out, "out", "bench.tsv", "file to write")
	gateFile := flag.String("gate", "", "compare the cost of stages with the ratios in this file; nothing else is measured then")
	gateUpdate := flag.Bool("gate-update", false, "write the ratios of -gate")
	var b storeBench
	flag.StringVar(&b.match, "store", "", "measure only the layouts of the table whose names match this")
	flag.StringVar(&b.dir, "store-dir", "", "data directory for -store; kept, so that -store-fill=false can query it again")
	flag.IntVar(&b.rows, "store-rows", 20_000_000, "rows in each table")
	flag.DurationVar(&b.span, "store-span", 5*time.Hour, "time range of the rows")
	flag.IntVar(&b.insert, "store-insert", 100_000, "rows per insert")
	flag.IntVar(&b.again, "store-again", 0, "number of further inserts of the same rows, each later by the span")
	flag.IntVar(&b.days, "store-days", 0, "days before the newest one to add to the hourly rollups")
	flag.BoolVar(&b.fill, "store-fill", true, "fill the tables")
	flag.BoolVar(&b.ask, "store-ask", true, "ask the questions")
	flag.IntVar(&b.times, "store-times", 3, "how often to ask each; from 20 on the 95th percentile is told too")
	flag.StringVar(&b.only, "store-only", "", "ask only those whose names match this")
	var m mergeBench
	flag.StringVar(&m.label, "merges", "", "measure settings of merges alone, and call the figures so")
	flag.StringVar(&m.flows, "merges-flows", "", "settings of the flows table, as MODIFY SETTING takes them")
	flag.StringVar(&m.rollups, "merges-rollups", "", "settings of the rollups")
	flag.IntVar(&m.minutes, "merges-minutes", 3, "minutes of the load, which -rate says")
	flag.DurationVar(&m.rest, "merges-rest", time.Minute, "how long merges may go on after it")
	flag.BoolVar(&m.random, "merges-random", false, "ASes hardly repeat")
	flag.DurationVar(&m.jump, "merges-jump", 0, "by how much the second half is later: 1h is another partition")
	flag.Parse()
	if *gateFile != "" {
		exit(gate(os.Stdout, *gateFile, *gateUpdate))
	}
	if m.rate = o.rate; m.label != "" {
		exit(m.run(context.Background(), os.Stdout))
	}
	b.times = max(b.times, 1)
	if b.match != "" {
		exit(b.run(context.Background(), os.Stdout))
	}
	exit(run(o))
}

// parts are the functions that this program runs as its own child, by the name in its only argument.
var parts = map[string]func() error{
	"sink":     func() error { return sink(false) },
	"enriched": func() error { return sink(true) },
	"goflow2":  goflow2,
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

type options struct {
	runs, rate, seconds         int
	soak                        int // minutes
	protocol, out               string
	stages, socket, whole, peer bool
}

func run(o options) error {
	f, err := os.Create(o.out)
	if err != nil {
		return err
	}
	w := io.MultiWriter(os.Stdout, f)
	if o.soak > 0 {
		if err := soak(w, o.rate, o.soak, o.protocol); err != nil {
			return err
		}
		return f.Close()
	}
	if o.stages {
		var figs figures
		if err := measureStages(&figs); err != nil {
			return err
		}
		figs.print(w)
	}
	for _, m := range []struct {
		wanted  bool
		measure func(*figures) error
	}{
		{o.socket, measureSocket},
		{o.peer, measurePeer},
		{o.whole, func(figs *figures) error { return measureWhole(figs, o.rate, o.seconds, o.protocol) }},
	} {
		if !m.wanted {
			continue
		}
		var figs figures
		for range o.runs {
			if err := m.measure(&figs); err != nil {
				return err
			}
		}
		figs.print(w)
	}
	return f.Close()
}

// figures are values by name and unit, one per run.
type figures struct {
	order  []figure
	values map[figure][]float64
}

type figure struct{ name, unit string }

func (f *figures) add(name string, value float64, unit string) {
	k := figure{name, unit}
	if f.values == nil {
		f.values = map[figure][]float64{}
	}
	if f.values[k] == nil {
		f.order = append(f.order, k)
	}
	f.values[k] = append(f.values[k], value)
}

func (f *figures) print(w io.Writer) {
	for _, k := range f.order {
		var each []string
		for _, v := range f.values[k] {
			each = append(each, short(v))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", k.name, short(median(f.values[k])), k.unit, strings.Join(each, " "))
	}
}

// short returns a number with four digits, and as an integer from 1000 on.
func short(v float64) string {
	if v >= 1000 || v <= -1000 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

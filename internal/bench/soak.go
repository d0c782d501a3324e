package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// A soak is a long run at a steady rate, which shows growth over time. It prints one line
// per minute: memory of both processes, parts of the flows table, and the duration of the
// queries of that minute.

// warm is the time during which memory may grow; afterwards it must stay flat.
const warm = 5

func soak(w io.Writer, rate, minutes int, proto string) error {
	n, err := start()
	if err != nil {
		return err
	}
	defer n.stop()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var (
		questions = make(chan float64, 1000)
		asked     = make(chan struct{})
	)
	go func() {
		askEachSecond(ctx, n.base, func(ms float64) { questions <- ms })
		close(asked)
	}()
	watched := make(chan []minuteMeasurement, 1)
	go func() { watched <- n.watch(w, minutes, questions) }()

	s, _, err := generate(n.udpPort, load{proto, rate}, time.Duration(minutes)*time.Minute)
	if err != nil {
		return err
	}
	stored, err := n.wait(s.Flows)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	list := <-watched
	cancel()
	<-asked

	var figs figures
	name := "soak/" + proto + "/"
	figs.add(name+"sent", float64(s.Flows)/s.Seconds, "flows/s")
	figs.add(name+"flows lost", float64(s.Flows)-float64(stored.flows), "flows")
	figs.add(name+"bytes sent minus stored", float64(s.Bytes)-float64(stored.bytes), "bytes")
	if len(list) > warm {
		late := list[warm:]
		of := func(f func(minuteMeasurement) float64) (v []float64) {
			for _, m := range late {
				v = append(v, f(m))
			}
			return v
		}
		rss := of(func(m minuteMeasurement) float64 { return m.collectorRSS })
		figs.add(name+"collector RSS, median after minute 5", median(rss), "MiB")
		figs.add(name+"collector RSS, least to median", slices.Min(rss)/median(rss), "times")
		figs.add(name+"collector RSS, most to median", slices.Max(rss)/median(rss), "times")
		figs.add(name+"engine RSS, most", slices.Max(of(func(m minuteMeasurement) float64 { return m.engineRSS })), "MiB")
		figs.add(name+"parts, most", slices.Max(of(func(m minuteMeasurement) float64 { return m.parts })), "parts")
		p95 := of(func(m minuteMeasurement) float64 { return m.p95 })
		third := max(len(p95)/3, 1)
		figs.add(name+"query p95, first third", median(p95[:third]), "ms")
		figs.add(name+"query p95, last third", median(p95[len(p95)-third:]), "ms")
	}
	figs.print(w)
	return nil
}

// minuteMeasurement holds the measurements of a minute.
type minuteMeasurement struct {
	collectorRSS, engineRSS float64 // MiB
	parts                   float64 // active ones of the flows table
	p95                     float64 // ms
}

// watch measures once a minute and prints the result.
func (n *netmeta) watch(w io.Writer, minutes int, questions <-chan float64) (list []minuteMeasurement) {
	fmt.Fprintln(w, "minute\tcollector MiB\tengine MiB\tparts\tqueries\tp95 ms")
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for i := range minutes {
		<-tick.C
		m := minuteMeasurement{collectorRSS: rssMiB(n.collector.Process.Pid), engineRSS: rssMiB(n.engine.PID)}
		row, err := n.sql("SELECT count() FROM system.parts WHERE table = 'flows' AND active")
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench: parts:", err)
		}
		fmt.Sscan(row, &m.parts)
		var times []float64
		for len(questions) > 0 {
			times = append(times, <-questions)
		}
		if len(times) > 0 {
			slices.Sort(times)
			m.p95 = times[len(times)*95/100]
		}
		fmt.Fprintf(w, "%d\t%.0f\t%.0f\t%.0f\t%d\t%.0f\n", i+1, m.collectorRSS, m.engineRSS, m.parts, len(times), m.p95)
		list = append(list, m)
	}
	return list
}

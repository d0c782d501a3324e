package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"netmeta/api"
	"netmeta/engine"
)

// netmeta is the running binary, with its own data.
type netmeta struct {
	binary, dir, config string
	base                string // of the API
	udpPort             int
	collector           *exec.Cmd
	engine              engine.Endpoint
}

// start runs the built binary and waits until it is ready.
func start() (*netmeta, error) {
	binary, err := netmetaBinary()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "netmeta-bench-")
	if err != nil {
		return nil, err
	}
	n := &netmeta{binary: binary, dir: dir, config: filepath.Join(dir, "netmeta.yaml")}
	if err := n.run(); err != nil {
		n.stop()
		return nil, err
	}
	return n, nil
}

func (n *netmeta) run() error {
	udpPort, httpPort, err := freePorts()
	if err != nil {
		return err
	}
	n.udpPort, n.base = udpPort, fmt.Sprintf("http://127.0.0.1:%d", httpPort)
	text := fmt.Sprintf("data: %s/data\nhttp: {listen: \"127.0.0.1:%d\"}\nsources: {udp: {listen: [\"127.0.0.1:%d\"]}}\n", n.dir, httpPort, udpPort)
	if err := os.WriteFile(n.config, []byte(text), 0o600); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(n.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	n.collector = exec.Command(n.binary, "run", "--config", n.config)
	n.collector.Stderr, n.collector.Stdout = log, log
	if err := n.collector.Start(); err != nil {
		return err
	}
	if err := waitFor(30*time.Second, func() error { return get(n.base+"/readyz", nil) }); err != nil {
		tail, _ := os.ReadFile(log.Name())
		return fmt.Errorf("collector: %w\n%s", err, tail)
	}
	n.engine, err = engine.Running(filepath.Join(n.dir, "data"))
	return err
}

// stop ends the binary and removes its data.
func (n *netmeta) stop() {
	if n.collector != nil && n.collector.Process != nil {
		n.collector.Process.Signal(syscall.SIGINT)
		n.collector.Wait()
	}
	os.RemoveAll(n.dir)
}

// cpu returns the CPU seconds of the collector and of the engine so far.
func (n *netmeta) cpu() (collector, engine float64) {
	return cpuSeconds(n.collector.Process.Pid), cpuSeconds(n.engine.PID)
}

// sql returns the first row of a result, its values separated by tabs.
func (n *netmeta) sql(text string) (string, error) {
	out, err := exec.Command(n.binary, "sql", "--config", n.config, text).Output()
	return strings.TrimSpace(string(out)), err
}

// storedTotals holds the totals of the flows table.
type storedTotals struct{ flows, bytes, packets uint64 }

// wait waits until the given number of flows can be queried.
func (n *netmeta) wait(flows uint64) (k storedTotals, err error) {
	err = waitFor(20*time.Second, func() error {
		row, err := n.sql("SELECT count(), sum(Bytes), sum(Packets) FROM flows")
		if err != nil {
			return err
		}
		fmt.Sscan(row, &k.flows, &k.bytes, &k.packets)
		if k.flows < flows {
			return fmt.Errorf("%d of %d flows stored", k.flows, flows)
		}
		return nil
	})
	return k, err
}

// measureWhole starts the built binary, sends flows to it, queries it each second, and
// compares the stored flows with those sent.
func measureWhole(figs *figures, rate, seconds int, proto string) error {
	n, err := start()
	if err != nil {
		return err
	}
	defer n.stop()
	collectorBefore, engineBefore := n.cpu()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	questions := make(chan []float64, 1)
	go func() {
		var ms []float64
		askEachSecond(ctx, n.base, func(t float64) { ms = append(ms, t) })
		questions <- ms
	}()
	s, generatorCPU, err := generate(n.udpPort, load{proto, rate}, time.Duration(seconds)*time.Second)
	if err != nil {
		return err
	}
	last := time.Now()
	stored, err := n.wait(s.Flows)
	visible := time.Since(last).Seconds()
	cancel()
	times := <-questions
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	var status api.Status
	if err := get(n.base+"/api/v1/status", &status); err != nil {
		return err
	}
	collectorCPU, engineCPU := n.cpu()
	collectorCPU, engineCPU = collectorCPU-collectorBefore, engineCPU-engineBefore
	flows := float64(s.Flows)
	dropped := uint64(0)
	for _, l := range status.Listeners {
		dropped += l.Dropped
	}
	name := "end-to-end/" + proto + "/"
	figs.add(name+"sent", flows/s.Seconds, "flows/s")
	figs.add(name+"flows sent", flows, "flows")
	figs.add(name+"flows stored", float64(stored.flows), "flows")
	figs.add(name+"flows lost", flows-float64(stored.flows), "flows")
	figs.add(name+"bytes sent minus stored", float64(s.Bytes)-float64(stored.bytes), "bytes")
	figs.add(name+"datagrams dropped by the kernel", float64(dropped), "datagrams")
	figs.add(name+"visible after the last datagram", visible, "s")
	figs.add(name+"collector CPU", collectorCPU, "s")
	figs.add(name+"collector CPU per flow", collectorCPU*1e9/flows, "ns/flow")
	figs.add(name+"engine CPU", engineCPU, "s")
	figs.add(name+"engine CPU per flow", engineCPU*1e9/flows, "ns/flow")
	figs.add(name+"generator CPU", generatorCPU, "s")
	figs.add(name+"collector RSS", rssMiB(n.collector.Process.Pid), "MiB")
	figs.add(name+"engine RSS", rssMiB(n.engine.PID), "MiB")
	figs.add(name+"bytes per row", status.Storage.BytesPerRow, "bytes")
	for _, rollups := range []bool{false, true} {
		alone, err := engineAlone(load{proto, rate}, seconds, rollups)
		if err != nil {
			return err
		}
		of := "alone, without rollups"
		if rollups {
			of = "alone, with rollups"
		}
		figs.add(name+"engine CPU per flow, "+of, alone, "ns/flow")
		figs.add(name+"collector and engine to engine "+of, (collectorCPU+engineCPU)*1e9/flows/alone, "times")
	}
	if len(times) > 0 {
		figs.add(name+"queries beside it", float64(len(times)), "queries")
		figs.add(name+"query median", median(times), "ms")
		figs.add(name+"query slowest", slices.Max(times), "ms")
	}
	return nil
}

// question is the query of each second: the chart of the last hour in intervals of a minute.
const question = "by=src.as&from=-1h&step=60"

// askEachSecond queries the API each second and passes the duration of each query, in milliseconds, to took.
func askEachSecond(ctx context.Context, base string, took func(ms float64)) {
	eachSecond(ctx, func() error { return get(base+"/api/v1/query?"+question, nil) }, took)
}

// eachSecond calls ask once a second until ctx ends.
func eachSecond(ctx context.Context, ask func() error, took func(ms float64)) {
	askEvery(ctx, time.Second, ask, took)
}

func askEvery(ctx context.Context, pause time.Duration, ask func() error, took func(ms float64)) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		start := time.Now()
		switch err := ask(); {
		case err == nil:
			took(float64(time.Since(start).Microseconds()) / 1000)
		case ctx.Err() == nil:
			fmt.Fprintln(os.Stderr, "bench: query:", err)
		}
	}
}

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"netmeta/api"
	"netmeta/engine"
)

// measureWhole starts the built binary, sends to it, asks it a question each second,
// and compares what is stored with what was sent.
func measureWhole(figs *figures, rate, seconds int, proto string) error {
	binary, err := netmetaBinary()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "netmeta-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	udpPort, httpPort, err := freePorts()
	if err != nil {
		return err
	}
	config := filepath.Join(dir, "netmeta.yaml")
	text := fmt.Sprintf("data: %s/data\nhttp: {listen: \"127.0.0.1:%d\"}\nsources: {udp: {listen: [\"127.0.0.1:%d\"]}}\n", dir, httpPort, udpPort)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	collector := exec.Command(binary, "run", "--config", config)
	collector.Stderr, collector.Stdout = log, log
	if err := collector.Start(); err != nil {
		return err
	}
	defer func() {
		collector.Process.Signal(syscall.SIGINT)
		collector.Wait()
	}()
	base := fmt.Sprintf("http://127.0.0.1:%d", httpPort)
	if err := waitFor(30*time.Second, func() error { return get(base+"/readyz", nil) }); err != nil {
		tail, _ := os.ReadFile(log.Name())
		return fmt.Errorf("collector: %w\n%s", err, tail)
	}
	endpoint, err := engine.Running(filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	collectorBefore, engineBefore := cpuSeconds(collector.Process.Pid), cpuSeconds(endpoint.PID)

	ctx, cancel := context.WithCancel(context.Background())
	queries := make(chan []float64, 1)
	go func() { queries <- askEachSecond(ctx, base) }()

	s, generatorCPU, err := generate(udpPort, load{proto, rate}, time.Duration(seconds)*time.Second)
	if err != nil {
		cancel()
		return err
	}
	last := time.Now()
	var stored struct{ flows, bytes, packets uint64 }
	err = waitFor(20*time.Second, func() error {
		out, err := exec.Command(binary, "sql", "--config", config, "SELECT count(), sum(Bytes), sum(Packets) FROM flows").Output()
		if err != nil {
			return err
		}
		fmt.Sscan(string(out), &stored.flows, &stored.bytes, &stored.packets)
		if stored.flows < s.Flows {
			return fmt.Errorf("%d of %d flows stored", stored.flows, s.Flows)
		}
		return nil
	})
	visible := time.Since(last).Seconds()
	cancel()
	times := <-queries
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	var status api.Status
	if err := get(base+"/api/v1/status", &status); err != nil {
		return err
	}
	collectorCPU, engineCPU := cpuSeconds(collector.Process.Pid)-collectorBefore, cpuSeconds(endpoint.PID)-engineBefore
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
	figs.add(name+"collector RSS", rssMiB(collector.Process.Pid), "MiB")
	figs.add(name+"engine RSS", rssMiB(endpoint.PID), "MiB")
	figs.add(name+"bytes per row", status.Storage.BytesPerRow, "bytes")
	alone, err := engineAlone(load{proto, rate}, seconds)
	if err != nil {
		return err
	}
	figs.add(name+"engine CPU per flow, alone", alone, "ns/flow")
	figs.add(name+"collector and engine to engine alone", (collectorCPU+engineCPU)*1e9/flows/alone, "times")
	if len(times) > 0 {
		figs.add(name+"queries beside it", float64(len(times)), "queries")
		figs.add(name+"query median", median(times), "ms")
		figs.add(name+"query slowest", slices.Max(times), "ms")
	}
	return nil
}

// question is what is asked each second.
const question = "by=src.as&from=-1h"

// askEachSecond asks for the last hour by source AS and returns how long each answer
// took, in milliseconds.
func askEachSecond(ctx context.Context, base string) (ms []float64) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ms
		case <-tick.C:
		}
		start := time.Now()
		if err := get(base+"/api/v1/query?"+question, nil); err != nil {
			fmt.Fprintln(os.Stderr, "bench: query:", err)
			continue
		}
		ms = append(ms, float64(time.Since(start).Microseconds())/1000)
	}
}

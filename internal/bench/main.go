// Command bench measures NetMeta: each stage alone, and the whole system from UDP to
// a table that can be asked. It prints a figure a line, name<TAB>value<TAB>unit, and
// writes the same to bench.tsv. Generator, collector and engine share the machine.
//
//	go run ./internal/bench [-rate 150000] [-seconds 60] [-stages=false]
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"netmeta/api"
	"netmeta/engine"
)

func main() {
	var (
		rate    = flag.Int("rate", 150_000, "flows per second, end to end")
		seconds = flag.Int("seconds", 60, "duration of the end-to-end run")
		proto   = flag.String("protocol", "netflow9", "protocol of the end-to-end run")
		stages  = flag.Bool("stages", true, "measure the stages too")
		out     = flag.String("out", "bench.tsv", "file to write")
	)
	flag.Parse()
	if err := run(*rate, *seconds, *proto, *stages, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(rate, seconds int, proto string, stages bool, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := io.MultiWriter(os.Stdout, f)
	if stages {
		if err := measureStages(w); err != nil {
			return err
		}
	}
	if err := measureWhole(w, rate, seconds, proto); err != nil {
		return err
	}
	return f.Close()
}

func figure(w io.Writer, name string, value float64, unit string) {
	fmt.Fprintf(w, "%s\t%s\t%s\n", name, strconv.FormatFloat(value, 'f', -1, 64), unit)
}

// stageBenchmarks are the packages whose benchmarks are figures of a stage.
var stageBenchmarks = []struct{ pkg, match string }{
	{"./source/netflow", "Decode20"},
	{"./source/sflow", "."},
	{"./packet", "."},
	{"./native", "Encode"},
	{"./query", "."},
}

// benchLine is BenchmarkName-2  100  12345 ns/op  51.5 ns/flow …  0 allocs/op.
var benchLine = regexp.MustCompile(`^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+(.*)$`)

// measureStages runs each benchmark five times and prints medians.
func measureStages(w io.Writer) error {
	for _, b := range stageBenchmarks {
		cmd := exec.Command("go", "test", "-run", "^$", "-bench", b.match, "-benchmem", "-benchtime", "300ms", "-count", "5", b.pkg)
		cmd.Stderr = os.Stderr
		text, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, text)
		}
		type key struct{ name, unit string }
		values := map[key][]float64{}
		var order []key
		for line := range strings.Lines(string(text)) {
			m := benchLine.FindStringSubmatch(strings.TrimSpace(line))
			if m == nil {
				continue
			}
			words := strings.Fields(m[2])
			for i := 0; i+1 < len(words); i += 2 {
				v, err := strconv.ParseFloat(words[i], 64)
				if err != nil {
					continue
				}
				k := key{m[1], words[i+1]}
				if values[k] == nil {
					order = append(order, k)
				}
				values[k] = append(values[k], v)
			}
		}
		for _, k := range order {
			figure(w, strings.TrimPrefix(b.pkg, "./")+"/"+k.name, median(values[k]), k.unit)
		}
	}
	return nil
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// sent is what netmeta simulate prints.
type sent struct {
	Datagrams uint64  `json:"datagrams"`
	Flows     uint64  `json:"flows"`
	Bytes     uint64  `json:"bytes"`
	Packets   uint64  `json:"packets"`
	Seconds   float64 `json:"seconds"`
}

// measureWhole starts the built binary, sends to it, asks it a question each second,
// and compares what is stored with what was sent.
func measureWhole(w io.Writer, rate, seconds int, proto string) error {
	binary, err := filepath.Abs("bin/netmeta")
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

	generator := exec.Command(binary, "simulate", "--quiet", "--to", fmt.Sprintf("127.0.0.1:%d", udpPort), "--protocol", proto,
		"--rate", strconv.Itoa(rate), "--duration", fmt.Sprintf("%ds", seconds), "--exporters", "8")
	generator.Stderr = os.Stderr
	answer, err := generator.Output()
	if err != nil {
		cancel()
		return fmt.Errorf("generator: %w", err)
	}
	last := time.Now()
	var s sent
	if err := json.Unmarshal(answer, &s); err != nil {
		cancel()
		return fmt.Errorf("generator said %q: %w", answer, err)
	}
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
	generatorCPU := generator.ProcessState.UserTime() + generator.ProcessState.SystemTime()
	flows := float64(s.Flows)
	dropped := uint64(0)
	for _, l := range status.Listeners {
		dropped += l.Dropped
	}
	name := "end-to-end/" + proto + "/"
	figure(w, name+"sent", flows/s.Seconds, "flows/s")
	figure(w, name+"flows sent", flows, "flows")
	figure(w, name+"flows stored", float64(stored.flows), "flows")
	figure(w, name+"flows lost", flows-float64(stored.flows), "flows")
	figure(w, name+"bytes sent minus stored", float64(s.Bytes)-float64(stored.bytes), "bytes")
	figure(w, name+"datagrams dropped by the kernel", float64(dropped), "datagrams")
	figure(w, name+"visible after the last datagram", visible, "s")
	figure(w, name+"collector CPU", collectorCPU, "s")
	figure(w, name+"collector CPU per flow", collectorCPU*1e9/flows, "ns/flow")
	figure(w, name+"engine CPU", engineCPU, "s")
	figure(w, name+"engine CPU per flow", engineCPU*1e9/flows, "ns/flow")
	figure(w, name+"generator CPU", generatorCPU.Seconds(), "s")
	figure(w, name+"collector RSS", rssMiB(collector.Process.Pid), "MiB")
	figure(w, name+"engine RSS", rssMiB(endpoint.PID), "MiB")
	figure(w, name+"bytes per row", status.Storage.BytesPerRow, "bytes")
	if len(times) > 0 {
		figure(w, name+"queries beside it", float64(len(times)), "queries")
		figure(w, name+"query median", median(times), "ms")
		figure(w, name+"query slowest", times[len(times)-1], "ms")
	}
	return nil
}

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
		if err := get(base+"/api/v1/query?by=src.as&from=-1h", nil); err != nil {
			fmt.Fprintln(os.Stderr, "bench: query:", err)
			continue
		}
		ms = append(ms, float64(time.Since(start).Microseconds())/1000)
	}
}

func get(url string, into any) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", url, resp.Status, bytes.TrimSpace(body))
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}

func waitFor(limit time.Duration, fact func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := fact()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func freePorts() (udp, tcp int, err error) {
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return 0, 0, err
	}
	defer u.Close()
	t, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, 0, err
	}
	defer t.Close()
	return u.LocalAddr().(*net.UDPAddr).Port, t.Addr().(*net.TCPAddr).Port, nil
}

// cpuSeconds is the user and system time of a process so far, of all its threads.
func cpuSeconds(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The second field is the name in parentheses, which may hold blanks.
	_, rest, _ := bytes.Cut(text, []byte(") "))
	fields := strings.Fields(string(rest))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	const ticks = 100 // USER_HZ
	return (user + system) / ticks
}

func rssMiB(pid int) float64 {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err == nil {
				return kb / 1024
			}
		}
	}
	return 0
}

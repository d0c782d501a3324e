package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/goccy/go-yaml"

	"netmeta/column"
	"netmeta/enrich"
	"netmeta/enrich/feed"
	"netmeta/enrich/names"
	"netmeta/native"
	"netmeta/pipe"
	"netmeta/source"
	"netmeta/source/detect"
	"netmeta/source/netflow"
	"netmeta/source/sflow"
	"netmeta/source/udp"
)

// tally is the result that a receiver in its own process prints at its end.
type tally struct {
	Flows   uint64
	Dropped uint64  // datagrams, by the kernel
	Lost    uint64  // datagrams, by their sequence numbers
	CPU     float64 // seconds of the whole process since it was ready
	RSS     float64 // MiB
}

// collector is the real NetMeta up to the queue: sockets, decoders, the pipe with its encoder.
type collector struct {
	ports  *udp.Source
	pipe   *pipe.Pipe
	family *detect.Family
}

// newCollector returns a collector that enriches as netmeta run --demo does, or not at all.
func newCollector(enriched bool) (*collector, error) {
	exporters := &source.Exporters{}
	var fromNetFlow, fromSFlow source.Names
	var stages []func() pipe.Stage
	if enriched {
		chain, err := demoChain()
		if err != nil {
			return nil, err
		}
		write := func(from names.Origin) source.Names {
			return func(exporter column.Addr, ifIndex uint32, x source.Interface) {
				chain.Book.Put(from, exporter, ifIndex, names.Interface(x))
			}
		}
		fromNetFlow, fromSFlow = write(names.NetFlow), write(names.SFlow)
		stages = append(stages, func() pipe.Stage { return chain.Stage() })
	}
	c := &collector{
		family: &detect.Family{Protocols: []source.Protocol{
			netflow.New(netflow.Options{Exporters: exporters, Names: fromNetFlow}).Protocol(),
			sflow.New(sflow.Options{Exporters: exporters, Names: fromSFlow}).Protocol(),
		}},
		pipe: pipe.New(256, 256<<20, stages...),
	}
	var err error
	c.ports, err = udp.Open([]string{"127.0.0.1:0"}, udp.Options{Workers: 2}, c.family, slog.New(slog.DiscardHandler))
	return c, err
}

// demoChain returns a chain with the names of the demo and the tables of AS and country.
func demoChain() (*enrich.Chain, error) {
	text, err := os.ReadFile("collector/demo.yaml")
	if err != nil {
		return nil, err
	}
	var demo struct {
		Enrich enrich.Config `yaml:"enrich"`
	}
	demo.Enrich = enrich.Default()
	if err := yaml.Unmarshal(text, &demo); err != nil {
		return nil, err
	}
	data, err := filepath.Abs("bin/ip.data")
	if err != nil {
		return nil, err
	}
	demo.Enrich.Data = feed.Location(data)
	return enrich.New(demo.Enrich, "", slog.New(slog.DiscardHandler))
}

// run collects until ctx ends and passes each block on.
func (c *collector) run(ctx context.Context, hand func(native.Block)) (t tally, err error) {
	var handing sync.WaitGroup
	handing.Go(func() {
		for b := range c.pipe.Queue() {
			c.pipe.Taken(b)
			hand(b)
		}
	})
	err = c.ports.Run(ctx, func(source.Durability) *source.Out { return source.NewOut(c.pipe.Emitter()) })
	c.pipe.Close()
	handing.Wait()
	t.Dropped = c.ports.Totals().Dropped
	var report source.Report
	c.family.Report(&report)
	for _, k := range report.Members {
		t.Flows += k.Flows.Load()
		t.Lost += k.Lost.Load()
	}
	return t, err
}

func (c *collector) port() uint16 { return c.ports.Addrs()[0].Port() }

// sink is a collector that discards its blocks.
func sink(enriched bool) error {
	c, err := newCollector(enriched)
	if err != nil {
		return err
	}
	return serve(c.port(), func(ctx context.Context) (tally, error) {
		return c.run(ctx, func(b native.Block) { b.Release() })
	})
}

// serve prints the port, runs until standard input ends, and prints the tally.
func serve(port uint16, run func(context.Context) (tally, error)) error {
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	before := cpuOfSelf()
	fmt.Println(port)
	t, err := run(ctx)
	if err != nil {
		return err
	}
	t.CPU, t.RSS = cpuOfSelf()-before, rssMiB(os.Getpid())
	return json.NewEncoder(os.Stdout).Encode(t)
}

// measureSocket sends each protocol at a moderate rate and as fast as the generator can,
// to a collector without enrichment and to one with all of it.
func measureSocket(figs *figures) error {
	for _, part := range []string{"sink", "enriched"} {
		for _, load := range loads {
			t, s, err := receive(part, load)
			if err != nil {
				return err
			}
			name := "socket to block/"
			if part == "enriched" {
				name = "socket to block, enriched/"
			}
			t.add(figs, name+load.name(), s)
		}
	}
	return nil
}

// load is the traffic that the generator sends.
type load struct {
	protocol string
	rate     int // flows per second; 0: as fast as possible
}

var loads = []load{{"netflow9", 48_000}, {"netflow9", 0}, {"ipfix", 48_000}, {"ipfix", 0}, {"sflow", 12_000}, {"sflow", 0}}

func (l load) name() string {
	if l.rate == 0 {
		return l.protocol + "/full speed/"
	}
	return fmt.Sprintf("%s/%d a second/", l.protocol, l.rate)
}

const loadSeconds = 5

// receive runs a part of this program in its own process under a load.
func receive(part string, l load, args ...string) (t tally, s sent, err error) {
	self, err := os.Executable()
	if err != nil {
		return t, s, err
	}
	cmd := exec.Command(self, part)
	cmd.Stderr = os.Stderr
	stop, err := cmd.StdinPipe()
	if err != nil {
		return t, s, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return t, s, err
	}
	if err := cmd.Start(); err != nil {
		return t, s, err
	}
	defer cmd.Wait()
	defer stop.Close()
	r := bufio.NewReader(out)
	var port int
	if _, err := fmt.Fscanln(r, &port); err != nil {
		return t, s, fmt.Errorf("%s did not print its port: %w", part, err)
	}
	s, _, err = generate(port, l, loadSeconds*time.Second)
	if err != nil {
		return t, s, err
	}
	stop.Close()
	return t, s, json.NewDecoder(r).Decode(&t)
}

// add prints the cost of a load.
func (t tally) add(figs *figures, name string, s sent) {
	figs.add(name+"sent", float64(s.Flows)/s.Seconds, "flows/s")
	figs.add(name+"missing", float64(s.Flows)-float64(t.Flows), "flows")
	figs.add(name+"dropped by the kernel", float64(t.Dropped), "datagrams")
	figs.add(name+"CPU per flow", t.CPU*1e9/float64(t.Flows), "ns/flow")
	figs.add(name+"RSS", t.RSS, "MiB")
}

// sent is the output of netmeta simulate.
type sent struct {
	Datagrams uint64  `json:"datagrams"`
	Flows     uint64  `json:"flows"`
	Bytes     uint64  `json:"bytes"`
	Packets   uint64  `json:"packets"`
	Seconds   float64 `json:"seconds"`
}

// generate sends a load to a port of this machine; cpu is its cost in seconds.
func generate(port int, l load, d time.Duration) (s sent, cpu float64, err error) {
	binary, err := netmetaBinary()
	if err != nil {
		return s, 0, err
	}
	cmd := exec.Command(binary, "simulate", "--quiet", "--to", fmt.Sprintf("127.0.0.1:%d", port), "--protocol", l.protocol,
		"--rate", strconv.Itoa(l.rate), "--duration", d.String(), "--exporters", "8")
	cmd.Stderr = os.Stderr
	answer, err := cmd.Output()
	if err != nil {
		return s, 0, fmt.Errorf("generator: %w", err)
	}
	if err := json.Unmarshal(answer, &s); err != nil {
		return s, 0, fmt.Errorf("generator printed %q: %w", answer, err)
	}
	return s, (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), nil
}

func netmetaBinary() (string, error) {
	path, err := filepath.Abs("bin/netmeta")
	if err == nil {
		_, err = os.Stat(path)
	}
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%w; run make build, and run this in the top folder", err)
	}
	return path, err
}

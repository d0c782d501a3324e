package main

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// worst is how many times its recorded ratio a figure may cost.
const worst = 1.15

// gateRounds is how often the gate measures each figure, each time beside the reference loop.
const gateRounds = 7

// gateBenchmarks are the stages that the gate measures, in ns per operation.
var gateBenchmarks = []struct{ name, pkg, match string }{
	{"decode NetFlow v9", "./source/netflow", "^BenchmarkDecode20$"},
	{"decode sFlow", "./source/sflow", "^BenchmarkDecode$"},
	{"encode", "./native", "^BenchmarkEncode$"},
	{"enrich", "./enrich", "^BenchmarkStage$/^all$"},
}

// gateLoad is the load of the whole-path figure, from the socket to the block.
var gateLoad = load{protocol: "netflow9"}

// reference returns the seconds that a fixed loop takes: it reads fields at changing
// offsets, looks them up in a table, sums and copies, as a decoder does.
func reference() float64 {
	const size = 64 << 10
	var in, out [size]byte
	for i := range in {
		in[i] = byte(i*7 + i>>8)
	}
	known := make(map[uint32]uint32, 4096)
	for i := range uint32(4096) {
		known[i*2654435761] = i
	}
	began := time.Now()
	sum := uint32(0)
	for round := range 400 {
		for at := 0; at+16 <= size; at += 11 + round%5 {
			v := binary.BigEndian.Uint32(in[at:])
			sum += known[v] + uint32(binary.BigEndian.Uint16(in[at+4:]))
			binary.LittleEndian.PutUint64(out[at:], uint64(sum)<<32|uint64(v))
		}
		copy(in[:], out[:])
		sum ^= crc32.ChecksumIEEE(out[:])
	}
	if sum == 0 { // never; the loop has to have a result
		fmt.Fprintln(os.Stderr, "bench: the reference loop sums to zero")
	}
	return time.Since(began).Seconds()
}

// gate compares what stages cost, as ratios to the reference loop in the same run, with the
// recorded ratios. With update it records them instead.
func gate(w io.Writer, file string, update bool) error {
	binaries, err := os.MkdirTemp("", "netmeta-gate-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(binaries)
	type measured struct {
		name string
		cost func() (float64, error)
	}
	var list []measured
	for i, b := range gateBenchmarks {
		binary := fmt.Sprintf("%s/%d", binaries, i)
		if out, err := exec.Command("go", "test", "-c", "-o", binary, b.pkg).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", b.pkg, err, out)
		}
		list = append(list, measured{b.name, func() (float64, error) { return benchmark(binary, b.pkg, b.match) }})
	}
	list = append(list, measured{"socket to block, NetFlow v9", func() (float64, error) {
		t, _, err := receive("sink", gateLoad)
		return t.CPU * 1e9 / float64(t.Flows), err
	}})

	recorded := map[string]float64{}
	if !update {
		if recorded, err = readRatios(file); err != nil {
			return err
		}
	}
	var lines, slow []string
	for _, m := range list {
		// The fastest of each: other work on the machine only ever adds.
		var costs, loops []float64
		for range gateRounds {
			loops = append(loops, reference())
			cost, err := m.cost()
			if err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
			costs = append(costs, cost)
		}
		ratio := slices.Min(costs) / 1e3 / slices.Min(loops)
		lines = append(lines, fmt.Sprintf("%s\t%s\n", m.name, short(ratio)))
		was, ok := recorded[m.name]
		change := "not recorded"
		if ok {
			change = fmt.Sprintf("%+.1f %%", 100*(ratio/was-1))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s to %s ns\n", m.name, short(ratio), change, short(slices.Min(costs)), short(slices.Max(costs)))
		switch {
		case update:
		case !ok:
			slow = append(slow, m.name+" is not recorded: run make bench-gate UPDATE=-gate-update")
		case ratio > worst*was:
			slow = append(slow, fmt.Sprintf("%s costs %.0f %% more than recorded", m.name, 100*(ratio/was-1)))
		}
	}
	if update {
		return os.WriteFile(file, []byte(strings.Join(lines, "")), 0o644)
	}
	if len(slow) > 0 {
		return fmt.Errorf("%s", strings.Join(slow, "; "))
	}
	return nil
}

// benchmark runs one benchmark of a test binary and returns the nanoseconds of an operation.
func benchmark(binary, dir, match string) (float64, error) {
	cmd := exec.Command(binary, "-test.run", "^$", "-test.bench", match, "-test.benchtime", "300ms")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%w\n%s", err, out)
	}
	total := 0.0
	for line := range strings.Lines(string(out)) { // of all its parts
		if m := benchLine.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			ns, err := strconv.ParseFloat(strings.Fields(m[2])[0], 64)
			if err != nil {
				return 0, fmt.Errorf("%q: %w", line, err)
			}
			total += ns
		}
	}
	if total == 0 {
		return 0, fmt.Errorf("no benchmark %s in %s", match, out)
	}
	return total, nil
}

// readRatios reads lines of name, tab and ratio.
func readRatios(file string) (map[string]float64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "\t")
		ratio, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: line %q: use NAME<TAB>RATIO", file, line)
		}
		out[name] = ratio
	}
	return out, nil
}

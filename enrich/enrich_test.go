package enrich

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/counter"
	"netmeta/enrich/class"
	"netmeta/enrich/exporter"
	"netmeta/enrich/feed"
	"netmeta/enrich/names"
	"netmeta/enrich/network"
	"netmeta/enrich/route"
	"netmeta/flow"
	"netmeta/native"
	"netmeta/simulate"
	"netmeta/source"
	"netmeta/source/netflow"
)

// pfx is a prefix.
func pfx(text string) network.Prefix {
	p, err := network.ParsePrefix(text)
	if err != nil {
		panic(err)
	}
	return p
}

// config describes the network of the simulator.
func config() Config {
	c := Default()
	c.Own = class.Config{Prefixes: []network.Prefix{pfx("192.0.2.0/24"), pfx("198.18.0.0/15"), pfx("198.51.100.0/24"), pfx("203.0.113.0/24"), pfx("2001:db8::/32"), pfx("3fff:100::/24")}, AS: []uint32{64500}}
	c.Exporters = map[network.Prefix]exporter.Exporter{pfx("192.0.2.0/24"): {Name: "edge", Site: "Bern", Role: "edge"}}
	c.Interfaces = []exporter.Interface{
		{Index: 1, Name: "et-0/0/0", Description: "transit", Speed: 100e9, Boundary: exporter.Boundary(flow.BoundaryExternal), Connectivity: "transit", Provider: "Arelion"},
		{Index: 2, Name: "et-0/0/1", Description: "exchange", Speed: 100e9, Boundary: exporter.Boundary(flow.BoundaryExternal), Connectivity: "ix"},
		{Index: 3, Name: "et-0/0/2", Description: "peering", Speed: 100e9, Boundary: exporter.Boundary(flow.BoundaryExternal), Connectivity: "pni"},
		{Name: "customers", Speed: 10e9, Boundary: exporter.Boundary(flow.BoundaryInternal)},
	}
	c.Networks = network.Config{
		pfx("198.18.0.0/17"): {Name: "north", Role: "access"}, pfx("198.18.128.0/17"): {Name: "south", Role: "access"}, pfx("198.19.0.0/18"): {Name: "west", Role: "access"},
		pfx("192.0.2.0/25"): {Name: "Alder", Role: "customer", Tenant: "Alder"}, pfx("198.51.100.0/25"): {Name: "Birch", Role: "customer", Tenant: "Birch"},
		pfx("3fff:100::/32"): {Name: "north", Role: "access"}, pfx("3fff:101::/32"): {Name: "south", Role: "access"}, pfx("3fff:102::/32"): {Name: "west", Role: "access"},
	}
	return c
}

// dataFileOf writes a small file of AS and country and gives its path.
func dataFileOf(t testing.TB) string {
	t.Helper()
	d, err := route.Build(route.Sources{
		Name:      "a test",
		AS:        []io.Reader{strings.NewReader("45.57.0.0,45.57.127.255,2906,Netflix\n198.51.100.0,198.51.100.255,64502,Birch\n")},
		Countries: []io.Reader{strings.NewReader("45.57.0.0,45.57.255.255,US\n198.51.100.0,198.51.100.255,CH\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ip.data")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Write(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func newChain(t testing.TB, c Config) *Chain {
	t.Helper()
	chain, err := New(c, t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return chain
}

// traffic is a batch of what the simulator sends.
func traffic(t testing.TB, rows int) *column.Batch {
	t.Helper()
	b := flow.Table.NewBatch(rows)
	d := netflow.New(netflow.Options{Exporters: &source.Exporters{}}).Decoder()
	out := source.NewOut(source.SinkFunc(func(*column.Batch) {}), b)
	payloads, _ := simulate.Capture(simulate.IPFIX, 2*rows, 1)
	for _, p := range payloads {
		if b.Room() < 64 {
			return b
		}
		d.Decode(&source.Datagram{Payload: p, Exporter: netip.MustParseAddrPort("192.0.2.1:4739"), Received: time.Unix(1_800_000_000, 0)}, out)
	}
	t.Fatal("too little traffic")
	return nil
}

// One flow through the whole chain: each stage sees what those before it filled.
func TestChain(t *testing.T) {
	c := config()
	c.Data = feed.Location(dataFileOf(t))
	c.Own = class.Config{AS: []uint32{64502}}
	chain := newChain(t, c)
	b := flow.Table.NewBatch(1)
	row := b.Add()
	flow.ExporterAddress.Set(b, row, column.AddrFrom4([4]byte{192, 0, 2, 1}))
	flow.SrcAddr.Set(b, row, column.AddrFrom4([4]byte{45, 57, 1, 1}))
	flow.DstAddr.Set(b, row, column.AddrFrom4([4]byte{198, 51, 100, 9}))
	flow.InIf.Set(b, row, 1)
	flow.OutIf.Set(b, row, 11)
	chain.Stage()(b)
	const want = "ExporterAddress=192.0.2.1 SrcAddr=45.57.1.1 DstAddr=198.51.100.9 Direction=in InIf=1 OutIf=11 " +
		"InIfName=et-0/0/0 OutIfName=customers InIfDescription=transit InIfSpeed=100000000000 OutIfSpeed=10000000000 " +
		"InIfBoundary=external OutIfBoundary=internal InIfConnectivity=transit InIfProvider=Arelion " +
		"ExporterName=edge ExporterRole=edge ExporterSite=Bern SrcAS=2906 DstAS=64502 " +
		"DstNetName=Birch DstNetRole=customer DstNetTenant=Birch SrcCountry=US DstCountry=CH"
	if got := string(column.AppendText(nil, b, row)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if name := chain.ASName(2906); name != "Netflix" {
		t.Errorf("AS2906 is %q", name)
	}
	if name := chain.ExporterName(netip.MustParseAddr("192.0.2.1")); name != "edge" {
		t.Errorf("the exporter is %q", name)
	}
	got := ""
	for _, s := range chain.Status() {
		got += fmt.Sprint(s.Name, " ", s.Entries, " ", s.Source, "; ")
		if time.Since(s.Loaded) > time.Minute {
			t.Errorf("%s was loaded at %s", s.Name, s.Loaded)
		}
	}
	if got != "exporters 1 configuration; networks 8 configuration; addresses: AS and country 7 a test; names of ASes 2 a test; own prefixes and ASes 1 configuration; " {
		t.Errorf("status %s", got)
	}

	// Batches of other tables pass as they are.
	other := column.Table{Name: "other"}
	number := other.U32(column.Field{Name: "Number"})
	for _, b := range []*column.Batch{other.NewBatch(1), counter.Table.NewBatch(1)} {
		b.Add()
		if b.Table() == &other {
			number.Set(b, 0, 7)
		}
		before := string(column.AppendText(nil, b, 0))
		chain.Stage()(b)
		if after := string(column.AppendText(nil, b, 0)); after != before {
			t.Errorf("%q was made of %q", after, before)
		}
	}
}

// What is wrong changes nothing.
func TestSetRefuses(t *testing.T) {
	c := config()
	c.Data = feed.Location(dataFileOf(t))
	chain := newChain(t, c)
	before := chain.now.Load()
	f := func(change func(*Config), want ...string) {
		t.Helper()
		bad := config()
		change(&bad)
		err := chain.Set(bad)
		if err == nil {
			t.Errorf("taken, want %q", want)
			return
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("error %q does not say %q", err, w)
			}
		}
		if chain.now.Load() != before {
			t.Error("something has changed")
		}
	}
	f(func(c *Config) { c.NetworkFiles = []feed.Location{"/nowhere.csv"} }, "network-files: /nowhere.csv: no such file")
	f(func(c *Config) { c.Data = "/nowhere" }, "data: /nowhere: no such file")
	f(func(c *Config) { c.Data = "/nowhere"; c.NetworkFiles = []feed.Location{"/nowhere.csv"} }, "data", "network-files") // all at once
}

// Each member checks its values, and the error begins with the key.
func TestValidate(t *testing.T) {
	if err := config().Validate(); err != nil {
		t.Error(err)
	}
	f := func(change func(*Config), want ...string) {
		t.Helper()
		bad := config()
		change(&bad)
		err := bad.Validate()
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("error %v does not say %q", err, w)
			}
		}
	}
	f(func(c *Config) { c.Own.AS = []uint32{0} }, "own.as: 0")
	f(func(c *Config) { c.AS.Order = []route.Origin{"data", "data"} }, "as.order: data")
	f(func(c *Config) { c.Names.Order = names.Order{names.SFlow, names.SFlow} }, "names.order: sflow")
	f(func(c *Config) { c.Interfaces = []exporter.Interface{{}} }, "interfaces[0]")
	f(func(c *Config) { c.Own.AS = []uint32{0}; c.Interfaces = []exporter.Interface{{}} }, "own.as", "interfaces") // all at once
}

// A reload swaps everything while workers enrich: each batch is of one configuration.
func TestSetWhileRunning(t *testing.T) {
	configs := make([]Config, 2)
	data := feed.Location(dataFileOf(t))
	for i, name := range []string{"one", "two"} {
		configs[i] = config()
		configs[i].Exporters = map[network.Prefix]exporter.Exporter{pfx("192.0.2.0/24"): {Name: name}}
		configs[i].Data = data
		configs[i].Networks = network.Config{pfx("0.0.0.0/0"): {Name: name}, pfx("::/0"): {Name: name}}
	}
	chain := newChain(t, configs[0])
	var workers sync.WaitGroup
	var stop atomic.Bool
	var seen [2]atomic.Bool // each configuration, by any worker
	for range 2 {
		b := traffic(t, 256)
		workers.Go(func() {
			stage := chain.Stage()
			for !stop.Load() {
				stage(b)
				name := flow.ExporterName.At(b, 0)
				if at := slices.Index([]string{"one", "two"}, name.String()); at >= 0 {
					seen[at].Store(true)
				}
				for row := range b.Len() {
					if flow.SrcNetName.At(b, row) != name || flow.ExporterName.At(b, row) != name {
						t.Errorf("row %d: exporter %s, network %s, expected %s", row, flow.ExporterName.At(b, row), flow.SrcNetName.At(b, row), name)
						return
					}
				}
			}
		})
	}
	deadline := time.Now().Add(time.Minute)
	for i := 0; i < 200 || !seen[0].Load() || !seen[1].Load(); i++ {
		if err := chain.Set(configs[i%2]); err != nil {
			t.Error(err)
		}
		if time.Now().After(deadline) {
			t.Error("no worker saw both configurations")
			break
		}
	}
	stop.Store(true)
	workers.Wait()
}

func TestNoAllocation(t *testing.T) {
	c := config()
	c.Data = feed.Location(dataFileOf(t))
	stage, b := newChain(t, c).Stage(), traffic(t, 1024)
	stage(b)
	if n := testing.AllocsPerRun(20, func() { stage(b) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkStage is the whole chain on what the simulator sends, every column filled,
// and what more it costs to encode.
func BenchmarkStage(b *testing.B) {
	c := config()
	if c.Data = feed.Location(os.Getenv(route.Env)); c.Data == "" {
		c.Data = "../bin/" + route.File
	}
	if _, err := os.Stat(string(c.Data)); err != nil {
		b.Skip("no ", c.Data, "; `make build` makes it")
	}
	chain := newChain(b, c)
	batch := traffic(b, 8192)
	perFlow := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(batch.Len()), "ns/flow")
		b.ReportAllocs()
	}
	encode := func(b *testing.B) {
		var enc native.Encoder
		for b.Loop() {
			block := enc.Encode(batch)
			block.Release()
		}
		perFlow(b)
	}
	b.Run("encode before", encode)
	for i, name := range []string{"exporter", "network", "route", "class"} {
		stage := chain.now.Load()[i].Stage()
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				stage.Apply(batch)
			}
			perFlow(b)
		})
	}
	stage := chain.Stage()
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			stage(batch)
		}
		perFlow(b)
	})
	b.Run("encode after", encode)
}

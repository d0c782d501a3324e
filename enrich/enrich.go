// Package enrich is what we add to flows before they are encoded: names of exporters,
// interfaces and networks, AS and country of addresses, and the direction. Its folders
// are the family of stages; this package puts them in order.
//
//	batch ─► exporter ─► network ─► route ─► class ─► batch
//
// A stage fills columns of a batch in place. It never blocks and never fails: what it
// does not know it leaves zero, and no row is dropped for want of a name.
package enrich

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"netmeta/column"
	"netmeta/counter"
	"netmeta/enrich/class"
	"netmeta/enrich/exporter"
	"netmeta/enrich/network"
	"netmeta/enrich/route"
	"netmeta/flow"
	"netmeta/source/netflow"
)

// Config is what the operator knows of the network.
type Config struct {
	Own class.Config `yaml:"own"`
	// Exporters by address or prefix. What one leaves empty, shorter prefixes fill in.
	Exporters map[string]exporter.Exporter `yaml:"exporters" reload:"live"`
	// Interfaces of any exporter, after those that stand with the exporter.
	Interfaces []exporter.Interface `yaml:"interfaces" reload:"live"`
	// Networks by prefix. What one leaves empty, shorter prefixes fill in.
	Networks network.Config `yaml:"networks" reload:"live"`
	// CSV files with more networks. The first line of each names its columns: prefix, and
	// of name, role, site, region and tenant those that it has.
	NetworkFiles []string     `yaml:"network-files" reload:"live"`
	AS           route.Config `yaml:"as"`
	// Fill the country of addresses.
	Country bool `yaml:"country" reload:"live"`
	// File that says AS and country of addresses, in place of ip.data beside the program.
	Data string `yaml:"data" reload:"live"`
}

// Default is the configuration without a file.
func Default() Config { return Config{AS: route.Default(), Country: true} }

// Validate checks everything but Data. Each error names the key, the value and the
// remedy.
func (c Config) Validate() error {
	_, err := c.tables()
	return err
}

// tables are what the stages work with: all of one configuration. They do not change.
type tables struct {
	exporter *exporter.Table
	network  *network.Table
	class    *class.Table
	route    *route.Table
	data     *route.Data
	loaded   time.Time
}

// tables makes all but route, which needs data.
func (c Config) tables() (*tables, error) {
	t := &tables{loaded: time.Now()}
	var errs [4]error
	t.exporter, errs[0] = exporter.New(c.Exporters, c.Interfaces)
	t.network, errs[1] = network.New(c.Networks, c.NetworkFiles)
	t.class, errs[2] = class.New(c.Own)
	errs[3] = c.AS.Validate()
	for i, key := range [...]string{"enrich.", "enrich.", "enrich.own.", "enrich.as."} {
		if errs[i] != nil {
			errs[i] = fmt.Errorf("%s%w", key, errs[i])
		}
	}
	return t, errors.Join(errs[:]...)
}

// A Chain holds the tables and gives each worker its stages. It is safe for concurrent
// use.
//
// Set takes in a new configuration while stages run: it makes new tables and swaps
// them in at once, so a reload is a call of Set. A batch is enriched with the tables
// that stood when it came; no worker waits.
type Chain struct {
	told exporter.Told
	log  *slog.Logger
	now  atomic.Pointer[tables]

	mu   sync.Mutex // serialises Prepare, and guards the following
	data dataFile
}

// dataFile is the file that was read last.
type dataFile struct {
	path     string
	modified time.Time
	size     int64
	data     *route.Data
	loaded   time.Time
}

// New makes a chain that knows nothing but what exporters tell. Call Set.
func New(told *netflow.State, log *slog.Logger) *Chain {
	c := &Chain{log: log}
	c.told.NetFlow = told
	none, err := Config{}.tables()
	if err != nil {
		panic("BUG: no configuration is wrong: " + err.Error())
	}
	c.now.Store(none)
	return c
}

// Set makes tables of a configuration and files and swaps them in. After an error
// everything is as before.
func (c *Chain) Set(cfg Config) error {
	commit, err := c.Prepare(cfg)
	if err == nil {
		commit()
	}
	return err
}

// Prepare makes the tables of a configuration, which stages use from the call of commit
// on. Errors are those of Set.
func (c *Chain) Prepare(cfg Config) (commit func(), err error) {
	t, err := cfg.tables()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	file, err := c.readData(cfg.Data)
	if err != nil {
		return nil, err
	}
	t.data = file.data
	t.route = route.New(cfg.AS, t.data, cfg.Country)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.data = file
		c.now.Store(t)
	}, nil
}

// readData reads the file that says AS and country, unless it is the one that was
// read last. That there is none, or that the one that came with the program is
// damaged, is worth a line in the log; a file that somebody named must be good.
func (c *Chain) readData(path string) (dataFile, error) {
	named := path != ""
	if !named {
		path = route.Find()
	}
	if path == "" {
		c.log.Info("AS and country are only what exporters tell: no " + route.File + " beside the program; make build makes it")
		return dataFile{}, nil
	}
	info, err := os.Stat(path)
	if err == nil && c.data.path == path && c.data.modified.Equal(info.ModTime()) && c.data.size == info.Size() {
		return c.data, nil
	}
	var data *route.Data
	if err == nil {
		data, err = route.Load(path)
	}
	switch {
	case err == nil:
		return dataFile{path, info.ModTime(), info.Size(), data, time.Now()}, nil
	case named:
		return dataFile{}, fmt.Errorf("enrich.data: %w", err)
	}
	c.log.Warn("AS and country are only what exporters tell", "err", err)
	return dataFile{}, nil
}

// Stage makes the stages of one worker, in order: call it with each batch, from one
// goroutine. Batches of other tables than flows pass as they are; from counters it
// learns the names of interfaces.
func (c *Chain) Stage() func(*column.Batch) {
	exporters := c.told.Stage()
	return func(b *column.Batch) {
		switch b.Table() {
		case &flow.Table:
		case &counter.Table:
			c.told.Learn(b)
			return
		default:
			return
		}
		t := c.now.Load()
		exporters.Apply(t.exporter, b)
		t.network.Apply(b)
		t.route.Apply(b)
		t.class.Apply(b)
	}
}

// A Status is how a table is.
type Status struct {
	Name    string
	Entries int
	Loaded  time.Time
	Source  string // where it is from
}

// Status lists the tables that have entries.
func (c *Chain) Status() (list []Status) {
	t := c.now.Load()
	c.mu.Lock()
	file := c.data
	c.mu.Unlock()
	add := func(name, source string, loaded time.Time, entries int) {
		if entries > 0 {
			list = append(list, Status{name, entries, loaded, source})
		}
	}
	add("exporters", "configuration", t.loaded, t.exporter.Entries())
	add("networks", "configuration", t.loaded, t.network.Entries())
	add("own prefixes and ASes", "configuration", t.loaded, t.class.Entries())
	if file.data != nil {
		add("addresses: AS and country", file.data.Source, file.loaded, file.data.Entries())
		add("names of ASes", file.data.Source, file.loaded, file.data.Names())
	}
	return list
}

// Refused is how often an interface that sFlow named was not kept for want of room.
func (c *Chain) Refused() uint64 { return c.told.Refused.Load() }

// ExporterName is what the operator calls an exporter, empty if nothing.
func (c *Chain) ExporterName(a netip.Addr) string { return c.now.Load().exporter.Name(a) }

// Interface is what the operator says of an interface; see exporter.Told.Configured.
func (c *Chain) Interface(a netip.Addr, index uint32) (name, description, boundary string, speed uint64) {
	return c.told.Configured(c.now.Load().exporter, a, index)
}

// ASName is what an AS is called, empty if that is not known.
func (c *Chain) ASName(as uint32) string { return c.now.Load().route.Name(as) }

// FindAS calls yield with ASes whose names contain a text; see route.Table.Find.
func (c *Chain) FindAS(text string, yield func(as uint32, name string) bool) {
	c.now.Load().route.Find(text, yield)
}

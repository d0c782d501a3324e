// Package collector runs NetMeta. It owns every part from the sockets to the web UI, starts and stops them,
// and applies a changed configuration.
package collector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"netmeta/api"
	"netmeta/config"
	"netmeta/engine"
	"netmeta/enrich"
	"netmeta/flow"
	"netmeta/health"
	"netmeta/internal/secret"
	"netmeta/internal/wholefile"
	"netmeta/pipe"
	"netmeta/sender"
	"netmeta/source"
	"netmeta/source/udp"
	"netmeta/store"
	"netmeta/tables"
	"netmeta/view"
)

// Options are what a collector needs besides its configuration.
type Options struct {
	Version     string                        // of the program
	ConfigPath  string                        // empty: the defaults
	Load        func() (config.Config, error) // reads the configuration again
	Demo        bool                          // play the demo from the start
	StopTimeout time.Duration                 // time limit for storing received flows at shutdown

	Log   *slog.Logger
	Level *slog.LevelVar // of Log; a reload sets it
	Out   io.Writer      // endpoint messages for users go
}

// Collector is a running NetMeta. It holds the state of its parts, in the order in which data moves. The
// parts themselves are in parts.go.
type Collector struct {
	options Options
	running atomic.Pointer[config.Config] // read with config; see reload.go
	log     *slog.Logger
	started time.Time
	playing demoController

	udp       *udp.Source
	sources   []source.Source // all of them
	decoding  *Decoding
	enrich    *enrich.Chain
	pipe      *pipe.Pipe
	spool     *store.Spool
	tables    *store.Tables
	writer    *store.Writer
	retention *store.Retention // by free space
	roller    *store.Roller    // fills the rollups
	migrated  atomic.Bool      // the tables exist
	client    *store.Client    // writes
	reader    *store.Client
	views     *view.Views
	links     *view.Links
	senders   *sender.Senders
	engine    *engine.Supervisor // nil with an external ClickHouse
	http      net.Listener
	debug     net.Listener // nil: profiles are disabled
	api       *api.Server
	handler   http.Handler // of http
	rates     rateMeter
	health    health.Recorder
	notifier  notifier

	savedChanges uint64        // number of changes in the file of templates; see templates.go
	safe         chan struct{} // receives a value when more rows are stored or in the spool; see sequences.go
	unsaved      store.Outage  // of saving sequence numbers
	followed     int64         // the last position of an earlier run, Unix milliseconds
	tablesChange chan struct{} // a reload requests a migration

	parts     parts
	reloading sync.Mutex      // held during a reload, and forever once NetMeta stops
	failed    chan error      // errors of parts; the first one stops the program
	storing   context.Context // when it ends, rows that are not stored stay in the spool
	giveUp    context.CancelFunc
}

// config returns the configuration in force.
func (c *Collector) config() *config.Config { return c.running.Load() }

// New binds every port and starts nothing, so that errors are reported before anything runs.
func New(cfg config.Config, options Options) (*Collector, error) {
	if options.Level == nil {
		options.Level = new(slog.LevelVar)
	}
	c := &Collector{options: options, log: options.Log, started: time.Now(), failed: make(chan error, 64),
		tablesChange: make(chan struct{}, 1), safe: make(chan struct{}, 1)}
	c.running.Store(&cfg)
	limitMemory(cfg)
	c.storing, c.giveUp = context.WithCancel(context.Background())
	// The engine locks the data directory before the sockets are opened: a second NetMeta that is started by
	// mistake must not receive a single datagram of the first.
	for _, open := range []func(config.Config) error{c.listenHTTP, c.openStore, c.openSources, c.openFiles, c.connect} {
		if err := open(cfg); err != nil {
			c.close()
			return nil, err
		}
	}
	c.notifier = newNotifier(c.log)
	c.parts = c.list()
	return c, nil
}

// listenHTTP opens the addresses of the web UI and of the profiles.
func (c *Collector) listenHTTP(cfg config.Config) (err error) {
	if c.http, err = net.Listen("tcp", cfg.HTTP.Listen.String()); err != nil {
		return fmt.Errorf("page: %w; set http.listen (or --listen) to another address", err)
	}
	c.debug, err = listenDebug(cfg.Debug.Listen.String())
	return err
}

// openSources opens the ports and makes decoders, which have the state saved by an earlier run and write
// names into the book of enrichment.
func (c *Collector) openSources(cfg config.Config) (err error) {
	if c.enrich, err = enrich.New(cfg.Enrich, cfg.Data, c.log); err != nil {
		return err
	}
	c.decoding = NewDecoding(cfg.Sources.Sampling, cfg.Sources.NetFlow.Extra, &c.enrich.Book)
	c.decoding.Exporters.Limit(cfg.Sources.UDP.Limit.Of)
	if c.udp, err = c.listen(); err != nil {
		return err
	}
	c.sources = []source.Source{c.udp}
	c.loadSequences()
	c.loadTemplates()
	c.health.Exporters, c.health.KernelDropped = c.decoding.Exporters, c.kernelDropped
	return nil
}

// openFiles opens the files with the decisions of users and their saved views.
func (c *Collector) openFiles(config.Config) (err error) {
	if c.senders, err = openKept(c, "senders.json", sender.Open); err != nil {
		return err
	}
	c.senders.Resume = c.decoding.Resume
	c.decoding.Ignored = &c.senders.Refused
	if c.views, err = openKept(c, "views.json", view.Open); err != nil {
		return err
	}
	c.links, err = openKept(c, "links", view.OpenLinks)
	return err
}

// connect creates the parts between the sources and the store, and the API.
func (c *Collector) connect(cfg config.Config) error {
	c.pipe = pipe.New(cfg.Store.QueueBlocks, cfg.Store.QueueMiB.Bytes(), c.enrich.Stage)
	if err := c.openSpool(); err != nil {
		return err
	}
	c.tables = store.NewTables(c.client, Schemas(cfg), c.log)
	c.writer = &store.Writer{Inserter: c.tables, Tables: tables.All, Spool: c.spool, Log: c.log,
		Taken: c.pipe.Taken, Safe: c.moreSafe, Full: func() float64 { return c.pipe.Level().Share() }}
	c.retention = &store.Retention{Client: c.client, Keep: c.keepFree, Space: c.diskSpace, Temporary: c.temporary, Log: c.log}
	if c.engine != nil {
		c.writer.Sync = func() error { return store.SyncDisk(cfg.Data) }
		c.retention.Reserve = &store.Reserve{Path: filepath.Join(cfg.Data, "reserve"), Left: engine.KeepFree(cfg.Data)}
	}
	c.roller = &store.Roller{Client: c.client, Schema: func() store.Schema { return c.tables.Schema(&flow.Table) }, Owner: c.name(), Log: c.log}
	c.api = c.newAPI()
	c.handler = c.api.Handler()
	return nil
}

// openKept opens a file of the data directory. A damaged file is moved aside, so that
// NetMeta receives flows without it.
func openKept[T any](c *Collector, name string, open func(path string) (T, error)) (T, error) {
	v, aside, err := wholefile.OpenOrPutAside(filepath.Join(c.config().Data, name), open)
	if aside != nil && err == nil {
		c.log.Error("damaged file in the data directory moved aside, starting without it", "file", name, "now", aside.File, "err", aside.Reason)
	}
	return v, err
}

// Run starts the parts and returns once ctx has ended, or a part has failed, and everything received is
// stored or in the spool.
func (c *Collector) Run(ctx context.Context) error {
	c.configureAPI()
	running := c.parts.start(c.fail)
	c.announce()

	var err error
	select {
	case <-ctx.Done():
		fmt.Fprintln(c.options.Out, "stopping: storing received flows (Ctrl-C again quits at once)")
	case err = <-c.failed:
		fmt.Fprintln(c.options.Out, "netmeta:", secret.Mask(err.Error()))
	}

	c.notifier.stopping()
	c.reloading.Lock()                                          // forever: no more ports may be opened
	patience := time.AfterFunc(c.options.StopTimeout, c.giveUp) // rows that are not stored by then stay in the spool
	defer patience.Stop()
	defer c.giveUp()
	running.stop()
	for len(c.failed) > 0 {
		err = errors.Join(err, <-c.failed)
	}
	return err
}

// fail records the error of a part, which stops the program.
func (c *Collector) fail(err error) {
	select {
	case c.failed <- err:
	default: // an earlier error is enough
	}
}

// close releases what New opened, if Run is never called.
func (c *Collector) close() {
	if c.http != nil {
		c.http.Close()
	}
	if c.debug != nil {
		c.debug.Close()
	}
	if c.udp != nil {
		c.udp.Close()
	}
	if c.engine != nil {
		c.engine.Close()
	}
	if c.spool != nil {
		c.spool.Close()
	}
}

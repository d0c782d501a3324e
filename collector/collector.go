// Package collector is the running NetMeta. It owns every part from the sockets to the
// web UI, starts and stops them, and applies a changed configuration.
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
	Out   io.Writer      // where messages for users go
}

// A Collector is a running NetMeta. It holds the state of its parts, in the order in which
// data moves. The parts themselves are in parts.go.
type Collector struct {
	options Options
	running atomic.Pointer[config.Config] // read with config; see reload.go
	log     *slog.Logger
	started time.Time
	playing demoRun

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
	debug     net.Listener // nil: profiles are not served
	api       *api.Server
	handler   http.Handler // of http
	rates     rateMeter
	health    health.Recorder
	notifier  notifier

	savedChanges uint64        // number of changes in the file of templates; see templates.go
	safe         chan struct{} // more rows are stored or in the spool; see sequences.go
	unsaved      store.Outage  // of saving sequence numbers
	followed     int64         // the last place of an earlier run, Unix milliseconds
	tablesChange chan struct{} // a reload requests a migration

	parts     parts
	reloading sync.Mutex      // held during a reload, and forever once NetMeta stops
	failed    chan error      // errors of parts; the first one stops the program
	storing   context.Context // when it ends, rows that are not stored stay in the spool
	giveUp    context.CancelFunc
}

// config returns the configuration in force.
func (s *Collector) config() *config.Config { return s.running.Load() }

// New binds every port and starts nothing, so that it reports errors before anything
// runs.
func New(cfg config.Config, options Options) (*Collector, error) {
	if options.Level == nil {
		options.Level = new(slog.LevelVar)
	}
	s := &Collector{options: options, log: options.Log, started: time.Now(), failed: make(chan error, 64),
		tablesChange: make(chan struct{}, 1), safe: make(chan struct{}, 1)}
	s.running.Store(&cfg)
	limitMemory(cfg)
	s.storing, s.giveUp = context.WithCancel(context.Background())
	// The lock on the data directory, which the engine takes, comes before the sockets: a
	// second NetMeta that is started by mistake must not take a single datagram from the
	// first.
	for _, open := range []func(config.Config) error{s.listenHTTP, s.openStore, s.openSources, s.openFiles, s.connect} {
		if err := open(cfg); err != nil {
			s.close()
			return nil, err
		}
	}
	s.notifier = newNotifier(s.log)
	s.parts = s.list()
	return s, nil
}

// listenHTTP opens the addresses of the web UI and of the profiles.
func (s *Collector) listenHTTP(cfg config.Config) (err error) {
	if s.http, err = net.Listen("tcp", cfg.HTTP.Listen.String()); err != nil {
		return fmt.Errorf("page: %w; set http.listen (or --listen) to another address", err)
	}
	s.debug, err = listenDebug(cfg.Debug.Listen.String())
	return err
}

// openSources opens the ports and makes decoders, which know what an earlier run learnt
// and write names into the book of enrichment.
func (s *Collector) openSources(cfg config.Config) (err error) {
	if s.enrich, err = enrich.New(cfg.Enrich, cfg.Data, s.log); err != nil {
		return err
	}
	s.decoding = NewDecoding(cfg.Sources.Sampling, cfg.Sources.NetFlow.Extra, &s.enrich.Book)
	s.decoding.Exporters.Limit(cfg.Sources.UDP.Limit.Of)
	if s.udp, err = s.listen(); err != nil {
		return err
	}
	s.sources = []source.Source{s.udp}
	s.loadSequences()
	s.loadTemplates()
	s.health.Exporters, s.health.KernelDropped = s.decoding.Exporters, s.kernelDropped
	return nil
}

// openFiles opens the files with the decisions of users and their saved views.
func (s *Collector) openFiles(config.Config) (err error) {
	if s.senders, err = openKept(s, "senders.json", sender.Open); err != nil {
		return err
	}
	s.senders.Resume = s.decoding.Resume
	s.decoding.Ignored = &s.senders.Refused
	if s.views, err = openKept(s, "views.json", view.Open); err != nil {
		return err
	}
	s.links, err = openKept(s, "links", view.OpenLinks)
	return err
}

// connect creates the parts between the sources and the store, and the API.
func (s *Collector) connect(cfg config.Config) error {
	s.pipe = pipe.New(cfg.Store.QueueBlocks, cfg.Store.QueueMiB.Bytes(), s.enrich.Stage)
	if err := s.openSpool(); err != nil {
		return err
	}
	s.tables = store.NewTables(s.client, Schemas(cfg), s.log)
	s.writer = &store.Writer{Inserter: s.tables, Tables: tables.All, Spool: s.spool, Log: s.log,
		Taken: s.pipe.Taken, Safe: s.moreSafe, Full: func() float64 { return s.pipe.Level().Share() }}
	s.retention = &store.Retention{Client: s.client, Keep: s.keepFree, Space: s.diskSpace, Temporary: s.temporary, Log: s.log}
	if s.engine != nil {
		s.writer.Sync = func() error { return store.SyncDisk(cfg.Data) }
		s.retention.Reserve = &store.Reserve{Path: filepath.Join(cfg.Data, "reserve"), Left: engine.KeepFree(cfg.Data)}
	}
	s.roller = &store.Roller{Client: s.client, Schema: func() store.Schema { return s.tables.Schema(&flow.Table) }, Owner: s.name(), Log: s.log}
	s.api = s.newAPI()
	s.handler = s.api.Handler()
	return nil
}

// openKept opens a file of the data directory. A damaged file is moved aside, so that
// NetMeta receives flows without it.
func openKept[T any](s *Collector, name string, open func(path string) (T, error)) (T, error) {
	v, aside, err := wholefile.OpenOrPutAside(filepath.Join(s.config().Data, name), open)
	if aside != nil && err == nil {
		s.log.Error("damaged file in the data directory moved aside, starting without it", "file", name, "now", aside.File, "err", aside.Reason)
	}
	return v, err
}

// Run starts the parts and returns when ctx has ended, or a part has failed, and all that
// was received is stored or in the spool.
func (s *Collector) Run(ctx context.Context) error {
	s.configureAPI()
	running := s.parts.start(s.fail)
	s.announce()

	var err error
	select {
	case <-ctx.Done():
		fmt.Fprintln(s.options.Out, "stopping: storing received flows (Ctrl-C again quits at once)")
	case err = <-s.failed:
		fmt.Fprintln(s.options.Out, "netmeta:", secret.Mask(err.Error()))
	}

	s.notifier.stopping()
	s.reloading.Lock()                                          // forever: no port may open any more
	patience := time.AfterFunc(s.options.StopTimeout, s.giveUp) // rows that are not stored by then stay in the spool
	defer patience.Stop()
	defer s.giveUp()
	running.stop()
	for len(s.failed) > 0 {
		err = errors.Join(err, <-s.failed)
	}
	return err
}

// fail records the error of a part, which stops the program.
func (s *Collector) fail(err error) {
	select {
	case s.failed <- err:
	default: // an earlier error is enough
	}
}

// close releases what New opened, if Run is never called.
func (s *Collector) close() {
	if s.http != nil {
		s.http.Close()
	}
	if s.debug != nil {
		s.debug.Close()
	}
	if s.udp != nil {
		s.udp.Close()
	}
	if s.engine != nil {
		s.engine.Close()
	}
	if s.spool != nil {
		s.spool.Close()
	}
}

// Package collector is the running NetMeta: it owns every part from the sockets to the
// page, starts and stops them, and takes over a changed configuration.
package collector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"netmeta/config"
	"netmeta/engine"
	"netmeta/enrich"
	"netmeta/flow"
	"netmeta/health"
	"netmeta/internal/secret"
	"netmeta/internal/wholefile"
	"netmeta/pipe"
	"netmeta/sender"
	"netmeta/source/netflow"
	"netmeta/store"
	"netmeta/view"
)

// Options are what a collector needs beside its configuration.
type Options struct {
	Version     string                        // of the program
	ConfigPath  string                        // empty: the defaults
	Load        func() (config.Config, error) // reads the configuration again
	Demo        bool                          // play the demo from the start
	StopTimeout time.Duration                 // how long what was received may take to be stored at the end

	Log   *slog.Logger
	Level *slog.LevelVar // of Log; a reload sets it
	Out   io.Writer      // where people read how to use it and why it stops
}

// A Collector is a running NetMeta: the parts, in the order in which data move.
type Collector struct {
	options Options
	running atomic.Pointer[config.Config] // read with config; see reload.go
	log     *slog.Logger
	started time.Time
	playing demoRun

	ports     ports
	decoding  *Decoding
	enrich    *enrich.Chain
	pipe      *pipe.Pipe
	spool     *store.Spool
	writer    *store.Writer
	retention *store.Retention // by free space
	roller    *store.Roller    // adds rows up
	migrated  atomic.Bool      // the tables are there
	reader    *store.Client
	views     *view.Views
	links     *view.Links
	senders   *sender.Senders
	engine    *engine.Supervisor // nil when another ClickHouse is used
	http      net.Listener
	debug     net.Listener                 // nil: profiles are not served
	handler   atomic.Pointer[http.Handler] // of http; made anew when the configuration changes
	rates     rateMeter
	health    health.Recorder
	notifier  notifier

	savedChanges uint64        // what the file of templates has; see templates.go
	safe         chan struct{} // something more is stored, or in the spool; see sequences.go
	unsaved      store.Outage  // of saving how far
	followed     int64         // the last place of an earlier run, Unix milliseconds

	reloading    sync.Mutex    // held while the configuration is read again, and from the stop on
	tablesChange chan struct{} // a reload asks for other tables
}

// config is what the collector runs with at this moment.
func (s *Collector) config() *config.Config { return s.running.Load() }

// New binds every port and starts nothing, so that what is wrong is said
// before anything happens.
func New(cfg config.Config, options Options) (s *Collector, err error) {
	log := options.Log
	s = &Collector{options: options, log: log, tablesChange: make(chan struct{}, 1), safe: make(chan struct{}, 1), started: time.Now()}
	s.running.Store(&cfg)
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if _, err := engine.OpenFiles(); err != nil {
		return s, err
	}
	if err := os.MkdirAll(cfg.Data, 0o750); err != nil {
		return s, fmt.Errorf("data directory: %w", err)
	}
	if s.http, err = net.Listen("tcp", cfg.HTTP.Listen); err != nil {
		return s, fmt.Errorf("page: %w: choose another address with --listen HOST:PORT or http.listen", err)
	}
	if s.debug, err = listenDebug(cfg.Debug.Listen); err != nil {
		return s, err
	}
	// The lock on the data directory comes before the sockets: a second NetMeta that is
	// started by mistake must not take a single datagram from the first.
	var writer *store.Client
	if cfg.Store.URL != "" {
		writer = StoreClient(cfg)
		s.reader = StoreClient(cfg)
		s.reader.ReadOnly = true
	} else {
		s.engine, err = engine.New(engine.Options{
			Path: cfg.Data, Listen: cfg.Engine.Listen, Memory: int64(cfg.Engine.MemoryMiB) << 20,
			MaxQueries: cfg.Engine.MaxQueries, Logger: log,
		})
		if err != nil {
			return s, err
		}
		w, r := s.engine.Writer(), s.engine.Page()
		writer = store.NewClient(s.engine.URL(), w.Name, w.Password, "")
		writer.Room = func() error { return store.RoomFor(cfg.Data, engine.KeepFree(cfg.Data)) }
		s.reader = store.NewClient(s.engine.URL(), r.Name, r.Password, "")
	}
	writer.Parts = new(store.Parts)
	s.reader.Parts = writer.Parts
	for _, addr := range cfg.Sources.UDP.Listen {
		p, err := s.listen(addr)
		if err != nil {
			return s, err
		}
		s.ports.add(p)
	}
	extra, err := netflow.Elements(cfg.Sources.NetFlow.Extra)
	if err != nil {
		return s, err
	}
	s.decoding = NewDecoding(samplingRates(cfg), extra)
	s.decoding.Exporters.Limit(flowLimits(cfg))
	if s.senders, err = openKept(s, "senders.json", sender.Open); err != nil {
		return s, err
	}
	s.senders.Resume = s.decoding.resume
	s.decoding.ignored = &s.senders.Refused
	limitMemory(cfg)
	s.loadSequences()
	s.loadTemplates()
	s.health.Exporters, s.health.KernelDropped = s.decoding.Exporters, s.kernelDropped
	s.enrich = enrich.New(s.decoding.NetFlow, log)
	if err := s.enrich.Set(cfg.Enrich); err != nil {
		return s, err
	}
	s.pipe = pipe.New(cfg.Store.QueueBlocks, int64(cfg.Store.QueueMiB)<<20, s.enrich.Stage)
	if err := s.openSpool(); err != nil {
		return s, err
	}
	if s.views, err = openKept(s, "views.json", view.Open); err != nil {
		return s, err
	}
	if s.links, err = openKept(s, "links", view.OpenLinks); err != nil {
		return s, err
	}
	s.writer = &store.Writer{Client: writer, Log: log, Schemas: Schemas(cfg), Spool: s.spool,
		Taken: s.pipe.Taken, Safe: s.moreSafe, Full: func() float64 { return s.pipe.Level().Share() }}
	s.retention = &store.Retention{Client: writer, Keep: s.keepFree, Space: s.diskSpace, Temporary: s.temporary, Log: log}
	if s.engine != nil {
		s.retention.Reserve = &store.Reserve{Path: filepath.Join(cfg.Data, "reserve"), Left: engine.KeepFree(cfg.Data)}
	}
	s.roller = &store.Roller{Client: writer, Schema: func() store.Schema { return Schemas(*s.config())[0] }, Owner: s.name(), Log: log}
	s.notifier = newNotifier(log)
	return s, nil
}

// openKept opens a file of the data directory. One that is damaged is put aside, so that
// flows are received without it.
func openKept[T any](s *Collector, name string, open func(path string) (T, error)) (T, error) {
	v, aside, err := wholefile.OpenOrPutAside(filepath.Join(s.config().Data, name), open)
	if aside != nil && err == nil {
		s.log.Error("a file of the data directory is damaged: it is put aside, and NetMeta begins without it", "file", name, "now", aside.File, "err", aside.Reason)
	}
	return v, err
}

// limitMemory has the garbage collector work harder as the heap nears what the
// configuration allows. The variable GOMEMLIMIT, if somebody has set it, stands.
func limitMemory(cfg config.Config) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	limit := int64(cfg.MemoryMiB) << 20
	if limit == 0 {
		limit = max(engine.Memory()/5, 128<<20)
	}
	debug.SetMemoryLimit(limit)
}

// StoreClient is a client of the ClickHouse that the configuration names.
func StoreClient(cfg config.Config) *store.Client {
	return store.NewClient(cfg.Store.URL.Reveal(), cfg.Store.User, cfg.Store.Password.Reveal(), cfg.Store.Database)
}

// close gives back what New took, if Run is never called.
func (s *Collector) close() {
	if s.http != nil {
		s.http.Close()
	}
	if s.debug != nil {
		s.debug.Close()
	}
	for _, p := range s.ports.list() {
		p.Close()
	}
	if s.engine != nil {
		s.engine.Close()
	}
	if s.spool != nil {
		s.spool.Close()
	}
}

// Run starts the parts from the store to the sources, so that each finds the next
// one ready, and stops them from the sources to the store, so that nothing that was
// received is lost.
func (s *Collector) Run(ctx context.Context) error {
	var (
		sources, web, last sync.WaitGroup         // who is waited for, in the order of stopping
		failed             = make(chan error, 64) // room for everybody: nobody may wait to fail
	)
	engineCtx, stopEngine := context.WithCancel(context.Background())
	defer stopEngine()
	if s.engine != nil {
		last.Go(func() {
			if err := s.engine.Run(engineCtx); err != nil && engineCtx.Err() == nil {
				failed <- err
			}
		})
	}

	writerCtx, stopWriter := context.WithCancel(context.Background())
	defer stopWriter()
	stored := make(chan error, 1)
	go func() { stored <- s.write(writerCtx, failed) }()

	s.serveAPI()
	srv := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*s.handler.Load()).ServeHTTP(w, r) }),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	web.Go(func() {
		if err := srv.Serve(s.http); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("page: %w", err)
		}
	})

	sourceCtx, stopSources := context.WithCancel(context.Background())
	defer stopSources()
	s.ports.run = func(p *port) {
		ctx, stop := context.WithCancel(sourceCtx)
		p.stop = stop
		sources.Go(func() {
			defer s.ports.remove(p)
			defer stop()
			if err := p.Run(ctx, &flow.Table, s.worker); err != nil {
				failed <- err
			}
		})
	}
	for _, p := range s.ports.list() {
		s.ports.run(p)
	}
	sources.Go(func() { s.reloadOnSignal(sourceCtx) })
	sources.Go(func() { s.changeTables(sourceCtx) })
	sources.Go(func() { s.serveDebug(sourceCtx) })
	sources.Go(func() { s.notify(sourceCtx) })
	sources.Go(func() { s.rates.run(sourceCtx, s.counts) })
	sources.Go(func() { s.recordHealth(sourceCtx) })
	sources.Go(func() { s.logRates(sourceCtx) })
	sources.Go(func() { s.keepTemplates(sourceCtx) })
	sources.Go(func() { s.keepAside(sourceCtx) })
	sources.Go(func() { s.keepSequences(sourceCtx) })
	sources.Go(func() { s.countLost(sourceCtx) })
	sources.Go(func() { s.keepSpace(sourceCtx) })
	sources.Go(func() { s.keepRollups(sourceCtx) })
	s.playing.open(sourceCtx, &sources, s.runDemo)
	if s.options.Demo {
		s.playing.start()
	}
	s.announce()

	var err error
	select {
	case <-ctx.Done():
		fmt.Fprintln(s.options.Out, "stopping: storing what was received (Ctrl-C again stops at once)")
	case err = <-failed:
		fmt.Fprintln(s.options.Out, "netmeta:", secret.Mask(err.Error()))
	}

	s.notifier.stopping()
	s.reloading.Lock() // for good: no port may open any more
	s.playing.close()
	stopSources()
	giveUp := time.AfterFunc(s.options.StopTimeout, stopWriter) // what is not stored then stays in the spool
	defer giveUp.Stop()
	sources.Wait()
	s.storeHealth(time.Now().Truncate(time.Minute))
	s.saveTemplates()
	s.pipe.Close()
	err = errors.Join(err, <-stored)
	s.saveSequences()
	for len(failed) > 0 {
		err = errors.Join(err, <-failed)
	}
	shutdown, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	srv.Shutdown(shutdown)
	srv.Close()
	web.Wait()
	stopEngine()
	last.Wait()
	return err
}

// write takes blocks from the pipe to the store. That the store can never be written is
// said at once, which stops the program; what came until then stays in the spool.
func (s *Collector) write(ctx context.Context, failed chan<- error) error {
	s.writer.Ready = func(ctx context.Context) error {
		err := s.migrate(ctx)
		s.migrated.Store(err == nil)
		if err != nil && ctx.Err() == nil {
			failed <- err
		}
		return err
	}
	defer s.spool.Close()
	return s.writer.Run(ctx, s.pipe.Queue())
}

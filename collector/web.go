package collector

import (
	"context"
	"errors"
	"fmt"

	"netmeta/api"
	"netmeta/engine"
	"netmeta/filter"
	"netmeta/query"
	"netmeta/store"
	"netmeta/ui"
)

// newAPI makes the server of the page and the API, which lives as long as the process.
func (s *Collector) newAPI() *api.Server {
	return &api.Server{
		Store:   s.reader,
		Writer:  s.client,
		Views:   s.views,
		Links:   s.links,
		Senders: s.senders,
		Process: process{s},
		Control: process{s},
		Metrics: s.metrics(),
		Page:    ui.Handler(),
		Log:     s.log,
	}
}

// configureAPI tells the API the configuration of now, and commands where they find it.
func (s *Collector) configureAPI() {
	cfg, file := s.config(), s.options.ConfigPath
	if s.options.Demo {
		file = "" // they may be the demo's own
	}
	s.views.Provision(cfg.Views, file)
	s.senders.Provision(s.named())
	s.api.Configure(api.Settings{
		Hosts: cfg.HTTP.Hosts,
		Schema: query.Schema{Names: filter.Names{Macros: cfg.Filter.Macros, ASName: s.enrich.ASName, FindAS: s.enrich.FindAS},
			ExporterName: s.enrich.ExporterName, Interface: s.enrich.Interface},
	})
	if err := tellWhere(cfg.Data, s.http.Addr().String(), s.started); err != nil {
		s.log.Warn("cannot write the address of the web UI; commands need --listen or --server", "err", err)
	}
}

// A process is the collector as the API sees it: api.Process and api.Control.
type process struct{ s *Collector }

func (p process) Status() api.Status                   { return p.s.status() }
func (p process) Samplings() map[string][]api.Sampling { return p.s.decoding.SamplingStatus() }
func (p process) Undecoded() map[string]*api.Sample    { return p.s.decoding.sampleStatus() }
func (p process) KeepFree() store.Room                 { return p.s.keepFree() }
func (p process) Ready(ctx context.Context) error      { return p.s.ready(ctx) }
func (p process) Config() any                          { return p.s.config().Public() }
func (p process) Reload() (api.Reloaded, error)        { return p.s.reload() }
func (p process) SetDemo(run bool) error               { return p.s.setDemo(run) }

func (p process) StaleRollups(ctx context.Context) ([][2]int64, error) {
	return p.s.roller.Stale(ctx)
}

// ready says why NetMeta is not ready: the store does not answer, or what comes in is not
// kept. It is about this moment, so it ends by itself when its cause does.
func (s *Collector) ready(ctx context.Context) error {
	if err := s.reader.Ping(ctx); err != nil {
		return err
	}
	if !s.migrated.Load() {
		return errors.New("the tables are being created")
	}
	if s.pipe.Level().Full {
		return errors.New("the queue to the store is full")
	}
	if err := s.writer.Stats.Unkept(); err != nil {
		if why := s.insertProblem(); why != "" {
			return fmt.Errorf("%w; inserts fail: %s", err, why)
		}
		return err
	}
	if s.engine == nil {
		return nil
	}
	return store.RoomFor(s.config().Data, engine.KeepFree(s.config().Data))
}

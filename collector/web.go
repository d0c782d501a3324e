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

// serveAPI makes the handler of the page and the API for the configuration of now, and
// tells commands where they are.
func (s *Collector) serveAPI() {
	h := s.api().Handler()
	s.handler.Store(&h)
	if err := tellWhere(s.config().Data, s.http.Addr().String(), s.started); err != nil {
		s.log.Warn("cannot write the address of the web UI; commands need --listen or --server", "err", err)
	}
}

func (s *Collector) api() *api.Server {
	file := s.options.ConfigPath
	if s.options.Demo {
		file = "" // they may be the demo's own
	}
	s.views.Provision(s.config().Views, file)
	s.senders.Provision(s.named())
	return &api.Server{
		Store:   s.reader,
		Writer:  s.client,
		Views:   s.views,
		Links:   s.links,
		Senders: s.senders,
		Schema: query.Schema{Names: filter.Names{Macros: s.config().Filter.Macros, ASName: s.enrich.ASName, FindAS: s.enrich.FindAS},
			ExporterName: s.enrich.ExporterName, Interface: s.enrich.Interface},
		Status:  s.status,
		Keep:    s.keepFree,
		Stale:   s.roller.Stale,
		Config:  func() any { return s.config().Public() },
		Reload:  s.reload,
		Demo:    s.setDemo,
		Sampled: s.decoding.SamplingStatus,
		Samples: s.decoding.sampleStatus,
		Ready:   s.ready,
		Hosts:   s.config().HTTP.Hosts,
		Metrics: s.metrics(),
		Page:    ui.Handler(),
		Log:     s.log,
	}
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

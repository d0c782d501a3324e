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

// newAPI makes the server of the web UI and the API, which exists as long as the process.
func (c *Collector) newAPI() *api.Server {
	return &api.Server{
		Store:   c.reader,
		Writer:  c.client,
		Views:   c.views,
		Links:   c.links,
		Senders: c.senders,
		Process: process{c},
		Control: process{c},
		Metrics: c.metrics(),
		Page:    ui.Handler(),
		Log:     c.log,
	}
}

// configureAPI passes the current configuration to the API, and the address of the API to commands.
func (c *Collector) configureAPI() {
	cfg, file := c.config(), c.options.ConfigPath
	if c.options.Demo {
		file = "" // they may be the demo's own
	}
	c.views.Provision(cfg.Views, file)
	c.senders.Provision(c.named())
	c.api.Configure(api.Settings{
		Hosts: cfg.HTTP.Hosts,
		Schema: query.Schema{Names: filter.Names{Macros: cfg.Filter.Macros, ASName: c.enrich.ASName, FindAS: c.enrich.FindAS},
			ExporterName: c.enrich.ExporterName, Interface: c.enrich.Interface},
	})
	if err := writeEndpoint(cfg.Data, c.http.Addr().String(), c.started); err != nil {
		c.log.Warn("cannot write the address of the web UI; commands need --listen or --server", "err", err)
	}
}

// process is the collector as the API sees it: api.Process and api.Control.
type process struct{ c *Collector }

func (p process) Status() api.Status                   { return p.c.status() }
func (p process) Samplings() map[string][]api.Sampling { return p.c.decoding.SamplingStatus() }
func (p process) Undecoded() map[string]*api.Sample    { return p.c.decoding.sampleStatus() }
func (p process) KeepFree() store.DiskShare            { return p.c.keepFree() }
func (p process) Ready(ctx context.Context) error      { return p.c.ready(ctx) }
func (p process) Config() any                          { return p.c.config().Public() }
func (p process) Reload() (api.ReloadResult, error)    { return p.c.reload() }
func (p process) SetDemo(run bool) error               { return p.c.setDemo(run) }

func (p process) StaleRollups(ctx context.Context) ([][2]int64, error) {
	return p.c.roller.Stale(ctx)
}

// ready returns why NetMeta is not ready: the store does not respond, or received rows are not stored. It
// describes the current moment, so it recovers when the cause does.
func (c *Collector) ready(ctx context.Context) error {
	if err := c.reader.Ping(ctx); err != nil {
		return err
	}
	if !c.migrated.Load() {
		return errors.New("the tables are being created")
	}
	if c.pipe.Level().Full {
		return errors.New("the queue to the store is full")
	}
	if err := c.writer.Stats.Unkept(); err != nil {
		if why := c.insertProblem(); why != "" {
			return fmt.Errorf("%w; inserts fail: %s", err, why)
		}
		return err
	}
	if c.engine == nil {
		return nil
	}
	return store.CheckFree(c.config().Data, engine.KeepFree(c.config().Data))
}

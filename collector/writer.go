package collector

import (
	"context"
	"fmt"
	"os"

	"netmeta/config"
	"netmeta/engine"
	"netmeta/store"
)

// openStore makes the clients of the store: of the engine, which is not started yet, or of an external
// ClickHouse.
func (c *Collector) openStore(cfg config.Config) (err error) {
	if _, err := engine.OpenFiles(); err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Data, 0o750); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if cfg.Store.URL != "" {
		c.client, c.reader = StoreClient(cfg), StoreClient(cfg)
		c.reader.ReadOnly = true
	} else {
		c.engine, err = engine.New(engine.Options{
			Path: cfg.Data, Listen: cfg.Engine.Listen.String(), Memory: cfg.Engine.MemoryMiB.Bytes(),
			MaxQueries: cfg.Engine.MaxQueries, Logger: c.log,
		})
		if err != nil {
			return err
		}
		w, r := c.engine.Writer(), c.engine.Page()
		c.client = store.NewClient(c.engine.URL(), w.Name, w.Password, "")
		c.client.CheckFree = func() error { return store.CheckFree(cfg.Data, engine.KeepFree(cfg.Data)) }
		c.reader = store.NewClient(c.engine.URL(), r.Name, r.Password, "")
	}
	c.client.Parts = new(store.Parts)
	c.reader.Parts = c.client.Parts
	return nil
}

// write moves blocks from the queue to the store. When ctx ends it closes the queue and stores the rest;
// blocks that are not stored when c.storing ends stay in the spool.
//
// A permanent error of the store stops the program. The blocks then also stay in the spool.
func (c *Collector) write(ctx context.Context) error {
	defer c.spool.Close()
	stop := context.AfterFunc(ctx, c.pipe.Close)
	defer stop()
	c.writer.Ready = func(ctx context.Context) error {
		err := c.migrate(ctx)
		c.migrated.Store(err == nil)
		if err != nil && ctx.Err() == nil {
			c.fail(err)
		}
		return err
	}
	return c.writer.Run(c.storing, c.pipe.Queue())
}

// runEngine runs the embedded engine until ctx ends.
func (c *Collector) runEngine(ctx context.Context) error {
	if err := c.engine.Run(ctx); ctx.Err() == nil {
		return err
	}
	return nil
}

// StoreClient returns a client of the ClickHouse in the configuration.
func StoreClient(cfg config.Config) *store.Client {
	return store.NewClient(cfg.Store.URL.Reveal(), cfg.Store.User, cfg.Store.Password.Reveal(), cfg.Store.Database)
}

package collector

import (
	"context"
	"fmt"
	"os"

	"netmeta/config"
	"netmeta/engine"
	"netmeta/store"
)

// openStore makes the clients of the store: of the engine, which is not started yet, or
// of another ClickHouse.
func (s *Collector) openStore(cfg config.Config) (err error) {
	if _, err := engine.OpenFiles(); err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Data, 0o750); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if cfg.Store.URL != "" {
		s.client, s.reader = StoreClient(cfg), StoreClient(cfg)
		s.reader.ReadOnly = true
	} else {
		s.engine, err = engine.New(engine.Options{
			Path: cfg.Data, Listen: cfg.Engine.Listen.String(), Memory: cfg.Engine.MemoryMiB.Bytes(),
			MaxQueries: cfg.Engine.MaxQueries, Logger: s.log,
		})
		if err != nil {
			return err
		}
		w, r := s.engine.Writer(), s.engine.Page()
		s.client = store.NewClient(s.engine.URL(), w.Name, w.Password, "")
		s.client.Room = func() error { return store.RoomFor(cfg.Data, engine.KeepFree(cfg.Data)) }
		s.reader = store.NewClient(s.engine.URL(), r.Name, r.Password, "")
	}
	s.client.Parts = new(store.Parts)
	s.reader.Parts = s.client.Parts
	return nil
}

// write moves blocks from the queue to the store. When ctx ends it closes the queue and
// stores the rest; blocks that are not stored when s.storing ends stay in the spool.
//
// A permanent error of the store stops the program. The blocks stay in the spool then
// too.
func (s *Collector) write(ctx context.Context) error {
	defer s.spool.Close()
	stop := context.AfterFunc(ctx, s.pipe.Close)
	defer stop()
	s.writer.Ready = func(ctx context.Context) error {
		err := s.migrate(ctx)
		s.migrated.Store(err == nil)
		if err != nil && ctx.Err() == nil {
			s.fail(err)
		}
		return err
	}
	return s.writer.Run(s.storing, s.pipe.Queue())
}

// runEngine runs the embedded engine until ctx ends.
func (s *Collector) runEngine(ctx context.Context) error {
	if err := s.engine.Run(ctx); ctx.Err() == nil {
		return err
	}
	return nil
}

// StoreClient is a client of the ClickHouse that the configuration names.
func StoreClient(cfg config.Config) *store.Client {
	return store.NewClient(cfg.Store.URL.Reveal(), cfg.Store.User, cfg.Store.Password.Reveal(), cfg.Store.Database)
}

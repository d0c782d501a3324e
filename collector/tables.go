package collector

import (
	"context"
	"reflect"
	"time"

	"netmeta/config"
	"netmeta/store"
	"netmeta/tables"
)

// Schemas are the tables that we keep.
func Schemas(cfg config.Config) []store.Schema {
	// A rollup that is kept shorter than what feeds it would not have the answer to a
	// question that the other has.
	minutes := longer(cfg.Store.Rollups.MinuteDays, cfg.Store.RetentionDays)
	hours := longer(cfg.Store.Rollups.HourDays, minutes)
	return tables.Schemas(store.Policy{Days: cfg.Store.RetentionDays, RollupDays: map[int64]int{60: minutes, 3600: hours}, Columns: cfg.Store.Columns})
}

// longer returns the longer of two retentions in days; 0: forever.
func longer(a, b int) int {
	if a == 0 || b == 0 {
		return 0
	}
	return max(a, b)
}

// migrate waits for the store and brings its tables up to date. It returns an error only
// if a retry cannot help.
func (s *Collector) migrate(ctx context.Context) error {
	var outage store.Outage
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		var err error
		if s.engine != nil {
			err = s.engine.Ready(ctx)
		}
		if err == nil {
			err = s.tables.Migrate(ctx)
		}
		if err == nil {
			outage.Over(s.log, "store is ready", time.Now())
		}
		if err == nil || ctx.Err() != nil || !store.Temporary(err) {
			return err
		}
		outage.Failed(s.log, "store is not ready, retrying", time.Now(), "err", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// prepareTables prepares another way to keep the tables.
func (s *Collector) prepareTables(next *config.Config) (change, error) {
	schemas := Schemas(*next)
	differ := !reflect.DeepEqual(schemas, Schemas(*s.config()))
	return change{commit: func() {
		s.tables.Reload(schemas)
		if differ {
			s.wantTables()
		}
	}}, nil
}

// wantTables has changeTables bring the tables up to date, with the configuration of then.
func (s *Collector) wantTables() {
	select {
	case s.tablesChange <- struct{}{}:
	default: // that is to be done already
	}
}

// changeTables brings the tables up to date after reloads, one after the other, until
// ctx ends. The store may be away for a while, so no reload waits for it.
func (s *Collector) changeTables(ctx context.Context) {
	for {
		select {
		case <-s.tablesChange:
			if err := s.migrate(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("tables not changed to the new configuration; the next start retries", "err", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

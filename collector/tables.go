package collector

import (
	"context"
	"reflect"
	"time"

	"netmeta/config"
	"netmeta/store"
	"netmeta/tables"
)

// Schemas returns the tables of a configuration.
func Schemas(cfg config.Config) []store.Schema {
	// A rollup with a shorter retention than the one it feeds could not answer queries that the other can.
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
func (c *Collector) migrate(ctx context.Context) error {
	var outage store.Outage
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		var err error
		if c.engine != nil {
			err = c.engine.Ready(ctx)
		}
		if err == nil {
			err = c.tables.Migrate(ctx)
		}
		if err == nil {
			outage.Over(c.log, "store is ready", time.Now())
		}
		if err == nil || ctx.Err() != nil || !store.Temporary(err) {
			return err
		}
		outage.Failed(c.log, "store is not ready, retrying", time.Now(), "err", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// prepareTables prepares a new configuration of the tables.
func (c *Collector) prepareTables(next *config.Config) (change, error) {
	schemas := Schemas(*next)
	differ := !reflect.DeepEqual(schemas, Schemas(*c.config()))
	return change{commit: func() {
		c.tables.Reload(schemas)
		if differ {
			c.requestMigration()
		}
	}}, nil
}

// requestMigration makes changeTables update the tables to the configuration of that time.
func (c *Collector) requestMigration() {
	select {
	case c.tablesChange <- struct{}{}:
	default: // that is to be done already
	}
}

// changeTables updates the tables after reloads, one at a time, until ctx ends. The store may be down for a
// while, so no reload waits for it.
func (c *Collector) changeTables(ctx context.Context) {
	for {
		select {
		case <-c.tablesChange:
			if err := c.migrate(ctx); err != nil && ctx.Err() == nil {
				c.log.Error("tables not changed to the new configuration; the next start retries", "err", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

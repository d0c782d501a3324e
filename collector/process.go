package collector

import (
	"os"
	"runtime/debug"

	"netmeta/config"
	"netmeta/engine"
)

// limitMemory sets the soft memory limit of the Go runtime from the configuration. The
// variable GOMEMLIMIT has priority.
func limitMemory(cfg config.Config) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	limit := cfg.MemoryMiB.Bytes()
	if limit == 0 {
		limit = max(engine.Memory()/5, 128<<20)
	}
	debug.SetMemoryLimit(limit)
}

// prepareMemory prepares a new limit of memory.
func (c *Collector) prepareMemory(next *config.Config) (change, error) {
	return change{commit: func() { limitMemory(*next) }}, nil
}

// prepareLog prepares a new minimum level of the log.
func (c *Collector) prepareLog(next *config.Config) (change, error) {
	level := next.Log.Level.Level()
	return change{commit: func() { c.options.Level.Set(level) }}, nil
}

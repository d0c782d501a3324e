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

// prepareMemory prepares another limit of memory.
func (s *Collector) prepareMemory(next *config.Config) (change, error) {
	return change{commit: func() { limitMemory(*next) }}, nil
}

// prepareLog prepares another minimum level of the log.
func (s *Collector) prepareLog(next *config.Config) (change, error) {
	level := next.Log.Level.Level()
	return change{commit: func() { s.options.Level.Set(level) }}, nil
}

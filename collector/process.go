package collector

import (
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"netmeta/config"
	"netmeta/engine"
)

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

// prepareMemory prepares another limit of memory.
func (s *Collector) prepareMemory(next *config.Config) (change, error) {
	return change{commit: func() { limitMemory(*next) }}, nil
}

// prepareLog prepares another least level of the log.
func (s *Collector) prepareLog(next *config.Config) (change, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(next.Log.Level)); err != nil {
		return change{}, fmt.Errorf("log.level: %w", err)
	}
	return change{commit: func() { s.options.Level.Set(level) }}, nil
}

package collector

import (
	"math"
	"runtime/debug"
	"testing"

	"netmeta/config"
	"netmeta/engine"
	"netmeta/internal/enginetest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

func TestLimitMemory(t *testing.T) {
	t.Cleanup(func() { debug.SetMemoryLimit(math.MaxInt64) })
	t.Setenv("GOMEMLIMIT", "")
	limitMemory(config.Config{MemoryMiB: 300})
	if got := debug.SetMemoryLimit(-1); got != 300<<20 {
		t.Errorf("limit %d", got)
	}
	limitMemory(config.Config{})
	if got := debug.SetMemoryLimit(-1); got != max(engine.Memory()/5, 128<<20) {
		t.Errorf("limit %d by default", got)
	}
	t.Setenv("GOMEMLIMIT", "1GiB")
	limitMemory(config.Config{MemoryMiB: 400})
	if got := debug.SetMemoryLimit(-1); got == 400<<20 {
		t.Error("GOMEMLIMIT does not stand")
	}
}

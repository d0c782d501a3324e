package engine

import "netmeta/internal/conf"

// Config has the settings of the embedded ClickHouse.
type Config struct {
	// Address of the ClickHouse HTTP interface, for SQL clients; a loopback address. Port 0
	// chooses a port at the first start and keeps it.
	Listen conf.HostPort `yaml:"listen"`
	// Memory limit of the engine in MiB, at least 512; 0: a share of the machine's memory.
	// Queries get at most three quarters of it, so that there is always room for inserts.
	MemoryMiB conf.MiB `yaml:"memory-mib"`
	// Queries that run at the same time, up to 1000; a few more wait briefly, the rest is
	// rejected. 0: two for each core, at least 8.
	MaxQueries int `yaml:"max-queries"`
}

// Default is a free port, and limits suitable for the machine.
func Default() Config { return Config{Listen: conf.Loopback(0)} }

// Validate checks the values.
func (c Config) Validate() error {
	var errs conf.Errors
	c.Listen.Require(&errs, "listen")
	if !c.Listen.IsZero() && !c.Listen.IsLoopback() {
		errs.Add("listen", c.Listen, "can be reached by others, unencrypted; use a loopback address such as 127.0.0.1:8123, behind a proxy or a tunnel for other machines")
	}
	if m := c.MemoryMiB; m != 0 && m < 512 {
		errs.Add("memory-mib", m, "too small for the engine; use at least 512, or 0 for a share of the machine's memory")
	}
	if q := c.MaxQueries; q < 0 || q > 1000 {
		errs.Add("max-queries", q, "out of range; use 1 to 1000, or 0 for a number that suits the machine")
	}
	return errs.Join()
}

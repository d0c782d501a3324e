package store

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"netmeta/internal/conf"
	"netmeta/internal/secret"
)

// Config is where rows are stored, and for how long.
type Config struct {
	// URL of the HTTP interface of an external ClickHouse, to use instead of the embedded one.
	URL secret.URL `yaml:"url"`
	// User of the external ClickHouse.
	User string `yaml:"user"`
	// Password of the user; ${file:PATH} reads it from a file.
	Password secret.Text `yaml:"password"`
	// Database of the tables. It must exist.
	Database string `yaml:"database"`
	// Days to keep flows; 0: forever.
	RetentionDays int `yaml:"retention-days" reload:"live"`
	// Disk space to leave free: a percentage such as 10%, a size such as 50GB, or 0. When less
	// is free, the oldest hours are dropped, never the current one. Default: 10% for the
	// embedded store, 0 for an external ClickHouse.
	KeepFree DiskShare `yaml:"keep-free" reload:"live"`
	// Sums of flows by exporter, interface, AS, protocol, country and network, for queries
	// over days and months.
	Rollups RollupConfig `yaml:"rollups"`
	// Rare columns to create at start: "all", or their names. Others are created when their
	// first value arrives.
	Columns []string `yaml:"columns" reload:"live"`
	// Blocks that may wait for the store; 4 to 65536. A block has up to 8,192 rows and about
	// 1 MB.
	QueueBlocks int `yaml:"queue-blocks"`
	// Size of the blocks that may wait for the store in MiB; 16 to 65536. It limits the queue
	// when blocks are larger than usual.
	QueueMiB conf.MiB `yaml:"queue-mib"`
}

// RollupConfig is how long rollups are kept. That is never shorter than for the rows that
// they sum up.
type RollupConfig struct {
	// Days to keep sums per minute; 0: forever.
	MinuteDays int `yaml:"minute-days" reload:"live"`
	// Days to keep sums per hour; 0: forever.
	HourDays int `yaml:"hour-days" reload:"live"`
}

// Default is the embedded store, which keeps 30 days.
func Default() Config {
	return Config{User: "default", Database: "default", RetentionDays: 30, Rollups: RollupConfig{MinuteDays: 90, HourDays: 400}, QueueBlocks: 256, QueueMiB: 256}
}

// Validate checks the values, except for the names of columns, which depend on the tables.
func (c Config) Validate() error {
	var errs conf.Errors
	if c.URL != "" {
		if u, err := url.Parse(c.URL.Reveal()); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			errs.Add("url", c.URL, "is not the URL of a ClickHouse; use http://HOST:8123 or https://HOST:8443, or leave it out for the embedded store")
		}
	}
	if p := c.Password.Reveal(); strings.ContainsFunc(p, unicode.IsControl) || !utf8.ValidString(p) {
		errs.Add("password", c.Password, "has control characters or is not UTF-8; use printable characters")
	}
	days := func(key string, n int) {
		if n < 0 || n > 36500 {
			errs.Add(key, n, "out of range; use 1 to 36500, or 0 to keep them forever")
		}
	}
	days("retention-days", c.RetentionDays)
	days("rollups.minute-days", c.Rollups.MinuteDays)
	days("rollups.hour-days", c.Rollups.HourDays)
	errs.Range("queue-blocks", c.QueueBlocks, 4, 65536)
	errs.Range("queue-mib", int(c.QueueMiB), 16, 65536)
	return errs.Join()
}

// DiskShare returns the disk space to leave free.
func (c Config) DiskShare() DiskShare {
	if c.KeepFree.IsZero() && c.URL == "" {
		return Percent(10)
	}
	return c.KeepFree
}

// SpoolConfig is the directory spool of the data directory, where rows wait while the
// store does not accept them.
type SpoolConfig struct {
	// Maximum disk use: a percentage such as 10%, or a size such as 20GiB; at least 512 MiB,
	// which is a few inserts. When the spool is full, the oldest rows are dropped and counted.
	MaxSize DiskShare `yaml:"max-size"`
}

// DefaultSpool is a tenth of the disk.
func DefaultSpool() SpoolConfig { return SpoolConfig{MaxSize: Percent(10)} }

// Validate checks that there is a size.
func (c SpoolConfig) Validate() error {
	var errs conf.Errors
	if c.MaxSize.IsZero() {
		errs.Add("max-size", `""`, "no size; "+roomForms)
	}
	return errs.Join()
}

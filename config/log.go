package config

import (
	"fmt"
	"log/slog"

	"netmeta/internal/conf"
)

// Log is what NetMeta writes to standard error.
type Log struct {
	// Format of the lines: text, or json for programs that collect them.
	Format Format `yaml:"format"`
	// Minimum level: debug, info, warn or error.
	Level Level `yaml:"level" reload:"live"`
}

// Format is text or json.
type Format string

// UnmarshalText reads text or json.
func (f *Format) UnmarshalText(text []byte) error {
	*f = Format(text)
	if *f != "text" && *f != "json" {
		return fmt.Errorf("%s: is not a format; use text or json", text)
	}
	return nil
}

// Level is the minimum level of what is logged; the zero value is info. It is a
// slog.Leveler.
type Level struct {
	text  string // as written
	level slog.Level
}

// UnmarshalText reads a level as slog does: debug, info, warn, error, info+2.
func (l *Level) UnmarshalText(text []byte) error {
	*l = Level{text: string(text)}
	if err := l.level.UnmarshalText(text); err != nil {
		return fmt.Errorf("%s: is not a level; use debug, info, warn or error", text)
	}
	return nil
}

// Level returns the level.
func (l Level) Level() slog.Level { return l.level }

// String returns the level as written.
func (l Level) String() string { return l.text }

// MarshalText returns the level as written.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.text), nil }

// Debug is for developers.
type Debug struct {
	// Loopback address that serves profiles, under /debug/pprof/. Default: none.
	Listen conf.HostPort `yaml:"listen"`
}

// Validate checks that others cannot reach the profiles.
func (d Debug) Validate() error {
	var errs conf.Errors
	if !d.Listen.IsZero() && !d.Listen.IsLoopback() {
		errs.Add("listen", d.Listen, "can be reached by others; use a loopback address such as 127.0.0.1:6060, because profiles reveal the traffic and take CPU time")
	}
	return errs.Join()
}

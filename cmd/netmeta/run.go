package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"netmeta/collector"
	"netmeta/config"
)

type runCmd struct {
	Config string `type:"path" help:"Configuration file; every key has a default."`
	Data   string `type:"path" help:"Data directory (default ./data)."`
	Listen string `help:"Address of the web UI and the API (default 127.0.0.1:8080)."`
	Demo   bool   `help:"Run simulated exporters that send an hour of history and then live traffic; data is stored in ./data-demo."`

	StopTimeout time.Duration `default:"20s" help:"Time limit for storing received flows at shutdown."`
}

func (runCmd) Help() string {
	return `Receives NetFlow v5 and v9, IPFIX and sFlow on UDP 2055, 4739 and 6343 (any protocol on
any port), stores every flow in the embedded ClickHouse, and serves the web UI on
http://127.0.0.1:8080. Ctrl-C shuts down cleanly: received flows are stored.
Flows from any sender are accepted until a user ignores it on the Start page.
All settings: doc/config.md; "netmeta check" validates a file.

Examples:
  netmeta run
  netmeta run --data /var/lib/netmeta --config /etc/netmeta.yaml
  netmeta run --demo`
}

func (c runCmd) Run(ctx context.Context) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	level := new(slog.LevelVar)
	running, err := collector.New(cfg, collector.Options{
		Version: version, ConfigPath: c.Config, Load: c.config, Demo: c.Demo, StopTimeout: c.StopTimeout,
		Log: newLogger(stderr, cfg.Log, level), Level: level, Out: stderr,
	})
	if err != nil {
		return err
	}
	return running.Run(ctx)
}

// newLogger returns the log of the collector. A reload sets level.
func newLogger(w io.Writer, c config.Log, level *slog.LevelVar) *slog.Logger {
	level.Set(c.Level.Level())
	options := logOptions(level)
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// config reads the configuration file. Flags override its keys.
func (c runCmd) config() (config.Config, error) {
	cfg := config.Default()
	if c.Demo {
		if err := config.Parse(collector.DemoConfig, &cfg); err != nil {
			return cfg, fmt.Errorf("BUG: demo.yaml: %w", err)
		}
	}
	if c.Config != "" {
		if err := cfg.Read(c.Config); err != nil {
			return cfg, err
		}
	}
	if c.Demo && cfg.Data == config.Default().Data {
		cfg.Data = "./data-demo" // keeps simulated flows apart from real ones
	}
	if c.Data != "" {
		cfg.Data = c.Data
	}
	if c.Listen != "" {
		if err := cfg.HTTP.Listen.UnmarshalText([]byte(c.Listen)); err != nil {
			return cfg, fmt.Errorf("--listen: %w", err)
		}
	}
	return cfg, cfg.Validate()
}

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
	Config string `type:"path" help:"Configuration file; without it everything has a default."`
	Data   string `type:"path" help:"Directory for everything that is kept (default ./data)."`
	Listen string `help:"Address of the page and the API (default 127.0.0.1:8080)."`
	Demo   bool   `help:"Simulated exporters send an hour of history and then live traffic; data go to ./data-demo."`

	StopTimeout time.Duration `default:"20s" help:"How long storing what was received may take at the end."`
}

func (runCmd) Help() string {
	return `Takes in NetFlow v5 and v9, IPFIX and sFlow on UDP 2055, 4739 and 6343 (any of them on
any port), keeps every flow in the embedded ClickHouse, and serves the page on
http://127.0.0.1:8080. Ctrl-C stops cleanly: what was received is stored.
Whoever sends is taken, until somebody says Ignore of it on the page Start.
A configuration file has more settings: doc/config.md lists them, "netmeta check" checks it.

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

// newLogger makes the log. Its least level is set anew when the configuration is read
// again.
func newLogger(w io.Writer, c config.Log, level *slog.LevelVar) *slog.Logger {
	level.Set(c.Level.Level())
	options := logOptions(level)
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// config is the configuration file with what the command line says instead.
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
		cfg.Data = "./data-demo" // invented flows do not go among real ones
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

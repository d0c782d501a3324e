package main

import (
	"fmt"
	"log/slog"

	"netmeta/config"
	"netmeta/enrich"
)

type checkCmd struct {
	Config string `arg:"" type:"path" help:"Configuration file (YAML)."`
}

func (checkCmd) Help() string {
	return `Reads the file as "netmeta run --config FILE" does and prints each error with its
line, key, value and fix. Nothing is started.

Example:
  netmeta check /etc/netmeta.yaml`
}

func (c checkCmd) Run() error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	if _, err := enrich.New(cfg.Enrich, cfg.Data, slog.New(slog.DiscardHandler)); err != nil { // the files it names
		return fmt.Errorf("configuration %s: %w", c.Config, err)
	}
	_, err = fmt.Fprintln(stdout, c.Config+": ok")
	return err
}

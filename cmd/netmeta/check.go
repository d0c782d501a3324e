package main

import (
	"fmt"

	"netmeta/config"
	"netmeta/query"
)

type checkCmd struct {
	Config string `arg:"" type:"path" help:"Configuration file (YAML)."`
}

func (checkCmd) Help() string {
	return `Reads the file as "netmeta run --config FILE" would and says what is wrong with it:
the line, the key, the value and what to write instead. Nothing is started.

Example:
  netmeta check /etc/netmeta.yaml`
}

func (c checkCmd) Run() error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	for name, text := range cfg.Filter.Macros {
		if _, err := query.ParseFilter(text, query.Schema{Macros: cfg.Filter.Macros}); err != nil {
			return fmt.Errorf("configuration %s: filter.macros.%s: %q: %w", c.Config, name, text, err)
		}
	}
	_, err = fmt.Println(c.Config + ": ok")
	return err
}

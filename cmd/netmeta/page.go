package main

import (
	"context"

	"netmeta/collector"
	"netmeta/config"
)

// pageOf is the address of the page that a command talks to: the one that a flag names,
// else that of the NetMeta that runs on the data directory, else that of the configuration.
func pageOf(ctx context.Context, cfg config.Config, named bool) string {
	if !named {
		if at := collector.RunningOn(ctx, cfg.Data); at != "" {
			return at
		}
	}
	return "http://" + collector.Reachable(cfg.HTTP.Listen.String())
}

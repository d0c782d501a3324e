package main

import (
	"context"

	"netmeta/collector"
	"netmeta/config"
)

// pageOf returns the URL of the web UI that a command uses. named: a flag has set it in
// cfg. Otherwise the NetMeta that runs on the data directory goes before the configuration.
func pageOf(ctx context.Context, cfg config.Config, named bool) string {
	if !named {
		if at := collector.RunningOn(ctx, cfg.Data); at != "" {
			return at
		}
	}
	return "http://" + collector.Reachable(cfg.HTTP.Listen.String())
}

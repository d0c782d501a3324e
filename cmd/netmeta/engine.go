package main

import (
	"context"
	"log/slog"

	"netmeta/engine"
)

type engineCmd struct {
	Path       string `required:"" type:"path" help:"Data directory."`
	Listen     string `help:"Address of the ClickHouse HTTP interface; default: a free port on 127.0.0.1."`
	Remote     bool   `help:"Allow an address that is not loopback."`
	Library    string `type:"path" help:"Engine library, libchdb.so; default: found automatically."`
	Memory     int64  `help:"Maximum memory of the engine in bytes; default: a share of the machine's."`
	MaxQueries int    `help:"Maximum concurrent queries; default: two per core."`
}

func (engineCmd) Help() string {
	return `Loads the ClickHouse engine and serves the ClickHouse HTTP interface. User "netmeta"
may write; "reader", for SQL clients, and "page", for the web UI, may only read. The
passwords are in PATH/secrets.
"netmeta run" starts the engine automatically and restarts it if it exits.

Example:
  netmeta engine --path ./data --listen 127.0.0.1:8123`
}

func (c engineCmd) Run(ctx context.Context) error {
	return engine.Serve(ctx, engine.ServeOptions{
		Path: c.Path, Listen: c.Listen, Remote: c.Remote, Library: c.Library,
		Memory: c.Memory, MaxQueries: c.MaxQueries,
		Logger: slog.New(slog.NewTextHandler(stderr, logOptions(nil))),
	})
}

package main

import (
	"context"
	"log/slog"

	"netmeta/engine"
)

type engineCmd struct {
	Path       string `required:"" type:"path" help:"Data directory."`
	Listen     string `help:"Address of the ClickHouse HTTP interface; a port of its own choice when left out."`
	Remote     bool   `help:"Allow an address that is not loopback."`
	Library    string `type:"path" help:"The engine library, libchdb.so; found by itself when left out."`
	Memory     int64  `help:"Bytes of memory that the engine may use; a share of the machine's when left out."`
	MaxQueries int    `help:"Queries that may run at once; two for each core when left out."`
}

func (engineCmd) Help() string {
	return `Loads the ClickHouse engine and serves the ClickHouse HTTP interface. User "netmeta"
may write; "reader", for SQL clients, and "page", for the web UI, may only read. The
passwords are in PATH/secrets.
"netmeta run" starts this by itself and restarts it when it dies.

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

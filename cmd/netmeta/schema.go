package main

import (
	"context"
	"fmt"
	"log/slog"

	"netmeta/collector"
	"netmeta/store"
)

type schemaCmd struct {
	Config string `type:"path" help:"Configuration file that names the store."`
	Data   string `type:"path" help:"Data directory (default ./data)."`
	Diff   bool   `help:"Print the statements that would update the store's tables."`
}

func (schemaCmd) Help() string {
	return `Prints the CREATE TABLE statements of this version. With --diff it compares them with the
tables in the store and prints the ALTER statements that the next start would run.
Nothing is changed.

Examples:
  netmeta schema
  netmeta schema --diff`
}

func (c schemaCmd) Run(ctx context.Context) error {
	cfg, err := runCmd{Config: c.Config, Data: c.Data}.config()
	if err != nil {
		return err
	}
	if !c.Diff {
		for _, schema := range collector.Schemas(cfg) {
			for _, sql := range schema.CreateAll() {
				if _, err := fmt.Fprintln(stdout, sql+";"); err != nil {
					return err
				}
			}
		}
		return nil
	}
	client, done, err := connect(ctx, c.Config, c.Data)
	if err != nil {
		return err
	}
	defer done()
	changes, err := store.NewTables(client, collector.Schemas(cfg), slog.New(slog.DiscardHandler)).Plan(ctx)
	if err != nil {
		return err
	}
	for _, ch := range changes {
		fmt.Fprintf(stdout, "-- %s\n%s;\n", ch.Reason, ch.SQL)
	}
	if len(changes) == 0 {
		fmt.Fprintln(stderr, "the store's tables are up to date")
	}
	return nil
}

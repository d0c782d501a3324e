package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"

	"netmeta/collector"
	"netmeta/config"
	"netmeta/engine"
	"netmeta/store"
)

type sqlCmd struct {
	Config string `type:"path" help:"Configuration file that names the store."`
	Data   string `type:"path" help:"Data directory (default ./data)."`
	Format string `help:"Output format of ClickHouse, e.g. CSVWithNames, JSONEachRow, Vertical; default PrettyCompact on a terminal, otherwise TabSeparated."`
	Query  string `arg:"" optional:"" help:"SQL query; default: read from standard input."`
}

func (sqlCmd) Help() string {
	return `Runs read-only SQL on the running store, or on the one in --data if NetMeta does not
run. "netmeta schema" lists the columns of the flows table with their meaning. On a
terminal, control characters in values are replaced; in a pipe or file every byte is
unchanged.

Examples:
  netmeta sql "SELECT SrcAS, sum(ScaledBytes) AS b FROM flows GROUP BY SrcAS ORDER BY b DESC LIMIT 10"
  netmeta sql --format CSVWithNames "SELECT * FROM flows LIMIT 100" > flows.csv
  echo "SELECT count() FROM flows" | netmeta sql`
}

func (c sqlCmd) Run(ctx context.Context) error {
	if c.Query == "" {
		text, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		c.Query = string(text)
	}
	if strings.TrimSpace(c.Query) == "" {
		return errors.New(`no query; use it as the last argument, e.g. netmeta sql "SELECT count() FROM flows"`)
	}
	if c.Format == "" {
		c.Format = "TabSeparated"
		if isTerminal(os.Stdout) {
			c.Format = "PrettyCompact"
		}
	}
	client, done, err := connect(ctx, c.Config, c.Data)
	if err != nil {
		return err
	}
	defer done()
	body, err := client.Stream(ctx, store.Query{SQL: c.Query}, c.Format)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(stdout, body)
	return err
}

// connect returns a read-only client of the store: the configured one, the engine that
// runs on the data directory, or one that it starts there. done stops that one.
func connect(ctx context.Context, configPath, data string) (c *store.Client, done func(), err error) {
	cfg, err := runCmd{Config: configPath, Data: data}.config()
	if err != nil {
		return nil, nil, err
	}
	if cfg.Store.URL != "" {
		client := collector.StoreClient(cfg)
		client.ReadOnly = true
		return client, func() {}, nil
	}
	return connectEmbedded(ctx, cfg)
}

func connectEmbedded(ctx context.Context, cfg config.Config) (*store.Client, func(), error) {
	if _, err := os.Stat(cfg.Data); err != nil {
		return nil, nil, errors.New("no data in " + cfg.Data + "; run netmeta run, or set --data")
	}
	if e, err := engine.Running(cfg.Data); err == nil {
		_, reader, _, err := engine.Users(cfg.Data)
		if err != nil {
			return nil, nil, err
		}
		return store.NewClient(e.URL, reader.Name, reader.Password, ""), func() {}, nil
	}
	quiet := slog.New(slog.NewTextHandler(stderr, logOptions(slog.LevelError)))
	s, err := engine.New(engine.Options{Path: cfg.Data, Logger: quiet})
	if err != nil {
		return nil, nil, err
	}
	engineCtx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { s.Run(engineCtx); close(ended) }()
	done := func() { stop(); <-ended }
	if err := s.Ready(ctx); err != nil {
		done()
		return nil, nil, err
	}
	r := s.Reader()
	return store.NewClient(s.URL(), r.Name, r.Password, ""), done, nil
}

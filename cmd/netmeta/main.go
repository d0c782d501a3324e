// Command netmeta is NetMeta: one binary with subcommands. Each subcommand is a file
// of this package; this one lists them.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"netmeta/internal/secret"
)

// version is set by the build.
var version = "dev"

// cli is the command line. The help of a command ends with examples.
type cli struct {
	Run      runCmd      `cmd:"" help:"Collect and store flows, serve the web UI."`
	Decode   decodeCmd   `cmd:"" help:"Print the flow records in capture files."`
	Replay   replayCmd   `cmd:"" help:"Send the datagrams of capture files to a collector."`
	Simulate simulateCmd `cmd:"" help:"Send realistic flow records to a collector."`
	Query    queryCmd    `cmd:"" help:"Query traffic, as the web UI does."`
	Top      topCmd      `cmd:"" help:"Show top talkers, live."`
	SQL      sqlCmd      `cmd:"" name:"sql" help:"Query the store in SQL, read-only."`
	Schema   schemaCmd   `cmd:"" help:"Print the tables, or how the store's tables differ."`
	Parts    partsCmd    `cmd:"" help:"Check the parts of the store's tables and detach unreadable ones."`
	Check    checkCmd    `cmd:"" help:"Check a configuration file."`
	Doctor   doctorCmd   `cmd:"" help:"Check the setup and suggest fixes."`
	Reload   reloadCmd   `cmd:"" help:"Reload the running NetMeta's configuration."`
	Engine   engineCmd   `cmd:"" help:"Serve the embedded ClickHouse engine (run starts it automatically)."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

type versionCmd struct{}

func (versionCmd) Run() error {
	_, err := fmt.Fprintln(stdout, "netmeta", version)
	return err
}

func main() {
	// The first Ctrl-C stops NetMeta cleanly. The second is not caught and kills it.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)

	var c cli
	parser := kong.Must(&c,
		kong.Name("netmeta"),
		kong.Description("Network observability: receives NetFlow, IPFIX and sFlow, stores every flow at one-second resolution and answers queries on any field.\n\nStart with: netmeta run"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Writers(stdout, stderr),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	args := os.Args[1:]
	if len(args) == 0 {
		args = []string{"--help"}
	}
	kctx, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "netmeta: %v; see netmeta --help\n", secret.Mask(err.Error()))
		os.Exit(2)
	}
	if err := kctx.Run(); err != nil {
		fmt.Fprintln(stderr, "netmeta:", secret.Mask(err.Error()))
		os.Exit(1)
	}
}

// Command netmeta is NetMeta: one binary with a subcommand for each thing that it
// does. Each subcommand is a file of this package; this one lists them.
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
	Run      runCmd      `cmd:"" help:"Collect flows, keep them and serve the page."`
	Decode   decodeCmd   `cmd:"" help:"Print the flow records in capture files."`
	Replay   replayCmd   `cmd:"" help:"Send the datagrams of capture files to a collector."`
	Simulate simulateCmd `cmd:"" help:"Send believable flow records to a collector."`
	Query    queryCmd    `cmd:"" help:"Ask about the traffic, as the page does."`
	Top      topCmd      `cmd:"" help:"Show who has the most traffic now."`
	SQL      sqlCmd      `cmd:"" name:"sql" help:"Ask the store in SQL, read-only."`
	Schema   schemaCmd   `cmd:"" help:"Print the tables, and how the store's differ."`
	Parts    partsCmd    `cmd:"" help:"Check the parts of the store's tables, and put aside those that cannot be read."`
	Check    checkCmd    `cmd:"" help:"Check a configuration file."`
	Doctor   doctorCmd   `cmd:"" help:"Look at everything that a collector depends on, and say what helps."`
	Reload   reloadCmd   `cmd:"" help:"Have the running NetMeta read its configuration again."`
	Engine   engineCmd   `cmd:"" help:"Serve the embedded ClickHouse engine (run starts it by itself)."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

type versionCmd struct{}

func (versionCmd) Run() error {
	_, err := fmt.Fprintln(stdout, "netmeta", version)
	return err
}

func main() {
	// The first Ctrl-C asks for a clean end, the second is not caught.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)

	var c cli
	parser := kong.Must(&c,
		kong.Name("netmeta"),
		kong.Description("Network observability: takes in NetFlow, IPFIX and sFlow, keeps every flow at one-second resolution, answers questions about it.\n\nStart with: netmeta run"),
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

package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"netmeta/collector"
	"netmeta/engine"
	"netmeta/store"
)

type partsCmd struct {
	Config string `type:"path" help:"Configuration file that names the store."`
	Data   string `type:"path" help:"Data directory (default ./data)."`
	Yes    bool   `help:"Detach or attach the part; without it the command only shows what would change."`
	Do     string `arg:"" optional:"" enum:"list,check,detach,attach" default:"list" help:"list (default), check, detach or attach."`
	Part   string `arg:"" optional:"" help:"Name of the part, or TABLE/NAME."`
}

func (partsCmd) Help() string {
	return `Each table consists of parts, which are directories of files. Queries and rollups skip a
part that cannot be read; the Status page and the log name it. "check" reads every part
and prints the unreadable ones, which may take minutes. "detach" removes a part from its
table; its files stay in the table's directory "detached". "attach" adds it again.

Examples:
  netmeta parts
  netmeta parts check
  netmeta parts detach flows/1795003200_1_9_2
  netmeta parts detach flows/1795003200_1_9_2 --yes
  netmeta parts attach flows/1795003200_1_9_2 --yes`
}

func (c partsCmd) Run(ctx context.Context) error {
	client, err := c.writer()
	if err != nil {
		return err
	}
	if c.Part == "" && (c.Do == "detach" || c.Do == "attach") {
		return fmt.Errorf("no part given; use netmeta parts %s TABLE/NAME", c.Do)
	}
	switch c.Do {
	case "check":
		return checkParts(ctx, client)
	case "detach":
		return c.detach(ctx, client)
	case "attach":
		return c.attach(ctx, client)
	}
	return listDetached(ctx, client)
}

// writer returns a client of the store with the right to write.
func (c partsCmd) writer() (*store.Client, error) {
	cfg, err := runCmd{Config: c.Config, Data: c.Data}.config()
	if err != nil {
		return nil, err
	}
	if cfg.Store.URL != "" {
		return collector.StoreClient(cfg), nil
	}
	e, err := engine.Running(cfg.Data)
	if err != nil {
		return nil, fmt.Errorf("no engine runs on %s: %w; run netmeta run, or set --data", cfg.Data, err)
	}
	writer, _, _, err := engine.Users(cfg.Data)
	if err != nil {
		return nil, err
	}
	return store.NewClient(e.URL, writer.Name, writer.Password, ""), nil
}

func listDetached(ctx context.Context, client *store.Client) error {
	list, err := store.DetachedParts(ctx, client)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(stderr, "no detached parts; netmeta parts check reads the attached ones")
		return nil
	}
	out := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "DETACHED\tBYTES\tREASON\tDIRECTORY")
	for _, d := range list {
		reason := d.Reason
		if reason == "" {
			reason = "by a user"
		}
		fmt.Fprintf(out, "%s/%s\t%d\t%s\t%s\n", d.Table, d.Name, d.Bytes, reason, d.Path)
	}
	return out.Flush()
}

func checkParts(ctx context.Context, client *store.Client) error {
	found := 0
	err := store.CheckParts(ctx, client, func(p store.Part) bool {
		found++
		fmt.Fprintf(stdout, "%s/%s cannot be read: %s\n  %s\n", p.Table, p.Name, extent(p), p.Error)
		return true
	})
	switch {
	case err != nil:
		return err
	case found > 0:
		return errors.New("unreadable parts found; check the disk, then run netmeta parts detach TABLE/NAME for each")
	}
	fmt.Fprintln(stderr, "all parts are readable")
	return nil
}

// extent describes the rows of a part: their number and time range.
func extent(p store.Part) string {
	at := func(t int64) string { return time.Unix(t, 0).UTC().Format(time.RFC3339) }
	return fmt.Sprintf("%d rows from %s to %s", p.Rows, at(p.From), at(p.To))
}

func (c partsCmd) detach(ctx context.Context, client *store.Client) error {
	p, err := store.FindPart(ctx, client, c.Part)
	if err != nil {
		return err
	}
	wrong, err := store.CheckPart(ctx, client, p)
	if err != nil {
		wrong = err.Error()
	}
	if wrong == "" {
		wrong = "it is readable"
	}
	fmt.Fprintf(stdout, "%s/%s: %s\n  %s\n", p.Table, p.Name, extent(p), wrong)
	if !c.Yes {
		fmt.Fprintf(stdout, "queries would no longer find these rows; use --yes to detach the part\n")
		return nil
	}
	if err := store.DetachPart(ctx, client, p); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "detached; to undo, run netmeta parts attach %s/%s\n", p.Table, p.Name)
	return nil
}

func (c partsCmd) attach(ctx context.Context, client *store.Client) error {
	d, err := store.FindDetached(ctx, client, c.Part)
	if err != nil {
		return err
	}
	if !c.Yes {
		fmt.Fprintf(stdout, "%s/%s: %d bytes in %s would be attached to the table; use --yes to attach the part\n", d.Table, d.Name, d.Bytes, d.Path)
		return nil
	}
	if err := store.AttachPart(ctx, client, d); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s/%s attached\n", d.Table, d.Name)
	return nil
}

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
	Yes    bool   `help:"Do it; else detach and attach only say what they would do."`
	Do     string `arg:"" optional:"" enum:"list,check,detach,attach" default:"list" help:"list (default), check, detach or attach."`
	Part   string `arg:"" optional:"" help:"Name of the part, or TABLE/NAME."`
}

func (partsCmd) Help() string {
	return `The store keeps each table as parts, directories of files. One that cannot be read is
left out of queries and rollups; Status and the log name it. "check" reads every part and
prints those that cannot be read, which may take minutes. "detach" puts such a part aside
for good: its files stay in the directory "detached" of its table. "attach" takes it back.

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
		return fmt.Errorf("which part: none is named; use netmeta parts %s TABLE/NAME", c.Do)
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

// writer is the store as the user that may write.
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
		return nil, fmt.Errorf("no engine runs on %s: %w; start netmeta run, or name the directory with --data", cfg.Data, err)
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
		fmt.Fprintln(stderr, "no part is put aside; netmeta parts check reads those in use")
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
		fmt.Fprintf(stdout, "%s/%s cannot be read: %s\n  %s\n", p.Table, p.Name, lost(p), p.Error)
		return true
	})
	switch {
	case err != nil:
		return err
	case found > 0:
		return errors.New("parts cannot be read; check the disk, then put each aside with netmeta parts detach TABLE/NAME")
	}
	fmt.Fprintln(stderr, "every part can be read")
	return nil
}

// lost is what a part has.
func lost(p store.Part) string {
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
		wrong = "it can be read"
	}
	fmt.Fprintf(stdout, "%s/%s: %s\n  %s\n", p.Table, p.Name, lost(p), wrong)
	if !c.Yes {
		fmt.Fprintf(stdout, "these rows would be gone from every query; --yes does it\n")
		return nil
	}
	if err := store.DetachPart(ctx, client, p); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "detached; netmeta parts attach %s/%s takes it back\n", p.Table, p.Name)
	return nil
}

func (c partsCmd) attach(ctx context.Context, client *store.Client) error {
	d, err := store.FindDetached(ctx, client, c.Part)
	if err != nil {
		return err
	}
	if !c.Yes {
		fmt.Fprintf(stdout, "%s/%s: %d bytes in %s would be part of the table again; --yes does it\n", d.Table, d.Name, d.Bytes, d.Path)
		return nil
	}
	if err := store.AttachPart(ctx, client, d); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s/%s is part of the table again\n", d.Table, d.Name)
	return nil
}

// Package route adds the AS and country of addresses if the exporter does not send them, and the names of
// ASes. Its Data is a file made from public tables; see ipdata.
package route

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"netmeta/column"
	"netmeta/enrich/feed"
	"netmeta/enrich/stage"
	"netmeta/flow"
)

// Config has the origins of AS numbers, and names of ASes.
type Config struct {
	// Origins of the AS of an address, in order: "exporter", its records; "data", the public table that comes
	// with NetMeta. The first that has one counts.
	Order []Origin `yaml:"order" reload:"live"`
	// Names of ASes by number: private ones, or names that replace those of the public table.
	Names map[uint32]string `yaml:"names" reload:"live"`
}

// Origin is where the AS of an address comes from.
type Origin string

// The origins.
const (
	FromExporter Origin = "exporter" // the flow record
	FromData     Origin = "data"     // Data
)

// UnmarshalText reads the name of an origin.
func (o *Origin) UnmarshalText(text []byte) error {
	if *o = Origin(text); *o != FromExporter && *o != FromData {
		return fmt.Errorf("%s: use exporter or data", text)
	}
	return nil
}

// Default is the configuration without a file.
func Default() Config { return Config{Order: []Origin{FromExporter, FromData}} }

// Validate checks values. Each error names the key, the value and the remedy.
func (c Config) Validate() error {
	seen := map[Origin]bool{}
	for _, o := range c.Order {
		if seen[o] {
			return fmt.Errorf("order: %s: is listed twice; use exporter and data at most once each", o)
		}
		seen[o] = true
	}
	for as, name := range c.Names {
		if as == 0 || strings.TrimSpace(name) == "" {
			return fmt.Errorf("names: %d: %q: use an AS number and a name, such as 64500: Example", as, name)
		}
	}
	return nil
}

// Table fills AS and country. Its Run updates Data if they come from a URL.
type Table struct {
	names    map[uint32]string
	exporter bool // AS numbers of the exporter stay, if not zero
	clear    bool // AS numbers of the exporter are removed, even if Data has none
	as       bool // fill AS numbers from Data
	country  bool

	feed    *feed.Feed[*Data] // nil: no file
	edition int               // of the feed, when the table was made
	refresh time.Duration     // between two fetches of a URL
	data    atomic.Pointer[Data]
}

// New makes a table from a valid Config. data is the location of Data, fetched at intervals of refresh if it
// is a URL; if empty, the file of the program is used, if it exists. The table reuses the feed of old, which
// may be nil. Errors start with a key.
func New(c Config, country bool, data feed.Location, refresh time.Duration, shared feed.Options, old *Table) (*Table, error) {
	t := newTable(c, country)
	t.refresh = refresh
	shared.Location, shared.MaxBytes = cmp.Or(data, feed.Location(Find())), maxFile
	if shared.Location == "" {
		shared.Log.Info("no " + File + " next to the program, so no countries and only exporters' AS numbers; run make build")
		return t, nil
	}
	var earlier []*feed.Feed[*Data]
	if old != nil && old.feed != nil {
		earlier = append(earlier, old.feed)
	}
	f := feed.Reuse(earlier, shared, decode)
	if err := f.Open(); err != nil && data != "" {
		return nil, fmt.Errorf("data: %s: %w", data, err)
	} else if err != nil { // a damaged file of the program must not prevent a start
		shared.Log.Warn("cannot read AS and country data, so no countries and only exporters' AS numbers", "file", shared.Location, "err", err)
		return t, nil
	}
	t.feed = f
	d, edition := f.Value()
	t.edition = edition
	t.data.Store(d)
	return t, nil
}

// newTable makes a table without Data.
func newTable(c Config, country bool) *Table {
	said, known := slices.Index(c.Order, FromExporter), slices.Index(c.Order, FromData)
	return &Table{
		names: c.Names, country: country,
		exporter: said >= 0 && (known < 0 || said < known), clear: said < 0, as: known >= 0,
	}
}

// Run implements stage.Runner: it fetches Data from its URL.
func (t *Table) Run(ctx context.Context) {
	if t.feed != nil && t.feed.Location().Remote() { // files are read at each reload
		t.feed.Run(ctx, t.refresh, t.edition, func(d *Data) error { t.data.Store(d); return nil })
	}
}

// Stage implements stage.Table: the table is a stage itself.
func (t *Table) Stage() stage.Stage { return t }

// Status implements stage.Reporter.
func (t *Table) Status() (list []stage.Status) {
	if t.feed == nil {
		return nil
	}
	d, source := t.data.Load(), t.feed.Location().String()
	if d != nil {
		source = d.Source
	}
	list = append(list, t.feed.Status().Of("addresses: AS and country", d.Entries(), source))
	if d.Names() > 0 {
		list = append(list, t.feed.Status().Of("names of ASes", d.Names(), source))
	}
	return list
}

// Apply fills SrcAS, DstAS, SrcCountry and DstCountry.
func (t *Table) Apply(b *column.Batch) {
	d := t.data.Load()
	if (d == nil || !t.as && !t.country) && !t.clear {
		return
	}
	t.side(d, b, flow.SrcAddr.Column(b), flow.SrcAS, flow.SrcCountry)
	t.side(d, b, flow.DstAddr.Column(b), flow.DstAS, flow.DstCountry)
}

func (t *Table) side(d *Data, b *column.Batch, addrs []column.Addr, as column.U32, country column.Labels) {
	said := as.Column(b)[:b.Len()]
	if t.clear {
		clear(said)
	}
	if d == nil || !t.as && !t.country {
		return
	}
	for row := range said {
		ask := t.as && (said[row] == 0 || !t.exporter)
		if !ask && !t.country {
			continue
		}
		p := d.Location(addrs[row])
		if ask && p.AS != 0 {
			said[row] = p.AS
		}
		if t.country && p.Country != (column.Label{}) {
			country.Set(b, row, p.Country)
		}
	}
}

// Name returns the name of an AS, empty if it is unknown.
func (t *Table) Name(as uint32) string {
	if name, ok := t.names[as]; ok {
		return name
	}
	return t.data.Load().Name(as)
}

// Find calls yield with the ASes whose names contain a text, ignoring case: the configured ones first, then
// by ascending number, until it returns false.
func (t *Table) Find(text string, yield func(as uint32, name string) bool) {
	if text == "" {
		return
	}
	var configured []uint32
	for as, name := range t.names {
		if strings.Contains(strings.ToLower(name), strings.ToLower(text)) {
			configured = append(configured, as)
		}
	}
	slices.Sort(configured)
	for _, as := range configured {
		if !yield(as, t.names[as]) {
			return
		}
	}
	t.data.Load().Find(text, func(as uint32, name string) bool {
		_, named := t.names[as]
		return named || yield(as, name)
	})
}

// Package network names the networks of addresses, from the prefixes in the configuration. Empty values are
// inherited from shorter prefixes.
package network

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gaissmai/bart"

	"netmeta/column"
	"netmeta/enrich/feed"
	"netmeta/enrich/stage"
	"netmeta/flow"
)

// Config has the networks by prefix.
type Config map[Prefix]Network

// Network describes a prefix.
type Network struct {
	// Name of the network.
	Name string `yaml:"name"`
	// Role: customer, server, infrastructure and so on.
	Role string `yaml:"role"`
	// Site of the network.
	Site string `yaml:"site"`
	// Region of the network.
	Region string `yaml:"region"`
	// Tenant or customer.
	Tenant string `yaml:"tenant"`
}

const (
	maxPrefixes = 1_000_000 // of a table: a prefix uses about 300 bytes
	maxFile     = 128 << 20 // bytes of a CSV file
)

// labels are the interned texts of a network.
type labels struct{ name, role, site, region, tenant column.Label }

func (n Network) labels() labels {
	return labels{
		name: column.LabelOf(n.Name), role: column.LabelOf(n.Role), site: column.LabelOf(n.Site),
		region: column.LabelOf(n.Region), tenant: column.LabelOf(n.Tenant),
	}
}

// inherit fills the empty values of l.
func (l *labels) inherit(wider *labels) {
	l.name = cmp.Or(l.name, wider.name)
	l.role = cmp.Or(l.role, wider.role)
	l.site = cmp.Or(l.site, wider.site)
	l.region = cmp.Or(l.region, wider.region)
	l.tenant = cmp.Or(l.tenant, wider.tenant)
}

// entry is a described prefix.
type entry struct {
	prefix netip.Prefix
	labels labels
	line   int // in its file
}

// Table fills the columns of networks. Its Run updates the parts that come from URLs; each batch sees one
// version.
type Table struct {
	config   []entry
	loaded   time.Time // the configuration
	feeds    []*feed.Feed[[]entry]
	editions []int         // of the feeds, when the table was made
	refresh  time.Duration // between two fetches of a URL
	trie     atomic.Pointer[trie]

	mu    sync.Mutex // guards the following
	parts [][]entry  // that the trie is made of, by feed
}

// trie finds the longest prefix of an address. It is immutable.
type trie struct{ bart.Table[*labels] }

// New makes a table from prefixes and from CSV files or URLs, which are fetched at intervals of refresh. A
// prefix may be described only once in total. The table reuses the feeds of old, which may be nil. Errors
// start with a key.
func New(c Config, files []feed.Location, refresh time.Duration, shared feed.Options, old *Table) (*Table, error) {
	t := &Table{loaded: time.Now(), refresh: refresh}
	for p, n := range c {
		t.config = append(t.config, entry{p.Prefix, n.labels(), 0})
	}
	for _, location := range files {
		o := shared
		o.Location, o.MaxBytes = location, maxFile
		var earlier []*feed.Feed[[]entry]
		if old != nil {
			earlier = old.feeds
		}
		f := feed.Reuse(earlier, o, parseCSV)
		if err := f.Open(); err != nil {
			return nil, fmt.Errorf("network-files: %s: %w", location, err)
		}
		entries, edition := f.Value()
		t.feeds, t.parts, t.editions = append(t.feeds, f), append(t.parts, entries), append(t.editions, edition)
	}
	made, err := t.merge(t.parts)
	if err != nil {
		return nil, fmt.Errorf("network-files: %w", err)
	}
	t.trie.Store(made)
	return t, nil
}

// merge makes a trie from the configuration and the parts.
func (t *Table) merge(parts [][]entry) (*trie, error) {
	all := slices.Clone(t.config)
	seen := make(map[netip.Prefix]bool, len(all))
	for _, e := range all {
		seen[e.prefix] = true
	}
	for i, entries := range parts {
		for _, e := range entries {
			if seen[e.prefix] {
				return nil, fmt.Errorf("%s: line %d: %s: is listed twice; remove one", t.feeds[i].Location(), e.line, e.prefix)
			}
			seen[e.prefix] = true
		}
		if all = append(all, entries...); len(all) > maxPrefixes {
			return nil, fmt.Errorf("%s: more than %d prefixes", t.feeds[i].Location(), maxPrefixes)
		}
	}
	// Each prefix after those that contain it.
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.prefix.Bits(), b.prefix.Bits()) })
	made := &trie{}
	for _, e := range all {
		l := &labels{}
		*l = e.labels
		if wider, ok := made.LookupPrefix(e.prefix); ok {
			l.inherit(wider)
		}
		made.Insert(e.prefix, l)
	}
	return made, nil
}

// take replaces the part of a feed.
func (t *Table) take(i int, entries []entry) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	parts := slices.Clone(t.parts)
	parts[i] = entries
	made, err := t.merge(parts)
	if err != nil {
		return err
	}
	t.parts = parts
	t.trie.Store(made)
	return nil
}

// Run implements stage.Runner: it fetches the URLs.
func (t *Table) Run(ctx context.Context) {
	var feeds sync.WaitGroup
	for i, f := range t.feeds {
		if f.Location().Remote() { // files are read at each reload
			feeds.Go(func() {
				f.Run(ctx, t.refresh, t.editions[i], func(entries []entry) error { return t.take(i, entries) })
			})
		}
	}
	feeds.Wait()
}

// Stage implements stage.Table: the table is a stage itself.
func (t *Table) Stage() stage.Stage { return t }

// Status implements stage.Reporter.
func (t *Table) Status() (list []stage.Status) {
	if len(t.config) > 0 {
		list = append(list, stage.Status{Name: "networks", Entries: len(t.config), Loaded: t.loaded, Source: "configuration"})
	}
	for _, f := range t.feeds {
		entries, _ := f.Value()
		list = append(list, f.Status().Of("networks", len(entries), f.Location().String()))
	}
	return list
}

// Entries returns the number of prefixes.
func (t *Table) Entries() int { return t.trie.Load().Size() }

// Apply fills Src… and DstNetName, Role, Site, Region and Tenant.
func (t *Table) Apply(b *column.Batch) {
	prefixes := t.trie.Load()
	if prefixes.Size() == 0 {
		return
	}
	rows := b.Len()
	for row, a := range flow.SrcAddr.Column(b)[:rows] {
		if l, ok := prefixes.Lookup(a.IP()); ok {
			set(b, row, flow.SrcNetName, l.name)
			set(b, row, flow.SrcNetRole, l.role)
			set(b, row, flow.SrcNetSite, l.site)
			set(b, row, flow.SrcNetRegion, l.region)
			set(b, row, flow.SrcNetTenant, l.tenant)
		}
	}
	for row, a := range flow.DstAddr.Column(b)[:rows] {
		if l, ok := prefixes.Lookup(a.IP()); ok {
			set(b, row, flow.DstNetName, l.name)
			set(b, row, flow.DstNetRole, l.role)
			set(b, row, flow.DstNetSite, l.site)
			set(b, row, flow.DstNetRegion, l.region)
			set(b, row, flow.DstNetTenant, l.tenant)
		}
	}
}

// set does not touch columns without a value, because they would cost the store space.
func set(b *column.Batch, row int, c column.Labels, l column.Label) {
	if l != (column.Label{}) {
		c.Set(b, row, l)
	}
}

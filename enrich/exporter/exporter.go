// Package exporter names exporters and their interfaces, from the configuration and from the book of names.
package exporter

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/gaissmai/bart"

	"netmeta/column"
	"netmeta/enrich/names"
	"netmeta/enrich/network"
	"netmeta/enrich/stage"
	"netmeta/flow"
)

// Exporter describes an exporter. Empty values of an address are inherited from the prefixes that contain it,
// the longest first.
type Exporter struct {
	// Name of the exporter.
	Name string `yaml:"name"`
	// Group of the exporter.
	Group string `yaml:"group"`
	// Role: edge, core, access and so on.
	Role string `yaml:"role"`
	// Site of the exporter.
	Site string `yaml:"site"`
	// Region of the exporter.
	Region string `yaml:"region"`
	// Tenant that the exporter serves.
	Tenant string `yaml:"tenant"`
	// Interfaces of this exporter; they take precedence over enrich.interfaces.
	Interfaces []Interface `yaml:"interfaces"`
}

// Config has the configured names of exporters and interfaces.
type Config struct {
	Exporters  map[network.Prefix]Exporter // by address or prefix
	Interfaces []Interface                 // of any exporter; its own take precedence
	Order      names.Order                 // which origin of a name takes precedence
}

// Validate checks rules. Each error names the key, the value and the remedy.
func (c Config) Validate() error {
	if err := validate(c.Interfaces); err != nil {
		return fmt.Errorf("interfaces%w", err)
	}
	for p, x := range c.Exporters {
		if err := validate(x.Interfaces); err != nil {
			return fmt.Errorf("exporters: %s: interfaces%w", p, err)
		}
	}
	return nil
}

// Table names exporters and interfaces, from the configuration and a book.
type Table struct {
	book      *names.Book
	order     names.Order
	exporters bart.Table[*exporterLabels]
	rules     []Interface // of any exporter
	loaded    time.Time
}

// exporterLabels is the configuration of an exporter.
type exporterLabels struct {
	name, group, role, site, region, tenant column.Label
	rules                                   []Interface
}

// New makes a table of a valid Config.
func New(c Config, book *names.Book) *Table {
	t := &Table{book: book, order: c.Order, rules: c.Interfaces, loaded: time.Now()}
	prefixes := slices.Collect(maps.Keys(c.Exporters))
	slices.SortFunc(prefixes, func(a, b network.Prefix) int { return cmp.Compare(a.Bits(), b.Bits()) })
	for _, p := range prefixes { // after the prefixes that contain them
		x := c.Exporters[p]
		d := &exporterLabels{
			name: column.LabelOf(x.Name), group: column.LabelOf(x.Group), role: column.LabelOf(x.Role),
			site: column.LabelOf(x.Site), region: column.LabelOf(x.Region), tenant: column.LabelOf(x.Tenant),
			rules: x.Interfaces,
		}
		if wider, ok := t.exporters.LookupPrefix(p.Prefix); ok {
			d.inherit(wider)
		}
		t.exporters.Insert(p.Prefix, d)
	}
	return t
}

func (d *exporterLabels) inherit(from *exporterLabels) {
	d.name = cmp.Or(d.name, from.name)
	d.group = cmp.Or(d.group, from.group)
	d.role = cmp.Or(d.role, from.role)
	d.site = cmp.Or(d.site, from.site)
	d.region = cmp.Or(d.region, from.region)
	d.tenant = cmp.Or(d.tenant, from.tenant)
	d.rules = slices.Concat(d.rules, from.rules)
}

// Entries returns the number of exporters and prefixes described.
func (t *Table) Entries() int { return t.exporters.Size() }

// Status implements stage.Reporter.
func (t *Table) Status() []stage.Status {
	if t.Entries() == 0 {
		return nil
	}
	return []stage.Status{{Name: "exporters", Entries: t.Entries(), Loaded: t.loaded, Source: "configuration"}}
}

var undescribed = &exporterLabels{}

// describe returns the configuration of an exporter.
func (t *Table) describe(a column.Addr) *exporterLabels {
	if d, ok := t.exporters.Lookup(a.IP()); ok {
		return d
	}
	return undescribed
}

// name returns the name of an exporter.
func (t *Table) name(d *exporterLabels, a column.Addr) column.Label {
	from := t.book.Exporter(a)
	from[names.Config] = d.name
	return t.order.Label(from)
}

// Name returns the name of an exporter, empty if it has none.
func (t *Table) Name(a column.Addr) string { return t.name(t.describe(a), a).String() }

// Described reports whether the configuration names an exporter. Names that the exporter reports do not
// count.
func (t *Table) Described(a column.Addr) bool { return t.describe(a).name != column.Label{} }

// Stage fills the columns of exporters and interfaces. It caches the values of each exporter and interface
// until the book changes.
type Stage struct {
	table  *Table
	caches map[column.Addr]*exporterCache
	slots  int // for interfaces, in all caches
}

// Stage implements stage.Table.
func (t *Table) Stage() stage.Stage {
	return &Stage{table: t, caches: map[column.Addr]*exporterCache{}}
}

// Limits of the cache of a stage. Forged addresses and interfaces only empty it.
const (
	maxCaches = 16_384
	maxSlots  = 1 << 20
)

// Apply fills Exporter… and In… and OutIf….
func (s *Stage) Apply(b *column.Batch) {
	if s.slots > maxSlots {
		s.forget()
	}
	addrs := flow.ExporterAddress.Column(b)[:b.Len()]
	for from := 0; from < len(addrs); { // rows of one exporter are often consecutive
		to := from + 1
		for to < len(addrs) && addrs[to] == addrs[from] {
			to++
		}
		v := s.cache(addrs[from])
		v.exporter(b, from, to)
		v.inputs(b, from, to)
		v.outputs(b, from, to)
		from = to
	}
}

func (s *Stage) forget() {
	s.slots = 0
	clear(s.caches)
}

// cache returns the current cache of an exporter.
func (s *Stage) cache(a column.Addr) *exporterCache {
	v := s.caches[a]
	if v == nil {
		if len(s.caches) == maxCaches {
			s.forget()
		}
		v = &exporterCache{addr: a, table: s.table, slots: &s.slots, config: s.table.describe(a)}
		s.caches[a] = v
	}
	if now := s.table.book.Changes(); !v.looked || now != v.changes {
		v.refresh(now)
	}
	return v
}

func (v *exporterCache) exporter(b *column.Batch, from, to int) {
	fill(b, from, to, flow.ExporterName, v.name)
	d := v.config
	if d == undescribed {
		return
	}
	fill(b, from, to, flow.ExporterGroup, d.group)
	fill(b, from, to, flow.ExporterRole, d.role)
	fill(b, from, to, flow.ExporterSite, d.site)
	fill(b, from, to, flow.ExporterRegion, d.region)
	fill(b, from, to, flow.ExporterTenant, d.tenant)
}

// fill does not touch columns without a value, because they would cost the store space.
func fill(b *column.Batch, from, to int, c column.Labels, l column.Label) {
	if l == (column.Label{}) {
		return
	}
	list := c.Column(b)[from:to]
	for i := range list {
		list[i] = l
	}
}

func (v *exporterCache) inputs(b *column.Batch, from, to int) {
	for i, index := range flow.InIf.Column(b)[from:to] {
		if index == 0 {
			continue
		}
		x := v.at(index)
		if x == unnamed {
			continue
		}
		row := from + i
		set(b, row, flow.InIfName, x.Name)
		set(b, row, flow.InIfDescription, x.Description)
		set(b, row, flow.InIfConnectivity, x.connectivity)
		set(b, row, flow.InIfProvider, x.provider)
		if x.Speed != 0 {
			flow.InIfSpeed.Set(b, row, x.Speed)
		}
		if x.boundary != 0 {
			flow.InIfBoundary.Set(b, row, x.boundary)
		}
	}
}

func (v *exporterCache) outputs(b *column.Batch, from, to int) {
	for i, index := range flow.OutIf.Column(b)[from:to] {
		if index == 0 {
			continue
		}
		x := v.at(index)
		if x == unnamed {
			continue
		}
		row := from + i
		set(b, row, flow.OutIfName, x.Name)
		set(b, row, flow.OutIfDescription, x.Description)
		set(b, row, flow.OutIfConnectivity, x.connectivity)
		set(b, row, flow.OutIfProvider, x.provider)
		if x.Speed != 0 {
			flow.OutIfSpeed.Set(b, row, x.Speed)
		}
		if x.boundary != 0 {
			flow.OutIfBoundary.Set(b, row, x.boundary)
		}
	}
}

func set(b *column.Batch, row int, c column.Labels, l column.Label) {
	if l != (column.Label{}) {
		c.Set(b, row, l)
	}
}

// Package exporter names exporters and their interfaces: as the operator describes
// them and, where that says nothing, as the exporters told.
package exporter

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

	"netmeta/column"
	"netmeta/enrich/network"
	"netmeta/flow"
)

// Exporter is what to call an exporter. What an address leaves empty, the prefixes
// that hold it fill in, the longest first.
type Exporter struct {
	// Name of the exporter.
	Name string `yaml:"name"`
	// Group that it belongs to.
	Group string `yaml:"group"`
	// Role: edge, core, access and so on.
	Role string `yaml:"role"`
	// Site where it stands.
	Site string `yaml:"site"`
	// Region where it stands.
	Region string `yaml:"region"`
	// Tenant whom it serves.
	Tenant string `yaml:"tenant"`
	// Interfaces of this exporter; they come before enrich.interfaces.
	Interfaces []Interface `yaml:"interfaces"`
}

// A Table is the description, ready for use. It does not change, and is safe for any
// number of goroutines.
type Table struct {
	exporters  bart.Table[*described]
	interfaces []rule // of any exporter
}

type described struct {
	name, group, role, site, region, tenant column.Label
	interfaces                              []rule
}

// New makes a table: exporters by address or prefix, and interfaces of any of them.
// An error names the key, the value and the remedy.
func New(exporters map[string]Exporter, interfaces []Interface) (*Table, error) {
	t := &Table{}
	var err error
	if t.interfaces, err = rules(interfaces); err != nil {
		return nil, fmt.Errorf("interfaces%w", err)
	}
	all := make(map[netip.Prefix]*described, len(exporters))
	for text, x := range exporters {
		p, err := network.Prefix(text)
		if err != nil {
			return nil, fmt.Errorf("exporters: %w", err)
		}
		if all[p] != nil {
			return nil, fmt.Errorf("exporters: %s: stands twice; remove one", text)
		}
		d := &described{
			name: column.LabelOf(x.Name), group: column.LabelOf(x.Group), role: column.LabelOf(x.Role),
			site: column.LabelOf(x.Site), region: column.LabelOf(x.Region), tenant: column.LabelOf(x.Tenant),
		}
		if d.interfaces, err = rules(x.Interfaces); err != nil {
			return nil, fmt.Errorf("exporters: %s: interfaces%w", text, err)
		}
		all[p] = d
	}
	list := make([]netip.Prefix, 0, len(all))
	for p := range all {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b netip.Prefix) int { return cmp.Compare(a.Bits(), b.Bits()) })
	for _, p := range list { // each after those that hold it
		d := all[p]
		if wider, ok := t.exporters.LookupPrefix(p); ok {
			d.inherit(wider)
		}
		t.exporters.Insert(p, d)
	}
	return t, nil
}

func (d *described) inherit(from *described) {
	d.name = cmp.Or(d.name, from.name)
	d.group = cmp.Or(d.group, from.group)
	d.role = cmp.Or(d.role, from.role)
	d.site = cmp.Or(d.site, from.site)
	d.region = cmp.Or(d.region, from.region)
	d.tenant = cmp.Or(d.tenant, from.tenant)
	d.interfaces = slices.Concat(d.interfaces, from.interfaces)
}

// Entries is the number of exporters and prefixes described.
func (t *Table) Entries() int { return t.exporters.Size() }

var nobody = &described{}

// describe is what is said of an exporter.
func (t *Table) describe(a column.Addr) *described {
	if d, ok := t.exporters.Lookup(a.IP()); ok {
		return d
	}
	return nobody
}

// Name is what an exporter is called, empty if nothing says it.
func (t *Table) Name(a netip.Addr) string { return t.describe(column.AddrFrom(a)).name.String() }

// A Stage fills the columns of exporters and interfaces. It belongs to one goroutine:
// it keeps what it found for each exporter and interface, until that is news.
type Stage struct {
	told  *Told
	table *Table
	views map[column.Addr]*view
	slots int // for interfaces, in all views
}

// Stage makes a stage; stages share what exporters tell.
func (t *Told) Stage() *Stage { return &Stage{told: t, views: map[column.Addr]*view{}} }

// Bounds of what a stage keeps. Forged addresses and interfaces only make it forget.
const (
	maxViews = 16_384
	maxSlots = 1 << 20
)

// Apply fills Exporter… and In… and OutIf….
func (s *Stage) Apply(t *Table, b *column.Batch) {
	if s.table != t || s.slots > maxSlots {
		s.table, s.slots = t, 0
		clear(s.views)
	}
	addrs := flow.ExporterAddress.Column(b)[:b.Len()]
	for from := 0; from < len(addrs); { // rows of one exporter come in runs
		to := from + 1
		for to < len(addrs) && addrs[to] == addrs[from] {
			to++
		}
		v := s.view(addrs[from])
		v.exporter(b, from, to)
		v.inputs(b, from, to)
		v.outputs(b, from, to)
		from = to
	}
}

// view is what is known of an exporter now.
func (s *Stage) view(a column.Addr) *view {
	v := s.views[a]
	if v == nil {
		if len(s.views) == maxViews {
			s.slots = 0
			clear(s.views)
		}
		v = &view{addr: a, stage: s, described: s.table.describe(a)}
		s.views[a] = v
	}
	if g := s.told.generation(); !v.looked || g != v.generation {
		v.looked, v.generation = true, g
		v.refresh()
	}
	return v
}

func (v *view) exporter(b *column.Batch, from, to int) {
	d := v.described
	if d == nobody {
		return
	}
	fill(b, from, to, flow.ExporterName, d.name)
	fill(b, from, to, flow.ExporterGroup, d.group)
	fill(b, from, to, flow.ExporterRole, d.role)
	fill(b, from, to, flow.ExporterSite, d.site)
	fill(b, from, to, flow.ExporterRegion, d.region)
	fill(b, from, to, flow.ExporterTenant, d.tenant)
}

// fill leaves columns alone that have no value: they would cost the store something.
func fill(b *column.Batch, from, to int, c column.Labels, l column.Label) {
	if l == (column.Label{}) {
		return
	}
	list := c.Column(b)[from:to]
	for i := range list {
		list[i] = l
	}
}

func (v *view) inputs(b *column.Batch, from, to int) {
	for i, index := range flow.InIf.Column(b)[from:to] {
		if index == 0 {
			continue
		}
		x := v.at(index)
		if x == unnamed {
			continue
		}
		row := from + i
		set(b, row, flow.InIfName, x.name)
		set(b, row, flow.InIfDescription, x.description)
		set(b, row, flow.InIfConnectivity, x.connectivity)
		set(b, row, flow.InIfProvider, x.provider)
		if x.speed != 0 {
			flow.InIfSpeed.Set(b, row, x.speed)
		}
		if x.boundary != 0 {
			flow.InIfBoundary.Set(b, row, x.boundary)
		}
	}
}

func (v *view) outputs(b *column.Batch, from, to int) {
	for i, index := range flow.OutIf.Column(b)[from:to] {
		if index == 0 {
			continue
		}
		x := v.at(index)
		if x == unnamed {
			continue
		}
		row := from + i
		set(b, row, flow.OutIfName, x.name)
		set(b, row, flow.OutIfDescription, x.description)
		set(b, row, flow.OutIfConnectivity, x.connectivity)
		set(b, row, flow.OutIfProvider, x.provider)
		if x.speed != 0 {
			flow.OutIfSpeed.Set(b, row, x.speed)
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

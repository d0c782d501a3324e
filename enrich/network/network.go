// Package network names the networks that addresses belong to, from prefixes that the
// operator describes. What a prefix leaves empty, the shorter ones that hold it fill in.
package network

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/gaissmai/bart"

	"netmeta/column"
	"netmeta/flow"
)

// Config is the networks, by prefix.
type Config map[string]Network

// Network is what to call a prefix.
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

// maxPrefixes bounds a table: a prefix takes some 200 octets.
const maxPrefixes = 1_000_000

// labels are the texts of a network, interned.
type labels struct{ name, role, site, region, tenant column.Label }

// A Table fills the columns of networks. It does not change, and is safe for any
// number of goroutines. A nil *Table fills nothing.
type Table struct {
	prefixes bart.Table[*labels]
}

// New makes a table of prefixes and of CSV files by their paths. The first line of a
// file names its columns: prefix, and of name, role, site, region and tenant those
// that it has. A prefix may stand once in all.
func New(c Config, files []string) (*Table, error) {
	all := make(map[netip.Prefix]Network, len(c))
	for text, n := range c {
		p, err := Prefix(text)
		if err != nil {
			return nil, fmt.Errorf("networks: %w", err)
		}
		if _, twice := all[p]; twice {
			return nil, fmt.Errorf("networks: %s: stands twice; remove one", text)
		}
		all[p] = n
	}
	for _, path := range files {
		if err := readFile(path, all); err != nil {
			return nil, fmt.Errorf("network-files: %s: %w", path, err)
		}
	}
	t := &Table{}
	for _, p := range shortFirst(all) {
		l := &labels{}
		if wider, ok := t.prefixes.LookupPrefix(p); ok {
			*l = *wider
		}
		n := all[p]
		for _, x := range []struct {
			label *column.Label
			text  string
		}{{&l.name, n.Name}, {&l.role, n.Role}, {&l.site, n.Site}, {&l.region, n.Region}, {&l.tenant, n.Tenant}} {
			if x.text != "" {
				*x.label = column.LabelOf(x.text)
			}
		}
		t.prefixes.Insert(p, l)
	}
	return t, nil
}

// shortFirst lists prefixes so that each comes after those that hold it.
func shortFirst(all map[netip.Prefix]Network) []netip.Prefix {
	list := make([]netip.Prefix, 0, len(all))
	for p := range all {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b netip.Prefix) int { return cmp.Compare(a.Bits(), b.Bits()) })
	return list
}

// Prefix reads a prefix, or an address, which is a prefix of full length.
func Prefix(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil || p.Addr().Is4In6():
		return p, fmt.Errorf("%q is neither a prefix, like 192.0.2.0/24 or 2001:db8::/32, nor an address", text)
	case p != p.Masked():
		return p, fmt.Errorf("%s has bits set behind its length; write %s", text, p.Masked())
	}
	return p, nil
}

func readFile(path string, into map[netip.Prefix]Network) error {
	f, err := os.Open(path)
	if err != nil {
		return errors.Unwrap(err) // it names the path as well
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comment, r.TrimLeadingSpace = '#', true
	head, err := r.Read()
	if err != nil {
		return fmt.Errorf("the first line must name the columns, like prefix,name,role: %w", err)
	}
	var n Network
	prefix := -1
	fields := make([]*string, len(head))
	for i, name := range head {
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "prefix":
			prefix = i
		case "name":
			fields[i] = &n.Name
		case "role":
			fields[i] = &n.Role
		case "site":
			fields[i] = &n.Site
		case "region":
			fields[i] = &n.Region
		case "tenant":
			fields[i] = &n.Tenant
		default:
			return fmt.Errorf("column %q: use prefix, name, role, site, region, tenant", name)
		}
	}
	if prefix < 0 {
		return errors.New("the first line names no column prefix")
	}
	r.ReuseRecord = true
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		line, _ := r.FieldPos(0)
		p, err := Prefix(strings.TrimSpace(record[prefix]))
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		if _, twice := into[p]; twice {
			return fmt.Errorf("line %d: %s: stands twice; remove one", line, p)
		}
		if len(into) == maxPrefixes {
			return fmt.Errorf("line %d: these are more than %d prefixes", line, maxPrefixes)
		}
		n = Network{}
		for i, field := range fields {
			if field != nil {
				*field = strings.Clone(strings.TrimSpace(record[i]))
			}
		}
		into[p] = n
	}
}

// Entries is the number of prefixes.
func (t *Table) Entries() int {
	if t == nil {
		return 0
	}
	return t.prefixes.Size()
}

// Apply fills Src… and DstNetName, Role, Site, Region and Tenant.
func (t *Table) Apply(b *column.Batch) {
	if t.Entries() == 0 {
		return
	}
	rows := b.Len()
	for row, a := range flow.SrcAddr.Column(b)[:rows] {
		if l, ok := t.prefixes.Lookup(a.IP()); ok {
			set(b, row, flow.SrcNetName, l.name)
			set(b, row, flow.SrcNetRole, l.role)
			set(b, row, flow.SrcNetSite, l.site)
			set(b, row, flow.SrcNetRegion, l.region)
			set(b, row, flow.SrcNetTenant, l.tenant)
		}
	}
	for row, a := range flow.DstAddr.Column(b)[:rows] {
		if l, ok := t.prefixes.Lookup(a.IP()); ok {
			set(b, row, flow.DstNetName, l.name)
			set(b, row, flow.DstNetRole, l.role)
			set(b, row, flow.DstNetSite, l.site)
			set(b, row, flow.DstNetRegion, l.region)
			set(b, row, flow.DstNetTenant, l.tenant)
		}
	}
}

// set leaves columns alone that have no value: they would cost the store something.
func set(b *column.Batch, row int, c column.Labels, l column.Label) {
	if l != (column.Label{}) {
		c.Set(b, row, l)
	}
}

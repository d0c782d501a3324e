// Package route says which AS and country an address belongs to, when the exporter
// does not, and what ASes are called. What it knows is Data, a file that is made of
// public tables; see ipdata.
package route

import (
	"fmt"
	"slices"
	"strings"

	"netmeta/column"
	"netmeta/flow"
)

// Config is where the AS of an address comes from, and names of ASes.
type Config struct {
	// Who says the AS of an address: "exporter" in its records, "data", the public table
	// that comes with NetMeta. The first that knows counts.
	Order []string `yaml:"order" reload:"live"`
	// Names of ASes by number: private ones, or other names than the public table has.
	Names map[uint32]string `yaml:"names" reload:"live"`
}

// Default is the configuration without a file.
func Default() Config { return Config{Order: []string{"exporter", "data"}} }

// Validate checks values. Each error names the key, the value and the remedy.
func (c Config) Validate() error {
	seen := map[string]bool{}
	for _, name := range c.Order {
		if name != "exporter" && name != "data" || seen[name] {
			return fmt.Errorf("order: %s: use exporter, data or both, each once, the one that counts first", strings.Join(c.Order, ", "))
		}
		seen[name] = true
	}
	for as, name := range c.Names {
		if as == 0 || strings.TrimSpace(name) == "" {
			return fmt.Errorf("names: %d: %q: write an AS number and a name, like 64500: Example", as, name)
		}
	}
	return nil
}

// A Table fills AS and country. It does not change, and is safe for any number of
// goroutines. A nil *Table fills nothing.
type Table struct {
	data     *Data
	names    map[uint32]string
	exporter bool // what the exporter says stays, if it is not zero
	clear    bool // what the exporter says goes, even when nobody else knows
	as       bool // data says ASes
	country  bool
}

// New makes a table of a valid Config; data may be nil.
func New(c Config, data *Data, country bool) *Table {
	said, known := slices.Index(c.Order, "exporter"), slices.Index(c.Order, "data")
	return &Table{
		data: data, names: c.Names, country: country && data != nil,
		exporter: said >= 0 && (known < 0 || said < known), clear: said < 0, as: known >= 0 && data != nil,
	}
}

// Apply fills SrcAS, DstAS, SrcCountry and DstCountry.
func (t *Table) Apply(b *column.Batch) {
	if t == nil || !t.as && !t.country && !t.clear {
		return
	}
	t.side(b, flow.SrcAddr.Column(b), flow.SrcAS, flow.SrcCountry)
	t.side(b, flow.DstAddr.Column(b), flow.DstAS, flow.DstCountry)
}

func (t *Table) side(b *column.Batch, addrs []column.Addr, as column.U32, country column.Labels) {
	said := as.Column(b)[:b.Len()]
	if t.clear {
		clear(said)
	}
	if !t.as && !t.country {
		return
	}
	for row := range said {
		ask := t.as && (said[row] == 0 || !t.exporter)
		if !ask && !t.country {
			continue
		}
		p := t.data.Place(addrs[row])
		if ask && p.AS != 0 {
			said[row] = p.AS
		}
		if t.country && p.Country != (column.Label{}) {
			country.Set(b, row, p.Country)
		}
	}
}

// Name is what an AS is called, empty if that is not known.
func (t *Table) Name(as uint32) string {
	if t == nil {
		return ""
	}
	if name, ok := t.names[as]; ok {
		return name
	}
	return t.data.Name(as)
}

// Find calls yield with the ASes whose names contain a text, whatever the case of its
// letters: the configured ones first, then by rising number, until it returns false.
func (t *Table) Find(text string, yield func(as uint32, name string) bool) {
	if t == nil || text == "" {
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
	t.data.Find(text, func(as uint32, name string) bool {
		_, named := t.names[as]
		return named || yield(as, name)
	})
}

package exporter

import (
	"slices"

	"netmeta/column"
	"netmeta/enrich/names"
	"netmeta/flow"
)

// interfaceLabels are the values of one interface in its rows.
type interfaceLabels struct {
	names.Interface
	connectivity, provider column.Label
	boundary               uint8
}

var unnamed = &interfaceLabels{}

// exporterCache is what a Stage has looked up about one exporter.
type exporterCache struct {
	addr    column.Addr
	table   *Table
	slots   *int // of the stage
	config  *exporterLabels
	name    column.Label
	looked  bool
	changes uint64 // of the book, when edition was read
	edition names.Edition

	low  []*interfaceLabels // by ifIndex; nil: not looked up yet
	high map[uint32]*interfaceLabels
}

// lowIndexes are in a slice that grows as necessary, because most devices number from 1. The others are in a
// map.
const lowIndexes = 1024

// refresh clears the cache if the book has changed for the exporter.
func (v *exporterCache) refresh(changes uint64) {
	edition := v.table.book.Edition(v.addr)
	if !v.looked || edition != v.edition {
		v.name = v.table.name(v.config, v.addr)
		clear(v.low)
		clear(v.high)
	}
	v.looked, v.changes, v.edition = true, changes, edition
}

// at returns the values of an interface.
func (v *exporterCache) at(index uint32) *interfaceLabels {
	if index < uint32(len(v.low)) {
		if x := v.low[index]; x != nil {
			return x
		}
	} else if x := v.high[index]; x != nil {
		return x
	}
	return v.find(index)
}

// find looks up an interface that is not cached, and caches it.
func (v *exporterCache) find(index uint32) *interfaceLabels {
	x := v.resolve(index)
	if index < lowIndexes {
		if n := int(index) + 1 - len(v.low); n > 0 {
			v.low = slices.Grow(v.low, n)
			n = cap(v.low) - len(v.low)
			v.low = v.low[:cap(v.low)]
			*v.slots += n
		}
		if index < uint32(len(v.low)) {
			v.low[index] = x
			return x
		}
	}
	if v.high == nil {
		v.high = map[uint32]*interfaceLabels{}
	}
	v.high[index] = x
	*v.slots++
	return x
}

// resolve determines the values of an interface.
func (v *exporterCache) resolve(index uint32) *interfaceLabels {
	reported := v.table.book.Interface(v.addr, index)
	x := v.table.configured(v.config, index, v.table.order.Interface(reported))
	reported[names.Config] = x.Interface
	x.Interface = v.table.order.Interface(reported)
	if x == *unnamed {
		return unnamed
	}
	return &x
}

// configured returns the values of the rules for an interface with these reported names.
func (t *Table) configured(d *exporterLabels, index uint32, reported names.Interface) (x interfaceLabels) {
	for _, r := range slices.Concat(d.rules, t.rules) {
		expand, ok := r.holds(index, reported.Name.String(), reported.Description.String())
		if !ok {
			continue
		}
		put := func(l *column.Label, text string) {
			if *l == (column.Label{}) && text != "" {
				*l = column.LabelOf(expand(text))
			}
		}
		put(&x.Name, r.Name)
		put(&x.Description, r.Description)
		put(&x.connectivity, r.Connectivity)
		put(&x.provider, r.Provider)
		if x.Speed == 0 {
			x.Speed = uint64(r.Speed)
		}
		if x.boundary == 0 {
			x.boundary = uint8(r.Boundary)
		}
	}
	return x
}

// Configured returns the configured values of an interface, also of those without flows: texts are empty and
// the speed is 0 if no rule sets them.
func (t *Table) Configured(a column.Addr, index uint32) (name, description, boundary string, speed uint64) {
	x := t.configured(t.describe(a), index, t.order.Interface(t.book.Interface(a, index)))
	if x.boundary != 0 {
		boundary = flow.InIfBoundary.Field.Enum[x.boundary]
	}
	return x.Name.String(), x.Description.String(), boundary, x.Speed
}

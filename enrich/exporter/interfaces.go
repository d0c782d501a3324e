package exporter

import (
	"slices"

	"netmeta/column"
	"netmeta/enrich/names"
	"netmeta/flow"
)

// ifaceValues are what the rows of one interface get.
type ifaceValues struct {
	names.Interface
	connectivity, provider column.Label
	boundary               uint8
}

var unnamed = &ifaceValues{}

// A view is what a Stage has looked up about one exporter.
type view struct {
	addr    column.Addr
	table   *Table
	slots   *int // of the stage
	config  *description
	name    column.Label
	looked  bool
	changes uint64 // of the book, when edition was looked at
	edition names.Edition

	low  []*ifaceValues // by ifIndex; nil is not looked up yet
	high map[uint32]*ifaceValues
}

// lowIndexes are kept in a slice as long as it must be: most devices number from 1
// on. The others are found in a map.
const lowIndexes = 1024

// refresh forgets what was found, if the book has something new about the exporter.
func (v *view) refresh(changes uint64) {
	edition := v.table.book.Edition(v.addr)
	if !v.looked || edition != v.edition {
		v.name = v.table.name(v.config, v.addr)
		clear(v.low)
		clear(v.high)
	}
	v.looked, v.changes, v.edition = true, changes, edition
}

// at is what is known of an interface.
func (v *view) at(index uint32) *ifaceValues {
	if index < uint32(len(v.low)) {
		if x := v.low[index]; x != nil {
			return x
		}
	} else if x := v.high[index]; x != nil {
		return x
	}
	return v.find(index)
}

// find looks an interface up that is not kept, and keeps it.
func (v *view) find(index uint32) *ifaceValues {
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
		v.high = map[uint32]*ifaceValues{}
	}
	v.high[index] = x
	*v.slots++
	return x
}

// resolve works out what to call an interface.
func (v *view) resolve(index uint32) *ifaceValues {
	reported := v.table.book.Interface(v.addr, index)
	x := v.table.configured(v.config, index, v.table.order.Interface(reported))
	reported[names.Config] = x.Interface
	x.Interface = v.table.order.Interface(reported)
	if x == *unnamed {
		return unnamed
	}
	return &x
}

// configured is what the rules say of an interface that is reported so.
func (t *Table) configured(d *description, index uint32, reported names.Interface) (x ifaceValues) {
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

// Configured is what the operator says of an interface, for those of which no flow
// tells: texts are empty and the speed is 0 where no rule does.
func (t *Table) Configured(a column.Addr, index uint32) (name, description, boundary string, speed uint64) {
	x := t.configured(t.describe(a), index, t.order.Interface(t.book.Interface(a, index)))
	if x.boundary != 0 {
		boundary = flow.InIfBoundary.Field.Enum[x.boundary]
	}
	return x.Name.String(), x.Description.String(), boundary, x.Speed
}

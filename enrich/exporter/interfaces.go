package exporter

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"netmeta/column"
	"netmeta/flow"
)

// Interface is what to call interfaces. It holds for those that have its index and
// whose name or description, as the exporter told them, matches; without either it
// holds for all. Of several that hold, each value comes from the first that has it.
type Interface struct {
	// ifIndex of the interface.
	Index uint32 `yaml:"index"`
	// Regular expression (RE2) on the name or the description that the exporter told.
	// The values may use what its groups caught, as $1 or ${1}.
	Match string `yaml:"match"`
	// Name of the interface.
	Name string `yaml:"name"`
	// Description of the interface.
	Description string `yaml:"description"`
	// Speed in bits per second: 10G, 100M.
	Speed string `yaml:"speed"`
	// Boundary: external for an interface that leads out of the network, else internal.
	Boundary string `yaml:"boundary"`
	// Connectivity: transit, peering, customer and so on.
	Connectivity string `yaml:"connectivity"`
	// Provider: the network behind the interface.
	Provider string `yaml:"provider"`
}

// A rule is an Interface that is checked.
type rule struct {
	Interface
	match    *regexp.Regexp
	speed    uint64
	boundary uint8
}

// rules checks descriptions. Errors begin with the place in the list.
func rules(list []Interface) ([]rule, error) {
	rs := make([]rule, len(list))
	for i, x := range list {
		r := rule{Interface: x}
		bad := func(key, value, remedy string) error {
			return fmt.Errorf("[%d].%s: %s: %s", i, key, value, remedy)
		}
		if x.Match != "" {
			var err error
			if r.match, err = regexp.Compile(x.Match); err != nil {
				return nil, bad("match", x.Match, "is no regular expression: "+err.Error())
			}
		}
		if x.Speed != "" {
			var ok bool
			if r.speed, ok = parseSpeed(x.Speed); !ok {
				return nil, bad("speed", x.Speed, "write bits per second, like 10G, 100M or 2500000000")
			}
		}
		if x.Boundary != "" {
			at := slices.Index(flow.InIfBoundary.Field.Enum, x.Boundary)
			if at <= 0 {
				return nil, bad("boundary", x.Boundary, "use external or internal")
			}
			r.boundary = uint8(at)
		}
		if x == (Interface{Index: x.Index, Match: x.Match}) {
			return nil, fmt.Errorf("[%d]: says nothing of an interface; give it a name, a description, a speed, a boundary, a connectivity or a provider", i)
		}
		rs[i] = r
	}
	return rs, nil
}

func parseSpeed(text string) (uint64, bool) {
	number, factor := text, 1.0
	if text != "" {
		if i := strings.IndexByte("kMGT", text[len(text)-1]); i >= 0 {
			number, factor = text[:len(text)-1], [...]float64{1e3, 1e6, 1e9, 1e12}[i]
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if n *= factor; err != nil || !(n >= 1 && n <= 1e15) {
		return 0, false
	}
	return uint64(n), true
}

// An attached is what the rows of one interface get.
type attached struct {
	name, description, connectivity, provider column.Label
	speed                                     uint64
	boundary                                  uint8
}

var unnamed = &attached{}

// A view is what a Stage knows of one exporter.
type view struct {
	addr       column.Addr
	stage      *Stage
	described  *described
	looked     bool
	generation uint64 // of what all exporters told, when it was looked at
	news       toldNews

	low  []*attached // by ifIndex; nil is not looked up yet
	high map[uint32]*attached
}

// lowIndexes are kept in a slice as long as it must be: most devices number from 1
// on. The others are found in a map.
const lowIndexes = 1024

// refresh forgets what was found, if the exporter has told something new since.
func (v *view) refresh() {
	if news := v.stage.told.news(v.addr); news != v.news {
		v.news = news
		clear(v.low)
		clear(v.high)
	}
}

// at is what is known of an interface.
func (v *view) at(index uint32) *attached {
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
func (v *view) find(index uint32) *attached {
	x := v.resolve(index)
	if index < lowIndexes {
		if n := int(index) + 1 - len(v.low); n > 0 {
			v.low = slices.Grow(v.low, n)
			n = cap(v.low) - len(v.low)
			v.low = v.low[:cap(v.low)]
			v.stage.slots += n
		}
		if index < uint32(len(v.low)) {
			v.low[index] = x
			return x
		}
	}
	if v.high == nil {
		v.high = map[uint32]*attached{}
	}
	v.high[index] = x
	v.stage.slots++
	return x
}

// resolve works out what to call an interface.
func (v *view) resolve(index uint32) *attached {
	told := v.stage.told.interfaceOf(v.addr, index)
	x := v.stage.table.configured(v.described, index, told)
	if x.name == (column.Label{}) {
		x.name = told.name
	}
	if x.description == (column.Label{}) {
		x.description = told.description
	}
	if x.speed == 0 {
		x.speed = told.speed
	}
	if x == *unnamed {
		return unnamed
	}
	return &x
}

// configured is what the operator says of an interface that told this of itself.
func (t *Table) configured(d *described, index uint32, told toldInterface) (x attached) {
	for _, r := range slices.Concat(d.interfaces, t.interfaces) {
		expand, ok := r.holds(index, told.name.String(), told.description.String())
		if !ok {
			continue
		}
		put := func(l *column.Label, text string) {
			if *l == (column.Label{}) && text != "" {
				*l = column.LabelOf(expand(text))
			}
		}
		put(&x.name, r.Name)
		put(&x.description, r.Description)
		put(&x.connectivity, r.Connectivity)
		put(&x.provider, r.Provider)
		if x.speed == 0 {
			x.speed = r.speed
		}
		if x.boundary == 0 {
			x.boundary = r.boundary
		}
	}
	return x
}

// Configured is what the operator says of an interface, for those of which no flow
// tells: texts are empty and the speed is 0 where nothing does.
func (t *Told) Configured(table *Table, a netip.Addr, index uint32) (name, description, boundary string, speed uint64) {
	exporter := column.AddrFrom(a)
	x := table.configured(table.describe(exporter), index, t.interfaceOf(exporter, index))
	if x.boundary != 0 {
		boundary = flow.InIfBoundary.Field.Enum[x.boundary]
	}
	return x.name.String(), x.description.String(), boundary, x.speed
}

// holds says whether a rule is about an interface, and how to put what the groups of
// its expression caught into its values.
func (r *rule) holds(index uint32, name, description string) (expand func(string) string, ok bool) {
	plain := func(text string) string { return text }
	if r.Index != 0 && r.Index != index {
		return nil, false
	}
	if r.match == nil {
		return plain, true
	}
	for _, text := range []string{name, description} {
		if text == "" {
			continue
		}
		if m := r.match.FindStringSubmatchIndex(text); m != nil {
			return func(template string) string {
				return strings.TrimSpace(string(r.match.ExpandString(nil, template, text, m)))
			}, true
		}
	}
	return nil, false
}

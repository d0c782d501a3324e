package names

import (
	"cmp"
	"fmt"
	"strings"

	"netmeta/column"
)

// Origin is where a name comes from.
type Origin uint8

const (
	Config  Origin = iota // rules of the configuration, which readers apply to the names in the book
	NetFlow               // options data of NetFlow v9 and IPFIX
	SFlow                 // counter samples
	origins
)

var originNames = [origins]string{"config", "netflow", "sflow"}

// String returns the name of the origin in the configuration.
func (o Origin) String() string { return originNames[o] }

// MarshalText returns the name of the origin in the configuration.
func (o Origin) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads the name of an origin.
func (o *Origin) UnmarshalText(text []byte) error {
	for i, name := range originNames {
		if name == string(text) {
			*o = Origin(i)
			return nil
		}
	}
	return fmt.Errorf("%q is not an origin of names; use %s", text, strings.Join(originNames[:], ", "))
}

// Order lists origins by precedence. Origins that are not listed are not used.
type Order []Origin

// Settings has the settings for names.
type Settings struct {
	// Origins of names, descriptions and speeds of exporters and interfaces, the one that takes precedence
	// first: config, the keys exporters and interfaces; netflow, options data; sflow, counter samples.
	// Origins that are not listed are not used.
	Order Order `yaml:"order" reload:"live"`
}

// Default is the configuration without a file.
func Default() Settings { return Settings{Order{Config, NetFlow, SFlow}} }

// Validate checks that no origin is listed twice.
func (s Settings) Validate() error {
	var seen [origins]bool
	for _, origin := range s.Order {
		if seen[origin] {
			return fmt.Errorf("order: %s: is listed twice; list each origin once", origin)
		}
		seen[origin] = true
	}
	return nil
}

// Interface is what an origin reports about an interface. Zero values are unknown.
type Interface struct {
	Name        column.Label // ifName: xe-0/0/1
	Description column.Label // ifAlias, or ifDescr if the device has nothing else
	Speed       uint64       // bits per second
}

// Interfaces are what all origins report about one interface, by origin.
type Interfaces [origins]Interface

// Interface returns each value from the first origin that has it.
func (o Order) Interface(from Interfaces) (x Interface) {
	for _, origin := range o {
		x.Name = cmp.Or(x.Name, from[origin].Name)
		x.Description = cmp.Or(x.Description, from[origin].Description)
		x.Speed = cmp.Or(x.Speed, from[origin].Speed)
	}
	return x
}

// Labels are the names that all origins report for one exporter, by origin.
type Labels [origins]column.Label

// Label returns the first name.
func (o Order) Label(from Labels) (l column.Label) {
	for _, origin := range o {
		l = cmp.Or(l, from[origin])
	}
	return l
}

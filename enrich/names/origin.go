package names

import (
	"cmp"
	"fmt"
	"strings"

	"netmeta/column"
)

// An Origin is what a name comes from.
type Origin uint8

const (
	Config  Origin = iota // rules of the configuration, which readers apply to what the book holds
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

// An Order lists origins, the one that takes precedence first. What the others say is
// not used.
type Order []Origin

// Settings are the keys of the configuration about names.
type Settings struct {
	// What names, descriptions and speeds of exporters and interfaces are taken from, the
	// origin that takes precedence first: config, the keys exporters and interfaces;
	// netflow, options data; sflow, counter samples. An origin that is not listed is not
	// used.
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

// An Interface is what an origin says about an interface. Zero values are not known.
type Interface struct {
	Name        column.Label // ifName: xe-0/0/1
	Description column.Label // ifAlias, or ifDescr where the device has nothing else
	Speed       uint64       // bits per second
}

// Interfaces are what all origins say about one interface, by origin.
type Interfaces [origins]Interface

// Interface takes each value from the first origin that knows it.
func (o Order) Interface(from Interfaces) (x Interface) {
	for _, origin := range o {
		x.Name = cmp.Or(x.Name, from[origin].Name)
		x.Description = cmp.Or(x.Description, from[origin].Description)
		x.Speed = cmp.Or(x.Speed, from[origin].Speed)
	}
	return x
}

// Labels are what all origins call one exporter, by origin.
type Labels [origins]column.Label

// Label takes the first name there is.
func (o Order) Label(from Labels) (l column.Label) {
	for _, origin := range o {
		l = cmp.Or(l, from[origin])
	}
	return l
}

package exporter

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"netmeta/flow"
)

// Interface is a rule for interfaces. It applies to those that have its index and whose reported name or
// description matches; without either it applies to all. If several apply, each value comes from the first
// that has it.
type Interface struct {
	// ifIndex of the interface.
	Index uint32 `yaml:"index"`
	// Regular expression (RE2) for the name or the description reported by the exporter. The values may refer
	// to its groups as $1 or ${1}.
	Match Pattern `yaml:"match"`
	// Name of the interface.
	Name string `yaml:"name"`
	// Description of the interface.
	Description string `yaml:"description"`
	// Speed in bits per second: 10G, 100M.
	Speed Speed `yaml:"speed"`
	// Boundary: external for an interface that leads out of the network, otherwise internal.
	Boundary Boundary `yaml:"boundary"`
	// Connectivity: transit, peering, customer and so on.
	Connectivity string `yaml:"connectivity"`
	// Provider: the network connected to the interface.
	Provider string `yaml:"provider"`
}

// validate checks rules. An error starts with the index in the list.
func validate(rules []Interface) error {
	for i, x := range rules {
		if x.Name == "" && x.Description == "" && x.Speed == 0 && x.Boundary == 0 && x.Connectivity == "" && x.Provider == "" {
			return fmt.Errorf("[%d]: says nothing of an interface; give it a name, a description, a speed, a boundary, a connectivity or a provider", i)
		}
	}
	return nil
}

// holds reports whether a rule applies to an interface, and returns how to expand the groups of its
// expression in values.
func (r *Interface) holds(index uint32, name, description string) (expand func(string) string, ok bool) {
	plain := func(text string) string { return text }
	if r.Index != 0 && r.Index != index {
		return nil, false
	}
	if r.Match.Regexp == nil {
		return plain, true
	}
	for _, text := range []string{name, description} {
		if text == "" {
			continue
		}
		if m := r.Match.FindStringSubmatchIndex(text); m != nil {
			return func(template string) string {
				return strings.TrimSpace(string(r.Match.ExpandString(nil, template, text, m)))
			}, true
		}
	}
	return nil, false
}

// Pattern is a regular expression; the zero value is none.
type Pattern struct{ *regexp.Regexp }

// UnmarshalText compiles an expression; an empty text is none.
func (p *Pattern) UnmarshalText(text []byte) (err error) {
	p.Regexp = nil
	if len(text) == 0 {
		return nil
	}
	if p.Regexp, err = regexp.Compile(string(text)); err != nil {
		return fmt.Errorf("%s: is not a regular expression: %w", text, err)
	}
	return nil
}

// MarshalText returns the expression.
func (p Pattern) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// String returns the expression.
func (p Pattern) String() string {
	if p.Regexp == nil {
		return ""
	}
	return p.Regexp.String()
}

// Speed is in bits per second; 0 is unknown.
type Speed uint64

var speedUnits = [...]struct {
	letter string
	factor float64
}{{"T", 1e12}, {"G", 1e9}, {"M", 1e6}, {"k", 1e3}}

// UnmarshalText reads 10G, 100M or 2500000000; an empty text is 0.
func (s *Speed) UnmarshalText(text []byte) error {
	*s = 0
	if len(text) == 0 {
		return nil
	}
	number, factor := string(text), 1.0
	for _, unit := range speedUnits {
		if rest, ok := strings.CutSuffix(number, unit.letter); ok {
			number, factor = rest, unit.factor
			break
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if n *= factor; err != nil || !(n >= 1 && n <= 1e15) {
		return fmt.Errorf("%s: use bits per second, such as 10G, 100M or 2500000000", text)
	}
	*s = Speed(n)
	return nil
}

// String returns the speed as in the configuration, in the largest unit not above it.
func (s Speed) String() string {
	if s == 0 {
		return ""
	}
	for _, unit := range speedUnits {
		if float64(s) >= unit.factor {
			return strconv.FormatFloat(float64(s)/unit.factor, 'f', -1, 64) + unit.letter
		}
	}
	return strconv.FormatUint(uint64(s), 10)
}

// MarshalText is String.
func (s Speed) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Boundary is one of flow.Boundary…; 0 is unknown.
type Boundary uint8

// UnmarshalText reads external or internal; an empty text is 0.
func (b *Boundary) UnmarshalText(text []byte) error {
	*b = 0
	if len(text) == 0 {
		return nil
	}
	at := slices.Index(flow.InIfBoundary.Field.Enum, string(text))
	if at <= 0 {
		return fmt.Errorf("%s: use external or internal", text)
	}
	*b = Boundary(at)
	return nil
}

// String returns the boundary as in the configuration.
func (b Boundary) String() string {
	if b == 0 {
		return ""
	}
	return flow.InIfBoundary.Field.Enum[b]
}

// MarshalText is String.
func (b Boundary) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

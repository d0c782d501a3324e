package filter

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Config has the named filters.
type Config struct {
	// Filters by name, for use as @name in other filters.
	Macros map[string]string `yaml:"macros" reload:"live"`
}

// Validate parses the filters.
func (c Config) Validate() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c.Macros)) {
		if _, err := Parse(c.Macros[name], Names{Macros: c.Macros}); err != nil {
			errs = append(errs, fmt.Errorf("macros.%s: %q: %w", name, c.Macros[name], err))
		}
	}
	return errors.Join(errs...)
}

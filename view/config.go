package view

import (
	"errors"
	"fmt"
)

// Config is the views of the configuration file.
type Config []View

// Validate checks the views. Each has a unique slug.
func (c Config) Validate() error {
	var errs []error
	seen := map[string]bool{}
	for i, v := range c {
		switch err := v.Complete(); {
		case err != nil:
			errs = append(errs, fmt.Errorf("[%d].%w", i, err))
		case seen[v.Slug]:
			errs = append(errs, fmt.Errorf("[%d].slug: %s: is the slug of another view; use a different one", i, v.Slug))
		}
		seen[v.Slug] = true
	}
	return errors.Join(errs...)
}

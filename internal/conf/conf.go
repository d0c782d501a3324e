// Package conf has types of values in the configuration file that several packages
// need, and the form of errors about values. A type reads its value once, from text, so
// that a configuration that was read holds no value that is invalid by itself.
package conf

import (
	"errors"
	"fmt"
	"strings"

	"netmeta/internal/secret"
)

// Errors collects errors about the values of a configuration.
type Errors []error

// Add appends the error "key: value: fix". Credentials in addresses are masked.
func (e *Errors) Add(key string, value any, fix string) {
	*e = append(*e, errors.New(secret.Mask(fmt.Sprintf("%s: %v: %s", key, value, fix))))
}

// Range appends an error if a number is not from low to high.
func (e *Errors) Range(key string, n, low, high int) {
	if n < low || n > high {
		e.Add(key, n, fmt.Sprintf("out of range; use %d to %d", low, high))
	}
}

// Within appends an error, or each one of several that were joined, with the key that
// it is relative to in front.
func (e *Errors) Within(key string, err error) {
	if err == nil {
		return
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			e.Within(key, err)
		}
		return
	}
	separator := "."
	if strings.HasPrefix(err.Error(), "[") { // an item of a list
		separator = ""
	}
	*e = append(*e, fmt.Errorf("%s%s%w", key, separator, err))
}

// Join returns all errors as one, nil if there are none.
func (e Errors) Join() error { return errors.Join(e...) }

// MiB is a size in mebibytes.
type MiB int

// Bytes returns the size in bytes.
func (m MiB) Bytes() int64 { return int64(m) << 20 }

package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"netmeta/internal/secret"
	"netmeta/internal/wholefile"
)

// maxSecret is the maximum size of a file with a secret.
const maxSecret = 4 << 10

// readSecrets replaces each secret ${file:PATH} by what is in the file.
func (c *Config) readSecrets() error {
	var errs []error
	walk(reflect.ValueOf(c).Elem(), "", func(key string, v reflect.Value, _ reflect.StructTag) {
		s, ok := v.Addr().Interface().(*secret.Text)
		if !ok {
			return
		}
		text, err := fromFile(*s)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w; write the secret into the file", key, err))
		}
		*s = text
	})
	return errors.Join(errs...)
}

// fromFile returns a secret that may be in a file. What is not a password would fail
// later, where the file is unknown.
func fromFile(s secret.Text) (secret.Text, error) {
	path, ok := strings.CutPrefix(s.Reveal(), "${file:")
	if !ok {
		return s, nil
	}
	path = strings.TrimSuffix(path, "}")
	content, err := wholefile.ReadAll(path, maxSecret)
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(content))
	if text == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return secret.Text(text), nil
}

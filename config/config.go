// Package config is the configuration file: the list of its members, which own their
// keys, and how it is read, checked and reloaded. Every key is optional; without a file
// NetMeta runs on the defaults.
package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"netmeta/api"
	"netmeta/engine"
	"netmeta/enrich"
	"netmeta/filter"
	"netmeta/flow"
	"netmeta/internal/conf"
	"netmeta/internal/secret"
	"netmeta/source"
	"netmeta/source/netflow"
	"netmeta/source/udp"
	"netmeta/store"
	"netmeta/view"
)

// Config is the file. A member is the Config of the package that owns the keys: their
// types, defaults, descriptions, and Validate for what their types do not check. The tag
// reload:"live" marks keys that a running NetMeta takes over when the file is read again;
// the others need a restart. Keys that may hold a secret have a type of package secret,
// which does not show it.
type Config struct {
	// Data directory: store, spool, saved views, secrets.
	Data string `yaml:"data"`
	// Soft memory limit of the collector in MiB, at least 128; 0: a fifth of the memory of the
	// machine or the control group. It does not include the engine, which has
	// engine.memory-mib.
	MemoryMiB conf.MiB          `yaml:"memory-mib" reload:"live"`
	HTTP      api.Config        `yaml:"http"`
	Sources   Sources           `yaml:"sources"`
	Enrich    enrich.Config     `yaml:"enrich"`
	Store     store.Config      `yaml:"store"`
	Spool     store.SpoolConfig `yaml:"spool"`
	Engine    engine.Config     `yaml:"engine"`
	Filter    filter.Config     `yaml:"filter"`
	// Views and boards for everyone, read-only in the web UI.
	Views view.Config `yaml:"views" reload:"live"`
	Log   Log         `yaml:"log"`
	Debug Debug       `yaml:"debug"`
}

// Sources are the ways in.
type Sources struct {
	UDP      udp.Config            `yaml:"udp"`
	NetFlow  netflow.Config        `yaml:"netflow"`
	Sampling source.SamplingConfig `yaml:"sampling"`
}

// Default is the configuration without a file.
func Default() Config {
	return Config{
		Data:    "./data",
		HTTP:    api.Default(),
		Sources: Sources{UDP: udp.Default()},
		Enrich:  enrich.Default(),
		Store:   store.Default(),
		Spool:   store.DefaultSpool(),
		Engine:  engine.Default(),
		Log:     Log{Format: "text", Level: Level{text: "info"}},
	}
}

// Load reads a file over the defaults and checks it. Errors name the line, the key,
// the value and what to write instead.
func Load(path string) (Config, error) {
	c := Default()
	err := c.Read(path)
	return c, err
}

// Read reads a file over c and checks the result, as Load does.
func (c *Config) Read(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if err := Parse(text, c); err != nil {
		return fmt.Errorf("configuration %s: %w", path, err)
	}
	return nil
}

// Parse reads YAML over c and checks the result.
func Parse(text []byte, c *Config) error {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return withoutSource(err)
	}
	var errs []error
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.NullType {
			continue // only comments: the defaults apply
		}
		if errs = append(errs, mistakes(doc.Body)...); len(errs) > 0 {
			continue
		}
		if err := yaml.NodeToValue(doc.Body, c, yaml.Strict()); err != nil {
			return withoutSource(err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return secret.Error(err)
	}
	if err := c.readSecrets(); err != nil {
		return err
	}
	return c.Validate()
}

// withoutSource is an error of the YAML library with the place and without the lines
// around it, which may hold a password.
func withoutSource(err error) error {
	var y yaml.Error
	if !errors.As(err, &y) {
		return secret.Error(err)
	}
	where := ""
	if at := y.GetToken(); at != nil && at.Position != nil {
		where = fmt.Sprintf("line %d, column %d: ", at.Position.Line, at.Position.Column)
	}
	return errors.New(where + secret.Mask(y.GetMessage()))
}

// validator is a member that checks its values. Errors start with a key below the member.
type validator interface{ Validate() error }

// Validate checks the values. Each error has the key, the value and the fix.
func (c Config) Validate() error {
	var errs conf.Errors
	if c.Data == "" {
		errs.Add("data", `""`, "no directory; use the path of one")
	}
	if m := c.MemoryMiB; m != 0 && m < 128 {
		errs.Add("memory-mib", m, "too small for the collector; use at least 128, or 0 for a fifth of the memory")
	}
	validate(reflect.ValueOf(c), "", &errs)
	for _, name := range c.Store.Columns { // the store knows no table
		if f := flow.Table.Field(name); name != "all" && (f == nil || !f.Rare) {
			errs.Add("store.columns", name, `is not a rare column of the flows table; use one that netmeta schema lists`)
		}
	}
	return errs.Join()
}

// validate calls Validate of the members of a struct. One that has it checks all keys
// below it.
func validate(v reflect.Value, path string, errs *conf.Errors) {
	for i := range v.NumField() {
		key := path + v.Type().Field(i).Tag.Get("yaml")
		if member, ok := v.Field(i).Interface().(validator); ok {
			errs.Within(key, member.Validate())
		} else if isObject(v.Field(i).Type()) {
			validate(v.Field(i), key+".", errs)
		}
	}
}

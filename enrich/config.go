package enrich

import (
	"errors"
	"fmt"
	"time"

	"netmeta/enrich/class"
	"netmeta/enrich/exporter"
	"netmeta/enrich/feed"
	"netmeta/enrich/names"
	"netmeta/enrich/network"
	"netmeta/enrich/route"
)

// Config describes the network.
type Config struct {
	Own class.Config `yaml:"own"`
	// Exporters by address or prefix. Empty values are inherited from shorter prefixes.
	Exporters map[network.Prefix]exporter.Exporter `yaml:"exporters" reload:"live"`
	// Interfaces of any exporter; those of the exporter itself take precedence.
	Interfaces []exporter.Interface `yaml:"interfaces" reload:"live"`
	Names      names.Settings       `yaml:"names"`
	// Networks by prefix. Empty values are inherited from shorter prefixes.
	Networks network.Config `yaml:"networks" reload:"live"`
	// CSV files with more networks, by path or http or https URL. The first line names the columns: prefix,
	// and any of name, role, site, region and tenant.
	NetworkFiles []feed.Location `yaml:"network-files" reload:"live"`
	AS           route.Config    `yaml:"as"`
	// Fill the country of addresses.
	Country bool `yaml:"country" reload:"live"`
	// File or URL of the table of ASes and countries of addresses, instead of ip.data next to the program.
	Data feed.Location `yaml:"data" reload:"live"`
	// Interval of fetches of the URLs of network-files and data, 1m to 720h. Files are read at the start and
	// at each reload.
	Refresh feed.Interval `yaml:"refresh" reload:"live"`
}

// Default is the configuration without a file.
func Default() Config {
	return Config{Names: names.Default(), AS: route.Default(), Country: true, Refresh: feed.Interval(time.Hour)}
}

// Validate checks values without reading files. Each error has the key below enrich, the value and the fix.
func (c Config) Validate() error {
	var errs []error
	for _, member := range []struct {
		key string
		err error
	}{
		{"own.", c.Own.Validate()},
		{"", c.naming().Validate()},
		{"names.", c.Names.Validate()},
		{"as.", c.AS.Validate()},
	} {
		if member.err != nil {
			errs = append(errs, fmt.Errorf("%s%w", member.key, member.err))
		}
	}
	return errors.Join(errs...)
}

// naming returns the settings of the stage exporter.
func (c Config) naming() exporter.Config {
	return exporter.Config{Exporters: c.Exporters, Interfaces: c.Interfaces, Order: c.Names.Order}
}

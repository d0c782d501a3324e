package source

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"netmeta/internal/conf"
)

// SamplingConfig has the sampling rates of exporters that do not report theirs.
type SamplingConfig struct {
	// Sampling rates of exporters by address, for those that report none in their records,
	// options data or headers. 192.0.2.1: 1000 means that it samples 1 packet in 1,000.
	Exporters map[conf.Addr]uint32 `yaml:"exporters" reload:"live"`
}

// Validate checks the rates.
func (c SamplingConfig) Validate() error {
	var errs conf.Errors
	for _, a := range slices.SortedFunc(maps.Keys(c.Exporters), conf.Addr.Compare) {
		if c.Exporters[a] == 0 {
			errs.Add(fmt.Sprintf("exporters.%s", a), 0, "not a sampling rate; use 1 for an exporter that does not sample")
		}
	}
	return errs.Join()
}

// Rate returns the rate of an exporter; 0: none is configured.
func (c SamplingConfig) Rate(a netip.Addr) uint32 { return c.Exporters[conf.AddrOf(a)] }

// Names reports that the configuration has a rate for an exporter.
func (c SamplingConfig) Names(a netip.Addr) bool {
	_, ok := c.Exporters[conf.AddrOf(a)]
	return ok
}

// LimitConfig has the limits of exporters, so that one that floods leaves room for the others.
type LimitConfig struct {
	// Flows per second of each exporter; 0: no limit. Above it, 1 datagram in k is kept and
	// the sampling rate of its flows multiplied by k, so that totals stay right. The quality
	// bit "thinned" marks these flows. The datagrams of such an exporter arrive at a separate
	// socket, where they fill no buffer that others need.
	FlowsPerSecond uint64 `yaml:"flows-per-second" reload:"live"`
	// Limits of single exporters by address, instead of flows-per-second; 0: no limit.
	Exporters map[conf.Addr]uint64 `yaml:"exporters" reload:"live"`
}

// Of returns the limit of an exporter in flows per second; 0: none.
func (c LimitConfig) Of(a netip.Addr) uint64 {
	if n, ok := c.Exporters[conf.AddrOf(a)]; ok {
		return n
	}
	return c.FlowsPerSecond
}

// Names reports that the configuration has a limit for this exporter alone.
func (c LimitConfig) Names(a netip.Addr) bool {
	_, ok := c.Exporters[conf.AddrOf(a)]
	return ok
}

package collector

import (
	"net/netip"

	"netmeta/config"
)

// samplingRates are the configured rates by exporter.
func samplingRates(cfg config.Config) map[netip.Addr]uint32 {
	rates := map[netip.Addr]uint32{}
	for a, rate := range cfg.Sources.Sampling.Exporters {
		rates[netip.MustParseAddr(a).Unmap()] = rate
	}
	return rates
}

// flowLimits says the limit of each exporter, in flows per second.
func flowLimits(cfg config.Config) func(netip.Addr) uint64 {
	own := map[netip.Addr]uint64{}
	for a, n := range cfg.Sources.UDP.Limit.Exporters {
		own[netip.MustParseAddr(a).Unmap()] = n
	}
	return func(a netip.Addr) uint64 {
		if n, ok := own[a]; ok {
			return n
		}
		return cfg.Sources.UDP.Limit.FlowsPerSecond
	}
}

// named says whom the configuration names as an exporter.
func (s *Collector) named() func(netip.Addr) bool {
	cfg := s.config()
	listed := samplingRates(*cfg)
	for a := range cfg.Sources.UDP.Limit.Exporters {
		listed[netip.MustParseAddr(a).Unmap()] = 0
	}
	return func(a netip.Addr) bool {
		_, ok := listed[a]
		return ok || s.enrich.ExporterName(a) != ""
	}
}

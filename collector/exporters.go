package collector

import (
	"net/netip"
	"slices"

	"netmeta/config"
	"netmeta/source/netflow"
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

// prepareDecoders prepares other limits, sampling rates and elements of Extra.
func (s *Collector) prepareDecoders(next *config.Config) (change, error) {
	extra, err := netflow.Elements(next.Sources.NetFlow.Extra)
	if err != nil {
		return change{}, err
	}
	rates, limits := samplingRates(*next), flowLimits(*next)
	otherExtra := !slices.Equal(s.config().Sources.NetFlow.Extra, next.Sources.NetFlow.Extra)
	return change{commit: func() {
		s.decoding.rates.Store(&rates)
		s.decoding.Exporters.Limit(limits)
		if otherExtra {
			s.decoding.NetFlow.SetExtra(extra)
		}
	}}, nil
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
		return ok || s.enrich.Described(a)
	}
}

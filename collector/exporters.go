package collector

import (
	"net/netip"
	"slices"

	"netmeta/config"
)

// prepareDecoders prepares other limits, sampling rates and elements of Extra.
func (s *Collector) prepareDecoders(next *config.Config) (change, error) {
	old, sources := s.config().Sources, next.Sources
	return change{commit: func() {
		s.decoding.rates.Store(&sources.Sampling)
		s.decoding.Exporters.Limit(sources.UDP.Limit.Of)
		if !slices.Equal(old.NetFlow.Extra, sources.NetFlow.Extra) {
			s.decoding.NetFlow.SetExtra(sources.NetFlow.Extra)
		}
	}}, nil
}

// named reports which addresses the configuration names as exporters.
func (s *Collector) named() func(netip.Addr) bool {
	sources := s.config().Sources
	return func(a netip.Addr) bool {
		return sources.Sampling.Names(a) || sources.UDP.Limit.Names(a) || s.enrich.Described(a)
	}
}

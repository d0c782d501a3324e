package collector

import (
	"net/netip"
	"slices"

	"netmeta/config"
)

// prepareDecoders prepares new limits, sampling rates and elements of Extra.
func (c *Collector) prepareDecoders(next *config.Config) (change, error) {
	old, sources := c.config().Sources, next.Sources
	return change{commit: func() {
		c.decoding.rates.Store(&sources.Sampling)
		c.decoding.Exporters.Limit(sources.UDP.Limit.Of)
		if !slices.Equal(old.NetFlow.Extra, sources.NetFlow.Extra) {
			c.decoding.NetFlow.SetExtra(sources.NetFlow.Extra)
		}
	}}, nil
}

// named reports which addresses the configuration names as exporters.
func (c *Collector) named() func(netip.Addr) bool {
	sources := c.config().Sources
	return func(a netip.Addr) bool {
		return sources.Sampling.Names(a) || sources.UDP.Limit.Names(a) || c.enrich.Described(a)
	}
}

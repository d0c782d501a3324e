package collector

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"netmeta/store"
)

const (
	// floodInterval is the interval of checks for exporters over their limit.
	floodInterval = 100 * time.Millisecond
	// asideFor is how long an exporter keeps its own socket after it was last over its
	// limit. Moving an exporter costs more than leaving it there.
	asideFor = time.Minute
)

// keepAside gives each exporter that exceeds its limit its own socket, so that it cannot
// fill the buffer of others. It returns when ctx ends.
func (c *Collector) keepAside(ctx context.Context) {
	over := map[netip.Addr]time.Time{} // when each was last over its limit
	var outage store.Outage
	every(ctx, floodInterval, func() {
		now := time.Now()
		for _, a := range c.decoding.Exporters.Over(now.Unix()) {
			over[a] = now
		}
		var aside []netip.Addr
		for a, last := range over {
			if now.Sub(last) > asideFor {
				delete(over, a)
				continue
			}
			aside = append(aside, a)
		}
		slices.SortFunc(aside, netip.Addr.Compare)
		if err := c.udp.Aside(aside); err != nil {
			outage.Failed(c.log, "cannot separate exporters over their limit from others", now, "err", err)
		}
	})
}

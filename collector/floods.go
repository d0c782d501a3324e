package collector

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"netmeta/store"
)

const (
	// lookForFloods is how often it is looked who sends more than the limit.
	lookForFloods = 100 * time.Millisecond
	// asideFor is how long an exporter stays aside after it was over its limit last. To move
	// it costs more than to leave it there.
	asideFor = time.Minute
)

// keepAside has exporters that send more than their limit come to sockets of their own, so
// that they fill no buffer that others need, until ctx ends.
func (s *Collector) keepAside(ctx context.Context) {
	over := map[netip.Addr]time.Time{} // when they were so last
	var outage store.Outage
	every(ctx, lookForFloods, func() {
		now := time.Now()
		for _, a := range s.decoding.Exporters.Over(now.Unix()) {
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
		if err := s.udp.Aside(aside); err != nil {
			outage.Failed(s.log, "exporters over their limit share sockets with others", now, "err", err)
		}
	})
}

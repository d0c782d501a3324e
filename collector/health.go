package collector

import (
	"context"
	"time"

	"netmeta/health"
)

// healthRows is the size of the batch of exporters' health.
const healthRows = 1024

// recordHealth stores how the exporters are, each minute.
func (s *Collector) recordHealth(ctx context.Context) {
	for {
		begin := time.Now().Truncate(time.Minute)
		select {
		case <-time.After(time.Until(begin.Add(time.Minute))):
			s.storeHealth(begin)
		case <-ctx.Done():
			return
		}
	}
}

// storeHealth hands on what the exporters did since the last time. It is called by
// recordHealth, and once more when that and all sources have ended.
func (s *Collector) storeHealth(begin time.Time) {
	batch, emit := health.Table.NewBatch(healthRows), s.pipe.Emitter().Emit
	flush := func() { emit(batch) }
	s.health.Minute(begin, batch, flush)
	flush()
}

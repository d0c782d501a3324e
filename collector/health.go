package collector

import (
	"context"
	"time"

	"netmeta/source"
)

// recordHealth stores the health of the exporters at the end of each minute, until ctx
// ends.
func (s *Collector) recordHealth(ctx context.Context) {
	begin := thisMinute()
	for pause(ctx, time.Until(begin.Add(time.Minute))) {
		s.storeHealth(begin)
		begin = thisMinute()
	}
}

// recordLastHealth stores the health in the last, incomplete minute.
func (s *Collector) recordLastHealth() { s.storeHealth(thisMinute()) }

func thisMinute() time.Time { return time.Now().Truncate(time.Minute) }

// storeHealth queues the health of the exporters since its last call.
func (s *Collector) storeHealth(begin time.Time) {
	out := s.out(source.Kept)
	s.health.Minute(begin, out)
	out.Flush(context.Background()) // which does not end, so there is no error
}

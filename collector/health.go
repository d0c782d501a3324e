package collector

import (
	"context"
	"time"

	"netmeta/source"
)

// recordHealth stores how the exporters are, at the end of each minute, until ctx ends.
func (s *Collector) recordHealth(ctx context.Context) {
	begin := thisMinute()
	for pause(ctx, time.Until(begin.Add(time.Minute))) {
		s.storeHealth(begin)
		begin = thisMinute()
	}
}

// recordLastHealth stores what the exporters did in the minute that is cut short.
func (s *Collector) recordLastHealth() { s.storeHealth(thisMinute()) }

func thisMinute() time.Time { return time.Now().Truncate(time.Minute) }

// storeHealth hands on what the exporters did since the last time.
func (s *Collector) storeHealth(begin time.Time) {
	out := s.out(source.Kept)
	s.health.Minute(begin, out)
	out.Flush(context.Background()) // which does not end, so there is no error
}

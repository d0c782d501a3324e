package collector

import (
	"context"
	"time"

	"netmeta/source"
)

// recordHealth stores the health of the exporters at the end of each minute, until ctx
// ends.
func (c *Collector) recordHealth(ctx context.Context) {
	begin := thisMinute()
	for pause(ctx, time.Until(begin.Add(time.Minute))) {
		c.storeHealth(begin)
		begin = thisMinute()
	}
}

// recordLastHealth stores the health in the last, incomplete minute.
func (c *Collector) recordLastHealth() { c.storeHealth(thisMinute()) }

func thisMinute() time.Time { return time.Now().Truncate(time.Minute) }

// storeHealth queues the health of the exporters since its last call.
func (c *Collector) storeHealth(begin time.Time) {
	out := c.out(source.Kept)
	c.health.Minute(begin, out)
	out.Flush(context.Background()) // never ends, so there is no error
}

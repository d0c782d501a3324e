package collector

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"netmeta/store"
)

const (
	rollEvery = 10 * time.Second
	// settleTime is how long after a second its rows are normally in the table: batches, queue and insert
	// take no longer. Later rows cause a second sum of the minute in the rollups.
	settleTime = 10 * time.Second
)

// keepRollups fills the rollups, from when the tables exist until ctx ends.
func (c *Collector) keepRollups(ctx context.Context) {
	if !c.waitForTables(ctx) {
		return
	}
	var outage store.Outage
	every(ctx, rollEvery, func() {
		for more := true; more && ctx.Err() == nil; {
			more = c.roll(ctx, &outage)
		}
	})
}

// roll sums one step and reports whether there is more to do at once.
func (c *Collector) roll(ctx context.Context, outage *store.Outage) (more bool) {
	if err := c.client.Parts.Refresh(ctx, c.client, c.log); err != nil && ctx.Err() == nil {
		c.log.Debug("cannot check for unreadable parts", "err", err)
	}
	more, err := c.roller.Roll(ctx, c.settled(time.Now()).Unix())
	switch {
	case ctx.Err() != nil:
		return false
	case err != nil:
		outage.Failed(c.log, "rollups failed, retrying; queries over days are slower", time.Now(), "err", err)
		c.requestMigration() // one may lack a column
	default:
		outage.Over(c.log, "rollups recovered", time.Now())
	}
	return more
}

// settled returns the time up to which all rows are in the store, as far as we know. It does not advance
// while rows wait in the queue or the spool.
func (c *Collector) settled(now time.Time) time.Time {
	if since := c.writer.Stats.Since.Load(); since > 0 {
		now = time.UnixMilli(since)
	}
	return now.Add(-settleTime)
}

// name identifies this collector among others that write the same tables. It is the same
// after a restart.
func (c *Collector) name() string {
	host, err := os.Hostname()
	if err != nil {
		host = "collector"
	}
	if dir, err := filepath.Abs(c.config().Data); err == nil {
		host += ":" + dir
	}
	return host
}

var (
	rollupBehind = prometheus.NewDesc("netmeta_rollup_behind_seconds", "Lag of the 1-minute rollup. Normally 10 to 80; 0 while another collector fills the rollups.", nil, nil)
	rollupRemade = prometheus.NewDesc("netmeta_rollup_remade_total", "Minutes and hours added up after the fact: again because rows came late or were dropped, or first because they are older than the rollup.", nil, nil)
	rollupFolded = prometheus.NewDesc("netmeta_rollup_folded_total", "Minutes and hours with too many different keys for a rollup: rare values are folded, and queries read the flows.", nil, nil)
	partsLost    = prometheus.NewDesc("netmeta_store_unreadable_parts", "Unreadable parts of tables, which queries and rollups skip. The Status page names them and the remedy.", nil, nil)
	rowsLost     = prometheus.NewDesc("netmeta_store_unreadable_rows", "Rows of unreadable parts.", nil, nil)
	rollupErrors = prometheus.NewDesc("netmeta_rollup_errors_total", "Failed updates of the rollups, retried within seconds.", nil, nil)
)

// rollupCollector collects the metrics of the rollups.
type rollupCollector struct{ *Collector }

func (rollupCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{rollupBehind, rollupRemade, rollupFolded, rollupErrors, partsLost, rowsLost} {
		ch <- d
	}
}

func (c rollupCollector) Collect(ch chan<- prometheus.Metric) {
	r := &c.roller.Stats
	behind := 0.0
	if until := r.Until.Load(); until > 0 {
		behind = time.Since(time.Unix(until, 0)).Seconds()
	}
	ch <- prometheus.MustNewConstMetric(rollupBehind, prometheus.GaugeValue, behind)
	ch <- prometheus.MustNewConstMetric(rollupRemade, prometheus.CounterValue, float64(r.Remade.Load()))
	ch <- prometheus.MustNewConstMetric(rollupFolded, prometheus.CounterValue, float64(r.Folded.Load()))
	var rows uint64
	lost := c.client.Parts.List()
	for _, part := range lost {
		rows += part.Rows
	}
	ch <- prometheus.MustNewConstMetric(partsLost, prometheus.GaugeValue, float64(len(lost)))
	ch <- prometheus.MustNewConstMetric(rowsLost, prometheus.GaugeValue, float64(rows))
	ch <- prometheus.MustNewConstMetric(rollupErrors, prometheus.CounterValue, float64(r.Errors.Load()))
}

package collector

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"netmeta/engine"
	"netmeta/store"
)

// spaceInterval is the interval of checks of the free space.
const spaceInterval = 10 * time.Second

// keepFree returns how much of the store's disk must stay free.
func (c *Collector) keepFree() store.DiskShare { return c.config().Store.DiskShare() }

// keepSpace drops the oldest rows when the disk is nearly full, from when the tables
// exist until ctx ends.
func (c *Collector) keepSpace(ctx context.Context) {
	if !c.waitForTables(ctx) {
		return
	}
	every(ctx, spaceInterval, func() {
		if err := c.retention.Check(ctx); err != nil && ctx.Err() == nil {
			c.log.Warn("cannot keep disk space free", "err", err)
		}
	})
}

// waitForTables waits until the tables exist; false: ctx has ended.
func (c *Collector) waitForTables(ctx context.Context) bool {
	for !c.migrated.Load() {
		if !pause(ctx, 100*time.Millisecond) {
			return false
		}
	}
	return true
}

// diskSpace returns the space of the file system that holds the data of the store.
func (c *Collector) diskSpace(ctx context.Context) (free, total uint64, err error) {
	switch cfg := c.config(); {
	case cfg.Store.URL == "":
		return store.FreeSpace(cfg.Data)
	case c.keepFree().IsNone(): // a user who may not ask need not
		return 0, 0, nil
	}
	return store.DiskSpace(ctx, c.reader)
}

// temporary returns the space that temporary data uses.
func (c *Collector) temporary() store.TemporaryData {
	if c.engine == nil {
		return store.TemporaryData{}
	}
	t := engine.TemporaryData(c.config().Data, c.engine.Stats().PID)
	return store.TemporaryData{Bytes: t.Total() - t.Merges, Merges: t.Merges, What: t.String()}
}

var (
	diskFree         = prometheus.NewDesc("netmeta_disk_free_bytes", "Bytes free on the file system of the data directory.", nil, nil)
	diskTotal        = prometheus.NewDesc("netmeta_disk_total_bytes", "Size of the file system of the data directory.", nil, nil)
	diskKeep         = prometheus.NewDesc("netmeta_disk_keep_free_bytes", "Bytes to keep free on the file system of the data directory; the oldest hours are dropped for them.", nil, nil)
	diskTemporary    = prometheus.NewDesc("netmeta_disk_temporary_bytes", "Disk space of temporary data: queries, buffered results and merges. No rows are dropped for it.", nil, nil)
	retentionEnded   = prometheus.NewDesc("netmeta_retention_ended_statements_total", "Queries cancelled because their temporary data used the space to keep free.", nil, nil)
	retentionDropped = prometheus.NewDesc("netmeta_retention_dropped_partitions_total", "Partitions (hours of flows) dropped for lack of disk space.", nil, nil)
	retentionRows    = prometheus.NewDesc("netmeta_retention_dropped_rows_total", "Rows dropped for lack of disk space.", nil, nil)
	retentionBytes   = prometheus.NewDesc("netmeta_retention_dropped_bytes_total", "Bytes freed by dropping them.", nil, nil)
	retentionIsStuck = prometheus.NewDesc("netmeta_retention_stuck", "1 while too little space is free and nothing is left to drop.", nil, nil)
)

// diskCollector collects the metrics of the disk and of rows dropped to free space.
type diskCollector struct{ *Collector }

func (diskCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{diskFree, diskTotal, diskKeep, diskTemporary, retentionEnded, retentionDropped, retentionRows, retentionBytes, retentionIsStuck} {
		ch <- d
	}
}

func (c diskCollector) Collect(ch chan<- prometheus.Metric) {
	put := func(d *prometheus.Desc, kind prometheus.ValueType, v uint64) {
		ch <- prometheus.MustNewConstMetric(d, kind, float64(v))
	}
	if free, total, err := store.FreeSpace(c.config().Data); err == nil {
		put(diskFree, prometheus.GaugeValue, free)
		put(diskTotal, prometheus.GaugeValue, total)
		put(diskKeep, prometheus.GaugeValue, c.keepFree().Of(total))
	}
	t := c.temporary()
	put(diskTemporary, prometheus.GaugeValue, t.Bytes+t.Merges)
	r := &c.retention.Stats
	put(retentionEnded, prometheus.CounterValue, r.Ended.Load())
	put(retentionDropped, prometheus.CounterValue, r.Partitions.Load())
	put(retentionRows, prometheus.CounterValue, r.Rows.Load())
	put(retentionBytes, prometheus.CounterValue, r.Bytes.Load())
	stuck := uint64(0)
	if r.Stuck.Load() {
		stuck = 1
	}
	put(retentionIsStuck, prometheus.GaugeValue, stuck)
}

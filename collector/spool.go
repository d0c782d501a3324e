package collector

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"netmeta/api"
	"netmeta/store"
	"netmeta/tables"
)

// openSpool opens the directory where rows wait while inserts fail.
func (c *Collector) openSpool() error {
	var err error
	c.spool, err = store.OpenSpool(filepath.Join(c.config().Data, "spool"), c.config().Spool.MaxSize, tables.All, c.log)
	if err != nil {
		return err
	}
	if st := c.spool.Stats(); st.Rows > 0 {
		c.log.Info("rows in the spool from the last run; storing them first", "rows", st.Rows, "bytes", st.Bytes)
	}
	return nil
}

func (c *Collector) spoolStatus() api.Spool {
	st := c.spool.Stats()
	x := api.Spool{
		Blocks: st.Blocks, Rows: st.Rows, Bytes: st.Bytes, MaxBytes: st.MaxBytes,
		WrittenRows: st.WrittenRows, DroppedRows: st.DroppedRows, RefusedFiles: st.RefusedFiles, Error: st.Error,
	}
	if !st.Oldest.IsZero() {
		x.Oldest = st.Oldest.Unix()
	}
	return x
}

// insertProblem returns why inserts fail, with a remedy if one is known.
func (c *Collector) insertProblem() string {
	err := c.writer.Stats.Problem()
	if err == nil {
		return ""
	}
	if c.engine != nil {
		free, total, unknown := store.FreeSpace(c.config().Data)
		if unknown == nil && (store.OutOfSpace(err) || free == 0) {
			return fmt.Sprintf("the disk of %s is full: %d MiB free of %d MiB; free some space, or lower store.retention-days. "+
				"Rows wait until then and are stored automatically", c.config().Data, free>>20, total>>20)
		}
	}
	if store.TooManyFiles(err) {
		return err.Error() + "; set a higher limit of open files with LimitNOFILE in the unit, or run ulimit -n 262144"
	}
	return err.Error()
}

var (
	spoolBlocks  = prometheus.NewDesc("netmeta_spool_blocks", "Blocks in the spool.", nil, nil)
	spoolRows    = prometheus.NewDesc("netmeta_spool_rows", "Rows in the spool.", nil, nil)
	spoolBytes   = prometheus.NewDesc("netmeta_spool_bytes", "Disk use of the spool in bytes, including rejected blocks.", nil, nil)
	spoolMax     = prometheus.NewDesc("netmeta_spool_max_bytes", "Maximum disk use of the spool in bytes.", nil, nil)
	spoolAge     = prometheus.NewDesc("netmeta_spool_oldest_seconds", "Age of the oldest rows in the spool; 0 when it is empty.", nil, nil)
	spoolWritten = prometheus.NewDesc("netmeta_spool_written_rows_total", "Rows written to the spool because the store did not accept them in time.", nil, nil)
	spoolDropped = prometheus.NewDesc("netmeta_spool_dropped_rows_total", "Rows dropped from the spool, oldest first, because it was full.", nil, nil)
	spoolRefused = prometheus.NewDesc("netmeta_spool_refused_files", "Files in spool/refused.", nil, nil)
	spoolBroken  = prometheus.NewDesc("netmeta_spool_write_failing", "1 while the spool cannot be written, e.g. on a full disk.", nil, nil)
)

// spoolCollector collects the metrics of the spool.
type spoolCollector struct{ *Collector }

func (spoolCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{spoolBlocks, spoolRows, spoolBytes, spoolMax, spoolAge, spoolWritten, spoolDropped, spoolRefused, spoolBroken} {
		ch <- d
	}
}

func (c spoolCollector) Collect(ch chan<- prometheus.Metric) {
	put := func(d *prometheus.Desc, kind prometheus.ValueType, v float64) {
		ch <- prometheus.MustNewConstMetric(d, kind, v)
	}
	st := c.spool.Stats()
	age, broken := 0.0, 0.0
	if !st.Oldest.IsZero() {
		age = max(0, time.Since(st.Oldest).Seconds())
	}
	if st.Error != "" {
		broken = 1
	}
	put(spoolBlocks, prometheus.GaugeValue, float64(st.Blocks))
	put(spoolRows, prometheus.GaugeValue, float64(st.Rows))
	put(spoolBytes, prometheus.GaugeValue, float64(st.Bytes))
	put(spoolMax, prometheus.GaugeValue, float64(st.MaxBytes))
	put(spoolAge, prometheus.GaugeValue, age)
	put(spoolWritten, prometheus.CounterValue, float64(st.WrittenRows))
	put(spoolDropped, prometheus.CounterValue, float64(st.DroppedRows))
	put(spoolRefused, prometheus.GaugeValue, float64(st.RefusedFiles))
	put(spoolBroken, prometheus.GaugeValue, broken)
}

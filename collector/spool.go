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

// openSpool takes the directory where rows wait when the store does not take them.
func (s *Collector) openSpool() error {
	var err error
	s.spool, err = store.OpenSpool(filepath.Join(s.config().Data, "spool"), s.config().Spool.MaxSize, tables.All, s.log)
	if err != nil {
		return err
	}
	if st := s.spool.Stats(); st.Rows > 0 {
		s.log.Info("rows wait in the spool from the last time: they are stored first", "rows", st.Rows, "bytes", st.Bytes)
	}
	return nil
}

func (s *Collector) spoolStatus() api.Spool {
	st := s.spool.Stats()
	x := api.Spool{
		Blocks: st.Blocks, Rows: st.Rows, Bytes: st.Bytes, MaxBytes: st.MaxBytes,
		WrittenRows: st.WrittenRows, DroppedRows: st.DroppedRows, RefusedFiles: st.RefusedFiles, Error: st.Error,
	}
	if !st.Oldest.IsZero() {
		x.Oldest = st.Oldest.Unix()
	}
	return x
}

// insertProblem says why the store does not take rows, and what to do when that is known.
func (s *Collector) insertProblem() string {
	err := s.writer.Stats.Problem()
	if err == nil {
		return ""
	}
	if s.engine != nil {
		free, total, unknown := store.FreeSpace(s.config().Data)
		if unknown == nil && (store.OutOfSpace(err) || free == 0) {
			return fmt.Sprintf("the disk of %s is full: %d MiB are free of %d MiB. Make room on it, or lower store.retention-days; "+
				"rows wait meanwhile and are stored by themselves then", s.config().Data, free>>20, total>>20)
		}
	}
	if store.TooManyFiles(err) {
		return err.Error() + "; allow the store more open files, with LimitNOFILE in the unit or ulimit -n"
	}
	return err.Error()
}

var (
	spoolBlocks  = prometheus.NewDesc("netmeta_spool_blocks", "Blocks that wait in the spool.", nil, nil)
	spoolRows    = prometheus.NewDesc("netmeta_spool_rows", "Rows that wait in the spool.", nil, nil)
	spoolBytes   = prometheus.NewDesc("netmeta_spool_bytes", "Octets of disk that the spool takes, with what was refused.", nil, nil)
	spoolMax     = prometheus.NewDesc("netmeta_spool_max_bytes", "Octets of disk that the spool may take.", nil, nil)
	spoolAge     = prometheus.NewDesc("netmeta_spool_oldest_seconds", "Age of the oldest rows in the spool; 0 when it is empty.", nil, nil)
	spoolWritten = prometheus.NewDesc("netmeta_spool_written_rows_total", "Rows that went to the spool because the store did not take them in time.", nil, nil)
	spoolDropped = prometheus.NewDesc("netmeta_spool_dropped_rows_total", "Oldest rows of the spool that were removed because it was full.", nil, nil)
	spoolRefused = prometheus.NewDesc("netmeta_spool_refused_files", "Files in spool/refused.", nil, nil)
	spoolBroken  = prometheus.NewDesc("netmeta_spool_write_failing", "1 while the spool cannot be written, because of a full disk for one.", nil, nil)
)

// A spoolCollector tells of the spool.
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

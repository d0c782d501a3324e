package collector

import (
	"context"
	"encoding/hex"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"netmeta/api"
	"netmeta/event"
	"netmeta/flow"
	"netmeta/internal/wholefile"
	"netmeta/sender"
	"netmeta/source"
	"netmeta/tables"
)

// status returns the state of the process.
func (c *Collector) status() api.Status {
	report := c.sourceReport()
	t := total(report.Members)
	queue := c.pipe.Level()
	w := &c.writer.Stats
	st := api.Status{
		Version: c.options.Version, Started: c.started.Unix(), Now: time.Now().Unix(), Demo: c.playing.running(),
		Pipeline: api.Pipeline{
			Datagrams: c.udp.Totals().Datagrams, Flows: t.Flows, Blocks: c.pipe.Blocks.Load(), QueueBlocks: queue.Blocks, QueueCapacity: queue.MaxBlocks, QueueBytes: queue.Bytes, QueueMaxBytes: queue.MaxBytes,
			InsertedRows: c.writer.RowsOf(&flow.Table), InsertErrors: w.Errors.Load(), InsertMS: w.LastMS.Load(),
			InsertError: c.insertProblem(),
		},
		Spool:     c.spoolStatus(),
		Rates:     c.rates.last(),
		Listeners: []api.Listener{},
		Drops:     []api.Drop{},
		Exporters: []api.Exporter{},
		Ignored:   []api.Ignored{},
		Enrich:    []api.EnrichTable{},
		Storage: api.Storage{TTLDays: c.config().Store.RetentionDays,
			DroppedRows: c.retention.Stats.Rows.Load(), DroppedAt: c.retention.Stats.Last.Load()},
	}
	temporary := c.temporary()
	st.Storage.Temporary, st.Storage.TemporaryOf = temporary.Bytes+temporary.Merges, temporary.What
	if since := w.Since.Load(); since > 0 {
		st.Pipeline.LagMS = time.Now().UnixMilli() - since
	}
	drop := func(id, where, reason, hint string, n uint64) {
		if n > 0 {
			st.Drops = append(st.Drops, api.Drop{ID: id, Where: where, Reason: reason, Count: n, Hint: hint})
		}
	}
	for _, in := range report.Inputs {
		of := api.Listener{Addr: in.Addr, Kind: in.Name, Buffer: in.Parts[0].Buffer}
		for _, part := range in.Parts {
			of.Datagrams += part.Datagrams
			of.Bytes += part.Bytes
			of.Dropped += part.Dropped
			of.Sockets = append(of.Sockets, api.Socket(part))
		}
		st.Listeners = append(st.Listeners, of)
		drop("kernel", "kernel "+in.Addr, "receive buffer full",
			"The collector was too slow; add a core, raise net.core.rmem_max, or send less.", of.Dropped)
	}
	for _, t := range c.enrich.Status() {
		one := api.EnrichTable{Name: t.Name, Entries: t.Entries, Source: t.Source, Error: t.Error}
		if !t.Loaded.IsZero() {
			one.Loaded = t.Loaded.Unix()
		}
		st.Enrich = append(st.Enrich, one)
	}
	drop("enrichment", "enrichment", "no room for names of interfaces", "Exporters named more interfaces than are kept: forged exporters, or a very large network.", c.enrich.Book.Refused.Load())
	for _, r := range t.Refused {
		if r.Reason == source.SenderIgnored { // not a loss: it is in the list of ignored senders
			continue
		}
		drop("decoder", "decoder", r.String(), r.Remedy(), r.Count)
	}
	drop("network", "network", "missing by sequence number", "Lost in transit or at the exporter. Check the path and the exporter's own counters.", t.Lost)
	drop("spool", "spool", "full, oldest rows dropped", "Restore the store, or raise spool.max-size.", st.Spool.DroppedRows)
	drop("store", "store", "rejected permanently", "The .reason files in spool/refused of the data directory give the reason and how to retry.", w.RefusedRows.Load())
	for _, a := range wholefile.Asides(c.config().Data) {
		drop("files", "data directory", AsideText(a), AsideHint, 1)
	}
	list, others := c.decoding.Exporters.All()
	for _, x := range list {
		one := ExporterStatus(x)
		one.Course = c.health.Course(x)
		one.Name, one.Standing = c.enrich.ExporterName(x.Address), c.senders.Standing(x.Address)
		if one.Standing != sender.Ignored {
			st.Exporters = append(st.Exporters, one)
		}
	}
	for _, x := range c.senders.Ignored() {
		st.Ignored = append(st.Ignored, api.Ignored{Address: x.Address.String(), Since: x.Since, Datagrams: x.Datagrams, Last: x.Last})
	}
	st.Others = OthersStatus(others)
	st.Engine = api.Engine{Up: true, URL: c.config().Store.URL.String()}
	if c.engine != nil {
		e := c.engine.Stats()
		st.Engine = api.Engine{Up: e.Up, Embedded: true, Version: e.Version, URL: e.URL, Restarts: e.Restarts, Error: e.LastError, Unprotected: e.Confinement.Missing}
		if e.Version != "" {
			st.Engine.Confinement = e.Confinement.String()
		}
		for _, u := range e.Crashes {
			if u.Crashes == 0 {
				continue
			}
			of := api.EngineUser{User: u.User, Crashes: u.Crashes, Statement: u.Statement}
			if time.Now().Before(u.Until) {
				of.ShutOut, of.Until = u.Since.Unix(), u.Until.Unix()
			}
			st.Engine.Crashes = append(st.Engine.Crashes, of)
		}
	}
	return st
}

// OthersStatus returns the totals of the exporters that are not in the list; nil if there
// are none.
func OthersStatus(others *source.Exporter) *api.Exporter {
	if others.Datagrams.Load() == 0 && others.Refused.Load() == 0 {
		return nil
	}
	x := ExporterStatus(others)
	x.Address = "others"
	return &x
}

// ExporterStatus returns an exporter in the form of the API.
func ExporterStatus(x *source.Exporter) api.Exporter {
	reasons := map[string]uint64{}
	for r, n := range x.Reasons() {
		if n > 0 {
			reasons[r.String()] = n
		}
	}
	return api.Exporter{
		Announces: flow.Announces(x.Type), SamplingKnown: x.SamplingRate.Load() > 0 && uint8(x.SamplingSource.Load()) != flow.SamplingUnknown,
		Address: x.Address.String(), Type: flow.FlowType.Field.Enum[x.Type], First: x.First.Unix(), Last: x.LastSeen.Load() / 1e9,
		Datagrams: x.Datagrams.Load(), Flows: x.Flows.Load(), Thinned: x.Thinned.Load(), Implausible: x.Implausible.Load(), Records: x.Records.Load(), Options: x.Options.Load(),
		SamplingRate: x.SamplingRate.Load(), SamplingSource: flow.SamplingSource.Field.Enum[x.SamplingSource.Load()],
		Templates: x.Templates.Load(), Waiting: x.Waiting.Load(), Dropped: x.Dropped.Load(),
		Lost: x.Lost.Load(), Reordered: x.Reordered.Load(), Restarts: x.Restarts.Load(),
		Refused: x.Refused.Load(), Reasons: reasons, ClockSkewMS: x.ClockSkewMS(), ResolutionMS: x.MedianDurationMS(),
	}
}

// sampleStatus returns samples of data not decoded, by address and type of the exporter.
func (d *Decoding) sampleStatus() map[string]*api.Sample {
	of := map[string]*api.Sample{}
	for _, x := range d.Exporters.List() {
		if s := x.Sample(); s != nil {
			of[x.Address.String()+" "+flow.FlowType.Field.Enum[x.Type]] = &api.Sample{At: s.At.Unix(), Reason: s.Reason.String(), Octets: s.Octets, Hex: hex.EncodeToString(s.Head)}
		}
	}
	return of
}

// maxSamplings bounds the sampling rates of one exporter that are shown.
const maxSamplings = 1024

// SamplingStatus returns the sampling rates by address and type of the exporter.
func (d *Decoding) SamplingStatus() map[string][]api.Sampling {
	of := map[string][]api.Sampling{}
	for _, g := range d.samplings() {
		key := g.Exporter.String() + " " + flow.FlowType.Field.Enum[g.Type]
		if len(of[key]) < maxSamplings {
			of[key] = append(of[key], api.Sampling{
				Domain: g.Domain, Of: g.Of, ID: g.ID, Rate: g.Rate, Source: flow.SamplingSource.Field.Enum[g.From],
				Effective: g.Effective, Samples: g.Samples, Dropped: g.Dropped,
			})
		}
	}
	return of
}

// tally has the counts for rates, at one moment.
type tally struct {
	at                       time.Time
	datagrams, flows, stored uint64
}

func (c *Collector) counts() tally {
	return tally{at: time.Now(), datagrams: c.udp.Totals().Datagrams, flows: total(c.sourceReport().Members).Flows, stored: c.writer.Stats.Bytes.Load()}
}

// rateMeter stores the counts of the last ten seconds.
type rateMeter struct {
	mu      sync.Mutex
	history []tally // oldest first
}

const rateWindow = 10

// measureRates adds a tally each second until ctx ends.
func (c *Collector) measureRates(ctx context.Context) {
	every(ctx, time.Second, func() { c.rates.add(c.counts()) })
}

func (m *rateMeter) add(c tally) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.history = append(m.history, c); len(m.history) > rateWindow+1 {
		m.history = m.history[1:]
	}
}

// fresh reports whether tallies are still added.
func (m *rateMeter) fresh() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.history) > 0 && time.Since(m.history[len(m.history)-1].at) < rateWindow*time.Second
}

func (m *rateMeter) last() api.Rates {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.history) < 2 {
		return api.Rates{}
	}
	a, b := m.history[0], m.history[len(m.history)-1]
	seconds := b.at.Sub(a.at).Seconds()
	return api.Rates{
		Datagrams:   float64(b.datagrams-a.datagrams) / seconds,
		Flows:       float64(b.flows-a.flows) / seconds,
		BytesStored: float64(b.stored-a.stored) / seconds,
	}
}

// metrics serves the metrics for Prometheus. Names are written out in full.
func (c *Collector) metrics() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), pathCollector{c}, diskCollector{c}, spoolCollector{c}, rollupCollector{c})
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
}

var (
	udpDatagrams      = prometheus.NewDesc("netmeta_udp_datagrams_total", "Datagrams received.", []string{"listener", "socket"}, nil)
	udpBytes          = prometheus.NewDesc("netmeta_udp_bytes_total", "Bytes of payload received.", []string{"listener", "socket"}, nil)
	udpDropped        = prometheus.NewDesc("netmeta_udp_dropped_total", "Datagrams dropped by the kernel because the receive buffer was full.", []string{"listener", "socket"}, nil)
	udpQueued         = prometheus.NewDesc("netmeta_udp_queue_bytes", "Bytes of the receive buffer in use, as the kernel counts.", []string{"listener", "socket"}, nil)
	udpBuffer         = prometheus.NewDesc("netmeta_udp_buffer_bytes", "Size of the receive buffer in bytes, as the kernel counts.", []string{"listener", "socket"}, nil)
	sourceDatagrams   = prometheus.NewDesc("netmeta_source_datagrams_total", "Datagrams decoded.", []string{"source"}, nil)
	sourceFlows       = prometheus.NewDesc("netmeta_source_flows_total", "Flow records decoded.", []string{"source"}, nil)
	sourceThinned     = prometheus.NewDesc("netmeta_source_thinned_total", "Flow records dropped because their exporter exceeds its limit; the others' sampling rate compensates.", []string{"source"}, nil)
	sourceImplausible = prometheus.NewDesc("netmeta_source_implausible_total", "Flow records with impossible values, stored with the quality bit implausible.", []string{"source"}, nil)
	sourceTemplates   = prometheus.NewDesc("netmeta_source_templates_total", "Template records decoded.", []string{"source"}, nil)
	sourceOptions     = prometheus.NewDesc("netmeta_source_options_records_total", "Options data records decoded.", []string{"source"}, nil)
	sourceLost        = prometheus.NewDesc("netmeta_source_lost_total", "Datagrams (NetFlow v9, sFlow) or flow records (NetFlow v5, IPFIX) lost by sequence number.", []string{"source"}, nil)
	sourceReordered   = prometheus.NewDesc("netmeta_source_reordered_total", "Datagrams received out of order or twice.", []string{"source"}, nil)
	sourceRestarts    = prometheus.NewDesc("netmeta_source_restarts_total", "Sequence restarts of exporters.", []string{"source"}, nil)
	sourceContinued   = prometheus.NewDesc("netmeta_source_continued_total", "Records with cumulative counters, stored as the difference from the last report.", []string{"source"}, nil)
	sourceCounters    = prometheus.NewDesc("netmeta_source_counter_samples_total", "Counter samples decoded.", []string{"source"}, nil)
	sourceDiscarded   = prometheus.NewDesc("netmeta_source_discarded_total", "Notices of packets discarded by an exporter, by reason.", []string{"source", "reason"}, nil)
	sourceRefused     = prometheus.NewDesc("netmeta_source_refused_total", "Datagrams, sets and records not decoded, by reason.", []string{"source", "reason"}, nil)
	exporterCount     = prometheus.NewDesc("netmeta_exporters", "Exporters in the list.", nil, nil)
	exporterForgotten = prometheus.NewDesc("netmeta_exporters_forgotten_total", "Exporters evicted from the list in favour of new ones.", nil, nil)
	sendersIgnored    = prometheus.NewDesc("netmeta_senders_ignored", "Ignored senders. Their datagrams are dropped; netmeta_source_refused_total counts them with the reason ignored.", nil, nil)
	pipeRows          = prometheus.NewDesc("netmeta_pipe_rows_total", "Rows put into the queue.", nil, nil)
	pipeBlocks        = prometheus.NewDesc("netmeta_pipe_blocks_total", "Blocks put into the queue.", nil, nil)
	pipeQueue         = prometheus.NewDesc("netmeta_pipe_queue_blocks", "Blocks in the queue.", nil, nil)
	pipeCapacity      = prometheus.NewDesc("netmeta_pipe_queue_capacity_blocks", "Capacity of the queue in blocks.", nil, nil)
	pipeBytes         = prometheus.NewDesc("netmeta_pipe_queue_bytes", "Bytes of the blocks in the queue.", nil, nil)
	pipeMaxBytes      = prometheus.NewDesc("netmeta_pipe_queue_max_bytes", "Capacity of the queue in bytes.", nil, nil)
	storeRows         = prometheus.NewDesc("netmeta_store_rows_total", "Rows stored.", []string{"table"}, nil)
	storeBytes        = prometheus.NewDesc("netmeta_store_bytes_total", "Bytes of Native blocks stored.", nil, nil)
	storeInserts      = prometheus.NewDesc("netmeta_store_inserts_total", "Successful inserts.", nil, nil)
	storeErrors       = prometheus.NewDesc("netmeta_store_insert_errors_total", "Failed inserts, retried or abandoned.", nil, nil)
	storeRefused      = prometheus.NewDesc("netmeta_store_refused_rows_total", "Rows moved to spool/refused: rejected, crashing the store, or damaged on disk.", nil, nil)
	engineUp          = prometheus.NewDesc("netmeta_engine_up", "1 while the embedded engine answers.", nil, nil)
	engineCrashes     = prometheus.NewDesc("netmeta_engine_crashes_total", "Crashes of the embedded engine during queries of this user.", []string{"user"}, nil)
	engineShutOut     = prometheus.NewDesc("netmeta_engine_shut_out", "1 while the user is locked out because the engine crashed too often during the user's queries.", []string{"user"}, nil)
	engineRestarts    = prometheus.NewDesc("netmeta_engine_restarts_total", "Restarts of the embedded engine.", nil, nil)
)

// pathCollector collects the metrics of the data path: sockets, sources, queue and store.
type pathCollector struct{ *Collector }

func (pathCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{udpDatagrams, udpBytes, udpDropped, udpQueued, udpBuffer, sourceDatagrams, sourceFlows, sourceThinned, sourceImplausible, sourceTemplates, sourceOptions,
		sourceContinued, sourceLost, sourceReordered, sourceRestarts, sourceCounters, sourceDiscarded, sourceRefused, exporterCount, exporterForgotten, sendersIgnored, pipeRows, pipeBlocks, pipeQueue, pipeCapacity, pipeBytes, pipeMaxBytes, storeRows, storeBytes, storeInserts,
		storeErrors, storeRefused, engineUp, engineRestarts, engineCrashes, engineShutOut} {
		ch <- d
	}
}

func (c pathCollector) Collect(ch chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge := func(d *prometheus.Desc, v int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), labels...)
	}
	report := c.sourceReport()
	for _, in := range report.Inputs {
		for i, part := range in.Parts {
			number := strconv.Itoa(i)
			count(udpDatagrams, part.Datagrams, in.Addr, number)
			count(udpBytes, part.Bytes, in.Addr, number)
			count(udpDropped, part.Dropped, in.Addr, number)
			gauge(udpQueued, part.Queued, in.Addr, number)
			gauge(udpBuffer, part.Buffer, in.Addr, number)
		}
	}
	for _, k := range report.Members {
		name := k.Name
		count(sourceDatagrams, k.Datagrams.Load(), name)
		count(sourceFlows, k.Flows.Load(), name)
		count(sourceThinned, k.Thinned.Load(), name)
		count(sourceImplausible, k.Implausible.Load(), name)
		count(sourceTemplates, k.Templates.Load(), name)
		count(sourceOptions, k.OptionsRecords.Load(), name)
		count(sourceContinued, k.Continued.Load(), name)
		count(sourceLost, k.Lost.Load(), name)
		count(sourceReordered, k.Reordered.Load(), name)
		count(sourceRestarts, k.Restarts.Load(), name)
		count(sourceCounters, k.CounterSamples.Load(), name)
		for reason, n := range k.Refused() {
			count(sourceRefused, n, name, reason.String())
		}
		if k.Discards != nil {
			for reason, n := range k.Discards {
				count(sourceDiscarded, n, name, reason)
			}
		}
	}
	queue := c.pipe.Level()
	gauge(exporterCount, len(c.decoding.Exporters.List()))
	count(exporterForgotten, c.decoding.Exporters.Forgotten())
	gauge(sendersIgnored, len(c.senders.Ignored()))
	count(pipeRows, c.pipe.Rows.Load())
	count(pipeBlocks, c.pipe.Blocks.Load())
	gauge(pipeQueue, queue.Blocks)
	gauge(pipeCapacity, queue.MaxBlocks)
	gauge(pipeBytes, int(queue.Bytes))
	gauge(pipeMaxBytes, int(queue.MaxBytes))
	w := &c.writer.Stats
	for _, t := range tables.All {
		if t != &event.Table { // the API writes it, one row at a time
			count(storeRows, c.writer.RowsOf(t), t.Name)
		}
	}
	count(storeBytes, w.Bytes.Load())
	count(storeInserts, w.Inserts.Load())
	count(storeErrors, w.Errors.Load())
	count(storeRefused, w.RefusedRows.Load())
	if c.engine != nil {
		e := c.engine.Stats()
		up := 0
		if e.Up {
			up = 1
		}
		gauge(engineUp, up)
		count(engineRestarts, uint64(e.Restarts))
		for _, u := range e.Crashes {
			count(engineCrashes, uint64(u.Crashes), u.User)
			out := 0
			if time.Now().Before(u.Until) {
				out = 1
			}
			gauge(engineShutOut, out, u.User)
		}
	}
}

package collector

import (
	"context"

	"netmeta/config"
)

// list returns the parts of NetMeta in the order in which data moves. ARCHITECTURE.md has
// a line for each goroutine.
func (c *Collector) list() parts {
	list := parts{
		{name: "demo", run: loop(c.playDemo)},
		{name: "ports", run: c.receive, live: []string{"sources.udp.listen"}, prepare: c.preparePorts},
		{name: "decoders", live: []string{"sources.udp.limit", "sources.netflow.extra", "sources.sampling.exporters"}, prepare: c.prepareDecoders},
		{name: "exporters aside", run: loop(c.keepAside)},
		{name: "templates", run: loop(c.keepTemplates), last: c.saveTemplates},
		{name: "lost before the start", run: loop(c.countLost)},
		{name: "sampling rates", run: loop(c.reportRates)},
		{name: "enrichment", run: loop(c.enrich.Run), live: []string{"enrich"}, prepare: c.prepareEnrichment},
		{name: "exporters table", run: loop(c.recordHealth), last: c.recordLastHealth},
		{name: "tables", run: loop(c.changeTables), live: []string{"store.retention-days", "store.columns", "store.rollups"}, prepare: c.prepareTables},
		{name: "disk space", run: loop(c.keepSpace), live: []string{"store.keep-free"}},
		{name: "rollups", run: loop(c.keepRollups)},
		{name: "rates", run: loop(c.measureRates)},
		{name: "systemd", run: loop(c.notify)},
		{name: "reload", run: loop(c.reloadOnSignal)},
		{name: "profiles", run: loop(c.serveDebug)},
		{name: "memory", live: []string{"memory-mib"}, prepare: c.prepareMemory},
		{name: "log", live: []string{"log.level"}, prepare: c.prepareLog},

		{name: "sequence numbers", stage: writing, run: loop(c.keepSequences), last: c.saveSequences},
		{name: "writer", stage: writing, run: c.write},

		{name: "page", stage: web, run: c.serve, live: []string{"http.hosts", "filter.macros", "views"}, prepare: c.preparePage},
	}
	if c.engine != nil {
		list = append(list, part{name: "engine", stage: storage, run: c.runEngine})
	}
	return list
}

// loop makes a part's run from a function that cannot fail.
func loop(run func(context.Context)) func(context.Context) error {
	return func(ctx context.Context) error {
		run(ctx)
		return nil
	}
}

// prepareEnrichment prepares new names, networks and AS. The files in the configuration may have changed even
// if it has not.
func (c *Collector) prepareEnrichment(next *config.Config) (change, error) {
	commit, err := c.enrich.Prepare(next.Enrich)
	return change{commit: commit}, err
}

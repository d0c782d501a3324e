package collector

import (
	"context"

	"netmeta/config"
)

// list returns the parts of NetMeta in the order in which data moves. ARCHITECTURE.md has
// a line for each goroutine.
func (s *Collector) list() parts {
	list := parts{
		{name: "demo", run: loop(s.playDemo)},
		{name: "ports", run: s.receive, live: []string{"sources.udp.listen"}, prepare: s.preparePorts},
		{name: "decoders", live: []string{"sources.udp.limit", "sources.netflow.extra", "sources.sampling.exporters"}, prepare: s.prepareDecoders},
		{name: "exporters aside", run: loop(s.keepAside)},
		{name: "templates", run: loop(s.keepTemplates), last: s.saveTemplates},
		{name: "lost before the start", run: loop(s.countLost)},
		{name: "sampling rates", run: loop(s.reportRates)},
		{name: "enrichment", run: loop(s.enrich.Run), live: []string{"enrich"}, prepare: s.prepareEnrichment},
		{name: "exporters table", run: loop(s.recordHealth), last: s.recordLastHealth},
		{name: "tables", run: loop(s.changeTables), live: []string{"store.retention-days", "store.columns", "store.rollups"}, prepare: s.prepareTables},
		{name: "disk space", run: loop(s.keepSpace), live: []string{"store.keep-free"}},
		{name: "rollups", run: loop(s.keepRollups)},
		{name: "rates", run: loop(s.measureRates)},
		{name: "systemd", run: loop(s.notify)},
		{name: "reload", run: loop(s.reloadOnSignal)},
		{name: "profiles", run: loop(s.serveDebug)},
		{name: "memory", live: []string{"memory-mib"}, prepare: s.prepareMemory},
		{name: "log", live: []string{"log.level"}, prepare: s.prepareLog},

		{name: "sequence numbers", stage: writing, run: loop(s.keepSequences), last: s.saveSequences},
		{name: "writer", stage: writing, run: s.write},

		{name: "page", stage: web, run: s.serve, live: []string{"http.hosts", "filter.macros", "views"}, prepare: s.preparePage},
	}
	if s.engine != nil {
		list = append(list, part{name: "engine", stage: storage, run: s.runEngine})
	}
	return list
}

// loop is the run of a part that cannot fail.
func loop(run func(context.Context)) func(context.Context) error {
	return func(ctx context.Context) error {
		run(ctx)
		return nil
	}
}

// prepareEnrichment prepares other names, networks and AS. The files that the
// configuration names may have changed while it has not.
func (s *Collector) prepareEnrichment(next *config.Config) (change, error) {
	commit, err := s.enrich.Prepare(next.Enrich)
	return change{commit: commit}, err
}

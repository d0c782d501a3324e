package collector

import (
	"context"
	"path/filepath"
	"time"
)

// What exporters told (templates, sampling rates, names) is kept in a file of the
// data directory, so that after a restart nothing waits for it.

// saveTemplatesEvery limits what a crash loses. Saving takes at most 5% of the time.
const (
	saveTemplatesEvery = time.Second
	saveTemplatesShare = 20
)

func (s *Collector) templatesPath() string { return filepath.Join(s.config().Data, "templates") }

// loadTemplates takes in what an earlier run kept. Without it flows wait for the next
// template, so nothing here keeps us from starting.
func (s *Collector) loadTemplates() {
	if err := s.decoding.NetFlow.LoadFile(s.templatesPath()); err != nil {
		s.log.Warn("cannot read the templates of the last run; flows will wait for them", "err", err)
	}
	s.savedChanges = s.decoding.NetFlow.Changes()
}

// keepTemplates saves what is new, until ctx ends.
func (s *Collector) keepTemplates(ctx context.Context) {
	every(ctx, saveTemplatesEvery, func() {
		began := time.Now()
		s.saveTemplates()
		pause(ctx, saveTemplatesShare*time.Since(began))
	})
}

// saveTemplates saves if anything is new.
func (s *Collector) saveTemplates() {
	changes := s.decoding.NetFlow.Changes()
	if changes == s.savedChanges {
		return
	}
	if err := s.decoding.NetFlow.SaveFile(s.templatesPath()); err != nil {
		s.log.Warn("cannot save templates; flows will wait for them after a restart", "err", err)
		return
	}
	s.savedChanges = changes
}

package collector

import (
	"context"
	"path/filepath"
	"time"
)

// State that exporters sent (templates, sampling rates, names) is saved in a file of the data directory, so
// that nothing waits for it after a restart.

// saveTemplatesEvery limits what a crash loses. Saving takes at most 5% of the time.
const (
	saveTemplatesEvery = time.Second
	saveTemplatesShare = 20
)

func (c *Collector) templatesPath() string { return filepath.Join(c.config().Data, "templates") }

// loadTemplates reads the file of an earlier run. Without it flows wait for the next template, so an error
// does not prevent a start.
func (c *Collector) loadTemplates() {
	if err := c.decoding.NetFlow.LoadFile(c.templatesPath()); err != nil {
		c.log.Warn("cannot read the templates of the last run; flows will wait for them", "err", err)
	}
	c.savedChanges = c.decoding.NetFlow.Changes()
}

// keepTemplates saves changes, until ctx ends.
func (c *Collector) keepTemplates(ctx context.Context) {
	every(ctx, saveTemplatesEvery, func() {
		began := time.Now()
		c.saveTemplates()
		pause(ctx, saveTemplatesShare*time.Since(began))
	})
}

// saveTemplates saves if anything has changed.
func (c *Collector) saveTemplates() {
	changes := c.decoding.NetFlow.Changes()
	if changes == c.savedChanges {
		return
	}
	if err := c.decoding.NetFlow.SaveFile(c.templatesPath()); err != nil {
		c.log.Warn("cannot save templates; flows will wait for them after a restart", "err", err)
		return
	}
	c.savedChanges = changes
}

package collector

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"netmeta/api"
)

// The configuration is reloaded on SIGHUP and by the API. Live keys are in immutable state that is swapped:
// the next reader sees the new one. No goroutine is restarted and no remaining socket is touched, so no
// datagram is lost.

// reloadOnSignal reloads the configuration on each SIGHUP, until ctx ends.
func (c *Collector) reloadOnSignal(ctx context.Context) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-hup:
			c.reload()
		case <-ctx.Done():
			return
		}
	}
}

// reload reads the configuration, applies the live keys, and returns those that changed
// and those that need a restart. After an error nothing has changed.
func (c *Collector) reload() (r api.ReloadResult, err error) {
	if !c.reloading.TryLock() {
		return r, errors.New("another reload is running, or NetMeta is stopping; retry in a moment")
	}
	defer c.reloading.Unlock()
	c.notifier.reloading()
	defer c.notifier.ready()
	if r, err = c.apply(); err != nil {
		c.log.Error("configuration rejected, keeping the current one", "err", err)
		return r, err
	}
	c.log.Info("configuration reloaded", "applied", r.Applied, "needs_restart", r.Restart)
	return r, nil
}

// apply is the body of reload, which runs once at a time.
func (c *Collector) apply() (r api.ReloadResult, err error) {
	next, err := c.options.Load()
	if err != nil {
		return r, err
	}
	merged, applied, restart := c.config().Reload(next)
	commit, err := c.parts.prepare(&merged)
	if err != nil {
		return r, err
	}
	c.running.Store(&merged)
	commit()
	return api.ReloadResult{Applied: append([]string{}, applied...), Restart: append([]string{}, restart...)}, nil // lists, not null
}

package collector

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"netmeta/api"
)

// The configuration is reloaded on SIGHUP and by the API. Live keys are held as immutable
// state that is swapped: the next reader sees the new one. No goroutine is restarted and no
// socket that stays is touched, so no datagram is lost.

// reloadOnSignal reloads the configuration on each SIGHUP, until ctx ends.
func (s *Collector) reloadOnSignal(ctx context.Context) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-hup:
			s.reload()
		case <-ctx.Done():
			return
		}
	}
}

// reload reads the configuration, applies the live keys, and returns those that changed
// and those that need a restart. After an error nothing has changed.
func (s *Collector) reload() (r api.Reloaded, err error) {
	if !s.reloading.TryLock() {
		return r, errors.New("another reload is running, or NetMeta is stopping; retry in a moment")
	}
	defer s.reloading.Unlock()
	s.notifier.reloading()
	defer s.notifier.ready()
	if r, err = s.takeOver(); err != nil {
		s.log.Error("configuration rejected, keeping the current one", "err", err)
		return r, err
	}
	s.log.Info("configuration reloaded", "applied", r.Applied, "needs_restart", r.Restart)
	return r, nil
}

// takeOver is the body of reload, which runs once at a time.
func (s *Collector) takeOver() (r api.Reloaded, err error) {
	next, err := s.options.Load()
	if err != nil {
		return r, err
	}
	merged, applied, restart := s.config().Reload(next)
	commit, err := s.parts.prepare(&merged)
	if err != nil {
		return r, err
	}
	s.running.Store(&merged)
	commit()
	return api.Reloaded{Applied: append([]string{}, applied...), Restart: append([]string{}, restart...)}, nil // lists, not null
}

package collector

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"netmeta/api"
)

// The configuration is read again on SIGHUP and when the API is asked to. What a
// running NetMeta can change is immutable state that is swapped: whoever reads it next
// sees the new one. No goroutine is started again for it and no socket that stays is
// touched, so not a datagram is lost.

// reloadOnSignal reads the configuration again whenever SIGHUP comes, until ctx ends.
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

// reload reads the configuration again, has the parts take over what they can, and says
// what that was and what needs a restart. After an error nothing has changed.
func (s *Collector) reload() (r api.Reloaded, err error) {
	if !s.reloading.TryLock() {
		return r, errors.New("another reload is under way, or NetMeta is stopping")
	}
	defer s.reloading.Unlock()
	s.notifier.reloading()
	defer s.notifier.ready()
	if r, err = s.takeOver(); err != nil {
		s.log.Error("the new configuration is refused, the old one stays", "err", err)
		return r, err
	}
	s.log.Info("configuration read again", "applied", r.Applied, "needs_restart", r.Restart)
	return r, nil
}

// takeOver is reload, of which there is one at a time.
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

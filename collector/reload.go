package collector

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"netmeta/api"
	"netmeta/config"
	"netmeta/filter"
	"netmeta/source/netflow"
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

// reload reads the configuration again, takes over what it can, and says what that was
// and what needs a restart. An invalid configuration changes nothing.
func (s *Collector) reload() (r api.Reloaded, err error) {
	if !s.reloading.TryLock() {
		return r, errors.New("another reload is under way, or NetMeta is stopping")
	}
	defer s.reloading.Unlock()
	s.notifier.reloading()
	defer s.notifier.ready()
	defer func() {
		if err != nil {
			s.log.Error("the new configuration is refused, the old one stays", "err", err)
			return
		}
		s.log.Info("configuration read again", "applied", r.Applied, "needs_restart", r.Restart)
	}()

	next, err := s.options.Load()
	if err != nil {
		return r, err
	}
	merged, applied, restart := s.config().Reload(next)
	r = api.Reloaded{Applied: append([]string{}, applied...), Restart: append([]string{}, restart...)} // lists, not null

	// First what can fail, then what cannot.
	if err := CheckMacros(merged); err != nil {
		return r, err
	}
	extra, err := netflow.Elements(merged.Sources.NetFlow.Extra)
	if err != nil {
		return r, err
	}
	leave, missing := s.ports.change(merged.Sources.UDP.Listen)
	var opened []*port
	abandon := func() {
		for _, p := range opened {
			p.Close()
		}
	}
	for _, addr := range missing {
		p, err := s.listen(addr)
		if err != nil {
			abandon()
			return r, err
		}
		opened = append(opened, p)
	}

	// Files that it names may have changed while the configuration has not.
	if err := s.enrich.Set(merged.Enrich); err != nil {
		abandon()
		return r, err
	}

	old := s.config()
	s.running.Store(&merged)
	s.options.Level.UnmarshalText([]byte(merged.Log.Level)) // Validate has read it
	s.serveAPI()
	rates := samplingRates(merged)
	s.decoding.rates.Store(&rates)
	s.decoding.Exporters.Limit(flowLimits(merged))
	limitMemory(merged)
	if !slices.Equal(old.Sources.NetFlow.Extra, merged.Sources.NetFlow.Extra) {
		s.decoding.NetFlow.SetExtra(extra)
	}
	for _, p := range opened {
		s.ports.add(p)
		s.ports.run(p)
	}
	for _, p := range leave {
		p.stop() // what the kernel has of it is still read
	}
	s.writer.Reload(Schemas(merged))
	if slices.ContainsFunc(applied, changesTables) {
		s.wantTables()
	}
	return r, nil
}

// CheckMacros parses the filters that the configuration names.
func CheckMacros(cfg config.Config) error {
	for name, text := range cfg.Filter.Macros {
		if _, err := filter.Parse(text, filter.Names{Macros: cfg.Filter.Macros}); err != nil {
			return fmt.Errorf("filter.macros.%s: %q: %w", name, text, err)
		}
	}
	return nil
}

package collector

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"netmeta/event"
	"netmeta/flow"
	"netmeta/source"
)

const (
	rateLook      = 5 * time.Second // how often rates are compared
	rateQuiet     = 5 * time.Minute // minimum time between two events of an exporter
	maxRates      = 100_000         // limit of compared rates, against forged samplers
	maxUnreported = 256             // events that wait for the store
)

// reportRates records each change of a sampling rate as an event, because it can explain
// a change in a chart.
func (c *Collector) reportRates(ctx context.Context) {
	var log rateLog
	every(ctx, rateLook, func() { c.compareRates(ctx, &log) })
}

// compareRates compares once. The first comparison finds no changes.
func (c *Collector) compareRates(ctx context.Context, log *rateLog) {
	log.unreported = append(log.unreported, log.changes(c.decoding.samplings(), time.Now())...)
	log.unreported = c.report(ctx, log.unreported[max(0, len(log.unreported)-maxUnreported):])
}

// report stores events and returns those that could not be stored.
func (c *Collector) report(ctx context.Context, list []event.Event) []event.Event {
	if !c.migrated.Load() {
		return list
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for len(list) > 0 {
		if err := event.Put(ctx, c.client, list[0]); err != nil {
			c.log.Warn("event not stored, retrying", "kind", list[0].Kind, "target", list[0].Target, "err", err)
			return list
		}
		list = list[1:]
	}
	return nil
}

// sampler is a part of an exporter that has a sampling rate.
type sampler struct {
	exporter netip.Addr
	typ      uint8
	domain   uint32
	of       string
	id       uint64
	from     uint8
}

// rateLog compares sampling rates with earlier ones. The zero value has none.
type rateLog struct {
	rates map[sampler]*rateState
	last  map[netip.Addr]time.Time // the last event of an exporter
	more  map[netip.Addr]int       // its changes since then that have no event

	unreported []event.Event // not stored yet
}

type rateState struct{ now, reported uint32 }

// changes returns events for rates that differ from those reported last: one for an exporter, and at most one
// in rateQuiet. Changes that were reverted in between are only counted.
func (l *rateLog) changes(list []source.Sampling, now time.Time) (events []event.Event) {
	if l.rates == nil || len(l.rates) > maxRates {
		*l = rateLog{rates: map[sampler]*rateState{}, last: map[netip.Addr]time.Time{}, more: map[netip.Addr]int{}, unreported: l.unreported}
	}
	reported := map[netip.Addr][]*rateState{}
	for _, g := range list {
		key := sampler{g.Exporter, g.Type, g.Domain, g.Of, g.ID, g.From}
		state := l.rates[key]
		if state == nil {
			state = &rateState{g.Rate, g.Rate}
			l.rates[key] = state
		}
		if g.Rate != state.now {
			state.now = g.Rate
			l.more[g.Exporter]++
		}
		if g.Rate == state.reported || now.Sub(l.last[g.Exporter]) < rateQuiet {
			continue
		}
		if len(reported[g.Exporter]) == 0 { // its first one
			e := event.Event{Kind: "sampling", Target: g.Exporter.String(), Severity: "warning", Text: rateText(g, state.reported)}
			if e.Complete(now) == nil {
				events = append(events, e)
			}
		}
		reported[g.Exporter] = append(reported[g.Exporter], state)
	}
	for i, e := range events {
		a := netip.MustParseAddr(e.Target)
		for _, state := range reported[a] {
			state.reported = state.now
		}
		if more := l.more[a] - 1; more > 0 {
			events[i].Text += fmt.Sprintf("; %d more rate changes since the last event", more)
		}
		l.last[a] = now
		delete(l.more, a)
	}
	return events
}

// rateText describes a change for people.
func rateText(g source.Sampling, was uint32) string {
	of := ""
	if g.Of != "exporter" {
		of = fmt.Sprintf(" of %s %d", g.Of, g.ID)
	}
	by := map[uint8]string{flow.SamplingConfig: "configuration", flow.SamplingHeader: "header", flow.SamplingOptions: "options data", flow.SamplingRecord: "flow records"}[g.From]
	return fmt.Sprintf("sampling rate%s 1:%d → 1:%d, from %s", of, was, g.Rate, by)
}

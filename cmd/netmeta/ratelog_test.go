package main

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"netmeta/event"
	"netmeta/flow"
	"netmeta/simulate"
	"netmeta/source"
)

// Each change of a rate is told once, and an exporter whose rates flap is not told more
// often than every five minutes.
func TestRateLog(t *testing.T) {
	var log rateLog
	now := time.Unix(1_795_000_000, 0)
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::2")
	look := func(after time.Duration, one, three, other uint32, want ...string) {
		t.Helper()
		now = now.Add(after)
		list := []source.Sampling{
			{Exporter: a, Type: flow.TypeIPFIX, Of: "selector", ID: 1, From: flow.SamplingOptions, Rate: one},
			{Exporter: a, Type: flow.TypeIPFIX, Of: "selector", ID: 3, From: flow.SamplingOptions, Rate: three},
			{Exporter: b, Type: flow.TypeNetFlow5, Of: "exporter", From: flow.SamplingHeader, Rate: other},
		}
		var got []string
		for _, e := range log.changes(list, now) {
			if e.Kind != "sampling" || e.Severity != "warning" || e.Start != now.Unix() || e.End != 0 || e.ID == "" {
				t.Errorf("%+v", e)
			}
			got = append(got, e.Target+": "+e.Text)
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	look(0, 100, 100, 10) // nothing was known
	look(time.Minute, 100, 100, 10)
	look(time.Minute, 200, 100, 20,
		"192.0.2.1: sampling rate of selector 1 1:100 → 1:200, said by options data",
		"2001:db8::2: sampling rate 1:10 → 1:20, said by the header")
	look(time.Minute, 400, 100, 20) // too soon
	look(time.Minute, 800, 300, 20)
	look(time.Minute, 800, 300, 30)
	look(4*time.Minute, 800, 300, 20, // what b had in between it has no more
		"192.0.2.1: sampling rate of selector 1 1:200 → 1:800, said by options data; 2 more changes of its rates since the last event")
	look(10*time.Minute, 800, 300, 20)
}

// A rate that changes while NetMeta runs is among the events of the API; while there is
// no store, they wait.
func TestRateEvents(t *testing.T) {
	if left := new(server).report(t.Context(), []event.Event{{Text: "x"}}); len(left) != 1 {
		t.Errorf("%d wait while there is no store, want 1", len(left))
	}
	port := udpPort(freeUDP(t))
	rate := func(n int) string {
		return fmt.Sprintf("%s  sampling:\n    exporters:\n      127.0.1.1: %d\n", port, n)
	}
	p, rewrite := configured(t, rate(100))
	p.ready()
	if _, err := simulate.Run(t.Context(), simulate.Options{Protocol: simulate.NetFlow9, To: p.status().Listeners[0].Addr, Rate: 1000, Flows: 200, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(rateLook + time.Second) // it has seen what the rate was
	rewrite(rate(200))
	if out, code := p.reload(); code != 0 {
		t.Fatal(out)
	}
	waitFor(t, rateLook+20*time.Second, "the event", func() error {
		var answer struct{ Events []event.Event }
		if err := p.get("/api/v1/events?kind=sampling", &answer); err != nil {
			return err
		}
		if len(answer.Events) != 1 || answer.Events[0].Target != "127.0.1.1" || answer.Events[0].Text != "sampling rate 1:100 → 1:200, said by the configuration" {
			return fmt.Errorf("events %+v", answer.Events)
		}
		return nil
	})
}

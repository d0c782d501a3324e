package collector

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"netmeta/event"
	"netmeta/flow"
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

// While there is no store, events wait.
func TestEventsWait(t *testing.T) {
	if left := new(Collector).report(t.Context(), []event.Event{{Text: "x"}}); len(left) != 1 {
		t.Errorf("%d wait while there is no store, want 1", len(left))
	}
}

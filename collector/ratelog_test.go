package collector

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"netmeta/access"
	"netmeta/config"
	"netmeta/event"
	"netmeta/flow"
	"netmeta/internal/conf"
	"netmeta/internal/enginetest"
	"netmeta/simulate"
	"netmeta/source"
)

// Each change of a rate is reported once, and an exporter with flapping rates at most every five minutes.
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
		"192.0.2.1: sampling rate of selector 1 1:100 → 1:200, from options data",
		"2001:db8::2: sampling rate 1:10 → 1:20, from header")
	look(time.Minute, 400, 100, 20) // too soon
	look(time.Minute, 800, 300, 20)
	look(time.Minute, 800, 300, 30)
	look(4*time.Minute, 800, 300, 20, // what b had in between it has no more
		"192.0.2.1: sampling rate of selector 1 1:200 → 1:800, from options data; 2 more rate changes since the last event")
	look(10*time.Minute, 800, 300, 20)
}

// While there is no store, events wait.
func TestEventsWait(t *testing.T) {
	if left := new(Collector).report(t.Context(), []event.Event{{Text: "x"}}); len(left) != 1 {
		t.Errorf("%d wait while there is no store, want 1", len(left))
	}
}

// A rate that changes while NetMeta runs is among the events. One that changes while there
// is no store is there later.
func TestRateEvents(t *testing.T) {
	writer, _ := enginetest.Clients(t)
	s, load := stopped(t, func(c *config.Config) {
		c.Store.URL, c.Store.User, c.Store.Password, c.Store.Database = writer.URL, writer.User, writer.Password, writer.Database
	})
	rate := func(n uint32) {
		t.Helper()
		if err := load(func(c *config.Config) {
			c.Sources.Sampling.Exporters = map[conf.Addr]uint32{value[conf.Addr]("127.0.1.1"): n}
		}); err != nil {
			t.Fatal(err)
		}
	}
	decoder, out := s.decoding.Decoder(), into(flow.Table.NewBatch(1024))
	for d := range simulate.Datagrams(simulate.Options{Protocol: simulate.NetFlow9, Sources: netip.MustParseAddr("127.0.1.1"), Flows: 200, Rate: 1000, Seed: 1}) {
		decoder.Decode(&source.Datagram{Payload: d.Payload, Exporter: d.Src, Received: time.Now()}, out)
	}
	var log rateLog
	rate(100)
	s.compareRates(t.Context(), &log) // it has seen what the rate was
	rate(200)
	s.compareRates(t.Context(), &log) // there are no tables yet
	if err := s.migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.migrated.Store(true)
	s.compareRates(t.Context(), &log)
	list, err := event.Between(t.Context(), writer, access.Everything, 0, time.Now().Unix()+1, "sampling")
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].Target != "127.0.1.1" || list[0].Text != "sampling rate 1:100 → 1:200, from configuration" {
		t.Errorf("events %+v", list)
	}
}

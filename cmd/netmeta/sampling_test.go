package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"netmeta/api"
	"netmeta/event"
	"netmeta/simulate"
)

// decode --stats prints the sampling rates of an exporter.
func TestDecodeStats(t *testing.T) {
	out := must(t, "decode", "--stats", "--json", "../../source/sflow/testdata/ovs.pcap")
	line := out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:]
	var x struct {
		Address      string
		SamplingRate uint32 `json:"sampling_rate"`
		Samplings    []api.Sampling
	}
	if err := json.Unmarshal([]byte(line), &x); err != nil {
		t.Fatal(err, line)
	}
	if x.Address != "127.0.0.1" || x.SamplingRate != 2 || len(x.Samplings) != 1 || x.Samplings[0].Effective != 2 {
		t.Errorf("%+v", x)
	}
}

// A rate that changes while NetMeta runs is among the events of the API.
func TestRateEvents(t *testing.T) {
	port := udpPort(freeUDP(t))
	rate := func(n int) string {
		return fmt.Sprintf("%s  sampling:\n    exporters:\n      127.0.1.1: %d\n", port, n)
	}
	p, rewrite := configured(t, rate(100))
	p.ready()
	if _, err := simulate.Run(t.Context(), simulate.Options{Protocol: simulate.NetFlow9, To: p.status().Listeners[0].Addr, Rate: 1000, Flows: 200, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(5*time.Second + time.Second) // it has seen what the rate was
	rewrite(rate(200))
	if out, code := p.reload(); code != 0 {
		t.Fatal(out)
	}
	waitFor(t, 5*time.Second+20*time.Second, "the event", func() error {
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

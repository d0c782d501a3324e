package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"netmeta/api"
	"netmeta/sender"
	"netmeta/simulate"
)

// decide asks to accept or ignore senders.
func (p *running) decide(what string, status int, addresses ...string) string {
	p.Helper()
	body, _ := json.Marshal(map[string]any{"addresses": addresses, "decision": what})
	res, err := http.Post(p.url+"/api/v1/senders", "application/json", strings.NewReader(string(body)))
	if err != nil {
		p.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	if res.StatusCode != status {
		p.Fatalf("%s %v: %s %s", what, addresses, res.Status, text)
	}
	return string(text)
}

// What an ignored sender sends is refused and counted, over a restart and until it is
// accepted. One that the configuration names cannot be ignored.
func TestIgnore(t *testing.T) {
	dir := t.TempDir()
	const named = "sources:\n  udp:\n    listen: [\"127.0.0.1:0\"]\n  sampling:\n    exporters:\n      127.0.77.9: 100\n"
	p, _ := configuredOn(t, dir, named)
	p.ready()
	const one, other = "127.0.77.1", "127.0.77.2"
	seed := uint64(0)
	send := func(protocol simulate.Protocol) simulate.Sent {
		t.Helper()
		seed++
		return p.simulate(simulate.Options{Protocol: protocol, Flows: 400, Seed: seed, Exporters: 2, Sources: netip.MustParseAddr(one)})
	}
	// Each datagram has been read when the sockets have counted it.
	read := func(datagrams uint64) (s api.Status) {
		t.Helper()
		waitFor(t, 20*time.Second, "datagrams", func() error {
			if s = p.status(); s.Pipeline.Datagrams < datagrams {
				return fmt.Errorf("%d of %d", s.Pipeline.Datagrams, datagrams)
			}
			return nil
		})
		return s
	}
	standings := func(s api.Status, types ...string) string {
		var list []string
		for _, x := range s.Exporters {
			if len(types) > 0 && !slices.Contains(types, x.Type) { // known from their templates
				continue
			}
			list = append(list, x.Address+" "+x.Type+" "+x.Standing)
		}
		for _, x := range s.Ignored {
			list = append(list, fmt.Sprint(x.Address, " ignored ", x.Datagrams > 0))
		}
		return strings.Join(list, ", ")
	}
	total := send(simulate.IPFIX).Totals.Datagrams
	if got := standings(read(total)); got != "127.0.77.1 ipfix new, 127.0.77.2 ipfix new" {
		t.Error(got)
	}
	waitFor(t, 20*time.Second, "rows of both in the store", func() error {
		for _, x := range p.status().Exporters {
			if !x.Stored {
				return fmt.Errorf("%+v", x)
			}
		}
		return nil
	})
	p.decide(sender.Accept, http.StatusOK, other)
	p.decide(sender.Ignore, http.StatusOK, one)
	if text := p.decide(sender.Ignore, http.StatusConflict, "127.0.77.9"); !strings.Contains(text, "127.0.77.9") {
		t.Error(text)
	}
	before := p.status()
	for _, protocol := range simulate.Protocols { // sFlow of the agents of the same addresses
		total += send(protocol).Totals.Datagrams
	}
	s := read(total)
	if got := standings(s); !strings.HasSuffix(got, "127.0.77.1 ignored true") || strings.Contains(got, "127.0.77.1 ipfix") || !strings.Contains(got, "127.0.77.2 sflow accepted") {
		t.Error(got)
	}
	if len(s.Drops) > 0 || s.Ignored[0].Since < before.Started || s.Ignored[0].Last < before.Now {
		t.Errorf("drops %v, ignored %+v", s.Drops, s.Ignored)
	}
	res, err := http.Get(p.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(res.Body)
	res.Body.Close()
	for _, line := range []string{fmt.Sprintf("netmeta_source_refused_total{reason=\"ignored\",source=\"udp\"} %d\n", s.Ignored[0].Datagrams), "netmeta_senders_ignored 1\n"} {
		if !strings.Contains(string(text), line) {
			t.Errorf("the metrics lack %s", line)
		}
	}

	p.stop(syscall.SIGTERM)
	stored := `SELECT countIf(ExporterAddress = toIPv6('127.0.77.1')), countIf(ExporterAddress = toIPv6('127.0.77.2')) > 600 FROM flows`
	p, rewrite := configuredOn(t, dir, named)
	p.ready()
	had := p.sql(stored)
	total = send(simulate.NetFlow5).Totals.Datagrams
	if got := standings(read(total), "netflow5"); got != "127.0.77.2 netflow5 accepted, 127.0.77.1 ignored true" {
		t.Error("after a restart: ", got)
	}
	// Naming it counts before what was decided.
	rewrite(named + "      127.0.77.1: 100\n")
	if out, code := p.reload(); code != 0 {
		t.Fatal(out)
	}
	total += send(simulate.NetFlow5).Totals.Datagrams
	if got := standings(read(total), "netflow5"); got != "127.0.77.1 netflow5 named, 127.0.77.2 netflow5 accepted" {
		t.Error("named: ", got)
	}
	rewrite(named)
	if out, code := p.reload(); code != 0 {
		t.Fatal(out)
	}
	p.decide(sender.Forget, http.StatusOK, one)
	total += send(simulate.NetFlow5).Totals.Datagrams
	if got := standings(read(total), "netflow5"); got != "127.0.77.1 netflow5 new, 127.0.77.2 netflow5 accepted" {
		t.Error("forgotten: ", got)
	}
	waitFor(t, 20*time.Second, "flows of both", func() error {
		if got := p.sql(stored); got == had || !strings.HasSuffix(got, "1") {
			return fmt.Errorf("%q, had %q", got, had)
		}
		return nil
	})
}

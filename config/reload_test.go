package config

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netmeta/internal/conf"
)

func TestReload(t *testing.T) {
	f := func(text string, applied, restart string) {
		t.Helper()
		running, next := Default(), Default()
		if err := Parse([]byte(text), &next); err != nil {
			t.Fatal(err)
		}
		merged, a, r := running.Reload(next)
		if strings.Join(a, " ") != applied || strings.Join(r, " ") != restart {
			t.Errorf("%s: applied %v, restart %v", text, a, r)
		}
		// What runs now is as the file says, but for what needs a restart.
		_, again, left := merged.Reload(next)
		if len(again) > 0 || !slices.Equal(left, r) {
			t.Errorf("%s: a second time applies %v and leaves %v", text, again, left)
		}
	}
	f("", "", "")
	f("http: {hosts: []}", "", "")
	f("http: {hosts: [a.example]}", "http.hosts", "")
	f("data: /elsewhere\nhttp: {listen: '127.0.0.1:9'}", "", "data http.listen")
	f("store: {retention-days: 3, queue-blocks: 8, url: 'http://127.0.0.1:8123'}\nengine: {listen: '127.0.0.1:8123'}", "store.retention-days", "store.url store.queue-blocks engine.listen")
	f("sources: {udp: {listen: [':1'], workers: 3}, sampling: {exporters: {192.0.2.1: 5}}, netflow: {extra: [flowId]}}", "sources.udp.listen sources.netflow.extra sources.sampling.exporters", "sources.udp.workers")
	f("filter: {macros: {dns: 'port 53'}}\nlog: {level: debug, format: json}\ndebug: {listen: '127.0.0.1:1'}", "filter.macros log.level", "log.format debug.listen")
}

func TestPublic(t *testing.T) {
	c := Default()
	c.Store.Password, c.Store.URL = "hunter2hunter2", "http://me:hunter2@127.0.0.1:8123"
	c.Sources.Sampling.Exporters = map[conf.Addr]uint32{conf.AddrOf(netip.MustParseAddr("192.0.2.1")): 7}
	text, err := json.Marshal(c.Public())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "hunter2") {
		t.Errorf("a secret is shown: %s", text)
	}
	for _, want := range []string{`"password":"(secret)"`, `"url":"http://xxxxx@127.0.0.1:8123"`, `"exporters":{"192.0.2.1":7}`, `"hosts":[]`, `"macros":{}`, `"listen":[":2055",":4739",":6343"]`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}

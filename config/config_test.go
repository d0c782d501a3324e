package config

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"netmeta/internal/conf"
)

func TestDefaultIsValid(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
}

func TestParse(t *testing.T) {
	c := Default()
	err := Parse([]byte(`
data: /var/lib/netmeta
sources:
  udp:
    listen: [":9995"]
  netflow:
    extra: [tcpWindowSize, ixia/hostName, "12356:7"]
  sampling:
    exporters:
      192.0.2.1: 1000
store:
  retention-days: 7
  columns: [VNI]
`), &c)
	if err != nil {
		t.Fatal(err)
	}
	if c.Data != "/var/lib/netmeta" || c.Sources.UDP.Listen[0].String() != ":9995" || c.Sources.UDP.Workers != 2 ||
		c.Sources.Sampling.Rate(netip.MustParseAddr("192.0.2.1")) != 1000 || c.Store.RetentionDays != 7 || c.HTTP.Listen != conf.Loopback(8080) {
		t.Errorf("read %+v", c)
	}
	for _, text := range []string{"", "# nothing\n", "http:\n"} {
		c := Default()
		if err := Parse([]byte(text), &c); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Numbers may be quoted, as templates write them, and in any YAML form.
func TestNumbers(t *testing.T) {
	for _, text := range []string{`"4"`, "4.0", "0x4", "0b100", "4e0", "&n 4"} {
		c := Default()
		if err := Parse([]byte("sources: {udp: {workers: "+text+"}}"), &c); err != nil || c.Sources.UDP.Workers != 4 {
			t.Errorf("%s: %d workers, %v", text, c.Sources.UDP.Workers, err)
		}
	}
}

// Every error has the key, the value and the fix.
func TestMistakes(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		c := Default()
		err := Parse([]byte(text), &c)
		if err == nil {
			t.Errorf("%q: no error", text)
			return
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q: error %q does not say %q", text, err, w)
			}
		}
	}
	f("htpp:\n  listen: 1", "line 1", `"htpp"`, `did you mean "http"?`)
	f("sources:\n  udp:\n    listn: [a]", "line 3", `"sources.udp.listn"`, `"listen"`)
	f("sources:\n  udp:\n    workers: many", "line 3", "sources.udp.workers", `"many" is not an integer`)
	f("sources:\n  udp:\n    listen: 127.0.0.1:2055", "line 3", "sources.udp.listen", `use ["127.0.0.1:2055"]`)
	f("sources:\n  udp:\n    listen: [127.0.0.1: 2055]", "sources.udp.listen[0]", "quote values")
	f(`sources: {udp: 2055}`, "sources.udp: 2055 is not a mapping", "listen")
	f(`sources: {udp: {spread: sometimes}}`, "sources.udp.spread", `"sometimes" is not a truth value; use true or false`)
	f(`sources: {sampling: {exporters: 5}}`, "sources.sampling.exporters: 5 is not a mapping", "KEY: VALUE")
	f(`data: [a, b]`, "data: expected one value, got a list")
	f(`store: {password: [hunter2]}`, "store.password: expected one value, got a list")
	f(`views: [5]`, "views[0]: 5 is not a mapping; valid keys: description, name, of")
	f(`views: [{-: x}]`, `unknown key "views[0].-"`)
	f(`enrich: {own: {as: 64500}}`, "enrich.own.as", "use [64500]")
	f("enrich:\n  own:\n    prefixes: [10.0.0.0/8, mine]", "line 3", `enrich.own.prefixes[1]: "mine" is not a prefix`)
	f("enrich: {own: {prefixes: [[10.0.0.0/8]]}}", "enrich.own.prefixes[0]: expected one value, got a list")
	f("enrich:\n  exporters:\n    edge1: {name: a}", "line 3", `enrich.exporters: "edge1" is not a prefix`)
	f("enrich:\n  exporters:\n    192.0.2.1: {}\n    192.0.2.1/32: {}", "line 4", `enrich.exporters: "192.0.2.1/32": is listed twice`)
	f(`enrich: {networks: {"2001:db8::1/32": {}}}`, "enrich.networks: 2001:db8::1/32 has host bits set; use 2001:db8::/32")
	f("enrich: {interfaces: [{name: a}, {speed: fast}]}", "enrich.interfaces[1].speed: fast: use bits per second")
	f("enrich: {interfaces: [{match: (}]}", "enrich.interfaces[0].match: (: is not a regular expression")
	f("enrich: {interfaces: [{boundary: inside}]}", "enrich.interfaces[0].boundary: inside: use external or internal")
	f("enrich: {interfaces: [{index: 3}]}", "enrich.interfaces[0]: says nothing")
	f("enrich: {exporters: {192.0.2.1: {interfaces: [{speed: {a: b}}]}}}", "interfaces[0].speed: expected one value, got a mapping")
	f("enrich: {as: {order: [guess]}}", "enrich.as.order[0]: guess: use exporter or data")
	f("enrich: {names: {order: [sflow, snmp]}}", `enrich.names.order[1]: "snmp" is not an origin`)
	f("enrich: {names: {order: [sflow, sflow]}}", "enrich.names.order: sflow: is listed twice")
	f("enrich: {network-files: [ftp://example.net/x]}", "enrich.network-files[0]: ftp://example.net/x: is not a URL that can be fetched")
	f("enrich: {refresh: 1s}", `enrich.refresh: "1s": use an interval`)
	f("sources: &a\n  udp: &b\n    workers: many", "line 3", `sources.udp.workers: "many" is not an integer`)
	f(`sources: &s {udpp: 3}`, `"sources.udpp"`, `did you mean "udp"?`)
	f(`sources: {udp: {limit: {flows-per-second: -1}}}`, "flows-per-second: -1 is too small; use at least 0")
	f(`store: {retention-days: 99999999999999999999}`, "store.retention-days", "is too large")
	f(`store: {retention-days: 1.5}`, "store.retention-days", "1.5 is not an integer")
	f(`just a text`, `the file: "just a text" is not a mapping`)
	f("sources:\n  udp:\n    workers: 0", "sources.udp.workers", "0", "1 to 64")
	f(`sources: {udp: {listen: ["2055"]}}`, "sources.udp.listen", "2055", "HOST:PORT")
	f(`sources: {udp: {listen: [":70000"]}}`, "70000", "65535")
	f(`sources: {udp: {listen: [":1", ":1"]}}`, ":1", "twice")
	f(`sources: {udp: {listen: []}}`, "at least one")
	f(`sources: {udp: {buffer-mib: 0}}`, "sources.udp.buffer-mib", "1 to 1024")
	f(`sources: {udp: {limit: {exporters: {router1: 5}}}}`, "sources.udp.limit.exporters", "router1", "IP address")
	f(`memory-mib: 5`, "memory-mib", "5", "128")
	f(`sources: {netflow: {extra: [flowId, TcpWindowSize, nonsense]}}`, "sources.netflow.extra", `did you mean "tcpWindowSize"?`, `"nonsense"`, "PEN:ID")
	f(`sources: {sampling: {exporters: {router1: 5}}}`, "router1", "IP address")
	f(`sources: {sampling: {exporters: {192.0.2.1: 0}}}`, "192.0.2.1", "use 1")
	f(`store: {url: "clickhouse:9000"}`, "store.url", "http://")
	f(`store: {retention-days: -1}`, "store.retention-days", "-1")
	f(`store: {keep-free: much}`, "store.keep-free", "much", "10%")
	f(`store: {columns: [SrcAddr]}`, "store.columns", "SrcAddr", "rare")
	f(`store: {password: "${file:/nonexistent/secret}"}`, "store.password", "/nonexistent/secret")
	f(`store: {queue-blocks: 1}`, "store.queue-blocks")
	f(`store: {queue-mib: 8}`, "store.queue-mib")
	f(`http: {listen: "web:80"}`, "http.listen", `"web"`)
	f(`engine: {listen: "0.0.0.0:8123"}`, "engine.listen", "0.0.0.0:8123", "loopback")
	f(`engine: {memory-mib: 5}`, "engine.memory-mib", "512")
	f(`engine: {max-queries: -1}`, "engine.max-queries", "-1")
	f(`log: {format: xml}`, "log.format", "xml", "json")
	f(`log: {level: loud}`, "log.level", "loud", "debug")
	f(`debug: {listen: ":6060"}`, "debug.listen", ":6060", "loopback")
	f("data: [", "1")
}

func TestSpoolSize(t *testing.T) {
	c := Default()
	if err := Parse([]byte("spool:\n  max-size: much\n"), &c); err == nil || !strings.Contains(err.Error(), "spool.max-size") || !strings.Contains(err.Error(), "20GiB") {
		t.Errorf("error %v", err)
	}
}

// Values that types read themselves are those that the file has, and are shown as it
// has them.
func TestTyped(t *testing.T) {
	c := Default()
	err := Parse([]byte(`enrich:
  own: {prefixes: [10.0.0.0/8, "2001:db8::/32", 192.0.2.1]}
  exporters:
    192.0.2.1: {name: edge1, interfaces: [{match: "^xe-", speed: 10G, boundary: external}, {index: 3, speed: 2500000000}]}
    "2001:db8::/32": {site: Bern}
  networks: {10.1.0.0/16: {name: office}}
  names: {order: [sflow, config]}
  as: {order: [data]}
  network-files: [networks.csv, "https://user:hunter2@example.net/list?token=hunter2"]
  data: http://example.net/ip.data
  refresh: 90m
`), &c)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := json.Marshal(c.Public()["enrich"])
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"as":{"names":{},"order":["data"]},"country":true,"data":"http://example.net/ip.data",` +
		`"exporters":{` +
		`"192.0.2.1":{"group":"","interfaces":[` +
		`{"boundary":"external","connectivity":"","description":"","index":0,"match":"^xe-","name":"","provider":"","speed":"10G"},` +
		`{"boundary":"","connectivity":"","description":"","index":3,"match":"","name":"","provider":"","speed":"2.5G"}],` +
		`"name":"edge1","region":"","role":"","site":"","tenant":""},` +
		`"2001:db8::/32":{"group":"","interfaces":[],"name":"","region":"","role":"","site":"Bern","tenant":""}},` +
		`"interfaces":[],"names":{"order":["sflow","config"]},` +
		`"network-files":["networks.csv","https://xxxxx@example.net/list?token=xxxxx"],` +
		`"networks":{"10.1.0.0/16":{"name":"office","region":"","role":"","site":"","tenant":""}},` +
		`"own":{"as":[],"prefixes":["10.0.0.0/8","2001:db8::/32","192.0.2.1"]},"refresh":"1h30m"}`
	if string(shown) != want {
		t.Errorf("shown\n%s, want\n%s", shown, want)
	}
	// The same file again is no change.
	same := Default()
	if err := Parse([]byte(`enrich: {own: {prefixes: [10.0.0.0/8, "2001:db8::/32", 192.0.2.1/32]}}`), &same); err != nil {
		t.Fatal(err)
	}
	if _, applied, restart := (Config{}).Reload(Config{}); len(applied)+len(restart) > 0 {
		t.Errorf("nothing changes %v and %v", applied, restart)
	}
	again := c
	again.Enrich.Own = same.Enrich.Own
	if _, applied, restart := c.Reload(again); len(applied)+len(restart) > 0 {
		t.Errorf("the same prefixes change %v and %v", applied, restart)
	}
}

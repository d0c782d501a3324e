package config

import (
	"encoding/json"
	"strings"
	"testing"
)

// with is a file in which a key has a value, as written.
func with(key, value string) string {
	text := ""
	for i, part := range strings.Split(key, ".") {
		text += "\n" + strings.Repeat(" ", i) + part + ":"
	}
	return text + " " + value + "\n"
}

// shown is the value of a key of a configuration as the API shows it.
func shown(t *testing.T, c Config, key string) string {
	t.Helper()
	var v any = c.Public()
	for _, part := range strings.Split(key, ".") {
		v = v.(map[string]any)[part]
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A value may be written in all these ways, and is shown so.
func TestSpellings(t *testing.T) {
	f := func(key, value, want string) {
		t.Helper()
		c := Default()
		if err := Parse([]byte(with(key, value)), &c); err != nil {
			t.Errorf("%s: %s: %v", key, value, err)
		} else if got := shown(t, c, key); got != want {
			t.Errorf("%s: %s: shown as %s, want %s", key, value, got, want)
		}
	}
	// Addresses to listen on.
	for _, key := range []string{"http.listen", "engine.listen", "debug.listen"} {
		f(key, "127.0.0.1:8080", `"127.0.0.1:8080"`)
		f(key, "127.0.0.1:0", `"127.0.0.1:0"`)
		f(key, "127.9.8.7:65535", `"127.9.8.7:65535"`)
		f(key, "localhost:80", `"localhost:80"`)
		f(key, `"[::1]:80"`, `"[::1]:80"`)
		f(key, `&a "[::1]:80"`, `"[::1]:80"`)
		f(key, `!!str 127.0.0.1:1`, `"127.0.0.1:1"`)
		f(key, `'127.0.0.1:1'`, `"127.0.0.1:1"`)
	}
	f("http.listen", ":80", `":80"`)
	f("http.listen", `0.0.0.0:80`, `"0.0.0.0:80"`)
	f("http.listen", `"[::]:80"`, `"[::]:80"`)
	f("http.listen", `"[fe80::1%eth0]:80"`, `"[fe80::1%eth0]:80"`)
	f("http.listen", `127.0.0.1:0080`, `"127.0.0.1:0080"`)
	f("debug.listen", `""`, `""`)
	f("debug.listen", ``, `""`)
	f("http.listen", ``, `"127.0.0.1:8080"`)
	f("http.listen", `null`, `"127.0.0.1:8080"`)
	f("http.listen", `~`, `"127.0.0.1:8080"`)
	f("sources.udp.listen", `[":2055", "127.0.0.1:0", "127.0.0.1:0", "[::1]:4739"]`, `[":2055","127.0.0.1:0","127.0.0.1:0","[::1]:4739"]`)
	f("sources.udp.listen", "\n    - 127.0.0.1:2055\n    - :9995", `["127.0.0.1:2055",":9995"]`)

	// Numbers, of MiB and others.
	for _, key := range []string{"sources.udp.workers", "sources.udp.buffer-mib"} {
		for _, four := range []string{"4", `"4"`, "4.0", "0x4", "0b100", "0o4", "4e0", "&n 4"} {
			f(key, four, "4")
		}
	}
	f("store.queue-mib", "1_000", "1000")
	f("memory-mib", "0", "0")
	f("engine.memory-mib", "0x400", "1024")
	f("sources.udp.limit.flows-per-second", "1e6", "1000000")

	// Exporters by address.
	for _, key := range []string{"sources.udp.limit.exporters", "sources.sampling.exporters"} {
		f(key, `{192.0.2.1: 1000}`, `{"192.0.2.1":1000}`)
		f(key, `{"192.0.2.1": "1000"}`, `{"192.0.2.1":1000}`)
		f(key, "\n    2001:db8::1: 5\n    192.0.2.1: 0x10", `{"192.0.2.1":16,"2001:db8::1":5}`)
		f(key, `{"::1": 5}`, `{"::1":5}`)
		f(key, `{'fe80::1%eth0': 5}`, `{"fe80::1%eth0":5}`)
		f(key, `{}`, `{}`)
		f(key, `null`, `{}`)
	}
	f("sources.udp.limit.exporters", `{192.0.2.1: 0, 192.0.2.2: }`, `{"192.0.2.1":0,"192.0.2.2":0}`)

	// Room on a disk.
	for _, key := range []string{"store.keep-free", "spool.max-size"} {
		f(key, "10%", `"10%"`)
		f(key, "2.5 %", `"2.5 %"`)
		f(key, "50GB", `"50GB"`)
		f(key, "1.5 TB", `"1.5 TB"`)
		f(key, "20GiB", `"20GiB"`)
		f(key, "700MiB", `"700MiB"`)
		f(key, "100MB", `"100MB"`)
		f(key, "2TiB", `"2TiB"`)
		f(key, "5B", `"5B"`)
		f(key, "123456", `"123456"`)
		f(key, `"123456"`, `"123456"`)
		f(key, "0x10", `"16"`)
		f(key, "1e9", `"1e9"`)
		f(key, "&r 90%", `"90%"`)
		f(key, "0", `"0"`)
		f(key, "0%", `"0%"`)
	}
	f("store.keep-free", `""`, `""`)
	f("spool.max-size", `null`, `"10%"`)

	// The log.
	for _, level := range []string{"debug", "info", "warn", "error"} {
		f("log.level", level, `"`+level+`"`)
		f("log.level", `"`+level+`"`, `"`+level+`"`)
		f("log.level", level+"+2", `"`+level+`+2"`)
		f("log.level", level+"-1", `"`+level+`-1"`)
	}
	f("log.level", "INFO", `"INFO"`)
	f("log.level", "Warn", `"Warn"`)
	f("log.format", "json", `"json"`)
	f("log.format", "text", `"text"`)

	// Elements.
	f("sources.netflow.extra", `[tcpWindowSize, ixia/hostName, "12356:7", 96, "96", reverse/octetDeltaCount, flowId, flowId]`,
		`["tcpWindowSize","ixia/hostName","12356:7","96","96","reverse/octetDeltaCount","flowId","flowId"]`)
	f("sources.netflow.extra", `[]`, `[]`)

	// The others.
	f("store.columns", `[all]`, `["all"]`)
	f("store.columns", `[VNI, IPTTL]`, `["VNI","IPTTL"]`)
	f("store.url", `http://user:pw@127.0.0.1:8123/?a=b`, `"http://xxxxx@127.0.0.1:8123/?a=xxxxx"`)
	f("store.url", `""`, `""`)
	f("store.password", `1234`, `"(secret)"`)
	f("store.retention-days", "0", "0")
	f("http.hosts", "[a.example, 'b.example']", `["a.example","b.example"]`)
	f("filter.macros", `{web: "port = 443", dns: port 53}`, `{"dns":"port 53","web":"port = 443"}`)
	f("sources.udp.spread", "true", "true")
	f("views", `[{name: Web, query: q=port+%3D+443}]`,
		`[{"description":"","name":"Web","of":[],"page":"","pinned":false,"query":"q=port+%3D+443","slug":""}]`)
}

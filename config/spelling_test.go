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
	f("debug.listen", "\nhttp:\n listen: &a 127.0.0.1:1\nengine:\n listen: *a", `""`)
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

// A value that its type does not read is an error with the line, the key, the value and
// the fix, also after an anchor, a tag or an alias.
func TestUnreadable(t *testing.T) {
	f := func(key, value, want string) {
		t.Helper()
		c := Default()
		if err := Parse([]byte("# first line"+with(key, value)), &c); err == nil || err.Error() != want {
			t.Errorf("%s: %s: error\n%v, want\n%s", key, value, err, want)
		}
	}
	f("http.listen", "eighty", "line 3: http.listen: eighty: is not an address; use HOST:PORT or :PORT")
	f("http.listen", "&a eighty", "line 3: http.listen: eighty: is not an address; use HOST:PORT or :PORT")
	f("http.listen", "!!str eighty", "line 3: http.listen: eighty: is not an address; use HOST:PORT or :PORT")
	f("http.listen", `""`, `http.listen: "": no address; use HOST:PORT or :PORT`)
	f("http.listen", "8080", "line 3: http.listen: 8080: is not an address; use HOST:PORT or :PORT")
	f("http.listen", "[a]", "line 3: http.listen: expected one value, got a list")
	f("http.listen", "{a: b}", "line 3: http.listen: expected one value, got a mapping; quote values that contain a colon")
	f("http.listen", "127.0.0.1:1\n hosts: [&a nohost]\ndebug:\n listen: *a", "line 6: debug.listen: nohost: is not an address; use HOST:PORT or :PORT")
	f("sources.udp.listen", "[':1', ~]", "line 4: sources.udp.listen[1]: no value; remove the item")
	f("sources.udp.listen", "[':1', '']", `sources.udp.listen: "": no address; use HOST:PORT or :PORT`)
	f("sources.udp.listen", "[':1', ':x']", `line 4: sources.udp.listen[1]: :x: port "x" is out of range; use 0 to 65535`)
	f("sources.netflow.extra", "[flowId, ~]", "line 4: sources.netflow.extra[1]: no value; remove the item")
	f("sources.netflow.extra", "[flowID]", `line 4: sources.netflow.extra[0]: unknown element "flowID": did you mean "flowId"?`)
	for _, key := range []string{"sources.udp.limit.exporters", "sources.sampling.exporters"} {
		c := Default()
		err := Parse([]byte(with(key, "{192.0.2.1: 5, router1: 6, ~: 7, 192.0.2.300: 8, '::ffff:192.0.2.1': 9}")), &c)
		for _, want := range []string{key + ": router1: is not an IP address", key + ": : is not an IP address", key + ": 192.0.2.300: is not an IP address", key + `: "::ffff:192.0.2.1": is listed twice; use it once`} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v does not contain %q", key, err, want)
			}
		}
	}
	f("sources.sampling.exporters", "{192.0.2.1: 5, 192.0.2.1: 5}", `line 4, column 29: mapping key "192.0.2.1" already defined at [4:15]`)
	f("store.keep-free", "much", `line 3: store.keep-free: "much": is not a size; use a percentage such as 10%, a size such as 50GB or 20GiB, or 0`)
	f("spool.max-size", "true", `line 3: spool.max-size: "true": is not a size; use a percentage such as 10%, a size such as 50GB or 20GiB, or 0`)
	f("spool.max-size", `""`, `spool.max-size: "": no size; use a percentage such as 10%, a size such as 50GB or 20GiB, or 0`)
	f("log.level", "loud", "line 3: log.level: loud: is not a level; use debug, info, warn or error")
	f("log.level", "1", "line 3: log.level: 1: is not a level; use debug, info, warn or error")
	f("log.format", "xml", "line 3: log.format: xml: is not a format; use text or json")
	f("log.format", `""`, "line 3: log.format: : is not a format; use text or json")
	f("debug.listen", ":6060", "debug.listen: :6060: can be reached by others; use a loopback address such as 127.0.0.1:6060, because profiles reveal the traffic and take CPU time")
	f("filter.macros", "{web: src.prt = 443}", `filter.macros.web: "src.prt = 443": 4–7: unknown field "prt"; did you mean port?`)
}

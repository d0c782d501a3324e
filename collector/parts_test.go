package collector

import (
	"encoding"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/config"
	"netmeta/enrich/exporter"
	"netmeta/enrich/network"
	"netmeta/flow"
	"netmeta/internal/conf"
	"netmeta/source"
	"netmeta/source/netflow"
	"netmeta/store"
	"netmeta/view"
)

// listed reports whether a part lists a key, or a section that it is in.
func (p part) listed(key string) bool {
	return slices.ContainsFunc(p.live, func(live string) bool { return key == live || strings.HasPrefix(key, live+".") })
}

// Each key that the configuration marks as live is taken over by a part, and no part claims
// another one.
func TestLiveKeysHaveParts(t *testing.T) {
	list := new(Collector).list()
	keys := config.LiveKeys()
	for _, key := range keys {
		if n := len(slices.DeleteFunc(slices.Clone(list), func(p part) bool { return !p.listed(key) })); n != 1 {
			t.Errorf(`%s is marked reload:"live", but %d parts take it over, want 1`, key, n)
		}
	}
	for _, p := range list {
		for _, live := range p.live {
			if !slices.ContainsFunc(keys, (part{live: []string{live}}).listed) {
				t.Errorf("%s takes over %s, which the configuration does not mark as live", p.name, live)
			}
		}
	}
}

// stopped makes a collector that has not started; its store is away unless with names
// another one. load has it read a configuration again.
func stopped(t *testing.T, with ...func(*config.Config)) (s *Collector, load func(change func(*config.Config)) error) {
	t.Helper()
	cfg := config.Default()
	cfg.Data, cfg.HTTP.Listen, cfg.Sources.UDP.Listen = t.TempDir(), conf.Loopback(0), []conf.HostPort{conf.Loopback(0)}
	cfg.Store.URL = "http://127.0.0.1:1"
	for _, set := range with {
		set(&cfg)
	}
	next := cfg
	s, err := New(cfg, Options{Log: slog.New(slog.DiscardHandler), Out: io.Discard, Load: func() (config.Config, error) { return next, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	s.configureAPI()
	return s, func(change func(*config.Config)) error {
		change(&next)
		_, err := s.reload()
		return err
	}
}

// value is a value as the configuration file has it.
func value[T any, P interface {
	*T
	encoding.TextUnmarshaler
}](text string) (v T) {
	if err := P(&v).UnmarshalText([]byte(text)); err != nil {
		panic(err)
	}
	return v
}

// answer is what the API says to a request under a host name.
func (c *Collector) answer(host, path string) string {
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", path, nil)
	r.Host = host
	c.handler.ServeHTTP(w, r)
	return fmt.Sprint(w.Code, w.Body)
}

// over reports whether an exporter that sends a thousand flows in this second is over its limit.
func (c *Collector) over(a netip.Addr) bool {
	x, _ := c.decoding.Exporters.Of(a, flow.TypeNetFlow5)
	now := time.Now().Unix()
	x.Thin(now, new(source.PRNG))
	x.Sent(1000, 0)
	return x.Over(now)
}

// extra is the column Extra of a flow whose record has element 186, tcpWindowSize, of 1500.
func (c *Collector) extra() string {
	m := []byte{0, 10, 0, 0}
	m = binary.BigEndian.AppendUint32(m, uint32(time.Now().Unix()))
	m = append(m, make([]byte, 8)...)
	m = append(m, 0, 2, 0, 12, 1, 0, 0, 1, 0, 186, 0, 2) // template 256
	m = append(m, 1, 0, 0, 6, 5, 220)
	binary.BigEndian.PutUint16(m[2:], uint16(len(m)))
	b := flow.Table.NewBatch(10)
	c.decoding.Decoder().Decode(&source.Datagram{Payload: m, Exporter: netip.MustParseAddrPort("192.0.2.7:4739"), Received: time.Now()}, into(b))
	return string(column.AppendJSON(nil, b, 0))
}

// wanted returns the configuration of the tables, and whether a migration was requested.
func (c *Collector) wanted() string {
	asked := len(c.tablesChange)
	for range asked {
		<-c.tablesChange
	}
	return fmt.Sprintf("%+v %d", Schemas(*c.config())[0], asked)
}

// Each live key has its effect on a collector that reads it. What enrichment makes of its
// keys is tested there.
func TestLiveKeysTakeEffect(t *testing.T) {
	t.Cleanup(func() { debug.SetMemoryLimit(math.MaxInt64) })
	t.Setenv("GOMEMLIMIT", "")
	one, two := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	tables := func(s *Collector) any { return s.wanted() }
	effects := map[string]struct {
		change func(*config.Config)
		look   func(*Collector) any
	}{
		"memory-mib": {func(c *config.Config) { c.MemoryMiB = 333 }, func(*Collector) any { return debug.SetMemoryLimit(-1) }},
		"http.hosts": {func(c *config.Config) { c.HTTP.Hosts = []string{"flows.example.net"} },
			func(s *Collector) any { return s.answer("flows.example.net", "/api/v1/config")[:3] }},
		"sources.udp.listen": {func(c *config.Config) { c.Sources.UDP.Listen = []conf.HostPort{conf.Loopback(0), conf.Loopback(0)} },
			func(s *Collector) any { return len(s.udp.Addrs()) }},
		"sources.udp.limit.flows-per-second": {func(c *config.Config) { c.Sources.UDP.Limit.FlowsPerSecond = 10 }, func(s *Collector) any { return s.over(two) }},
		"sources.udp.limit.exporters":        {func(c *config.Config) { c.Sources.UDP.Limit.Exporters = map[conf.Addr]uint64{conf.AddrOf(one): 10} }, func(s *Collector) any { return s.over(one) }},
		"sources.netflow.extra": {func(c *config.Config) {
			c.Sources.NetFlow.Extra = []netflow.Element{value[netflow.Element]("tcpWindowSize")}
		}, func(s *Collector) any { return strings.Contains(s.extra(), "1500") }},
		"sources.sampling.exporters": {func(c *config.Config) { c.Sources.Sampling.Exporters = map[conf.Addr]uint32{conf.AddrOf(one): 100} },
			func(s *Collector) any { return s.decoding.rates.Load().Rate(one) }},
		"enrich.exporters": {func(c *config.Config) {
			c.Enrich.Exporters = map[network.Prefix]exporter.Exporter{{Prefix: netip.PrefixFrom(one, one.BitLen())}: {Name: "edge"}}
		},
			func(s *Collector) any { return s.enrich.ExporterName(one) }},
		"store.retention-days":      {func(c *config.Config) { c.Store.RetentionDays = 3 }, tables},
		"store.columns":             {func(c *config.Config) { c.Store.Columns = []string{"VNI"} }, tables},
		"store.rollups.minute-days": {func(c *config.Config) { c.Store.Rollups.MinuteDays = 77 }, tables},
		"store.rollups.hour-days":   {func(c *config.Config) { c.Store.Rollups.HourDays = 777 }, tables},
		"store.keep-free":           {func(c *config.Config) { c.Store.KeepFree = store.Percent(7) }, func(s *Collector) any { return s.keepFree() }},
		"filter.macros": {func(c *config.Config) { c.Filter.Macros = map[string]string{"dns": "port 53"} },
			func(s *Collector) any {
				return s.answer("localhost", "/api/v1/filter/check?q="+url.QueryEscape("@dns"))
			}},
		"views": {func(c *config.Config) { c.Views = []view.View{{Slug: "web", Name: "Web", Query: "q=tcp"}} },
			func(s *Collector) any { return strings.Contains(s.answer("localhost", "/api/v1/views"), `"web"`) }},
		"log.level": {func(c *config.Config) { c.Log.Level = value[config.Level]("error") }, func(s *Collector) any { return s.options.Level.Level() }},
	}
	for _, key := range config.LiveKeys() {
		effect, ok := effects[key]
		if !ok {
			if !strings.HasPrefix(key, "enrich.") {
				t.Errorf("the effect of %s is not tested", key)
			}
			continue
		}
		t.Run(key, func(t *testing.T) {
			s, load := stopped(t)
			before := effect.look(s)
			if again := effect.look(s); before != again {
				t.Fatalf("it was %v, then %v, and nothing had changed", before, again)
			}
			if err := load(effect.change); err != nil {
				t.Fatal(err)
			}
			if after := effect.look(s); after == before {
				t.Errorf("it is still %v", after)
			}
		})
	}
}

// A configuration that one part refuses changes nothing at the others.
func TestRefusedReload(t *testing.T) {
	s, load := stopped(t)
	ports, level := s.udp.Addrs(), s.options.Level.Level()
	err := load(func(c *config.Config) {
		c.Sources.UDP.Listen = append(c.Sources.UDP.Listen, conf.Loopback(0))
		c.Enrich.Exporters = map[network.Prefix]exporter.Exporter{{Prefix: netip.MustParsePrefix("192.0.2.1/32")}: {Name: "edge"}}
		c.Store.RetentionDays, c.Log.Level = 3, value[config.Level]("error")
		c.Enrich.Data = "/nowhere" // enrichment refuses, after the ports were opened
	})
	if err == nil || !strings.Contains(err.Error(), "/nowhere") {
		t.Fatal(err)
	}
	if !slices.Equal(s.udp.Addrs(), ports) || s.enrich.ExporterName(netip.MustParseAddr("192.0.2.1")) != "" || len(s.tablesChange) != 0 ||
		s.options.Level.Level() != level || s.config().Store.RetentionDays == 3 {
		t.Error("what was refused is taken over in part")
	}
}

// The table of goroutines in ARCHITECTURE.md has a line for each part that runs, in the
// order of the list.
func TestGoroutinesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## Who owns which goroutine")
	table, _, _ = strings.Cut(table, "\n## ")
	var documented, want []string
	for _, line := range regexp.MustCompile(`(?m)^\| ([^|]+?) \|`).FindAllStringSubmatch(table, -1) {
		documented = append(documented, line[1])
	}
	for _, p := range new(Collector).list() {
		if p.run != nil {
			want = append(want, p.name)
		}
	}
	want = append(want, "engine") // of the embedded one
	if got := documented[min(1, len(documented)):]; !slices.Equal(slices.DeleteFunc(got, func(name string) bool { return strings.HasPrefix(name, "-") }), want) {
		t.Errorf("ARCHITECTURE.md has %q, the list %q", got, want)
	}
}

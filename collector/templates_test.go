package collector

import (
	"encoding/binary"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"netmeta/config"
	"netmeta/flow"
	"netmeta/internal/conf"
	"netmeta/internal/wholefile"
	"netmeta/source"
)

// The state of exporters is available in the next run; a damaged file does not prevent its start.
func TestTemplatesAreKept(t *testing.T) {
	cfg := config.Default()
	cfg.Data, cfg.HTTP.Listen, cfg.Sources.UDP.Listen = t.TempDir(), conf.Loopback(0), []conf.HostPort{conf.Loopback(0)}
	cfg.Store.URL = "http://127.0.0.1:1" // nothing is stored here
	// run makes a collector, decodes a message of sets, and saves.
	run := func(sets ...byte) (flows int) {
		t.Helper()
		s, err := New(cfg, Options{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		p := []byte{0, 10, 0, 0}
		p = binary.BigEndian.AppendUint32(p, uint32(time.Now().Unix()))
		p = append(append(p, make([]byte, 8)...), sets...)
		binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
		b := flow.Table.NewBatch(10)
		s.decoding.Decoder().Decode(&source.Datagram{Payload: p, Exporter: netip.MustParseAddrPort("192.0.2.1:4739"), Received: time.Now()}, into(b))
		s.saveTemplates()
		return b.Len()
	}
	template := []byte{0, 2, 0, 12, 1, 0, 0, 1, 0, 1, 0, 4}
	data := []byte{1, 0, 0, 8, 0, 0, 5, 220}
	if n := run(data...); n != 0 {
		t.Fatal(n, " flows without a template")
	}
	if n := run(append(template, data...)...); n != 1 {
		t.Fatal(n, " flows")
	}
	if n := run(data...); n != 1 {
		t.Error(n, " flows after a restart")
	}
	path := filepath.Join(cfg.Data, "templates")
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n := run(data...); n != 0 {
		t.Error(n, " flows with a damaged file")
	}
	if asides := wholefile.Asides(cfg.Data); len(asides) != 1 || asides[0].Name != "templates" {
		t.Errorf("the damaged file is not put aside: %v", asides)
	}
}

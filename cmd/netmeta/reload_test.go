package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"netmeta/simulate"
)

// configured starts netmeta run with a configuration of its own, whose file the test
// may write again. The text follows data and http.listen.
func configured(t *testing.T, text string, args ...string) (p *running, rewrite func(text string)) {
	t.Helper()
	return configuredOn(t, t.TempDir(), text, args...)
}

// configuredOn is configured in a directory of the test's choice.
func configuredOn(t *testing.T, dir, text string, args ...string) (p *running, rewrite func(text string)) {
	t.Helper()
	file := filepath.Join(dir, "netmeta.yaml")
	rewrite = func(text string) {
		t.Helper()
		text = "data: " + filepath.Join(dir, "data") + "\nhttp:\n  listen: 127.0.0.1:0\n  hosts: [flows.example]\n" + text
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rewrite(text)
	return launch(t, filepath.Join(dir, "data"), command(t, append([]string{"run", "--config", file}, args...)...)), rewrite
}

// reload asks for a reload through the command line and gives what it prints.
func (p *running) reload() (string, int) {
	p.Helper()
	out, diag, code := netmeta(p, "", "reload", "--listen", strings.TrimPrefix(p.url, "http://"))
	return out + diag, code
}

func udpPort(listeners ...string) string {
	text := "sources:\n  udp:\n    listen:\n"
	for _, l := range listeners {
		text += "      - " + l + "\n"
	}
	return text
}

// The configuration is read again, and again, while flows come in: every flow that was
// sent is stored, and the port that stays is the same socket.
func TestReloadUnderTraffic(t *testing.T) {
	const stays = "127.0.0.1:0"
	other := freeUDP(t)
	p, rewrite := configured(t, udpPort(stays))
	p.ready()
	type result struct {
		sent simulate.Sent
		err  error
	}
	done := make(chan result, 1)
	go func() {
		sent, err := simulate.Run(t.Context(), simulate.Options{Protocol: simulate.IPFIX, To: p.udp, Rate: 20_000, Flows: 60_000, Seed: 4})
		done <- result{sent, err}
	}()
	var r result
	reloads := 0
	for ended := false; !ended; reloads++ {
		select {
		case r = <-done:
			ended = true
		default:
		}
		text := udpPort(stays, other) + "  sampling:\n    exporters:\n      192.0.2.1: 7\n  netflow:\n    extra: [tcpWindowSize]\nfilter:\n  macros:\n    dns: port 53\nstore:\n  retention-days: 9\nlog:\n  level: debug\n"
		if reloads%2 == 1 {
			text = udpPort(stays)
		}
		rewrite(text)
		if out, code := p.reload(); code != 0 {
			t.Fatalf("reload: %s", out)
		}
	}
	if r.err != nil {
		t.Fatal(r.err)
	}
	if reloads < 5 {
		t.Errorf("only %d reloads while flows came", reloads)
	}
	p.visible("", r.sent.Totals.BytesScaled)
	if got := p.sql(totalsOf); got != line(r.sent.Totals) {
		t.Errorf("stored %s, sent %s after %d reloads", got, line(r.sent.Totals), reloads)
	}
	if s := p.status(); len(s.Drops) > 0 || s.Pipeline.Datagrams != r.sent.Totals.Datagrams {
		t.Errorf("status: %+v, drops %v", s.Pipeline, s.Drops)
	}
	t.Logf("%d reloads", reloads)
}

// Each key that can change live has its effect.
func TestReloadKeys(t *testing.T) {
	t.Parallel()
	first := freeUDP(t)
	p, rewrite := configured(t, udpPort(first)+"store:\n  retention-days: 5\n", "--stop-timeout", "10s")
	p.ready()
	reload := func(text, changed, restart string) {
		t.Helper()
		rewrite(text)
		out, code := p.reload()
		if want := "changed:         " + changed + "\nneeds a restart: " + restart + "\n"; code != 0 || out != want {
			t.Fatalf("exit %d:\n%swant:\n%s", code, out, want)
		}
	}
	reload(udpPort(first)+"store:\n  retention-days: 5\n", "nothing", "nothing")

	// A port is added and is read; the other one goes on.
	second := freeUDP(t)
	reload(udpPort(first, second)+"store:\n  retention-days: 5\n", "sources.udp.listen", "nothing")
	if s := p.status(); len(s.Listeners) != 2 || s.Listeners[1].Addr != second {
		t.Fatalf("listeners: %+v", s.Listeners)
	}
	sent := p.simulate(simulate.Options{Protocol: simulate.NetFlow5, Flows: 500, Seed: 1}).Totals
	p.udp = second
	sent = sum(sent, p.simulate(simulate.Options{Protocol: simulate.NetFlow5, Flows: 500, Seed: 2}).Totals)
	p.visible("", sent.BytesScaled)

	// The first is removed; what came to it counts on. Retention and macros change.
	reload(udpPort(second)+"store:\n  retention-days: 8\n  columns: [VNI]\n  queue-blocks: 77\nfilter:\n  macros:\n    dns: port 53\n",
		"sources.udp.listen, store.retention-days, store.columns, filter.macros", "store.queue-blocks")
	waitFor(t, 10*time.Second, "one listener", func() error {
		if s := p.status(); len(s.Listeners) != 1 || s.Pipeline.Datagrams != sent.Datagrams {
			return fmt.Errorf("%+v %+v, sent %d", s.Listeners, s.Pipeline, sent.Datagrams)
		}
		return nil
	})
	if s := p.status(); s.Storage.TTLDays != 8 || s.Pipeline.QueueCapacity == 77 {
		t.Errorf("status: %+v %+v", s.Storage, s.Pipeline)
	}
	waitFor(t, 10*time.Second, "tables changed", func() error {
		if got := p.sql("SELECT position(create_table_query, 'toIntervalDay(8)') > 0 FROM system.tables WHERE name = 'flows'"); got != "1" {
			return fmt.Errorf("retention of 8 days: %s", got)
		}
		if got := p.sql("SELECT default_kind FROM system.columns WHERE table = 'flows' AND name = 'VNI'"); got != "" {
			return fmt.Errorf("VNI is %s", got)
		}
		return nil
	})
	if _, err := p.total("bytes", "@dns"); err != nil {
		t.Errorf("the new macro: %v", err)
	}

	// The same through SIGHUP; the log says so.
	reload(udpPort(second), "store.retention-days, store.columns, filter.macros", "nothing")
	rewrite(udpPort(second) + "store:\n  retention-days: 3\n")
	p.cmd.Process.Signal(syscall.SIGHUP)
	waitFor(t, 10*time.Second, "reload by signal", func() error {
		if s := p.status(); s.Storage.TTLDays != 3 {
			return fmt.Errorf("retention is %d days", s.Storage.TTLDays)
		}
		return nil
	})
	if !strings.Contains(p.said(), `applied=[store.retention-days]`) {
		t.Error("the log does not say what was applied")
	}

	// What is wrong is refused as a whole, with its place, and all stays as it was.
	refused := func(text string, want ...string) {
		t.Helper()
		rewrite(text)
		out, code := p.reload()
		for _, w := range append(want, "keeping the current one") {
			if code != 1 || !strings.Contains(out, w) {
				t.Errorf("exit %d: %q does not say %q", code, out, w)
			}
		}
		if s := p.status(); s.Storage.TTLDays != 3 || len(s.Listeners) != 1 || s.Listeners[0].Addr != second {
			t.Errorf("changed by what was refused: %+v %+v", s.Storage, s.Listeners)
		}
	}
	refused(udpPort(first)+"stoer:\n  retention-days: 1\n", "line 9", `"stoer"`, `did you mean "store"?`)
	refused(udpPort(first)+"store:\n  retention-days: -1\n", "store.retention-days", "-1")
	refused(udpPort(first)+"filter:\n  macros:\n    bad: src srcc\n", "filter.macros.bad")
	busy, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	refused(udpPort(first, busy.LocalAddr().String()), busy.LocalAddr().String(), "another program holds the port")
	if again, err := net.ListenPacket("udp", first); err != nil {
		t.Errorf("a port of a refused configuration stays open: %v", err)
	} else {
		again.Close()
	}

	// The command line takes precedence over the file.
	var shown struct {
		Data string
		HTTP struct{ Hosts []string }
	}
	if err := p.get("/api/v1/config", &shown); err != nil || shown.Data != p.data || len(shown.HTTP.Hosts) != 1 {
		t.Errorf("configuration %+v, %v", shown, err)
	}

	// A foreign page cannot have it read.
	req, _ := http.NewRequest("POST", p.url+"/api/v1/config/reload", nil)
	req.Header.Set("Origin", "http://evil.example")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("a foreign page: %s", res.Status)
	}
}

// Flags outrank the file, the first time and at each reload: this file names another
// address of the page than the flag.
func TestReloadKeepsFlags(t *testing.T) {
	p, rewrite := configured(t, udpPort("127.0.0.1:0"), "--listen", "127.0.0.2:0")
	p.ready()
	for _, text := range []string{"", "store:\n  retention-days: 4\n"} {
		rewrite(udpPort("127.0.0.1:0") + text)
		if out, code := p.reload(); code != 0 || !strings.Contains(out, "needs a restart: nothing") {
			t.Errorf("exit %d: %s", code, out)
		}
	}
}

// freeUDP returns an unused address.
func freeUDP(t testing.TB) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().String()
}

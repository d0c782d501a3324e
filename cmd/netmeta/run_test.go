package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"netmeta/engine"
	"netmeta/simulate"
)

// totalsOf are the sums over flows as `netmeta sql` prints them.
const totalsOf = `SELECT count(), sum(Bytes), sum(Packets), sum(ScaledBytes), sum(ScaledPackets) FROM flows`

// sum adds up what was sent.
func sum(all ...simulate.Totals) (t simulate.Totals) {
	for _, s := range all {
		t.Datagrams += s.Datagrams
		t.Flows += s.Flows
		t.Bytes += s.Bytes
		t.Packets += s.Packets
		t.BytesScaled += s.BytesScaled
		t.PacketsScaled += s.PacketsScaled
	}
	return t
}

// line is what totalsOf has to print.
func line(t simulate.Totals) string {
	return fmt.Sprintf("%d\t%d\t%d\t%d\t%d", t.Flows, t.Bytes, t.Packets, t.BytesScaled, t.PacketsScaled)
}

// visible waits until the API knows of as many bytes and returns how long that took. How
// long it may take is a matter of benchmarks, on a machine that does nothing else.
func (p *running) visible(filter string, bytes uint64) time.Duration {
	p.Helper()
	return waitFor(p, time.Minute, "flows in the answer of the API", func() error {
		got, err := p.total("bytes", filter)
		if err == nil && got != float64(bytes) {
			err = fmt.Errorf("%.0f bytes where %s, want %d", got, filter, bytes)
		}
		return err
	})
}

// inTime says whether a figure is kept. The machine that tests may be busy with other
// packages' tests, so three attempts count as one.
func inTime(t testing.TB, what string, most time.Duration, attempt func() time.Duration) {
	t.Helper()
	var took []time.Duration
	for range 3 {
		d := attempt()
		took = append(took, d.Round(time.Millisecond))
		if d < most {
			t.Logf("%s: %v", what, took)
			return
		}
	}
	t.Errorf("%s: %v, want under %v", what, took, most)
}

// What exporters send is what the store, the command line, the API and the counters
// say, flow for flow and byte for byte.
func TestRun(t *testing.T) {
	p := start(t, t.TempDir())
	p.ready()
	var all []simulate.Totals
	for i, protocol := range simulate.Protocols {
		filter := "type = " + string(protocol)
		s := p.simulate(simulate.Options{Protocol: protocol, Flows: 20_000, Seed: uint64(i + 1)})
		sent := s.Totals
		t.Logf("%s visible after %v", protocol, p.visible(filter, sent.BytesScaled).Round(time.Millisecond))
		p.compareExporters(protocol, s)
		if got := p.sql(totalsOf + " WHERE FlowType = '" + string(protocol) + "'"); got != line(sent) {
			t.Errorf("%s: sql says %s, sent %s", protocol, got, line(sent))
		}
		if got, err := p.total("packets", filter); err != nil || got != float64(sent.PacketsScaled) {
			t.Errorf("%s: API says %.0f packets, sent %d: %v", protocol, got, sent.PacketsScaled, err)
		}
		all = append(all, sent)
	}
	sent := sum(all...)
	if got := p.sql(totalsOf); got != line(sent) {
		t.Errorf("sql says %s, sent %s", got, line(sent))
	}
	s := p.status()
	if s.Pipeline.Flows != sent.Flows || s.Pipeline.InsertedRows != sent.Flows || s.Pipeline.Datagrams != sent.Datagrams || s.Storage.Rows != sent.Flows {
		t.Errorf("status: %+v, %d rows, sent %+v", s.Pipeline, s.Storage.Rows, sent)
	}
	if len(s.Drops) > 0 || s.Engine.Restarts != 0 || !s.Engine.Up || s.Storage.Bytes == 0 || s.Storage.Newest == 0 {
		t.Errorf("status: drops %v, engine %+v, storage %+v", s.Drops, s.Engine, s.Storage)
	}
	for _, line := range []string{
		fmt.Sprintf(`netmeta_store_rows_total{table="flows"} %d`, sent.Flows),
		"netmeta_engine_up 1",
	} {
		if !strings.Contains(p.text("/metrics"), line+"\n") {
			t.Errorf("/metrics has no line %s", line)
		}
	}
	received := uint64(0)
	for i, socket := range s.Listeners[0].Sockets {
		received += socket.Datagrams
		for _, line := range []string{
			fmt.Sprintf(`netmeta_udp_datagrams_total{listener="%s",socket="%d"} %d`, p.udp, i, socket.Datagrams),
			fmt.Sprintf(`netmeta_udp_buffer_bytes{listener="%s",socket="%d"} %v`, p.udp, i, float64(socket.Buffer)),
			fmt.Sprintf(`netmeta_udp_queue_bytes{listener="%s",socket="%d"} 0`, p.udp, i),
		} {
			if !strings.Contains(p.text("/metrics"), line+"\n") {
				t.Errorf("/metrics has no line %s", line)
			}
		}
	}
	if received != sent.Datagrams {
		t.Errorf("the sockets received %d datagrams, sent %d", received, sent.Datagrams)
	}
	if code := p.stop(syscall.SIGINT); code != 0 {
		t.Errorf("exit code %d after Ctrl-C", code)
	}

	// What was kept is there again.
	p = start(t, p.data)
	waitFor(t, time.Minute, "page", func() error { return p.get("/healthz", nil) })
	if !strings.Contains(p.text("/"), "<title>") {
		t.Error("no page on /")
	}
	p.ready()
	t.Logf("ready %v after the second start", time.Since(p.began).Round(time.Millisecond))
	if got := p.sql(totalsOf); got != line(sent) {
		t.Errorf("after the second start: sql says %s, sent %s", got, line(sent))
	}
	if code := p.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
}

// compareExporters looks at one run of the simulator, which is the only one of its
// protocol that ended in the last seconds, exporter by exporter.
func (p *running) compareExporters(protocol simulate.Protocol, sent simulate.Sent) {
	p.Helper()
	for _, x := range sent.Exporters {
		address := x.Agent
		if !address.IsValid() {
			address = netip.MustParseAddrPort(x.Source).Addr()
		}
		got := p.sql(fmt.Sprintf(`SELECT arraySort(groupUniqArray(SamplingRate)), uniq(ObservationDomain), countIf(SamplingSource = 'unknown' AND (FlowType != 'netflow5' OR SamplingRate != 1))
			FROM flows WHERE FlowType = '%s' AND ExporterAddress = toIPv6('%s')`, protocol, address))
		rates := slices.Clone(x.SamplingRates)
		slices.Sort(rates)
		text, _ := json.Marshal(rates)
		if want := string(text) + "\t1\t0"; got != want {
			p.Errorf("%s exporter %s: rates, domains, unknown rates: %s, want %s", protocol, address, got, want)
		}
	}
}

func (p *running) text(path string) string {
	p.Helper()
	res, err := http.Get(p.url + path)
	if err != nil {
		p.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		p.Fatal(path, res.Status, err)
	}
	return string(body)
}

// Ctrl-C loses nothing: what the kernel took before the signal is in the store after.
func TestInterrupt(t *testing.T) {
	p := start(t, t.TempDir())
	p.ready()
	var sent simulate.Totals
	for _, protocol := range []simulate.Protocol{simulate.NetFlow5, simulate.IPFIX, simulate.SFlow} {
		sent = sum(sent, p.simulate(simulate.Options{Protocol: protocol, Flows: 20_000, Rate: 60_000, Seed: 9}).Totals)
	}
	if code := p.stop(syscall.SIGINT); code != 0 {
		t.Errorf("exit code %d", code)
	}
	// The command line starts its own engine on the directory.
	if got := p.sql(totalsOf); got != line(sent) {
		t.Errorf("stored %s, sent %s", got, line(sent))
	}
	if got := p.sql("SELECT sum(Flows) FROM exporters"); got != fmt.Sprint(sent.Flows) {
		t.Errorf("the exporters table counts %s flows, sent %d", got, sent.Flows)
	}
	if p = start(t, p.data); p.sql("SELECT 1") != "1" {
		t.Error("no answer after the second start")
	}
	p.ready()
	if got := p.sql(totalsOf); got != line(sent) {
		t.Errorf("after the second start: %s, sent %s", got, line(sent))
	}
}

// An interrupt before the engine is up for the first time keeps what came in until then.
func TestInterruptAtOnce(t *testing.T) {
	p := start(t, t.TempDir())
	sent := p.simulate(simulate.Options{Protocol: simulate.NetFlow9, Flows: 500, Rate: 100_000, Seed: 3})
	if code := p.stop(syscall.SIGINT); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if got := p.sql(totalsOf); got != line(sent.Totals) {
		t.Errorf("stored %s, sent %s", got, line(sent.Totals))
	}
}

// What the store does not take until the end waits in the spool, also when the program is
// killed, and is stored once at the next start.
func TestInterruptWithoutStore(t *testing.T) {
	p := start(t, t.TempDir(), "--stop-timeout", "1s")
	p.ready()
	e, err := engine.Running(p.data)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(e.PID, syscall.SIGSTOP); err != nil { // it hangs
		t.Fatal(err)
	}
	first := p.simulate(simulate.Options{Protocol: simulate.IPFIX, Flows: 5000, Rate: 100_000, Seed: 5}).Totals
	if code := p.stop(syscall.SIGINT); code != 0 || !strings.Contains(p.said(), "wait for the next start") {
		t.Errorf("exit code %d", code)
	}

	p = start(t, p.data)
	p.ready()
	waitFor(t, 15*time.Second, "stored after the next start", func() error {
		if s := p.status().Spool; s.Rows > 0 {
			return fmt.Errorf("spool: %+v", s)
		}
		return nil
	})
	if got := p.sql(totalsOf); got != line(first) {
		t.Errorf("after the next start: stored %s, sent %s", got, line(first))
	}

	if e, err = engine.Running(p.data); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(e.PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	second := p.simulate(simulate.Options{Protocol: simulate.SFlow, Flows: 5000, Rate: 100_000, Seed: 6}).Totals
	waitFor(t, 15*time.Second, "everything in the spool", func() error {
		if s := p.status(); s.Spool.Rows < second.Flows || s.Pipeline.Flows < second.Flows {
			return fmt.Errorf("spool: %+v", s.Spool)
		}
		return nil
	})
	if !strings.Contains(p.text("/metrics"), "netmeta_spool_rows ") {
		t.Error("no netmeta_spool_rows in /metrics")
	}
	p.kill()
	syscall.Kill(e.PID, syscall.SIGKILL)
	p = start(t, p.data)
	p.ready()
	waitFor(t, 15*time.Second, "stored after kill -9", func() error {
		if got, want := p.sql(totalsOf), line(sum(first, second)); got != want {
			return fmt.Errorf("stored %s, sent %s", got, want)
		}
		return nil
	})
}

// A table that is not ours ends the program, which says what to do; it does not go on
// and lose flows.
func TestForeignTable(t *testing.T) {
	p := start(t, t.TempDir())
	p.ready()
	for _, q := range []string{"ALTER TABLE flows DROP COLUMN SrcMask", "ALTER TABLE flows ADD COLUMN SrcMask String"} {
		p.write(q)
	}
	p.stop(syscall.SIGINT)
	p = start(t, p.data)
	select {
	case <-p.ended:
	case <-time.After(15 * time.Second):
		t.Fatal("it runs on a table that it cannot write")
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(p.said(), "SrcMask is String") {
		t.Errorf("exit code %d: %s", code, p.said())
	}
}

// The engine killed while flows come in is back soon, and no flow is lost or doubled.
func TestKillEngine(t *testing.T) {
	p := start(t, t.TempDir())
	p.ready()
	type result struct {
		sent simulate.Sent
		err  error
	}
	done := make(chan result, 1)
	go func() {
		sent, err := simulate.Run(t.Context(), simulate.Options{
			Protocol: simulate.IPFIX, To: p.udp, Rate: 20_000, Flows: 200_000, Seed: 4})
		done <- result{sent, err}
	}()
	var sent simulate.Totals
	kills := 0
	inTime(t, "back after kill -9", 3*time.Second, func() time.Duration {
		before := p.status().Pipeline.InsertedRows
		waitFor(t, 10*time.Second, "rows being stored", func() error {
			if n := p.status().Pipeline.InsertedRows; n <= before {
				return fmt.Errorf("%d rows stored", n)
			}
			return nil
		})
		e, err := engine.Running(p.data)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(e.PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		kills++
		return waitFor(t, 15*time.Second, "engine back", func() error {
			if again, err := engine.Running(p.data); err != nil || again.PID == e.PID {
				return fmt.Errorf("pid %d, %v", again.PID, err)
			}
			return p.get("/readyz", nil)
		})
	})
	r := <-done
	if r.err != nil {
		t.Fatal(r.err)
	}
	sent = r.sent.Totals
	p.visible("", sent.BytesScaled)
	if got := p.sql(totalsOf); got != line(sent) {
		t.Errorf("stored %s, sent %s", got, line(sent))
	}
	s := p.status()
	if s.Engine.Restarts != kills || !s.Engine.Up || len(s.Drops) > 0 {
		t.Errorf("status after %d kills: %+v, drops %v", kills, s.Engine, s.Drops)
	}
	// Rows can be seen before the insert that brought them has ended, and they are added up.
	waitFor(t, 10*time.Second, "rows being counted", func() error {
		if n := p.status().Pipeline.InsertedRows; n != sent.Flows {
			return fmt.Errorf("%d rows counted, sent %d", n, sent.Flows)
		}
		return nil
	})
}

// What is in the way is said, with the way out.
func TestRefusedStart(t *testing.T) {
	p := start(t, t.TempDir())
	p.ready()
	other := t.TempDir()
	page := strings.TrimPrefix(p.url, "http://")
	f := func(config string, want ...string) {
		t.Helper()
		_, stderr, code := netmeta(t, "", "run", "--config", write(t, config))
		if code != 1 {
			t.Errorf("exit code %d, want 1: %s", code, stderr)
		}
		for _, w := range want {
			if !strings.Contains(stderr, w) {
				t.Errorf("%q does not say %q", stderr, w)
			}
		}
	}
	const free = "http:\n  listen: 127.0.0.1:0\nsources:\n  udp:\n    listen: [\"127.0.0.1:0\"]\n"
	f("data: "+other+"\nhttp:\n  listen: "+page+"\n", page, "address already in use", "--listen")
	f("data: "+t.TempDir()+"\nhttp:\n  listen: 127.0.0.1:0\nsources:\n  udp:\n    listen: [\""+p.udp+"\"]\n", p.udp, "another program holds the port", "sources.udp.listen")
	f("data: "+p.data+"\n"+free, p.data, fmt.Sprint("process ", p.cmd.Process.Pid), "--data")
	f("datum: x\n", `unknown key "datum"`, `did you mean "data"?`)
	f("data: /proc/nowhere\n"+free, "/proc/nowhere")
	if entries, err := os.ReadDir(other); err != nil || len(entries) > 0 {
		t.Errorf("a refused start leaves %v, %v", entries, err)
	}
	// And the one that runs has noticed nothing.
	if err := p.get("/readyz", nil); err != nil {
		t.Error(err)
	}
}

// A capture that is sent to the collector is seen by the page.
func TestReplay(t *testing.T) {
	p := start(t, t.TempDir())
	p.ready()
	const file = "../../source/netflow/testdata/pmnfv9.pcap"
	flows := strings.Count(must(t, "decode", "--json", file), "\n")
	var stats simulate.ReplayStats
	if err := json.Unmarshal([]byte(must(t, "replay", "--to", p.udp, file)), &stats); err != nil {
		t.Fatal(err)
	}
	if stats.Datagrams == 0 {
		t.Fatal("nothing sent")
	}
	waitFor(t, time.Minute, "flows of the capture", func() error {
		got, err := p.total("flows", "type = netflow9")
		if err == nil && int(got) != flows {
			err = fmt.Errorf("%.0f flows, want %d", got, flows)
		}
		return err
	})
}

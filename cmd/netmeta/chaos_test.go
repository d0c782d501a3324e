package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netmeta/engine"
	"netmeta/simulate"
	"netmeta/store"
)

// The chaos suite breaks what can break while flows come in, and compares what is stored
// with what the simulator sent, datagram by datagram: by exporter and sequence number.
// `make chaos` runs it in full, `make test` a short form.
var fullChaos = flag.Bool("chaos", false, "run the chaos suite in full and print its figures")

// chaosRate is in flows per second. In full it is a little over 50,000, from where on the
// simulator sends datagrams again, which leaves more of the machine to who is tested.
func chaosRate() float64 {
	if *fullChaos {
		return 50_001
	}
	return 10_000
}

// inFull is a number for the full form, or another for the short one.
func inFull[T any](full, short T) T {
	if *fullChaos {
		return full
	}
	return short
}

// A witness knows what was sent.
type witness struct {
	protocol simulate.Protocol // empty: IPFIX

	mu        sync.Mutex
	sent      []simulate.Trace
	sum       simulate.Totals
	templates uint64       // datagrams
	skew      atomic.Int64 // of the exporters' clock
}

// send sends until stop is called, which waits for the end.
func (w *witness) send(t *testing.T, to string, seed uint64) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	type result struct {
		sent simulate.Sent
		err  error
	}
	done := make(chan result, 1)
	go func() {
		sent, err := simulate.Run(ctx, simulate.Options{
			Protocol: cmp.Or(w.protocol, simulate.IPFIX), To: to, Rate: chaosRate(), Seed: seed,
			Now: func() time.Time { return time.Now().Add(time.Duration(w.skew.Load())) },
			Trace: func(x simulate.Trace) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.sent = append(w.sent, x)
			},
		})
		done <- result{sent, err}
	}()
	return func() {
		t.Helper()
		cancel()
		r := <-done
		if r.err != nil {
			t.Fatal(r.err)
		}
		w.sum = sum(w.sum, r.sent.Totals)
		w.templates += r.sent.Templates
	}
}

// A key is a datagram; after an exporter's restart several are one.
type key struct{ domain, sequence uint32 }

// compare gives the datagrams that are missing, and how many flows are stored too often.
func (w *witness) compare(t *testing.T, p *running) (missing []simulate.Trace, lost, doubled uint64) {
	t.Helper()
	_, reader := p.clients()
	res, _, err := reader.Select(t.Context(), store.Query{
		SQL: "SELECT ObservationDomain, SequenceNum, count() FROM flows GROUP BY 1, 2"})
	if err != nil {
		t.Fatal(err)
	}
	stored := map[key]uint64{}
	domains, sequences, counts := res.Columns[0].([]uint32), res.Columns[1].([]uint32), res.Columns[2].([]uint64)
	for i, n := range counts {
		stored[key{domains[i], sequences[i]}] = n
	}
	for _, x := range w.sent {
		k := key{x.Domain, x.Sequence}
		if n := stored[k]; n < x.Flows {
			missing = append(missing, x)
			lost += x.Flows - n
			stored[k] = 0
		} else {
			stored[k] = n - x.Flows
		}
	}
	for _, n := range stored {
		doubled += n
	}
	return missing, lost, doubled
}

// settled waits until everything that was received is stored or put aside.
func (p *running) settled() {
	p.Helper()
	waitFor(p, 2*time.Minute, "everything stored", func() error {
		before := p.status()
		if s := before.Pipeline; before.Spool.Rows > 0 || s.QueueBlocks > 0 || s.InsertedRows+p.metric("netmeta_store_refused_rows_total") < s.Flows {
			return fmt.Errorf("pipeline %+v, spool %+v", s, before.Spool)
		}
		if after := p.status(); after.Pipeline.Datagrams != before.Pipeline.Datagrams || after.Pipeline.Flows != before.Pipeline.Flows {
			return fmt.Errorf("still receiving: %+v", after.Pipeline)
		}
		return nil
	})
}

// metric reads a counter without labels.
func (p *running) metric(name string) uint64 {
	p.Helper()
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(p.text("/metrics"))
	if m == nil {
		p.Fatalf("no %s in /metrics", name)
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		p.Fatal(err)
	}
	return uint64(v)
}

// kernelDropped is what the sockets have dropped, in datagrams.
func (p *running) kernelDropped() (n uint64) {
	p.Helper()
	for _, l := range p.status().Listeners {
		n += l.Dropped
	}
	return n
}

// exactly says that what was sent is stored, once, but for so many flows. What the
// kernel has dropped, because others kept the machine busy, is missing as well.
func (w *witness) exactly(t *testing.T, p *running, faults string, began time.Time, refused uint64) {
	t.Helper()
	p.settled()
	missing, lost, doubled := w.compare(t, p)
	dropped := p.kernelDropped()
	figure(t, "%-44s %4.0f s  sent %9d flows  lost %d (refused %d, dropped by the kernel %d datagrams)  doubled %d  spooled %d",
		faults, time.Since(began).Seconds(), w.sum.Flows, lost, refused, dropped, doubled, p.metric("netmeta_spool_written_rows_total"))
	if doubled != 0 || lost != refused && dropped == 0 || refused == 0 && uint64(len(missing)) != dropped {
		t.Errorf("%s: %d flows lost in %d datagrams, %d flows doubled, %d refused, %d datagrams dropped by the kernel", faults, lost, len(missing), doubled, refused, dropped)
	}
	if got := p.sql(totalsOf); lost == 0 && got != line(w.sum) {
		t.Errorf("%s: stored %s, sent %s", faults, got, line(w.sum))
	}
	if n := p.metric("netmeta_spool_dropped_rows_total"); n != 0 {
		t.Errorf("%s: the spool dropped %d rows", faults, n)
	}
}

// figure prints a line of the table.
func figure(t *testing.T, format string, args ...any) {
	t.Helper()
	if *fullChaos {
		fmt.Printf(format+"\n", args...)
	} else {
		t.Logf(format, args...)
	}
}

// chaotic starts a collector whose data, on a file system of its own or not, lie in dir.
func chaotic(t *testing.T, dir string, udp string) *running {
	t.Helper()
	p, _ := configuredOn(t, dir, udpPort(udp)+"store:\n  keep-free: 0\n")
	p.ready()
	return p
}

// signalEngine sends a signal to the engine's process.
func (p *running) signalEngine(s syscall.Signal) (pid int) {
	p.Helper()
	e, err := engine.Running(p.data)
	if err != nil {
		p.Fatal(err)
	}
	if err := syscall.Kill(e.PID, s); err != nil {
		p.Fatal(err)
	}
	return e.PID
}

// more waits until so many more rows are stored.
func (p *running) more(rows uint64) {
	p.Helper()
	before := p.status().Pipeline.InsertedRows
	waitFor(p, time.Minute, "more rows stored", func() error {
		if n := p.status().Pipeline.InsertedRows; n < before+rows {
			return fmt.Errorf("%d rows stored, before %d", n, before)
		}
		return nil
	})
}

func second() uint64 { return uint64(chaosRate()) }

// The engine is killed again and again, at any moment of its inserts, while exporters
// start again and their clock steps. No flow is lost and none is doubled.
func TestChaosEngineKilled(t *testing.T) {
	p := chaotic(t, t.TempDir(), "127.0.0.1:0")
	w, began := &witness{}, time.Now()
	stop := w.send(t, p.udp, 1)
	kills, most := 0, inFull(20, 3)
	for kills < most {
		p.more(second() / 2)
		time.Sleep(time.Duration(rand.IntN(1000)) * time.Millisecond) // any moment will do: that is the point
		pid := p.signalEngine(syscall.SIGKILL)
		kills++
		waitFor(t, time.Minute, "engine back", func() error {
			if e, err := engine.Running(p.data); err != nil || e.PID == pid {
				return fmt.Errorf("pid %d, %v", e.PID, err)
			}
			return p.get("/readyz", nil)
		})
		switch kills {
		case most / 3:
			w.skew.Store(int64(time.Hour))
		case most / 2:
			stop()
			stop = w.send(t, p.udp, 2) // sequence numbers and templates start again
		case most * 2 / 3:
			w.skew.Store(-int64(time.Hour))
		}
		if kills%4 == 0 && kills < most {
			time.Sleep(16 * time.Second) // after a steady time the supervisor forgets that it died often
		}
	}
	p.more(second())
	stop()
	w.exactly(t, p, fmt.Sprintf("engine: kill -9 %d times", kills), began, 0)
	if n := p.status().Engine.Restarts; n != kills {
		t.Errorf("%d restarts after %d kills", n, kills)
	}
}

// The engine hangs, and while its rows wait a file of the spool is damaged on disk. That
// block is lost, counted and put aside, and nothing else.
func TestChaosEnginePaused(t *testing.T) {
	p := chaotic(t, t.TempDir(), "127.0.0.1:0")
	w, began := &witness{}, time.Now()
	stop := w.send(t, p.udp, 3)
	p.more(second())
	p.signalEngine(syscall.SIGSTOP)
	pause := time.Now()
	var files []string
	waitFor(t, 30*time.Second, "files in the spool", func() error {
		files, _ = filepath.Glob(filepath.Join(p.data, "spool", "*-flows.blocks"))
		if len(files) < 4 {
			return fmt.Errorf("%v", files)
		}
		return nil
	})
	if s := p.status(); s.Spool.Rows == 0 || s.Pipeline.LagMS == 0 {
		t.Errorf("the page does not say that rows wait: %+v", s.Spool)
	}
	damaged, err := os.OpenFile(files[2], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := damaged.Stat()
	if err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	if _, err := damaged.ReadAt(b[:], info.Size()-100); err != nil {
		t.Fatal(err)
	}
	if _, err := damaged.WriteAt([]byte{b[0] ^ 1}, info.Size()-100); err != nil {
		t.Fatal(err)
	}
	damaged.Close()
	time.Sleep(time.Until(pause.Add(inFull(30*time.Second, 6*time.Second))))
	p.signalEngine(syscall.SIGCONT)
	p.more(second())
	stop()
	p.settled()
	refused := p.metric("netmeta_store_refused_rows_total")
	w.exactly(t, p, fmt.Sprintf("engine: paused %v; spool file damaged", time.Since(pause).Round(time.Second)), began, refused)
	s := p.status()
	if refused == 0 || s.Spool.RefusedFiles != 1 || len(s.Drops) == 0 {
		t.Errorf("%d rows refused; spool %+v, drops %v", refused, s.Spool, s.Drops)
	}
	reasons, _ := filepath.Glob(filepath.Join(p.data, "spool", "refused", "*.reason"))
	if len(reasons) != 1 {
		t.Fatalf("reasons %v", reasons)
	}
	if text, err := os.ReadFile(reasons[0]); err != nil || !strings.Contains(string(text), fmt.Sprintf("lost are %d rows", refused)) {
		t.Errorf("reason %q, %v", text, err)
	}
}

// The disk fills up. Inserts stop, the page says why and what to do, and when there is
// room again everything that came meanwhile is stored.
func TestChaosDiskFull(t *testing.T) {
	dir := smallDisk(t, "2g")
	p := chaotic(t, dir, "127.0.0.1:0")
	w, began := &witness{}, time.Now()
	stop := w.send(t, p.udp, 4)
	p.more(2 * second())
	fill(t, filepath.Join(dir, "fill"))
	waitFor(t, 30*time.Second, "the page says that the disk is full", func() error {
		s := p.status()
		if e := s.Pipeline.InsertError; !strings.Contains(e, p.data) || !strings.Contains(e, "MiB free of 2048 MiB") || !strings.Contains(e, "free some space") {
			return fmt.Errorf("%q, spool %+v", e, s.Spool)
		}
		if !strings.Contains(s.Spool.Error, "free some space") {
			return fmt.Errorf("spool %+v", s.Spool)
		}
		return nil
	})
	if p.metric("netmeta_spool_write_failing") != 1 {
		t.Error("/metrics does not say that the spool cannot be written")
	}
	time.Sleep(inFull(10*time.Second, 3*time.Second))
	if !strings.Contains(p.said(), "cannot write") {
		t.Error("the log does not say it")
	}
	if err := os.Remove(filepath.Join(dir, "fill")); err != nil {
		t.Fatal(err)
	}
	p.more(2 * second())
	stop()
	w.exactly(t, p, "disk: full, then not", began, 0)
	if s := p.status(); s.Pipeline.InsertError != "" || s.Spool.Error != "" {
		t.Errorf("the page still says %q, %q", s.Pipeline.InsertError, s.Spool.Error)
	}
}

// left is what fill leaves: less than the engine keeps free for what it has begun.
const left = 6 << 20

// fill takes the disk but for a little, at once.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	free, _, err := store.FreeSpace(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Fallocate(int(f.Fd()), 0, 0, int64(free)-left); err != nil {
		t.Fatal(err)
	}
}

// The collector is killed, and with it its engine dies. What is lost was sent while it was
// away or in the second before; nothing is doubled.
func TestChaosCollectorKilled(t *testing.T) {
	dir := t.TempDir()
	p := chaotic(t, dir, "127.0.0.1:0")
	w, began := &witness{}, time.Now()
	stop := w.send(t, p.udp, 5)
	type outage struct{ from, to time.Time }
	var outages []outage
	for range inFull(5, 1) {
		p.more(2 * second())
		time.Sleep(time.Duration(rand.IntN(1000)) * time.Millisecond)
		from := time.Now()
		p.kill()
		p = chaotic(t, dir, p.udp)
		outages = append(outages, outage{from, time.Now()})
	}
	p.more(2 * second())
	stop()
	p.settled()
	missing, lost, doubled := w.compare(t, p)
	var before, away uint64 // flows
	var oldest time.Duration
	for _, x := range missing {
		placed := false
		for _, o := range outages {
			switch age := o.from.Sub(x.Time); {
			case age > 0 && age <= time.Second:
				before, oldest, placed = before+x.Flows, max(oldest, age), true
			case age <= 0 && x.Time.Before(o.to):
				away, placed = away+x.Flows, true
			}
		}
		if !placed {
			t.Errorf("missing: %d flows sent at %v, %v after the first kill", x.Flows, x.Time, x.Time.Sub(outages[0].from))
			break
		}
	}
	down := time.Duration(0)
	for _, o := range outages {
		down += o.to.Sub(o.from)
	}
	figure(t, "%-44s %4.0f s  sent %9d flows  lost %d: %d of the last second of each (the oldest %v before), %d while it was away %.1f s  doubled %d",
		fmt.Sprintf("collector: kill -9 %d times", len(outages)), time.Since(began).Seconds(), w.sum.Flows, lost, before, oldest.Round(time.Millisecond), away, down.Seconds(), doubled)
	if doubled != 0 || before > uint64(len(outages))*second() {
		t.Errorf("%d flows doubled, %d lost that came before the kills", doubled, before)
	}
}

package engine

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// post runs a statement and gives its status and answer; an error is one of the
// connection.
func (a as) post(ctx context.Context, sql string, params string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, "POST", a.url+"/?"+params, strings.NewReader(sql))
	if err != nil {
		return 0, "", err
	}
	req.SetBasicAuth(a.user.Name, a.user.Password)
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// TestGate: readers over the bound wait, more are refused at once with the code that
// ClickHouse has for it, and the writer does not notice.
func TestGate(t *testing.T) {
	s := start(t, t.TempDir(), func(o *Options) { o.MaxQueries = 2 })
	w := ready(t, s)
	r := as{t, s.URL(), s.Reader()}
	w.must("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	ctx, cancel := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	defer busy.Wait()
	defer cancel()
	for range 2 {
		busy.Go(func() {
			r.post(ctx, "SELECT sleepEachRow(1) FROM numbers(60) SETTINGS max_block_size = 1", "log_comment=holds")
		})
	}
	wait := func(what string, f func() bool) {
		t.Helper()
		for begin := time.Now(); !f(); time.Sleep(10 * time.Millisecond) {
			if time.Since(begin) > 20*time.Second {
				t.Fatal(what)
			}
		}
	}
	wait("two readers run", func() bool {
		return w.must("SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleepEachRow%'") == "2"
	})
	var waited atomic.Int32
	var late sync.WaitGroup
	for range 10 { // eight wait for slotWait, two are refused at once
		late.Go(func() {
			begin := time.Now()
			status, text, err := r.post(ctx, "SELECT 1", "")
			if err != nil || status != http.StatusServiceUnavailable || !strings.Contains(text, "Code: 202.") || !strings.Contains(text, "Maximum: 2") {
				t.Errorf("%d %s, %v", status, text, err)
			}
			if time.Since(begin) > slotWait/2 {
				waited.Add(1)
			}
		})
	}
	begin := time.Now()
	for i := range 20 {
		w.must(fmt.Sprintf("INSERT INTO t VALUES (%d)", i))
	}
	if took := time.Since(begin); took > slotWait {
		t.Errorf("20 inserts took %v beside readers that wait", took)
	}
	late.Wait()
	if waited.Load() != 8 {
		t.Errorf("%d of 10 waited, want 8", waited.Load())
	}
}

// TestReadersLeaveMemory: readers that together want more memory than there is are
// ended, inserts are not.
func TestReadersLeaveMemory(t *testing.T) {
	s := start(t, t.TempDir(), func(o *Options) { o.Memory = 1 << 30 })
	w := ready(t, s)
	r := as{t, s.URL(), s.Reader()}
	w.must("CREATE TABLE t (a UInt64, s String) ENGINE = MergeTree ORDER BY a")
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	defer readers.Wait()
	defer cancel()
	var failed atomic.Int32
	for i := range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				// Each may have half of the memory, and would take more.
				status, text, err := r.post(ctx, fmt.Sprintf("SELECT uniqExact(number, toString(number + %d)) FROM numbers(10000000)", i), "")
				if err == nil && status != 200 {
					if !strings.Contains(text, "MEMORY_LIMIT_EXCEEDED") {
						t.Errorf("%d %.300s", status, text)
					}
					failed.Add(1)
				}
			}
		})
	}
	n := 0
	for begin := time.Now(); failed.Load() < 5; n++ {
		w.must("INSERT INTO t SELECT number, repeat('x', 100) FROM numbers(100000)")
		if time.Since(begin) > time.Minute {
			t.Fatalf("%d queries ran out of memory", failed.Load())
		}
	}
	if got := w.must("SELECT count() FROM t"); got != fmt.Sprint(n*100_000) {
		t.Errorf("%s rows after %d inserts", got, n)
	}
	if st := s.Stats(); st.Restarts != 0 {
		t.Errorf("the engine died: %+v", st)
	}
	t.Logf("%d inserts, %d queries ended for lack of memory", n, failed.Load())
}

// TestTuning: the engine takes the settings that we write for it.
func TestTuning(t *testing.T) {
	w := writer(t)
	f := func(name, want string) {
		t.Helper()
		if got := w.must("SELECT value FROM system.server_settings WHERE name = '" + name + "'"); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	f("max_server_memory_usage", fmt.Sprint(2<<30))
	f("merges_mutations_memory_usage_soft_limit", fmt.Sprint(1<<30))
	f("background_pool_size", fmt.Sprint(min(max(cores()/2, 2), 16)))
	f("os_threads_nice_value_merge_mutate", "5")
	for cores, threads := range map[int]int{1: 2, 2: 2, 8: 4, 32: 16, 128: 16} {
		if want := fmt.Sprintf("<background_pool_size>%d<", threads); !strings.Contains(engineXML("/d", 4<<30, cores, 0), want) {
			t.Errorf("no %s for %d cores", want, cores)
		}
	}
	// They have an effect: this many threads merge.
	w.must("CREATE TABLE tuned (a UInt64) ENGINE = MergeTree ORDER BY a")
	if got := w.must("SELECT value FROM system.metrics WHERE metric = 'BackgroundMergesAndMutationsPoolSize'"); got != fmt.Sprint(2*min(max(cores()/2, 2), 16)) {
		t.Errorf("room for %s merges", got)
	}
}

// TestNewerDirectory: an engine does not open what a newer one wrote, says what to do
// and is not started again; a directory of an older one is opened, and that is said.
func TestNewerDirectory(t *testing.T) {
	dir := t.TempDir()
	of := func(version string) {
		t.Helper()
		f, err := Endpoint{URL: "http://127.0.0.1:1", Version: version}.create(dir)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	of("99.1.2.3")
	s, err := New(testOptions(dir))
	if err != nil {
		t.Skipf("THE ENGINE IS NOT TESTED: %v", err)
	}
	err = s.Run(t.Context())
	for _, want := range []string{dir, "99.1.2.3", "make build", "backup", "engine.json"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("%v does not say %s", err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "clickhouse", "metadata")); err == nil {
		t.Error("it was opened")
	}
	of("25.1.9.9")
	var log syncBuffer
	s = start(t, dir, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	ready(t, s).must("SELECT 1")
	for begin := time.Now(); !strings.Contains(log.String(), "last=25.1.9.9"); time.Sleep(time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("nothing about the other version:\n%s", log.String())
		}
	}
	g := func(version, than string, want bool) {
		t.Helper()
		if got := older(version, than); got != want {
			t.Errorf("%s older than %s: %t", version, than, got)
		}
	}
	g("26.7.3", "26.7.2.1", false)
	g("26.7.1", "26.7.2.1", false)
	g("26.7.3", "26.10.1.1", true)
	g("26.7.3", "27.1.1.1", true)
	g("26.7.3", "25.12.1.1", false)
	g("26.7.3", "", false)
}

// TestKillAnywhere: killed at moments of no choice, while rows are inserted, parts
// merged and columns added, dropped and rewritten, the engine opens its directory
// again each time, and every acknowledged row is there once.
func TestKillAnywhere(t *testing.T) {
	kills := 10
	if testing.Short() {
		kills = 3
	}
	s := start(t, t.TempDir(), nil)
	w := ready(t, s)
	w.must("CREATE TABLE kept (a UInt64, s String) ENGINE = MergeTree PARTITION BY a % 3 ORDER BY a SETTINGS non_replicated_deduplication_window = 10000")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	var acknowledged, altered atomic.Int64
	all.Go(func() {
		for i, unsure := 0, false; ctx.Err() == nil || unsure; {
			sql := fmt.Sprintf("INSERT INTO kept (a, s) SELECT number, repeat('x', 50) FROM numbers(%d, 10000)", i*10_000)
			status, text, err := w.post(context.WithoutCancel(ctx), sql, fmt.Sprintf("insert_deduplication_token=t%d", i))
			switch unsure = err != nil; {
			case unsure: // killed: the same again, under the same token
			case status != 200:
				t.Errorf("insert: %d %s", status, text)
				return
			default:
				i++
				acknowledged.Store(int64(i))
			}
		}
	})
	all.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			for _, sql := range []string{"ALTER TABLE kept ADD COLUMN IF NOT EXISTS c%d UInt32 DEFAULT a", "OPTIMIZE TABLE kept", "ALTER TABLE kept MATERIALIZE COLUMN c%d", "ALTER TABLE kept DROP COLUMN IF EXISTS c%d"} {
				if strings.Contains(sql, "%d") {
					sql = fmt.Sprintf(sql, i)
				}
				if status, _, err := w.post(context.WithoutCancel(ctx), sql, "mutations_sync=0"); err == nil && status == 200 {
					altered.Add(1)
				}
			}
		}
	})
	killed := 0 // the child that was killed last
	for range kills {
		before := acknowledged.Load()
		for begin := time.Now(); acknowledged.Load() == before; time.Sleep(time.Millisecond) {
			if time.Since(begin) > 20*time.Second {
				t.Fatalf("no insert for 20 s: %+v", s.Stats())
			}
		}
		time.Sleep(rand.N(500 * time.Millisecond)) // the moment of no choice
		pid := s.Stats().PID
		for ; pid == 0 || pid == killed; pid = s.Stats().PID { // between two children, or not yet noticed
			time.Sleep(time.Millisecond)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		killed = pid
	}
	cancel()
	all.Wait()
	w = ready(t, s)
	n := acknowledged.Load() * 10_000
	if got, want := w.must("SELECT count(), uniqExact(a), max(a) FROM kept"), fmt.Sprintf("%d\t%[1]d\t%d", n, n-1); got != want {
		t.Errorf("kept %s, want %s", got, want)
	}
	if got := w.must("SELECT groupArray((name, reason)) FROM system.detached_parts"); got != "[]" {
		t.Errorf("detached parts: %s", got)
	}
	if st := s.Stats(); st.Restarts < kills {
		t.Errorf("%d restarts after %d kills", st.Restarts, kills)
	}
	t.Logf("%d inserts, %d alterations, %d restarts", acknowledged.Load(), altered.Load(), s.Stats().Restarts)
}

package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"netmeta/engine/libchdb"
)

// start runs a supervisor of its own until the test ends.
func start(t testing.TB, dir string, change func(*Options)) *Supervisor {
	t.Helper()
	if _, err := libchdb.Find(); err != nil {
		t.Skipf("THE ENGINE IS NOT TESTED: %v", err)
	}
	o := testOptions(dir)
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return s
}

func ready(t testing.TB, s *Supervisor) as {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	return as{t, s.URL(), s.Writer()}
}

// TestKill: killed with -9 in the middle of inserts the engine is back within 3 s,
// on the same address, with every acknowledged row and with the tokens it has seen.
func TestKill(t *testing.T) {
	begin := time.Now()
	s := start(t, t.TempDir(), nil)
	w := ready(t, s)
	if took := time.Since(begin); took > 5*time.Second { // 0.9 s on an idle machine
		t.Errorf("the first start took %v", took)
	}
	w.must("CREATE TABLE kept (a UInt64) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 1000")
	insert := func(token string) (int, error) {
		req, _ := http.NewRequest("POST", w.url+"/?query=INSERT+INTO+kept+FORMAT+TSV&insert_deduplication_token="+token, strings.NewReader(token+"\n"))
		req.SetBasicAuth(w.user.Name, w.user.Password)
		resp, err := client.Do(req)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, err
	}
	acknowledged := map[int]bool{}
	for i := range 2000 {
		if i == 100 {
			go syscall.Kill(s.Stats().PID, syscall.SIGKILL)
		}
		status, err := insert(fmt.Sprint(i))
		if err != nil {
			break
		}
		if status != 200 {
			t.Fatalf("status %d", status)
		}
		acknowledged[i] = true
	}
	killed := time.Now()
	if got := w.must("SELECT 1"); got != "1" { // waits in the listener's queue
		t.Fatal(got)
	}
	took := time.Since(killed)
	t.Logf("%d acknowledged, back after %v", len(acknowledged), took)
	if took > 3*time.Second {
		t.Errorf("back after %v", took)
	}
	if len(acknowledged) < 100 || len(acknowledged) == 2000 {
		t.Fatalf("%d acknowledged: the kill did not hit the inserts", len(acknowledged))
	}
	for i := range len(acknowledged) + 1 { // the one that failed is sent again, as the rest of them
		if status, err := insert(fmt.Sprint(i)); err != nil || status != 200 {
			t.Fatal(status, err)
		}
	}
	if got, want := w.must("SELECT count(), uniqExact(a) FROM kept"), fmt.Sprintf("%d\t%[1]d", len(acknowledged)+1); got != want {
		t.Errorf("kept %s, want %s", got, want)
	}
	if got := w.must("SELECT count() FROM system.detached_parts"); got != "0" {
		t.Errorf("%s detached parts", got)
	}
	ready(t, s)
	if st := s.Stats(); st.Restarts != 1 || !st.Up || !strings.HasPrefix(st.Version, "26.7") || !strings.Contains(st.LastError, "killed") {
		t.Errorf("stats: %+v", st)
	}
}

// TestBackoff: an engine that keeps dying is started less and less often, and comes
// back when the cause is gone.
// TestHang: a child that is there but does not answer is killed and started again.
func TestHang(t *testing.T) {
	s := start(t, t.TempDir(), func(o *Options) { o.hang = time.Second })
	ready(t, s)
	old := s.Stats().PID
	if err := syscall.Kill(old, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for s.Stats().PID == old {
		if time.Now().After(deadline) {
			t.Fatal("a child that hangs was not replaced")
		}
		time.Sleep(20 * time.Millisecond)
	}
	ready(t, s).must("SELECT 1")
}

func TestBackoff(t *testing.T) {
	die := filepath.Join(t.TempDir(), "die")
	if err := os.WriteFile(die, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var log syncBuffer
	s := start(t, t.TempDir(), func(o *Options) {
		o.Env = append(o.Env, "NETMETA_ENGINE_TEST_DIE="+die)
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	short, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := s.Ready(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Ready: %v", err)
	}
	for s.Stats().Restarts < 3 {
	}
	for _, delay := range []string{"in=100ms", "in=200ms", "in=400ms"} {
		if !strings.Contains(log.String(), delay) {
			t.Errorf("no %s in the log", delay)
		}
	}
	if last := s.Stats().LastError; !strings.Contains(last, "told to die") {
		t.Errorf("last error %q", last)
	}
	os.Remove(die)
	ready(t, s).must("SELECT 1")
}

func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	if _, err := Running(dir); !errors.Is(err, ErrNotRunning) {
		t.Errorf("Running in an empty directory: %v", err)
	}
	o := testOptions(dir)
	s := start(t, dir, nil)
	ready(t, s)

	// One at a time.
	_, err := New(o)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("in use by process %d", os.Getpid())) {
		t.Errorf("a second one: %v", err)
	}
	if err := Serve(context.Background(), ServeOptions{Path: dir}); err == nil || !strings.Contains(err.Error(), "in use by process") {
		t.Errorf("Serve: %v", err)
	}
	e, err := Running(dir)
	if err != nil || e.URL != s.URL() || e.PID != s.Stats().PID || e.Version == "" {
		t.Errorf("Running: %+v, %v", e, err)
	}

	// Others cannot read the passwords.
	for _, name := range []string{"secrets/writer", "secrets/reader", "secrets/page", "engine.json", "engine.lock", "engine.xml"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "secrets")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("secrets: %v, %v", info.Mode(), err)
	}
	w, r, p, err := Users(dir)
	if err != nil || w != s.Writer() || r != s.Reader() || p != s.Page() || w.Password == r.Password || r.Password == p.Password || len(w.Password) != 32 {
		t.Errorf("users: %v %v %v, %v", w, r, p, err)
	}
	os.Chmod(filepath.Join(dir, "secrets/reader"), 0o644)
	if _, _, _, err := Users(dir); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a secret that others can read: %v", err)
	}
	os.Chmod(filepath.Join(dir, "secrets/reader"), 0o600)
}

// TestStop: an orderly stop, and a second start on the same port with the data.
func TestStop(t *testing.T) {
	if _, err := libchdb.Find(); err != nil {
		t.Skipf("THE ENGINE IS NOT TESTED: %v", err)
	}
	dir := t.TempDir()
	var url string
	for i := range 2 {
		s, err := New(testOptions(dir))
		if err != nil {
			t.Fatal(err)
		}
		if url == "" {
			url = s.URL()
		} else if s.URL() != url {
			t.Errorf("another port: %s, then %s", url, s.URL())
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		w := ready(t, s)
		if i == 0 {
			w.must("CREATE TABLE stays (a UInt8) ENGINE = MergeTree ORDER BY a")
			w.must("INSERT INTO stays VALUES (7)")
		} else if got := w.must("SELECT * FROM stays"); got != "7" {
			t.Errorf("got %q", got)
		}
		pid := s.Stats().PID
		begin := time.Now()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if took := time.Since(begin); took > 3*time.Second {
			t.Errorf("the stop took %v", took)
		}
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d: %v", pid, err)
		}
		if _, err := Running(dir); !errors.Is(err, ErrNotRunning) {
			t.Errorf("Running after the stop: %v", err)
		}
	}
}

// TestOrphan: the engine of a supervisor that was killed stops, and the next
// supervisor waits for that.
func TestOrphan(t *testing.T) {
	if os.Getenv("NETMETA_ENGINE_TEST_ORPHAN") != "" {
		s, err := New(testOptions(os.Getenv("NETMETA_ENGINE_TEST_ORPHAN")))
		if err != nil {
			t.Fatal(err)
		}
		go s.Run(context.Background())
		ready(t, s)
		fmt.Println("pid", s.Stats().PID)
		select {}
	}
	if _, err := libchdb.Find(); err != nil {
		t.Skipf("THE ENGINE IS NOT TESTED: %v", err)
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestOrphan$")
	cmd.Env = append(os.Environ(), "NETMETA_ENGINE_TEST_ORPHAN="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscanf(out, "pid %d\n", &pid); err != nil {
		t.Fatal(err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	s := start(t, dir, nil)
	ready(t, s).must("SELECT 1")
	for begin := time.Now(); ; { // it gives the lock back a moment before it ends
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			break
		}
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("process %d is still there: %s", pid, stat)
		}
	}
}

func TestListen(t *testing.T) {
	f := func(address, want string, remote bool) {
		t.Helper()
		l, err := listen(t.TempDir(), address, remote)
		if err == nil {
			l.Close()
		}
		if fmt.Sprint(err) != want && (err == nil || want == "<nil>" || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %s", address, err, want)
		}
	}
	f("", "<nil>", false)
	f("127.0.0.1:0", "<nil>", false)
	f("127.0.0.2:0", "<nil>", false)
	f("localhost:0", "<nil>", false)
	f("0.0.0.0:0", "not a loopback address", false)
	f(":0", "not a loopback address", false)
	f("192.0.2.1:0", "not a loopback address", false)
	f("0.0.0.0:0", "<nil>", true)
	f("nonsense", "give HOST:PORT", false)
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

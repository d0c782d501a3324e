package libchdb

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"
)

// One engine for all tests: a process cannot start it twice.
var engine = sync.OnceValues(func() (*Library, error) {
	path, err := Find()
	if err != nil {
		return nil, err
	}
	lib, err := Load(path)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "netmeta-libchdb-test-")
	if err != nil {
		return nil, err
	}
	os.Setenv("NETMETA_LIBCHDB_TEST_DIR", dir)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	base, err = lib.Connect("--path=" + dir)
	return lib, err
})

var base *Conn // keeps the engine running

func TestMain(m *testing.M) {
	code := m.Run()
	if base != nil {
		base.Close()
		os.RemoveAll(os.Getenv("NETMETA_LIBCHDB_TEST_DIR"))
	}
	os.Exit(code)
}

func connect(t *testing.T) *Conn {
	t.Helper()
	lib, err := engine()
	if err != nil {
		t.Skipf("THE ENGINE IS NOT TESTED: %v", err)
	}
	runtime.LockOSThread()
	c, err := lib.Connect("--path=" + os.Getenv("NETMETA_LIBCHDB_TEST_DIR"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); c.Close(); runtime.UnlockOSThread() })
	return c
}

func TestQuery(t *testing.T) {
	c := connect(t)
	f := func(sql, want string, params ...Param) {
		t.Helper()
		r, err := c.Query(sql, "TabSeparatedRaw", params)
		if err != nil {
			t.Errorf("%q: %v", sql, err)
			return
		}
		if got := string(r.Bytes()); got != want {
			t.Errorf("%q: got %q, want %q", sql, got, want)
		}
		r.Close()
		r.Close()
	}
	f("SELECT 1", "1\n")
	f("SELECT 'a\x00b'", "a\x00b\n") // lengths count, not zeros
	f("SELECT {a:String} || {b:String}", "x\ny\n", Param{"b", `\ny`}, Param{"a", "x"})
	f("SELECT length({a:String})", "0\n", Param{"a", ""})
	f("SELECT 1 WHERE 0", "")
	f("SET max_threads = 1", "")
	f("SELECT getSetting('max_threads')", "1\n")

	_, err := c.Query("SELECT * FROM nowhere", "Null", nil)
	var e *Error
	if !errors.As(err, &e) || !strings.HasPrefix(e.Message, "Code: 60. DB::Exception: ") {
		t.Errorf("got %v", err)
	}
	other := connect(t)
	r, err := other.Query("SELECT getSetting('max_threads') = 1", "TabSeparated", nil)
	if err != nil || string(r.Bytes()) != "0\n" && runtime.NumCPU() > 1 {
		t.Errorf("a setting of another connection: %q, %v", r.Bytes(), err)
	}
	r.Close()
}

func TestInsert(t *testing.T) {
	c := connect(t)
	run := func(sql string) string {
		t.Helper()
		r, err := c.Query(sql, "TabSeparated", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		return string(r.Bytes())
	}
	run("CREATE TABLE ins (a UInt32, s String) ENGINE = MergeTree ORDER BY a")
	r, err := c.Query("SELECT toUInt32(number) AS a, char(0, 1) AS s FROM numbers(1000)", "Native", nil)
	if err != nil {
		t.Fatal(err)
	}
	block := string(r.Bytes())
	r.Close()

	i, err := c.Insert("INSERT INTO ins (a, s)", "Native", nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(block) { // cut everywhere
		if err := i.Append([]byte(block[n : n+1])); err != nil {
			t.Fatal(err)
		}
	}
	stats, err := i.Done()
	i.Close()
	i.Close()
	if err != nil || stats.RowsWritten != 1000 {
		t.Errorf("%+v, %v", stats, err)
	}

	i, err = c.Insert("INSERT INTO ins (a, s)", "Native", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Append([]byte(block[:len(block)/2])); err != nil {
		t.Fatal(err)
	}
	i.Close() // cancelled
	if got := run("SELECT count(), countIf(s = char(0, 1)) FROM ins"); got != "1000\t1000\n" {
		t.Errorf("got %q", got)
	}
	if _, err := c.Insert("INSERT INTO nowhere", "Native", nil); err == nil {
		t.Error("an insert into no table")
	}
}

// TestSignals: after all that the library does to them, Go has its handlers: no
// disposition of a standard signal differs, and a nil dereference is a panic.
func TestSignals(t *testing.T) {
	dispositions := func() (all [65]sigaction) {
		for sig := 1; sig <= 64; sig++ {
			syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), 0, uintptr(unsafe.Pointer(&all[sig])), 8, 0, 0)
		}
		return all
	}
	before := dispositions()
	connect(t)
	for sig, after := range dispositions() {
		if sig < 32 && after != before[sig] { // the engine takes the first real-time signal for stack traces
			t.Errorf("%v: %x, then %x", syscall.Signal(sig), before[sig], after)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	var p *int
	*p = 1
}

func TestParallel(t *testing.T) {
	if _, err := engine(); err != nil {
		t.Skipf("THE ENGINE IS NOT TESTED: %v", err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				runtime.LockOSThread()
				c, err := loaded.Connect("--path=" + os.Getenv("NETMETA_LIBCHDB_TEST_DIR"))
				if err != nil {
					t.Error(err)
					return
				}
				r, err := c.Query("SELECT sum(number) FROM numbers(100000)", "TabSeparated", nil)
				if err != nil || string(r.Bytes()) != "4999950000\n" {
					t.Errorf("%q, %v", r.Bytes(), err)
				}
				r.Close()
				c.Close()
				runtime.UnlockOSThread()
				runtime.GC()
			}
		})
	}
	group.Wait()
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "libchdb.so")
	t.Setenv(Env, file)
	if _, err := Find(); err == nil || !strings.Contains(err.Error(), "which is not a file") {
		t.Errorf("a name of no file: %v", err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if path, err := Find(); err != nil || path != file {
		t.Errorf("got %s, %v", path, err)
	}
	t.Setenv(Env, "")
	t.Chdir(dir)
	if _, err := Find(); err == nil || !strings.Contains(err.Error(), "npm ci --prefix engine/libchdb") || !strings.Contains(err.Error(), Env) {
		t.Errorf("nowhere: %v", err)
	}
	below := filepath.Join(dir, "engine/libchdb/node_modules/@chdb", filepath.Base(filepath.Dir(installedName())))
	if err := os.MkdirAll(below, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file, filepath.Join(below, "libchdb.so")); err != nil {
		t.Fatal(err)
	}
	deep := filepath.Join(dir, "a/b")
	os.MkdirAll(deep, 0o700)
	t.Chdir(deep)
	if path, err := Find(); err != nil || path != filepath.Join(below, "libchdb.so") {
		t.Errorf("from below: %s, %v", path, err)
	}
}

func installedName() string {
	return map[string]string{"amd64": "lib-linux-x64-gnu/libchdb.so", "arm64": "lib-linux-arm64-gnu/libchdb.so"}[runtime.GOARCH]
}

package engine

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"netmeta/engine/libchdb"
)

// childEnv makes the test binary an engine: TestMain then does what
// `netmeta engine` does.
const childEnv = "NETMETA_ENGINE_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(childMain())
	}
	os.Exit(testMain(m))
}

func childMain() int {
	flags := flag.NewFlagSet("engine", flag.ContinueOnError)
	var c ServeOptions
	flags.StringVar(&c.Path, "path", "", "")
	flags.StringVar(&c.Library, "library", "", "")
	flags.Int64Var(&c.Memory, "memory", 0, "")
	flags.IntVar(&c.MaxQueries, "max-queries", 0, "")
	if err := flags.Parse(os.Args[2:]); err != nil {
		return 2
	}
	if path := os.Getenv("NETMETA_ENGINE_TEST_DIE"); path != "" {
		if _, err := os.Stat(path); err == nil {
			fmt.Fprintln(os.Stderr, "told to die")
			return 3
		}
	}
	if n, err := strconv.ParseUint(os.Getenv("NETMETA_ENGINE_TEST_FILES"), 10, 64); err == nil {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	c.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := Serve(ctx, c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// shared is the engine that most tests use, started by the first of them.
var (
	shared     *Supervisor
	sharedOnce sync.Once
	sharedStop = func() error { return nil }
)

func testMain(m *testing.M) int {
	if _, err := libchdb.Find(); err != nil {
		fmt.Fprintf(os.Stderr, "!!! THE ENGINE IS NOT TESTED: %v\n", err)
	}
	code := m.Run()
	if err := sharedStop(); err != nil {
		fmt.Fprintln(os.Stderr, "the shared engine:", err)
		code = 1
	}
	return code
}

func startShared() {
	if _, err := libchdb.Find(); err != nil {
		return
	}
	dir, err := os.MkdirTemp("", "netmeta-engine-test-")
	if err != nil {
		panic(err)
	}
	s, err := New(testOptions(dir))
	if err != nil {
		panic(err)
	}
	shared = s
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	sharedStop = func() error {
		defer os.RemoveAll(dir)
		cancel()
		return <-ended
	}
}

func testOptions(dir string) Options {
	return Options{
		Path:   dir,
		Memory: 2 << 30,
		Env:    []string{childEnv + "=1"},
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

// engine returns the shared engine, ready.
func engine(t testing.TB) *Supervisor {
	t.Helper()
	sharedOnce.Do(startShared)
	if shared == nil {
		_, err := libchdb.Find()
		t.Skipf("THE ENGINE IS NOT TESTED: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := shared.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	return shared
}

// answer is a response, read.
type answer struct {
	status int
	header http.Header
	body   string
	err    error // while reading the body
}

// as makes requests as a user.
type as struct {
	t    testing.TB
	url  string
	user User
}

func writer(t testing.TB) as { s := engine(t); return as{t, s.URL(), s.Writer()} }
func reader(t testing.TB) as { s := engine(t); return as{t, s.URL(), s.Reader()} }

var client = &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16}}

// do posts body to the URL with parameters "name", "value", …; a name that ends in
// ":" is a header.
func (a as) do(method, body string, pairs ...string) answer {
	a.t.Helper()
	values := url.Values{}
	header := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		if name, ok := strings.CutSuffix(pairs[i], ":"); ok {
			header.Set(name, pairs[i+1])
		} else {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	req, err := http.NewRequest(method, a.url+"/?"+values.Encode(), strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header = header
	if a.user.Name != "" {
		req.SetBasicAuth(a.user.Name, a.user.Password)
	}
	resp, err := client.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(text), err}
}

// must runs a statement that has to succeed and returns its answer without the
// last newline.
func (a as) must(sql string, pairs ...string) string {
	a.t.Helper()
	got := a.do("POST", sql, pairs...)
	if got.status != 200 || got.err != nil {
		a.t.Fatalf("%.200s: status %d, %v: %s", sql, got.status, got.err, got.body)
	}
	return strings.TrimSuffix(got.body, "\n")
}

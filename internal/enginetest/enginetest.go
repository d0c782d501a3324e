// Package enginetest provides tests with a real engine: one per test binary, in a
// temporary directory, with a separate database for each test.
package enginetest

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"netmeta/engine"
	"netmeta/store"
)

var (
	supervisor *engine.Supervisor
	databases  atomic.Uint32
)

// Main is the TestMain of a package that uses the engine. The supervisor starts the
// test binary again as the engine's process.
func Main(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "engine" {
		serve(os.Args[2:])
		return
	}
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "engine for the tests:", err)
		code = 1
	}
	os.Exit(code)
}

func serve(args []string) {
	fs := flag.NewFlagSet("engine", flag.ExitOnError)
	path := fs.String("path", "", "")
	memory := fs.Int64("memory", 0, "")
	queries := fs.Int("max-queries", 0, "")
	library := fs.String("library", "", "")
	if err := fs.Parse(args); err != nil {
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := engine.Serve(ctx, engine.ServeOptions{Path: *path, Memory: *memory, MaxQueries: *queries, Library: *library}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "netmeta-engine-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	quiet := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	supervisor, err = engine.New(engine.Options{Path: dir, Memory: 4 << 30, Logger: quiet})
	if err != nil {
		return 0, err
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { supervisor.Run(ctx); close(ended) }()
	defer func() { stop(); <-ended }()
	ready, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := supervisor.Ready(ready); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// Times is how often a test repeats something: the given number of times, with -short a
// quarter of it.
func Times(n int) int {
	if testing.Short() {
		return n / 4
	}
	return n
}

// Clients are a writer and a reader (the web UI's user) in a new database, which is dropped when the test ends.
func Clients(t testing.TB) (writer, reader *store.Client) {
	t.Helper()
	writer, reader = Kept(t)
	admin := store.NewClient(supervisor.URL(), supervisor.Writer().Name, supervisor.Writer().Password, "")
	t.Cleanup(func() {
		if err := admin.Exec(context.Background(), "DROP DATABASE "+writer.Database); err != nil {
			t.Error(err)
		}
	})
	return writer, reader
}

// Kept returns clients as Clients does, in a database that stays until the test binary ends. Tests that only
// read may share it.
func Kept(t testing.TB) (writer, reader *store.Client) {
	t.Helper()
	w, r := supervisor.Writer(), supervisor.Page()
	db := fmt.Sprintf("test_%d", databases.Add(1))
	admin := store.NewClient(supervisor.URL(), w.Name, w.Password, "")
	if err := admin.Exec(t.Context(), "CREATE DATABASE "+db); err != nil {
		t.Fatal(err)
	}
	return store.NewClient(supervisor.URL(), w.Name, w.Password, db), store.NewClient(supervisor.URL(), r.Name, r.Password, db)
}

// SQLClient returns a client as an SQL user, in the same database as the given client.
func SQLClient(of *store.Client) *store.Client {
	r := supervisor.Reader()
	return store.NewClient(of.URL.Reveal(), r.Name, r.Password, of.Database)
}

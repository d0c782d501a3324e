// Package engine is the embedded ClickHouse: the engine as a separate process, which serves the ClickHouse
// HTTP interface, and the supervisor that keeps this process alive.
//
// Because it is a process, a crash, an out-of-memory kill or an upgrade of a large C++ program costs no
// datagram: the collector continues while the engine restarts. It serves HTTP like a ClickHouse server, so
// NetMeta needs only one protocol, and a server or a cluster is just another URL.
//
// [Serve] is the process that `netmeta engine` runs. [New] makes a [Supervisor], which starts it as a child
// and restarts it when it dies. The supervisor owns the lock on the data directory and the listening socket,
// and passes both to each child: the address never changes, no other process can lock the directory between
// two children, and clients that connect meanwhile wait instead of failing. It counts whose statements were
// running when a child crashed, and blocks a user whose statements often crash it.
//
// The process is confined: it writes only to clickhouse and tmp, reads little else, starts no program and
// opens no connection. [Confinement] lists the restrictions that a system supports.
//
// A data directory holds
//
//	clickhouse/         the engine's files
//	secrets/writer      password of user netmeta, mode 0600
//	secrets/reader      password of the read-only user reader, mode 0600
//	secrets/page        password of the read-only user of the web UI, mode 0600
//	tmp/                temporary files, emptied at each start
//	engine.lock         locked while an engine uses the directory; has its process ID
//	engine.json         address of the engine that runs or ran last, mode 0600
//	engine.xml          the engine's configuration, written at each start
package engine

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"netmeta/engine/libchdb"
)

// ServeOptions configure an engine. The zero value of every field but Path is its default.
type ServeOptions struct {
	// Path is NetMeta's data directory. It is made if missing.
	Path string

	// Listen is the TCP address of the HTTP interface. Default: a free port of 127.0.0.1, the previous one if
	// it is free.
	Listen string

	// Remote allows an address that other machines can reach. The passwords are then sent unencrypted.
	Remote bool

	// Library is the path of libchdb.so. Default: the result of libchdb.Find.
	Library string

	// Memory is how many bytes the engine may use. Readers together may use three quarters of it, and a
	// single one half of these. Default: three fifths of the machine's or the control group's memory.
	Memory int64

	// MaxQueries is how many requests of each of the three users run at once. A few more wait for some
	// seconds; the rest is rejected. Default: two for each core, at least 8 and at most 64.
	MaxQueries int

	// Logger receives messages worth acting on. Default: slog.Default().
	Logger *slog.Logger
}

const (
	readerSeconds = 300              // time limit of a reader's statement
	stopTime      = 8 * time.Second  // for running statements at the end
	maxHeader     = 2 << 20          // bytes of a request's line and headers: queries travel in the URL
	headerTime    = 10 * time.Second // for sending them
	idleTime      = 5 * time.Minute  // between two requests of a connection
)

// withPath completes the options that both stages of an engine's process need.
func (c ServeOptions) withPath() (ServeOptions, error) {
	if c.Path == "" {
		return c, errors.New("engine: no data directory given")
	}
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return c, fmt.Errorf("engine: data directory: %w", err)
	}
	c.Path = path
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c, nil
}

func (c ServeOptions) withDefaults() (ServeOptions, error) {
	c, err := c.withPath()
	if err != nil {
		return c, err
	}
	if c.Library == "" {
		if c.Library, err = libchdb.Find(); err != nil {
			return c, fmt.Errorf("engine: %w", err)
		}
	}
	if c.Library, err = filepath.Abs(c.Library); err != nil { // the working directory changes
		return c, fmt.Errorf("engine: %w", err)
	}
	if c.Memory <= 0 {
		c.Memory = Memory() * 3 / 5
	}
	if c.MaxQueries <= 0 {
		c.MaxQueries = min(max(2*cores(), 8), 64)
	}
	return c, nil
}

// Serve opens the store and serves it until ctx ends. It returns nil after an orderly stop. Call it once per
// process: the engine cannot be started twice.
func Serve(ctx context.Context, c ServeOptions) error {
	c, err := c.withPath()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// A write to a closed connection or pipe is an error, not a signal, in the engine's threads too.
	signal.Ignore(syscall.SIGPIPE)

	in, err := inherited()
	if err != nil {
		return err
	}
	confinement, second, err := secondStage()
	if err != nil {
		return err
	}
	if in.lock == nil {
		if in.lock, err = lockDir(c.Path); err != nil {
			return err
		}
	}
	defer in.lock.Close()
	if in.listener == nil {
		if in.listener, err = listen(c.Path, c.Listen, c.Remote); err != nil {
			return err
		}
	}
	listener := in.listener
	defer listener.Close()
	if !second {
		if c, err = c.withDefaults(); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
		return c.firstStage(in)
	}
	given, err := readHandover(in.handover)
	in.handover.Close()
	if err != nil {
		return err
	}
	c.Library, c.Memory, c.MaxQueries = given.Library, given.Memory, given.Queries
	confinement.say(c.Logger)
	if in.parent != nil {
		go func() {
			// The parent holds the other end and never writes. The end of the file means that the parent has
			// ended, however it died, or has waited long for this process to end.
			io.Copy(io.Discard, in.parent)
			c.Logger.Warn("engine: the supervisor has let go, stopping")
			cancel()
			time.Sleep(stopTime + 2*time.Second)
			os.Exit(1)
		}()
	}

	flight, err := newRecorder(in.flight, given.Refused)
	if err != nil {
		return err
	}
	s, base, err := open(c, given)
	if err != nil {
		return err
	}
	s.flight = flight
	// Not deferred: closing the last connection stops the engine, which must not happen while a statement is
	// still running.
	httpServer := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(c.Logger.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	endpoint := Endpoint{URL: "http://" + listener.Addr().String(), PID: os.Getpid(), Version: s.version, Started: time.Now(), Confinement: confinement}
	if err := endpoint.write(in.endpoint); err != nil {
		return err
	}
	c.Logger.Info("engine: serving ClickHouse over HTTP", "url", endpoint.URL, "version", s.version, "path", c.Path, "memory", c.Memory)

	failed := make(chan error, 1)
	go func() { failed <- httpServer.Serve(listener) }()
	select {
	case err = <-failed:
		return fmt.Errorf("engine: %w", err)
	case <-ctx.Done(): // BaseContext: running statements are cancelled with it
	}
	stopping, done := context.WithTimeout(context.Background(), stopTime)
	defer done()
	if err := httpServer.Shutdown(stopping); err != nil {
		return fmt.Errorf("engine: statements still running after %v", stopTime)
	}
	s.closeSessions()
	base.Close()
	return nil
}

// open loads the library and opens the store. The engine runs while the returned
// connection is open.
func open(c ServeOptions, given handover) (*server, *libchdb.Conn, error) {
	answers, err := newAnswers(c.Path)
	if err != nil {
		return nil, nil, err
	}
	store := filepath.Join(c.Path, "clickhouse")
	config := filepath.Join(c.Path, "engine.xml")
	lib, err := libchdb.Load(c.Library)
	if err != nil {
		return nil, nil, fmt.Errorf("engine: %w", err)
	}
	if older(lib.Version(), given.Version) {
		return nil, nil, fmt.Errorf("engine: %s %s %s, and %s is %s: an older one may misread what a newer one wrote; install the newer one (make build), "+
			"or set $%s to its libchdb.so; to open the directory all the same, make a backup and remove %s",
			c.Path, writtenByNewer, given.Version, c.Library, lib.Version(), libchdb.Env, filepath.Join(c.Path, endpointFile))
	}
	if err := takeBackTokens(store, c.Logger); err != nil {
		return nil, nil, err
	}
	if err := plainDatabase(store); err != nil {
		return nil, nil, err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	base, err := lib.Connect("--path="+store, "--config-file="+config)
	if err != nil {
		return nil, nil, fmt.Errorf("engine: open %s: %w", store, err)
	}
	page := newReader(given.Page, c.MaxQueries, pageTally, pageTables)
	page.filters = true
	s := &server{
		lib: lib, path: store, log: c.Logger,
		writer:   newAccount(given.Writer, c.MaxQueries),
		readers:  []*account{newReader(given.Reader, c.MaxQueries, readerTally, nil), page},
		limits:   limits{memory: c.Memory * 3 / 8, seconds: readerSeconds},
		answers:  answers,
		running:  map[string]bool{},
		sessions: map[string]*session{},
	}
	result, err := base.Query("SELECT displayName(), version(), timezone()", "TabSeparated", nil)
	if err != nil {
		base.Close()
		return nil, nil, fmt.Errorf("engine: first query: %w", err)
	}
	defer result.Close()
	fields := strings.Split(strings.TrimSpace(string(result.Bytes())), "\t")
	if len(fields) != 3 {
		base.Close()
		return nil, nil, fmt.Errorf("engine: first query: the answer is %q", result.Bytes())
	}
	s.displayName, s.version, s.timezone = fields[0], fields[1], fields[2]
	if s.forbidden, err = forbid(base); err != nil {
		base.Close()
		return nil, nil, fmt.Errorf("engine: list its functions: %w", err)
	}
	return s, base, nil
}

// writtenByNewer is how a child says that a restart is useless.
const writtenByNewer = "was written by the newer engine"

// older compares the releases, year and month, of two versions. ClickHouse does not change its formats within
// a release.
func older(version, than string) bool {
	var a, b [2]int
	fmt.Sscanf(version, "%d.%d", &a[0], &a[1])
	fmt.Sscanf(than, "%d.%d", &b[0], &b[1])
	return slices.Compare(a[:], b[:]) < 0
}

func (s *server) closeSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, ses := range s.sessions {
		if !ses.busy {
			ses.conn.Close()
			delete(s.sessions, key)
		}
	}
}

// cores returns the number of usable cores: those of the machine, or less if the control group or the
// affinity mask has a limit.
func cores() int { return runtime.GOMAXPROCS(0) }

// engineXML returns the engine's configuration. The default sizes of its caches assume a dedicated machine,
// and by default two threads merge, on however many cores.
//
// Merges use half of the cores, at least two threads so that a long merge does not block the short ones, and
// yield to inserts and queries: merges may be late, these may not.
//
// Inserts and merges stop while some of the disk is still free: a merge on a full disk may leave a part with
// empty files and accept it (seen with 26.7).
func engineXML(dir string, memory int64, cores int, keepFree uint64) string {
	cache := max(memory/16, 16<<20)
	return fmt.Sprintf(`<!-- written by netmeta at each start -->
<clickhouse>
  <display_name>netmeta</display_name>
  <user_files_path>%s</user_files_path>
  <default_database></default_database>
  <database>default</database>
  <max_server_memory_usage>%d</max_server_memory_usage>
  <merges_mutations_memory_usage_soft_limit>%d</merges_mutations_memory_usage_soft_limit>
  <mark_cache_size>%d</mark_cache_size>
  <primary_index_cache_size>%d</primary_index_cache_size>
  <index_mark_cache_size>%d</index_mark_cache_size>
  <query_condition_cache_size>%d</query_condition_cache_size>
  <background_pool_size>%d</background_pool_size>
  <os_threads_nice_value_merge_mutate>5</os_threads_nice_value_merge_mutate>
  <storage_configuration>
    <disks>
      <default>
        <keep_free_space_bytes>%d</keep_free_space_bytes>
      </default>
    </disks>
  </storage_configuration>
</clickhouse>
`, xmlText(filepath.Join(tempDir(dir), "files")+"/"), memory, memory/2, cache, cache, cache/4, cache/4, min(max(cores/2, 2), 16), keepFree)
}

func xmlText(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s))
	return b.String()
}

// KeepFree returns what the engine leaves free on its disk: 0.5%, at most 512 MiB.
func KeepFree(dir string) uint64 {
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) != nil {
		return 0
	}
	return min(fs.Blocks*uint64(fs.Bsize)/200, 512<<20)
}

// growPipe enlarges a pipe to a chunk, so that the engine and the copying goroutine switch less often. A
// failure does no harm.
func growPipe(f *os.File) {
	unix.FcntlInt(f.Fd(), unix.F_SETPIPE_SZ, chunkSize)
}

// listen opens the HTTP interface's socket. Without a port it uses the previous port, so that clients find
// the store again.
func listen(dir, address string, remote bool) (net.Listener, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("engine: listen on %q: give HOST:PORT: %w", address, err)
	}
	ip := net.ParseIP(host)
	if !remote && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("engine: listen on %q: not a loopback address, others could reach the store without encryption; use 127.0.0.1 or [::1], or allow it with --remote", address)
	}
	if port == "0" || port == "" {
		if last, err := readEndpoint(dir); err == nil {
			if _, lastPort, err := net.SplitHostPort(strings.TrimPrefix(last.URL, "http://")); err == nil {
				if l, err := net.Listen("tcp", net.JoinHostPort(host, lastPort)); err == nil {
					return l, nil
				}
			}
		}
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	return l, nil
}

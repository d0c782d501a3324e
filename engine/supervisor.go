package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Options configure a supervisor and its engine. The first fields are those of ServeOptions.
type Options struct {
	Path       string
	Listen     string
	Remote     bool
	Library    string
	Memory     int64
	MaxQueries int

	// Exe is the program that calls Serve. Default: this one.
	Exe string

	hang time.Duration // for tests; 0: hangTime

	// Args come before the flags --path and so on. Default: "engine".
	Args []string

	// Env is added to this process's environment.
	Env []string

	// Logger receives the supervisor's own events and the engine's stderr. Default: slog.Default().
	Logger *slog.Logger
}

// Delay before an engine is restarted: from firstDelay, doubled after each engine that died within steady, up
// to longestDelay, or to upDelay after one that had responded: without the engine, rows wait.
const (
	firstDelay   = 100 * time.Millisecond
	upDelay      = time.Second
	longestDelay = 30 * time.Second
	steady       = 15 * time.Second
	// A child that does not respond to a ping for this long hangs, and is killed. /ping does not query the
	// engine itself, so a heavy query does not delay it.
	hangTime  = 30 * time.Second
	pingEvery = 5 * time.Second
)

// Supervisor runs an engine as a child process.
type Supervisor struct {
	options        Options
	log            *slog.Logger
	lock           *os.File
	listener       net.Listener // never accepted from: the children do that
	url            string
	writer, reader User
	page           User
	client         *http.Client
	done           chan struct{} // closed once Run has ended

	mu        sync.Mutex
	up        bool
	changed   chan struct{} // closed and replaced when up changes
	pid       int
	restarts  int
	since     time.Time
	lastError string
	version   string
	crashes   crashes
	confined  Confinement

	lastVersion string // of the engine that last used the directory; of Run only
}

// Stats is the state of a supervisor.
type Stats struct {
	Up        bool      // the engine responds
	URL       string    // its address
	Version   string    // of ClickHouse, "" before the first start
	PID       int       // of the child, 0 without one
	Restarts  int       // how often it was started again
	Since     time.Time // when it went up or down
	LastError string    // why it last ended, "" if it never did

	Crashes     []UserCrashes // of each read-only user
	Confinement Confinement   // of the child; zero before the first start
}

// New locks the data directory, makes missing secrets and opens the listening socket. From here on URL,
// Writer and Reader do not change.
func New(o Options) (*Supervisor, error) {
	c, err := ServeOptions{Path: o.Path, Library: o.Library, Logger: o.Logger}.withDefaults()
	if err != nil {
		return nil, err
	}
	o.Path, o.Library = c.Path, c.Library
	warning, err := OpenFiles()
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	if warning != "" {
		c.Logger.Warn("engine: " + warning)
	}
	if o.Exe == "" {
		if o.Exe, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("engine: this program's path: %w", err)
		}
	}
	if o.hang == 0 {
		o.hang = hangTime
	}
	if o.Args == nil {
		o.Args = []string{"engine"}
	}
	s := &Supervisor{options: o, log: c.Logger, done: make(chan struct{}), changed: make(chan struct{}), since: time.Now()}
	// Directly to the child, whatever proxy the environment has.
	s.client = &http.Client{Transport: &http.Transport{}}
	if s.lock, err = lockDir(o.Path); err != nil {
		return nil, err
	}
	if s.writer, s.reader, s.page, err = Users(o.Path); err == nil {
		s.listener, err = listen(o.Path, o.Listen, o.Remote)
	}
	if err != nil {
		s.lock.Close()
		return nil, err
	}
	s.crashes = newCrashes(s.reader, s.page)
	s.url = "http://" + s.listener.Addr().String()
	if last, err := readEndpoint(o.Path); err == nil {
		s.lastVersion = last.Version
	}
	return s, nil
}

// URL returns the address of the engine's HTTP interface.
func (s *Supervisor) URL() string { return s.url }

// Writer returns the user with all rights.
func (s *Supervisor) Writer() User { return s.writer }

// Reader returns the read-only user for SQL clients.
func (s *Supervisor) Reader() User { return s.reader }

// Page returns the read-only user of the web UI.
func (s *Supervisor) Page() User { return s.page }

// Stats returns the supervisor's state.
func (s *Supervisor) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Up: s.up, URL: s.url, Version: s.version, PID: s.pid, Restarts: s.restarts, Since: s.since, LastError: s.lastError,
		Crashes: s.crashes.list(), Confinement: s.confined}
}

// Ready waits until the engine responds. The error is that of ctx, or says that Run has ended.
func (s *Supervisor) Ready(ctx context.Context) error {
	for {
		s.mu.Lock()
		up, changed, last := s.up, s.changed, s.lastError
		s.mu.Unlock()
		if up {
			return nil
		}
		select {
		case <-changed:
		case <-s.done:
			return fmt.Errorf("engine: the supervisor has ended (%s)", orNone(last))
		case <-ctx.Done():
			return fmt.Errorf("engine: not ready: %w (last end: %s)", ctx.Err(), orNone(last))
		}
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// Close releases the directory and the port if Run was never called.
func (s *Supervisor) Close() error {
	return errors.Join(s.listener.Close(), s.lock.Close())
}

// Run keeps an engine running until ctx ends, then stops it and returns. It returns early, with the reason,
// if another start cannot help. Call it once.
func (s *Supervisor) Run(ctx context.Context) error {
	defer close(s.done)
	defer s.Close()
	delay := firstDelay
	for {
		started := time.Now()
		err := s.child(ctx)
		wasUp := s.Stats().Up
		s.set(func() {
			s.pid = 0
			if err != nil {
				s.lastError = err.Error()
			}
		}, false)
		if ctx.Err() != nil || err != nil && strings.Contains(err.Error(), writtenByNewer) {
			return err
		}
		if time.Since(started) >= steady {
			delay = firstDelay
		}
		if wasUp {
			delay = min(delay, upDelay)
		}
		s.log.Error("engine: exited, restarting", "err", err, "ran", time.Since(started).Round(time.Millisecond), "in", delay)
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return nil
		}
		delay = min(2*delay, longestDelay)
		s.mu.Lock()
		s.restarts++
		s.mu.Unlock()
	}
}

// set changes fields and notifies waiting goroutines.
func (s *Supervisor) set(change func(), up bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	if s.up != up {
		s.up, s.since = up, time.Now()
		close(s.changed)
		s.changed = make(chan struct{})
	}
}

// child runs one child process to its end.
func (s *Supervisor) child(ctx context.Context) error {
	listener, err := s.listener.(*net.TCPListener).File()
	if err != nil {
		return fmt.Errorf("engine: the listener: %w", err)
	}
	defer listener.Close()
	// A pipe that ends with this process. A death signal would not do: the kernel ties it to the thread that
	// started the child, and Go's threads come and go.
	parentRead, parentWrite, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	defer parentWrite.Close()
	defer parentRead.Close()

	s.mu.Lock()
	refused := s.crashes.refusals(time.Now())
	s.mu.Unlock()
	given, err := handover{Writer: s.writer, Reader: s.reader, Page: s.page, Refused: refused}.pipe()
	if err != nil {
		return err
	}
	defer given.Close()
	flight, err := newFlight()
	if err != nil {
		return err
	}
	defer flight.Close()

	o := s.options
	args := append(o.Args[:len(o.Args):len(o.Args)], "--path", o.Path)
	if o.Library != "" {
		args = append(args, "--library", o.Library)
	}
	if o.Memory > 0 {
		args = append(args, "--memory", strconv.FormatInt(o.Memory, 10))
	}
	if o.MaxQueries > 0 {
		args = append(args, "--max-queries", strconv.Itoa(o.MaxQueries))
	}
	cmd := exec.Command(o.Exe, args...)
	cmd.Env = append(append(os.Environ(), o.Env...), inheritEnv+"="+inheritValue(3, 4, 5, 6, 7))
	cmd.ExtraFiles = []*os.File{listener, s.lock, parentRead, given, flight} // in the order of inheritNames
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}                    // Ctrl-C is for the parent, which stops in its own order
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	cmd.Stdout = nil
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	parentRead.Close()
	given.Close()
	s.set(func() { s.pid = cmd.Process.Pid }, false)

	last := make(chan string, 1)
	go func() { last <- s.forward(stderr) }()
	watching, stopWatching := context.WithCancel(ctx)
	watched := make(chan struct{})
	oom := oomKills()
	var hung atomic.Bool
	go func() {
		defer close(watched)
		if s.ping(watching) == nil {
			e, err := readEndpoint(o.Path)
			if err != nil {
				s.log.Warn("engine: ready, but its address could not be written", "err", err)
			}
			version := e.Version
			s.set(func() { s.version, s.confined = version, e.Confinement }, true)
			s.log.Info("engine: ready", "version", version, "url", s.url)
			e.Confinement.say(s.log)
			if s.lastVersion != "" && s.lastVersion != version {
				s.log.Info("engine: the data directory is opened by another version than before", "last", s.lastVersion, "now", version)
			}
			s.lastVersion = version
			hung.Store(s.watch(watching, cmd.Process))
		}
	}()
	exited := make(chan struct{})
	stopStop := context.AfterFunc(ctx, func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-time.After(2 * time.Second):
			// The signal may have arrived between the two stages of its start, and been lost.
			parentWrite.Close()
		case <-exited:
			return
		}
		select {
		case <-time.After(stopTime):
			cmd.Process.Kill()
		case <-exited:
		}
	})
	line := <-last // its stderr ends with it
	err = cmd.Wait()
	close(exited)
	stopStop()
	stopWatching()
	<-watched
	if ctx.Err() == nil && (hung.Load() || crashed(cmd.ProcessState, oom)) {
		s.blame(readFlight(flight))
	}
	switch {
	case err == nil && ctx.Err() != nil:
		return nil
	case err == nil:
		return errors.New("engine: stopped unexpectedly")
	case line != "":
		return fmt.Errorf("engine: %w: %s", err, line)
	}
	return fmt.Errorf("engine: %w", err)
}

// crashed reports whether a process ended by its own fault, or was killed by the kernel for lack of memory.
// Go's runtime, which has the handlers, exits with status 2. A process that another one killed with -9 did
// not crash.
func crashed(state *os.ProcessState, oomBefore uint64) bool {
	status, ok := state.Sys().(syscall.WaitStatus)
	switch {
	case !ok:
		return false
	case status.Exited():
		return status.ExitStatus() == 2
	case status.Signal() == syscall.SIGKILL:
		return oomKills() > oomBefore
	case status.Signal() == syscall.SIGTERM, status.Signal() == syscall.SIGINT:
		return false
	}
	return status.Signaled()
}

// oomKills returns the number of processes that the kernel has killed because memory ran out.
func oomKills() (n uint64) {
	text, _ := os.ReadFile("/proc/vmstat")
	for line := range strings.Lines(string(text)) {
		if number, ok := strings.CutPrefix(line, "oom_kill "); ok {
			n, _ = strconv.ParseUint(strings.TrimSpace(number), 10, 64)
		}
	}
	return n
}

// blame counts a crash for the user whose statement was running.
func (s *Supervisor) blame(ran []runningStatement) {
	n := blame(ran)
	if n == nil {
		return
	}
	s.mu.Lock()
	u, shutOut := s.crashes.add(*n, time.Now())
	s.mu.Unlock()
	s.log.Error("engine: crashed during a user's statement", "user", u.User, "crashes", u.Crashes, "query_id", n.id, "statement", n.text, "statements", len(ran))
	if shutOut {
		s.log.Error("engine: user blocked: too many crashes", "user", u.User, "since", u.Since.Format(time.RFC3339), "until", u.Until.Format(time.RFC3339), "statement", u.Statement)
	}
}

// ping waits until the engine responds.
func (s *Supervisor) ping(ctx context.Context) error {
	for {
		// Without an engine the connection waits in the listener's queue.
		try, cancel := context.WithTimeout(ctx, 2*time.Second)
		request, err := http.NewRequestWithContext(try, http.MethodGet, s.url+"/ping", nil)
		if err != nil {
			cancel()
			return err
		}
		response, err := s.client.Do(request)
		if err == nil {
			io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}
		cancel()
		if err == nil && response.StatusCode == http.StatusOK {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// watch pings the child until ctx ends, and kills it if it hangs, which it reports.
func (s *Supervisor) watch(ctx context.Context, child *os.Process) (hung bool) {
	for {
		select {
		case <-time.After(pingEvery):
		case <-ctx.Done():
			return false
		}
		try, cancel := context.WithTimeout(ctx, s.options.hang)
		err := s.ping(try)
		cancel()
		if err != nil && ctx.Err() == nil {
			s.log.Error("engine: not responding, killing it", "pid", child.Pid, "after", s.options.hang)
			child.Kill()
			return true
		}
	}
}

// forward logs the child's stderr line by line, and returns the last line about a problem.
func (s *Supervisor) forward(r io.Reader) (last string) {
	lines := bufio.NewReaderSize(r, 64<<10)
	for {
		line, tooLong, err := lines.ReadLine()
		if err != nil {
			return last
		}
		for tooLong && err == nil { // a longer line is truncated
			_, tooLong, err = lines.ReadLine()
		}
		if text := strings.TrimSpace(string(line)); text != "" {
			level := slog.LevelWarn
			if strings.Contains(text, "level=INFO") || strings.Contains(text, "level=DEBUG") {
				level = slog.LevelDebug // the supervisor itself logs the important ones
			} else {
				last = text
			}
			s.log.Log(context.Background(), level, "engine: "+text)
		}
	}
}

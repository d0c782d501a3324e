package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"netmeta/internal/wholefile"
)

const (
	lockFile     = "engine.lock"
	endpointFile = "engine.json"
)

// ErrNotRunning says that no engine uses a data directory.
var ErrNotRunning = errors.New("no engine is running")

// Endpoint is the address of a running engine.
type Endpoint struct {
	URL     string    `json:"url"`
	PID     int       `json:"pid"`
	Version string    `json:"version"`
	Started time.Time `json:"started"`

	Confinement Confinement `json:"confinement"`
}

// Running finds the engine that uses a data directory. The error is ErrNotRunning if there is none.
func Running(dir string) (Endpoint, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR, 0)
	if err == nil {
		defer f.Close()
		// A shared lock hardly disturbs others who only check.
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return readEndpoint(dir)
		}
	}
	return Endpoint{}, fmt.Errorf("engine: %s: %w; start it with `netmeta run --data %s`", dir, ErrNotRunning, dir)
}

func readEndpoint(dir string) (e Endpoint, err error) {
	text, err := wholefile.ReadAll(filepath.Join(dir, endpointFile), 64<<10)
	if err != nil {
		return e, fmt.Errorf("engine: the address of the running engine: %w", err)
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return e, fmt.Errorf("engine: %s: %w", filepath.Join(dir, endpointFile), err)
	}
	return e, nil
}

// endpointSize is the size of engine.json, padded with spaces. An engine's process cannot make files in the
// data directory, so it overwrites the inherited one, with a single write of constant size: the file is
// always complete.
const endpointSize = 1024

func (e Endpoint) write(f *os.File) error {
	text, err := e.text()
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(text, 0); err != nil {
		return fmt.Errorf("engine: data directory: %w", err)
	}
	return nil
}

func (e Endpoint) text() ([]byte, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	if len(text) >= endpointSize {
		return nil, fmt.Errorf("engine: %s would have %d bytes", endpointFile, len(text))
	}
	text = append(text, bytes.Repeat([]byte{' '}, endpointSize-1-len(text))...)
	return append(text, '\n'), nil
}

// create makes the file that write overwrites.
func (e Endpoint) create(dir string) (*os.File, error) {
	text, err := e.text()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, endpointFile)
	if err := wholefile.WriteText(path, text); err != nil {
		return nil, fmt.Errorf("engine: data directory: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, fmt.Errorf("engine: data directory: %w", err)
	}
	return f, nil
}

// lockDir locks a data directory for this process and the children that inherit the file: the lock lasts
// until the last of them has closed it or died. lockDir waits briefly, because a child whose parent was
// killed needs a moment to stop.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("engine: data directory: %w", err)
	}
	path := filepath.Join(dir, lockFile)
	const flags = os.O_RDWR | os.O_CREATE | syscall.O_NOFOLLOW
	f, err := os.OpenFile(path, flags, 0o600)
	if errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ELOOP) { // cannot be locked by anyone
		if _, failed := wholefile.PutAside(path, err); failed == nil {
			f, err = os.OpenFile(path, flags, 0o600)
		}
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("engine: data directory %s belongs to another user: run as that user, or set another directory with --data: %w", dir, err)
	}
	if err != nil {
		return nil, fmt.Errorf("engine: data directory: %w", err)
	}
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		text, _ := os.ReadFile(path)
		pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
		wait := 200 * time.Millisecond // for a process that only checks, in Running
		if pid > 0 && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			wait = stopTime + 4*time.Second
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Since(begin) > wait {
			f.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, fmt.Errorf("engine: %s is in use by process %d; stop it, or set another directory with --data", dir, pid)
			}
			return nil, fmt.Errorf("engine: lock %s: %w", path, err)
		}
	}
	if err := f.Truncate(0); err == nil {
		fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	return f, nil
}

// inheritEnv is the environment variable with the names and numbers of inherited files:
// "listener=3,lock=4,…".
const inheritEnv = "NETMETA_ENGINE_INHERIT"

// inheritance is the files that an engine's process inherits from its supervisor, or from its own first
// stage. Missing ones are nil.
type inheritance struct {
	listener net.Listener
	lock     *os.File
	parent   *os.File // ends with the supervisor
	handover *os.File // a pipe; see handover
	flight   *os.File // the flight recorder
	endpoint *os.File // engine.json
}

// inheritNames are the names of the files in the order of files. The supervisor passes the first five.
var inheritNames = [...]string{"listener", "lock", "parent", "handover", "flight", "endpoint"}

// inheritValue returns the value of inheritEnv for files with these numbers; below 0: none.
func inheritValue(fds ...int) string {
	var parts []string
	for i, fd := range fds {
		if fd >= 0 {
			parts = append(parts, fmt.Sprintf("%s=%d", inheritNames[i], fd))
		}
	}
	return strings.Join(parts, ",")
}

// inherited returns the inherited files, none if there are none.
func inherited() (in inheritance, err error) {
	value := os.Getenv(inheritEnv)
	if value == "" {
		return in, nil
	}
	os.Unsetenv(inheritEnv) // not for the children of this process
	var listener *os.File
	into := [len(inheritNames)]**os.File{&listener, &in.lock, &in.parent, &in.handover, &in.flight, &in.endpoint}
	for part := range strings.SplitSeq(value, ",") {
		name, number, _ := strings.Cut(part, "=")
		i := slices.Index(inheritNames[:], name)
		fd, err := strconv.Atoi(number)
		if i < 0 || err != nil || fd < 3 || *into[i] != nil {
			return in, fmt.Errorf("engine: $%s is %q: the supervisor is of another version; restart NetMeta", inheritEnv, value)
		}
		syscall.CloseOnExec(fd)
		*into[i] = os.NewFile(uintptr(fd), name)
	}
	if listener == nil || in.lock == nil || in.handover == nil {
		return in, fmt.Errorf("engine: $%s is %q: the supervisor is of another version; restart NetMeta", inheritEnv, value)
	}
	in.listener, err = net.FileListener(listener)
	listener.Close()
	if err != nil {
		return in, fmt.Errorf("engine: the inherited listener: %w", err)
	}
	return in, nil
}

// keep makes the next program of this process inherit the files, and returns its value of inheritEnv.
func (in inheritance) keep() (string, error) {
	listener, err := in.listener.(*net.TCPListener).File()
	if err != nil {
		return "", fmt.Errorf("engine: the listener: %w", err)
	}
	var fds []int
	for _, f := range []*os.File{listener, in.lock, in.parent, in.handover, in.flight, in.endpoint} {
		fd := -1
		if f != nil {
			fd = int(f.Fd())
			if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
				return "", fmt.Errorf("engine: %w", err)
			}
		}
		fds = append(fds, fd)
	}
	return inheritValue(fds...), nil
}

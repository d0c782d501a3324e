package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"netmeta/internal/wholefile"
)

const (
	lockFile     = "engine.lock"
	endpointFile = "engine.json"
)

// ErrNotRunning says that no engine has a data directory.
var ErrNotRunning = errors.New("no engine is running")

// Endpoint says where a running engine is.
type Endpoint struct {
	URL     string    `json:"url"`
	PID     int       `json:"pid"`
	Version string    `json:"version"`
	Started time.Time `json:"started"`
}

// Running finds the engine that has a data directory. The error is ErrNotRunning
// when none has it.
func Running(dir string) (Endpoint, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR, 0)
	if err == nil {
		defer f.Close()
		// A shared lock disturbs another one who only looks no more than needed.
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

func (e Endpoint) write(dir string) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if err := wholefile.WriteText(filepath.Join(dir, endpointFile), append(text, '\n')); err != nil {
		return fmt.Errorf("engine: data directory: %w", err)
	}
	return nil
}

// lockDir takes a data directory for this process and the children it hands the
// file to: the lock lasts until the last of them has closed it or died. A child
// whose parent was killed needs a moment to stop, for which lockDir waits.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("engine: data directory: %w", err)
	}
	path := filepath.Join(dir, lockFile)
	const flags = os.O_RDWR | os.O_CREATE | syscall.O_NOFOLLOW
	f, err := os.OpenFile(path, flags, 0o600)
	if errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ELOOP) { // no lock that anybody could hold
		if _, failed := wholefile.PutAside(path, err); failed == nil {
			f, err = os.OpenFile(path, flags, 0o600)
		}
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("engine: data directory %s belongs to another user: run as that one, or give another directory with --data: %w", dir, err)
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
		wait := 200 * time.Millisecond // for one who only looks, in Running
		if pid > 0 && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			wait = stopTime + 4*time.Second
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Since(begin) > wait {
			f.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, fmt.Errorf("engine: %s is in use by process %d; stop that, or give another directory with --data", dir, pid)
			}
			return nil, fmt.Errorf("engine: lock %s: %w", path, err)
		}
	}
	if err := f.Truncate(0); err == nil {
		fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	return f, nil
}

// inheritEnv names the environment variable by which a supervisor tells its child
// what it inherits, and as which files.
const inheritEnv = "NETMETA_ENGINE_INHERIT"

const inheritFiles = "listener=3,lock=4,parent=5"

type inheritance struct {
	listener net.Listener
	lock     *os.File
	parent   *os.File // ends when the supervisor does
}

// inherited takes what the supervisor handed over, nothing when there is none.
func inherited() (in inheritance, err error) {
	value := os.Getenv(inheritEnv)
	if value == "" {
		return in, nil
	}
	os.Unsetenv(inheritEnv) // not for the children of this process
	if value != inheritFiles {
		return in, fmt.Errorf("engine: $%s is %q, want %q: the supervisor is of another version", inheritEnv, value, inheritFiles)
	}
	for fd := 3; fd <= 5; fd++ {
		syscall.CloseOnExec(fd)
	}
	f := os.NewFile(3, "listener")
	in.listener, err = net.FileListener(f)
	f.Close()
	if err != nil {
		return in, fmt.Errorf("engine: the inherited listener: %w", err)
	}
	in.lock = os.NewFile(4, lockFile)
	in.parent = os.NewFile(5, "parent")
	return in, nil
}

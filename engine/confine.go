package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"netmeta/internal/wholefile"
)

// The engine runs what its users send, in a million lines of C++. So its process is restricted: it writes
// only below clickhouse/ and tmp/ of the data directory, reads nothing else of it, starts no program and
// opens no connection.
//
// Landlock limits a thread and its children, and the threads of a Go program exist before main. So the
// process starts in two stages. The first opens what the second may not access (lock, port, secrets,
// configuration), limits one of its threads, and replaces the program from that thread. The second stage
// inherits the open files, installs the filter of system calls and loads the engine. [Decision 16] has the
// reasons.
//
// Features that a system lacks are skipped and listed in [Confinement].

// Confinement lists the restrictions of an engine's process.
type Confinement struct {
	Landlock int      `json:"landlock"`          // ABI of the kernel's Landlock; 0: paths are not limited
	Seccomp  bool     `json:"seccomp"`           // system calls are limited
	Stack    uint64   `json:"stack"`             // bytes of each thread's stack; 0: unlimited or unknown
	Temp     string   `json:"tmp"`               // directory of temporary files
	Missing  []string `json:"missing,omitempty"` // protections that are not in force, with the reason
}

func (c Confinement) String() string {
	landlock, seccomp := "off", "off"
	if c.Landlock > 0 {
		landlock = fmt.Sprintf("abi %d", c.Landlock)
	}
	if c.Seccomp {
		seccomp = "on"
	}
	return fmt.Sprintf("landlock=%s, seccomp=%s, stack=%d MiB, tmp=%s", landlock, seccomp, c.Stack>>20, c.Temp)
}

// Unconfined names the environment variable that switches the confinement off, for
// debuggers and profilers.
const Unconfined = "NETMETA_ENGINE_UNCONFINED"

// confinedEnv marks the second stage and passes the first one's state to it.
const confinedEnv = "NETMETA_ENGINE_CONFINED"

// threadStack is the stack of each of the engine's threads. It is address space: a page counts once it is
// used. It must be enough for the deepest statement that readers may send.
const threadStack = 64 << 20

// tempDir is the engine's working directory and holds everything temporary.
func tempDir(dir string) string { return filepath.Join(dir, "tmp") }

// engineTemp is the target of clickhouse/tmp.
const engineTemp = "../tmp/engine"

// handover passes data between stages through a pipe, because the second stage may not read the files they
// come from.
type handover struct {
	Writer  User      `json:"writer"`
	Reader  User      `json:"reader"`
	Page    User      `json:"page"`
	Refused []refusal `json:"refused"` // users who are blocked
	Version string    `json:"version"` // of the engine that last had the directory, "" for none
	Library string    `json:"library"`
	Memory  int64     `json:"memory"`
	Queries int       `json:"queries"`
}

// pipe returns a pipe that contains the handover and then ends.
func (h handover) pipe() (*os.File, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	defer write.Close()
	// It is not read yet. A pipe holds 64 KiB, and a handover has a few.
	if len(text) > 32<<10 {
		read.Close()
		return nil, fmt.Errorf("engine: %d bytes to hand over", len(text))
	}
	if _, err := write.Write(text); err != nil {
		read.Close()
		return nil, fmt.Errorf("engine: %w", err)
	}
	return read, nil
}

func readHandover(r io.Reader) (h handover, err error) {
	if err := json.NewDecoder(io.LimitReader(r, 64<<10)).Decode(&h); err != nil {
		return h, fmt.Errorf("engine: what the supervisor handed over: %w", err)
	}
	return h, nil
}

// firstStage prepares the directory and replaces this process by the second stage. It only returns on
// failure.
func (c ServeOptions) firstStage(in inheritance) error {
	var h handover
	if in.handover != nil {
		var err error
		if h, err = readHandover(in.handover); err != nil {
			return err
		}
	} else {
		var err error
		if h.Writer, h.Reader, h.Page, err = Users(c.Path); err != nil {
			return err
		}
	}
	if last, err := readEndpoint(c.Path); err == nil {
		h.Version = last.Version
	}
	h.Library, h.Memory, h.Queries = c.Library, c.Memory, c.MaxQueries
	if err := c.prepare(); err != nil {
		return err
	}
	// As the second stage will write it, except for values that only that knows.
	endpoint, err := Endpoint{URL: "http://" + in.listener.Addr().String(), PID: os.Getpid(), Version: h.Version, Started: time.Now()}.create(c.Path)
	if err != nil {
		return err
	}
	defer endpoint.Close()
	in.endpoint = endpoint
	if in.handover, err = h.pipe(); err != nil {
		return err
	}
	defer in.handover.Close()
	if in.parent != nil {
		// When memory runs out, the kernel should kill the engine and not the collector. A failure does no
		// harm.
		os.WriteFile("/proc/self/oom_score_adj", []byte("500"), 0)
	}
	state := Confinement{Temp: tempDir(c.Path)}
	state.Stack = raiseStack(&state)
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("engine: this program's path: %w", err)
	}
	if err := os.Chdir(tempDir(c.Path)); err != nil {
		return fmt.Errorf("engine: data directory: %w", err)
	}
	replace := func(state Confinement) error {
		text, err := json.Marshal(state)
		if err != nil {
			return err
		}
		inherit, err := in.keep()
		if err != nil {
			return err
		}
		env := append(environment(), inheritEnv+"="+inherit, confinedEnv+"="+string(text), "TMPDIR="+tempDir(c.Path))
		return fmt.Errorf("engine: start %s: %w", exe, syscall.Exec(exe, os.Args, env))
	}
	if os.Getenv(Unconfined) != "" {
		state.Missing = append(state.Missing, "landlock: switched off by $"+Unconfined)
		return replace(state)
	}
	// In a separate thread that is never released. If the new program does not start under the limits, it is
	// started without them from here.
	failed := make(chan error)
	go func() {
		runtime.LockOSThread()
		limited := state
		abi, err := restrictPaths(c.readable(exe), c.writable())
		if err == nil {
			limited.Landlock = abi
			if abi < 4 {
				limited.Missing = append(limited.Missing, fmt.Sprintf("landlock: ABI %d does not limit connections; the filter of system calls does", abi))
			}
			err = replace(limited)
		}
		failed <- err
	}()
	err = <-failed
	state.Missing = append(state.Missing, "landlock: "+err.Error())
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		state.Missing = append(state.Missing, "no_new_privs: "+err.Error())
	}
	return replace(state)
}

// environment returns the part of this process's environment that the engine may see, because the rest may
// hold secrets of other programs: variables of Go's runtime, the C library and our tests.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return !slices.Contains([]string{"TZ", "LANG", "GOMEMLIMIT", "GOGC", "GODEBUG", "GOTRACEBACK", "GOCOVERDIR"}, name) &&
			!strings.HasPrefix(name, "LC_") && !strings.HasPrefix(name, "NETMETA_ENGINE_") && !strings.HasPrefix(name, "NETMETA_TEST_")
	})
}

// prepare makes what the second stage needs but may not make.
func (c ServeOptions) prepare() error {
	store, temp := filepath.Join(c.Path, "clickhouse"), tempDir(c.Path)
	if info, err := os.Stat(temp); err == nil && !info.IsDir() {
		if _, err := wholefile.PutAside(temp, errors.New("a directory has this name")); err != nil {
			return fmt.Errorf("engine: temporary files: %w", err)
		}
	}
	for _, dir := range []string{store, temp} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("engine: data directory: %w", err)
		}
	}
	if err := emptyTemp(temp); err != nil {
		c.Logger.Warn("engine: temporary files of the last time stay", "err", err)
	}
	for _, name := range []string{"engine", "files"} {
		if err := os.Mkdir(filepath.Join(temp, name), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("engine: temporary files: %w", err)
		}
	}
	// The embedded engine ignores tmp_path and uses tmp/ of its own directory.
	link := filepath.Join(store, "tmp")
	if to, _ := os.Readlink(link); to != engineTemp {
		if err := errors.Join(os.RemoveAll(link), os.Symlink(engineTemp, link)); err != nil {
			return fmt.Errorf("engine: temporary files: %w", err)
		}
	}
	config := filepath.Join(c.Path, "engine.xml")
	if err := wholefile.WriteText(config, []byte(engineXML(c.Path, c.Memory, cores(), KeepFree(store)))); err != nil {
		return fmt.Errorf("engine: configuration: %w", err)
	}
	return nil
}

// raiseStack sets the stack size that the C library uses for the threads of the next program.
func raiseStack(state *Confinement) uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_STACK, &limit); err != nil {
		state.Missing = append(state.Missing, "stack: "+err.Error())
		return 0
	}
	limit.Cur = threadStack
	if limit.Max < threadStack { // RLIM_INFINITY is the largest number
		limit.Cur = limit.Max
		state.Missing = append(state.Missing, fmt.Sprintf("stack: the hard limit is %d MiB, %d MiB are wanted; raise LimitSTACK or ulimit -Hs", limit.Max>>20, threadStack>>20))
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_STACK, &limit); err != nil {
		state.Missing = append(state.Missing, "stack: "+err.Error())
		return 0
	}
	return limit.Cur
}

// Rights of Landlock.
const (
	readFile = unix.LANDLOCK_ACCESS_FS_READ_FILE
	readRun  = readFile | unix.LANDLOCK_ACCESS_FS_EXECUTE
	readTree = readFile | unix.LANDLOCK_ACCESS_FS_READ_DIR
	device   = readFile | unix.LANDLOCK_ACCESS_FS_WRITE_FILE
	own      = readTree | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_REFER |
		unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SYM

	ofFiles = readRun | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
)

// grant gives rights on a file, or on a directory and everything below it.
type grant struct {
	name   string
	rights uint64
}

// readable lists what the second stage reads: the program, its libraries, kernel information, and time zones.
// Missing paths are skipped.
func (c ServeOptions) readable(exe string) []grant {
	paths := []grant{
		{exe, readRun}, {c.Library, readRun},
		{filepath.Join(c.Path, "engine.xml"), readFile},
		{"/sys", readTree},
		{"/usr/share/zoneinfo", readTree}, {"/etc/localtime", readFile}, {"/etc/timezone", readFile}, {"/etc/ld.so.cache", readFile},
		{"/dev/null", device}, {"/dev/zero", readFile}, {"/dev/random", readFile}, {"/dev/urandom", readFile},
	}
	// Not the directories of other processes in /proc: as the same user it could read the collector's
	// environment and memory map there.
	for _, name := range []string{"self", "sys", "pressure", "meminfo", "stat", "vmstat", "cpuinfo", "loadavg", "uptime", "diskstats", "version", "filesystems"} {
		paths = append(paths, grant{"/proc/" + name, readTree})
	}
	// The loader and the C library, wherever this system has them, because this program has mapped them.
	maps, _ := os.ReadFile("/proc/self/maps")
	for line := range strings.Lines(string(maps)) {
		if _, name, ok := strings.Cut(strings.TrimSpace(line), " /"); ok && strings.Contains(filepath.Base(name), ".so") {
			p := grant{"/" + filepath.Dir(name), readRun | readTree}
			if !slices.Contains(paths, p) {
				paths = append(paths, p)
			}
		}
	}
	return paths
}

// writable lists what the second stage writes.
func (c ServeOptions) writable() []grant {
	return []grant{{filepath.Join(c.Path, "clickhouse"), own}, {tempDir(c.Path), own}}
}

// restrictPaths limits this thread and its children to the paths, without any TCP port. It returns the ABI of
// the kernel's Landlock. Call it with the thread locked.
func restrictPaths(lists ...[]grant) (abi int, err error) {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	switch {
	case errno == unix.ENOSYS:
		return 0, errors.New("the kernel does not have it (5.19 does)")
	case errno == unix.EOPNOTSUPP:
		return 0, errors.New("it is disabled in the kernel; set lsm=landlock,… on its command line")
	case errno != 0:
		return 0, fmt.Errorf("%w (does a container or a unit forbid landlock_create_ruleset?)", errno)
	case version < 2:
		return 0, errors.New("the kernel's Landlock has no renames between directories (5.19 does)")
	}
	abi = int(version)
	rules := unix.LandlockRulesetAttr{Handled_access_fs: unix.LANDLOCK_ACCESS_FS_REFER<<1 - 1}
	size := unsafe.Offsetof(rules.Handled_access_net)
	if abi >= 3 {
		rules.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if abi >= 4 {
		rules.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
		size = unsafe.Offsetof(rules.Scoped)
	}
	if abi >= 5 {
		rules.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if abi >= 6 { // no signals to outside processes, no abstract sockets of them
		rules.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
		size = unsafe.Offsetof(rules.Quiet_access_fs)
	}
	set, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&rules)), size, 0)
	if errno != 0 {
		return 0, fmt.Errorf("landlock_create_ruleset: %w", errno)
	}
	defer unix.Close(int(set))
	for _, list := range lists {
		for _, p := range list {
			if err := allow(int(set), p, rules.Handled_access_fs); err != nil && !errors.Is(err, unix.ENOENT) {
				return 0, fmt.Errorf("landlock_add_rule %s: %w", p.name, err)
			}
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("no_new_privs: %w", err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, set, 0, 0); errno != 0 {
		return 0, fmt.Errorf("landlock_restrict_self: %w", errno)
	}
	return abi, nil
}

func allow(set int, p grant, handled uint64) error {
	fd, err := unix.Open(p.name, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if strings.HasPrefix(p.name, "/proc/") {
		// A rule is about an inode, and /proc makes a new one once it has evicted the name, so the second
		// stage keeps these names open.
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
			return err
		}
	} else {
		defer unix.Close(fd)
	}
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil {
		return err
	}
	if info.Mode&unix.S_IFMT != unix.S_IFDIR {
		p.rights &= ofFiles
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: p.rights & handled, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(set), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// secondStage completes the confinement and returns its state. second is false in the first stage.
func secondStage() (state Confinement, second bool, err error) {
	text := os.Getenv(confinedEnv)
	if text == "" {
		return state, false, nil
	}
	os.Unsetenv(confinedEnv)
	if err := json.Unmarshal([]byte(text), &state); err != nil {
		return state, true, fmt.Errorf("engine: $%s: %w", confinedEnv, err)
	}
	if os.Getenv(Unconfined) != "" {
		state.Missing = append(state.Missing, "seccomp: switched off by $"+Unconfined)
		return state, true, nil
	}
	if err := restrictCalls(); err != nil {
		state.Missing = append(state.Missing, "seccomp: "+err.Error())
	} else {
		state.Seccomp = true
	}
	return state, true, nil
}

// say logs the confinement.
func (c Confinement) say(log *slog.Logger) {
	log.Info("engine: confined", "by", c.String())
	for _, m := range c.Missing {
		log.Warn("engine: a protection is missing", "protection", m)
	}
}

package engine

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The flight recorder shows a supervisor which statements were running when its engine died. It is memory
// that both share, without a file in any directory. The engine's process records the start and the end of
// each statement of a read-only user; the supervisor reads it when the process has ended.
//
// A slot has
//
//	uint32 used │ uint32 length of the statement │ user, 32 bytes │ query id, 64 bytes │ start of the statement
const (
	flightSlots = 256
	slotSize    = 512
	slotUser    = 8
	slotID      = slotUser + 32
	slotText    = slotID + 64
)

// recorder is the engine's side. A nil one records nothing.
type recorder struct {
	memory  []byte
	refused []refusal // blocked users; immutable

	mu   sync.Mutex
	free []int
}

// newRecorder maps the shared memory; nil for a process without a supervisor.
func newRecorder(f *os.File, refused []refusal) (*recorder, error) {
	r := &recorder{refused: refused}
	if f == nil {
		return r, nil
	}
	defer f.Close()
	memory, err := unix.Mmap(int(f.Fd()), 0, flightSlots*slotSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("engine: flight recorder: %w", err)
	}
	r.memory = memory
	for i := range flightSlots {
		r.free = append(r.free, i)
	}
	return r, nil
}

// begin records the start of a user's statement and returns a function that records its end. The error means
// that the user is blocked.
func (r *recorder) begin(user, id, text string) (end func(), err error) {
	for _, refused := range r.refused {
		if refused.User == user && time.Now().Before(refused.Until) {
			return nil, refused.exception()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.free)
	if n == 0 { // more than run at the same time by default: not recorded
		return func() {}, nil
	}
	i := r.free[n-1]
	r.free = r.free[:n-1]
	slot := r.memory[i*slotSize : (i+1)*slotSize]
	clear(slot[slotUser:])
	copy(slot[slotUser:slotID], user)
	copy(slot[slotID:slotText], id)
	binary.NativeEndian.PutUint32(slot[4:], uint32(copy(slot[slotText:], text)))
	used := (*uint32)(unsafe.Pointer(&slot[0]))
	atomic.StoreUint32(used, 1)
	return func() {
		atomic.StoreUint32(used, 0)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.free = append(r.free, i)
	}, nil
}

// newFlight makes the shared memory.
func newFlight() (*os.File, error) {
	fd, err := unix.MemfdCreate("netmeta-flight", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("engine: flight recorder: %w", err)
	}
	f := os.NewFile(uintptr(fd), "flight")
	if err := f.Truncate(flightSlots * slotSize); err != nil {
		f.Close()
		return nil, fmt.Errorf("engine: flight recorder: %w", err)
	}
	return f, nil
}

// runningStatement is a statement that was running when the process died.
type runningStatement struct{ user, id, text string }

// readFlight lists the running statements. The process may have written anything.
func readFlight(f *os.File) []runningStatement {
	var list []runningStatement
	slot := make([]byte, slotSize)
	for i := range int64(flightSlots) {
		if _, err := f.ReadAt(slot, i*slotSize); err != nil {
			break
		}
		if binary.NativeEndian.Uint32(slot) == 0 {
			continue
		}
		n := min(binary.NativeEndian.Uint32(slot[4:]), slotSize-slotText)
		clean := func(b []byte) string {
			return strings.Map(func(c rune) rune {
				if c < ' ' || c == 0x7f || c == utf8.RuneError {
					return ' '
				}
				return c
			}, strings.TrimRight(string(b), "\x00"))
		}
		list = append(list, runningStatement{clean(slot[slotUser:slotID]), clean(slot[slotID:slotText]), clean(slot[slotText : slotText+n])})
	}
	return list
}

// A user whose statements crash the engine is blocked for a while.
const (
	crashLimit  = 3
	crashWindow = 10 * time.Minute
	shutOutTime = 10 * time.Minute
)

// refusal says that a user is blocked.
type refusal struct {
	User      string    `json:"user"`
	Since     time.Time `json:"since"`
	Until     time.Time `json:"until"`
	Statement string    `json:"statement"` // the start of the last one
}

func (r refusal) exception() *exception {
	const clock = "15:04:05"
	return errorf(codeQuotaExceeded, "QUOTA_EXCEEDED",
		"User %s is blocked from %s to %s UTC: the engine crashed %d times within %v during statements of this user. The last one started with: %s",
		r.User, r.Since.UTC().Format(clock), r.Until.UTC().Format(clock), crashLimit, crashWindow, r.Statement)
}

// UserCrashes says how often the engine crashed while statements of a user were running, and whether the user
// is blocked for that.
type UserCrashes struct {
	User      string
	Crashes   int       // since the start of the supervisor
	Since     time.Time // the user is blocked from here
	Until     time.Time // to here; zero: never
	Statement string    // start of the statement of the last crash
}

// crashes counts crashes by user.
type crashes struct {
	of     map[string]*UserCrashes
	recent map[string][]time.Time // not older than crashWindow
}

// newCrashes starts with the users who must not be reported.
func newCrashes(users ...User) crashes {
	c := crashes{of: map[string]*UserCrashes{}, recent: map[string][]time.Time{}}
	for _, u := range users {
		c.of[u.Name] = &UserCrashes{User: u.Name}
	}
	return c
}

// blame returns the statement to blame; nil if no statement of a reader was running. Arbitrary SQL comes
// first: NetMeta makes the statements of the other users.
func blame(ran []runningStatement) *runningStatement {
	if len(ran) == 0 {
		return nil
	}
	rank := func(n runningStatement) int {
		if n.user == ReaderName {
			return 0
		}
		return 1
	}
	first := slices.MinFunc(ran, func(a, b runningStatement) int { return cmp.Compare(rank(a), rank(b)) })
	return &first
}

// add counts a crash at a time and reports whether the user is blocked for it.
func (c *crashes) add(n runningStatement, now time.Time) (u UserCrashes, shutOut bool) {
	of := c.of[n.user]
	if of == nil {
		of = &UserCrashes{User: n.user}
		c.of[n.user] = of
	}
	of.Crashes++
	of.Statement = n.text
	recent := slices.DeleteFunc(append(c.recent[n.user], now), func(t time.Time) bool { return now.Sub(t) > crashWindow })
	if len(recent) >= crashLimit {
		of.Since, of.Until = now, now.Add(shutOutTime)
		recent, shutOut = nil, true
	}
	c.recent[n.user] = recent
	return *of, shutOut
}

// list returns the counts by user.
func (c *crashes) list() []UserCrashes {
	list := make([]UserCrashes, 0, len(c.of))
	for _, u := range c.of {
		list = append(list, *u)
	}
	slices.SortFunc(list, func(a, b UserCrashes) int { return cmp.Compare(a.User, b.User) })
	return list
}

// refusals returns the blocked users for the next child.
func (c *crashes) refusals(now time.Time) []refusal {
	var list []refusal
	for _, u := range c.list() {
		if now.Before(u.Until) {
			list = append(list, refusal{User: u.User, Since: u.Since, Until: u.Until, Statement: u.Statement})
		}
	}
	return list
}

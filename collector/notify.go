package collector

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// A notifier tells systemd how we are (sd_notify(3)), when that is what started us. The
// zero value tells nobody.
type notifier struct {
	conn     net.Conn
	watchdog time.Duration // within which systemd wants to hear of us; 0: never
}

// newNotifier takes what systemd said from the environment, so that it is not passed on
// to the engine.
func newNotifier(log *slog.Logger) (n notifier) {
	socket, usec, pid := os.Getenv("NOTIFY_SOCKET"), os.Getenv("WATCHDOG_USEC"), os.Getenv("WATCHDOG_PID")
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
		os.Unsetenv(name)
	}
	if socket == "" {
		return n
	}
	conn, err := net.Dial("unixgram", socket) // "@" at the start stands for the abstract namespace here too
	if err != nil {
		log.Warn("systemd is not told how we are", "err", err)
		return n
	}
	n.conn = conn
	if us, err := strconv.ParseInt(usec, 10, 64); err == nil && us > 0 && (pid == "" || pid == fmt.Sprint(os.Getpid())) {
		n.watchdog = time.Duration(us) * time.Microsecond
	}
	return n
}

func (n notifier) tell(state string) {
	if n.conn != nil {
		n.conn.Write([]byte(state)) // systemd may be restarting: it asks nobody to wait
	}
}

// reloading is to be followed by ready.
func (n notifier) reloading() {
	var now unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	n.tell(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", now.Nano()/1000))
}

func (n notifier) ready() { n.tell("READY=1") }

func (n notifier) stopping() { n.tell("STOPPING=1\nSTATUS=storing what was received") }

// How often systemd hears of us without a watchdog, and how long the start may go on
// without having heard.
const (
	notifyEvery = 5 * time.Second
	startTime   = 30 * time.Second
)

// notify tells systemd when we are ready, and then that we are alive, until ctx ends.
func (s *Collector) notify(ctx context.Context) {
	if s.notifier.conn == nil {
		return
	}
	for !s.migrated.Load() {
		// A store that is away may come back: what arrives waits for it.
		s.notifier.tell(fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d\nSTATUS=receiving; waiting for the store", startTime.Microseconds()))
		if !pause(ctx, 200*time.Millisecond) {
			return
		}
	}
	s.notifier.ready()
	rest := notifyEvery
	if w := s.notifier.watchdog; w > 0 {
		rest = min(rest, w/3)
	}
	every(ctx, rest, func() {
		rates, alive := s.rates.last(), s.rates.fresh()
		state := fmt.Sprintf("STATUS=%.0f flows/s from %d exporters", rates.Flows, len(s.decoding.Exporters.List()))
		if alive { // the meter has asked every part within the last seconds, and all have answered
			state += "\nWATCHDOG=1"
		}
		s.notifier.tell(state)
	})
}

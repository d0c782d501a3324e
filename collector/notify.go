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

// notifier sends the state of NetMeta to systemd (sd_notify(3)) if systemd started it. The zero value sends
// nothing.
type notifier struct {
	conn     net.Conn
	watchdog time.Duration // interval in which systemd expects a message; 0: none expected
}

// newNotifier removes the variables of systemd from the environment, so that the engine does not inherit
// them.
func newNotifier(log *slog.Logger) (n notifier) {
	socket, usec, pid := os.Getenv("NOTIFY_SOCKET"), os.Getenv("WATCHDOG_USEC"), os.Getenv("WATCHDOG_PID")
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
		os.Unsetenv(name)
	}
	if socket == "" {
		return n
	}
	conn, err := net.Dial("unixgram", socket) // "@" at the start also means the abstract namespace here
	if err != nil {
		log.Warn("cannot notify systemd", "err", err)
		return n
	}
	n.conn = conn
	if us, err := strconv.ParseInt(usec, 10, 64); err == nil && us > 0 && (pid == "" || pid == fmt.Sprint(os.Getpid())) {
		n.watchdog = time.Duration(us) * time.Microsecond
	}
	return n
}

func (n notifier) send(state string) {
	if n.conn != nil {
		n.conn.Write([]byte(state)) // an error is harmless: systemd may be restarting
	}
}

// reloading must be followed by ready.
func (n notifier) reloading() {
	var now unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	n.send(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", now.Nano()/1000))
}

func (n notifier) ready() { n.send("READY=1") }

func (n notifier) stopping() { n.send("STOPPING=1\nSTATUS=storing received flows") }

// The interval of messages without a watchdog, and the time by which one message extends the start.
const (
	notifyEvery = 5 * time.Second
	startTime   = 30 * time.Second
)

// notify tells systemd when NetMeta is ready, and then that it is alive, until ctx ends.
func (c *Collector) notify(ctx context.Context) {
	if c.notifier.conn == nil {
		return
	}
	for !c.migrated.Load() {
		// The store may come back; rows wait for it.
		c.notifier.send(fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d\nSTATUS=receiving; waiting for the store", startTime.Microseconds()))
		if !pause(ctx, 200*time.Millisecond) {
			return
		}
	}
	c.notifier.ready()
	rest := notifyEvery
	if w := c.notifier.watchdog; w > 0 {
		rest = min(rest, w/3)
	}
	every(ctx, rest, func() {
		rates, alive := c.rates.last(), c.rates.fresh()
		state := fmt.Sprintf("STATUS=%.0f flows/s from %d exporters", rates.Flows, len(c.decoding.Exporters.List()))
		if alive { // all parts have responded to the meter within the last seconds
			state += "\nWATCHDOG=1"
		}
		c.notifier.send(state)
	})
}

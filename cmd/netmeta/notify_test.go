package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"netmeta/engine"
)

// Messages to systemd, from the start through a reload to the end.
func TestNotify(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	next := func() string {
		t.Helper()
		buffer := make([]byte, 4096)
		conn.SetReadDeadline(time.Now().Add(30 * time.Second))
		n, err := conn.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		return string(buffer[:n])
	}
	// until skips possible messages before one with that start.
	until := func(want string, before ...string) string {
		t.Helper()
		for {
			got := next()
			if strings.HasPrefix(got, want) {
				return got
			}
			ok := false
			for _, b := range before {
				ok = ok || strings.HasPrefix(got, b)
			}
			if !ok {
				t.Fatalf("systemd is told %q before %q", got, want)
			}
		}
	}
	p := startWith(t, t.TempDir(), func(c *exec.Cmd) error {
		c.Env = append(c.Env, "NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=600000")
		return c.Start()
	})
	until("READY=1", "EXTEND_TIMEOUT_USEC=30000000")
	p.ready()
	begin := time.Now()
	for range 3 {
		if got := next(); !strings.Contains(got, "WATCHDOG=1") || !strings.Contains(got, "STATUS=") {
			t.Errorf("told %q", got)
		}
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("three signs of life took %v, every 0.6 s one is due", took)
	}
	e, err := engine.Running(p.data)
	if err != nil {
		t.Fatal(err)
	}
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", e.PID))
	if err != nil || strings.Contains(string(environ), "NOTIFY_SOCKET") {
		t.Errorf("the engine could speak to systemd in our name: %v", err)
	}
	p.cmd.Process.Signal(syscall.SIGHUP)
	got := until("RELOADING=1\nMONOTONIC_USEC=", "STATUS=")
	if us, err := strconv.ParseInt(strings.TrimPrefix(got, "RELOADING=1\nMONOTONIC_USEC="), 10, 64); err != nil || us <= 0 {
		t.Errorf("told %q", got)
	}
	until("READY=1", "STATUS=")
	p.cmd.Process.Signal(syscall.SIGTERM)
	until("STOPPING=1", "STATUS=")
	if code := p.stop(syscall.Signal(0)); code != 0 { // a second SIGTERM would be the end at once
		t.Errorf("exit code %d", code)
	}
}

package store

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// The log has the first attempt that fails, one a minute, and the end: of outages that
// follow one another quickly no more than that.
func TestOutage(t *testing.T) {
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}}))
	var o Outage
	begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }
	f := func(step func(), want string) {
		t.Helper()
		text.Reset()
		step()
		if got := strings.TrimSpace(text.String()); got != want {
			t.Errorf("the log has %q, want %q", got, want)
		}
	}
	failed := func(from, to int) func() {
		return func() {
			for s := from; s < to; s++ {
				o.Failed(log, "no", at(s), "err", "e")
			}
		}
	}
	over := func(s int) func() { return func() { o.Over(log, "yes", at(s), "rows", 7) } }
	f(over(0), "")
	f(failed(0, 60), `msg=no err=e`)
	f(failed(60, 100), `msg=no err=e attempts=61 since=2026-01-02T03:04:05Z`)
	f(over(100), `msg=yes rows=7 after=1m40s attempts=100`)
	f(over(101), "")
	f(failed(102, 110), "")
	f(over(110), "")
	f(failed(121, 122), `msg=no err=e`)
	f(over(122), `msg=yes rows=7 after=1s attempts=1`)
}

package store

import (
	"log/slog"
	"time"
)

// sayEvery is the interval of log messages about failing attempts.
const sayEvery = time.Minute

// Outage logs consecutive failures only at first and once a minute. It belongs to one goroutine; its zero
// value is ready.
type Outage struct {
	since    time.Time // of the first failure; zero: the last attempt succeeded
	attempts int
	said     bool      // the failure was logged
	last     time.Time // when it was last logged, also in an earlier outage
}

// Failed counts a failure, and logs it if it is time.
func (o *Outage) Failed(log *slog.Logger, text string, now time.Time, args ...any) {
	if o.since.IsZero() {
		o.since = now
	}
	o.attempts++
	if !o.last.IsZero() && now.Sub(o.last) < sayEvery {
		return
	}
	o.said, o.last = true, now
	if o.attempts > 1 {
		args = append(args, "attempts", o.attempts, "since", o.since.Format(time.RFC3339))
	}
	log.Warn(text, args...)
}

// Over records a success, and logs it if failures were logged.
func (o *Outage) Over(log *slog.Logger, text string, now time.Time, args ...any) {
	if o.said {
		log.Info(text, append(args, "after", now.Sub(o.since).Round(time.Millisecond), "attempts", o.attempts)...)
	}
	*o = Outage{last: o.last}
}

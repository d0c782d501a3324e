package store

import (
	"log/slog"
	"time"
)

// sayEvery is how often attempts that fail are in the log.
const sayEvery = time.Minute

// An Outage keeps attempts that fail one after the other out of the log, but for the first
// and one a minute. It belongs to one goroutine; its zero value is ready.
type Outage struct {
	since    time.Time // of the first attempt that failed; zero: the last one did not
	attempts int
	said     bool      // that they fail
	last     time.Time // when that was said, also of an earlier outage
}

// Failed counts an attempt, and says so when it is time.
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

// Over says of an attempt that it went well, if the log has that others did not.
func (o *Outage) Over(log *slog.Logger, text string, now time.Time, args ...any) {
	if o.said {
		log.Info(text, append(args, "after", now.Sub(o.since).Round(time.Millisecond), "attempts", o.attempts)...)
	}
	*o = Outage{last: o.last}
}

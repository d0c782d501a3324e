// Package feed reads data from a file or a URL and keeps them up to date: lists of networks, the table of
// ASes and countries.
//
//	file ─┐                               ┌─► value, until the next good one
//	URL  ─┴─► bytes ─► parse ─► owner ────┤
//	           (bounded)       may refuse └─► of a URL: last good copy on disk
//
// Data that cannot be read, are too large or do not parse change nothing: the last good value stays, and
// Status has the time and the reason. Only the configured location is used: a redirect to another host is an
// error.
package feed

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"netmeta/enrich/stage"
	"netmeta/internal/secret"
	"netmeta/internal/wholefile"
)

// Options describe a Feed.
type Options struct {
	Location Location
	MaxBytes int64         // of the file, or of the unpacked response
	Timeout  time.Duration // of one fetch; 0: two minutes
	Dir      string        // for the last good copy of a URL; empty: no copy
	Log      *slog.Logger
}

const (
	defaultTimeout = 2 * time.Minute
	firstRetry     = 30 * time.Second // after a failure; doubled up to the interval
)

// Feed holds the last good value of a location. It is safe for concurrent use.
type Feed[T any] struct {
	options Options
	parse   func([]byte) (T, error)

	asking sync.Mutex // held while the location is read

	mu       sync.Mutex // guards the following
	value    T
	edition  int       // number of values so far; 0: none
	mark     mark      // of the value
	loaded   time.Time // when the value was read or confirmed
	asked    time.Time // when the location was last read, successfully or not
	failures int       // since the last success
	err      error     // of the last attempt
}

// mark identifies a version of a location.
type mark struct {
	Modified time.Time `json:"-"` // of a file
	Size     int64     `json:"-"`

	ETag         string `json:"etag,omitempty"` // of a URL
	LastModified string `json:"lastModified,omitempty"`
}

// New makes a feed without a value. parse makes a value from the content; it may keep the bytes.
func New[T any](o Options, parse func([]byte) (T, error)) *Feed[T] {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	return &Feed[T]{options: o, parse: parse}
}

// Reuse returns the feed of a location from an earlier configuration, or makes one.
func Reuse[T any](old []*Feed[T], o Options, parse func([]byte) (T, error)) *Feed[T] {
	for _, f := range old {
		if f.options.Location == o.Location {
			return f
		}
	}
	return New(o, parse)
}

// Location returns the location of the feed.
func (f *Feed[T]) Location() Location { return f.options.Location }

// Value returns the last good value; edition identifies it, and is 0 if there is none.
func (f *Feed[T]) Value() (value T, edition int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.value, f.edition
}

// Status is the state of a feed.
type Status struct {
	Loaded time.Time // when the value was read, or confirmed to be the newest; zero: none
	Err    error     // of the last attempt; nil: it succeeded
}

// Status returns the age of the value, and why there is nothing newer.
func (f *Feed[T]) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Status{f.loaded, f.err}
}

// Of returns the line of the status page for a table from the feed.
func (s Status) Of(name string, entries int, source string) stage.Status {
	line := stage.Status{Name: name, Entries: entries, Loaded: s.Loaded, Source: source}
	if s.Err != nil {
		line.Error = s.Err.Error()
	}
	return line
}

// Open reads a file, unless it is unchanged; an error names no path. For a URL it reads the last good copy if
// there is no value yet. It never uses the network.
func (f *Feed[T]) Open() error {
	f.asking.Lock()
	defer f.asking.Unlock()
	if !f.options.Location.Remote() {
		return f.readFile(nil)
	}
	if _, edition := f.Value(); edition == 0 && f.options.Dir != "" {
		if err := f.readCopy(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			f.options.Log.Warn("the last good copy of a feed is not usable", "feed", f.options.Location, "err", err)
		}
	}
	return nil
}

// Run reads the location at each interval, and at once if there is no value, until ctx ends. take receives
// each value, the first if its edition is not have. If take rejects a value, the previous one stays.
func (f *Feed[T]) Run(ctx context.Context, interval time.Duration, have int, take func(T) error) {
	if value, edition := f.Value(); edition != have {
		take(value) // fetched by the previous table, which accepted it
	}
	for {
		timer := time.NewTimer(f.wait(interval))
		select {
		case <-timer.C:
			f.Refresh(ctx, take)
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// wait returns the time until the next attempt.
func (f *Feed[T]) wait(interval time.Duration) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failures > 0 {
		interval = min(interval, firstRetry<<min(f.failures-1, 16))
	}
	last := f.asked
	if last.IsZero() {
		last = f.loaded // of the copy on disk; zero: none
	}
	return min(max(time.Until(last.Add(interval)), 0), interval) // the clock may have been set back
}

// Refresh reads the location now. take, unless nil, receives a new value and may reject it.
func (f *Feed[T]) Refresh(ctx context.Context, take func(T) error) error {
	f.asking.Lock()
	defer f.asking.Unlock()
	if f.options.Location.Remote() {
		return f.fetch(ctx, take)
	}
	return f.readFile(take)
}

// readFile reads the file if it has changed.
func (f *Feed[T]) readFile(take func(T) error) error {
	path := string(f.options.Location)
	info, err := os.Stat(path)
	if err != nil {
		return f.failed(withoutPath(err))
	}
	now := mark{Modified: info.ModTime(), Size: info.Size()}
	f.mu.Lock()
	same := f.edition > 0 && f.mark == now
	f.mu.Unlock()
	if same {
		f.confirmed()
		return nil
	}
	content, err := wholefile.ReadAll(path, f.options.MaxBytes)
	if err != nil {
		return f.failed(withoutPath(err))
	}
	return f.accept(content, now, take)
}

// withoutPath returns an error of the file system without the path, which the caller adds.
func withoutPath(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}

// accept parses content and makes it the value, unless take rejects it.
func (f *Feed[T]) accept(content []byte, m mark, take func(T) error) error {
	value, err := f.parse(content)
	if err == nil && take != nil {
		err = take(value)
	}
	if err != nil {
		return f.failed(err)
	}
	f.mu.Lock()
	f.value, f.mark = value, m
	f.edition++
	f.mu.Unlock()
	f.confirmed()
	return nil
}

// confirmed records that the value is the newest.
func (f *Feed[T]) confirmed() {
	f.mu.Lock()
	recovered := f.err != nil
	f.loaded, f.err, f.failures = time.Now(), nil, 0
	f.asked = f.loaded
	f.mu.Unlock()
	if recovered {
		f.options.Log.Info("feed recovered", "feed", f.options.Location)
	}
}

// failed records a failure, and logs it unless it repeats the last one.
func (f *Feed[T]) failed(err error) error {
	err = secret.Error(err, secret.URL(f.options.Location).Secrets()...)
	f.mu.Lock()
	repeated := f.err != nil && f.err.Error() == err.Error()
	f.err, f.asked = err, time.Now()
	f.failures++
	loaded := f.loaded
	f.mu.Unlock()
	if known := !loaded.IsZero(); !repeated && (known || f.options.Location.Remote()) { // otherwise the caller reports it
		f.options.Log.Warn("feed failed, the last good value stays", "feed", f.options.Location, "err", err, "loaded", loaded)
	}
	return err
}

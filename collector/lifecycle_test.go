package collector

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"netmeta/config"
)

// A record is what parts do, in order.
type record struct {
	mu    sync.Mutex
	lines []string
}

func (r *record) add(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
}

// A stage is stopped once everything of the previous one has ended and done its last work.
func TestStopOrder(t *testing.T) {
	var r record
	var started sync.WaitGroup
	member := func(name string, s stage) part {
		started.Add(1)
		return part{name: name, stage: s, last: func() { r.add(name + " last") }, run: func(ctx context.Context) error {
			started.Done()
			<-ctx.Done()
			r.add(name)
			return nil
		}}
	}
	list := parts{member("port", sources), {name: "no goroutine", last: func() { r.add("no goroutine last") }}, member("writer", writing), member("page", web), member("engine", storage)}
	running := list.start(func(err error) { t.Error(err) })
	started.Wait()
	running.stop()
	if got, want := strings.Join(r.lines, ", "), "port, port last, no goroutine last, writer, writer last, page, page last, engine, engine last"; got != want {
		t.Errorf("stopped\n%s, want\n%s", got, want)
	}
}

// Parts of a stage wait for each other before any does what it does last, and the error
// of a part is reported while the others go on.
func TestStopTogether(t *testing.T) {
	var r record
	one, other := make(chan struct{}), make(chan struct{})
	failed := make(chan error, 1)
	list := parts{
		{name: "one", last: func() { r.add("last") }, run: func(ctx context.Context) error {
			<-ctx.Done()
			close(one)
			<-other // ends only after the other one was stopped too
			r.add("one")
			return nil
		}},
		{name: "other", run: func(ctx context.Context) error {
			<-ctx.Done()
			<-one
			r.add("other")
			close(other)
			return nil
		}},
		{name: "broken", run: func(context.Context) error { return errors.New("broken") }},
	}
	running := list.start(func(err error) { failed <- err })
	if err := <-failed; err.Error() != "broken" {
		t.Error(err)
	}
	running.stop()
	if want := []string{"other", "one", "last"}; !slices.Equal(r.lines, want) {
		t.Errorf("%q, want %q", r.lines, want)
	}
}

// All parts take a configuration over, or none does.
func TestPrepare(t *testing.T) {
	var r record
	refused := errors.New("refused")
	member := func(name string, err error) part {
		return part{name: name, prepare: func(*config.Config) (change, error) {
			r.add("prepare " + name)
			return change{commit: func() { r.add("commit " + name) }, undo: func() { r.add("undo " + name) }}, err
		}}
	}
	no := member("no undo", nil)
	prepare := no.prepare
	no.prepare = func(next *config.Config) (change, error) {
		c, err := prepare(next)
		c.undo = nil
		return c, err
	}
	commit, err := parts{member("a", nil), {name: "looks by itself"}, no, member("b", nil)}.prepare(new(config.Config))
	if err != nil {
		t.Fatal(err)
	}
	commit()
	if want := "prepare a, prepare no undo, prepare b, commit a, commit no undo, commit b"; strings.Join(r.lines, ", ") != want {
		t.Errorf("%q, want %q", r.lines, want)
	}
	r.lines = nil
	if _, err := (parts{member("a", nil), no, member("b", nil), member("c", refused), member("d", nil)}).prepare(new(config.Config)); err != refused {
		t.Error(err)
	}
	if want := "prepare a, prepare no undo, prepare b, prepare c, undo b, undo a"; strings.Join(r.lines, ", ") != want {
		t.Errorf("%q, want %q", r.lines, want)
	}
}

// every calls at once, and ends with its context.
func TestEvery(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	n := 0
	every(ctx, 1, func() {
		if n++; n == 3 {
			stop()
		}
	})
	if n != 3 {
		t.Errorf("%d calls, want 3", n)
	}
	every(ctx, 1, func() { t.Error("called after the end") })
}

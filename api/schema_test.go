package api

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Those who want to know of the tables wait for one answer, each as long as its own context
// lasts, and one that leaves ends it for nobody.
func TestTableState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var state tableState
		asked := 0
		answer := make(chan error)
		ask := func(ctx context.Context, known tableFacts) (tableFacts, error) {
			asked++
			select {
			case err := <-answer:
				return tableFacts{oldest: known.oldest + 1}, err
			case <-ctx.Done():
				return tableFacts{}, ctx.Err()
			}
		}
		got := make(chan int64, 2)
		get := func(ctx context.Context) { got <- state.get(ctx, ask).oldest }

		first, leave := context.WithCancel(t.Context())
		go get(first)
		synctest.Wait()
		go get(t.Context())
		synctest.Wait()
		leave()
		if n := <-got; n != 0 || asked != 1 {
			t.Fatalf("the one that leaves knows %d, asked %d times", n, asked)
		}
		answer <- nil
		if n := <-got; n != 1 || asked != 1 {
			t.Fatalf("the one that waits knows %d, asked %d times", n, asked)
		}

		// What is known is not asked for again until it is old.
		if get(t.Context()); <-got != 1 || asked != 1 {
			t.Fatalf("asked %d times", asked)
		}
		// Without an answer, what was known last holds for a while.
		for _, after := range []struct {
			time  time.Duration
			knows int64
		}{{stateAge + time.Second, 1}, {forget, 0}} {
			time.Sleep(after.time)
			go get(t.Context())
			answer <- errors.New("the store is away")
			if n := <-got; n != after.knows {
				t.Errorf("%v later it knows %d, want %d", after.time, n, after.knows)
			}
		}
	})
}

// A reload keeps what was learnt, and takes no answer from a cache that was made under other
// names.
func TestConfigure(t *testing.T) {
	s := serverFor(nil, time.Unix(1_795_000_000, 0))
	s.Handler()
	s.speed.Store(7)
	s.streams.Store(3)
	values, before := s.values, s.keptUnder(nil)
	reconfigure(s, func(c *Settings) { c.Schema.Macros = map[string]string{"dns": "port 53"} })
	if s.speed.Load() != 7 || s.streams.Load() != 3 || s.values != values {
		t.Error("a reload forgets")
	}
	if s.keptUnder(nil) == before || s.settings().Schema.Macros["dns"] == "" {
		t.Errorf("settings %+v, kept under %q as before", s.settings(), s.keptUnder(nil))
	}
}

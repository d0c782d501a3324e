package api

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"netmeta/access"
)

// A cache keeps answers that cost a reading of many rows for a few seconds, and lets
// those who ask the same at once wait for one answer. Errors are not kept. Those with
// different scopes never share an answer.
type cache[T any] struct {
	size    int           // entries at most; 0: cacheSize
	age     time.Duration // that an answer is kept; 0: cacheAge
	mu      sync.Mutex
	entries map[string]*cached[T]
}

type cached[T any] struct {
	done  chan struct{}
	until time.Time // valid once done is closed
	value T
	err   error
}

const (
	cacheSize = 256
	cacheAge  = 10 * time.Second
)

// get gives the answer under the key and the scope of who asks, made by ask if there is none. If the request that is
// making the answer fails, the waiting ones try again: its client may just have gone.
func (c *cache[T]) get(ctx context.Context, key string, ask func() (T, error)) (T, error) {
	key = access.From(ctx).Scope.String() + "\x00" + key
	for {
		c.mu.Lock()
		e := c.entries[key]
		if e == nil || e.old() {
			e = &cached[T]{done: make(chan struct{})}
			if c.store(key, e) {
				c.mu.Unlock()
				e.value, e.err = ask()
				e.until = time.Now().Add(cmp.Or(c.age, cacheAge))
				close(e.done)
				if e.err != nil {
					c.drop(key, e)
				}
				return e.value, e.err
			}
			c.mu.Unlock()
			return ask()
		}
		c.mu.Unlock()
		select {
		case <-e.done:
			if e.err == nil {
				return e.value, nil
			}
		case <-ctx.Done():
			var none T
			return none, ctx.Err()
		}
	}
}

// kept answers a request with what the cache has for its keys, or with what ask makes.
func kept[T any](s *Server, r *http.Request, c *cache[T], ask func(context.Context, url.Values) (T, error)) (T, error) {
	v := r.URL.Query()
	return c.get(r.Context(), s.keptUnder(v), func() (T, error) { return ask(r.Context(), v) })
}

// keptUnder is the key of an answer in a cache: what was asked, and which settings names and
// macros in it come from.
func (s *Server) keptUnder(v url.Values) string {
	return strconv.Itoa(s.settings().generation) + " " + v.Encode()
}

// old says that the answer is there and its time is over.
func (e *cached[T]) old() bool {
	select {
	case <-e.done:
		return time.Now().After(e.until)
	default:
		return false
	}
}

// store puts an entry in its place if there is room, and throws out what is old for
// it. The caller holds the lock.
func (c *cache[T]) store(key string, e *cached[T]) bool {
	if c.entries == nil {
		c.entries = map[string]*cached[T]{}
	}
	size := cmp.Or(c.size, cacheSize)
	if len(c.entries) >= size {
		for k, other := range c.entries {
			if other.old() {
				delete(c.entries, k)
			}
		}
	}
	if len(c.entries) >= size {
		return false
	}
	c.entries[key] = e
	return true
}

func (c *cache[T]) drop(key string, e *cached[T]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries[key] == e {
		delete(c.entries, key)
	}
}

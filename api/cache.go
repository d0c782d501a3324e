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

// cache keeps expensive results for a few seconds, and lets concurrent requests for the same wait for one
// result. It does not keep errors. Callers with different scopes never share a result.
type cache[T any] struct {
	size    int           // maximum number of entries; 0: cacheSize
	age     time.Duration // of a result; 0: cacheAge
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

// get returns the result for the key and the scope of the caller, made by ask if there is none. If the
// request that computes the result fails, the waiting ones retry: its client may just have disconnected.
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

// kept responds to a request with the cached result for its keys, or with the result of ask.
func kept[T any](s *Server, r *http.Request, c *cache[T], ask func(context.Context, url.Values) (T, error)) (T, error) {
	v := r.URL.Query()
	return c.get(r.Context(), s.keptUnder(v), func() (T, error) { return ask(r.Context(), v) })
}

// keptUnder returns the key of a result in a cache: the query, and the settings that its names and macros
// come from.
func (s *Server) keptUnder(v url.Values) string {
	return strconv.Itoa(s.settings().generation) + " " + v.Encode()
}

// old reports that the result has expired.
func (e *cached[T]) old() bool {
	select {
	case <-e.done:
		return time.Now().After(e.until)
	default:
		return false
	}
}

// store adds an entry if there is room, after removing expired ones. The caller holds the lock.
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

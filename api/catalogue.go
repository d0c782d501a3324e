package api

import (
	"context"
	"maps"
	"sync"
	"time"

	"netmeta/filter"
	"netmeta/query"
	"netmeta/store"
)

// A catalogue keeps, for each field that somebody types a filter on, the values with
// the most traffic of late, so that completion never scans for each keystroke.
type catalogue struct {
	reader  func(context.Context) *store.Client
	running chan struct{} // a place for each query

	mu     sync.Mutex
	fields map[fieldOf]*candidates // at most maxCandidates
}

// A fieldOf is a field as one scope sees it.
type fieldOf struct{ scope, field string }

// candidates are what the catalogue has of one field.
type candidates struct {
	at    time.Time // when asked for
	done  chan struct{}
	items []filter.Item
}

const (
	catalogueAge    = time.Minute
	catalogueWait   = 150 * time.Millisecond
	catalogueQuery  = 3 * time.Second
	maxCandidates   = 1000 // of all scopes; a scope has no more fields than the language
	catalogueAtOnce = 2    // queries; a field that finds none free has no values yet
)

func newCatalogue(reader func(context.Context) *store.Client) *catalogue {
	return &catalogue{reader: reader, running: make(chan struct{}, catalogueAtOnce), fields: map[fieldOf]*candidates{}}
}

// source gives the completion a way to look values up. A field seen for the first
// time is asked for in the background; the caller waits a moment for it.
func (c *catalogue) source(ctx context.Context, names query.Schema) filter.ValueSource {
	return func(field, prefix string) []filter.Item {
		q, ok := query.Values(field, names)
		if !ok {
			return nil
		}
		c.mu.Lock()
		of := fieldOf{names.Scope.String(), field}
		k := c.fields[of]
		if k == nil || time.Since(k.at) > catalogueAge {
			select {
			case c.running <- struct{}{}:
				fresh := &candidates{at: time.Now(), done: make(chan struct{})}
				if k != nil {
					fresh.items = k.items // until the new ones are there
				}
				c.keepLocked(of, fresh)
				k = fresh
				go c.fetch(context.WithoutCancel(ctx), k, q, names)
			default:
			}
		}
		c.mu.Unlock()
		if k == nil {
			return nil
		}
		select {
		case <-k.done:
		case <-time.After(catalogueWait):
		case <-ctx.Done():
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		return query.MatchValues(k.items, prefix)
	}
}

// keepLocked keeps the values of a field, in place of old ones when there is no room.
func (c *catalogue) keepLocked(of fieldOf, fresh *candidates) {
	if len(c.fields) >= maxCandidates {
		maps.DeleteFunc(c.fields, func(_ fieldOf, k *candidates) bool { return time.Since(k.at) > catalogueAge })
	}
	if c.fields[of] != nil || len(c.fields) < maxCandidates {
		c.fields[of] = fresh
	}
}

func (c *catalogue) fetch(ctx context.Context, k *candidates, q query.ValuesQuery, names query.Schema) {
	defer func() {
		close(k.done)
		<-c.running
	}()
	ctx, cancel := context.WithTimeout(ctx, catalogueQuery)
	defer cancel()
	res, _, err := c.reader(ctx).Select(ctx, store.Query{SQL: q.SQL, Params: q.Params, Settings: map[string]string{"max_execution_time": "3"}})
	if err != nil || res.Rows == 0 {
		return
	}
	items := q.Items(res.Columns[0].([][]string), res.Columns[1].([][]string), res.Columns[2].([]float64), names)
	c.mu.Lock()
	k.items = items
	c.mu.Unlock()
}

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

// catalogue caches the values with the most recent traffic for each field used in completion, so that no
// keystroke causes a scan.
type catalogue struct {
	reader  func(context.Context) *store.Client
	running chan struct{} // slots for queries

	mu     sync.Mutex
	fields map[fieldOf]*candidates // at most maxCandidates
}

// fieldOf is a field in one scope.
type fieldOf struct{ scope, field string }

// candidates are the cached values of one field.
type candidates struct {
	at    time.Time // time of the query
	done  chan struct{}
	items []filter.Item
}

const (
	catalogueAge    = time.Minute
	catalogueWait   = 150 * time.Millisecond
	catalogueQuery  = 3 * time.Second
	maxCandidates   = 1000 // of all scopes; a scope has at most the fields of the language
	catalogueAtOnce = 2    // queries; a field that finds no free slot has no values yet
)

func newCatalogue(reader func(context.Context) *store.Client) *catalogue {
	return &catalogue{reader: reader, running: make(chan struct{}, catalogueAtOnce), fields: map[fieldOf]*candidates{}}
}

// source returns the lookup of values for completion. The first use of a field starts a query in the
// background, for which the caller waits briefly.
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
					fresh.items = k.items // until the new ones arrive
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

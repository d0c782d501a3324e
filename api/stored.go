package api

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"netmeta/access"
	"netmeta/diagnosis"
	"netmeta/query"
	"netmeta/store"
)

// storedRows caches which exporters have rows in the store. It queries until there are some, which is cheap
// by the order of the table: time, then exporter. It does so for the server itself, because the list of
// exporters is shared.
type storedRows struct {
	mu    sync.Mutex // guards the following; not held during a query
	found map[storedKey]bool
	again time.Time // earliest time of the next query
	turn  int       // next exporter, if there are more than fit into one query
}

// storedKey identifies an exporter while it is in the list.
type storedKey struct {
	address, typ string
	first        int64
}

const (
	storedEvery  = time.Second
	storedWindow = int64(diagnosis.LooksBack / time.Second) // maximum age in seconds
	storedAtOnce = 100                                      // exporters per query
)

// mark sets Stored of the exporters. Unknown ones stay unset.
func (f *storedRows) mark(ctx context.Context, c *store.Client, list []Exporter, now time.Time) error {
	since := now.Unix() - storedWindow
	f.mu.Lock()
	open := f.fillLocked(list, since)
	due := len(open) > 0 && !now.Before(f.again)
	if due {
		f.again = now.Add(storedEvery)
		open = f.nextLocked(open)
	}
	f.mu.Unlock()
	if !due {
		return nil
	}
	there, err := askStored(ctx, c, open, now.Unix())
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, key := range there {
		f.found[key] = true
	}
	f.fillLocked(list, since)
	return nil
}

// nextLocked returns the exporters of the next query: all, or as many as fit, in turn.
func (f *storedRows) nextLocked(open []storedKey) []storedKey {
	if len(open) <= storedAtOnce {
		return open
	}
	from := f.turn % len(open)
	f.turn = from + storedAtOnce
	return slices.Concat(open[from:], open[:from])[:storedAtOnce]
}

// fillLocked sets the known state and returns the exporters that may still have rows since a second. It
// removes those that are not in the list.
func (f *storedRows) fillLocked(list []Exporter, since int64) (open []storedKey) {
	known := make(map[storedKey]bool, len(list))
	for i := range list {
		x := &list[i]
		key := storedKey{x.Address, x.Type, x.First}
		switch {
		case f.found[key]:
			x.Stored, known[key] = true, true
		case x.Flows > 0 && x.Last >= since:
			open = append(open, key)
		}
	}
	f.found = known
	return open
}

// askStored returns the exporters that have rows. A partial result is valid.
func askStored(ctx context.Context, c *store.Client, open []storedKey, now int64) (found []storedKey, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	since, addresses := now, make([]string, 0, len(open))
	for _, key := range open {
		since = min(since, key.first)
		addresses = append(addresses, key.address)
	}
	since = max(since, now-storedWindow)
	stmt := query.Stored(access.Everything, since, addresses)
	res, _, err := c.Select(ctx, store.Query{
		SQL: stmt.SQL, Params: stmt.Params,
		Settings: map[string]string{"max_execution_time": "1", "timeout_overflow_mode": "break",
			"max_rows_to_read": "20000000", "read_overflow_mode": "break"},
	})
	if err != nil || res.Rows == 0 {
		return nil, err
	}
	addrs, types, newest := res.Columns[0].([]string), res.Columns[1].([]string), res.Columns[2].([]uint32)
	there := map[[2]string]int64{}
	for i := range addrs {
		a, err := netip.ParseAddr(addrs[i])
		if err != nil {
			return nil, err
		}
		there[[2]string{a.Unmap().String(), types[i]}] = int64(newest[i])
	}
	for _, key := range open {
		if there[[2]string{key.address, key.typ}] >= key.first {
			found = append(found, key)
		}
	}
	return found, nil
}

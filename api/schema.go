package api

import (
	"context"
	"errors"
	"sync"
	"time"

	"netmeta/access"
	"netmeta/query"
	"netmeta/store"
)

// stateAge is how long the known state of the tables is valid, and so how long late flows may be missing
// where a rollup is read. Otherwise a rollup keeps what it once has, and an old state costs at most time.
// Slow queries for the state are made less often.
const (
	stateAge   = 2 * time.Second
	stateShare = 20 // maximum share of the time for these queries: one part in 20
)

// forget is how long the last known state is used without a response.
const forget = time.Minute

// tableState is the changing state of the tables. Its lock is not held while the store is queried.
type tableState struct {
	mu     sync.Mutex
	due    time.Time     // time of the next query
	asking chan struct{} // closed when the result arrives; nil: no query is running
	tableFacts
}

// tableFacts are the known state of the tables, and its time.
type tableFacts struct {
	read    time.Time
	rollups []query.Rollup
	mark    uint64 // of the folded steps in the rollups
	oldest  int64
	first   int64
	once    bool // see query.Schema
}

// schema returns the schema of the flows table, with the current rollups. If the store does not respond, the
// last state is used for a while; after that only the flows are read, which are always right.
func (s *Server) schema(ctx context.Context) query.Schema {
	out := s.names(ctx)
	t := s.tables.get(ctx, s.readTables)
	out.Rollups, out.Oldest, out.First, out.Once = t.rollups, t.oldest, t.first, t.once
	return out
}

// get returns the state, from ask if it has expired. All callers wait for the same result, each within its
// own context, after which it gets the previous state.
func (t *tableState) get(ctx context.Context, ask func(context.Context, tableFacts) (tableFacts, error)) tableFacts {
	t.mu.Lock()
	if t.asking == nil && time.Now().After(t.due) {
		t.asking = make(chan struct{})
		// Do not cancel it with this request: others wait for the same result.
		go t.refresh(context.WithoutCancel(ctx), t.tableFacts, ask)
	}
	asking, known := t.asking, t.tableFacts
	t.mu.Unlock()
	if asking == nil {
		return known
	}
	select {
	case <-asking:
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tableFacts
}

// refresh calls ask and stores the result.
func (t *tableState) refresh(ctx context.Context, known tableFacts, ask func(context.Context, tableFacts) (tableFacts, error)) {
	begun := time.Now()
	now, err := ask(ctx, known)
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err == nil:
		now.read = time.Now()
		t.tableFacts = now
	case time.Since(t.read) > forget:
		t.tableFacts = tableFacts{}
	}
	t.due = time.Now().Add(max(stateAge, stateShare*time.Since(begun)))
	close(t.asking)
	t.asking = nil
}

// readFolded sets the folded times of the rollups, and reads them again if they have changed. A time is
// recorded there before a rollup's state includes it, so they are read after the state.
func (s *Server) readFolded(ctx context.Context, rollups []query.Rollup, known tableFacts) (mark uint64, err error) {
	res, _, err := s.Store.Select(ctx, store.Query{SQL: query.FoldedMark(access.Everything).SQL})
	if err != nil {
		return 0, err
	}
	if marks, ok := res.Column("mark").([]uint64); ok && len(marks) == 1 {
		mark = marks[0]
	}
	if mark == known.mark && len(known.rollups) == len(rollups) {
		for i := range rollups {
			rollups[i].Folded = known.rollups[i].Folded
		}
		return mark, nil
	}
	if res, _, err = s.Store.Select(ctx, store.Query{SQL: query.FoldedState(access.Everything).SQL}); err != nil || res.Rows == 0 {
		return mark, err
	}
	names, namesOK := res.Column("name").([]string)
	hours, hoursOK := res.Column("hour").([]uint32)
	steps, stepsOK := res.Column("steps").([]uint64)
	if !namesOK || !hoursOK || !stepsOK {
		return 0, unexpected(errors.New("the store does not say what is folded"))
	}
	query.SetFolded(rollups, names, hours, steps)
	return mark, nil
}

// readTables queries the state of the tables, for at most two seconds. It does so for the server itself,
// because the state of the tables is the same for all scopes.
func (s *Server) readTables(ctx context.Context, known tableFacts) (k tableFacts, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	res, _, err := s.Store.Select(ctx, store.Query{SQL: query.OnceState()})
	if err != nil {
		return k, err
	}
	can, ok := res.Column("can").([]uint8)
	k.once = ok && len(can) == 1 && can[0] == 1
	res, _, err = s.Store.Select(ctx, store.Query{SQL: query.RollupState(access.Everything).SQL})
	if store.UnknownTable(err) { // there are no rollups
		return k, nil
	}
	if err != nil || res.Rows == 0 {
		return k, err
	}
	names, namesOK := res.Column("name").([]string)
	since, sinceOK := res.Column("since").([]uint32)
	until, untilOK := res.Column("until").([]uint32)
	if !namesOK || !sinceOK || !untilOK {
		return k, unexpected(errors.New("the store does not say what rollups there are"))
	}
	k.rollups = query.RollupsOf(names, since, until)
	if k.mark, err = s.readFolded(ctx, k.rollups, known); err != nil {
		return k, err
	}
	if s.Process != nil {
		stale, err := s.Process.StaleRollups(ctx)
		if err != nil {
			return k, err
		}
		for i := range k.rollups {
			k.rollups[i].Stale = stale
		}
	}
	if _, k.oldest, err = s.readSpan(ctx, s.Store, access.Everything); err != nil {
		return k, err
	}
	k.first = k.oldest
	for _, r := range k.rollups {
		// As for the flows, this comes from the metadata of the parts.
		res, _, err := s.Store.Select(ctx, store.Query{SQL: r.First(access.Everything).SQL})
		if err != nil {
			return k, err
		}
		if first, ok := res.Column("first").([]uint32); ok && first[0] > 0 {
			k.first = min(k.first, int64(first[0]))
		}
	}
	return k, nil
}

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

// stateAge is how long what the server knows of the tables holds. That is for how long
// flows that come late may be missing where a rollup answers; else what a rollup once has
// it keeps, and an old state costs at most time. Where asking takes long it is done less often.
const (
	stateAge   = 2 * time.Second
	stateShare = 20 // of the time, to be spent with asking: one part of so many
)

// forget is after how long without an answer nothing is known any more.
const forget = time.Minute

// tableState is what changes about the tables while the process runs. Nobody holds its lock
// while the store is asked.
type tableState struct {
	mu     sync.Mutex
	due    time.Time     // when to ask again
	asking chan struct{} // closed when the answer is there; nil: nobody asks
	tableFacts
}

// tableFacts are what the store said of its tables, and when.
type tableFacts struct {
	read    time.Time
	rollups []query.Rollup
	mark    uint64 // of which folded steps the rollups know
	oldest  int64
	first   int64
	once    bool // see query.Schema
}

// schema is the schema of the flows table, with the rollups that there are at present.
// When the store does not say, what it said last holds for a while; then the flows alone
// are asked, which are always right.
func (s *Server) schema(ctx context.Context) query.Schema {
	out := s.names(ctx)
	t := s.tables.get(ctx, s.readTables)
	out.Rollups, out.Oldest, out.First, out.Once = t.rollups, t.oldest, t.first, t.once
	return out
}

// get gives the facts, from ask when it is time to ask again. Everyone waits for the same
// answer, each as long as its own context lasts; then what was known before has to do.
func (t *tableState) get(ctx context.Context, ask func(context.Context, tableFacts) (tableFacts, error)) tableFacts {
	t.mu.Lock()
	if t.asking == nil && time.Now().After(t.due) {
		t.asking = make(chan struct{})
		// The request that happens to ask may be cancelled: the others still want to know.
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

// refresh asks and keeps the answer.
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

// readFolded gives the rollups the times that are folded; those that are known are read
// again when there is something new. A time is noted there before a rollup says that it
// has it, so they are read after that.
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

// readTables asks the store of its tables, for two seconds at most. It asks for the server
// itself: what the tables have as a whole is the same for all scopes.
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
	if store.UnknownTable(err) { // no rollups are kept
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
		// As of the flows, it comes from what the parts know of themselves.
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

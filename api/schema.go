package api

import (
	"context"
	"errors"
	"sync"
	"time"

	"netmeta/query"
	"netmeta/store"
)

// stateAge is how long what the server knows of the tables holds. What a rollup once has
// it keeps, so an old state costs at most time.
const stateAge = 5 * time.Second

// tableState is what changes about the tables while the process runs.
type tableState struct {
	mu      sync.Mutex
	due     time.Time // when to ask again
	rollups []query.Rollup
	oldest  int64
	asked   bool // whether the engine can what once says
	once    bool
}

// schema is the schema of the flows table, with the rollups that there are at present.
// When the store does not say, the flows alone are asked: they are always right.
func (s *Server) schema(ctx context.Context) query.Schema {
	out := s.Schema
	t := &s.tables
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := time.Now(); now.After(t.due) {
		if rollups, oldest, err := s.readTables(ctx); err == nil {
			t.rollups, t.oldest, t.due = rollups, oldest, now.Add(stateAge)
		} else {
			t.rollups, t.due = nil, now.Add(time.Second)
		}
	}
	if !t.asked {
		t.once, t.asked = s.canOnce(ctx)
	}
	out.Rollups, out.Oldest, out.Once = t.rollups, t.oldest, t.once
	return out
}

// canOnce asks the engine for Schema.Once; false, false: it does not say.
func (s *Server) canOnce(ctx context.Context) (can, said bool) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	res, _, err := s.Store.Select(ctx, store.Query{SQL: query.OnceState()})
	if err != nil {
		return false, false
	}
	n, ok := res.Column("can").([]uint8)
	return ok && len(n) == 1 && n[0] == 1, true
}

func (s *Server) readTables(ctx context.Context) (rollups []query.Rollup, oldest int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	res, _, err := s.Store.Select(ctx, store.Query{SQL: query.RollupState()})
	if err != nil || res.Rows == 0 {
		return nil, 0, err
	}
	names, namesOK := res.Column("name").([]string)
	since, sinceOK := res.Column("since").([]uint32)
	until, untilOK := res.Column("until").([]uint32)
	if !namesOK || !sinceOK || !untilOK {
		return nil, 0, unexpectedError{errors.New("the store does not say what rollups there are")}
	}
	_, oldest, err = s.span(ctx)
	return query.RollupsOf(names, since, until), oldest, err
}

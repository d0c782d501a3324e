package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"netmeta/filter"
	"netmeta/native"
	"netmeta/query"
	"netmeta/store"
)

// meta says where the numbers of an answer come from.
type meta struct {
	SQL        string            `json:"sql"`
	Params     map[string]string `json:"params"`
	Rows       uint64            `json:"rows"`  // read
	Bytes      uint64            `json:"bytes"` // read
	MS         float64           `json:"ms"`
	Table      string            `json:"table"` // or tables, the one with most of the window first
	Partial    partial           `json:"partial"`
	Through    int64             `json:"through"`    // newest second in the store, 0 when it is empty
	Resolution int               `json:"resolution"` // seconds
	Unknown    []string          `json:"unknown_keys"`
	Notes      []string          `json:"notes"`
	Empty      string            `json:"empty,omitempty"` // why there is nothing to show
	Matches7d  bool              `json:"matches_7d"`      // the filter finds something in the last 7 days

	Implausible uint64 `json:"implausible,omitempty"` // records among the flows of the window that no network carries
}

type partial struct {
	First bool `json:"first"`
	Last  bool `json:"last"`
}

// An answer is a result with the request behind it.
type answer struct {
	request query.Request
	rg      query.Range
	rawCSV  bool // cells are not guarded against spreadsheets
	query.Result
	Meta meta `json:"meta"`
}

// query answers in JSON, or with format=csv as queryCSV does.
func (s *Server) query(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	switch format := v.Get("format"); format {
	case "", "json":
	case "csv":
		s.queryCSV(w, r)
		return
	default:
		s.fail(w, r, &query.KeyError{Key: "format", Value: format, Message: "is neither json nor csv"})
		return
	}
	a, err := s.ask(r.Context(), v)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.writeJSON(w, a)
}

// resolve reads the request of a URL. The keys that are not of the request itself but
// of the way to answer it are taken out of v before.
func (s *Server) resolve(v url.Values) (req query.Request, rg query.Range, unknown []string, err error) {
	if req, unknown, err = query.ParseURL(v); err == nil {
		rg, err = req.Resolve(s.now())
	}
	return req, rg, unknown, err
}

// ask answers a request of a URL.
func (s *Server) ask(ctx context.Context, v url.Values) (a answer, err error) {
	v.Del("format")
	v.Del("of")
	v.Del("raw")
	req, rg, unknown, err := s.resolve(v)
	if err != nil {
		return a, err
	}
	stmt, err := req.Series(rg, s.schema(ctx))
	if err != nil {
		return a, err
	}
	rows, stats, err := s.run(ctx, stmt)
	if err != nil {
		return a, err
	}
	result, err := query.Assemble(req, rg, rows, s.Schema)
	if err != nil {
		return a, unexpectedError{err}
	}
	m := meta{
		SQL: stmt.SQL, Params: stmt.Params, Notes: append(append([]string{}, stmt.Notes...), result.Notes...), Unknown: append([]string{}, unknown...),
		Rows: stats.Rows, Bytes: stats.Bytes, MS: milliseconds(stats.Elapsed),
		Table: strings.Join(stmt.Tables, ", "), Partial: partial{rg.FirstPartial, rg.LastPartial}, Resolution: 1,
	}
	m.Notes = append(m.Notes, s.unreadable(stmt.Tables, rg.From, rg.To)...)
	newest, oldest, err := s.span(ctx)
	m.Through = newest
	if len(rows.Time) == 0 && err == nil {
		m.Empty, m.Matches7d = s.whyEmpty(ctx, req, rg, newest, oldest)
	}
	if err == nil && rg.To > oldest && len(rows.Time) > 0 {
		m.Implausible = s.implausible(ctx, req, rg)
	}
	if result.VS != nil && err == nil && rg.From-slices.Max(result.VS.Shifts) < oldest && stmt.FlowsAlone() { // rollups go back further
		m.Notes = append(m.Notes, "vs: a window that is compared with begins before the oldest record, "+time.Unix(oldest, 0).UTC().Format(time.RFC3339)+": its numbers are too small")
	}
	return answer{request: req, rg: rg, Result: result, Meta: m}, nil
}

// implausible counts the records of an answer that no network carries. That it cannot be
// found out is no reason to give no answer.
func (s *Server) implausible(ctx context.Context, req query.Request, rg query.Range) uint64 {
	stmt, err := req.Implausible(rg, s.Schema)
	if err != nil {
		return 0
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	res, _, err := s.Store.Select(ctx, store.Query{SQL: stmt.SQL, Params: stmt.Params})
	if err != nil || res.Rows == 0 {
		s.Log.Debug("how many records are implausible is not known", "err", err)
		return 0
	}
	n, _ := res.Column("records").([]uint64)
	return n[0]
}

// unreadable says which parts of tables an answer about a time lacks. What the flows lack
// the rollups may lack too.
func (s *Server) unreadable(tables []string, from, to int64) (notes []string) {
	tables = append([]string{query.FlowsTable}, tables...)
	slices.Sort(tables)
	for _, table := range slices.Compact(tables) {
		for _, p := range s.Store.Parts.Of(table, from, to) {
			if len(notes) == maxUnreadable {
				return append(notes, "and more parts, see Status")
			}
			notes = append(notes, fmt.Sprintf("part %s of %s cannot be read: %d rows from %s to %s are missing; %s", p.Name, p.Table, p.Rows,
				time.Unix(p.From, 0).UTC().Format(time.RFC3339), time.Unix(p.To, 0).UTC().Format(time.RFC3339), p.Remedy()))
		}
	}
	return notes
}

// maxUnreadable bounds the parts that an answer names.
const maxUnreadable = 3

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// run executes a statement of series.
func (s *Server) run(ctx context.Context, stmt query.Statement) (query.Rows, store.Stats, error) {
	var rows query.Rows
	res, stats, err := s.selectRows(ctx, stmt)
	if err != nil {
		return rows, stats, err
	}
	for i, name := range res.Names {
		if err := rows.Set(name, res.Columns[i]); err != nil {
			return rows, stats, unexpectedError{err}
		}
	}
	return rows, stats, nil
}

// selectRows executes a statement of the query package.
func (s *Server) selectRows(ctx context.Context, stmt query.Statement) (*native.Result, store.Stats, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout+5*time.Second)
	defer cancel()
	res, stats, err := s.Store.Select(ctx, store.Query{SQL: stmt.SQL, Params: stmt.Params, Settings: settings(ctx, "max_execution_time", queryTimeoutText)})
	s.learn(stats)
	return res, stats, err
}

// whyEmpty tells the three reasons for an empty picture apart.
func (s *Server) whyEmpty(ctx context.Context, req query.Request, rg query.Range, newest, oldest int64) (why string, matches7d bool) {
	switch {
	case newest == 0:
		return "no-exporter", false
	case rg.To <= oldest:
		return "before-retention", false
	}
	now := s.now().Unix()
	stmt, err := req.Probe(now-7*86400, now, s.Schema)
	if err != nil {
		return "no-match", false
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	res, _, err := s.Store.Select(ctx, store.Query{SQL: stmt.SQL, Params: stmt.Params})
	if err != nil || res.Rows == 0 {
		return "no-match", false
	}
	found, _ := res.Columns[0].([]uint8)
	return "no-match", len(found) > 0 && found[0] != 0
}

// span is the newest and oldest second of the flows table, 0 when it is empty. It
// comes from the parts' own minimum and maximum, without reading rows.
func (s *Server) span(ctx context.Context) (newest, oldest int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	res, _, err := s.Store.Select(ctx, store.Query{SQL: `SELECT toUInt32(max(TimeReceived)) AS newest, toUInt32(min(TimeReceived)) AS oldest FROM flows`})
	if err != nil {
		return 0, 0, err
	}
	last, lastOK := res.Column("newest").([]uint32)
	first, firstOK := res.Column("oldest").([]uint32)
	if !lastOK || !firstOK {
		return 0, 0, unexpectedError{errors.New("the store does not say what time the flows are of")}
	}
	return int64(last[0]), int64(first[0]), nil
}

// A catalogue keeps, for each field that somebody types a filter on, the values with
// the most traffic of late, so that completion never scans for each keystroke.
type catalogue struct {
	store   *store.Client
	schema  query.Schema
	running chan struct{} // a place for each query

	mu     sync.Mutex
	fields map[string]*known // at most one for each field that there is
}

// known is what the catalogue has of one field.
type known struct {
	at    time.Time // when asked for
	done  chan struct{}
	items []filter.Item
}

const (
	catalogueAge    = time.Minute
	catalogueWait   = 150 * time.Millisecond
	catalogueQuery  = 3 * time.Second
	catalogueAtOnce = 2 // queries; a field that finds none free has no values yet
)

func newCatalogue(c *store.Client, s query.Schema) *catalogue {
	return &catalogue{store: c, schema: s, running: make(chan struct{}, catalogueAtOnce), fields: map[string]*known{}}
}

// source gives the completion a way to look values up. A field seen for the first
// time is asked for in the background; the caller waits a moment for it.
func (c *catalogue) source(ctx context.Context) filter.ValueSource {
	return func(field, prefix string) []filter.Item {
		q, ok := query.Values(field)
		if !ok {
			return nil
		}
		c.mu.Lock()
		k := c.fields[field]
		if k == nil || time.Since(k.at) > catalogueAge {
			select {
			case c.running <- struct{}{}:
				fresh := &known{at: time.Now(), done: make(chan struct{})}
				if k != nil {
					fresh.items = k.items // until the new ones are there
				}
				c.fields[field] = fresh
				k = fresh
				go c.fetch(k, q)
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

func (c *catalogue) fetch(k *known, q query.ValuesQuery) {
	defer func() {
		close(k.done)
		<-c.running
	}()
	ctx, cancel := context.WithTimeout(context.Background(), catalogueQuery)
	defer cancel()
	res, _, err := c.store.Select(ctx, store.Query{SQL: q.SQL, Params: q.Params, Settings: map[string]string{"max_execution_time": "3"}})
	if err != nil || res.Rows == 0 {
		return
	}
	items := q.Items(res.Columns[0].([][]string), res.Columns[1].([][]string), res.Columns[2].([]float64), c.schema)
	c.mu.Lock()
	k.items = items
	c.mu.Unlock()
}

package api

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"netmeta/query"
	"netmeta/store"
)

// A runningQuery is one that the store is working on, whoever asked it.
type runningQuery struct {
	ID      string  `json:"id"`      // the store's own
	What    string  `json:"what"`    // the resource of the API that asks, as query or flows; empty: somebody asks the store
	Tag     string  `json:"tag"`     // what the asker calls it: the Query-Tag of a request, or what Grafana says of itself
	User    string  `json:"user"`    // of the store
	Elapsed float64 `json:"elapsed"` // seconds
	Rows    uint64  `json:"rows"`    // read so far
	Of      uint64  `json:"of"`      // rows to read, about; 0 while nobody knows
	Bytes   uint64  `json:"bytes"`   // read so far
	Memory  int64   `json:"memory"`
	SQL     string  `json:"sql"` // its beginning
}

// A comment of a query that begins so names the resource of the API that asks, and then
// the tag of the request.
const commentPrefix = "netmeta asks "

// engineID is what the embedded engine puts before the comment of a query.
var engineID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12} ?`)

// whoAsks reads the comment of a query.
func whoAsks(comment string) (what, tag string) {
	comment = engineID.ReplaceAllString(comment, "")
	if rest, ours := strings.CutPrefix(comment, commentPrefix); ours {
		what, tag, _ = strings.Cut(rest, " ")
		return what, tag
	}
	return "", comment
}

// pageUser is the user that the embedded engine knows us as. It tells the user of each
// statement in its query_cache_tag; a ClickHouse of others tells none there.
const pageUser = "page"

// ownComment marks our look at the list, which is not listed.
const ownComment = "netmeta: list of queries"

func (s *Server) running(ctx context.Context) ([]runningQuery, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	res, _, err := s.Store.Select(ctx, store.Query{
		SQL: `SELECT query_id, Settings['log_comment'] AS tag, Settings['query_cache_tag'] AS teller, user, elapsed, read_rows, total_rows_approx, read_bytes, memory_usage, substring(query, 1, 1000) AS sql
FROM system.processes
WHERE query_kind IN ('Select', '') AND tag NOT LIKE {own:String} AND is_initial_query
ORDER BY elapsed DESC LIMIT 200`,
		Params:   map[string]string{"own": "%" + ownComment},
		Settings: map[string]string{"log_comment": ownComment},
	})
	if err != nil {
		return nil, err
	}
	list := make([]runningQuery, res.Rows)
	for i := range list {
		text := func(name string) string { return res.Column(name).([]string)[i] }
		n := func(name string) uint64 { return res.Column(name).([]uint64)[i] }
		what, tag := whoAsks(text("tag"))
		user := text("user")
		if embedded, _, ok := strings.Cut(text("teller"), " "); ok {
			user = embedded
			if user != pageUser {
				what = "" // an SQL client that calls itself the page
			}
		}
		list[i] = runningQuery{ID: text("query_id"), What: what, Tag: tag, User: user, Elapsed: res.Column("elapsed").([]float64)[i],
			Rows: n("read_rows"), Of: n("total_rows_approx"), Bytes: n("read_bytes"), Memory: res.Column("memory_usage").([]int64)[i], SQL: text("sql")}
	}
	return list, nil
}

// queries lists what the store is working on.
func (s *Server) queries(w http.ResponseWriter, r *http.Request) {
	list, err := s.running(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.writeJSON(w, struct {
		Queries []runningQuery `json:"queries"`
	}{list})
}

// endQuery ends a query by its ID or by its tag. Only questions are ended: an insert is
// data that somebody sent.
func (s *Server) endQuery(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("id")
	list, err := s.running(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	// Ours first: an SQL client may call its query by the tag of a request.
	slices.SortStableFunc(list, func(a, b runningQuery) int { return cmp.Compare(b.What, a.What) })
	for _, q := range list {
		if q.ID != name && q.Tag != name {
			continue
		}
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		if err := s.Writer.Do(ctx, store.Query{SQL: "KILL QUERY WHERE query_id = {id:String} AND query_kind IN ('Select', '') ASYNC", Params: map[string]string{"id": q.ID}}); err != nil {
			s.fail(w, r, err)
			return
		}
		s.Log.Info("query ended on request", "query_id", q.ID, "elapsed", q.Elapsed)
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	writeProblem(w, problem{Title: "no such query", Status: http.StatusNotFound, Detail: "no query with the id or tag " + name + " runs: it may have ended by itself"})
}

// tagForm is what a request may call its query by.
var tagForm = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// withTag takes along which resource asks, and the header Query-Tag, by which a page
// finds the query of its request in the list, with how far it is, and ends it.
func withTag(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tag := r.Header.Get("Query-Tag"); tag != "" {
			if !tagForm.MatchString(tag) {
				writeProblem(w, problem{Title: "tag not understood", Status: http.StatusBadRequest, Detail: "Query-Tag has 1 to 64 letters, digits and _ . -", Key: "Query-Tag"})
				return
			}
		}
		what, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/api/v1/"), "/")
		comment := strings.TrimSpace(commentPrefix + what + " " + r.Header.Get("Query-Tag"))
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), commentKey{}, comment)))
	})
}

type commentKey struct{}

// settings are those of a query for a request.
func settings(ctx context.Context, more ...string) map[string]string {
	m := map[string]string{"cancel_http_readonly_queries_on_client_close": "1"}
	if comment, ok := ctx.Value(commentKey{}).(string); ok {
		m["log_comment"] = comment
	}
	for i := 0; i+1 < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

// estimate is what a question will cost.
type estimate struct {
	Rows   uint64  `json:"rows"` // to read, about
	Parts  uint64  `json:"parts"`
	MS     float64 `json:"ms"`     // how long that takes, from the speed of the questions so far; 0 before the first
	Oldest int64   `json:"oldest"` // second of the oldest record
}

// estimate says what the answer to a request would cost, from the index alone: series,
// or with of=flows a page of records in another order than that of time.
func (s *Server) estimate(w http.ResponseWriter, r *http.Request) {
	e, err := s.askEstimate(r.Context(), r.URL.Query())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.writeJSON(w, e)
}

func (s *Server) askEstimate(ctx context.Context, v url.Values) (e estimate, err error) {
	stmt, err := s.estimated(ctx, v)
	if err != nil {
		return e, err
	}
	if e, err = s.costBefore(ctx, stmt, ""); err != nil {
		return e, err
	}
	_, e.Oldest, err = s.span(ctx)
	return e, err
}

// costBefore is what a statement will read, of one table when that is named.
func (s *Server) costBefore(ctx context.Context, stmt query.Statement, table string) (e estimate, err error) {
	stmt.SQL = "EXPLAIN ESTIMATE " + stmt.SQL
	res, _, err := s.selectRows(ctx, stmt)
	if err != nil {
		return e, err
	}
	if res.Rows > 0 {
		for i := range res.Rows {
			if table != "" && res.Column("table").([]string)[i] != table {
				continue
			}
			e.Parts += res.Column("parts").([]uint64)[i]
			e.Rows += res.Column("rows").([]uint64)[i]
		}
	}
	if perMS := s.speed.Load(); perMS > 0 {
		e.MS = float64(e.Rows) / float64(perMS)
	}
	return e, nil
}

// estimated is the statement whose cost is asked for.
func (s *Server) estimated(ctx context.Context, v url.Values) (query.Statement, error) {
	of := v.Get("of")
	v.Del("of")
	switch of {
	case "", "series":
		req, rg, _, err := s.resolve(v)
		if err != nil {
			return query.Statement{}, err
		}
		return req.Series(rg, s.schema(ctx))
	case "flows":
		f, _, err := query.ParseFlows(v, false)
		if err != nil {
			return query.Statement{}, err
		}
		rg, err := f.Resolve(s.now())
		if err != nil {
			return query.Statement{}, err
		}
		return f.Reads(rg, s.Schema)
	}
	return query.Statement{}, &query.KeyError{Key: "of", Value: of, Message: "is neither series nor flows"}
}

// learn keeps how many rows the store reads in a millisecond: a mean over the last
// questions that were large enough to tell.
func (s *Server) learn(stats store.Stats) {
	if ms := stats.Elapsed.Milliseconds(); ms >= 20 && stats.Rows >= 100_000 {
		now := stats.Rows / uint64(ms)
		if old := s.speed.Load(); old > 0 {
			now = (7*old + now) / 8
		}
		s.speed.Store(now)
	}
}

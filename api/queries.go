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

	"netmeta/access"
	"netmeta/internal/problem"
	"netmeta/query"
	"netmeta/store"
)

var runningRoutes = []Route{
	{
		Method: "GET", Path: "/api/v1/queries", Need: Read, Scoped: true, Handler: answer((*Server).queries),
		ID: "queries", Summary: "The running queries",
		Description: "Longest first. The header Query-Tag of a request identifies its query, with its progress.",
	},
	{
		Method: "DELETE", Path: "/api/v1/queries/{id}", Need: Operate, Scoped: true, Handler: done((*Server).endQuery),
		ID: "endQuery", Summary: "Cancel a query",
		Description: "Inserts are never cancelled. The cancelled request gets status 409.",
		Parameters:  []Parameter{pathPart("id", "Its ID, or the Query-Tag of its request.").as("tab-7")},
		Answer:      Answer{Description: "Being cancelled."},
	},
}

// RunningQuery is a query that the store is executing, of any client.
type RunningQuery struct {
	ID string `json:"id"` // ID in the store.
	// The resource of this API that made the query, such as query or flows; empty: another client of the
	// store.
	What    string  `json:"what"`
	Tag     string  `json:"tag"`     // Tag of the client: the Query-Tag of a request, which cancels it.
	Owner   string  `json:"-"`       // Name of who asked this API; empty: without a login.
	User    string  `json:"user"`    // User in the store.
	Elapsed float64 `json:"elapsed"` // Seconds so far.
	Rows    uint64  `json:"rows"`    // Rows read so far.
	Of      uint64  `json:"of"`      // Rows to read, approximately; 0 while unknown.
	Bytes   uint64  `json:"bytes"`   // Bytes read so far.
	Memory  int64   `json:"memory"`
	SQL     string  `json:"sql"` // Start of the statement.
}

// commentPrefix starts the comment of a query of the API; the name of the resource follows, then the tag of
// the request if it has one, and then the caller if known.
const (
	commentPrefix = "netmeta asks "
	ownerPrefix   = "by=" // tags have no =
)

// commentOf returns the comment of the queries of a request.
func commentOf(what, tag string, who access.Identity) string {
	words := []string{what}
	if tag != "" {
		words = append(words, tag)
	}
	if who.Name != "" {
		words = append(words, ownerPrefix+url.QueryEscape(who.Name))
	}
	return commentPrefix + strings.Join(words, " ")
}

// engineID is what the embedded engine prepends to the comment of a query.
var engineID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12} ?`)

// whoAsks parses the comment of a query.
func whoAsks(comment string) (what, tag, owner string) {
	comment = engineID.ReplaceAllString(comment, "")
	rest, ours := strings.CutPrefix(comment, commentPrefix)
	if !ours {
		return "", comment, ""
	}
	what, rest, _ = strings.Cut(rest, " ")
	for word := range strings.FieldsSeq(rest) {
		if name, ok := strings.CutPrefix(word, ownerPrefix); ok {
			owner, _ = url.QueryUnescape(name)
		} else {
			tag = word
		}
	}
	return what, tag, owner
}

// mayEnd reports whether a caller may see and cancel a query: with the scope Everything any of them,
// otherwise its own. The SQL reveals the query, and its duration the amount of data.
func mayEnd(who access.Identity, q RunningQuery) bool {
	return who.Scope.IsEverything() || who.Name != "" && q.What != "" && q.Owner == who.Name
}

// pageUser is our user in the embedded engine, which puts the user of each statement into its
// query_cache_tag; an external ClickHouse does not.
const pageUser = "page"

// ownComment marks the query for the list, which is not listed.
const ownComment = "netmeta: list of queries"

// running lists the queries that the caller may see and cancel.
func (s *Server) running(ctx context.Context) ([]RunningQuery, error) {
	who := access.From(ctx)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	stmt := query.Running(ownComment)
	res, _, err := s.Store.Select(ctx, store.Query{SQL: stmt.SQL, Params: stmt.Params, Settings: map[string]string{"log_comment": ownComment}})
	if err != nil {
		return nil, err
	}
	list := make([]RunningQuery, res.Rows)
	for i := range list {
		text := func(name string) string { return res.Column(name).([]string)[i] }
		n := func(name string) uint64 { return res.Column(name).([]uint64)[i] }
		what, tag, owner := whoAsks(text("tag"))
		user := text("user")
		if embedded, _, ok := strings.Cut(text("teller"), " "); ok {
			user = embedded
			if user != pageUser {
				what, owner = "", "" // an SQL client that calls itself the page
			}
		}
		list[i] = RunningQuery{ID: text("query_id"), What: what, Tag: tag, Owner: owner, User: user, Elapsed: res.Column("elapsed").([]float64)[i],
			Rows: n("read_rows"), Of: n("total_rows_approx"), Bytes: n("read_bytes"), Memory: res.Column("memory_usage").([]int64)[i], SQL: text("sql")}
	}
	return slices.DeleteFunc(list, func(q RunningQuery) bool { return !mayEnd(who, q) }), nil
}

// RunningQueries are the queries that the store is executing.
type RunningQueries struct {
	Queries []RunningQuery `json:"queries"`
}

// queries lists the queries that the store is executing.
func (s *Server) queries(r *http.Request) (RunningQueries, error) {
	list, err := s.running(r.Context())
	return RunningQueries{list}, err
}

// endQuery cancels a query by its ID or by its tag, if the caller may. It does not cancel inserts, which
// carry received data.
func (s *Server) endQuery(r *http.Request) error {
	name := r.PathValue("id")
	list, err := s.running(r.Context())
	if err != nil {
		return err
	}
	// The caller's own first, then those of others, and SQL clients last, because they may use the tag of a
	// request.
	who := access.From(r.Context())
	rank := func(q RunningQuery) int {
		switch {
		case q.What == "":
			return 2
		case q.Owner != who.Name:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(list, func(a, b RunningQuery) int { return cmp.Compare(rank(a), rank(b)) })
	i := slices.IndexFunc(list, func(q RunningQuery) bool { return q.ID == name || q.Tag == name })
	if i < 0 {
		return &problem.Error{Status: http.StatusNotFound, Title: "no such query", Detail: "no running query has the ID or tag " + name + "; it may have finished"}
	}
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	stmt := query.Kill(list[i].ID)
	if err := s.Writer.Do(ctx, store.Query{SQL: stmt.SQL, Params: stmt.Params}); err != nil {
		return err
	}
	s.Log.Info("query ended on request", "query_id", list[i].ID, "elapsed", list[i].Elapsed)
	return nil
}

// tagForm matches the tags of requests.
var tagForm = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// withTag stores the resource and the header Query-Tag in the context. With that tag a page finds the query
// of its request in the list, with its progress, and cancels it.
func withTag(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tag := r.Header.Get("Query-Tag"); tag != "" {
			if !tagForm.MatchString(tag) {
				writeProblem(w, Problem{Title: "invalid tag", Status: http.StatusBadRequest, Detail: "use 1 to 64 letters, digits and _ . - in Query-Tag", Key: "Query-Tag"})
				return
			}
		}
		what, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/api/v1/"), "/")
		comment := commentOf(what, r.Header.Get("Query-Tag"), access.From(r.Context()))
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), commentKey{}, comment)))
	})
}

type commentKey struct{}

// settings returns the settings of a query for a request.
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

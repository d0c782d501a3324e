package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"netmeta/access"
	"netmeta/native"
	"netmeta/query"
	"netmeta/store"
)

var queryRoutes = []Route{
	{
		Method: "GET", Path: "/api/v1/query", Need: Read, Scoped: true, Handler: written[Result]((*Server).query),
		ID: "query", Summary: "Traffic over time, split by any fields",
		Description: "The keys are those of the web UI's URL. The result has columns: one list of interval starts and one list of values for each series. The series of a direction, including Other, add up to its total.",
		Parameters:  append(seriesParameters(unitOrShareKey, textKey("viz", "Only for the web UI.")), textKey("format", "json or csv. Default json."), rawKey),
		Answer:      Answer{Description: "The series.", Also: []string{"text/csv"}},
	},
	{
		Method: "GET", Path: "/api/v1/query.csv", Need: Read, Scoped: true, Handler: written[struct{}]((*Server).queryCSV),
		ID: "queryCSV", Summary: "The same as CSV",
		Description: "The keys are those of /api/v1/query. Lines are those of RFC 4180, numbers are not rounded. Names that start like a formula are guarded against spreadsheets; see raw.",
		Parameters: append(seriesParameters(unitOrShareKey),
			textKey("of", "series: a line for each interval; table: a line for each series and total. Default series.").as("table"), rawKey),
		Answer: Answer{Description: "Lines with a header.", Also: []string{"text/csv"}},
	},
}

// Meta says what a result was computed from.
type Meta struct {
	SQL    string            `json:"sql"`    // The statement, for use with netmeta sql.
	Params map[string]string `json:"params"` // Its parameters.
	Rows   uint64            `json:"rows"`   // Rows read.
	Bytes  uint64            `json:"bytes"`  // Bytes read.
	MS     float64           `json:"ms"`     // Time until the result was complete.
	// The table that was read; if several, all of them, the one with most of the range first: rollup_1h,
	// rollup_1m_as, rollup_1m, flows.
	Table      string   `json:"table"`
	Partial    Partial  `json:"partial"`                                                      // Whether the first and last interval are cut by the range.
	Through    int64    `json:"through"`                                                      // Newest second in the store; 0 if it is empty.
	Resolution int      `json:"resolution"`                                                   // Seconds.
	Unknown    []string `json:"unknown_keys"`                                                 // Unknown keys of the request.
	Notes      []string `json:"notes"`                                                        // Parts of the request that are not answered.
	Empty      string   `json:"empty,omitempty" enum:"no-exporter,no-match,before-retention"` // Why the result is empty: no-exporter, no-match or before-retention.
	Matches7d  bool     `json:"matches_7d"`                                                   // Whether the filter matches anything in the last seven days.

	Implausible uint64 `json:"implausible,omitempty"` // Records among the flows of the range that no network carries.
}

// Partial says which intervals at the ends of a range are incomplete.
type Partial struct {
	First bool `json:"first"`
	Last  bool `json:"last"`
}

// Result is the result of a query for traffic over time.
type Result struct {
	request query.Request
	rg      query.Range
	rawCSV  bool // cells are not guarded against spreadsheets
	query.Result
	Meta Meta `json:"meta"`
}

// query responds in JSON, or with format=csv as queryCSV does.
func (s *Server) query(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	switch format := v.Get("format"); format {
	case "", "json":
	case "csv":
		return s.queryCSV(w, r)
	default:
		return query.Invalid("format", format, "is neither json nor csv")
	}
	a, err := s.ask(r.Context(), v)
	if err == nil {
		s.writeJSON(w, a)
	}
	return err
}

// resolve parses the request of a URL. Keys for the form of the response, which are not of the request
// itself, must be removed from v first.
func (s *Server) resolve(v url.Values) (req query.Request, rg query.Range, unknown []string, err error) {
	if req, unknown, err = query.ParseURL(v); err == nil {
		rg, err = req.Resolve(s.now())
	}
	return req, rg, unknown, err
}

// ask executes the request of a URL.
func (s *Server) ask(ctx context.Context, v url.Values) (a Result, err error) {
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
	result, err := query.Assemble(req, rg, rows, s.names(ctx))
	if err != nil {
		return a, unexpected(err)
	}
	m := Meta{
		SQL: stmt.SQL, Params: stmt.Params, Notes: append(append([]string{}, stmt.Notes...), result.Notes...), Unknown: append([]string{}, unknown...),
		Rows: stats.Rows, Bytes: stats.Bytes, MS: milliseconds(stats.Elapsed),
		Table: strings.Join(stmt.Tables, ", "), Partial: Partial{rg.FirstPartial, rg.LastPartial}, Resolution: 1,
	}
	m.Notes = append(m.Notes, s.unreadable(ctx, stmt.Tables, rg.From, rg.To)...)
	newest, oldest, err := s.span(ctx)
	m.Through = newest
	if len(rows.Time) == 0 && err == nil {
		m.Empty, m.Matches7d = s.whyEmpty(ctx, req, rg, newest, oldest)
	}
	if err == nil && rg.To > oldest && len(rows.Time) > 0 {
		m.Implausible = s.implausible(ctx, req, rg)
	}
	if result.VS != nil && err == nil && rg.From-slices.Max(result.VS.Shifts) < oldest && stmt.FlowsAlone() { // rollups reach further back
		m.Notes = append(m.Notes, "vs: a window that is compared with begins before the oldest record, "+time.Unix(oldest, 0).UTC().Format(time.RFC3339)+": its numbers are too small")
	}
	return Result{request: req, rg: rg, Result: result, Meta: m}, nil
}

// implausible counts the records of a result that no network carries. A failure must not prevent the result.
func (s *Server) implausible(ctx context.Context, req query.Request, rg query.Range) uint64 {
	stmt, err := req.Implausible(rg, s.names(ctx))
	if err != nil {
		return 0
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	res, _, err := s.reader(ctx).Select(ctx, store.Query{SQL: stmt.SQL, Params: stmt.Params})
	if err != nil || res.Rows == 0 {
		s.Log.Debug("how many records are implausible is not known", "err", err)
		return 0
	}
	n, _ := res.Column("records").([]uint64)
	return n[0]
}

// unreadable returns the parts of tables that a result about a time lacks. Rollups may lack what the flows
// lack.
func (s *Server) unreadable(ctx context.Context, tables []string, from, to int64) (notes []string) {
	tables = append([]string{query.FlowsTable}, tables...)
	slices.Sort(tables)
	for _, table := range slices.Compact(tables) {
		for _, p := range s.Store.Parts.Of(table, from, to) {
			if !access.From(ctx).Scope.IsEverything() { // other tenants' amounts of data are confidential
				return []string{"some rows cannot be read and are missing"}
			}
			if len(notes) == maxUnreadable {
				return append(notes, "and more parts, see Status")
			}
			notes = append(notes, fmt.Sprintf("part %s of %s cannot be read: %d rows from %s to %s are missing; %s", p.Name, p.Table, p.Rows,
				time.Unix(p.From, 0).UTC().Format(time.RFC3339), time.Unix(p.To, 0).UTC().Format(time.RFC3339), p.Remedy()))
		}
	}
	return notes
}

// maxUnreadable bounds the parts that a result names.
const maxUnreadable = 3

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// run executes a statement for series.
func (s *Server) run(ctx context.Context, stmt query.Statement) (query.Rows, store.Stats, error) {
	var rows query.Rows
	res, stats, err := s.selectRows(ctx, stmt)
	if err != nil {
		return rows, stats, err
	}
	for i, name := range res.Names {
		if err := rows.Set(name, res.Columns[i]); err != nil {
			return rows, stats, unexpected(err)
		}
	}
	return rows, stats, nil
}

// selectRows executes a statement of the query package.
func (s *Server) selectRows(ctx context.Context, stmt query.Statement) (*native.Result, store.Stats, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout+5*time.Second)
	defer cancel()
	res, stats, err := s.reader(ctx).Select(ctx, store.Query{SQL: stmt.SQL, Params: stmt.Params, Settings: settings(ctx, "max_execution_time", queryTimeoutText)})
	s.learn(stats)
	return res, stats, err
}

// whyEmpty distinguishes the three reasons for an empty chart.
func (s *Server) whyEmpty(ctx context.Context, req query.Request, rg query.Range, newest, oldest int64) (why string, matches7d bool) {
	switch {
	case newest == 0:
		return "no-exporter", false
	case rg.To <= oldest:
		return "before-retention", false
	}
	now := s.now().Unix()
	stmt, err := req.Probe(now-7*86400, now, s.names(ctx))
	if err != nil {
		return "no-match", false
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	res, _, err := s.reader(ctx).Select(ctx, store.Query{SQL: stmt.SQL, Params: stmt.Params})
	if err != nil || res.Rows == 0 {
		return "no-match", false
	}
	found, _ := res.Columns[0].([]uint8)
	return "no-match", len(found) > 0 && found[0] != 0
}

// reader returns the client of the store for the statements of a request. For a caller with a scope, the
// store adds the scope a second time, to every table that a statement reads.
func (s *Server) reader(ctx context.Context) *store.Client {
	rows := query.RowFilters(access.From(ctx).Scope)
	if rows == nil {
		return s.Store
	}
	return s.Store.WithRows(rows)
}

// span is the newest and the oldest second of the flows of a scope, 0 if there are none.
type span struct{ newest, oldest int64 }

// span returns the span of the caller's scope. For Everything it comes from the minimum and maximum of the
// parts; otherwise rows must be read, and the result is cached for a few seconds.
func (s *Server) span(ctx context.Context) (newest, oldest int64, err error) {
	scope := access.From(ctx).Scope
	if scope.IsEverything() {
		return s.readSpan(ctx, s.reader(ctx), scope)
	}
	kept, err := s.spanCache.get(ctx, "", func() (kept span, err error) {
		kept.newest, kept.oldest, err = s.readSpan(ctx, s.reader(ctx), scope)
		return kept, err
	})
	return kept.newest, kept.oldest, err
}

func (s *Server) readSpan(ctx context.Context, c *store.Client, scope access.Scope) (newest, oldest int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	stmt := query.Span(scope)
	res, _, err := c.Select(ctx, store.Query{SQL: stmt.SQL, Params: stmt.Params})
	if err != nil {
		return 0, 0, err
	}
	last, lastOK := res.Column("newest").([]uint32)
	first, firstOK := res.Column("oldest").([]uint32)
	if !lastOK || !firstOK {
		return 0, 0, unexpected(errors.New("the store does not say what time the flows are of"))
	}
	return int64(last[0]), int64(first[0]), nil
}

package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"netmeta/query"
	"netmeta/store"
)

var facetRoutes = []Route{{
	Method: "GET", Path: "/api/v1/facets", Need: Read, Scoped: true, Handler: answer((*Server).facets),
	ID: "facets", Summary: "The largest values of several fields",
	Description: "All lists are exact. Results are cached for ten seconds.",
	Parameters: []Parameter{qKey, fromKey, toKey, tzKey, unitKey, layerKey, dirKey,
		textKey("facets", "Names as in by, a / joins those of up to 8 fields. Default: addresses, ports with protocol, ASes, interfaces, exporter, flags.").as("dst.ip,proto/dst.port"),
		{Name: "most", In: "query", Type: "integer", Minimum: new(int), Example: 100000,
			Description: "Maximum number of rows to read from the table flows. If the lists need more, those without a rollup are omitted and listed in left, or all if that is not enough. Default: no limit."},
	},
}}

// Facets are the largest values of several fields.
type Facets struct {
	From   int64          `json:"from"`
	To     int64          `json:"to"`
	Unit   string         `json:"unit"`
	Total  uint64         `json:"total"` // Bytes, packets or flows.
	Rate   float64        `json:"rate"`
	Facets []query.Facet  `json:"facets"`
	Left   *SkippedFacets `json:"left"` // Lists that were omitted because they read more rows of flows than most.
	Meta   Cost           `json:"meta"`
}

// SkippedFacets are lists that were omitted because they read more rows than most allows.
type SkippedFacets struct {
	Facets []string `json:"facets"` // Names, for a request with facets.
	Rows   uint64   `json:"rows"`   // Rows to read.
}

// Cost says what a result was computed from.
type Cost struct {
	SQL     string            `json:"sql"`
	Params  map[string]string `json:"params"`
	Rows    uint64            `json:"rows"`         // Rows read.
	Bytes   uint64            `json:"bytes"`        // Bytes read.
	MS      float64           `json:"ms"`           // Time until the result was complete.
	Unknown []string          `json:"unknown_keys"` // Unknown keys of the request.
	Notes   []string          `json:"notes"`        // Unreadable parts of tables that the result lacks.
}

func costOf(stmt query.Statement, stats store.Stats, unknown []string, notes ...string) Cost {
	return Cost{stmt.SQL, stmt.Params, stats.Rows, stats.Bytes, milliseconds(stats.Elapsed), append([]string{}, unknown...), append([]string{}, notes...)}
}

func (s *Server) facets(r *http.Request) (Facets, error) {
	return kept(s, r, &s.facetsCache, s.askFacets)
}

func (s *Server) askFacets(ctx context.Context, v url.Values) (a Facets, err error) {
	names, most := v.Get("facets"), v.Get("most")
	v.Del("facets")
	v.Del("most")
	req, rg, unknown, err := s.resolve(v)
	if err != nil {
		return a, err
	}
	schema := s.schema(ctx)
	q, err := req.Facets(rg, schema, names)
	if err != nil {
		return a, err
	}
	a = Facets{From: rg.From, To: rg.To, Unit: req.Unit, Facets: []query.Facet{}}
	if most != "" && schema.Scope.IsEverything() { // the index counts the rows of others too
		if q, a.Left, err = s.within(ctx, req, rg, schema, q, most); err != nil {
			return a, err
		}
		if q.SQL == "" {
			a.Meta = costOf(query.Statement{Params: map[string]string{}}, store.Stats{}, unknown)
			return a, nil
		}
	}
	res, stats, err := s.selectRows(ctx, q.Statement)
	if err != nil {
		return a, err
	}
	var rows query.FacetRows
	if res.Rows > 0 {
		n := func(name string) []uint64 { return res.Column(name).([]uint64) }
		rows = query.FacetRows{
			Facet: res.Column("facet").([]uint8), Keys: res.Column("keys").([][]string), Labels: res.Column("labels").([][]string),
			Total: n("total"), Distinct: n("distinct"), Whole: n("whole"),
		}
	}
	if a.Facets, a.Total, err = q.Read(rows); err != nil {
		return a, unexpected(err)
	}
	a.Rate, a.Meta = query.Rate(req.Unit, a.Total, rg), costOf(q.Statement, stats, unknown, s.unreadable(ctx, q.Tables, rg.From, rg.To)...)
	return a, nil
}

// within reduces a query to the lists that read no more rows of flows than most: all, those that rollups
// answer, or none, without SQL. It returns the omitted lists.
func (s *Server) within(ctx context.Context, req query.Request, rg query.Range, schema query.Schema, q query.FacetsQuery, most string) (query.FacetsQuery, *SkippedFacets, error) {
	limit, err := strconv.ParseUint(most, 10, 64)
	if err != nil {
		return q, nil, query.Invalid("most", most, "is not a number of rows")
	}
	all, err := s.costBefore(ctx, q.Statement, query.FlowsTable)
	if err != nil || all.Rows <= limit {
		return q, nil, err
	}
	none, left := query.FacetsQuery{}, &SkippedFacets{slices.Concat(q.Raw, q.Rolled), all.Rows}
	if len(q.Raw) == 0 || len(q.Rolled) == 0 {
		return none, left, nil
	}
	rolled, err := req.Facets(rg, schema, strings.Join(q.Rolled, ","))
	if err != nil {
		return none, nil, err
	}
	some, err := s.costBefore(ctx, rolled.Statement, query.FlowsTable)
	if err != nil || some.Rows > limit {
		return none, left, err
	}
	return rolled, &SkippedFacets{q.Raw, all.Rows - min(some.Rows, all.Rows)}, nil
}

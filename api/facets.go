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

// facetsAnswer is the largest values of several fields.
type facetsAnswer struct {
	From   int64         `json:"from"`
	To     int64         `json:"to"`
	Unit   string        `json:"unit"`
	Total  uint64        `json:"total"` // bytes, packets or flows
	Rate   float64       `json:"rate"`
	Facets []query.Facet `json:"facets"`
	Left   *leftFacets   `json:"left"` // nil: none
	Meta   cost          `json:"meta"`
}

// leftFacets are lists that were not made, since they read more rows than most=.
type leftFacets struct {
	Facets []string `json:"facets"` // names for facets=
	Rows   uint64   `json:"rows"`   // that they read
}

// cost says what an answer was made from.
type cost struct {
	SQL     string            `json:"sql"`
	Params  map[string]string `json:"params"`
	Rows    uint64            `json:"rows"`  // read
	Bytes   uint64            `json:"bytes"` // read
	MS      float64           `json:"ms"`
	Unknown []string          `json:"unknown_keys"`
	Notes   []string          `json:"notes"` // what it lacks
}

func costOf(stmt query.Statement, stats store.Stats, unknown []string, notes ...string) cost {
	return cost{stmt.SQL, stmt.Params, stats.Rows, stats.Bytes, milliseconds(stats.Elapsed), append([]string{}, unknown...), append([]string{}, notes...)}
}

func (s *Server) facets(w http.ResponseWriter, r *http.Request) {
	writeKept(s, w, r, &s.facetsCache, s.askFacets)
}

func (s *Server) askFacets(ctx context.Context, v url.Values) (a facetsAnswer, err error) {
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
	a = facetsAnswer{From: rg.From, To: rg.To, Unit: req.Unit, Facets: []query.Facet{}}
	if most != "" {
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
		return a, unexpectedError{err}
	}
	a.Rate, a.Meta = query.Rate(req.Unit, a.Total, rg), costOf(q.Statement, stats, unknown, s.unreadable(q.Tables, rg.From, rg.To)...)
	return a, nil
}

// within makes of a query that of the lists which read no more rows of flows than most: of
// all, of those that rollups answer, or of none, without SQL. It says which are left.
func (s *Server) within(ctx context.Context, req query.Request, rg query.Range, schema query.Schema, q query.FacetsQuery, most string) (query.FacetsQuery, *leftFacets, error) {
	limit, err := strconv.ParseUint(most, 10, 64)
	if err != nil {
		return q, nil, &query.KeyError{Key: "most", Value: most, Message: "is not a number of rows"}
	}
	all, err := s.costBefore(ctx, q.Statement, query.FlowsTable)
	if err != nil || all.Rows <= limit {
		return q, nil, err
	}
	none, left := query.FacetsQuery{}, &leftFacets{slices.Concat(q.Raw, q.Rolled), all.Rows}
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
	return rolled, &leftFacets{q.Raw, all.Rows - min(some.Rows, all.Rows)}, nil
}

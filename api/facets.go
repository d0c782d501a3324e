package api

import (
	"context"
	"net/http"
	"net/url"
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
}

func costOf(stmt query.Statement, stats store.Stats, unknown []string) cost {
	return cost{stmt.SQL, stmt.Params, stats.Rows, stats.Bytes, milliseconds(stats.Elapsed), append([]string{}, unknown...)}
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
		if a.Left, err = s.tooDear(ctx, req, rg, schema, q.Raw, most); err != nil {
			return a, err
		}
		if a.Left != nil && len(q.Rolled) == 0 {
			a.Meta = costOf(query.Statement{Params: map[string]string{}}, store.Stats{}, unknown)
			return a, nil
		}
		if a.Left != nil {
			if q, err = req.Facets(rg, schema, strings.Join(q.Rolled, ",")); err != nil {
				return a, err
			}
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
	a.Rate, a.Meta = query.Rate(req.Unit, a.Total, rg), costOf(q.Statement, stats, unknown)
	return a, nil
}

// tooDear are the lists of some names when they read more rows than most; nil when not.
func (s *Server) tooDear(ctx context.Context, req query.Request, rg query.Range, schema query.Schema, names []string, most string) (*leftFacets, error) {
	limit, err := strconv.ParseUint(most, 10, 64)
	if err != nil {
		return nil, &query.KeyError{Key: "most", Value: most, Message: "is not a number of rows"}
	}
	if len(names) == 0 {
		return nil, nil
	}
	q, err := req.Facets(rg, schema, strings.Join(names, ","))
	if err != nil {
		return nil, err
	}
	e, err := s.costBefore(ctx, q.Statement)
	if err != nil || e.Rows <= limit {
		return nil, err
	}
	return &leftFacets{names, e.Rows}, nil
}

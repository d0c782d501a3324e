package api

import (
	"context"
	"net/http"
	"net/url"

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
	Meta   cost          `json:"meta"`
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
	names := v.Get("facets")
	v.Del("facets")
	req, rg, unknown, err := s.resolve(v)
	if err != nil {
		return a, err
	}
	q, err := req.Facets(rg, s.schema(ctx), names)
	if err != nil {
		return a, err
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
	facets, total, err := q.Read(rows)
	if err != nil {
		return a, unexpectedError{err}
	}
	return facetsAnswer{From: rg.From, To: rg.To, Unit: req.Unit, Total: total, Rate: query.Rate(req.Unit, total, rg), Facets: facets,
		Meta: costOf(q.Statement, stats, unknown)}, nil
}

package api

import (
	"context"
	"net/http"
	"net/url"

	"netmeta/query"
	"netmeta/store"
)

// Callers with a scope get no estimate, because the index counts the rows of others too.
var estimateRoutes = []Route{{
	Method: "GET", Path: "/api/v1/estimate", Need: Read, Handler: answer((*Server).estimate),
	ID: "estimate", Summary: "The expected cost of a query",
	Description: "The keys are those of /api/v1/query or, with of=flows, of /api/v1/flows. Only the index is read.",
	Parameters: append(seriesParameters(unitKey),
		textKey("of", "series, or flows for a page of records in another order than that of time. Default series.").as("series")),
}}

// Estimate is the expected cost of a query.
type Estimate struct {
	Rows   uint64  `json:"rows"` // Rows to read, approximately.
	Parts  uint64  `json:"parts"`
	MS     float64 `json:"ms"`     // Expected duration, from the speed of recent queries; 0 before the first.
	Oldest int64   `json:"oldest"` // Second of the oldest record.
}

// estimate returns the cost of a request from the index alone: series, or with of=flows a page of records in
// another order than that of time.
func (s *Server) estimate(r *http.Request) (Estimate, error) {
	return s.askEstimate(r.Context(), r.URL.Query())
}

func (s *Server) askEstimate(ctx context.Context, v url.Values) (e Estimate, err error) {
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

// costBefore estimates the cost of a statement, of one table if it is named.
func (s *Server) costBefore(ctx context.Context, stmt query.Statement, table string) (e Estimate, err error) {
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

// estimated returns the statement whose cost is requested.
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
		return f.Reads(rg, s.names(ctx))
	}
	return query.Statement{}, query.Invalid("of", of, "is neither series nor flows")
}

// learn updates how many rows the store reads per millisecond: a mean over recent queries that were large
// enough.
func (s *Server) learn(stats store.Stats) {
	if ms := stats.Elapsed.Milliseconds(); ms >= 20 && stats.Rows >= 100_000 {
		now := stats.Rows / uint64(ms)
		if old := s.speed.Load(); old > 0 {
			now = (7*old + now) / 8
		}
		s.speed.Store(now)
	}
}

package api

import (
	"context"
	"net/http"
	"net/url"

	"netmeta/query"
)

var explainRoutes = []Route{{
	Method: "GET", Path: "/api/v1/explain", Need: Read, Scoped: true, Handler: answer((*Server).explain),
	ID: "explain", Summary: "Why traffic changed",
	Description: "Compares a range with an earlier one, in ten fields, and names the few values that make up the change. Results are cached for ten seconds.",
	Parameters: []Parameter{qKey, fromKey, toKey, tzKey, unitKey, layerKey, dirKey,
		textKey("sel", "The range to explain, as start~end in seconds since 1970 or RFC 3339. Default: from to to."),
		textKey("vs", "The range to compare with: prev, -1d, -7d or the start of one. Default prev.").as("prev"),
	},
}}

// Explanation says why a range differs from the one before, and what it was computed from.
type Explanation struct {
	query.Explanation
	Meta Cost `json:"meta"`
}

func (s *Server) explain(r *http.Request) (Explanation, error) {
	return kept(s, r, &s.explainCache, s.askExplain)
}

func (s *Server) askExplain(ctx context.Context, v url.Values) (x Explanation, err error) {
	req, rg, unknown, err := s.resolve(v)
	if err != nil {
		return x, err
	}
	q, err := req.Explain(rg, s.names(ctx))
	if err != nil {
		return x, err
	}
	res, stats, err := s.selectRows(ctx, q.Statement)
	if err != nil {
		return x, err
	}
	var rows query.ExplainRows
	if res.Rows > 0 {
		n := func(name string) []uint64 { return res.Column(name).([]uint64) }
		f := func(name string) []float64 { return res.Column(name).([]float64) }
		rows = query.ExplainRows{
			Aspect: res.Column("aspect").([]uint8), Distinct: n("distinct"), Risers: n("risers"), Rise: f("rise"), Fall: f("fall"),
			Keys: res.Column("keys").([][]string), Labels: res.Column("labels").([][]string),
			Now: f("now"), Before: f("before"),
			PacketsNow: f("packets_now"), PacketsBefore: f("packets_before"), BytesNow: f("bytes_now"), BytesBefore: f("bytes_before"),
		}
	}
	x.Meta = costOf(q.Statement, stats, unknown, s.unreadable(ctx, q.Tables, rg.From, rg.To)...)
	if x.Explanation, err = q.Read(rows); err != nil {
		return x, unexpected(err)
	}
	return x, nil
}

package api

import (
	"context"
	"net/http"
	"net/url"

	"netmeta/query"
)

// explanation is why a window differs from the one before, with what it was made from.
type explanation struct {
	query.Explanation
	Meta cost `json:"meta"`
}

func (s *Server) explain(w http.ResponseWriter, r *http.Request) {
	writeKept(s, w, r, &s.explainCache, s.askExplain)
}

func (s *Server) askExplain(ctx context.Context, v url.Values) (x explanation, err error) {
	req, rg, unknown, err := s.resolve(v)
	if err != nil {
		return x, err
	}
	q, err := req.Explain(rg, s.Schema)
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
	x.Meta = costOf(q.Statement, stats, unknown, s.unreadable(q.Tables, rg.From, rg.To)...)
	if x.Explanation, err = q.Read(rows); err != nil {
		return x, unexpectedError{err}
	}
	return x, nil
}

package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"netmeta/query"
)

// linkAnswer is one interface over time.
type linkAnswer struct {
	From     int64         `json:"from"`
	To       int64         `json:"to"`
	Step     int64         `json:"step"`
	Times    []int64       `json:"times"`
	Counters *query.Course `json:"counters"` // bits per second as the device counts them; null when it sends none
	Weeks    *query.Weeks  `json:"weeks"`    // null without sums of hours
	Meta     cost          `json:"meta"`     // of the counters
}

// weeksAge is how long the weeks of an interface are kept: they change once an hour.
const weeksAge = 5 * time.Minute

// oneInterface answers what the counters of an interface say in the buckets of a chart,
// and what it carried over the last weeks.
func (s *Server) oneInterface(w http.ResponseWriter, r *http.Request) {
	a, err := s.askLink(r.Context(), r.PathValue("exporter"), r.PathValue("index"), r.URL.Query())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.writeJSON(w, a)
}

func (s *Server) askLink(ctx context.Context, exporter, index string, v url.Values) (a linkAnswer, err error) {
	link, err := query.ParseLink(exporter, index)
	if err != nil {
		return a, err
	}
	window, unknown := only(v, "from", "to", "tz", "step", "px")
	req, rg, _, err := s.resolve(window)
	if err != nil {
		return a, err
	}
	stmt := link.Counted(rg)
	res, stats, err := s.selectRows(ctx, stmt)
	if err != nil {
		return a, err
	}
	a = linkAnswer{From: rg.From, To: rg.To, Step: rg.Step, Times: rg.Times, Meta: costOf(stmt, stats, unknown, s.unreadable([]string{"counters"}, rg.From, rg.To)...)}
	if a.Counters, err = query.ReadCounted(rg, int(res.Rows), res.Column); err != nil {
		return a, unexpectedError{err}
	}
	a.Weeks, err = s.weeksCache.get(ctx, link.String()+" "+req.TZ, func() (*query.Weeks, error) { return s.askWeeks(ctx, link, req.TZ) })
	return a, err
}

func (s *Server) askWeeks(ctx context.Context, link query.Link, tz string) (*query.Weeks, error) {
	q, ok, err := link.Weeks(s.now(), tz, s.schema(ctx))
	if err != nil || !ok {
		return nil, err
	}
	res, _, err := s.selectRows(ctx, q.Statement)
	if err != nil {
		return nil, err
	}
	weeks, err := q.Read(int(res.Rows), res.Column)
	if err != nil {
		return nil, unexpectedError{err}
	}
	return weeks, nil
}

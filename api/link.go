package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"netmeta/diagnosis"
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

	NearlyFull nearlyFull `json:"nearly_full"`

	Meta cost `json:"meta"` // of the counters
}

// nearlyFull is when the interface is nearly full, if its weeks go on like this.
type nearlyFull struct {
	Share float64 `json:"share"` // of the speed
	In    *inDays `json:"in"`    // null when that is not to be expected
	Out   *inDays `json:"out"`
}

type inDays struct {
	Days  int             `json:"days"`
	Level diagnosis.Level `json:"level"` // warn when that is soon
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
	a.NearlyFull.Share = diagnosis.NearlyFull
	if err == nil && a.Weeks != nil && a.Weeks.Trend != nil {
		speed := s.linkSpeed(ctx, exporter, link.Index, v)
		a.NearlyFull.In, a.NearlyFull.Out = forecast(a.Weeks.Trend.In, speed), forecast(a.Weeks.Trend.Out, speed)
	}
	return a, err
}

// forecast is when an interface of this speed is nearly full.
func forecast(t query.Trend, speed uint64) *inDays {
	days, level := t.NearlyFullIn(speed)
	if days == 0 {
		return nil
	}
	return &inDays{days, level}
}

// linkSpeed is that of an interface as the list of interfaces has it for the same window,
// which who asks for one interface asks for too; 0 when it is not known.
func (s *Server) linkSpeed(ctx context.Context, exporter string, index uint32, v url.Values) uint64 {
	v, _ = only(v, "from", "to", "tz")
	v.Set("exporter", exporter)
	list, err := s.interfacesCache.get(ctx, v.Encode(), func() (interfacesAnswer, error) { return s.askInterfaces(ctx, v) })
	if err != nil {
		s.Log.Debug("the speed of an interface is not known", "err", err)
		return 0
	}
	i := slices.IndexFunc(list.Interfaces, func(x query.Interface) bool { return x.Index == index })
	if i < 0 {
		return 0
	}
	return list.Interfaces[i].Speed
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

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

// LinkCourse is one interface over time.
type LinkCourse struct {
	From  int64   `json:"from"`
	To    int64   `json:"to"`
	Step  int64   `json:"step"`  // Seconds of an interval.
	Times []int64 `json:"times"` // Starts of the intervals.
	// Rates by the device's counters, bits per second; null if it sends no counters. A value is null if the
	// readings cover less than half of its interval.
	Counters *query.CounterSeries `json:"counters"`
	// Rates by flows of each hour of the last 28 days, bits per second of layer 2; null if there are no
	// hourly sums with this interface.
	Weeks      *query.Weeks `json:"weeks"`
	NearlyFull NearlyFull   `json:"nearly_full"` // When it is nearly full if the trend continues.

	Meta Cost `json:"meta"` // Of the counters.
}

// NearlyFull says when the interface is nearly full if the trend continues.
type NearlyFull struct {
	Share float64 `json:"share"` // Share of the speed from which it is nearly full.
	In    *InDays `json:"in"`    // Null if it is not expected.
	Out   *InDays `json:"out"`   // Null if it is not expected.
}

// InDays is the time until then.
type InDays struct {
	Days  int             `json:"days"`
	Level diagnosis.Level `json:"level" enum:",warn"` // warn if it is soon.
}

// weeksAge is how long the weeks of an interface are cached: they change once an hour.
const weeksAge = 5 * time.Minute

// oneInterface returns the counters of an interface in the intervals of a chart, and its traffic over the
// last weeks.
func (s *Server) oneInterface(r *http.Request) (LinkCourse, error) {
	return s.askLink(r.Context(), r.PathValue("exporter"), r.PathValue("index"), r.URL.Query())
}

func (s *Server) askLink(ctx context.Context, exporter, index string, v url.Values) (a LinkCourse, err error) {
	link, err := query.ParseLink(exporter, index)
	if err != nil {
		return a, err
	}
	window, unknown := only(v, "from", "to", "tz", "step", "px")
	req, rg, _, err := s.resolve(window)
	if err != nil {
		return a, err
	}
	stmt := link.Counted(rg, s.names(ctx))
	res, stats, err := s.selectRows(ctx, stmt)
	if err != nil {
		return a, err
	}
	a = LinkCourse{From: rg.From, To: rg.To, Step: rg.Step, Times: rg.Times, Meta: costOf(stmt, stats, unknown, s.unreadable(ctx, []string{"counters"}, rg.From, rg.To)...)}
	if a.Counters, err = query.ReadCounted(rg, int(res.Rows), res.Column); err != nil {
		return a, unexpected(err)
	}
	a.Weeks, err = s.weeksCache.get(ctx, link.String()+" "+req.TZ, func() (*query.Weeks, error) { return s.askWeeks(ctx, link, req.TZ) })
	a.NearlyFull.Share = diagnosis.NearlyFull
	if err == nil && a.Weeks != nil && a.Weeks.Trend != nil {
		speed := s.linkSpeed(ctx, exporter, link.Index, v)
		a.NearlyFull.In, a.NearlyFull.Out = forecast(a.Weeks.Trend.In, speed), forecast(a.Weeks.Trend.Out, speed)
	}
	return a, err
}

// forecast returns when an interface of this speed is nearly full.
func forecast(t query.Trend, speed uint64) *InDays {
	days, level := t.NearlyFullIn(speed)
	if days == 0 {
		return nil
	}
	return &InDays{days, level}
}

// linkSpeed returns the speed of an interface from the list of interfaces for the same range, which clients
// that request one interface request as well; 0 if it is unknown.
func (s *Server) linkSpeed(ctx context.Context, exporter string, index uint32, v url.Values) uint64 {
	v, _ = only(v, "from", "to", "tz")
	v.Set("exporter", exporter)
	list, err := s.interfacesCache.get(ctx, s.keptUnder(v), func() (Interfaces, error) { return s.askInterfaces(ctx, v) })
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
		return nil, unexpected(err)
	}
	return weeks, nil
}

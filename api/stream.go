package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"netmeta/internal/problem"
	"netmeta/query"
)

// The live mode. A stream repeats the request, twice per step but at most once a second and for half of the
// time, and sends changes as server-sent events:
//	event: result    the whole result, as in /api/v1/query: at the start, when
//	                 the best series change, and every half minute
//	event: update    intervals that have changed since
//	event: problem   why there is no result at the moment; the stream continues
//
// A result is complete, so a page may discard earlier ones.

const (
	streamWhole = 30 * time.Second
	streamSlow  = time.Minute // maximum wait of a stream, unless its query takes longer
	maxStreams  = 64
)

var streamRoutes = []Route{{
	Method: "GET", Path: "/api/v1/stream", Need: Read, Scoped: true,
	Handler: written[struct{}]((*Server).stream).sends(Update{}),
	ID:      "stream", Summary: "The result of a query as it changes",
	Description: "The keys are those of /api/v1/query; to must be now. The query is repeated twice per step, but at most once a second and for half of the time. A pause is at most a minute, unless the query takes longer.",
	Parameters:  seriesParameters(unitKey),
	Answer: Answer{Description: "An endless stream.", Text: "text/event-stream",
		TextIs: "Server-sent events: result with the whole result of /api/v1/query, at the start, when the best series change, and every half minute; " +
			"update with the changed intervals, times, and for all series and totals, in the order of the last result, their points in those intervals and their figures; " +
			"problem if there is no result at the moment."},
}}

// Update is the changed intervals of all series and totals, in the order of the last result.
type Update struct {
	From    int64        `json:"from"`
	To      int64        `json:"to"`
	Times   []int64      `json:"times"` // of the intervals
	Series  []UpdateLine `json:"series"`
	Total   []UpdateLine `json:"total"`
	Other   int          `json:"other"`
	Through int64        `json:"through"`
	Partial Partial      `json:"partial"`
}

// UpdateLine is one of them: points of the changed intervals, figures of the whole.
type UpdateLine struct {
	Values query.Points `json:"values"`
	N      []uint64     `json:"n,omitempty"`
	Peaks  query.Points `json:"peaks,omitempty"`
	query.Stats
	Share  float64       `json:"share,omitempty"`
	Error  *float64      `json:"error,omitempty"`
	Folded int           `json:"folded,omitempty"`
	VS     *query.Versus `json:"vs,omitempty"`
}

func (s *Server) stream(w http.ResponseWriter, r *http.Request) error {
	req, rg, _, err := s.resolve(r.URL.Query())
	switch {
	case err != nil:
		return err
	case rg.To < s.now().Unix()-60:
		return query.Invalid("to", req.To, "is in the past, where nothing changes; write to=now")
	}
	if s.streams.Add(1) > maxStreams {
		s.streams.Add(-1)
		return &problem.Error{Status: http.StatusServiceUnavailable, Title: "too many streams", Detail: fmt.Sprintf("%d live pages is the maximum; close some", maxStreams)}
	}
	defer s.streams.Add(-1)
	first, err := s.ask(r.Context(), r.URL.Query())
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a buffering proxy would delay it
	out := events{w, http.NewResponseController(w)}
	if out.send("result", first) == nil {
		s.follow(r, out, first)
	}
	return nil
}

// follow sends changes after the first result, until the client disconnects.
func (s *Server) follow(r *http.Request, out events, first Result) {
	last, whole := first, time.Now()
	every := min(streamSlow, time.Duration(max(2, first.Step))*time.Second/2)
	wait := time.NewTimer(every)
	defer wait.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-wait.C:
		}
		begun := time.Now()
		now, err := s.ask(r.Context(), r.URL.Query())
		took := time.Since(begun)
		switch {
		case r.Context().Err() != nil:
			return
		case err != nil:
			err = out.send("problem", Problem{Type: "about:blank", Title: "no result", Status: http.StatusServiceUnavailable, Detail: err.Error()})
		case time.Since(whole) >= streamWhole || !sameSeries(last, now):
			whole = time.Now()
			err = out.send("result", now)
			last = now
		default:
			err = out.send("update", changed(last, now))
			last = now
		}
		if err != nil {
			return
		}
		wait.Reset(max(every-took, took))
	}
}

// events writes server-sent events.
type events struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

const streamWrite = 10 * time.Second // for a client to receive an event

func (e events) send(name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	e.control.SetWriteDeadline(time.Now().Add(streamWrite))
	if _, err := fmt.Fprintf(e.w, "event: %s\ndata: %s\n\n", name, text); err != nil {
		return err
	}
	return e.control.Flush()
}

// sameSeries reports that two results have the same groups in the same order, over intervals of the same
// length.
func sameSeries(a, b Result) bool {
	return a.Step == b.Step && slices.Equal(a.Dirs, b.Dirs) && slices.EqualFunc(a.Series, b.Series, func(x, y query.Series) bool {
		return x.Dir == y.Dir && x.Other == y.Other && x.Larger == y.Larger && slices.Equal(x.Key, y.Key)
	})
}

// changed returns the difference of a result from the previous one.
func changed(before, now Result) Update {
	at := map[int64]int{}
	for i, t := range before.Times {
		at[t] = i
	}
	u := Update{From: now.From, To: now.To, Times: []int64{}, Other: now.Other, Through: now.Meta.Through, Partial: now.Meta.Partial, Series: make([]UpdateLine, len(now.Series)), Total: make([]UpdateLine, len(now.Total))}
	var buckets []int
	for i, t := range now.Times {
		j, same := at[t]
		for k := 0; same && k < len(now.Series); k++ {
			same = now.Series[k].Values[i] == before.Series[k].Values[j] && now.Series[k].N[i] == before.Series[k].N[j]
		}
		if !same {
			buckets, u.Times = append(buckets, i), append(u.Times, t)
		}
	}
	for k, s := range now.Series {
		u.Series[k] = UpdateLine{Values: points(s.Values, buckets), N: points(s.N, buckets), Peaks: points(s.Peaks, buckets), Stats: s.Stats, Share: s.Share, Error: s.Error, Folded: s.Folded, VS: versusAt(s.VS, buckets)}
	}
	for k, t := range now.Total {
		u.Total[k] = UpdateLine{Values: points(t.Values, buckets), Peaks: points(t.Peaks, buckets), Stats: t.Stats, VS: versusAt(t.VS, buckets)}
	}
	return u
}

// points returns the points of some buckets; nil for nil.
func points[P ~[]E, E any](all P, buckets []int) P {
	if all == nil {
		return nil
	}
	some := make(P, len(buckets))
	for i, b := range buckets {
		some[i] = all[b]
	}
	return some
}

func versusAt(v *query.Versus, buckets []int) *query.Versus {
	if v == nil {
		return nil
	}
	some := *v
	some.Values, some.Min, some.Max = points(v.Values, buckets), points(v.Min, buckets), points(v.Max, buckets)
	return &some
}

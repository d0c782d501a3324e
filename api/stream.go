package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"netmeta/query"
)

// The live mode. A stream asks the request again and again, twice in each step but at most
// once a second and half of the time, and sends what changed as server-sent events:
//
//	event: result    the whole answer, as /api/v1/query gives it: at the beginning, when
//	                 other series win, and each half minute
//	event: update    the buckets that changed since
//	event: problem   why there is no answer at the moment; the stream goes on
//
// A result is complete in itself, so a page may throw away what it had.

const (
	streamWhole = 30 * time.Second
	streamSlow  = time.Minute // no stream waits longer, unless its question takes longer
	maxStreams  = 64
)

// update is the buckets that changed, of all series and totals in the order of the last
// result.
type update struct {
	From    int64        `json:"from"`
	To      int64        `json:"to"`
	Times   []int64      `json:"times"` // of the buckets
	Series  []updateLine `json:"series"`
	Total   []updateLine `json:"total"`
	Other   int          `json:"other"`
	Through int64        `json:"through"`
	Partial partial      `json:"partial"`
}

// An updateLine is one of them: points of the buckets that changed, figures of the whole.
type updateLine struct {
	Values query.Points `json:"values"`
	N      []uint64     `json:"n,omitempty"`
	Peaks  query.Points `json:"peaks,omitempty"`
	query.Figures
	Share  float64       `json:"share,omitempty"`
	Error  *float64      `json:"error,omitempty"`
	Folded int           `json:"folded,omitempty"`
	VS     *query.Versus `json:"vs,omitempty"`
}

func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	req, rg, _, err := s.resolve(r.URL.Query())
	switch {
	case err != nil:
		s.fail(w, r, err)
		return
	case rg.To < s.now().Unix()-60:
		s.fail(w, r, &query.KeyError{Key: "to", Value: req.To, Message: "is in the past, where nothing changes; write to=now"})
		return
	}
	if s.streams.Add(1) > maxStreams {
		s.streams.Add(-1)
		writeProblem(w, problem{Title: "too many streams", Status: http.StatusServiceUnavailable, Detail: fmt.Sprintf("%d pages are live, which is the most: close some", maxStreams)})
		return
	}
	defer s.streams.Add(-1)
	first, err := s.ask(r.Context(), r.URL.Query())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a proxy that collects would hold it back
	out := events{w, http.NewResponseController(w)}
	if out.send("result", first) != nil {
		return
	}
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
			err = out.send("problem", problem{Type: "about:blank", Title: "no answer at the moment", Status: http.StatusServiceUnavailable, Detail: err.Error()})
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

const streamWrite = 10 * time.Second // for a client to take an event

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

// sameSeries says that two answers have the same groups in the same order, over buckets
// of the same length.
func sameSeries(a, b answer) bool {
	return a.Step == b.Step && slices.Equal(a.Dirs, b.Dirs) && slices.EqualFunc(a.Series, b.Series, func(x, y query.Series) bool {
		return x.Dir == y.Dir && x.Other == y.Other && x.Larger == y.Larger && slices.Equal(x.Key, y.Key)
	})
}

// changed is what of an answer is not as in the one before.
func changed(before, now answer) update {
	at := map[int64]int{}
	for i, t := range before.Times {
		at[t] = i
	}
	u := update{From: now.From, To: now.To, Times: []int64{}, Other: now.Other, Through: now.Meta.Through, Partial: now.Meta.Partial, Series: make([]updateLine, len(now.Series)), Total: make([]updateLine, len(now.Total))}
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
		u.Series[k] = updateLine{Values: points(s.Values, buckets), N: points(s.N, buckets), Peaks: points(s.Peaks, buckets), Figures: s.Figures, Share: s.Share, Error: s.Error, Folded: s.Folded, VS: versusAt(s.VS, buckets)}
	}
	for k, t := range now.Total {
		u.Total[k] = updateLine{Values: points(t.Values, buckets), Peaks: points(t.Peaks, buckets), Figures: t.Figures, VS: versusAt(t.VS, buckets)}
	}
	return u
}

// points are those of some buckets; nil of nil.
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

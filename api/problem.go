package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"netmeta/filter"
	"netmeta/internal/problem"
	"netmeta/store"
)

// Problem is an error in the form of RFC 9457; the members after detail are extensions.
type Problem struct {
	Type string `json:"type"` // Always about:blank.
	// What kind of error.
	Title string `json:"title"`
	// HTTP status.
	Status int `json:"status"`
	// What is wrong, and the fix.
	Detail string `json:"detail,omitempty"`
	// The invalid key of the request.
	Key string `json:"key,omitempty"`
	// First and last+1 byte of the invalid part of the filter.
	Span *[2]int `json:"span,omitempty"`
	// What is possible there.
	Expected []string `json:"expected,omitempty"`
	// What was probably meant.
	Suggestion string `json:"suggestion,omitempty"`
}

func writeProblem(w http.ResponseWriter, p Problem) {
	p.Type = "about:blank"
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "3")
	}
	write(w, "application/problem+json", p.Status, p)
}

// unexpected marks a fault of NetMeta: an unexpected response of the store.
func unexpected(err error) error {
	return &problem.Error{Status: http.StatusInternalServerError, Title: "internal error", Detail: err.Error()}
}

// fail responds with the problem for an error.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && !errors.Is(err, errStalled) { // the client has disconnected
		return
	}
	p := problemOf(err)
	log := s.Log.With("path", r.URL.Path, "query", fmt.Sprintf("%.300s", r.URL.RawQuery), "err", err)
	switch {
	case p.Status == http.StatusInternalServerError:
		log.Error(p.Title)
	case !errors.As(err, new(*problem.Error)) && p.Status > http.StatusInternalServerError:
		log.Warn(p.Title)
	}
	writeProblem(w, p)
}

// problemOf returns the problem for an error. An unknown error comes from the connection to the store.
func problemOf(err error) Problem {
	var (
		known     *problem.Error
		badFilter *filter.Error
		exception *store.Exception
	)
	switch {
	case errors.As(err, &known):
		return Problem{Title: known.Title, Status: known.Status, Detail: err.Error(), Key: known.Key}
	case errors.As(err, &badFilter):
		return Problem{Title: "invalid filter", Status: http.StatusBadRequest, Detail: badFilter.Message,
			Key: "q", Span: &badFilter.Span, Expected: badFilter.Expected, Suggestion: badFilter.Suggestion}
	case errors.As(err, &exception):
		if p, ok := refusals[exception.Code]; ok {
			return p
		}
		return Problem{Title: "query rejected", Status: http.StatusBadGateway, Detail: exception.Message}
	case errors.Is(err, context.DeadlineExceeded):
		return tooLong
	}
	return Problem{Title: "store not responding", Status: http.StatusServiceUnavailable,
		Detail: "the store is not responding; retry in a few seconds"}
}

var tooLong = Problem{Title: "query took too long", Status: http.StatusGatewayTimeout,
	Detail: fmt.Sprintf("the query ran longer than %.0f s", queryTimeout.Seconds()) + "; use a shorter range or a narrower filter"}

// refusals are errors of the store with a remedy, by ClickHouse error code.
var refusals = map[int]Problem{
	159: tooLong,                                                                                    // TIMEOUT_EXCEEDED
	394: {Title: "query cancelled", Status: http.StatusConflict, Detail: "the query was cancelled"}, // QUERY_WAS_CANCELLED
	202: {Title: "too many queries", Status: http.StatusServiceUnavailable, // TOO_MANY_SIMULTANEOUS_QUERIES
		Detail: "query limit reached; retry in a few seconds"},
	241: {Title: "memory limit exceeded", Status: http.StatusInsufficientStorage, // MEMORY_LIMIT_EXCEEDED
		Detail: "the query exceeds its memory limit; use a shorter range, a narrower filter or fewer groups"},
}

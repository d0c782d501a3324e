// Package api is how others ask: the HTTP interface that the page, scripts and
// monitoring use. openapi.json describes it, and a test holds the two together.
// Errors are problem+json (RFC 9457).
package api

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"netmeta/query"
	"netmeta/store"
)

//go:embed openapi.json
var openAPI []byte

// Limits of one query. The engine enforces them.
const (
	queryTimeout = 60 * time.Second
	bodyLimit    = 64 << 10
)

// A Server answers the API. Its fields are set before Handler is called.
type Server struct {
	Store   *store.Client               // as the read-only user
	Schema  query.Schema                // of the flows table
	Status  func() Status               // what the process itself knows; the server adds what the store knows
	Ready   func(context.Context) error // why the process is not ready, or nil
	Metrics http.Handler                // Prometheus
	Page    http.Handler                // everything that is not the API
	Log     *slog.Logger
	Now     func() time.Time // tests; nil: time.Now

	values catalogue
}

// Handler routes requests.
func (s *Server) Handler() http.Handler {
	s.values.store = s.Store
	mux := http.NewServeMux()
	for pattern, h := range s.routes() {
		mux.HandleFunc(pattern, h)
	}
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, problem{Title: "no such resource", Status: http.StatusNotFound, Detail: r.Method + " " + r.URL.Path + " is not in the API: see /api/v1/openapi.json"})
	})
	mux.Handle("GET /metrics", s.Metrics)
	mux.Handle("/", s.Page)
	return mux
}

func (s *Server) routes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /api/v1/query":            s.query,
		"GET /api/v1/fields":           s.fields,
		"GET /api/v1/filter/check":     s.check,
		"POST /api/v1/filter/check":    s.check,
		"GET /api/v1/filter/complete":  s.complete,
		"POST /api/v1/filter/complete": s.complete,
		"GET /api/v1/status":           s.status,
		"GET /api/v1/openapi.json":     s.openAPI,
		"GET /healthz":                 s.healthz,
		"GET /readyz":                  s.readyz,
	}
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Server) openAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Write(openAPI)
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]string{"status": "ok"})
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		writeProblem(w, problem{Title: "not ready", Status: http.StatusServiceUnavailable, Detail: err.Error()})
		return
	}
	writeJSON(w, map[string]string{"status": "ok"})
}

// A problem is an error as RFC 9457 writes it; the last three members are ours, for
// errors in filters.
type problem struct {
	Type       string   `json:"type"`
	Title      string   `json:"title"`
	Status     int      `json:"status"`
	Detail     string   `json:"detail,omitempty"`
	Key        string   `json:"key,omitempty"`
	Span       *[2]int  `json:"span,omitempty"`
	Expected   []string `json:"expected,omitempty"`
	Suggestion string   `json:"suggestion,omitempty"`
}

func writeProblem(w http.ResponseWriter, p problem) {
	p.Type = "about:blank"
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}

// fail answers with the problem that an error stands for.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var (
		filter    *query.FilterError
		key       *query.KeyError
		exception *store.Exception
	)
	switch {
	case r.Context().Err() != nil: // the client has gone: nobody reads the answer
		return
	case errors.As(err, &filter):
		writeProblem(w, problem{Title: "filter not understood", Status: http.StatusBadRequest, Detail: filter.Message,
			Key: "q", Span: &filter.Span, Expected: filter.Expected, Suggestion: filter.Suggestion})
	case errors.As(err, &key):
		writeProblem(w, problem{Title: "request not understood", Status: http.StatusBadRequest, Detail: key.Error(), Key: key.Key})
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &exception) && exception.Code == 159:
		writeProblem(w, problem{Title: "query took too long", Status: http.StatusGatewayTimeout,
			Detail: "the query ran longer than " + queryTimeout.String() + ": narrow the time range or the filter"})
	case errors.As(err, &exception):
		s.Log.Error("query failed", "path", r.URL.Path, "err", err)
		writeProblem(w, problem{Title: "the store refused the query", Status: http.StatusBadGateway, Detail: exception.Message})
	default:
		s.Log.Error("request failed", "path", r.URL.Path, "err", err)
		writeProblem(w, problem{Title: "the store does not answer", Status: http.StatusServiceUnavailable,
			Detail: "the store does not answer at the moment; it is restarted by itself: try again in a few seconds"})
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err := json.NewEncoder(w).Encode(v); err != nil && !strings.Contains(err.Error(), "broken pipe") {
		slog.Debug("answer not written", "err", err)
	}
}

// argument reads a text of a GET query or of the JSON body of a POST.
func arguments(w http.ResponseWriter, r *http.Request) (func(name string) string, error) {
	if r.Method == http.MethodGet {
		return r.URL.Query().Get, nil
	}
	var body map[string]any
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyLimit)).Decode(&body); err != nil {
		return nil, &query.KeyError{Key: "body", Value: "", Message: "send a JSON object: " + err.Error()}
	}
	return func(name string) string {
		switch v := body[name].(type) {
		case string:
			return v
		case float64:
			return strconv.Itoa(int(v))
		}
		return ""
	}, nil
}

func (s *Server) fields(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, struct {
		Fields []query.FieldInfo `json:"fields"`
		Units  []query.UnitInfo  `json:"units"`
	}{query.FieldsCatalogue(), query.Units()})
}

func (s *Server) check(w http.ResponseWriter, r *http.Request) {
	arg, err := arguments(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, query.Check(arg("q"), s.Schema))
}

func (s *Server) complete(w http.ResponseWriter, r *http.Request) {
	arg, err := arguments(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	text := arg("text")
	cursor, err := strconv.Atoi(arg("cursor"))
	if err != nil || cursor < 0 || cursor > len(text) {
		cursor = len(text)
	}
	writeJSON(w, query.Complete(text, cursor, s.Schema, s.values.source(r.Context())))
}

// Package api is the HTTP interface for the web UI, scripts and monitoring. One table of routes (Routes) has
// every method and path; openapi.json and the types of the web UI are generated from it. Errors are
// problem+json (RFC 9457).
package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"netmeta/access"
	"netmeta/query"
	"netmeta/sender"
	"netmeta/store"
	"netmeta/view"
)

// Limits of one request. The engine enforces the time limit of a query.
const (
	queryTimeout = 60 * time.Second
)

var queryTimeoutText = strconv.Itoa(int(queryTimeout / time.Second))

// Server serves the API. It lives as long as the process and keeps its caches. Its fields are set before
// Handler is called; Configure sets the configuration, at any time.
type Server struct {
	Store   *store.Client   // as the read-only user
	Writer  *store.Client   // as the user that may write: events, and to cancel queries
	Views   *view.Views     // saved views
	Links   *view.Links     // short names of long addresses
	Senders *sender.Senders // decisions about senders
	Process Process
	Control Control
	Metrics http.Handler // Prometheus
	Page    http.Handler // everything that is not the API
	Log     *slog.Logger
	Now     func() time.Time // tests; nil: time.Now

	// Identify returns the caller of a request. nil: an anonymous one, who may see everything.
	Identify func(*http.Request) access.Identity

	configured atomic.Pointer[configured]

	bodyTimeout time.Duration // for tests; 0: the constant

	values          *catalogue
	facetsCache     cache[Facets]
	interfacesCache cache[Interfaces]
	weeksCache      cache[*query.Weeks]
	coverageCache   cache[map[string]map[string]float64]
	explainCache    cache[Explanation]
	spanCache       cache[span]
	tables          tableState
	storedRows      storedRows
	streams         atomic.Int32  // open streams
	speed           atomic.Uint64 // rows that the store reads per millisecond; 0: unknown yet
}

// Process is the running NetMeta.
type Process interface {
	// Status returns the state of the process; the server adds that of the store.
	Status() Status
	// Samplings returns the sampling rates by "address type" of exporters.
	Samplings() map[string][]Sampling
	// Undecoded returns samples of datagrams that were not decoded completely, by the same key.
	Undecoded() map[string]*Sample
	// KeepFree returns the disk space to leave free.
	KeepFree() store.DiskShare
	// StaleRollups returns times, from and to, for which the rollups lack rows.
	StaleRollups(context.Context) ([][2]int64, error)
	// Ready returns why the process is not ready, or nil.
	Ready(context.Context) error
}

// Control changes the running NetMeta.
type Control interface {
	// Config returns the configuration in force, without secrets.
	Config() any
	// Reload reads the configuration again; the error says what is wrong with it.
	Reload() (ReloadResult, error)
	// SetDemo starts or stops simulated exporters; the error says why that is impossible now.
	SetDemo(run bool) error
}

// Settings are the parts of the configuration that the API needs. They are immutable: a reload sets others.
type Settings struct {
	Schema query.Schema // names and macros; the server adds the state of the tables
	Hosts  []string     // host names of the web UI, besides addresses and localhost
}

// configured are settings with a counter of changes.
type configured struct {
	Settings
	generation int
}

// Configure sets the configuration, at the start and after each reload. Caches, open streams and limits
// remain.
func (s *Server) Configure(next Settings) {
	generation := 1
	if old := s.configured.Load(); old != nil {
		generation += old.generation
	}
	s.configured.Store(&configured{next, generation})
}

// settings returns the current settings.
func (s *Server) settings() configured {
	if c := s.configured.Load(); c != nil {
		return *c
	}
	return configured{}
}

// names returns the configured names, with the scope of the caller. Statements that do not depend on the
// state of the tables are made with it, the others with schema.
func (s *Server) names(ctx context.Context) query.Schema {
	out := s.settings().Schema
	out.Scope = access.From(ctx).Scope
	return out
}

// Handler answers requests.
func (s *Server) Handler() http.Handler {
	s.values = newCatalogue(s.reader)
	s.weeksCache.age = weeksAge
	s.interfacesCache.size = 16 // a result may be 3 MB
	s.coverageCache.age = time.Minute
	return s.guard(withTag(s.mux()))
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Server) writeJSON(w http.ResponseWriter, v any) {
	if err := write(w, "application/json", http.StatusOK, v); err != nil {
		s.Log.Debug("answer not written", "err", err) // the client has disconnected
	}
}

// write sends JSON. The response must not be cached.
func write(w http.ResponseWriter, contentType string, status int, v any) error {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(v)
}

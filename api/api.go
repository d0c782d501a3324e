// Package api is how others ask: the HTTP interface that the page, scripts and
// monitoring use. One table of routes (Routes) has every method and path; openapi.json and
// the types of the page are made from it. Errors are problem+json (RFC 9457).
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

// Limits of one request. The engine enforces that of a query.
const (
	queryTimeout = 60 * time.Second
)

var queryTimeoutText = strconv.Itoa(int(queryTimeout / time.Second))

// A Server answers the API. It lives as long as the process and keeps what it has learnt.
// Its fields are set before Handler is called; what the configuration says of it is set
// with Configure, at any time.
type Server struct {
	Store   *store.Client   // as the read-only user
	Writer  *store.Client   // as the user that may write: events, and to end queries
	Views   *view.Views     // saved ones
	Links   *view.Links     // short names of long addresses
	Senders *sender.Senders // what was decided about who sends
	Process Process
	Control Control
	Metrics http.Handler // Prometheus
	Page    http.Handler // everything that is not the API
	Log     *slog.Logger
	Now     func() time.Time // tests; nil: time.Now

	// Identify says who makes a request. nil: anybody, who may see everything.
	Identify func(*http.Request) access.Who

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
	streams         atomic.Int32  // that are open
	speed           atomic.Uint64 // rows that the store reads in a millisecond; 0: not known yet
}

// A Process is the running NetMeta, as it tells of itself.
type Process interface {
	// Status is what the process knows; the server adds what the store knows.
	Status() Status
	// Samplings are the sampling rates by "address type" of exporters.
	Samplings() map[string][]Sampling
	// Undecoded are beginnings of datagrams of which something was not decoded, by the same.
	Undecoded() map[string]*Sample
	// KeepFree is how much of the disk is left free.
	KeepFree() store.DiskShare
	// StaleRollups are times, from and to, of which the rollups lack rows.
	StaleRollups(context.Context) ([][2]int64, error)
	// Ready is why the process is not ready, or nil.
	Ready(context.Context) error
}

// Control acts on the running NetMeta.
type Control interface {
	// Config is the configuration that runs, without secrets.
	Config() any
	// Reload reads the configuration again; the error says what is wrong with it.
	Reload() (Reloaded, error)
	// SetDemo starts or stops simulated exporters; the error says why that cannot be now.
	SetDemo(run bool) error
}

// Settings are what the configuration says to the API. They are not changed: a reload sets
// others.
type Settings struct {
	Schema query.Schema // names and macros; the server adds what the store knows of its tables
	Hosts  []string     // names under which the page is reached, besides addresses and localhost
}

// configured are the settings with how often they were set.
type configured struct {
	Settings
	generation int
}

// Configure sets what the configuration says, at the start and after each reload. What the
// server has learnt of the store, open streams and limits stay.
func (s *Server) Configure(next Settings) {
	generation := 1
	if old := s.configured.Load(); old != nil {
		generation += old.generation
	}
	s.configured.Store(&configured{next, generation})
}

// settings are those of now.
func (s *Server) settings() configured {
	if c := s.configured.Load(); c != nil {
		return *c
	}
	return configured{}
}

// names is what the configuration calls things, with the scope of who asks. Statements that
// do not need to know the tables are made with it, the others with schema.
func (s *Server) names(ctx context.Context) query.Schema {
	out := s.settings().Schema
	out.Scope = access.From(ctx).Scope
	return out
}

// Handler answers requests.
func (s *Server) Handler() http.Handler {
	s.values = newCatalogue(s.reader)
	s.weeksCache.age = weeksAge
	s.interfacesCache.size = 16 // an answer may be 3 MB
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
		s.Log.Debug("answer not written", "err", err) // the client has gone
	}
}

// write sends JSON. What it says is of this moment.
func write(w http.ResponseWriter, contentType string, status int, v any) error {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(v)
}

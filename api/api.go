// Package api is how others ask: the HTTP interface that the page, scripts and
// monitoring use. openapi.json describes it, and a test holds the two together.
// Errors are problem+json (RFC 9457).
package api

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"netmeta/event"
	"netmeta/filter"
	"netmeta/query"
	"netmeta/sender"
	"netmeta/store"
	"netmeta/view"
)

//go:embed openapi.json
var openAPI []byte

// Limits of one request. The engine enforces that of a query.
const (
	queryTimeout = 60 * time.Second
)

var queryTimeoutText = strconv.Itoa(int(queryTimeout / time.Second))

// A Server answers the API. Its fields are set before Handler is called.
type Server struct {
	Store   *store.Client                             // as the read-only user
	Writer  *store.Client                             // as the user that may write: events, and to end queries
	Views   *view.Views                               // saved ones
	Links   *view.Links                               // short names of long addresses
	Senders *sender.Senders                           // what was decided about who sends
	Schema  query.Schema                              // of the flows table
	Status  func() Status                             // what the process itself knows; the server adds what the store knows
	Sampled func() map[string][]Sampling              // sampling rates by "address type" of exporters
	Samples func() map[string]*Sample                 // what was not decoded, by the same
	Keep    func() store.Room                         // how much of the disk is left free; nil: nothing
	Stale   func(context.Context) ([][2]int64, error) // times of which the rollups lack rows, see store.Roller; nil: not known
	Config  func() any                                // the configuration, without secrets
	Reload  func() (Reloaded, error)                  // reads the configuration again; the error says what is wrong with it
	Demo    func(run bool) error                      // starts or stops simulated exporters; the error says why that cannot be now
	Ready   func(context.Context) error               // why the process is not ready, or nil
	Metrics http.Handler                              // Prometheus
	Page    http.Handler                              // everything that is not the API
	Log     *slog.Logger
	Hosts   []string         // names under which the page is reached, besides addresses and localhost
	Now     func() time.Time // tests; nil: time.Now

	bodyTimeout time.Duration // for tests; 0: the constant

	values          *catalogue
	facetsCache     cache[facetsAnswer]
	interfacesCache cache[interfacesAnswer]
	weeksCache      cache[*query.Weeks]
	coverageCache   cache[map[string]map[string]float64]
	tables          tableState
	storedRows      storedRows
	explainCache    cache[explanation]
	streams         atomic.Int32  // that are open
	speed           atomic.Uint64 // rows that the store reads in a millisecond; 0: not known yet
}

// Handler routes requests.
func (s *Server) Handler() http.Handler {
	s.values = newCatalogue(s.Store, s.Schema)
	s.weeksCache.age = weeksAge
	s.interfacesCache.size = 16 // an answer may be 3 MB
	s.coverageCache.age = time.Minute
	mux := http.NewServeMux()
	for pattern, h := range s.routes() {
		mux.HandleFunc(pattern, h)
	}
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		methods := s.methods(r.URL.Path)
		if len(methods) > 0 {
			w.Header().Set("Allow", strings.Join(methods, ", "))
			writeProblem(w, problem{Title: "no such method", Status: http.StatusMethodNotAllowed, Detail: r.URL.Path + " takes " + strings.Join(methods, " and ")})
			return
		}
		writeProblem(w, problem{Title: "no such resource", Status: http.StatusNotFound, Detail: r.Method + " " + r.URL.Path + " is not in the API: see /api/v1/openapi.json"})
	})
	mux.Handle("GET /metrics", s.Metrics)
	mux.HandleFunc("GET /help/filter", s.helpFilter)
	mux.HandleFunc("GET /help/api", s.helpAPI)
	mux.HandleFunc("GET /help/style.css", helpStyle)
	mux.Handle("GET /help/{$}", http.RedirectHandler("/help/filter", http.StatusFound))
	mux.Handle("/", s.Page)
	return s.guard(withTag(mux))
}

// methods are those that a path of the API takes.
func (s *Server) methods(path string) (list []string) {
	for pattern := range s.routes() {
		if method, p, _ := strings.Cut(pattern, " "); samePath(p, path) {
			list = append(list, method)
		}
	}
	slices.Sort(list)
	return list
}

// samePath says that a path is of a pattern: part by part, with {name} for any.
func samePath(pattern, path string) bool {
	a, b := strings.Split(pattern, "/"), strings.Split(path, "/")
	return len(a) == len(b) && !slices.ContainsFunc(a, func(part string) bool {
		other := b[0]
		b = b[1:]
		return part != other && !(strings.HasPrefix(part, "{") && other != "")
	})
}

// guard refuses what a web page of somebody else makes a browser send here. There are
// no logins, so the browser of somebody who may see the data must not fetch them for
// others: neither under a foreign name that was made to point here (DNS rebinding),
// nor from a foreign page.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody { // it has come whole: the server's limit must not end its answer
			http.NewResponseController(w).SetReadDeadline(time.Time{})
		}
		if host := hostOf(r); tells(r.URL.Path) && !s.knownAs(host) {
			writeProblem(w, problem{Title: "unknown host", Status: http.StatusMisdirectedRequest,
				Detail: "this server is not known as " + strconv.Quote(host) + ": add the name to http.hosts in the configuration, or use the address"})
			return
		}
		if !strings.HasPrefix(r.URL.Path, "/api/") { // what follows is for data, and for what changes something
			next.ServeHTTP(w, r)
			return
		}
		if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
			writeProblem(w, problem{Title: "foreign page", Status: http.StatusForbidden, Detail: "a page of another site may not ask"})
			return
		}
		// Browsers send the header above to trustworthy origins only. What changes something
		// is told from its Origin as well.
		if foreign.Check(r) != nil {
			writeProblem(w, problem{Title: "foreign page", Status: http.StatusForbidden, Detail: "a page of another site may not change anything"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// tells reports whether a path gives away something of the network or of this server. The
// files of the page and /healthz do not.
func tells(path string) bool {
	return strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/s/") || path == "/metrics" || path == "/readyz"
}

// hostOf returns the name that a request calls this server by, without the port.
func hostOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		return host
	}
	return r.Host
}

// knownAs reports whether the server goes by a name: any address, localhost, or a name of
// the configuration.
func (s *Server) knownAs(host string) bool {
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil || host == "" || host == "localhost" || slices.Contains(s.Hosts, host)
}

var foreign = http.NewCrossOriginProtection()

func (s *Server) routes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /api/v1/query":                         s.query,
		"GET /api/v1/query.csv":                     s.queryCSV,
		"GET /api/v1/facets":                        s.facets,
		"GET /api/v1/flows":                         s.flows,
		"GET /api/v1/explain":                       s.explain,
		"GET /api/v1/stream":                        s.stream,
		"GET /api/v1/estimate":                      s.estimate,
		"GET /api/v1/queries":                       s.queries,
		"DELETE /api/v1/queries/{id}":               s.endQuery,
		"GET /api/v1/events":                        s.listEvents,
		"POST /api/v1/events":                       s.addEvent,
		"DELETE /api/v1/events/{id}":                s.deleteEvent,
		"GET /api/v1/views":                         s.listViews,
		"POST /api/v1/views":                        s.addView,
		"GET /api/v1/views/{slug}":                  s.getView,
		"PUT /api/v1/views/{slug}":                  s.putView,
		"DELETE /api/v1/views/{slug}":               s.deleteView,
		"POST /api/v1/links":                        s.addLink,
		"GET /api/v1/senders":                       s.listSenders,
		"POST /api/v1/senders":                      s.decideSenders,
		"GET /s/{name}":                             s.followLink,
		"GET /api/v1/fields":                        s.fields,
		"GET /api/v1/filter/check":                  s.check,
		"POST /api/v1/filter/check":                 s.check,
		"GET /api/v1/filter/complete":               s.complete,
		"POST /api/v1/filter/complete":              s.complete,
		"GET /api/v1/status":                        s.status,
		"GET /api/v1/exporters":                     s.exporters,
		"GET /api/v1/interfaces":                    s.interfaces,
		"GET /api/v1/interfaces/{exporter}/{index}": s.oneInterface,
		"GET /api/v1/config":                        s.config,
		"POST /api/v1/config/reload":                s.reload,
		"POST /api/v1/demo":                         s.startDemo,
		"DELETE /api/v1/demo":                       s.stopDemo,
		"GET /api/v1/openapi.json":                  s.openAPI,
		"GET /healthz":                              s.healthz,
		"GET /readyz":                               s.readyz,
	}
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Server) openAPI(w http.ResponseWriter, _ *http.Request) {
	s.writeJSON(w, json.RawMessage(openAPI))
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	s.writeJSON(w, map[string]string{"status": "ok"})
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		writeProblem(w, problem{Title: "not ready", Status: http.StatusServiceUnavailable, Detail: err.Error()})
		return
	}
	s.writeJSON(w, map[string]string{"status": "ok"})
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
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "3")
	}
	write(w, "application/problem+json", p.Status, p)
}

// An unexpectedError is a mistake of ours: an answer that the query package did not
// ask for.
type unexpectedError struct{ error }

// fail answers with the problem that an error stands for.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var (
		badFilter  *filter.Error
		key        *query.KeyError
		exception  *store.Exception
		unexpected unexpectedError
		badEvent   *event.Error
		badView    *view.Error
		badLink    *view.LinkError
		badSender  *sender.Error
	)
	switch {
	case errors.Is(err, errStalled): // before the context, which the same deadline has ended
		w.Header().Set("Connection", "close") // the rest of the body may still come
		writeProblem(w, problem{Title: "body stalled", Status: http.StatusRequestTimeout, Detail: fmt.Sprintf("the body of the request did not arrive within %.0f s; send all of it at once", bodyTimeout.Seconds())})
	case r.Context().Err() != nil: // the client has gone: nobody reads the answer
		return
	case errors.As(err, &badFilter):
		writeProblem(w, problem{Title: "filter not understood", Status: http.StatusBadRequest, Detail: badFilter.Message,
			Key: "q", Span: &badFilter.Span, Expected: badFilter.Expected, Suggestion: badFilter.Suggestion})
	case errors.As(err, &key):
		writeProblem(w, problem{Title: "request not understood", Status: http.StatusBadRequest, Detail: key.Error(), Key: key.Key})
	case errors.As(err, &badEvent):
		writeProblem(w, problem{Title: "event not understood", Status: http.StatusBadRequest, Detail: badEvent.Error(), Key: badEvent.Key})
	case errors.As(err, &badView):
		writeProblem(w, problem{Title: "view not understood", Status: http.StatusBadRequest, Detail: badView.Error(), Key: badView.Key})
	case errors.As(err, &badLink):
		writeProblem(w, problem{Title: "link not understood", Status: http.StatusBadRequest, Detail: badLink.Error(), Key: "address"})
	case errors.As(err, &badSender):
		writeProblem(w, problem{Title: "decision not understood", Status: http.StatusBadRequest, Detail: badSender.Error(), Key: badSender.Key})
	case errors.Is(err, sender.ErrConfigured):
		writeProblem(w, problem{Title: "sender not ignored", Status: http.StatusConflict, Detail: err.Error(), Key: "addresses"})
	case errors.Is(err, sender.ErrFull):
		writeProblem(w, problem{Title: "no room for decisions", Status: http.StatusInsufficientStorage, Detail: err.Error()})
	case errors.Is(err, event.ErrNotFound):
		writeProblem(w, problem{Title: "no such event", Status: http.StatusNotFound, Detail: err.Error()})
	case errors.Is(err, view.ErrNotFound):
		writeProblem(w, problem{Title: "no such view", Status: http.StatusNotFound, Detail: err.Error()})
	case errors.Is(err, view.ErrTaken):
		writeProblem(w, problem{Title: "slug taken", Status: http.StatusConflict, Detail: err.Error(), Key: "slug"})
	case errors.Is(err, view.ErrProvisioned), errors.Is(err, view.ErrNotOwner):
		writeProblem(w, problem{Title: "view not changed", Status: http.StatusForbidden, Detail: err.Error(), Key: "slug"})
	case errors.Is(err, view.ErrFull):
		writeProblem(w, problem{Title: "no room for links", Status: http.StatusInsufficientStorage, Detail: err.Error()})
	case errors.Is(err, view.ErrWrite), errors.Is(err, sender.ErrWrite):
		s.Log.Error("not saved", "path", r.URL.Path, "err", err)
		writeProblem(w, problem{Title: "not saved", Status: http.StatusInternalServerError, Detail: err.Error()})
	case errors.As(err, &unexpected):
		s.Log.Error("query not answered", "path", r.URL.Path, "query", fmt.Sprintf("%.300s", r.URL.RawQuery), "err", err)
		writeProblem(w, problem{Title: "internal error", Status: http.StatusInternalServerError, Detail: err.Error()})
	case errors.As(err, &exception):
		s.Log.Warn("query failed", "path", r.URL.Path, "query", fmt.Sprintf("%.300s", r.URL.RawQuery), "err", err)
		switch exception.Code {
		case 159: // TIMEOUT_EXCEEDED
			writeProblem(w, tooLong)
		case 394: // QUERY_WAS_CANCELLED
			writeProblem(w, problem{Title: "query ended", Status: http.StatusConflict, Detail: "somebody ended the query while it ran"})
		case 202: // TOO_MANY_SIMULTANEOUS_QUERIES
			writeProblem(w, problem{Title: "too many queries", Status: http.StatusServiceUnavailable, Detail: "the store answers as many queries as it may: try again in a few seconds"})
		case 241: // MEMORY_LIMIT_EXCEEDED
			writeProblem(w, problem{Title: "query needs too much memory", Status: http.StatusInsufficientStorage,
				Detail: "the query needs more memory than it may have: narrow the time range or the filter, or group by less"})
		default:
			writeProblem(w, problem{Title: "the store refused the query", Status: http.StatusBadGateway, Detail: exception.Message})
		}
	case errors.Is(err, context.DeadlineExceeded):
		writeProblem(w, tooLong)
	default:
		s.Log.Warn("store away", "path", r.URL.Path, "err", err)
		writeProblem(w, problem{Title: "the store does not answer", Status: http.StatusServiceUnavailable,
			Detail: "the store does not answer at the moment; it is restarted by itself: try again in a few seconds"})
	}
}

var tooLong = problem{Title: "query took too long", Status: http.StatusGatewayTimeout,
	Detail: fmt.Sprintf("the query ran longer than %.0f s", queryTimeout.Seconds()) + ": narrow the time range or the filter"}

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

// arguments gives the texts of the URL or, of a POST, of the JSON object in its body.
func (s *Server) arguments(w http.ResponseWriter, r *http.Request) (func(name string) string, error) {
	if r.Method != http.MethodPost {
		return r.URL.Query().Get, nil
	}
	var body map[string]any
	if err := s.decodeBody(w, r, &body, false); err != nil {
		return nil, err
	}
	return func(name string) string {
		switch v := body[name].(type) {
		case string:
			return v
		case float64:
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
		return ""
	}, nil
}

func (s *Server) fields(w http.ResponseWriter, _ *http.Request) {
	s.writeJSON(w, struct {
		Fields []filter.FieldInfo `json:"fields"`
		Units  []query.UnitInfo   `json:"units"`
	}{filter.Catalogue(), query.Units()})
}

func (s *Server) check(w http.ResponseWriter, r *http.Request) {
	arg, err := s.arguments(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.writeJSON(w, filter.Check(arg("q"), s.Schema.Names))
}

func (s *Server) complete(w http.ResponseWriter, r *http.Request) {
	arg, err := s.arguments(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	text := arg("text")
	cursor, err := strconv.Atoi(arg("cursor"))
	if err != nil || cursor < 0 || cursor > len(text) {
		cursor = len(text)
	}
	s.writeJSON(w, filter.Complete(text, cursor, s.Schema.Names, s.values.source(r.Context())))
}

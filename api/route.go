package api

import (
	"net/http"
	"reflect"
	"slices"
	"strings"

	"netmeta/access"
	"netmeta/internal/problem"
)

// Route is one method of one path: the right that a caller needs, its handler, and its description in
// openapi.json and the types of the web UI. Each file of this package has the routes of its resource.
type Route struct {
	Method, Path string // as in http.ServeMux
	Need         Right
	Scoped       bool // also serves callers with a scope, with their rows; otherwise they get status 403
	Handler

	ID          string      // name of the operation; empty: a page, which is not described
	Summary     string      // one line
	Description string      // details
	Parameters  []Parameter // keys of the URL, parts of the path, headers
	Example     any         // body of a request
	Answer      Answer
	Problems    map[int]string // meaning of a status here, besides those of every route
}

// Right is what a caller must be allowed to do.
type Right string

const (
	Public  Right = "public"  // reveals nothing about the network: whether the process lives, the help
	Read    Right = "read"    // traffic, and the state of the system
	Change  Right = "change"  // data shared by readers: events, views, links
	Operate Right = "operate" // what the running NetMeta does: its configuration, senders, the demo, queries of others
)

// Rights are all rights.
var Rights = []Right{Public, Read, Change, Operate}

// Parameter is a value in a request outside of its body.
type Parameter struct {
	Name        string
	In          string // query, path or header
	Type        string // string or integer
	Minimum     *int   // nil: none
	Description string
	Example     any // nil: none
}

// textKey is a key of the URL.
func textKey(name, description string) Parameter {
	return Parameter{Name: name, In: "query", Type: "string", Description: description}
}

// integerKey is a key of the URL that is an integer.
func integerKey(name, description string) Parameter {
	return Parameter{Name: name, In: "query", Type: "integer", Description: description}
}

// pathPart is a part of the path.
func pathPart(name, description string) Parameter {
	return Parameter{Name: name, In: "path", Type: "string", Description: description}
}

// as returns the parameter with an example.
func (p Parameter) as(example any) Parameter {
	p.Example = example
	return p
}

// Answer describes the successful response of a route.
type Answer struct {
	Status      int      // 0: 200, or 204 if there is no body
	Description string   // empty: the result
	Example     any      // nil: none
	Text        string   // media type of a response that is text and not JSON
	TextIs      string   // content of the text
	Also        []string // other possible media types of the same
}

// Handler handles a request. In and Out are the types of the JSON in the two bodies; nil: none, or none with
// described members.
type Handler struct {
	In, Out reflect.Type
	Events  []reflect.Type // of a stream, types that only it sends

	serve func(*Server, http.ResponseWriter, *http.Request) error
}

// answer makes a handler of a function that returns the response.
func answer[Out any](f func(*Server, *http.Request) (Out, error)) Handler {
	return Handler{Out: reflect.TypeFor[Out](), serve: func(s *Server, w http.ResponseWriter, r *http.Request) error {
		out, err := f(s, r)
		if err == nil {
			s.writeJSON(w, out)
		}
		return err
	}}
}

// take makes a handler of a function with a JSON object, which must have no members but those of In, and a
// JSON response.
func take[In, Out any](f func(*Server, *http.Request, In) (Out, error)) Handler {
	return Handler{In: reflect.TypeFor[In](), Out: reflect.TypeFor[Out](), serve: func(s *Server, w http.ResponseWriter, r *http.Request) error {
		var in In
		if err := s.decodeBody(w, r, &in, true); err != nil {
			return err
		}
		out, err := f(s, r, in)
		if err == nil {
			s.writeJSON(w, out)
		}
		return err
	}}
}

// done makes a handler of a function without a result.
func done(f func(*Server, *http.Request) error) Handler {
	return Handler{serve: func(s *Server, w http.ResponseWriter, r *http.Request) error {
		err := f(s, r)
		if err == nil {
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusNoContent)
		}
		return err
	}}
}

// written makes a handler of a function that writes its response itself. If that may be JSON, its type is
// Out; struct{} means none.
func written[Out any](f func(*Server, http.ResponseWriter, *http.Request) error) Handler {
	return Handler{Out: bodyType[Out](), serve: f}
}

// sends returns the handler of a stream that also sends events of such a type.
func (h Handler) sends(event any) Handler {
	h.Events = append(h.Events, reflect.TypeOf(event))
	return h
}

// bodyType returns the type of a body; nil for struct{}, which means none.
func bodyType[T any]() reflect.Type {
	if t := reflect.TypeFor[T](); t != reflect.TypeFor[struct{}]() {
		return t
	}
	return nil
}

// Routes returns all routes of the server, except the files of the web UI.
func Routes() []Route {
	return slices.Concat(queryRoutes, facetRoutes, flowRoutes, explainRoutes, streamRoutes, estimateRoutes, filterRoutes, eventRoutes, viewRoutes, linkRoutes,
		senderRoutes, statusRoutes, exporterRoutes, interfaceRoutes, configRoutes, demoRoutes, runningRoutes, selfRoutes, helpRoutes)
}

// mux routes requests.
func (s *Server) mux() *http.ServeMux {
	mux := http.NewServeMux()
	methods := map[string][]string{} // by path
	for _, route := range Routes() {
		mux.HandleFunc(route.Method+" "+route.Path, func(w http.ResponseWriter, r *http.Request) {
			err := route.refuses(access.From(r.Context()))
			if err == nil {
				err = route.serve(s, w, r)
			}
			if err != nil {
				s.fail(w, r, err)
			}
		})
		methods[route.Path] = append(methods[route.Path], route.Method)
	}
	for path, list := range methods {
		if strings.HasPrefix(path, "/api/") { // everything else is the web UI
			slices.Sort(list)
			mux.HandleFunc(path, otherMethod(list))
		}
	}
	mux.HandleFunc("/api/", noResource)
	mux.Handle("/", s.Page)
	return mux
}

// refuses returns why a route rejects a caller; nil: it does not. Data of the whole network, and changes that
// others see, are not for callers with a scope.
func (r *Route) refuses(who access.Identity) error {
	if r.Scoped || r.Need == Public || who.Scope.IsEverything() {
		return nil
	}
	return &problem.Error{Status: http.StatusForbidden, Title: "not in scope", Detail: "this concerns the whole network, and you may only see a part of it"}
}

// otherMethod responds to a request for a path with an unsupported method.
func otherMethod(methods []string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		writeProblem(w, Problem{Title: "no such method", Status: http.StatusMethodNotAllowed, Detail: r.URL.Path + " accepts " + strings.Join(methods, " and ")})
	}
}

// noResource responds to a request for a path that is not in the API.
func noResource(w http.ResponseWriter, r *http.Request) {
	writeProblem(w, Problem{Title: "no such resource", Status: http.StatusNotFound, Detail: r.Method + " " + r.URL.Path + " is not in the API; see /api/v1/openapi.json"})
}

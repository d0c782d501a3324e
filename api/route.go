package api

import (
	"net/http"
	"reflect"
	"slices"
	"strings"

	"netmeta/access"
	"netmeta/internal/problem"
)

// A Route is one method of one path: who may call it, what answers, and what openapi.json and
// the types of the page say of it. Each file of this package has the routes of its resource.
type Route struct {
	Method, Path string // as http.ServeMux has them
	Need         Right
	Scoped       bool // answers also those who may see a part of the rows, with that part; else they get status 403
	Handler

	ID          string      // name of the operation; empty: not described, since it is a page
	Summary     string      // what it does, in a line
	Description string      // more of it
	Parameters  []Parameter // keys of the URL, parts of the path, headers
	Example     any         // body of a request
	Answer      Answer
	Problems    map[int]string // what a status means here, besides those that every route has
}

// A Right is what a caller must be allowed to do.
type Right string

const (
	Public  Right = "public"  // what tells nothing of the network: whether the process lives, the help
	Read    Right = "read"    // traffic, and how the system is
	Change  Right = "change"  // what readers share: events, views, links
	Operate Right = "operate" // what the running NetMeta does: its configuration, senders, the demo, queries of others
)

// Rights are all there are.
var Rights = []Right{Public, Read, Change, Operate}

// A Parameter is a value that a request brings besides its body.
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

// as is the parameter with an example.
func (p Parameter) as(example any) Parameter {
	p.Example = example
	return p
}

// An Answer describes what a route answers when nothing is wrong.
type Answer struct {
	Status      int      // 0: 200, or 204 if there is no body
	Description string   // empty: the answer
	Example     any      // nil: none
	Text        string   // media type of an answer that is text and not JSON
	TextIs      string   // what the text is
	Also        []string // other media types that the same may come in
}

// A Handler answers a request. In and Out are the types of the JSON in the two bodies; nil:
// there is none, or none whose members are described.
type Handler struct {
	In, Out reflect.Type
	Events  []reflect.Type // of a stream, what it sends that no other route does

	serve func(*Server, http.ResponseWriter, *http.Request) error
}

// answer makes a handler of a function that answers with JSON.
func answer[Out any](f func(*Server, *http.Request) (Out, error)) Handler {
	return Handler{Out: reflect.TypeFor[Out](), serve: func(s *Server, w http.ResponseWriter, r *http.Request) error {
		out, err := f(s, r)
		if err == nil {
			s.writeJSON(w, out)
		}
		return err
	}}
}

// take makes a handler of a function that takes a JSON object, which must have no members
// but those of In, and answers with JSON.
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

// done makes a handler of a function that does something and has nothing to say of it.
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

// written makes a handler of a function that writes its answer itself. Where that may be
// JSON, its type is Out; struct{} stands for none.
func written[Out any](f func(*Server, http.ResponseWriter, *http.Request) error) Handler {
	return Handler{Out: bodyType[Out](), serve: f}
}

// sends is the handler of a stream that sends also events of such a type.
func (h Handler) sends(event any) Handler {
	h.Events = append(h.Events, reflect.TypeOf(event))
	return h
}

// bodyType is the type of a body; nil of struct{}, which stands for none.
func bodyType[T any]() reflect.Type {
	if t := reflect.TypeFor[T](); t != reflect.TypeFor[struct{}]() {
		return t
	}
	return nil
}

// Routes are all routes of the server, but for the files of the page.
func Routes() []Route {
	return slices.Concat(queryRoutes, facetRoutes, flowRoutes, explainRoutes, streamRoutes, estimateRoutes, filterRoutes, eventRoutes, viewRoutes, linkRoutes,
		senderRoutes, statusRoutes, exporterRoutes, interfaceRoutes, configRoutes, demoRoutes, runningRoutes, selfRoutes, helpRoutes)
}

// mux finds the route of a request.
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
		if strings.HasPrefix(path, "/api/") { // the page has what else there is
			slices.Sort(list)
			mux.HandleFunc(path, otherMethod(list))
		}
	}
	mux.HandleFunc("/api/", noResource)
	mux.Handle("/", s.Page)
	return mux
}

// refuses is why a route does not answer somebody; nil: it does. What tells of the whole
// network, or changes what others see, is not for those who may see a part of it.
func (r *Route) refuses(who access.Who) error {
	if r.Scoped || r.Need == Public || who.Scope.IsEverything() {
		return nil
	}
	return &problem.Error{Status: http.StatusForbidden, Title: "not in scope", Detail: "this concerns all of the network, and you may see a part of it"}
}

// otherMethod answers a request for a path with a method that it does not take.
func otherMethod(methods []string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		writeProblem(w, Problem{Title: "no such method", Status: http.StatusMethodNotAllowed, Detail: r.URL.Path + " takes " + strings.Join(methods, " and ")})
	}
}

// noResource answers a request for a path that is not in the API.
func noResource(w http.ResponseWriter, r *http.Request) {
	writeProblem(w, Problem{Title: "no such resource", Status: http.StatusNotFound, Detail: r.Method + " " + r.URL.Path + " is not in the API: see /api/v1/openapi.json"})
}

package api

import (
	"net/http"
	"strconv"

	"netmeta/filter"
	"netmeta/query"
)

const (
	asForGET = "As for GET."
	checked  = "Whether it is understood; its canonical form, or the error with its place."
	replaced = "What to replace, and with what."
)

var filterRoutes = []Route{
	{
		Method: "GET", Path: "/api/v1/fields", Need: Read, Scoped: true, Handler: answer((*Server).fields),
		ID: "fields", Summary: "All fields for filters and groups",
		Answer: Answer{Description: "The fields, and the units of a query."},
	},
	{
		Method: "GET", Path: "/api/v1/filter/check", Need: Read, Scoped: true, Handler: withArguments[struct{}]((*Server).check),
		ID: "checkFilter", Summary: "Check a filter",
		Parameters: []Parameter{textKey("q", "The filter.").as("src prt 53")},
		Answer:     Answer{Description: checked},
	},
	{
		Method: "POST", Path: "/api/v1/filter/check", Need: Read, Scoped: true, Handler: withArguments[FilterText]((*Server).check),
		ID: "checkFilterPost", Summary: "Check a filter",
		Example: FilterText{"udp src port 53"},
		Answer:  Answer{Description: asForGET},
	},
	{
		Method: "GET", Path: "/api/v1/filter/complete", Need: Read, Scoped: true, Handler: withArguments[struct{}]((*Server).complete),
		ID: "completeFilter", Summary: "Complete a filter",
		Parameters: []Parameter{textKey("text", "The filter so far.").as("src p"), integerKey("cursor", "Byte offset of the cursor; the end if omitted.")},
		Answer:     Answer{Description: replaced},
	},
	{
		Method: "POST", Path: "/api/v1/filter/complete", Need: Read, Scoped: true, Handler: withArguments[FilterTyped]((*Server).complete),
		ID: "completeFilterPost", Summary: "Complete a filter",
		Example: FilterTyped{"src.p", 5},
		Answer:  Answer{Description: asForGET},
	},
}

// FilterText is a filter to be checked.
type FilterText struct {
	Q string `json:"q" need:"true"` // The filter.
}

// FilterTyped is an incomplete filter.
type FilterTyped struct {
	Text   string `json:"text" need:"true"` // The filter so far.
	Cursor int    `json:"cursor"`           // Byte offset of the cursor; the end if omitted.
}

// Fields are the names and macros of the filter language.
type Fields struct {
	Fields []filter.FieldInfo `json:"fields"`
	Units  []query.UnitInfo   `json:"units"`
}

// withArguments makes a handler of a function that reads texts from the URL or, for a POST, from the JSON
// object in its body. That has the members of In, and may have others.
func withArguments[In, Out any](f func(*Server, *http.Request, func(name string) string) (Out, error)) Handler {
	h := written[Out](func(s *Server, w http.ResponseWriter, r *http.Request) error {
		arg, err := s.arguments(w, r)
		if err != nil {
			return err
		}
		out, err := f(s, r, arg)
		if err == nil {
			s.writeJSON(w, out)
		}
		return err
	})
	h.In = bodyType[In]()
	return h
}

// arguments returns the texts of the URL or of the body.
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

func (s *Server) fields(*http.Request) (Fields, error) {
	return Fields{filter.Catalogue(), query.Units()}, nil
}

func (s *Server) check(_ *http.Request, arg func(string) string) (filter.CheckResult, error) {
	return filter.Check(arg("q"), s.settings().Schema.Names), nil
}

func (s *Server) complete(r *http.Request, arg func(string) string) (filter.Completion, error) {
	text := arg("text")
	cursor, err := strconv.Atoi(arg("cursor"))
	if err != nil || cursor < 0 || cursor > len(text) {
		cursor = len(text)
	}
	names := s.names(r.Context())
	return filter.Complete(text, cursor, names.Names, s.values.source(r.Context(), names)), nil
}

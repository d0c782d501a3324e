package api

import (
	"net/http"

	"netmeta/view"
)

// viewExample is a body that saves a view.
var viewExample = map[string]any{"name": "Content networks", "description": "What content networks send us", "page": "explore",
	"query": "q=remote.as+in+[2906+15169]&by=remote.as&dir=in", "of": []string{}, "shared": true, "pinned": true}

var viewRoutes = []Route{
	{
		Method: "GET", Path: "/api/v1/views", Need: Read, Handler: answer((*Server).listViews),
		ID: "views", Summary: "Saved views",
		Parameters: []Parameter{viewOwner},
		Answer:     Answer{Description: "Shared views and those of the caller, by name."},
	},
	{
		Method: "POST", Path: "/api/v1/views", Need: Change, Handler: take((*Server).addView),
		ID: "addView", Summary: "Save a new view",
		Description: "Without a slug it gets a free one, made from its name; a slug that is already used is rejected (409).",
		Parameters:  []Parameter{viewOwner}, Example: viewExample,
		Answer: Answer{Description: "The view as stored."},
	},
	{
		Method: "GET", Path: "/api/v1/views/{slug}", Need: Read, Handler: answer((*Server).getView),
		ID: "view", Summary: "A saved view",
		Parameters: []Parameter{pathPart("slug", "").as("cdn"), viewOwner},
	},
	{
		Method: "PUT", Path: "/api/v1/views/{slug}", Need: Change, Handler: take((*Server).putView),
		ID: "putView", Summary: "Save a view under this slug",
		Parameters: []Parameter{pathPart("slug", "").as("cdn"), viewOwner}, Example: viewExample,
		Answer: Answer{Description: "The view as stored."},
	},
	{
		Method: "DELETE", Path: "/api/v1/views/{slug}", Need: Change, Handler: done((*Server).deleteView),
		ID: "deleteView", Summary: "Delete a view",
		Parameters: []Parameter{pathPart("slug", "").as("cdn"), viewOwner},
		Answer:     Answer{Description: "Deleted."},
	},
}

// Views are those that the caller may see.
type Views struct {
	Views []view.View `json:"views"`
}

// owner returns the name that the caller entered. There are no logins: it separates views and is not access
// control.
func owner(r *http.Request) string {
	name := r.Header.Get("View-Owner")
	return name[:min(len(name), 64)]
}

func (s *Server) listViews(r *http.Request) (Views, error) {
	return Views{append([]view.View{}, s.Views.List(owner(r))...)}, nil
}

func (s *Server) getView(r *http.Request) (view.View, error) {
	return s.Views.Get(r.PathValue("slug"), owner(r))
}

// addView saves a view under a new slug.
func (s *Server) addView(r *http.Request, v view.View) (view.View, error) {
	v.Owner = owner(r)
	return s.Views.Put(v, true, s.now())
}

// putView saves a view under the slug of the path.
func (s *Server) putView(r *http.Request, v view.View) (view.View, error) {
	v.Owner, v.Slug = owner(r), r.PathValue("slug")
	return s.Views.Put(v, false, s.now())
}

func (s *Server) deleteView(r *http.Request) error {
	return s.Views.Delete(r.PathValue("slug"), owner(r))
}

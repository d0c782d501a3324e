package api

import (
	"net/http"
	"strings"

	"netmeta/internal/problem"
)

var linkRoutes = []Route{
	{
		Method: "POST", Path: "/api/v1/links", Need: Change, Handler: take((*Server).addLink),
		ID: "addLink", Summary: "Give a long address a short name",
		Description: "For addresses of the web UI that are too long to share. The same address gets the same name. Links never expire; at most 16 MiB of them.",
		Example:     Link{"/explore?q=udp+src+port+53&by=src.as"},
		Answer:      Answer{Description: "The short address.", Example: Link{"/s/5Yj1ZkD0bq3wXy2e"}},
	},
	{
		Method: "GET", Path: "/s/{name}", Need: Read, Handler: written[struct{}]((*Server).followLink),
		ID: "followLink", Summary: "Open a short address",
		Parameters: []Parameter{pathPart("name", "The name from POST /api/v1/links.").as("5Yj1ZkD0bq3wXy2e")},
		Answer:     Answer{Status: http.StatusFound, Description: "The address."},
		Problems:   map[int]string{http.StatusNotFound: ""},
	},
}

// Link is an address of the web UI.
type Link struct {
	Address string `json:"address" need:"true"` // An address of this server, starting with its path.
}

// addLink gives an address of the web UI a short name.
func (s *Server) addLink(_ *http.Request, long Link) (Link, error) {
	name, err := s.Links.Keep(long.Address)
	return Link{"/s/" + name}, err
}

func (s *Server) followLink(w http.ResponseWriter, r *http.Request) error {
	address, ok := s.Links.Get(r.PathValue("name"))
	if !ok && s.Page != nil && strings.Contains(r.Header.Get("Accept"), "text/html") {
		s.Page.ServeHTTP(w, r) // the page shows a browser the error
		return nil
	}
	if !ok {
		return &problem.Error{Status: http.StatusNotFound, Title: "no such link", Detail: "no link with this name; check that it was copied completely"}
	}
	http.Redirect(w, r, address, http.StatusFound)
	return nil
}

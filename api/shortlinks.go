package api

import (
	"net/http"
	"strings"
)

// addLink gives an address of the page a short name.
func (s *Server) addLink(w http.ResponseWriter, r *http.Request) {
	var link struct {
		Address string `json:"address"`
	}
	err := s.body(w, r, &link)
	if err == nil {
		link.Address, err = s.Links.Keep(link.Address)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	link.Address = "/s/" + link.Address
	s.writeJSON(w, link)
}

func (s *Server) followLink(w http.ResponseWriter, r *http.Request) {
	address, ok := s.Links.Get(r.PathValue("name"))
	if !ok && s.Page != nil && strings.Contains(r.Header.Get("Accept"), "text/html") {
		s.Page.ServeHTTP(w, r) // a browser gets the page that says so
		return
	}
	if !ok {
		writeProblem(w, problem{Title: "no such link", Status: http.StatusNotFound, Detail: "nothing was kept under this name: look whether the link was copied whole"})
		return
	}
	http.Redirect(w, r, address, http.StatusFound)
}

package api

import "net/http"

// Reloaded is what reading the configuration again did: the keys that have changed, and
// those that differ but keep their old value until a restart.
type Reloaded struct {
	Applied []string `json:"applied"`
	Restart []string `json:"restart"`
}

func (s *Server) config(w http.ResponseWriter, _ *http.Request) { s.writeJSON(w, s.Config()) }

func (s *Server) reload(w http.ResponseWriter, _ *http.Request) {
	r, err := s.Reload()
	if err != nil {
		writeProblem(w, problem{Title: "the new configuration is refused, the old one stays", Status: http.StatusUnprocessableEntity, Detail: err.Error()})
		return
	}
	s.writeJSON(w, r)
}

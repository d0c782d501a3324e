package api

import "net/http"

// Demo is whether simulated exporters send.
type Demo struct {
	Running bool `json:"running"`
}

// startDemo has simulated exporters send; when they do already, nothing changes.
func (s *Server) startDemo(w http.ResponseWriter, _ *http.Request) {
	if err := s.Demo(true); err != nil {
		writeProblem(w, problem{Title: "the demo does not start", Status: http.StatusConflict, Detail: err.Error()})
		return
	}
	s.writeJSON(w, Demo{true})
}

// stopDemo ends them. What they sent stays.
func (s *Server) stopDemo(w http.ResponseWriter, _ *http.Request) {
	if err := s.Demo(false); err != nil {
		writeProblem(w, problem{Title: "the demo does not stop", Status: http.StatusConflict, Detail: err.Error()})
		return
	}
	s.writeJSON(w, Demo{false})
}

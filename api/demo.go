package api

import (
	"net/http"

	"netmeta/internal/problem"
)

const demoConflict = "NetMeta is stopping, no port takes it, or it runs since the start (--demo)."

var demoRoutes = []Route{
	{
		Method: "POST", Path: "/api/v1/demo", Need: Operate, Handler: answer((*Server).startDemo),
		ID: "startDemo", Summary: "Have simulated exporters send",
		Description: "Six exporters on loopback addresses send live traffic, after an hour of history as far as the store holds nothing newer, until they are stopped or NetMeta ends. " +
			"Their rows are kept like others and stand among real ones: the exporters 127.0.6.1, 127.0.9.1, 127.0.10.1 and the addresses after them. When they send already, nothing changes.",
		Answer:   Answer{Description: "Whether it runs.", Example: Demo{true}},
		Problems: map[int]string{http.StatusConflict: demoConflict},
	},
	{
		Method: "DELETE", Path: "/api/v1/demo", Need: Operate, Handler: answer((*Server).stopDemo),
		ID: "stopDemo", Summary: "Stop the simulated exporters",
		Description: "What they sent stays until the retention removes it.",
		Answer:      Answer{Description: "Whether it runs.", Example: Demo{false}},
		Problems:    map[int]string{http.StatusConflict: demoConflict},
	},
}

// Demo says whether simulated exporters are running.
type Demo struct {
	Running bool `json:"running"`
}

// startDemo starts the simulated exporters, unless they are running.
func (s *Server) startDemo(*http.Request) (Demo, error) {
	if err := s.Control.SetDemo(true); err != nil {
		return Demo{}, &problem.Error{Status: http.StatusConflict, Title: "the demo does not start", Detail: err.Error()}
	}
	return Demo{true}, nil
}

// stopDemo stops them. Their flows stay.
func (s *Server) stopDemo(*http.Request) (Demo, error) {
	if err := s.Control.SetDemo(false); err != nil {
		return Demo{}, &problem.Error{Status: http.StatusConflict, Title: "the demo does not stop", Detail: err.Error()}
	}
	return Demo{false}, nil
}

package api

import (
	"net/http"

	"netmeta/internal/problem"
)

const demoConflict = "NetMeta is stopping, no port takes it, or it runs since the start (--demo)."

var demoRoutes = []Route{
	{
		Method: "POST", Path: "/api/v1/demo", Need: Operate, Handler: answer((*Server).startDemo),
		ID: "startDemo", Summary: "Start the simulated exporters",
		Description: "Six exporters on loopback addresses send live traffic until they are stopped or NetMeta ends, after an hour of history unless the store has newer flows. " +
			"Their rows are stored among real ones: the exporters 127.0.6.1, 127.0.9.1, 127.0.10.1 and the addresses after them. Without effect if they are already running.",
		Answer:   Answer{Description: "Whether the demo is running.", Example: Demo{true}},
		Problems: map[int]string{http.StatusConflict: demoConflict},
	},
	{
		Method: "DELETE", Path: "/api/v1/demo", Need: Operate, Handler: answer((*Server).stopDemo),
		ID: "stopDemo", Summary: "Stop the simulated exporters",
		Description: "Their flows stay until they expire.",
		Answer:      Answer{Description: "Whether the demo is running.", Example: Demo{false}},
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
		return Demo{}, &problem.Error{Status: http.StatusConflict, Title: "demo not started", Detail: err.Error()}
	}
	return Demo{true}, nil
}

// stopDemo stops them. Their flows stay.
func (s *Server) stopDemo(*http.Request) (Demo, error) {
	if err := s.Control.SetDemo(false); err != nil {
		return Demo{}, &problem.Error{Status: http.StatusConflict, Title: "demo not stopped", Detail: err.Error()}
	}
	return Demo{false}, nil
}

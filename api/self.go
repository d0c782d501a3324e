package api

import (
	"context"
	_ "embed"
	"encoding/json"
	"net/http"
	"time"

	"netmeta/internal/problem"
)

// openAPI is written by internal/gen from Routes and the types of their handlers.
//
//go:embed openapi.json
var openAPI []byte

var selfRoutes = []Route{
	{
		Method: "GET", Path: "/api/v1/openapi.json", Need: Read, Scoped: true, Handler: answer((*Server).describe),
		ID: "openapi", Summary: "This document",
		Answer: Answer{Description: "OpenAPI 3.1."},
	},
	{
		Method: "GET", Path: "/healthz", Need: Public, Handler: answer((*Server).healthz),
		ID: "healthz", Summary: "Whether the process lives",
		Answer: Answer{Description: "It lives."},
	},
	{
		Method: "GET", Path: "/readyz", Need: Read, Handler: answer((*Server).readyz),
		ID: "readyz", Summary: "Whether received flows are stored and can be queried",
		Description: "503 with the reason while the store is not responding, while neither store nor spool accepts rows, or while the disk is full. It recovers automatically.",
		Answer:      Answer{Description: "Ready."},
	},
	{
		Method: "GET", Path: "/metrics", Need: Read, Handler: written[struct{}]((*Server).metrics),
		ID: "metrics", Summary: "Counters for Prometheus",
		Answer: Answer{Description: "Prometheus text format.", Text: "text/plain"},
	},
}

// Alive is ok, or the response is a problem.
type Alive struct {
	Status string `json:"status"`
}

func (s *Server) describe(*http.Request) (json.RawMessage, error) { return openAPI, nil }

func (s *Server) healthz(*http.Request) (Alive, error) { return Alive{"ok"}, nil }

func (s *Server) readyz(r *http.Request) (Alive, error) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := s.Process.Ready(ctx); err != nil {
		return Alive{}, &problem.Error{Status: http.StatusServiceUnavailable, Title: "not ready", Detail: err.Error()}
	}
	return Alive{"ok"}, nil
}

func (s *Server) metrics(w http.ResponseWriter, r *http.Request) error {
	s.Metrics.ServeHTTP(w, r)
	return nil
}

package api

import (
	"net/http"

	"netmeta/internal/problem"
)

var configRoutes = []Route{
	{
		Method: "GET", Path: "/api/v1/config", Need: Operate, Handler: answer((*Server).config),
		ID: "config", Summary: "The configuration in force, without secrets",
		Description: "Keys as in the configuration file.",
		Answer:      Answer{Description: "All keys."},
	},
	{
		Method: "POST", Path: "/api/v1/config/reload", Need: Operate, Handler: answer((*Server).reload),
		ID: "reload", Summary: "Reload the configuration file",
		Description: "Live keys change at once, without losing a datagram. The same as SIGHUP.",
		Answer:      Answer{Description: "The changed keys."},
		Problems:    map[int]string{http.StatusUnprocessableEntity: "The new configuration is refused with the reason, and the old one stays."},
	},
}

// ReloadResult is the effect of a reload.
type ReloadResult struct {
	Applied []string `json:"applied"` // Keys that have changed.
	Restart []string `json:"restart"` // Keys that differ from the file; they keep their value until a restart.
}

func (s *Server) config(*http.Request) (any, error) { return s.Control.Config(), nil }

func (s *Server) reload(*http.Request) (ReloadResult, error) {
	r, err := s.Control.Reload()
	if err != nil {
		return r, &problem.Error{Status: http.StatusUnprocessableEntity, Title: "configuration rejected, keeping the current one", Detail: err.Error()}
	}
	return r, nil
}

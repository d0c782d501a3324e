package api

import (
	"net/http"

	"netmeta/sender"
)

// senders is who was decided about.
type senders struct {
	Senders []sender.Sender `json:"senders"`
}

func (s *Server) listSenders(w http.ResponseWriter, _ *http.Request) {
	s.writeJSON(w, senders{s.Senders.List()})
}

// decideSenders accepts or ignores some, or takes that back.
func (s *Server) decideSenders(w http.ResponseWriter, r *http.Request) {
	var about struct {
		Addresses []string `json:"addresses"`
		Decision  string   `json:"decision"`
	}
	err := s.body(w, r, &about)
	var list []sender.Sender
	if err == nil {
		list, err = s.Senders.Decide(about.Addresses, about.Decision, s.now())
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.Log.Info("decided about senders", "decision", about.Decision, "addresses", about.Addresses)
	s.writeJSON(w, senders{list})
}

package api

import (
	"net/http"
	"net/url"

	"netmeta/access"
	"netmeta/event"
)

var eventRoutes = []Route{
	{
		Method: "GET", Path: "/api/v1/events", Need: Read, Scoped: true, Handler: answer((*Server).listEvents),
		ID: "events", Summary: "Events that explain traffic",
		Description: "Events that overlap the range: attacks, changes, maintenance, notes. They are in the table events.",
		Parameters:  []Parameter{fromKey, toKey, tzKey, textKey("kind", "Only of this kind.").as("attack")},
	},
	{
		Method: "POST", Path: "/api/v1/events", Need: Change, Handler: take((*Server).addEvent),
		ID: "addEvent", Summary: "Report an event, or its end",
		Example: map[string]any{"kind": "maintenance", "start": 1795719600, "end": 1795723200, "target": "edge1", "severity": "info",
			"text": "line card replaced", "attrs": map[string]string{"ticket": "4711"}},
		Answer: Answer{Description: "The event as stored."},
	},
	{
		Method: "DELETE", Path: "/api/v1/events/{id}", Need: Change, Handler: done((*Server).deleteEvent),
		ID: "deleteEvent", Summary: "Delete an event",
		Description: "With all its reports.",
		Parameters:  []Parameter{pathPart("id", "").as("attack-1")},
		Answer:      Answer{Description: "Deleted."},
	},
}

// Events are those of a range.
type Events struct {
	From   int64         `json:"from"`
	To     int64         `json:"to"`
	Events []event.Event `json:"events"` // Oldest first, the newest 1,000.
}

// listEvents lists the events of a range.
func (s *Server) listEvents(r *http.Request) (Events, error) {
	v := r.URL.Query()
	_, rg, _, err := s.resolve(url.Values{"from": v["from"], "to": v["to"], "tz": v["tz"]})
	if err != nil {
		return Events{}, err
	}
	list, err := event.Between(r.Context(), s.reader(r.Context()), access.From(r.Context()).Scope, rg.From, rg.To, v.Get("kind"))
	if err != nil {
		return Events{}, err
	}
	return Events{rg.From, rg.To, append([]event.Event{}, list...)}, nil
}

// addEvent stores a report; one with a known ID changes that event.
func (s *Server) addEvent(r *http.Request, e event.Event) (event.Event, error) {
	if err := e.Complete(s.now()); err != nil {
		return e, err
	}
	return e, event.Put(r.Context(), s.Writer, e)
}

// deleteEvent deletes an event.
func (s *Server) deleteEvent(r *http.Request) error {
	return event.Delete(r.Context(), s.Writer, access.From(r.Context()).Scope, r.PathValue("id"))
}

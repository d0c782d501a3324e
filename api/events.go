package api

import (
	"net/http"
	"net/url"

	"netmeta/event"
	"netmeta/view"
)

// listEvents lists what happened in a window.
func (s *Server) listEvents(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	_, rg, _, err := s.resolve(url.Values{"from": v["from"], "to": v["to"], "tz": v["tz"]})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	list, err := event.Between(r.Context(), s.Store, rg.From, rg.To, v.Get("kind"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.writeJSON(w, struct {
		From   int64         `json:"from"`
		To     int64         `json:"to"`
		Events []event.Event `json:"events"`
	}{rg.From, rg.To, append([]event.Event{}, list...)})
}

// addEvent takes a report in; one under an ID that is known changes that event.
func (s *Server) addEvent(w http.ResponseWriter, r *http.Request) {
	var e event.Event
	err := s.body(w, r, &e)
	if err == nil {
		err = e.Complete(s.now())
	}
	if err == nil {
		err = event.Put(r.Context(), s.Writer, e)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.writeJSON(w, e)
}

// deleteEvent takes an event away.
func (s *Server) deleteEvent(w http.ResponseWriter, r *http.Request) {
	if err := event.Delete(r.Context(), s.Writer, r.PathValue("id")); err != nil {
		s.fail(w, r, err)
		return
	}
	noContent(w)
}

// noContent says that it is done.
func noContent(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

// owner is what the asker calls himself. There are no logins: it keeps views apart and
// nothing secret.
func owner(r *http.Request) string {
	name := r.Header.Get("View-Owner")
	return name[:min(len(name), 64)]
}

func (s *Server) listViews(w http.ResponseWriter, r *http.Request) {
	s.writeJSON(w, struct {
		Views []view.View `json:"views"`
	}{append([]view.View{}, s.Views.List(owner(r))...)})
}

func (s *Server) getView(w http.ResponseWriter, r *http.Request) {
	v, err := s.Views.Get(r.PathValue("slug"), owner(r))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.writeJSON(w, v)
}

// addView saves a view under a slug that nothing else has.
func (s *Server) addView(w http.ResponseWriter, r *http.Request) { s.saveView(w, r, true) }

// putView saves a view under the slug of the path.
func (s *Server) putView(w http.ResponseWriter, r *http.Request) { s.saveView(w, r, false) }

func (s *Server) saveView(w http.ResponseWriter, r *http.Request, anew bool) {
	var v view.View
	if err := s.body(w, r, &v); err != nil {
		s.fail(w, r, err)
		return
	}
	v.Owner = owner(r)
	if !anew {
		v.Slug = r.PathValue("slug")
	}
	v, err := s.Views.Put(v, anew, s.now())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.writeJSON(w, v)
}

func (s *Server) deleteView(w http.ResponseWriter, r *http.Request) {
	if err := s.Views.Delete(r.PathValue("slug"), owner(r)); err != nil {
		s.fail(w, r, err)
		return
	}
	noContent(w)
}

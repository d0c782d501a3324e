package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"time"

	"netmeta/query"
)

// Limits of a body.
const (
	bodyLimit   = 64 << 10
	bodyTimeout = 10 * time.Second // until all of it has come
)

// errStalled says that a body has not come in time.
var errStalled = errors.New("the body of the request did not arrive in time")

// body decodes the JSON object that a request brings, which must have the members of into.
func (s *Server) body(w http.ResponseWriter, r *http.Request, into any) error {
	return s.decodeBody(w, r, into, true)
}

func (s *Server) decodeBody(w http.ResponseWriter, r *http.Request, into any, strict bool) error {
	most := s.bodyTimeout
	if most == 0 {
		most = bodyTimeout
	}
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Now().Add(most))
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyLimit))
	if strict {
		dec.DisallowUnknownFields()
	}
	err := dec.Decode(into)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errStalled
	case err != nil:
		return &query.KeyError{Key: "body", Message: "send a JSON object: " + err.Error()}
	}
	// The body is there: what follows takes its own time. Past the deadline the server would
	// take the client for gone.
	control.SetReadDeadline(time.Time{})
	return nil
}

package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"netmeta/internal/problem"
	"netmeta/query"
)

// Limits of a body.
const (
	bodyLimit   = 64 << 10
	bodyTimeout = 10 * time.Second // for all of it
)

// errStalled says that a body did not arrive in time.
var errStalled = &problem.Error{Status: http.StatusRequestTimeout, Title: "body stalled",
	Detail: fmt.Sprintf("the body of the request did not arrive within %.0f s; send all of it at once", bodyTimeout.Seconds())}

// decodeBody decodes the JSON object in a request. If strict, it must have no members but those of into.
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
		w.Header().Set("Connection", "close") // the rest of the body may still arrive
		return errStalled
	case err != nil:
		return query.Invalid("body", "", "send a JSON object: "+err.Error())
	}
	// The body is complete: what follows has its own time limit. After the deadline the server would assume
	// that the client has disconnected.
	control.SetReadDeadline(time.Time{})
	return nil
}

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
	bodyTimeout = 10 * time.Second // until all of it has come
)

// errStalled says that a body has not come in time.
var errStalled = &problem.Error{Status: http.StatusRequestTimeout, Title: "body stalled",
	Detail: fmt.Sprintf("the body of the request did not arrive within %.0f s; send all of it at once", bodyTimeout.Seconds())}

// decodeBody decodes the JSON object that a request brings. If strict, it must have no
// members but those of into.
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
		w.Header().Set("Connection", "close") // the rest of the body may still come
		return errStalled
	case err != nil:
		return query.Invalid("body", "", "send a JSON object: "+err.Error())
	}
	// The body is there: what follows takes its own time. Past the deadline the server would
	// take the client for gone.
	control.SetReadDeadline(time.Time{})
	return nil
}

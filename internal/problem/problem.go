// Package problem holds errors that the caller of NetMeta can fix: the fault of a request, and the remedy.
// The API returns them as RFC 9457 problems.
package problem

import "net/http"

// Error is a problem with a request. An error that wraps one is the same problem with its own text as the
// detail.
type Error struct {
	Status int    // HTTP status
	Title  string // kind of problem, in a few words
	Key    string // invalid member or parameter of the request; empty: none in particular
	Detail string // the fault and the remedy
}

func (e *Error) Error() string { return e.Detail }

// Bad returns a problem with one member or parameter of a request.
func Bad(title, key, detail string) *Error {
	return &Error{http.StatusBadRequest, title, key, detail}
}

// Invalid is Bad with the name of the member before the message.
func Invalid(title, key, message string) *Error {
	return Bad(title, key, key+": "+message)
}

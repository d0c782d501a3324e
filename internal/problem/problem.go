// Package problem holds the errors that the caller of NetMeta can fix: what is wrong with a
// request, and the remedy. The API answers with them as RFC 9457 writes a problem.
package problem

import "net/http"

// An Error is a problem with what somebody asked for. An error that wraps one is the same
// problem with its own text as the detail.
type Error struct {
	Status int    // of HTTP
	Title  string // what kind of problem it is, in a few words
	Key    string // the member or parameter of the request that is wrong; empty: none of its own
	Detail string // what is wrong, and the remedy
}

func (e *Error) Error() string { return e.Detail }

// Bad is a problem with one member or parameter of a request, which has to be sent in
// another way.
func Bad(title, key, detail string) *Error {
	return &Error{http.StatusBadRequest, title, key, detail}
}

// Invalid is Bad with the name of the member before the message.
func Invalid(title, key, message string) *Error {
	return Bad(title, key, key+": "+message)
}

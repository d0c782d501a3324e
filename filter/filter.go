// Package filter is the filter language: text to a tree of conditions, and back, what could
// be typed next, and what its names stand for. A filter has two back ends that mean the
// same: SQL tells which rows of the store meet it, and Compile which rows of a batch.
//
//	Parse(text, names)     → Filter, a tree of conditions; or an Error with its place
//	Filter.SQL(params)     → a condition on rows of the flows table
//	Complete(text, cursor) → what could stand at the cursor
//
// The package knows the fields only from flow.Table, and beside it a table of other words
// for them (field.go). Text from outside never becomes part of the SQL: values travel as
// parameters, names are looked up.
package filter

// Names are what a filter may name beside the fields.
type Names struct {
	// Macros are the saved filters behind @name, without the @.
	Macros map[string]string

	// ASName is what an AS is called, empty if that is not known; nil: nothing is.
	ASName func(as uint32) string

	// FindAS calls yield with the ASes whose names contain a text, until it returns
	// false; nil: none is known.
	FindAS func(text string, yield func(as uint32, name string) bool)
}

// AS is what an AS is called, empty if that is not known.
func (n Names) AS(as uint32) string {
	if n.ASName == nil {
		return ""
	}
	return n.ASName(as)
}

// Package filter is the filter language: parsing text into a tree of conditions, formatting, completion, and
// the meaning of names. A filter has two equivalent back ends: SQL selects rows of the store, and Compile
// those of a batch.
//
//	Parse(text, names)     → Filter, a tree of conditions; or an Error with its place
//	Filter.SQL(params)     → a condition on rows of the flows table
//	Complete(text, cursor) → possible continuations at the cursor
//
// The package knows the fields only from flow.Table, plus a table of synonyms (field.go). Text from outside
// never becomes part of the SQL: values are sent as parameters, names are looked up.
package filter

// Names are what a filter may name besides the fields.
type Names struct {
	// Macros are the saved filters for @name, without the @.
	Macros map[string]string

	// ASName returns the name of an AS, empty if it is unknown; nil: none is known.
	ASName func(as uint32) string

	// FindAS calls yield with the ASes whose names contain a text, until it returns false; nil: none is
	// known.
	FindAS func(text string, yield func(as uint32, name string) bool)
}

// AS returns the name of an AS, empty if it is unknown.
func (n Names) AS(as uint32) string {
	if n.ASName == nil {
		return ""
	}
	return n.ASName(as)
}

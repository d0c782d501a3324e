package source

import "testing"

// A name is the label of a metric: two reasons with the same would be one.
func TestNewReasonTwice(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("two reasons have one name")
		}
	}()
	NewReason(Why{Name: BadLength.String()})
}

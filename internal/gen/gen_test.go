package gen

import (
	"os"
	"testing"

	"netmeta/internal/golden"
)

// The reference documents are those of today's code.
func TestDocumentsAreFresh(t *testing.T) {
	golden.Equal(t, "../../doc/fields.md", Fields())
	source, err := os.ReadFile("../../config/config.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := Config(source)
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "../../doc/config.md", text)
}

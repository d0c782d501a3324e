package gen

import (
	"os"
	"testing"

	"netmeta/internal/golden"
)

// The reference documents are those of today's code.
func TestDocumentsAreFresh(t *testing.T) {
	golden.Equal(t, "../../doc/fields.md", Fields())
	golden.Equal(t, "../../doc/counters.md", Counters())
	golden.Equal(t, "../../doc/exporters.md", Exporters())
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

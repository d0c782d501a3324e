package gen

import (
	"os"
	"path/filepath"
	"testing"

	"netmeta/internal/golden"
)

// The reference documents are those of today's code.
func TestDocumentsAreFresh(t *testing.T) {
	golden.Equal(t, "../../doc/fields.md", Fields())
	golden.Equal(t, "../../doc/counters.md", Counters())
	golden.Equal(t, "../../doc/exporters.md", Exporters())
	var sources [][]byte
	for _, path := range []string{"config/config.go", "enrich/config.go", "enrich/exporter/exporter.go", "enrich/exporter/rule.go", "enrich/names/origin.go",
		"enrich/network/network.go", "enrich/route/route.go", "enrich/class/class.go"} {
		source, err := os.ReadFile("../../" + path)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, source)
	}
	text, err := Config(sources...)
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "../../doc/config.md", text)
	golden.Equal(t, "../../doc/metrics.md", metrics(t))
}

// metrics reads what declares metrics.
func metrics(t *testing.T) []byte {
	t.Helper()
	files, err := filepath.Glob("../../collector/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var sources [][]byte
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, source)
	}
	text, err := Metrics(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

package gen

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"netmeta/internal/golden"
)

// The reference documents are those of today's code.
func TestDocumentsAreFresh(t *testing.T) {
	golden.Equal(t, "../../doc/fields.md", Fields())
	golden.Equal(t, "../../doc/counters.md", Counters())
	golden.Equal(t, "../../doc/exporters.md", Exporters())
	text, err := Config("../..")
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

// A key without a description is an error.
func TestEmptyDescription(t *testing.T) {
	type member struct {
		// Described is.
		Described int `yaml:"described"`
		Not       int `yaml:"not"`
	}
	k := keys{root: "../..", packages: map[string]types{"netmeta/internal/gen": {"member": {"Described": "Described is."}}}}
	k.write(reflect.ValueOf(struct {
		Member member `yaml:"member"`
	}{}), "", "")
	if len(k.errs) != 1 || !strings.Contains(k.errs[0].Error(), "member.not") {
		t.Errorf("errors %v", k.errs)
	}
}

// The description of the API is that of today's routes and types.
func TestDescriptionIsFresh(t *testing.T) {
	text, err := OpenAPI("../..")
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "../../api/openapi.json", text)
	if text, err = TypeScript("../.."); err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "../../ui/src/api/api.gen.ts", text)
}

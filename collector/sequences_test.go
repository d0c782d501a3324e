package collector

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netmeta/source"
)

// A file of sequence numbers that cannot be read keeps nothing from starting.
func TestDamagedSequences(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "garbage": "\x00\xff\x00", "cut": `{"netflow":[{"exporter":"192.0.2.1:9","ver`, "wrong types": `{"netflow":{"a":1}}`,
		"odd values": `{"netflow":[{"exporter":"","version":7,"seq":1,"at":99999999999999}],"sflow":[{"sender":"","agent":"::","at":99999999999999,"rate":18446744073709551615}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sequences")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			d := NewDecoding(source.SamplingConfig{}, nil, nil)
			_, err := d.followFile(path)
			if name == "odd values" {
				if err != nil {
					t.Fatal(err)
				}
			} else if err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v", err)
			}
		})
	}
}

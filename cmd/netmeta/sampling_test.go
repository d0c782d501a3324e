package main

import (
	"encoding/json"
	"strings"
	"testing"

	"netmeta/api"
)

// decode --stats prints the sampling rates of an exporter.
func TestDecodeStats(t *testing.T) {
	out := must(t, "decode", "--stats", "--json", "../../source/sflow/testdata/ovs.pcap")
	line := out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:]
	var x struct {
		Address      string
		SamplingRate uint32 `json:"sampling_rate"`
		Samplings    []api.Sampling
	}
	if err := json.Unmarshal([]byte(line), &x); err != nil {
		t.Fatal(err, line)
	}
	if x.Address != "127.0.0.1" || x.SamplingRate != 2 || len(x.Samplings) != 1 || x.Samplings[0].Effective != 2 {
		t.Errorf("%+v", x)
	}
}

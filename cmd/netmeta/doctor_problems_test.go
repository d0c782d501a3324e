package main

import (
	"fmt"
	"testing"

	"netmeta/api"
	"netmeta/diagnosis"
)

// Each kind of problem is one finding in the words of NetMeta, and none of them fails.
func TestDoctorProblems(t *testing.T) {
	silent := func(minutes int) diagnosis.Problem {
		return diagnosis.Problem{ID: "silent", Level: diagnosis.Bad, What: fmt.Sprintf("silent for %d min", minutes), Remedy: "Look."}
	}
	status := &api.Status{Problems: []diagnosis.Problem{
		{ID: "queue-full", Level: diagnosis.Warn, Of: "queue", What: "60 % full", Remedy: "Give it a disk."},
		{ID: "loss", Level: diagnosis.Warn, Of: "decoder", What: "5 lost", Remedy: "Look."}, // losses has it
	}}
	for i := range 14 {
		status.Exporters = append(status.Exporters, api.Exporter{Address: fmt.Sprintf("192.0.2.%d", i), Type: "ipfix"})
		if i != 3 {
			status.Exporters[i].Problems = []diagnosis.Problem{silent(i + 6)}
		}
	}
	status.Exporters = append(status.Exporters, api.Exporter{Address: "192.0.2.3", Type: "sflow"})
	d := &doctor{status: status}
	d.problems()
	d.exporters(map[string][]diagnosis.Problem{"192.0.2.3": {{ID: "unnamed", Level: diagnosis.Warn, What: "20.0 % of its bytes are on interfaces without a name", Remedy: "Name them."}}})
	if len(d.findings) != 3 {
		t.Errorf("%d findings: %+v", len(d.findings), d.findings)
	}
	wants(t, d.findings, "WARN", "queue", "60 % full", "Give it a disk.")
	wants(t, d.findings, "WARN", "exporters", "192.0.2.0 (ipfix): silent for 6 min; also 192.0.2.1 (ipfix), ", "192.0.2.11 (ipfix) and 2 more", "Look.")
	wants(t, d.findings, "WARN", "exporters", "192.0.2.3: 20.0 % of its bytes", "Name them.")

	d = &doctor{status: &api.Status{Exporters: []api.Exporter{{Address: "192.0.2.1", Type: "sflow"}}}}
	d.exporters(nil)
	wants(t, d.findings, "OK", "exporters", "1 exporters, no problems")
}

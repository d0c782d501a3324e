package api

import (
	"math"
	"net/http"
	"slices"
	"testing"

	"netmeta/store"
)

// The coverage of an exporter is the share of its rows that have a value.
func TestExporters(t *testing.T) {
	s := seeded(t)
	p := s.Process.(*process)
	p.exporters = []Exporter{
		{Address: "192.0.2.1", Type: "ipfix", Reasons: map[string]uint64{"bad length": 2}},
		{Address: "203.0.113.1", Type: "ipfix"},
	}
	p.undecoded = map[string]*Sample{"192.0.2.1 ipfix": {At: 1_795_000_000, Reason: "bad-length", Octets: 1400, Hex: "000a0578"}}
	p.samplings = map[string][]Sampling{"192.0.2.1 ipfix": {{Domain: 7, Of: "selector", ID: 3, Rate: 100, Source: "options", Effective: 99.5, Samples: 2, Dropped: 1}}}
	var answer struct {
		Exporters []struct {
			Address   string
			Sample    *Sample
			Samplings []Sampling
			Coverage  map[string]float64
		}
		Ignored []Ignored
	}
	ask(t, s.Handler(), "GET", "/api/v1/exporters", "", http.StatusOK, &answer)
	if len(answer.Exporters) != 2 || answer.Exporters[0].Coverage != nil {
		t.Fatalf("exporters %+v", answer.Exporters)
	}
	if !slices.Equal(answer.Ignored, p.Status().Ignored) {
		t.Errorf("ignored %+v", answer.Ignored)
	}
	if of := answer.Exporters[0].Sample; of == nil || *of != *p.undecoded["192.0.2.1 ipfix"] || answer.Exporters[1].Sample != nil {
		t.Errorf("sample %+v", of)
	}
	if of := answer.Exporters[0].Samplings; len(of) != 1 || of[0] != p.samplings["192.0.2.1 ipfix"][0] || answer.Exporters[1].Samplings != nil {
		t.Errorf("samplings %+v", answer.Exporters)
	}
	of := answer.Exporters[1].Coverage
	res, _, err := s.Store.Select(t.Context(), store.Query{SQL: `SELECT avg(SrcPort != 0), avg(Bytes != 0) FROM flows
WHERE TimeReceived >= now() - 300 AND ExporterAddress = toIPv6('203.0.113.1') AND FlowType = 'ipfix'`})
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"SrcPort", "Bytes"} {
		if want := res.Columns[i].([]float64)[0]; math.Abs(of[name]-want) > 0.05 {
			t.Errorf("coverage of %s is %v, want %v", name, of[name], want)
		}
	}
	if _, ok := of["VNI"]; ok || len(of) < 5 {
		t.Errorf("coverage %v", of)
	}
}

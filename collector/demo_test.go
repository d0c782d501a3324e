package collector

import (
	"strings"
	"testing"
)

// A demo of --demo runs to the end; a port that the simulated exporters cannot reach is
// said.
func TestDemoRefused(t *testing.T) {
	s := &Collector{options: Options{Demo: true}}
	if err := s.setDemo(false); err == nil || !strings.Contains(err.Error(), "--demo") {
		t.Error(err)
	}
	if err := new(Collector).setDemo(true); err == nil || !strings.Contains(err.Error(), "sources.udp.listen") {
		t.Error(err)
	}
	if err := new(demoRun).start(); err == nil {
		t.Error("starts before the collector does")
	}
}

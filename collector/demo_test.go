package collector

import (
	"context"
	"strings"
	"sync"
	"testing"

	"netmeta/source/udp"
)

// A demo of --demo runs to the end; a port that the simulated exporters cannot reach is
// said.
func TestDemoRefused(t *testing.T) {
	s := &Collector{options: Options{Demo: true}}
	if err := s.setDemo(false); err == nil || !strings.Contains(err.Error(), "--demo") {
		t.Error(err)
	}
	if err := (&Collector{udp: new(udp.Source)}).setDemo(true); err == nil || !strings.Contains(err.Error(), "sources.udp.listen") {
		t.Error(err)
	}
	if err := new(demoController).start(); err == nil {
		t.Error("starts before the collector does")
	}
}

// When the demo has been stopped nothing of it is sent any more. It can start again, until
// the collector stops.
func TestDemoEnds(t *testing.T) {
	var playing sync.WaitGroup
	var plays, sending int
	began := make(chan struct{})
	d := new(demoController)
	d.open(t.Context(), &playing, func(ctx context.Context) {
		plays++
		sending++
		began <- struct{}{}
		<-ctx.Done()
		sending--
	})
	for range 2 {
		if err := d.start(); err != nil {
			t.Fatal(err)
		}
		<-began
		if err := d.start(); err != nil || !d.running() { // once is enough
			t.Errorf("running %v, %v", d.running(), err)
		}
		d.end()
		if sending != 0 || d.running() {
			t.Errorf("%d send after the end", sending)
		}
	}
	d.end() // there is nothing to stop
	d.close()
	if err := d.start(); err == nil || plays != 2 {
		t.Errorf("%d plays, and after the collector has stopped: %v", plays, err)
	}
	playing.Wait()
}

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"netmeta/internal/pcap"
)

// Counter samples are stored next to flows, and the difference of two readings is the
// traffic of an interface.
func TestRunCounters(t *testing.T) {
	p := start(t, t.TempDir())
	p.ready()
	conn, err := net.Dial("udp", p.udp)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r, err := pcap.Open("../../source/sflow/testdata/ovs.pcap")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		d, err := r.NextUDP()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(d.Payload); err != nil {
			t.Fatal(err)
		}
	}
	const want = "17\t28"
	waitFor(t, 10*time.Second, "counters", func() error {
		if got := p.sql("SELECT (SELECT count() FROM counters), (SELECT count() FROM flows)"); got != want {
			return fmt.Errorf("rows of counters and flows %s, want %s", got, want)
		}
		return nil
	})
	if got := p.sql("SELECT uniq(IfIndex), countIf(InOctets > 0) > 0, countIf(IfName != '') > 0, countIf(OVSHits > 0) > 0 FROM counters"); got != "4\t1\t1\t1" {
		t.Errorf("counters %s", got)
	}
	// The query of doc/counters.md.
	p.sql(`SELECT TimeReceived, (InOctets - lagInFrame(InOctets) OVER w) * 8 / (TimeReceived - lagInFrame(TimeReceived) OVER w) AS bps
FROM counters WHERE ExporterAddress = toIPv6('192.0.2.1') AND IfIndex = 3 AND bitTest(Records, 0)
WINDOW w AS (ORDER BY TimeReceived ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)`)
	if code := p.stop(syscall.SIGINT); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

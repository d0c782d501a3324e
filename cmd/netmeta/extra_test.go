package main

import (
	"fmt"
	"strings"
	"testing"
)

// decode --extra prints the elements that it names, and says which it does not know.
func TestDecodeExtra(t *testing.T) {
	lines, _, _ := decoded(t, "", "--extra", "octetDeltaCount,ethernetType,99", "../../source/netflow/testdata/ovs.pcap")
	compared := 0
	for _, line := range lines {
		extra, ok := line["Extra"].(map[string]any)
		if ok != (line["FlowType"] == "ipfix") {
			t.Errorf("%v", line)
		}
		if octets := extra["octetDeltaCount"]; octets != nil {
			if compared++; octets != fmt.Sprint(line["Bytes"]) || extra["ethernetType"] != fmt.Sprint(line["EType"]) || len(extra) != 2 {
				t.Errorf("%v", line)
			}
		}
	}
	if compared == 0 {
		t.Error("no elements")
	}
	_, stderr, code := netmeta(t, "", "decode", "--extra", "OctetDeltaCount", "-")
	if code == 0 || !strings.Contains(stderr, `did you mean "octetDeltaCount"?`) {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

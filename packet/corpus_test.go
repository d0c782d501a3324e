package packet

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/internal/pcap"
)

// corpus is a collection of public captures with what tshark reads in them. It is
// not part of the repository; the test runs where it lies beside it.
const corpus = "../../shared/corpus/mirror"

// TestCorpus compares every packet of the corpus with tshark's view: the innermost
// IP packet of a tunnel, or the only one.
func TestCorpus(t *testing.T) {
	files, _ := filepath.Glob(corpus + "/*.expected.jsonl")
	if len(files) == 0 {
		t.Skip("no captures in " + corpus)
	}
	packets, fields := 0, 0
	for _, name := range files {
		base := strings.TrimSuffix(name, ".expected.jsonl")
		t.Run(filepath.Base(base), func(t *testing.T) {
			capture := base + ".pcap"
			if _, err := os.Stat(capture); err != nil {
				capture += "ng"
			}
			r, err := pcap.Open(capture)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			expected, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer expected.Close()
			lines := bufio.NewScanner(expected)
			lines.Buffer(nil, 1<<20)
			b := flow.Table.NewBatch(1)
			for n := 1; ; n++ {
				f, err := r.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if !lines.Scan() {
					t.Fatalf("packet %d: no expected line", n)
				}
				want := object(t, lines.Bytes())
				b.Reset()
				b.Add()
				info := Dissect(b, 0, LinkType(f.LinkType), f.Data)
				packets++
				fields += compare(t, n, want, decode(t, b))
				if l, ok := want["ip_len"]; ok && fmt.Sprint(info.Length) != fmt.Sprint(l) && info.Length != 0 {
					t.Errorf("packet %d: Length = %d, want %v", n, info.Length, l)
				}
			}
		})
	}
	t.Logf("%d packets, %d fields", packets, fields)
}

// exceptions are fields where we differ from tshark, by capture, and why.
var exceptions = map[string]bool{
	// tshark stops at the frame under the control word (RFC 4448); its IP packet is
	// the flow, so the addresses are those of this frame.
	"TestCorpus/mpls-eompls-cw SrcMac": true,
	"TestCorpus/mpls-eompls-cw DstMac": true,
}

// compare checks the fields that both sides have a name for.
func compare(t *testing.T, n int, outer, got map[string]any) (fields int) {
	t.Helper()
	want := outer
	if inner, ok := outer["inner"].(map[string]any); ok {
		want = inner
		for _, k := range []string{"src_mac", "dst_mac", "vlans", "mpls_labels"} {
			if want[k] == nil {
				want[k] = outer[k]
			}
		}
		for k, column := range map[string]string{"src_addr": "OuterSrcAddr", "dst_addr": "OuterDstAddr"} {
			if fmt.Sprint(got[column]) != fmt.Sprint(outer[k]) {
				t.Errorf("packet %d: %s = %v, want %v", n, column, got[column], outer[k])
			}
			fields++
		}
	}
	check := func(column string, v any) {
		t.Helper()
		if v == nil || exceptions[t.Name()+" "+column] {
			return
		}
		fields++
		g := got[column]
		if g == nil { // zero columns are left out
			if s := fmt.Sprint(v); s != "0" && s != "::" {
				t.Errorf("packet %d: %s is not there, want %v\n%v", n, column, v, got)
			}
		} else if fmt.Sprint(g) != fmt.Sprint(v) {
			t.Errorf("packet %d: %s = %v, want %v\n%v", n, column, g, v, got)
		}
	}
	for name, column := range map[string]string{
		"src_mac": "SrcMac", "dst_mac": "DstMac", "src_addr": "SrcAddr", "dst_addr": "DstAddr",
		"src_port": "SrcPort", "dst_port": "DstPort", "tcp_flags": "TCPFlags", "tos": "IPTos", "ttl": "IPTTL",
		"ip_proto": "Proto", "frag_id": "FragmentId", "frag_offset": "FragmentOffset", "flow_label": "IPv6FlowLabel",
		"icmp_type": "IcmpType", "icmp_code": "IcmpCode", "mpls_labels": "MPLSLabels",
	} {
		check(column, want[name])
	}
	// tshark lists the tags of all frames in the packet; ours is of the frame whose
	// flow is in the columns. They differ where a mirrored frame has a tag and no IP.
	if vlans, ok := want["vlans"].([]any); ok && (got["TunnelType"] == nil || outer["inner"] != nil) {
		check("SrcVlan", vlans[0])
		if len(vlans) > 1 {
			check("SrcCustomerVlan", vlans[1])
		}
	}
	if proto, ok := map[any]any{"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}[want["l4"]]; ok {
		check("Proto", proto)
	}
	if version, ok := want["ip_version"]; ok {
		check("EType", map[string]any{"4": 0x0800, "6": 0x86dd}[fmt.Sprint(version)])
	}
	if tunnels, ok := outer["tunnel"].([]any); ok {
		tunnel := tunnels[0].(map[string]any)
		for _, k := range []string{"vxlan_vni", "geneve_vni", "gre_key"} {
			if tunnel[k] != nil && tunnel["gre_proto"] != "0x88be" {
				check("VNI", tunnel[k])
			}
		}
		if got["TunnelType"] == nil {
			t.Errorf("packet %d: no TunnelType for %v", n, tunnel)
		}
	}
	return fields
}

// decode is row 0 as the columns that are not zero.
func decode(t testing.TB, b *column.Batch) map[string]any {
	t.Helper()
	return object(t, column.AppendJSON(nil, b, 0))
}

// object is a JSON object; its numbers stay as they are written.
func object(t testing.TB, text []byte) (o map[string]any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&o); err != nil {
		t.Fatal(err)
	}
	return o
}

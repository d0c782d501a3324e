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
// not part of the repository; the test runs if it is next to it.
const corpus = "../../shared/corpus/mirror"

// TestCorpus compares every packet of the corpus with tshark's view: the innermost
// IP packet of a tunnel, or the only one.
func TestCorpus(t *testing.T) {
	files, _ := filepath.Glob(corpus + "/*.expected.jsonl")
	if len(files) == 0 {
		t.Skip("no captures in " + corpus)
	}
	packets, fields, used := 0, 0, map[string]bool{}
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
				got := decode(t, b)
				got["Length"] = info.Length
				fields += compare(t, n, want, got, used)
			}
			if lines.Scan() {
				t.Errorf("a line for a packet that is not in the capture: %s", lines.Bytes())
			}
		})
	}
	for key := range exceptions {
		if !used[key] {
			t.Errorf("exception %q is no longer needed", key)
		}
	}
	t.Logf("%d packets, %d fields", packets, fields)
}

// exceptions are values of tshark from which we differ, by capture and column, and why.
var exceptions = map[string]string{
	"mpls-eompls-cw SrcMac 00:30:96:05:28:38": "the frame under the control word (RFC 4448) has the flow; tshark stops at the outer one",
	"mpls-eompls-cw DstMac 00:30:96:e6:fc:39": "as SrcMac",
	"erspan-type-ii SrcVlan 1":                "the tag of a mirrored frame without IP, whose tunnel is the flow; tshark lists the tags of all frames",
	"erspan-type-ii SrcVlan 865":              "as SrcVlan 1",
	"ipfixprobe-mixed Proto 0":                "hop-by-hop options (RFC 8200, section 4.3) come before ICMPv6; Proto is what comes last",
	"bigtcp-ipv4 Length 80052":                "the header says 0, which leaves it open (segmentation offload); tshark takes the length of the frame",
}

// compare checks the fields that both sides have a name for.
func compare(t *testing.T, n int, outer, got map[string]any, used map[string]bool) (fields int) {
	t.Helper()
	check := func(column string, v any) {
		t.Helper()
		if v == nil {
			return
		}
		fields++
		g := got[column]
		if g == nil { // zero columns are left out
			if s := fmt.Sprint(v); s == "0" || s == "::" {
				return
			}
		} else if fmt.Sprint(g) == fmt.Sprint(v) {
			return
		}
		if key := fmt.Sprint(strings.TrimPrefix(t.Name(), "TestCorpus/"), " ", column, " ", v); exceptions[key] != "" {
			used[key] = true
			return
		}
		t.Errorf("packet %d: %s = %v, want %v\n%v", n, column, g, v, got)
	}
	want := outer
	if inner, ok := outer["inner"].(map[string]any); ok {
		want = inner
		for _, k := range []string{"src_mac", "dst_mac", "vlans", "mpls_labels"} {
			if want[k] == nil {
				want[k] = outer[k]
			}
		}
	}
	if outer["tunnel"] != nil || outer["inner"] != nil {
		check("OuterSrcAddr", outer["src_addr"])
		check("OuterDstAddr", outer["dst_addr"])
	}
	check("Length", outer["ip_len"])
	for name, column := range map[string]string{
		"src_mac": "SrcMac", "dst_mac": "DstMac", "src_addr": "SrcAddr", "dst_addr": "DstAddr",
		"src_port": "SrcPort", "dst_port": "DstPort", "tcp_flags": "TCPFlags", "tos": "IPTos", "ttl": "IPTTL",
		"ip_proto": "Proto", "next_header": "Proto", "frag_id": "FragmentId", "frag_offset": "FragmentOffset", "flow_label": "IPv6FlowLabel",
		"icmp_type": "IcmpType", "icmp_code": "IcmpCode", "mpls_labels": "MPLSLabels",
	} {
		check(column, want[name])
	}
	if vlans, ok := want["vlans"].([]any); ok {
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
			check("VNI", tunnel[k])
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

package sflow

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corpus is a collection of public captures with what tshark reads in them. It is
// not part of the repository; the test runs where it lies beside it.
const corpus = "../../../shared/corpus"

// faults are what is wrong in a capture, and counted; all that is whole beside it is read.
var faults = map[string]string{
	"akvorado-multiple-interfaces": "1 bad count",  // octets behind the last sample
	"preetam-flow_samples_2":       "1 bad count",  // the same
	"gopacket-ext-router":          "1 bad count",  // the sample says 52 octets and has 56; sflowtool gives up
	"gopacket-lacp-counters":       "1 bad length", // the datagram ends within the record of the aggregate; sflowtool gives up
}

// exceptions are fields where we differ from tshark, by capture, and why.
var exceptions = map[string]string{}

// TestCorpus compares every flow sample of the corpus with tshark's view, in all
// fields that have a column.
func TestCorpus(t *testing.T) {
	files, _ := filepath.Glob(corpus + "/sflow/*.expected.jsonl")
	if len(files) == 0 {
		t.Skip("no captures in " + corpus)
	}
	flows, fields := 0, 0
	used := map[string]bool{}
	for _, name := range files {
		base := strings.TrimSuffix(name, ".expected.jsonl")
		t.Run(filepath.Base(base), func(t *testing.T) {
			var wanted []map[string]any
			counters, discarded := 0, 0
			for _, line := range jsonLines(t, name) {
				switch line["record"] {
				case "flow":
					wanted = append(wanted, line)
				case "counters":
					counters++
				case "other_sample":
					discarded++
				}
			}
			state := New(Options{})
			rows := decodeFile(t, state, base+".pcap")
			if len(rows) != len(wanted) {
				t.Fatalf("%d flows, want %d", len(rows), len(wanted))
			}
			if got, want := refused(state), faults[filepath.Base(base)]; got != want {
				t.Errorf("refused %q, want %q", got, want)
			}
			if n := int(state.Counters().CounterSamples.Load()); n != counters {
				t.Errorf("%d counter samples, want %d", n, counters)
			}
			if n := int(state.Counters().DiscardedSamples.Load()); n != discarded {
				t.Errorf("%d discarded packets, want %d", n, discarded)
			}
			for i := range rows {
				flows++
				for column, want := range expected(wanted[i]) {
					fields++
					got := rows[i][column]
					if text := fmt.Sprint(want); got == nil && (text == "0" || text == "::" || text == "0.0.0.0" || text == "[]") {
						continue // zero columns are left out
					}
					if fmt.Sprint(got) == fmt.Sprint(want) {
						continue
					}
					if key := filepath.Base(base) + " " + column; exceptions[key] != "" {
						used[key] = true
						continue
					}
					t.Errorf("flow %d: %s = %v, want %v\n%v\n%v", i+1, column, got, want, rows[i], wanted[i])
				}
			}
		})
	}
	for key := range exceptions {
		if !used[key] {
			t.Errorf("exception %q is no longer needed", key)
		}
	}
	t.Logf("%d flows, %d fields", flows, fields)
}

// expected is an expected line by column.
func expected(line map[string]any) map[string]any {
	want := map[string]any{"Packets": 1, "FlowType": "sflow"}
	put := func(column string, v any) {
		if v != nil {
			want[column] = v
		}
	}
	head := line
	if inner, ok := line["inner"].(map[string]any); ok {
		head = inner
		put("OuterSrcAddr", line["src_addr"])
		put("OuterDstAddr", line["dst_addr"])
	}
	for name, column := range map[string]string{
		"src_addr": "SrcAddr", "dst_addr": "DstAddr", "src_port": "SrcPort", "dst_port": "DstPort",
		"tcp_flags": "TCPFlags", "tos": "IPTos", "ttl": "IPTTL", "ip_proto": "Proto", "next_header": "Proto", "frag_id": "FragmentId",
		"frag_offset": "FragmentOffset", "flow_label": "IPv6FlowLabel", "icmp_type": "IcmpType", "icmp_code": "IcmpCode",
		"src_mac": "SrcMac", "dst_mac": "DstMac", "mpls_labels": "MPLSLabels",
	} {
		put(column, head[name])
	}
	for name, column := range map[string]string{
		"agent": "ExporterAddress", "sub_agent": "ObservationDomain", "sequence": "SequenceNum", "bytes": "Bytes",
		"sampling_rate": "SamplingRate", "next_hop": "NextHop", "src_as": "SrcAS", "dst_as": "DstAS",
	} {
		put(column, line[name])
	}
	if proto, ok := map[any]int{"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}[head["l4"]]; ok {
		put("Proto", proto)
	}
	if v, ok := head["ip_version"]; ok {
		put("EType", map[int64]int{4: 0x0800, 6: 0x86dd}[number(v)])
	}
	if frame, ok := line["eth_frame"].(map[string]any); ok {
		put("Bytes", frame["length"])
		if t := number(frame["type"]); t >= 0x600 { // below it is a length
			put("EType", t)
		}
		put("SrcMac", frame["src_mac"])
		put("DstMac", frame["dst_mac"])
	}
	if tunnels, ok := line["tunnel"].([]any); ok {
		put("VNI", tunnels[0].(map[string]any)["vxlan_vni"])
	}
	// The tag of the frame, unless the switch says more.
	if vlans, ok := line["vlans"].([]any); ok {
		put("SrcVlan", vlans[0])
	}
	for name, column := range map[string]string{"src_vlan": "SrcVlan", "dst_vlan": "DstVlan"} {
		if v := number(line[name]); v > 0 && v < 4095 {
			put(column, v)
		}
	}
	// Only format 0 is an interface, and not what stands for the device itself.
	for name, column := range map[string]string{"in_if": "InIf", "out_if": "OutIf"} {
		if v := number(line[name]); number(line[name+"_format"]) == portIndex && v != portInternal {
			put(column, v)
		} else {
			put(column, 0)
		}
	}
	// A mask instead of a prefix length.
	for name, column := range map[string]string{"src_mask": "SrcMask", "dst_mask": "DstMask"} {
		switch v := number(line[name]); {
		case line[name] == nil:
		case v > 128:
			put(column, strings.Count(fmt.Sprintf("%b", v), "1"))
		default:
			put(column, v)
		}
	}
	if gateway, ok := line["gateway"].(map[string]any); ok {
		put("BGPNextHop", gateway["bgp_next_hop"])
		put("DstASPath", gateway["dst_as_path"])
		put("DstCommunities", gateway["communities"])
	}
	return want
}

// number is a number of a line; 0 if it is not there.
func number(v any) int64 {
	n, _ := v.(json.Number)
	i, _ := n.Int64()
	return i
}

// TestHostile decodes what is not sFlow, or broken, and wants it counted.
func TestHostile(t *testing.T) {
	files, _ := filepath.Glob(corpus + "/*/*.pcap")
	if len(files) == 0 {
		t.Skip("no captures in " + corpus)
	}
	for _, name := range files {
		if filepath.Base(filepath.Dir(name)) == "mirror" {
			continue
		}
		decodeFile(t, New(Options{}), name)
	}
}

func jsonLines(t *testing.T, name string) (lines []map[string]any) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		lines = append(lines, object(t, s.Bytes()))
	}
	return lines
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

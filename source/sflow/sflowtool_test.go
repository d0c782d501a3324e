package sflow

import (
	"fmt"
	"math"
	"math/bits"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"netmeta/counter"
	"netmeta/source"
)

// flowNames are the columns of what sflowtool prints of a flow sample; "" where there is
// none. A name that is in no table fails the test.
var flowNames = map[string]string{
	"meanSkipCount": "SamplingRate",
	// header, whole or as fields
	"sampledPacketSize": "Bytes", "ethernet_len": "Bytes", "srcMAC": "SrcMac", "dstMAC": "DstMac", "ethernet_src": "SrcMac", "ethernet_dst": "DstMac",
	"ethernet_type": "EType", "decodedVLAN": "SrcVlan", "srcIP": "SrcAddr", "dstIP": "DstAddr", "srcIP6": "SrcAddr", "dstIP6": "DstAddr",
	"IPProtocol": "Proto", "IPTOS": "IPTos", "IPTTL": "IPTTL", "IPID": "FragmentId", "IP6_label": "IPv6FlowLabel",
	"TCPSrcPort": "SrcPort", "TCPDstPort": "DstPort", "TCPFlags": "TCPFlags", "UDPSrcPort": "SrcPort", "UDPDstPort": "DstPort",
	"ICMPType": "IcmpType", "ICMPCode": "IcmpCode",
	// extensions
	"in_vlan": "SrcVlan", "out_vlan": "DstVlan", "nextHop": "NextHop", "srcSubnetMask": "SrcMask", "dstSubnetMask": "DstMask",
	"bgp_nexthop": "BGPNextHop", "src_as": "SrcAS", "dst_as": "DstAS", "dst_peer_as": "NextHopAS", "dst_as_path": "DstASPath", "BGP_communities": "DstCommunities",
	"tunnel_ipv4_out_srcIP": "OuterSrcAddr", "tunnel_ipv4_out_dstIP": "OuterDstAddr",

	// tags of the output, and what follows from other fields
	"flowBlock_tag": "", "flowSampleType": "", "extendedType": "", "sampleType": "", "sampleType_tag": "", "elements": "",
	// what the sampler counts: Samplings
	"sampleSequenceNo": "", "sourceId": "", "samplePool": "", "dropEvents": "",
	// compared with tshark in TestCorpus, which tells their formats
	"inputPort": "", "outputPort": "",
	// no columns
	"headerProtocol": "", "headerBytes": "", "headerLen": "", "strippedBytes": "", "IPSize": "", "ip.tot_len": "", "UDPBytes": "", "IPV6_payloadLen": "",
	"IP6HeaderExtension": "", "decodedPriority": "", "in_priority": "", "out_priority": "", "my_as": "", "src_peer_as": "", "BGP_localpref": "",
	"tunnel_ipv4_out_sampledPacketSize": "", "tunnel_ipv4_out_IPSize": "", "tunnel_ipv4_out_IPTOS": "",
	// decides the TunnelType, which is none for 0
	"tunnel_ipv4_out_IPProtocol": "",
}

// counterNames are the same for counter samples.
var counterNames = map[string]string{
	"sampleSequenceNo": "SequenceNum",
	"networkType":      "IfType", "ifSpeed": "IfSpeed", "ifInOctets": "InOctets", "ifOutOctets": "OutOctets",
	"ifPromiscuousMode": "PromiscuousMode", "ifInUnknownProtos": "InUnknownProtos", "ifName": "IfName",
	"5s_cpu": "CPU5s", "1m_cpu": "CPU1m", "5m_cpu": "CPU5m", "total_memory_bytes": "MemoryTotal", "free_memory_bytes": "MemoryFree",
	"openflow_port": "OFPort", "openflow_datapath_id": "OFDatapath",
	"OVS_dp_hits": "OVSHits", "OVS_dp_misses": "OVSMisses", "OVS_dp_lost": "OVSLost", "OVS_dp_mask_hits": "OVSMaskHits", "OVS_dp_flows": "OVSFlows", "OVS_dp_masks": "OVSMasks",
	"user_time": "AppUserMS", "system_time": "AppSystemMS", "memory_used": "AppMemory", "memory_max": "AppMemoryMax",
	"files_open": "AppFiles", "files_max": "AppFilesMax", "connections_open": "AppConns", "connections_max": "AppConnsMax",
	"hostname": "HostName", "os_release": "HostRelease",
	"cpu_load_one": "Load1", "cpu_load_five": "Load5", "cpu_load_fifteen": "Load15", "cpu_proc_run": "ProcsRunning", "cpu_proc_total": "Procs",
	"cpu_num": "CPUs", "cpu_speed": "CPUMHz", "cpu_uptime": "HostUptime", "cpu_user": "CPUUser", "cpu_nice": "CPUNice", "cpu_system": "CPUSystem",
	"cpu_idle": "CPUIdle", "cpu_wio": "CPUWait", "cpuintr": "CPUInterrupt", "cpu_sintr": "CPUSoft", "cpuinterrupts": "Interrupts", "cpu_contexts": "Contexts",
	"mem_total": "MemoryTotal", "mem_free": "MemoryFree", "mem_shared": "MemoryShared", "mem_buffers": "MemoryBuffers", "mem_cached": "MemoryCached",
	"swap_total": "SwapTotal", "swap_free": "SwapFree", "page_in": "PageIn", "page_out": "PageOut", "swap_in": "SwapIn", "swap_out": "SwapOut",
	"disk_total": "DiskTotal", "disk_free": "DiskFree", "disk_partition_max_used": "DiskMaxUsed", "disk_reads": "DiskReads", "disk_bytes_read": "DiskReadBytes",
	"disk_read_time": "DiskReadMS", "disk_writes": "DiskWrites", "disk_bytes_written": "DiskWriteBytes", "disk_write_time": "DiskWriteMS",
	"nio_bytes_in": "InHostOctets", "nio_pkts_in": "InHostPkts", "nio_errs_in": "InHostErrors", "nio_drops_in": "InHostDropped",
	"nio_bytes_out": "OutHostOctets", "nio_pkts_out": "OutHostPkts", "nio_errs_out": "OutHostErrors", "nio_drops_out": "OutHostDropped",

	"counterBlock_tag": "", "sampleType": "", "sampleType_tag": "", "elements": "",
	"sourceId": "", // finds the row
	"ifIndex":  "", // is that of the source
	// enumerations, as words in our rows: TestCounters
	"ifDirection": "", "ifStatus": "", "os_name": "",
	// no columns
	"UUID": "", "machine_type": "", "adaptor_list": "",
}

func init() {
	for _, side := range []string{"In", "Out"} {
		for _, what := range []string{"UcastPkts", "MulticastPkts", "BroadcastPkts", "Discards", "Errors"} {
			counterNames["if"+side+what] = side + what
		}
	}
	for _, c := range counter.Table.Fields {
		if strings.HasPrefix(c.Doc, "dot3Stats") {
			counterNames["dot3Stats"+c.Name] = c.Name
		}
	}
}

// sflowtoolExceptions are columns where we differ from sflowtool, by capture, and why.
var sflowtoolExceptions = map[string]string{}

func init() {
	for _, column := range []string{"SrcMac", "DstMac", "EType", "SrcAddr", "DstAddr", "Proto", "SrcPort", "DstPort", "FragmentId"} {
		sflowtoolExceptions["akvorado-encap-vxlan "+column] = "the flow is the one within VXLAN (RFC 7348), as in tshark; sflowtool stops at the outer one"
	}
}

// TestSflowtool compares every sample of the corpus with what sflowtool reads, in all
// fields that have a column.
func TestSflowtool(t *testing.T) {
	files, _ := filepath.Glob(corpus + "/sflow/*.sflowtool.jsonl")
	if len(files) == 0 {
		t.Skip("no captures in " + corpus)
	}
	flows, counters, values, used := 0, 0, 0, map[string]bool{}
	for _, name := range files {
		base := strings.TrimSuffix(name, ".sflowtool.jsonl")
		t.Run(filepath.Base(base), func(t *testing.T) {
			flowRows := decodeFile(t, New(Options{}), base+".pcap")
			counterRows := decodeCounters(t, New(Options{}), func(decode func(*source.Datagram)) { eachDatagram(t, base+".pcap", decode) })
			compare := func(row map[string]any, sample map[string]any, names map[string]string) {
				t.Helper()
				fields := []map[string]any{sample}
				for _, e := range sample["elements"].([]any) {
					fields = append(fields, e.(map[string]any))
				}
				want := map[string]string{}
				for _, element := range fields {
					for k, v := range element {
						c, ok := names[k]
						if !ok {
							t.Errorf("sflowtool has %s, which no table here names", k)
						}
						if c != "" && (want[c] == "" || want[c] == "0") {
							want[c] = fmt.Sprint(v)
						}
					}
				}
				for c, v := range want {
					values++
					got := fmt.Sprint(row[c])
					if row[c] == nil {
						got = "0"
					}
					if v = asColumn(c, v); got == v {
						continue
					}
					if key := filepath.Base(base) + " " + c; sflowtoolExceptions[key] != "" {
						used[key] = true
						continue
					}
					t.Errorf("%s = %s, want %s\n%v\n%v", c, got, v, row, sample)
				}
			}
			for _, datagram := range jsonLines(t, name) {
				list, _ := datagram["samples"].([]any)
				for _, s := range list {
					switch s := s.(map[string]any); s["sampleType"] {
					case "FLOWSAMPLE":
						if len(flowRows) == 0 {
							t.Fatal("no row for ", s)
						}
						compare(flowRows[0], s, flowNames)
						flows, flowRows = flows+1, flowRows[1:]
					case "COUNTERSSAMPLE":
						// Ours are in the same order; a sample without a record that we read has no row.
						_, index, _ := strings.Cut(fmt.Sprint(s["sourceId"]), ":")
						if len(counterRows) == 0 || fmt.Sprint(counterRows[0]["IfIndex"]) != index || fmt.Sprint(counterRows[0]["SequenceNum"]) != s["sampleSequenceNo"] {
							t.Fatal("no row for ", s)
						}
						compare(counterRows[0], s, counterNames)
						counters, counterRows = counters+1, counterRows[1:]
					case "DISCARD": // counted: TestCorpus
					default:
						t.Error("sflowtool has a sample of type ", s["sampleType"])
					}
				}
			}
			if len(flowRows)+len(counterRows) > 0 {
				t.Errorf("sflowtool lacks %d flows and %d rows of counters", len(flowRows), len(counterRows))
			}
		})
	}
	for key := range sflowtoolExceptions {
		if !used[key] {
			t.Errorf("exception %q is no longer needed", key)
		}
	}
	t.Logf("%d flow samples, %d counter samples, %d values", flows, counters, values)
}

// asColumn writes a value of sflowtool as the column would have it.
func asColumn(column, v string) string {
	if v == "4294967295" || v == "18446744073709551615" { // not known
		return "0"
	}
	switch column {
	case "SrcMac", "DstMac":
		var pairs []string
		for i := 0; i+2 <= len(v); i += 2 {
			pairs = append(pairs, v[i:i+2])
		}
		return strings.Join(pairs, ":")
	case "FragmentId": // in the byte order of the machine where sflowtool ran; tshark has it as we do
		n, _ := strconv.Atoi(v)
		return fmt.Sprint(bits.ReverseBytes16(uint16(n)))
	case "IPv6FlowLabel":
		n, _ := strconv.ParseUint(v, 0, 32)
		return fmt.Sprint(n)
	case "OFDatapath":
		n, _ := strconv.ParseUint(v, 16, 64)
		return fmt.Sprint(n)
	case "EType": // below it is a length
		if n, _ := strconv.Atoi(v); n < 0x600 {
			return "0"
		}
	case "SrcAddr", "DstAddr", "NextHop", "BGPNextHop", "OuterSrcAddr", "OuterDstAddr":
		if a, err := netip.ParseAddr(v); err == nil {
			return a.Unmap().String()
		}
	case "DstASPath", "DstCommunities":
		return "[" + strings.ReplaceAll(v, "-", " ") + "]"
	case "CPU5s", "CPU1m", "CPU5m", "DiskMaxUsed": // hundredths
		v = strings.TrimLeft(strings.Replace(v, ".", "", 1), "0")
	case "Load1", "Load5", "Load15":
		x, _ := strconv.ParseFloat(v, 64)
		return fmt.Sprint(math.Round(100 * x))
	}
	return v
}

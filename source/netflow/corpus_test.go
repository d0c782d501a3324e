package netflow

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/internal/pcap"
	"netmeta/source"
)

// corpus is a collection of captures with what other decoders made of them, kept
// outside the repository.
const corpus = "../../../shared/corpus"

// differences are the fields in which we differ from the expectation, by file and
// field, with the reason why.
var differences = map[string]string{
	"netflow9/nprobe start_ms":                     "a zero time is an absent one; the record has another",
	"netflow9/nprobe-graylog-2 start_ms":           "a zero time is an absent one",
	"netflow9/nprobe-graylog-2 end_ms":             "a zero time is an absent one",
	"ipfix/softflowd-logstash start_ms":            "flowStartSysUpTime is placed by the systemInitTimeMilliseconds of the options data (RFC 7011 has no SysUptime in its header)",
	"ipfix/pmacct-400-srv6 ethertype":              "element 256 carries 254, which is no EtherType; the addresses tell",
	"ipfix/pmacct-501-mpls ethertype":              "element 256 carries 45310, which is no EtherType; the addresses tell",
	"ipfix/cesnet-enterprise-from-nfv9 templates":  "the options template ends behind its set and is refused (RFC 7011 §3.4.2.2)",
	"malformed/libnetflow9-malformed-OT templates": "an options template without fields is refused (RFC 3954 §6.1)",
	"malformed/libnetflow9-malformed_1 templates":  "templates without fields are refused (RFC 3954 §5.2)",
}

// An expected record, as other decoders found it.
type expected map[string]any

func (e expected) text(name string) (string, bool) {
	v, ok := e[name]
	if !ok {
		return "", false
	}
	switch v := v.(type) {
	case json.Number:
		return v.String(), true
	case string:
		return v, true
	}
	return fmt.Sprint(v), true
}

func readExpected(t *testing.T, path string) (list []expected) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		dec := json.NewDecoder(strings.NewReader(lines.Text()))
		dec.UseNumber()
		e := expected{}
		if err := dec.Decode(&e); err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

// comparable fields: the column's value as the expectation writes it.
type compared struct {
	name string
	got  func(b *column.Batch, row int) string
}

func numberOf[T interface {
	At(*column.Batch, int) V
}, V uint8 | uint16 | uint32 | uint64](h T) func(*column.Batch, int) string {
	return func(b *column.Batch, row int) string { return strconv.FormatUint(uint64(h.At(b, row)), 10) }
}

func addrOf(h column.IPs) func(*column.Batch, int) string {
	return func(b *column.Batch, row int) string { return h.At(b, row).IP().String() }
}

func macOf(h column.U64) func(*column.Batch, int) string {
	return func(b *column.Batch, row int) string {
		m := h.At(b, row)
		return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", byte(m>>40), byte(m>>32), byte(m>>24), byte(m>>16), byte(m>>8), byte(m))
	}
}

var comparedFields = []compared{
	{"exporter", addrOf(flow.ExporterAddress)},
	{"sequence", numberOf(flow.SequenceNum)},
	{"source_id", numberOf(flow.ObservationDomain)},
	{"observation_domain", numberOf(flow.ObservationDomain)},
	{"src_addr", addrOf(flow.SrcAddr)},
	{"dst_addr", addrOf(flow.DstAddr)},
	{"next_hop", addrOf(flow.NextHop)},
	{"bgp_next_hop", addrOf(flow.BGPNextHop)},
	{"in_if", numberOf(flow.InIf)},
	{"out_if", numberOf(flow.OutIf)},
	{"packets", numberOf(flow.Packets)},
	{"bytes", numberOf(flow.Bytes)},
	{"start_ms", numberOf(flow.FlowStart)},
	{"end_ms", numberOf(flow.FlowEnd)},
	{"src_port", numberOf(flow.SrcPort)},
	{"dst_port", numberOf(flow.DstPort)},
	{"tcp_flags", numberOf(flow.TCPFlags)},
	{"ip_proto", numberOf(flow.Proto)},
	{"tos", numberOf(flow.IPTos)},
	{"ttl", numberOf(flow.IPTTL)},
	{"ttl_max", numberOf(flow.MaxTTL)},
	{"len_min", numberOf(flow.MinPacketLength)},
	{"len_max", numberOf(flow.MaxPacketLength)},
	{"firewall_event", numberOf(flow.FirewallEvent)},
	{"src_as", numberOf(flow.SrcAS)},
	{"dst_as", numberOf(flow.DstAS)},
	{"src_mask", numberOf(flow.SrcMask)},
	{"dst_mask", numberOf(flow.DstMask)},
	{"src_mac", macOf(flow.SrcMac)},
	{"dst_mac", macOf(flow.DstMac)},
	{"src_vlan", numberOf(flow.SrcVlan)},
	{"dst_vlan", numberOf(flow.DstVlan)},
	{"dot1q_vlan", numberOf(flow.SrcVlan)},
	{"icmp_type", numberOf(flow.IcmpType)},
	{"icmp_code", numberOf(flow.IcmpCode)},
	{"forwarding_status", numberOf(flow.ForwardingStatus)},
	{"flow_end_reason", numberOf(flow.FlowEndReason)},
	{"ingress_vrf_id", numberOf(flow.IngressVRF)},
	{"egress_vrf_id", numberOf(flow.EgressVRF)},
	{"ipv6_flow_label", numberOf(flow.IPv6FlowLabel)},
	{"frag_id", numberOf(flow.FragmentId)},
	{"ethertype", numberOf(flow.EType)},
	{"post_nat_src_addr", addrOf(flow.SrcAddrNAT)},
	{"post_nat_dst_addr", addrOf(flow.DstAddrNAT)},
	{"post_nat_src_port", numberOf(flow.SrcPortNAT)},
	{"post_nat_dst_port", numberOf(flow.DstPortNAT)},
	{"sampling_rate", numberOf(flow.SamplingRate)},
	{"direction", func(b *column.Batch, row int) string {
		return map[uint8]string{flow.DirectionIn: "0", flow.DirectionOut: "1", 0: "255"}[flow.Direction.At(b, row)]
	}},
	{"ip_version", func(b *column.Batch, row int) string {
		return map[uint16]string{flow.EtherTypeIPv4: "4", flow.EtherTypeIPv6: "6"}[flow.EType.At(b, row)]
	}},
	{"proto", func(b *column.Batch, row int) string { return flow.FlowType.Field.Enum[flow.FlowType.At(b, row)] }},
}

// normal brings what both sides write in different ways together.
func normal(name, v string) string {
	if strings.HasSuffix(name, "hop") || strings.HasSuffix(name, "addr") {
		if a, err := netip.ParseAddr(v); err == nil && a.IsUnspecified() {
			return "none"
		} else if err == nil {
			return a.Unmap().String()
		}
	}
	return v
}

func TestCorpus(t *testing.T) {
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("no corpus of captures beside the repository: ", corpus)
	}
	used := map[string]bool{}
	for _, folder := range []string{"netflow5", "netflow9", "ipfix", "mixed", "malformed"} {
		files, err := filepath.Glob(filepath.Join(corpus, folder, "*.pcap"))
		if err != nil || len(files) == 0 {
			t.Fatal(folder, err)
		}
		for _, file := range files {
			name := folder + "/" + strings.TrimSuffix(filepath.Base(file), ".pcap")
			t.Run(name, func(t *testing.T) {
				compareCapture(t, file, name, used)
			})
		}
	}
	for key := range differences {
		if !used[key] {
			t.Errorf("difference %q does not occur", key)
		}
	}
}

func compareCapture(t *testing.T, file, name string, used map[string]bool) {
	// Biflows are one record each to the other decoders; their reverse directions are
	// compared below.
	state := New(Options{oneWay: true})
	b := decodeFile(t, state, file)
	var rows []int
	for row := range b.Len() {
		// Sets that waited for their template are lost to the other decoders.
		if flow.Quality.At(b, row)&flow.LateTemplate == 0 {
			rows = append(rows, row)
		}
	}
	// Templates of another port of the exporter hold where its own are not known; there is
	// another expectation for that where it makes a difference.
	base := strings.TrimSuffix(file, ".pcap")
	all := readExpected(t, base+".expected.jsonl")
	if _, err := os.Stat(base + ".expected-anyport.jsonl"); err == nil {
		any := readExpected(t, base+".expected-anyport.jsonl")
		flows := 0
		for _, e := range any {
			if kind, _ := e.text("record"); kind == "flow" {
				flows++
			}
		}
		if flows == len(rows) {
			all = any
		}
	}
	var want []expected
	count, unknown := map[string]int{}, map[string]bool{}
	for _, e := range all {
		kind, _ := e.text("record")
		if v1, _ := e.text("proto"); v1 == "netflow1" || kind == "not_decoded" {
			frame, _ := e.text("frame")
			unknown[frame] = true // NetFlow v1, or no flow protocol
			continue
		}
		count[kind]++
		if kind == "flow" {
			want = append(want, e)
		}
	}
	if n := refused(state, source.UnknownVersion); n != uint64(len(unknown)) {
		t.Errorf("%d datagrams of unknown version, want %d", n, len(unknown))
	}
	if late := b.Len() - len(rows); late > 0 {
		t.Logf("%d flows of sets that came before their template", late)
		if count["no_template"] == 0 {
			t.Error("none of them is expected")
		}
	}
	if len(rows) != len(want) {
		t.Errorf("%d flows, want %d", len(rows), len(want))
	}
	check := func(field string, got, want any) {
		if got == want {
			return
		}
		key := name + " " + field
		if _, ok := differences[key]; ok {
			used[key] = true
			return
		}
		t.Errorf("%s: got %v, want %v", field, got, want)
	}
	check("templates", int(state.Counters().Templates.Load()), count["template"]+count["options_template"])
	compareMetadata(t, state, all, func(what, got, want string) { check(what, got, want) })
	check("options", int(state.Counters().OptionsRecords.Load()), count["options"])

	bad := map[string]int{}
	for i, row := range rows[:min(len(rows), len(want))] {
		e := want[i]
		// What stands in for what is not there.
		for name, other := range map[string][]string{"bytes": {"post_bytes", "bytes_total"}, "packets": {"post_packets", "packets_total"}, "ttl": {"ttl_min"}} {
			for _, o := range other {
				if e[name] == nil && e[o] != nil {
					e[name] = e[o]
				}
			}
		}
		// Of an outer and an inner header, we keep the inner one in the columns.
		if inner, ok := e["second"].(map[string]any); ok && inner["src_addr"] != nil {
			for k, v := range inner {
				if k == "src_addr" {
					check("outer", flow.OuterSrcAddr.At(b, row).IP().String(), e[k])
				}
				e[k] = v
			}
		}
		// The same goes for a sampled frame.
		if frame, ok := e["sampled_frame"].(map[string]any); ok {
			maps.Copy(e, frame)
			if inner, ok := frame["inner"].(map[string]any); ok {
				maps.Copy(e, inner)
			}
		}
		for _, f := range comparedFields {
			w, ok := e.text(f.name)
			if !ok {
				continue
			}
			got := f.got(b, row)
			if normal(f.name, got) == normal(f.name, w) {
				continue
			}
			key := name + " " + f.name
			if _, ok := differences[key]; ok {
				used[key] = true
				continue
			}
			if bad[f.name]++; bad[f.name] == 1 {
				line, _ := json.Marshal(e)
				t.Errorf("flow %d: %s: got %s, want %s\n got %s\nwant %s", i, f.name, got, w, column.AppendJSON(nil, b, row), line)
			}
		}
		if labels, ok := e["mpls_labels"].([]any); ok {
			var w []uint32
			for _, l := range labels {
				n, _ := strconv.Atoi(fmt.Sprint(l))
				w = append(w, uint32(n))
			}
			for len(w) > 0 && w[len(w)-1] == 0 {
				w = w[:len(w)-1]
			}
			if got := flow.MPLSLabels.At(b, row); !slices.Equal(got, w) {
				check("mpls_labels", fmt.Sprint(got), fmt.Sprint(w))
			}
		}
	}
	octets := uint64(0)
	for _, e := range want {
		if r, ok := e["reverse"].(map[string]any); ok {
			for _, name := range []string{"bytes", "bytes_total"} {
				if v, ok := r[name].(json.Number); ok && v != "0" {
					n, _ := v.Int64()
					octets += uint64(n)
				}
			}
		}
	}
	both := decodeFile(t, New(Options{}), file)
	sum := func(b *column.Batch) (n uint64) {
		for _, v := range flow.Bytes.Column(b)[:b.Len()] {
			n += v
		}
		return n
	}
	check("reverse bytes", sum(both)-sum(b), octets)
	for f, n := range bad {
		t.Logf("%s differs in %d flows", f, n)
	}
}

// compareMetadata compares what is known of each exporter with what the records of
// options data said last.
func compareMetadata(t *testing.T, state *State, all []expected, check func(what, got, want string)) {
	t.Helper()
	last := map[string]string{} // what the last record of each said
	for _, e := range all {
		if kind, _ := e.text("record"); kind != "options" {
			continue
		}
		for _, key := range []string{"in_if", "ingress_vrf_id"} {
			from, _ := e.text("exporter")
			id, ok := e.text(key)
			for _, name := range []string{"if_name", "if_descr", "vrf_name"} {
				if text, named := e.text(name); ok && named && (name == "vrf_name") == (key == "ingress_vrf_id") {
					last[from+" "+id+" "+name] = text
				}
			}
		}
	}
	for what, want := range last {
		part := strings.Fields(what)
		id, err := strconv.ParseUint(part[1], 10, 32)
		m := state.Metadata(netip.MustParseAddr(part[0]))
		if m == nil || err != nil {
			t.Errorf("%s: nothing is known of the exporter; %v", what, err)
			continue
		}
		x := m.Interface(uint32(id))
		got := map[string]column.Label{"if_name": x.Name, "if_descr": x.Description, "vrf_name": m.VRF(uint32(id))}[part[2]]
		check(what, got.String(), want)
	}
	if len(last) > 0 {
		t.Logf("%d names from options data", len(last))
	}
}

// decodeFile decodes a capture into one batch.
func decodeFile(t testing.TB, state *State, file string) *column.Batch {
	t.Helper()
	b := flow.Table.NewBatch(20_000)
	dec := state.Decoder()
	for _, dg := range readCapture(t, file) {
		dec.Decode(&dg, into(b, func() { t.Fatal("more rows than fit") }))
	}
	return b
}

func readCapture(t testing.TB, file string) (list []source.Datagram) {
	t.Helper()
	r, err := pcap.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		dg, err := r.NextUDP()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, source.Datagram{Payload: slices.Clone(dg.Payload), Exporter: dg.Src, Received: dg.Time})
	}
}

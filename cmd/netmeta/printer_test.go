package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netmeta/api"
	"netmeta/internal/golden"
	"netmeta/internal/pcap"
)

// capture writes a capture file of datagrams that are given in hexadecimal.
func capture(t *testing.T, datagrams ...string) string {
	t.Helper()
	var file bytes.Buffer
	w, err := pcap.NewWriter(&file)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range datagrams {
		payload, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		d := pcap.Datagram{Payload: payload, Time: time.Unix(1_700_000_000+int64(i), 0),
			Src: netip.MustParseAddrPort("192.0.2.1:9"), Dst: netip.MustParseAddrPort("192.0.2.2:2055")}
		if err := w.WriteUDP(d); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(t.TempDir(), "all.pcap")
	if err := os.WriteFile(name, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// What decode --all prints of one datagram after the other: of each kind of record one.
func TestDecodeAll(t *testing.T) {
	ipfix := func(sequence int, sets string) string {
		return fmt.Sprintf("000a %04x 6553f100 %08x 00000007", 16+len(strings.ReplaceAll(sets, " ", ""))/2, sequence) + sets
	}
	file := capture(t,
		ipfix(0, "012c 0010 c0000201 00000001 00000000"), // data before their template, which is 8 octets long
		ipfix(1, "0002 0018 012c 0003 0008 0004 0001 0004 8001 0002 00007279"+"0003 001a 0190 0003 0001 000a 0004 0052 ffff 86ab 0002 0000000f"),
		ipfix(2, "0190 0010 00000001 04 65746830 002a 00"),
		ipfix(3, "0002 000c 012c 0003 0008 0004"), // a template that ends in the middle
		ipfix(3, "004d 0008 00000000"),            // a set id that is reserved
		"0001 0001 00000000",                      // NetFlow v1
		"00",
		// sFlow: a dropped packet, a sample of counters, a sample that is cut.
		"00000005 00000001 c0000203 00000000 00000001 000003e8 00000002"+
			"00000005 00000020 00000001 00000000 00000001 00000000 00000003 00000000 00000102 00000000"+
			"00000002 0000002c 00000001 00000003 00000001 00000005 00000018 00000064 000f4240 000186a0 000f4240 00000000 00000001",
		"00000005 00000001 c0000203 00000000 00000002 000007d0 00000001 00000001 00000004 00000000",
	)
	golden.Equal(t, "testdata/all.txt", []byte(must(t, "decode", "--all", file)))
	golden.Equal(t, "testdata/all.jsonl", []byte(must(t, "decode", "--all", "--json", file)))
	golden.Equal(t, "testdata/all-pmipfix.jsonl", []byte(must(t, "decode", "--all", "--json", "../../source/netflow/testdata/pmipfix.pcap")))
	golden.Equal(t, "testdata/all-ovs.txt", []byte(must(t, "decode", "--all", "../../source/sflow/testdata/ovs.pcap")))
}

// allDiffers are the records of a capture of which decode --all prints another number
// than the expectation has, and why.
var allDiffers = map[string]string{
	"ipfix/ipfixprobe-biflow flow":                       "a biflow is two flows (RFC 5103)",
	"ipfix/yaf flow":                                     "a biflow is two flows (RFC 5103)",
	"ipfix/telegraf-example flow":                        "a biflow is two flows (RFC 5103)",
	"mixed/v1-v5-v9-ipfix-one-port flow":                 "NetFlow v1 is not decoded, and said to be",
	"mixed/v1-v5-v9-ipfix-one-port not_decoded":          "NetFlow v1 is not decoded, and said to be",
	"ipfix/cesnet-enterprise-from-nfv9 options_template": "ends behind its set: refused (RFC 7011 §3.4.2.2)",
	"ipfix/cesnet-enterprise-from-nfv9 malformed":        "the same",
	"ipfix/vflow-unknown-dataset malformed":              "the message is longer than its header says (RFC 7011 §3.1)",
	"malformed/cesnet-bad-length-in-set-very-long malformed": "the message and a set in it are shorter than they say (RFC 7011 §3.1, §3.3.2); " +
		"tshark says nothing",
	"malformed/cesnet-bad-template-field-count no_template": "tshark gives up at the template; a set says where the next one begins (RFC 7011 §3.3)",
	"malformed/libnetflow9-malformed-OT options_template":   "has no fields: refused (RFC 3954 §6.1)",
	"malformed/libnetflow9-malformed-OT malformed":          "the same",
	"malformed/libnetflow9-malformed_1 template":            "have no fields: refused (RFC 3954 §5.2)",
	"malformed/libnetflow9-malformed_1 malformed":           "the same",
	"malformed/libnetflow9-malformed_4 malformed":           "zeros behind the last set are padding, as exporters write it",
	"malformed/netflow5-invalid01 malformed":                "the count in the header is wrong",
	"netflow9/h3c malformed":                                "an element of address length 2 is skipped by its length (RFC 3954 §5.3)",
	"sflow/gopacket-9 malformed":                            "tshark does not know a format of counters; all is well formed",
	"sflow/gopacket-app-resources-ovsdb malformed":          "tshark does not know a format of counters; all is well formed",
	"sflow/akvorado-multiple-interfaces malformed":          "octets are left behind the last sample",
	"sflow/gopacket-ext-router malformed":                   "octets are left behind the last sample",
	"sflow/preetam-flow_samples_2 malformed":                "octets are left behind the last sample",
	"sflow/tcpdump-counters-30pdus flow":                    "NetFlow v5 on the port of sFlow is decoded",
	"sflow/tcpdump-counters-30pdus not_decoded":             "NetFlow v5 on the port of sFlow is decoded",
	"sflow/tcpdump-counters-30pdus malformed":               "the records of a host are whole by their lengths",
}

// Over the corpus, decode --all prints as many records of each kind as are expected.
func TestDecodeAllCorpus(t *testing.T) {
	const corpus = "../../../shared/corpus"
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("no corpus of captures beside the repository: ", corpus)
	}
	used := map[string]bool{}
	for _, folder := range []string{"netflow5", "netflow9", "ipfix", "sflow", "mixed", "malformed"} {
		files, _ := filepath.Glob(filepath.Join(corpus, folder, "*.pcap"))
		if len(files) == 0 {
			t.Fatal("no captures in ", folder)
		}
		for _, file := range files {
			expected, err := os.ReadFile(strings.TrimSuffix(file, ".pcap") + ".expected.jsonl")
			if err != nil {
				t.Fatal(err)
			}
			count := func(lines []byte) map[string]int {
				kinds := map[string]int{}
				for line := range bytes.Lines(lines) {
					var e struct {
						Record  string
						Quality []string
					}
					if err := json.Unmarshal(line, &e); err != nil {
						t.Fatal(file, err)
					}
					// A set that waited for its template counts as no_template, as with others.
					if !strings.Contains(strings.Join(e.Quality, " "), "late-template") {
						kinds[e.Record]++
					}
				}
				return kinds
			}
			got, want := count([]byte(must(t, "decode", "--all", "--json", file))), count(expected)
			want["discarded"] = want["other_sample"]
			for _, kind := range []string{"flow", "options", "template", "options_template", "no_template", "counters", "discarded", "malformed", "not_decoded"} {
				if got[kind] == want[kind] {
					continue
				}
				key := folder + "/" + strings.TrimSuffix(filepath.Base(file), ".pcap") + " " + kind
				used[key] = true
				if allDiffers[key] == "" {
					t.Errorf("%s: %d printed, %d expected", key, got[kind], want[kind])
				}
			}
		}
	}
	for key := range allDiffers {
		if !used[key] {
			t.Errorf("%s no longer differs", key)
		}
	}
}

// What arrives on a port is printed as it comes, until Ctrl-C; then comes the summary.
func TestDecodeListen(t *testing.T) {
	cmd := command(t, "decode", "--listen", "127.0.0.1:0", "--all")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	diag, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said, lines := bufio.NewScanner(diag), bufio.NewScanner(out)
	said.Scan()
	rest, begins := strings.CutPrefix(said.Text(), "listening on UDP ")
	addr, _, ok := strings.Cut(rest, ";")
	if !begins || !ok {
		t.Fatal(said.Text())
	}
	conn, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, d := range []struct{ send, want string }{
		{"000a001c6553f1000000000000000007" + "0002000c012c000100010004", "template FlowType=ipfix ExporterAddress=127.0.0.1 ObservationDomain=7 SequenceNum=0 Template=300 Elements=octetDeltaCount(4)"},
		{"000a00186553f1000000000000000007" + "012c000800000539", "flow TimeReceived="},
		{"0001", "malformed ExporterAddress=127.0.0.1 Reason=\"datagram too short\""},
	} {
		payload, err := hex.DecodeString(d.send)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(payload); err != nil {
			t.Fatal(err)
		}
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), d.want) {
			t.Fatalf("printed %q, want %q", lines.Text(), d.want)
		}
	}
	cmd.Process.Signal(os.Interrupt)
	if lines.Scan() {
		t.Errorf("printed another line: %q", lines.Text())
	}
	var summary []string
	for said.Scan() {
		summary = append(summary, said.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if got, want := strings.Join(summary, ", "), "packets 3, flows 1, templates 1, options records 0, not decoded: 1 (datagram too short)"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
}

// The health of the exporters of a capture, as a table and as JSON; the frames of a
// capture as traffic.
func TestDecodeStatsAndMirror(t *testing.T) {
	const file = "../../source/netflow/testdata/pmipfix.pcap"
	table := strings.Split(strings.TrimSpace(must(t, "decode", "--stats", file)), "\n")
	if len(table) != 2 || !strings.Contains(table[0], "median ms") || !strings.HasPrefix(strings.Join(strings.Fields(table[1]), " "), "127.0.0.1 ipfix 5 17 15 2 options 6 0 0 0 0 ") {
		t.Errorf("%q", table)
	}
	var x api.Exporter
	if err := json.Unmarshal([]byte(must(t, "decode", "--stats", "--json", file)), &x); err != nil || x.Flows != 15 || x.Options != 2 || x.Templates != 6 || x.SamplingRate != 2 {
		t.Errorf("%+v, %v", x, err)
	}
	frames, summary, _ := decoded(t, "", "--mirror", file)
	if len(frames) != 5 || summary["packets"] != 5 {
		t.Errorf("%d frames; %v", len(frames), summary)
	}
	for _, f := range frames {
		if f["FlowType"] != "mirror" || f["DstPort"] == nil || f["Proto"] != json.Number("17") || f["Packets"] != json.Number("1") {
			t.Errorf("%v", f)
		}
	}
}

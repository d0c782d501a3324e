package packet

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"netmeta/column"
	"netmeta/flow"
)

// Frames written out, as the tests below need them.
const (
	ether4 = "020000000001 020000000002 0800 "
	ether6 = "020000000001 020000000002 86dd "
	tcp    = "c001 0050 00000001 00000002 5 018 ffff 0000 0000 "
	udp    = "c001 0035 0008 0000 "
	echo   = "08 00 0000 0001 0001 "
)

// v4 is an IPv4 header from 192.0.2.1 to 198.51.100.2 with TTL 64, TOS b8 and id 1234.
func v4(proto, payload string) string { return v4Fragment(proto, "0000", payload) }

func v4Fragment(proto, fragment, payload string) string {
	length := "0000" // as with segmentation offload, so that the tests need not count
	return "45 b8 " + length + " 1234 " + fragment + " 40 " + proto + " 0000 c0000201 c6336402 " + payload
}

// v6 is an IPv6 header from 2001:db8::1 to 2001:db8::2 with hop limit 64, traffic class b8 and label abcde.
func v6(next, payload string) string {
	return "6b8abcde 0000 " + next + " 40 20010db8000000000000000000000001 20010db8000000000000000000000002 " + payload
}

// cut is the first n bytes of a packet.
func cut(packet string, n int) string {
	return strings.ReplaceAll(packet, " ", "")[:2*n]
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDissect(t *testing.T) {
	b := flow.Table.NewBatch(1)
	f := func(link LinkType, packet, want string) {
		t.Helper()
		b.Reset()
		b.Add()
		Dissect(b, 0, link, unhex(t, packet))
		if !reflect.DeepEqual(decode(t, b), object(t, []byte(want))) {
			t.Errorf("%s\n got %s\nwant %s", packet, column.AppendJSON(nil, b, 0), want)
		}
	}
	const (
		macs   = `"SrcMac":"02:00:00:00:00:02","DstMac":"02:00:00:00:00:01"`
		addrs4 = `"SrcAddr":"192.0.2.1","DstAddr":"198.51.100.2"`
		addrs6 = `"SrcAddr":"2001:db8::1","DstAddr":"2001:db8::2"`
		outer4 = `"OuterSrcAddr":"192.0.2.1","OuterDstAddr":"198.51.100.2"`
		outer6 = `"OuterSrcAddr":"2001:db8::1","OuterDstAddr":"2001:db8::2"`
		short  = `{"Quality":["truncated-header"]`
		ip4    = `"EType":2048,"IPTos":184,"IPTTL":64,"FragmentId":4660`
		ip6    = `"EType":34525,"IPTos":184,"IPTTL":64,"IPv6FlowLabel":703710`
		tcp4   = `"SrcPort":49153,"DstPort":80,"Proto":6,"EType":2048,"TCPFlags":24,"IPTos":184,"IPTTL":64,"FragmentId":4660`
		tcp6   = `"SrcPort":49153,"DstPort":80,"Proto":6,"EType":34525,"TCPFlags":24,"IPTos":184,"IPTTL":64,"IPv6FlowLabel":703710`
	)
	all4 := `{` + addrs4 + `,` + tcp4 + `}`
	all6 := `{` + addrs6 + `,` + tcp6 + `}`

	// Link layers.
	f(Ethernet, ether4+v4("06", tcp), `{`+addrs4+`,`+tcp4+`,`+macs+`}`)
	f(Ethernet, ether6+v6("06", tcp), `{`+addrs6+`,`+tcp6+`,`+macs+`}`)
	f(RawIP, v4("06", tcp), all4)
	f(RawIP, v6("06", tcp), all6)
	f(RawIPOld, v4("06", tcp), all4)
	f(RawIPBSD, v6("06", tcp), all6)
	f(IPv4, v4("06", tcp), all4)
	f(IPv6, v6("06", tcp), all6)
	f(PPP, "0021 "+v4("06", tcp), all4)
	f(PPP, "21 "+v4("06", tcp), all4)
	f(PPP, "ff03 0057 "+v6("06", tcp), all6)
	f(PPPHDLC, "0f00 0800 "+v4("06", tcp), all4)
	f(CHDLC, "0f00 86dd "+v6("06", tcp), all6)
	f(Null, "02000000 "+v4("06", tcp), all4)
	f(Loop, "00000018 "+v6("06", tcp), all6)
	f(LinuxSLL, "0000 0001 0006 020000000002 0000 0800 "+v4("06", tcp), `{`+addrs4+`,`+tcp4+`,"SrcMac":"02:00:00:00:00:02"}`)
	f(SLL2, "0800 0000 00000002 0001 00 06 020000000002 0000 "+v4("06", tcp), `{`+addrs4+`,`+tcp4+`,"SrcMac":"02:00:00:00:00:02"}`)
	f(LinkType(147), "00", `{}`)

	// 802.3, tags, PPPoE, provider backbone.
	f(Ethernet, "020000000001 020000000002 0030 aaaa03 000000 0800 "+v4("06", tcp), `{`+addrs4+`,`+tcp4+`,`+macs+`}`)
	f(Ethernet, "020000000001 020000000002 0026 424203 0000 00 00 00", `{`+macs+`}`)
	f(Ethernet, "020000000001 020000000002 0806 0001", `{"EType":2054,`+macs+`}`)
	f(Ethernet, "020000000001 020000000002 8100 607b 0800 "+v4("06", tcp), `{`+addrs4+`,`+tcp4+`,`+macs+`,"SrcVlan":123}`)
	f(Ethernet, "020000000001 020000000002 88a8 00c8 8100 07d1 0800 "+v4("06", tcp), `{`+addrs4+`,`+tcp4+`,`+macs+`,"SrcVlan":200,"SrcCustomerVlan":2001}`)
	f(Ethernet, "020000000001 020000000002 9100 00c8 8100 07d1 86dd "+v6("06", tcp), `{`+addrs6+`,`+tcp6+`,`+macs+`,"SrcVlan":200,"SrcCustomerVlan":2001}`)
	f(Ethernet, "020000000001 020000000002 88a8 00c8 8100 07d1 8100 0003 0800 "+v4("06", tcp), `{`+addrs4+`,`+tcp4+`,`+macs+`,"SrcVlan":200,"SrcCustomerVlan":2001}`)
	f(Ethernet, "020000000001 020000000002 8100 e000 8100 007b 0800 "+v4("06", tcp), `{`+addrs4+`,`+tcp4+`,`+macs+`,"SrcVlan":123}`)
	f(Ethernet, "020000000001 020000000002 8864 11 00 0001 0016 0021 "+v4("06", tcp), `{`+addrs4+`,`+tcp4+`,`+macs+`}`)
	f(Ethernet, "020000000001 020000000002 88a8 0007 8100 0008 8864 11 00 0001 0016 0057 "+v6("06", tcp), `{`+addrs6+`,`+tcp6+`,`+macs+`,"SrcVlan":7,"SrcCustomerVlan":8}`)
	f(Ethernet, "020000000001 020000000002 8864 11 00 0001 0016 c021 01", `{"EType":34916,`+macs+`}`)
	f(Ethernet, "0a0000000001 0a0000000002 88a8 0064 88e7 00001000 "+ether4+v4("06", tcp), `{`+addrs4+`,`+tcp4+`,`+macs+`}`)

	// MPLS.
	f(Ethernet, "020000000001 020000000002 8847 000120ff 000101ff "+v4("06", tcp), `{`+addrs4+`,`+tcp4+`,`+macs+`,"MPLSLabels":[18,16]}`)
	f(MPLS, "000121ff "+v6("06", tcp), `{`+addrs6+`,`+tcp6+`,"MPLSLabels":[18]}`)
	f(MPLS, "000121ff 00000000 "+ether4+v4("06", tcp), `{`+addrs4+`,`+tcp4+`,`+macs+`,"MPLSLabels":[18]}`)
	sum := func(packet string) string { return strings.Replace(packet, " 0000 c0000201", " 7bd5 c0000201", 1) }
	f(MPLS, "000121ff "+ether4+sum(v4("06", tcp)), `{`+addrs4+`,`+tcp4+`,`+macs+`,"MPLSLabels":[18]}`)
	f(MPLS, "000121ff 4"+ether4[1:]+sum(v4("06", tcp)), `{`+addrs4+`,`+tcp4+`,"SrcMac":"02:00:00:00:00:02","DstMac":"42:00:00:00:00:01","MPLSLabels":[18]}`)
	f(MPLS, "000121ff 45 b8 0000 1234 0000 40 32 0000 08004001 c6336402 45000014", `{"SrcAddr":"8.0.64.1","DstAddr":"198.51.100.2","Proto":50,`+ip4+`,"MPLSLabels":[18]}`)
	f(MPLS, "000120ff", short+`,"EType":34887,"MPLSLabels":[18]}`)
	f(MPLS, strings.Repeat("000120ff", 40), `{"EType":34887,"MPLSLabels":[18`+strings.Repeat(",18", maxLabels-1)+`]}`)

	// Transports.
	f(RawIP, v4("11", udp), `{`+addrs4+`,"SrcPort":49153,"DstPort":53,"Proto":17,`+ip4+`}`)
	f(RawIP, v4("01", echo), `{`+addrs4+`,"Proto":1,`+ip4+`,"IcmpType":8}`)
	f(RawIP, v6("3a", "80 01 0000"), `{`+addrs6+`,"Proto":58,`+ip6+`,"IcmpType":128,"IcmpCode":1}`)
	f(RawIP, v4("84", "c001 0050 00000000 00000000"), `{`+addrs4+`,"SrcPort":49153,"DstPort":80,"Proto":132,`+ip4+`}`)
	f(RawIP, v4("21", "c001 0050 00000000 00000000"), `{`+addrs4+`,"SrcPort":49153,"DstPort":80,"Proto":33,`+ip4+`}`)
	f(RawIP, v4("32", "00000001 00000001 ff"), `{`+addrs4+`,"Proto":50,`+ip4+`}`)
	f(RawIP, v4("33", "06 04 0000 00000001 00000001 000000000000000000000000 "+tcp), all4)

	// IPv4 options, lengths, fragments.
	f(RawIP, "46"+v4("06", "")[2:]+"94040000 "+tcp, all4)
	f(RawIP, "45 b8 0028 1234 0000 40 06 0000 c0000201 c6336402 "+tcp+"ffffffff", all4)
	f(RawIP, "45 b8 0010 1234 0000 40 06 0000 c0000201 c6336402 "+tcp, `{`+addrs4+`,"Proto":6,`+ip4+`}`)
	f(RawIP, "44 b8 0028 1234 0000 40 06 0000 c0000201 c6336402 "+tcp, `{`+addrs4+`,"Proto":6,`+ip4+`}`)
	f(RawIP, v4Fragment("06", "2000", tcp), all4)
	f(RawIP, v4Fragment("11", "00b9", "0102030405060708"), `{`+addrs4+`,"Proto":17,`+ip4+`,"FragmentOffset":185}`)

	// IPv6 extension headers.
	f(RawIP, v6("00", "3c 00 050200000000 06 00 000000000000 "+tcp), all6)
	f(RawIP, v6("2c", "06 00 0001 00001234 "+tcp), `{`+addrs6+`,`+tcp6+`,"FragmentId":4660}`)
	f(RawIP, v6("2c", "06 00 05a9 00001234 "+tcp), `{`+addrs6+`,"Proto":6,`+ip6+`,"FragmentId":4660,"FragmentOffset":181}`)
	f(RawIP, v6("3b", ""), `{`+addrs6+`,"Proto":59,`+ip6+`}`)
	f(RawIP, v6("00", "06 ff 0000"), short+`,`+addrs6+`,`+ip6+`}`)

	// Tunnels: the inner flow in the main columns.
	in4, in6 := v4("06", tcp), v6("06", tcp)
	f(RawIP, v4("04", in4), `{`+addrs4+`,`+tcp4+`,"TunnelType":"ipip",`+outer4+`}`)
	f(RawIP, v6("04", in4), `{`+addrs4+`,`+tcp4+`,"TunnelType":"ipip",`+outer6+`}`)
	f(RawIP, v6("29", in6), `{`+addrs6+`,`+tcp6+`,"TunnelType":"ipip",`+outer6+`}`)
	f(RawIP, v4("29", in6), `{`+addrs6+`,`+tcp6+`,"TunnelType":"6in4",`+outer4+`}`)
	f(RawIP, v4("2f", "0000 0800 "+in4), `{`+addrs4+`,`+tcp4+`,"TunnelType":"gre",`+outer4+`}`)
	f(RawIP, v4("2f", "b000 86dd 00000000 00000007 00000001 "+in6), `{`+addrs6+`,`+tcp6+`,"TunnelType":"gre",`+outer4+`,"VNI":7}`)
	f(RawIP, v4("2f", "2000 6558 00000007 "+ether4+in4), `{`+addrs4+`,`+tcp4+`,`+macs+`,"TunnelType":"gre",`+outer4+`,"VNI":7}`)
	f(RawIP, v4("2f", "0000 8847 000121ff "+in4), `{`+addrs4+`,`+tcp4+`,"TunnelType":"gre",`+outer4+`,"MPLSLabels":[18]}`)
	f(RawIP, v4("2f", "3081 880b 00300001 00000001 00000002 21 "+in4), `{`+addrs4+`,`+tcp4+`,"TunnelType":"gre",`+outer4+`}`)
	f(RawIP, v4("2f", "1000 88be 00000001 10640064 00000000 "+ether4+in4), `{`+addrs4+`,`+tcp4+`,`+macs+`,"TunnelType":"erspan",`+outer4+`,"VNI":100,"SrcVlan":100}`)
	f(RawIP, v4("2f", "0000 88be "+ether4+in4), `{`+addrs4+`,`+tcp4+`,`+macs+`,"TunnelType":"erspan",`+outer4+`}`)
	f(RawIP, v4("2f", "1000 22eb 00000001 20640064 00000000 00000001 0000000000000000 "+ether4+in4), `{`+addrs4+`,`+tcp4+`,`+macs+`,"TunnelType":"erspan",`+outer4+`,"VNI":100,"SrcVlan":100}`)
	f(RawIP, v4("2f", "1000 88be 00000001 10640064 00000000 020000000001 020000000002 8100 0005 0800"+in4), `{`+addrs4+`,`+tcp4+`,`+macs+`,"TunnelType":"erspan",`+outer4+`,"VNI":100,"SrcVlan":5}`)
	f(RawIP, v4("11", "c001 12b6 0000 0000 0c000003 00006400 "+ether4+in4), `{`+addrs4+`,`+tcp4+`,`+macs+`,"TunnelType":"vxlan",`+outer4+`,"VNI":100}`)
	f(RawIP, v4("11", "c001 12b6 0000 0000 0c000001 00006400 "+in4), `{`+addrs4+`,`+tcp4+`,"TunnelType":"vxlan",`+outer4+`,"VNI":100}`)
	f(RawIP, v4("11", "c001 12b6 0000 0000 0c000002 00006400 "+in6), `{`+addrs6+`,`+tcp6+`,"TunnelType":"vxlan",`+outer4+`,"VNI":100}`)
	f(RawIP, v4("11", "c001 12b6 0000 0000 0c000004 00006400 "+in4), `{`+addrs4+`,"SrcPort":49153,"DstPort":4790,"Proto":17,`+ip4+`,"TunnelType":"vxlan",`+outer4+`,"VNI":100}`)
	// Teredo: alone, after an origin, after an authentication, and other things on its port.
	teredo := strings.Replace(in6, "20010db8000000000000000000000001", "20010000000000000000000000000001", 1)
	teredoRow := `{"SrcAddr":"2001::1","DstAddr":"2001:db8::2",` + tcp6 + `,"TunnelType":"6in4",` + outer4 + `}`
	f(RawIP, v4("11", "c001 0dd8 0000 0000 "+teredo), teredoRow)
	f(RawIP, v4("11", "0dd8 c001 0000 0000 0000 c001 3fff fdfe "+teredo), teredoRow)
	f(RawIP, v4("11", "c001 0dd8 0000 0000 0001 00 00 0000000000000001 00 0000 c001 3fff fdfe "+teredo), teredoRow)
	f(RawIP, v4("11", "c001 0dd8 0000 0000 "+in6), `{`+addrs4+`,"SrcPort":49153,"DstPort":3544,"Proto":17,`+ip4+`}`)
	// Tags of fabrics.
	f(Ethernet, strings.Replace(ether4, "0800", "8909 0101 0001 0007 0800", 1)+v4("06", tcp), `{`+addrs4+`,`+tcp4+`,`+macs+`}`)
	f(Ethernet, strings.Replace(ether4, "0800", "8926 00010002 8100 0064 0800", 1)+v4("06", tcp), `{`+addrs4+`,`+tcp4+`,`+macs+`,"SrcVlan":100}`)
	f(Ethernet, strings.Replace(ether4, "0800", "893f 000000010000 0800", 1)+v4("06", tcp), `{`+addrs4+`,`+tcp4+`,`+macs+`}`)
	f(Ethernet, strings.Replace(ether4, "0800", "893f 0000", 1), `{"Quality":["truncated-header"],"EType":35135,`+macs+`}`)
	f(RawIP, v4("11", "c001 12b5 0000 0000 08000000 00006400 "+ether6+in6), `{`+addrs6+`,`+tcp6+`,`+macs+`,"TunnelType":"vxlan",`+outer4+`,"VNI":100}`)
	f(RawIP, v4("11", "c001 2118 0000 0000 08000000 00006400 "+ether6+in6), `{`+addrs6+`,`+tcp6+`,`+macs+`,"TunnelType":"vxlan",`+outer4+`,"VNI":100}`)
	f(RawIP, v6("11", "c001 17c1 0000 0000 01006558 00006400 ffffffff "+ether4+in4), `{`+addrs4+`,`+tcp4+`,`+macs+`,"TunnelType":"geneve",`+outer6+`,"VNI":100}`)
	f(RawIP, v4("11", "c001 0868 0000 0000 34ff0000 00000064 00000085 01000000 "+in4), `{`+addrs4+`,`+tcp4+`,"TunnelType":"gtp-u",`+outer4+`,"VNI":100}`)
	f(RawIP, v4("11", "c001 0868 0000 0000 30ff0000 00000064 "+in6), `{`+addrs6+`,`+tcp6+`,"TunnelType":"gtp-u",`+outer4+`,"VNI":100}`)
	f(RawIP, v6("2b", "04 02 04 00 00000000 20010db8000000000000000000000003 "+in4), `{`+addrs4+`,`+tcp4+`,"TunnelType":"srv6",`+outer6+`}`)
	f(RawIP, v6("2b", "8f 00 04 00 00000000 "+ether4+in4), `{`+addrs4+`,`+tcp4+`,`+macs+`,"TunnelType":"srv6",`+outer6+`}`)

	f(RawIP, v6("8f", ether4+in4), `{`+addrs4+`,`+tcp4+`,`+macs+`,"TunnelType":"srv6",`+outer6+`}`)
	f(RawIP, v4("8f", ether4+in4), `{`+addrs4+`,"Proto":143,`+ip4+`}`)
	f(RawIP, v4("2f", "0000 883e "+in4), `{`+addrs4+`,`+tcp4+`,"TunnelType":"gre",`+outer4+`}`)
	f(RawIP, v4("2f", "0000 883e 00000000 "+in4), `{`+addrs4+`,`+tcp4+`,"TunnelType":"gre",`+outer4+`}`)
	f(RawIP, v4("2f", "1000 22eb 00000001 20000064 00000000 00000800 "+in4), `{`+addrs4+`,`+tcp4+`,"TunnelType":"erspan",`+outer4+`,"VNI":100}`)
	f(RawIP, v4("11", "c001 0868 0000 0000 32ff0000 00000064 00010085 "+in4), `{`+addrs4+`,`+tcp4+`,"TunnelType":"gtp-u",`+outer4+`,"VNI":100}`)
	f(RawIP, v4("89", "000121ff "+in4), `{`+addrs4+`,`+tcp4+`,"TunnelType":"mpls",`+outer4+`,"MPLSLabels":[18]}`)
	f(RawIP, v6("11", "c001 19eb 0000 0000 000120ff 000101ff "+in4), `{`+addrs4+`,`+tcp4+`,"TunnelType":"mpls",`+outer6+`,"MPLSLabels":[18,16]}`)
	f(RawIP, v4("11", "c001 19eb 0000 0000 000121ff 00000000 "+ether6+in6), `{`+addrs6+`,`+tcp6+`,`+macs+`,"TunnelType":"mpls",`+outer4+`,"MPLSLabels":[18]}`)
	f(RawIP, v4("61", "3000 "+ether6+in6), `{`+addrs6+`,`+tcp6+`,`+macs+`,"TunnelType":"etherip",`+outer4+`}`)
	f(RawIP, v6("61", "3000 020000000001 020000000002 8100 0064 0800 "+in4), `{`+addrs4+`,`+tcp4+`,`+macs+`,"TunnelType":"etherip",`+outer6+`,"SrcVlan":100}`)
	f(RawIP, v4("61", "2000 "+ether6+in6), `{`+addrs4+`,"Proto":97,`+ip4+`}`) // of another version
	f(RawIP, v4("61", "30"), short+`,`+addrs4+`,"Proto":97,`+ip4+`}`)

	// L2TP: version 3 without cookie, with one of 4 and of 8 bytes, each without and with a
	// sublayer; over UDP; without a frame that is known; control.
	l2tp := `{` + addrs4 + `,` + tcp4 + `,` + macs + `,"TunnelType":"l2tp",` + outer4 + `,"VNI":100}`
	for _, cookie := range []string{"", "0badcafe ", "0badcafe 0000 0800 ", "0badcafe 0000 0800 40000001 "} {
		f(RawIP, v4("73", "00000064 "+cookie+ether4+sum(in4)), l2tp)
		f(RawIP, v4("11", "06a5 06a5 0000 0000 0003 0000 00000064 "+cookie+ether4+sum(in4)), l2tp)
	}
	f(RawIP, v6("73", "00000064 0badcafe 0badcafe "+ether6+in6), `{`+addrs6+`,`+tcp6+`,`+macs+`,"TunnelType":"l2tp",`+outer6+`,"VNI":100}`)
	f(RawIP, v4("73", "00000064 "+in4), `{`+addrs4+`,"Proto":115,`+ip4+`,"TunnelType":"l2tp",`+outer4+`,"VNI":100}`)
	f(RawIP, v4("73", "00000000 c8030014 00000000"), `{`+addrs4+`,"Proto":115,`+ip4+`}`)
	f(RawIP, v4("73", "000000"), short+`,`+addrs4+`,"Proto":115,`+ip4+`}`)
	// Version 2: tunnel 1, session 2, with all combinations of what may be there.
	ppp := `{` + addrs4 + `,` + tcp4 + `,"TunnelType":"l2tp",` + outer4 + `,"VNI":65538}`
	f(RawIP, v4("11", "06a5 c001 0000 0000 0002 0001 0002 0021 "+in4), ppp)
	f(RawIP, v4("11", "c001 06a5 0000 0000 4002 0036 0001 0002 ff03 0021 "+in4), ppp)
	f(RawIP, v4("11", "c001 06a5 0000 0000 4b02 0036 0001 0002 0005 0006 0002 ffff ff03 0021 "+in4), ppp)
	f(RawIP, v4("11", "c001 06a5 0000 0000 0202 0001 0002 00ff 00"), short+`,`+addrs4+`,"SrcPort":49153,"DstPort":1701,"Proto":17,`+ip4+`,"TunnelType":"l2tp",`+outer4+`,"VNI":65538}`)
	f(RawIP, v4("11", "c001 06a5 0000 0000 c802 000c 0001 0000 0000 0000"), `{`+addrs4+`,"SrcPort":49153,"DstPort":1701,"Proto":17,`+ip4+`}`)
	f(RawIP, v4("11", "c001 06a5 0000 0000 1234 000c 0001 0000 0000 0000"), `{`+addrs4+`,"SrcPort":49153,"DstPort":1701,"Proto":17,`+ip4+`}`)

	// The outermost of two tunnels, and the innermost flow.
	f(RawIP, v6("11", "c001 12b5 0000 0000 08000000 00006400 "+ether4+v4("2f", "2000 0800 00000007 "+in4)),
		`{`+addrs4+`,`+tcp4+`,`+macs+`,"TunnelType":"vxlan",`+outer6+`,"VNI":100}`)
	// Deeper than anybody sends: the flow that was read so far.
	f(RawIP, strings.Repeat(v4("04", ""), maxInside+1)+in4, `{`+addrs4+`,"Proto":4,`+ip4+`,"TunnelType":"ipip",`+outer4+`}`)
	f(RawIP, strings.Repeat(v4("04", ""), maxInside)+in4, `{`+addrs4+`,`+tcp4+`,"TunnelType":"ipip",`+outer4+`}`)
	f(RawIP, v6("3c", strings.Repeat("3c 00 000000000000 ", maxExtensions)+"06 00 000000000000"+tcp), `{`+addrs6+`,"Proto":60,`+ip6+`}`)
	// What is not a tunnel after all, and tunnels without IP inside.
	f(RawIP, v4("11", "c001 12b5 0000 0000 00000000 00006400 "+ether6+in6), `{`+addrs4+`,"SrcPort":49153,"DstPort":4789,"Proto":17,`+ip4+`}`)
	f(RawIP, v4("11", "c001 12b5 0000 0000 08000000 00006400 020000000001 020000000002 0806 0001"),
		`{`+addrs4+`,"SrcPort":49153,"DstPort":4789,"Proto":17,`+ip4+`,"TunnelType":"vxlan",`+outer4+`,"VNI":100}`)
	f(RawIP, v4("2f", "2000 0000 00000007"), `{`+addrs4+`,"Proto":47,`+ip4+`,"TunnelType":"gre",`+outer4+`,"VNI":7}`)

	// Cut short: what is there, and the quality bit.
	f(Ethernet, "", short+`}`)
	f(Ethernet, "020000000001 020000000002", short+`,`+macs+`}`)
	f(Ethernet, ether4, short+`,"EType":2048,`+macs+`}`)
	f(RawIP, cut(v4("06", ""), 16), short+`,"SrcAddr":"192.0.2.1","Proto":6,`+ip4+`}`)
	f(RawIP, cut(v6("06", ""), 32), short+`,"SrcAddr":"2001:db8::1","Proto":6,`+ip6+`}`)
	f(RawIP, v4("06", "c001 0050"), short+`,`+addrs4+`,"SrcPort":49153,"DstPort":80,"Proto":6,`+ip4+`}`)
	f(RawIP, v4("06", "c001 0050 00000001 00000002 5 018"), short+`,`+addrs4+`,`+tcp4+`}`)
	f(RawIP, v4("11", "c001 0035"), short+`,`+addrs4+`,"SrcPort":49153,"DstPort":53,"Proto":17,`+ip4+`}`)
	f(RawIP, v4("2f", "2000 0800"), short+`,`+addrs4+`,"Proto":47,`+ip4+`,"TunnelType":"gre",`+outer4+`}`)
	// Half an inner header does not hide the whole outer one.
	f(RawIP, v4("04", cut(in4, 12)), short+`,`+addrs4+`,"Proto":4,`+ip4+`,"TunnelType":"ipip",`+outer4+`}`)
}

func TestDissectAllocates(t *testing.T) {
	b := flow.Table.NewBatch(1)
	packets := benchmarkPackets(t)
	for _, p := range packets {
		b.Reset()
		b.Add()
		Dissect(b, 0, Ethernet, p.data)
	}
	for _, p := range packets {
		if n := testing.AllocsPerRun(100, func() {
			b.Reset()
			b.Add()
			Dissect(b, 0, Ethernet, p.data)
		}); n != 0 {
			t.Errorf("%s: %v allocations", p.name, n)
		}
	}
}

type namedPacket struct {
	name string
	data []byte
}

func benchmarkPackets(t testing.TB) []namedPacket {
	pad := strings.Repeat("00", 74)
	in := v4("06", tcp)
	return []namedPacket{
		{"tcp4", unhex(t, ether4+in+pad)},
		{"tcp6", unhex(t, ether6+v6("06", tcp)+pad)},
		{"udp4-vlan", unhex(t, "020000000001 020000000002 8100 007b 0800 "+v4("11", udp)+pad)},
		{"mpls", unhex(t, "020000000001 020000000002 8847 000120ff 000101ff "+in+pad)},
		{"l2tp", unhex(t, ether4+v4("73", "00000064 0badcafe "+ether4+strings.Replace(in, " 0000 c0000201", " 7bd5 c0000201", 1)+pad))},
		{"vxlan", unhex(t, ether4+v4("11", "c001 12b5 0000 0000 08000000 00006400 "+ether4+in+pad))},
	}
}

func BenchmarkDissect(b *testing.B) {
	for _, p := range benchmarkPackets(b) {
		b.Run(p.name, func(b *testing.B) {
			const rows = 4096
			batch := flow.Table.NewBatch(rows)
			batch.AddN(rows)
			b.ReportAllocs()
			row := 0
			for b.Loop() {
				if row == rows {
					row = 0
					batch.Reset()
					batch.AddN(rows)
				}
				Dissect(batch, row, Ethernet, p.data)
				row++
			}
		})
	}
}

// FuzzDissect looks for reads beyond the end, for recursion without end, and for
// rows that depend on bytes after the data.
func FuzzDissect(f *testing.F) {
	for _, p := range benchmarkPackets(f) {
		f.Add(uint16(Ethernet), p.data)
	}
	for _, s := range []string{
		v4("2f", "b000 86dd 00000000 00000007 00000001 "+v6("06", tcp)),
		v4("2f", "3081 880b 00300001 00000001 00000002 0f00 8864 11 00 0001 0016 8f00 8864"),
		v4("2f", "1000 22eb 00000001 20640064 00000000 00000001 0000000000000000 "+ether4+v4("06", tcp)),
		v4("11", "c001 0868 0000 0000 34ff0000 00000064 00000085 01000000 "+v4("06", tcp)),
		v6("11", "c001 17c1 0000 0000 01006558 00006400 ffffffff "+ether4+v4("06", tcp)),
		v4("73", "00000064 0badcafe "+ether6+v6("06", tcp)),
		v4("61", "3000 "+ether4+v4("06", tcp)),
		v4("11", "c001 06a5 0000 0000 4b02 0036 0001 0002 0005 0006 0002 ffff ff03 0021 "+v4("06", tcp)),
		v4("11", "06a5 06a5 0000 0000 0003 0000 00000064 "+ether6+v6("06", tcp)),
		v4("11", "c001 19eb 0000 0000 000121ff 00000000 "+ether6+v6("06", tcp)),
		v6("2b", "04 02 04 00 00000000 20010db8000000000000000000000003 "+v4("06", tcp)),
		v6("00", "3c 00 050200000000 2c 00 000000000000 33 00 0001 00001234 06 04 0000 00000001 00000001 000000000000000000000000 "+tcp),
	} {
		f.Add(uint16(RawIP), unhex(f, s))
	}
	for _, l := range []LinkType{Null, PPP, CHDLC, LinuxSLL, MPLS, SLL2} {
		f.Add(uint16(l), unhex(f, "0f00 0800 "+v4("06", tcp)))
	}
	b := flow.Table.NewBatch(1)
	row := func(link LinkType, data []byte) (string, Info) {
		b.Reset()
		b.Add()
		info := Dissect(b, 0, link, data)
		return string(column.AppendJSON(nil, b, 0)), info
	}
	f.Fuzz(func(t *testing.T, link uint16, data []byte) {
		exact := bytes.Clone(data)
		one, info := row(LinkType(link), exact[:len(exact):len(exact)])
		more := append(bytes.Clone(data), bytes.Repeat([]byte{0x45}, 64)...)
		two, again := row(LinkType(link), more[:len(data)])
		if one != two || info != again {
			t.Errorf("not the same with bytes behind the data:\n%s %v\n%s %v", one, info, two, again)
		}
		if info.Truncated != strings.Contains(one, "truncated-header") {
			t.Errorf("Truncated = %v in %s", info.Truncated, one)
		}
	})
}

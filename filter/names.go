package filter

import (
	"fmt"
	"strconv"
	"strings"
)

// Names for numbers, as spelled in the registries of IANA and IEEE, and as people type them. The first name
// of a number is the canonical one.

type named struct {
	number uint64
	name   string // in the filter language
	title  string // in the web UI
}

// registry is a table in both directions.
type registry struct {
	list   []named
	number map[string]uint64
	first  map[uint64]named
}

func newRegistry(list []named) *registry {
	n := &registry{list: list, number: make(map[string]uint64, len(list)), first: make(map[uint64]named, len(list))}
	for _, e := range list {
		if _, twice := n.number[e.name]; twice {
			panic("BUG: two numbers have the name " + e.name)
		}
		n.number[e.name] = e.number
		if _, ok := n.first[e.number]; !ok {
			n.first[e.number] = e
		}
	}
	return n
}

// name returns the name of the number in the filter language.
func (n *registry) name(number uint64) string {
	if e, ok := n.first[number]; ok {
		return e.name
	}
	return strconv.FormatUint(number, 10)
}

func (n *registry) words() []string {
	words := make([]string, len(n.list))
	for i, e := range n.list {
		words[i] = e.name
	}
	return words
}

// Assigned Internet Protocol Numbers (IANA).
var protocols = newRegistry([]named{
	{1, "icmp", "ICMP"}, {2, "igmp", "IGMP"}, {4, "ipip", "IP-in-IP"}, {6, "tcp", "TCP"}, {8, "egp", "EGP"}, {9, "igp", "IGP"},
	{17, "udp", "UDP"}, {27, "rdp", "RDP"}, {33, "dccp", "DCCP"}, {41, "6in4", "IPv6 in IPv4"}, {43, "ipv6-route", "IPv6-Route"}, {44, "ipv6-frag", "IPv6-Frag"},
	{46, "rsvp", "RSVP"}, {47, "gre", "GRE"}, {50, "esp", "ESP"}, {51, "ah", "AH"}, {58, "icmp6", "ICMPv6"}, {58, "icmpv6", ""}, {58, "ipv6-icmp", ""},
	{59, "ipv6-nonxt", "IPv6-NoNxt"}, {60, "ipv6-opts", "IPv6-Opts"}, {88, "eigrp", "EIGRP"}, {89, "ospf", "OSPF"}, {94, "ipip-old", "IPIP"}, {97, "etherip", "EtherIP"},
	{98, "encap", "ENCAP"}, {103, "pim", "PIM"}, {108, "ipcomp", "IPComp"}, {112, "vrrp", "VRRP"}, {115, "l2tp", "L2TP"}, {124, "isis", "IS-IS"},
	{132, "sctp", "SCTP"}, {133, "fc", "FC"}, {136, "udplite", "UDP-Lite"}, {137, "mpls-in-ip", "MPLS-in-IP"}, {138, "manet", "MANET"}, {139, "hip", "HIP"}, {140, "shim6", "Shim6"},
	{143, "ethernet", "Ethernet"}, {0, "hopopt", "HOPOPT"}, {255, "reserved", "Reserved"},
})

// bareProtocols are conditions by themselves, as in tcpdump.
var bareProtocols = []string{"tcp", "udp", "icmp", "icmp6", "icmpv6", "gre", "esp", "ah", "sctp", "dccp", "udplite", "igmp", "ospf", "eigrp", "pim", "vrrp", "rsvp", "ipip", "6in4", "l2tp"}

// EtherTypes (IEEE 802 numbers).
var etherTypes = newRegistry([]named{
	{0x0800, "ip4", "IPv4"}, {0x0800, "ipv4", ""}, {0x0800, "inet", ""}, {0x86dd, "ip6", "IPv6"}, {0x86dd, "ipv6", ""}, {0x86dd, "inet6", ""},
	{0x0806, "arp", "ARP"}, {0x8035, "rarp", "RARP"}, {0x8100, "dot1q", "802.1Q"}, {0x88a8, "qinq", "802.1ad"},
	{0x8847, "mpls", "MPLS"}, {0x8848, "mpls-multicast", "MPLS multicast"}, {0x8863, "pppoe-discovery", "PPPoE discovery"}, {0x8864, "pppoe", "PPPoE"},
	{0x8809, "lacp", "LACP"}, {0x88cc, "lldp", "LLDP"}, {0x88e5, "macsec", "MACsec"}, {0x88f7, "ptp", "PTP"}, {0x893a, "1905", "IEEE 1905"}, {0x8906, "fcoe", "FCoE"},
})

// bareEtherTypes are conditions by themselves.
var bareEtherTypes = []string{"ip4", "ip6", "ipv4", "ipv6", "inet", "inet6", "arp"}

// Differentiated Services Field Codepoints (IANA).
var codepoints = newRegistry([]named{
	{0, "cs0", "CS0"}, {0, "be", ""}, {0, "df", ""}, {1, "le", "LE"}, {8, "cs1", "CS1"}, {16, "cs2", "CS2"}, {24, "cs3", "CS3"}, {32, "cs4", "CS4"}, {40, "cs5", "CS5"}, {48, "cs6", "CS6"}, {56, "cs7", "CS7"},
	{10, "af11", "AF11"}, {12, "af12", "AF12"}, {14, "af13", "AF13"}, {18, "af21", "AF21"}, {20, "af22", "AF22"}, {22, "af23", "AF23"},
	{26, "af31", "AF31"}, {28, "af32", "AF32"}, {30, "af33", "AF33"}, {34, "af41", "AF41"}, {36, "af42", "AF42"}, {38, "af43", "AF43"},
	{46, "ef", "EF"}, {44, "va", "VOICE-ADMIT"},
})

// Service names of ports (IANA), the common ones.
var services = newRegistry([]named{
	{7, "echo", ""}, {9, "discard", ""}, {13, "daytime", ""}, {17, "qotd", ""}, {19, "chargen", ""}, {20, "ftp-data", ""}, {21, "ftp", ""}, {22, "ssh", ""},
	{23, "telnet", ""}, {25, "smtp", ""}, {37, "time", ""}, {43, "whois", ""}, {49, "tacacs", ""}, {53, "dns", ""}, {53, "domain", ""}, {67, "dhcp", ""}, {67, "bootps", ""}, {68, "bootpc", ""},
	{69, "tftp", ""}, {80, "http", ""}, {88, "kerberos", ""}, {110, "pop3", ""}, {111, "sunrpc", ""}, {111, "portmap", ""}, {119, "nntp", ""}, {123, "ntp", ""}, {135, "epmap", ""},
	{137, "netbios-ns", ""}, {138, "netbios-dgm", ""}, {139, "netbios-ssn", ""}, {143, "imap", ""}, {161, "snmp", ""}, {162, "snmptrap", ""}, {179, "bgp", ""}, {389, "ldap", ""}, {389, "cldap", ""},
	{443, "https", ""}, {443, "quic", ""}, {445, "smb", ""}, {465, "submissions", ""}, {500, "isakmp", ""}, {502, "modbus", ""}, {514, "syslog", ""}, {515, "printer", ""}, {520, "rip", ""},
	{546, "dhcpv6-client", ""}, {547, "dhcpv6-server", ""}, {554, "rtsp", ""}, {587, "submission", ""}, {631, "ipp", ""}, {636, "ldaps", ""}, {646, "ldp", ""}, {853, "dot", ""}, {853, "domain-s", ""}, {873, "rsync", ""},
	{989, "ftps-data", ""}, {990, "ftps", ""}, {993, "imaps", ""}, {995, "pop3s", ""}, {1080, "socks", ""}, {1194, "openvpn", ""}, {1433, "ms-sql", ""}, {1434, "ms-sql-m", ""}, {1521, "oracle", ""},
	{1701, "l2tp", ""}, {1723, "pptp", ""}, {1812, "radius", ""}, {1813, "radius-acct", ""}, {1883, "mqtt", ""}, {1900, "ssdp", ""}, {2049, "nfs", ""}, {2055, "netflow", ""}, {2152, "gtp-u", ""},
	{3128, "squid", ""}, {3260, "iscsi", ""}, {3306, "mysql", ""}, {3389, "rdp", ""}, {3478, "stun", ""}, {3784, "bfd", ""}, {4500, "ipsec-nat-t", ""}, {4739, "ipfix", ""}, {4789, "vxlan", ""},
	{5060, "sip", ""}, {5061, "sips", ""}, {5222, "xmpp-client", ""}, {5269, "xmpp-server", ""}, {5353, "mdns", ""}, {5355, "llmnr", ""}, {5432, "postgresql", ""}, {5672, "amqp", ""}, {5683, "coap", ""},
	{5900, "vnc", ""}, {6081, "geneve", ""}, {6343, "sflow", ""}, {6379, "redis", ""}, {6443, "kubernetes", ""}, {6881, "bittorrent", ""}, {8080, "http-alt", ""}, {8443, "https-alt", ""}, {8883, "mqtts", ""},
	{9000, "clickhouse", ""}, {9092, "kafka", ""}, {9100, "jetdirect", ""}, {9200, "elasticsearch", ""}, {11211, "memcached", ""}, {25565, "minecraft", ""}, {27015, "steam", ""}, {27017, "mongodb", ""}, {51820, "wireguard", ""},
})

// Well-known BGP communities (IANA).
var communities = newRegistry([]named{
	{0xffff0000, "graceful-shutdown", ""}, {0xffff029a, "blackhole", ""}, {0xffffff01, "no-export", ""},
	{0xffffff02, "no-advertise", ""}, {0xffffff03, "no-export-subconfed", ""}, {0xffffff04, "no-peer", ""},
})

// The TCP header flags by letter, from bit 0 on (RFC 9293, RFC 3168): FIN, SYN,
// RST, PSH, ACK, URG, ECE, CWR, and AE in the ninth.
const flagLetters = "FSRPAUECN"

// flagWords are whole names for single flags.
var flagWords = map[string]uint64{"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ece": 64, "cwr": 128, "synack": 18}

// parseFlags reads letters, words, "0" or "none".
func parseFlags(text string) (uint64, error) {
	low := strings.ToLower(text)
	if bits, ok := flagWords[low]; ok {
		return bits, nil
	}
	if low == "0" || low == "none" {
		return 0, nil
	}
	if low == "" {
		return 0, fmt.Errorf("a flag is missing; they are the letters %s, and 0 for none", flagLetters)
	}
	var bits uint64
	for i := range len(text) {
		j := strings.IndexByte(flagLetters, text[i]&^0x20)
		if j < 0 && text[i]&^0x20 == 'W' { // nfdump and tcpdump write W for CWR
			j = 7
		}
		if j < 0 {
			return 0, fmt.Errorf("%q is not a TCP flag; they are the letters %s, and 0 for none", text[i:i+1], flagLetters)
		}
		bits |= 1 << j
	}
	return bits, nil
}

// formatFlags writes letters, "0" for none.
func formatFlags(bits uint64) string {
	if bits == 0 {
		return "0"
	}
	var b strings.Builder
	for i := range len(flagLetters) {
		if bits&(1<<i) != 0 {
			b.WriteByte(flagLetters[i])
		}
	}
	return b.String()
}

// Package flow defines a flow: the fields of the flows table, one statement each.
// This file is the schema of the system. A statement creates the column in
// ClickHouse, the place in a NetFlow or IPFIX record, the name in the filter
// language, the pick-lists and units of the web UI, and the reference.
//
// Numbers of information elements are those of the IANA IPFIX registry; below 128
// they are the field types of NetFlow v9 as well (RFC 3954, RFC 7012). Elements
// that need thought (sampling, times, ICMP, direction, frame sections) are not
// listed here: source/netflow names them where it decodes them.
package flow

import "netmeta/column"

// Table is the flows table. Order here is order in ClickHouse.
// The order was chosen by measurement: doc/decisions/0009-order-key.md.
var Table = column.Table{Name: "flows",
	Order: "toStartOfFiveMinutes(TimeReceived), ExporterAddress, InIf, OutIf, SrcAS, DstAS, SrcAddr, DstAddr",
	Indexes: []string{
		"SrcAddrIndex SrcAddr TYPE bloom_filter(0.01) GRANULARITY 1",
		"DstAddrIndex DstAddr TYPE bloom_filter(0.01) GRANULARITY 1",
	},
	Rollups: []column.Rollup{
		{Name: "rollup_1m", Step: 60},
		// A day of minutes has many rows, but few of interfaces alone, or of ASes.
		{Name: "rollup_1m_net", Step: 60, Of: "rollup_1m", Groups: []string{"network", "ip"}, Fields: []string{"SamplingRate"}},
		{Name: "rollup_1m_as", Step: 60, Of: "rollup_1m", Groups: []string{"routing"}, Fields: []string{"SamplingRate", "Direction"}},
		{Name: "rollup_1m_if", Step: 60, Of: "rollup_1m", Groups: []string{"record", "exporter", "interface"}, Fields: []string{"Direction"}},
		{Name: "rollup_1h", Step: 3600, Of: "rollup_1m"},
	}}

func ie(ids ...uint16) []column.IE {
	list := make([]column.IE, len(ids))
	for i, id := range ids {
		list[i] = column.IE{ID: id}
	}
	return list
}

// The envelope: the exporter of the record, its time and its quality.
var (
	TimeReceived = Table.Time(column.Field{Name: "TimeReceived", Title: "time received", Group: "record", Role: column.Mark,
		Doc:   "When the datagram arrived, in seconds. Graphs are drawn over it.",
		Codec: "DoubleDelta, ZSTD(1)"})
	FlowStart = Table.TimeMS(column.Field{Name: "FlowStart", Title: "flow start", Group: "record", Role: column.Mark,
		Doc:   "When the first packet of the flow was seen, by the exporter's clock.",
		Codec: "DoubleDelta, ZSTD(1)"})
	FlowEnd = Table.TimeMS(column.Field{Name: "FlowEnd", Title: "flow end", Group: "record", Role: column.Mark,
		Doc:   "When the last packet of the flow was seen, by the exporter's clock.",
		Codec: "DoubleDelta, ZSTD(1)"})
	FlowType = Table.Enum(column.Field{Name: "FlowType", Title: "record type", Filter: "type", Group: "record", Rollup: true,
		Enum: types[:],
		Doc:  "How the record came in."})
	ExporterAddress = Table.IP(column.Field{Name: "ExporterAddress", Title: "exporter address", Filter: "exporter", Group: "exporter", Rollup: true,
		Doc: "The device that sent the record: the source of the datagram, or the agent address of sFlow."})
	ObservationDomain = Table.U32(column.Field{Name: "ObservationDomain", Title: "observation domain", Filter: "domain", Group: "exporter",
		Doc: "Observation domain id (IPFIX), source id (v9), engine type and id (v5) or sub-agent id (sFlow)."})
	SequenceNum = Table.U32(column.Field{Name: "SequenceNum", Title: "sequence number", Group: "record", Role: column.Mark,
		Doc:   "Sequence number of the datagram that carried the record.",
		Codec: "Delta, ZSTD(1)"})
	SamplingRate = Table.U32(column.Field{Name: "SamplingRate", Title: "sampling rate", Filter: "sampling", Group: "record", Role: column.Mark, Rollup: true,
		Doc: "One of this many packets was looked at. 1 when nothing said otherwise; see SamplingSource."})
	SamplingSource = Table.Enum(column.Field{Name: "SamplingSource", Title: "sampling source", Filter: "samplingsource", Group: "record",
		Enum: samplingSources[:],
		Doc:  "Where the sampling rate was found."})
	Quality = Table.U16(column.Field{Name: "Quality", Title: "quality", Filter: "quality", Group: "record", Role: column.Mark, Show: column.Bits,
		Enum: qualityBits[:],
		Doc:  "What is not known or not certain about the record, a set of bits."})
	Bytes = Table.U64(column.Field{Name: "Bytes", Title: "bytes", Filter: "bytes", Group: "volume", Role: column.Measure, Unit: column.Byte,
		IE:  ie(1, 23, 85, 171),
		Doc: "Octets as the exporter counted them, from the IP header on where it says so; not multiplied by the sampling rate."})
	Packets = Table.U64(column.Field{Name: "Packets", Title: "packets", Filter: "packets", Group: "volume", Role: column.Measure, Unit: column.Packet,
		IE:  ie(2, 24, 86, 172),
		Doc: "Packets as the exporter counted them; not multiplied by the sampling rate."})
	ScaledBytes = Table.Computed(column.Field{Name: "ScaledBytes", Title: "scaled bytes", Group: "volume", Role: column.Measure, Unit: column.Byte,
		Type: "UInt128", SQL: "toUInt128(Bytes) * SamplingRate",
		Doc: "Bytes times the sampling rate: the estimate of what crossed the network. Of 128 bits, so that no sum of it overflows, whatever records say."})
	ScaledPackets = Table.Computed(column.Field{Name: "ScaledPackets", Title: "scaled packets", Group: "volume", Role: column.Measure, Unit: column.Packet,
		Type: "UInt128", SQL: "toUInt128(Packets) * SamplingRate",
		Doc: "Packets times the sampling rate: the estimate of what crossed the network. Of 128 bits, as ScaledBytes."})
)

// Layers 3 and 4.
var (
	SrcAddr, DstAddr = Table.IPPair("SrcAddr", "DstAddr", column.Field{Title: "address", Filter: "ip", Group: "ip",
		IE: ie(8, 27), DstIE: ie(12, 28),
		Doc: "IP address; IPv4 is ::ffff:a.b.c.d. Of a tunnel: the inner one."})
	SrcPort, DstPort = Table.U16Pair("SrcPort", "DstPort", column.Field{Title: "port", Filter: "port", Group: "ip",
		IE: ie(7, 180, 182), DstIE: ie(11, 181, 183),
		Doc: "TCP, UDP, SCTP or DCCP port."})
	Proto = Table.U8(column.Field{Name: "Proto", Title: "protocol", Filter: "proto", Group: "ip", Show: column.Protocol, Rollup: true,
		IE:  ie(4),
		Doc: "IP protocol number of the transport (IANA), behind the extension headers of IPv6."})
	EType = Table.U16(column.Field{Name: "EType", Title: "EtherType", Filter: "etype", Group: "ip", Show: column.EtherTyp, Rollup: true,
		IE:  ie(256),
		Doc: "EtherType of the network layer: 0x0800 IPv4, 0x86dd IPv6."})
	TCPFlags = Table.U16(column.Field{Name: "TCPFlags", Title: "TCP flags", Filter: "flags", Group: "ip", Show: column.Flags,
		IE:  ie(6),
		Doc: "TCP header flags of all packets of the flow, or-ed (RFC 9293)."})
	IPTos = Table.U8(column.Field{Name: "IPTos", Title: "type of service", Filter: "tos", Group: "ip",
		IE:  ie(5),
		Doc: "Type of service (IPv4) or traffic class (IPv6): DSCP in the upper six bits, ECN in the lower two."})
	IPTTL = Table.U8(column.Field{Name: "IPTTL", Title: "time to live", Filter: "ttl", Group: "ip", Rare: true,
		IE:  ie(192, 52),
		Doc: "Time to live (IPv4) or hop limit (IPv6); the least when the exporter tells a range."})
	MaxTTL = Table.U8(column.Field{Name: "MaxTTL", Title: "highest time to live", Filter: "maxttl", Group: "ip", Rare: true,
		IE:  ie(53),
		Doc: "Highest time to live or hop limit of the packets of the flow."})
	MinPacketLength = Table.U32(column.Field{Name: "MinPacketLength", Title: "shortest packet", Filter: "minlength", Group: "ip", Unit: column.Byte, Rare: true,
		IE:  ie(25, 422),
		Doc: "Octets of the shortest packet of the flow, from the IP header on where the exporter says so."})
	MaxPacketLength = Table.U32(column.Field{Name: "MaxPacketLength", Title: "longest packet", Filter: "maxlength", Group: "ip", Unit: column.Byte, Rare: true,
		IE:  ie(26, 423),
		Doc: "Octets of the longest packet of the flow, from the IP header on where the exporter says so."})
	IPv6FlowLabel = Table.U32(column.Field{Name: "IPv6FlowLabel", Title: "IPv6 flow label", Filter: "flowlabel", Group: "ip", Rare: true,
		IE:  ie(31),
		Doc: "Flow label of the IPv6 header, 20 bits (RFC 6437)."})
	FragmentId = Table.U32(column.Field{Name: "FragmentId", Title: "fragment id", Filter: "fragmentid", Group: "ip", Rare: true,
		IE:  ie(54),
		Doc: "Identification of the IPv4 header or of the IPv6 fragment header."})
	FragmentOffset = Table.U16(column.Field{Name: "FragmentOffset", Title: "fragment offset", Filter: "fragmentoffset", Group: "ip", Rare: true,
		IE:  ie(88),
		Doc: "Fragment offset in units of eight octets."})
	IcmpType = Table.U8(column.Field{Name: "IcmpType", Title: "ICMP type", Filter: "icmptype", Group: "ip", Rare: true,
		IE:  ie(176, 178),
		Doc: "Type of the ICMP or ICMPv6 message."})
	IcmpCode = Table.U8(column.Field{Name: "IcmpCode", Title: "ICMP code", Filter: "icmpcode", Group: "ip", Rare: true,
		IE:  ie(177, 179),
		Doc: "Code of the ICMP or ICMPv6 message."})
	ForwardingStatus = Table.U8(column.Field{Name: "ForwardingStatus", Title: "forwarding status", Filter: "forwarding", Group: "ip", Rare: true,
		IE:  ie(89),
		Doc: "What the exporter did with the packets: status in the upper two bits (0 unknown, 1 forwarded, 2 dropped, 3 consumed), reason below (RFC 7270)."})
	FlowEndReason = Table.U8(column.Field{Name: "FlowEndReason", Title: "flow end reason", Filter: "endreason", Group: "record", Rare: true,
		IE:  ie(136),
		Doc: "Why the record was sent: 1 idle, 2 active timeout, 3 end of flow, 4 forced, 5 lack of resources (RFC 5102)."})
	Direction = Table.Enum(column.Field{Name: "Direction", Title: "direction", Filter: "direction", Group: "network", Rollup: true,
		Enum: directions[:],
		Doc:  "Which way the traffic crosses the border of the network."})
)

// Layer 2 and interfaces.
var (
	SrcMac, DstMac = Table.U64Pair("SrcMac", "DstMac", column.Field{Title: "MAC address", Filter: "mac", Group: "layer 2", Show: column.MAC, Rare: true,
		IE: ie(414, 56, 81), DstIE: ie(415, 80, 57),
		Doc: "MAC address in the lower 48 bits; of 802.1ah, that of the customer."})
	SrcVlan, DstVlan = Table.U16Pair("SrcVlan", "DstVlan", column.Field{Title: "VLAN", Filter: "vlan", Group: "layer 2", Rare: true,
		IE: ie(58, 243), DstIE: ie(59, 254),
		Doc: "VLAN id of the incoming side (source) and of the outgoing side (destination); of QinQ, the service tag."})
	SrcCustomerVlan, DstCustomerVlan = Table.U16Pair("SrcCustomerVlan", "DstCustomerVlan", column.Field{Title: "customer VLAN", Filter: "cvlan", Group: "layer 2", Rare: true,
		IE: ie(245), DstIE: ie(255),
		Doc: "VLAN id in the customer tag of QinQ (802.1ad), behind the service tag."})
	InIf, OutIf = Table.U32Pair("InIf", "OutIf", column.Field{Title: "interface", Filter: "ifindex", Group: "interface", Rollup: true,
		IE: ie(10, 252), DstIE: ie(14, 253),
		Doc: "ifIndex of the interface; 0 when the exporter does not know it."})
	InIfName, OutIfName = Table.TextPair("InIfName", "OutIfName", column.Field{Title: "interface name", Filter: "if", Group: "interface", Rare: true, Rollup: true,
		Doc: "Name of the interface."})
	InIfDescription, OutIfDescription = Table.TextPair("InIfDescription", "OutIfDescription", column.Field{Title: "interface description", Filter: "ifdescription", Group: "interface", Rare: true, Rollup: true,
		Doc: "Description of the interface (ifAlias)."})
	InIfSpeed, OutIfSpeed = Table.U64Pair("InIfSpeed", "OutIfSpeed", column.Field{Title: "interface speed", Filter: "speed", Group: "interface", Unit: column.BitPerSec, Rare: true, Rollup: true,
		Doc: "Speed of the interface in bits per second."})
	InIfBoundary, OutIfBoundary = Table.EnumPair("InIfBoundary", "OutIfBoundary", column.Field{Title: "boundary", Filter: "boundary", Group: "interface", Rare: true, Rollup: true,
		Enum: boundaries[:],
		Doc:  "Whether the interface leads out of the network."})
	InIfConnectivity, OutIfConnectivity = Table.TextPair("InIfConnectivity", "OutIfConnectivity", column.Field{Title: "connectivity", Filter: "conn", Group: "interface", Rare: true, Rollup: true,
		Doc: "What the interface connects to: transit, peering, customer and so on."})
	InIfProvider, OutIfProvider = Table.TextPair("InIfProvider", "OutIfProvider", column.Field{Title: "provider", Filter: "provider", Group: "interface", Rare: true, Rollup: true,
		Doc: "The network behind the interface."})
)

// The exporter, as configured by the operator.
var (
	ExporterName = Table.Text(column.Field{Name: "ExporterName", Title: "exporter", Filter: "exportername", Group: "exporter", Rare: true, Rollup: true,
		Doc: "Name of the exporter."})
	ExporterGroup = Table.Text(column.Field{Name: "ExporterGroup", Title: "exporter group", Filter: "exportergroup", Group: "exporter", Rare: true, Rollup: true,
		Doc: "Group that the exporter belongs to."})
	ExporterRole = Table.Text(column.Field{Name: "ExporterRole", Title: "exporter role", Filter: "exporterrole", Group: "exporter", Rare: true, Rollup: true,
		Doc: "Role of the exporter: edge, core or access."})
	ExporterSite = Table.Text(column.Field{Name: "ExporterSite", Title: "exporter site", Filter: "exportersite", Group: "exporter", Rare: true, Rollup: true,
		Doc: "Site where the exporter stands."})
	ExporterRegion = Table.Text(column.Field{Name: "ExporterRegion", Title: "exporter region", Filter: "exporterregion", Group: "exporter", Rare: true, Rollup: true,
		Doc: "Region where the exporter stands."})
	ExporterTenant = Table.Text(column.Field{Name: "ExporterTenant", Title: "exporter tenant", Filter: "exportertenant", Group: "exporter", Rare: true, Rollup: true,
		Doc: "Tenant whom the exporter serves."})
)

// Routing.
var (
	NextHop = Table.IP(column.Field{Name: "NextHop", Title: "next hop", Filter: "nexthop", Group: "routing",
		IE:  ie(15, 62),
		Doc: "Address of the next router."})
	BGPNextHop = Table.IP(column.Field{Name: "BGPNextHop", Title: "BGP next hop", Filter: "bgpnexthop", Group: "routing", Rare: true,
		IE:  ie(18, 63),
		Doc: "Next hop of the BGP route."})
	SrcAS, DstAS = Table.U32Pair("SrcAS", "DstAS", column.Field{Title: "AS", Filter: "as", Group: "routing", Show: column.AS, Rollup: true,
		IE: ie(16), DstIE: ie(17),
		Doc: "Autonomous system number, origin or peer as the exporter is configured."})
	NextHopAS = Table.U32(column.Field{Name: "NextHopAS", Title: "next hop AS", Filter: "nextas", Group: "routing", Show: column.AS, Rare: true,
		IE:  ie(128),
		Doc: "Autonomous system of the next hop."})
	SrcMask, DstMask = Table.U8Pair("SrcMask", "DstMask", column.Field{Title: "prefix length", Filter: "mask", Group: "routing",
		IE: ie(9, 29), DstIE: ie(13, 30),
		Doc: "Length of the prefix that routed the address."})
	DstASPath = Table.List32(column.Field{Name: "DstASPath", Title: "AS path", Filter: "path", Group: "routing", Show: column.AS, Rare: true,
		Doc: "AS path to the destination, next AS first."})
	DstCommunities = Table.List32(column.Field{Name: "DstCommunities", Title: "communities", Filter: "community", Group: "routing", Rare: true,
		Doc: "BGP communities of the destination route, ASN in the upper 16 bits (RFC 1997)."})
	DstLargeCommunities = Table.List128(column.Field{Name: "DstLargeCommunities", Title: "large communities", Filter: "largecommunity", Group: "routing", Rare: true,
		Doc: "Large BGP communities of the destination route: three 32-bit parts in the lower 96 bits (RFC 8092)."})
	IngressVRF, EgressVRF = Table.U32Pair("IngressVRF", "EgressVRF", column.Field{Title: "VRF", Filter: "vrf", Group: "routing", Rare: true,
		IE: ie(234), DstIE: ie(235),
		Doc: "VRF id on the way in or out."})
)

// Networks and geography.
var (
	SrcNetName, DstNetName = Table.TextPair("SrcNetName", "DstNetName", column.Field{Title: "network", Filter: "netname", Group: "network", Rare: true, Rollup: true,
		Doc: "Name of the configured network that holds the address."})
	SrcNetRole, DstNetRole = Table.TextPair("SrcNetRole", "DstNetRole", column.Field{Title: "network role", Filter: "netrole", Group: "network", Rare: true, Rollup: true,
		Doc: "Role of the network: customer, server, infrastructure and so on."})
	SrcNetSite, DstNetSite = Table.TextPair("SrcNetSite", "DstNetSite", column.Field{Title: "network site", Filter: "netsite", Group: "network", Rare: true, Rollup: true,
		Doc: "Site of the network."})
	SrcNetRegion, DstNetRegion = Table.TextPair("SrcNetRegion", "DstNetRegion", column.Field{Title: "network region", Filter: "netregion", Group: "network", Rare: true, Rollup: true,
		Doc: "Region of the network."})
	SrcNetTenant, DstNetTenant = Table.TextPair("SrcNetTenant", "DstNetTenant", column.Field{Title: "network tenant", Filter: "nettenant", Group: "network", Rare: true, Rollup: true,
		Doc: "Tenant or customer of the network."})
	SrcCountry, DstCountry = Table.TextPair("SrcCountry", "DstCountry", column.Field{Title: "country", Filter: "country", Group: "network", Rare: true, Rollup: true,
		Doc: "Country of the address, ISO 3166-1 alpha-2."})
	SrcCity, DstCity = Table.TextPair("SrcCity", "DstCity", column.Field{Title: "city", Filter: "city", Group: "network", Rare: true,
		Doc: "City of the address."})
)

// Tunnels, MPLS and address translation.
var (
	TunnelType = Table.Enum(column.Field{Name: "TunnelType", Title: "tunnel type", Filter: "tunnel", Group: "tunnel", Rare: true,
		Enum: tunnels[:],
		Doc:  "The outermost tunnel around the packet; addresses and ports of the row are the inner ones."})
	OuterSrcAddr, OuterDstAddr = Table.IPPair("OuterSrcAddr", "OuterDstAddr", column.Field{Title: "outer address", Filter: "outerip", Group: "tunnel", Rare: true,
		Doc: "Address in the outer header of the tunnel."})
	VNI = Table.U32(column.Field{Name: "VNI", Title: "tunnel id", Filter: "vni", Group: "tunnel", Rare: true,
		IE:  ie(351, 296, 507),
		Doc: "VXLAN or Geneve network id, GRE key, GTP-U tunnel endpoint id, ERSPAN or L2TPv3 session id; L2TPv2 tunnel id (upper 16 bits) and session id."})
	MPLSLabels = Table.List32(column.Field{Name: "MPLSLabels", Title: "MPLS labels", Filter: "mpls", Group: "tunnel", Rare: true,
		Doc: "MPLS label values, 20 bits each, top of the stack first (RFC 3032)."})
	SrcAddrNAT, DstAddrNAT = Table.IPPair("SrcAddrNAT", "DstAddrNAT", column.Field{Title: "translated address", Filter: "natip", Group: "nat", Rare: true,
		IE: ie(225, 281), DstIE: ie(226, 282),
		Doc: "Address after translation."})
	SrcPortNAT, DstPortNAT = Table.U16Pair("SrcPortNAT", "DstPortNAT", column.Field{Title: "translated port", Filter: "natport", Group: "nat", Rare: true,
		IE: ie(227), DstIE: ie(228),
		Doc: "Port after translation."})
	NatEvent = Table.U8(column.Field{Name: "NatEvent", Title: "NAT event", Filter: "natevent", Group: "nat", Rare: true,
		IE:  ie(230),
		Doc: "What happened to the translation: 1 created, 2 deleted, 3 pool exhausted and others (RFC 8158)."})
	FirewallEvent = Table.U8(column.Field{Name: "FirewallEvent", Title: "firewall event", Filter: "fwevent", Group: "nat", Rare: true,
		IE:  ie(233),
		Doc: "What the firewall did with the flow: 1 created, 2 deleted, 3 denied, 4 alert, 5 update (IANA)."})
	PortRangeStart = Table.U16(column.Field{Name: "PortRangeStart", Title: "port block start", Filter: "blockstart", Group: "nat", Rare: true,
		IE:  ie(361),
		Doc: "First port of the block that the translator gave to a subscriber (RFC 8158)."})
	PortRangeEnd = Table.U16(column.Field{Name: "PortRangeEnd", Title: "port block end", Filter: "blockend", Group: "nat", Rare: true,
		IE:  ie(362),
		Doc: "Last port of the block that the translator gave to a subscriber (RFC 8158)."})
	PortRangeStep = Table.U16(column.Field{Name: "PortRangeStep", Title: "port block step", Filter: "blockstep", Group: "nat", Rare: true,
		IE:  ie(363),
		Doc: "Step from one port of the block to the next, when they are not contiguous (RFC 8158)."})
	PortRangeNumPorts = Table.U16(column.Field{Name: "PortRangeNumPorts", Title: "port block size", Filter: "blocksize", Group: "nat", Rare: true,
		IE:  ie(364),
		Doc: "Number of ports in the block (RFC 8158)."})
)

// Anything else.
var (
	ApplicationName = Table.Text(column.Field{Name: "ApplicationName", Title: "application", Filter: "app", Group: "application", Rare: true,
		Doc: "Application that the exporter recognised."})
	Extra = Table.Map(column.Field{Name: "Extra", Title: "extra elements", Filter: "extra", Group: "application", Rare: true,
		Doc: "Unknown and enterprise elements that the configuration names, as text."})
)

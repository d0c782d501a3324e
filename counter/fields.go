// Package counter defines the fields of the counters table, one statement each, as
// package flow does for flows. A row is one reading of one source within a device: an
// interface with its octets, packets and errors, a queue, or the whole device with its
// processor and memory.
//
// Counters only rise; the difference of two rows of one source is the change. Counters
// restart at zero with the device (Uptime decreases), and wrap if the device has 32
// bits: use the difference modulo 2³² for packets and errors of sFlow. A counter that
// the device does not have is zero. Records lists the groups in a row.
package counter

import "netmeta/column"

// Table is the counters table. Order here is order in ClickHouse.
var Table = column.Table{
	Name: "counters",
	// One reading per interface every 20 s makes a small table. Queries read the series
	// of one interface.
	Partition: "toYYYYMMDD(TimeReceived)",
	Order:     "ExporterAddress, IfIndex, TimeReceived",
}

const delta = "Delta, ZSTD(1)" // neighbours in the table are readings of one source

// total declares a counter that only rises, gauge a value that rises and falls.
func total(f column.Field) column.U64 { f.Codec = delta; return gauge(f) }

func gauge(f column.Field) column.U64 {
	f.Role = column.Mark // differences may be summed, readings may not
	return Table.U64(f)
}

func totals(in, out string, f column.Field) (column.U64, column.U64) {
	f.Codec, f.Role = delta, column.Mark
	return Table.U64Pair(in, out, f)
}

// The envelope: source and time of the counters.
var (
	TimeReceived = Table.Time(column.Field{Name: "TimeReceived", Title: "time received", Group: "record", Role: column.Mark,
		Doc:   "Time when the reading arrived, in seconds.",
		Codec: "DoubleDelta, ZSTD(1)"})
	ExporterAddress = Table.IP(column.Field{Name: "ExporterAddress", Title: "exporter address", Filter: "exporter", Group: "exporter",
		Doc: "The device: the agent address of sFlow."})
	ObservationDomain = Table.U32(column.Field{Name: "ObservationDomain", Title: "observation domain", Filter: "domain", Group: "exporter",
		Doc: "Part of the device: the sub-agent id of sFlow."})
	SourceClass = Table.Enum(column.Field{Name: "SourceClass", Title: "source class", Filter: "class", Group: "exporter",
		Enum: classes[:],
		Doc:  "Kind of source that IfIndex identifies."})
	IfIndex = Table.U32(column.Field{Name: "IfIndex", Title: "interface", Filter: "ifindex", Group: "interface",
		Doc: "ifIndex of the interface, or the index of another source within the device."})
	SequenceNum = Table.U32(column.Field{Name: "SequenceNum", Title: "sequence number", Group: "record", Role: column.Mark,
		Doc:   "Number of the reading; it restarts with the device's counters.",
		Codec: delta})
	Uptime = Table.U32(column.Field{Name: "Uptime", Title: "uptime", Group: "record", Role: column.Mark, Unit: column.Millisecond,
		Doc:   "Uptime of the device in milliseconds, modulo 2^32.",
		Codec: delta})
	Records = Table.U32(column.Field{Name: "Records", Title: "records", Group: "record", Role: column.Mark, Show: column.Bits,
		Enum: records[:],
		Doc:  "Groups of counters in the row, a set of bits."})
)

// Interfaces (RFC 2863).
var (
	IfType = Table.U32(column.Field{Name: "IfType", Title: "interface type", Filter: "iftype", Group: "interface",
		Doc: "ifType: 6 is Ethernet (IANAifType-MIB)."})
	IfSpeed = Table.U64(column.Field{Name: "IfSpeed", Title: "speed", Filter: "speed", Group: "interface", Role: column.Mark, Unit: column.BitPerSec,
		Doc: "Speed of the interface in bits per second."})
	IfDirection = Table.Enum(column.Field{Name: "IfDirection", Title: "duplex", Group: "interface",
		Enum: directions[:],
		Doc:  "Duplex mode of the interface, or the only direction it has."})
	IfStatus = Table.U8(column.Field{Name: "IfStatus", Title: "status", Group: "interface", Role: column.Mark, Show: column.Bits,
		Enum: statuses[:],
		Doc:  "State of the interface: as configured, and actual."})
	InOctets, OutOctets = totals("InOctets", "OutOctets", column.Field{Title: "octets", Group: "interface", Unit: column.Byte,
		Doc: "ifHCInOctets, ifHCOutOctets: octets of whole frames."})
	InUcastPkts, OutUcastPkts = totals("InUcastPkts", "OutUcastPkts", column.Field{Title: "unicast packets", Group: "interface", Unit: column.Packet,
		Doc: "Packets to one receiver."})
	InMulticastPkts, OutMulticastPkts = totals("InMulticastPkts", "OutMulticastPkts", column.Field{Title: "multicast packets", Group: "interface", Unit: column.Packet,
		Doc: "Packets to a group."})
	InBroadcastPkts, OutBroadcastPkts = totals("InBroadcastPkts", "OutBroadcastPkts", column.Field{Title: "broadcast packets", Group: "interface", Unit: column.Packet,
		Doc: "Packets to all."})
	InDiscards, OutDiscards = totals("InDiscards", "OutDiscards", column.Field{Title: "discards", Group: "interface", Unit: column.Packet,
		Doc: "Packets discarded without an error, e.g. for lack of buffer space."})
	InErrors, OutErrors = totals("InErrors", "OutErrors", column.Field{Title: "errors", Group: "interface", Unit: column.Packet,
		Doc: "Packets with errors, or not sent because of errors."})
	InUnknownProtos = total(column.Field{Name: "InUnknownProtos", Title: "unknown protocols", Group: "interface", Unit: column.Packet,
		Doc: "Packets of a protocol that the device does not support."})
	PromiscuousMode = Table.U8(column.Field{Name: "PromiscuousMode", Title: "promiscuous mode", Group: "interface", Role: column.Mark, Rare: true,
		Doc: "1 if the interface accepts all frames, 2 if not."})
	IfName = Table.Text(column.Field{Name: "IfName", Title: "interface name", Filter: "if", Group: "interface", Rare: true,
		Doc: "Name of the port."})
	OFDatapath = Table.U64(column.Field{Name: "OFDatapath", Title: "OpenFlow datapath", Group: "interface", Rare: true,
		Doc: "OpenFlow datapath id of the switch."})
	OFPort = Table.U32(column.Field{Name: "OFPort", Title: "OpenFlow port", Group: "interface", Rare: true,
		Doc: "OpenFlow number of the port."})
)

// Ethernet (RFC 3635), VLANs and link aggregation (IEEE8023-LAG-MIB).
var (
	AlignmentErrors           = dot3("AlignmentErrors", "alignment errors", "Frames that were not a whole number of octets.")
	FCSErrors                 = dot3("FCSErrors", "check sequence errors", "Frames with a wrong check sequence.")
	SingleCollisionFrames     = dot3("SingleCollisionFrames", "single collisions", "Frames that were sent after one collision.")
	MultipleCollisionFrames   = dot3("MultipleCollisionFrames", "multiple collisions", "Frames that were sent after several collisions.")
	SQETestErrors             = dot3("SQETestErrors", "SQE test errors", "Failures of the signal quality test.")
	DeferredTransmissions     = dot3("DeferredTransmissions", "deferred transmissions", "Frames that waited because the medium was busy.")
	LateCollisions            = dot3("LateCollisions", "late collisions", "Collisions later than the standard allows.")
	ExcessiveCollisions       = dot3("ExcessiveCollisions", "excessive collisions", "Frames not sent because of too many collisions.")
	InternalMacTransmitErrors = dot3("InternalMacTransmitErrors", "internal transmit errors", "Frames not sent because of an internal error.")
	CarrierSenseErrors        = dot3("CarrierSenseErrors", "carrier sense errors", "Losses of carrier during transmission.")
	FrameTooLongs             = dot3("FrameTooLongs", "frames too long", "Frames longer than allowed.")
	InternalMacReceiveErrors  = dot3("InternalMacReceiveErrors", "internal receive errors", "Frames not received because of an internal error.")
	SymbolErrors              = dot3("SymbolErrors", "symbol errors", "Invalid symbols on the wire.")

	VLAN = Table.U16(column.Field{Name: "VLAN", Title: "VLAN", Filter: "vlan", Group: "layer 2", Rare: true,
		Doc: "VLAN of the counters with Vlan in their names."})
	VlanOctets        = vlan("VlanOctets", "octets of the VLAN", column.Byte)
	VlanUcastPkts     = vlan("VlanUcastPkts", "unicast packets of the VLAN", column.Packet)
	VlanMulticastPkts = vlan("VlanMulticastPkts", "multicast packets of the VLAN", column.Packet)
	VlanBroadcastPkts = vlan("VlanBroadcastPkts", "broadcast packets of the VLAN", column.Packet)
	VlanDiscards      = vlan("VlanDiscards", "discards of the VLAN", column.Packet)

	LAGActorSystem = Table.U64(column.Field{Name: "LAGActorSystem", Title: "actor system", Group: "layer 2", Show: column.MAC, Rare: true,
		Doc: "MAC address of this device in link aggregation."})
	LAGPartnerSystem = Table.U64(column.Field{Name: "LAGPartnerSystem", Title: "partner system", Group: "layer 2", Show: column.MAC, Rare: true,
		Doc: "MAC address of the other device in link aggregation."})
	LAGAttachedIndex = Table.U32(column.Field{Name: "LAGAttachedIndex", Title: "aggregate", Group: "layer 2", Rare: true,
		Doc: "ifIndex of the aggregate that the port belongs to."})
	LAGPortState = Table.U32(column.Field{Name: "LAGPortState", Title: "aggregation state", Group: "layer 2", Role: column.Mark, Rare: true,
		Doc: "Port states, one octet each: configured and actual state of the actor, then of the partner."})
	LACPDUsRx         = lag("LACPDUsRx", "LACP frames received")
	MarkerPDUsRx      = lag("MarkerPDUsRx", "marker frames received")
	MarkerResponsesRx = lag("MarkerResponsesRx", "marker responses received")
	LACPUnknownRx     = lag("LACPUnknownRx", "unknown slow-protocol frames received")
	LACPIllegalRx     = lag("LACPIllegalRx", "illegal slow-protocol frames received")
	LACPDUsTx         = lag("LACPDUsTx", "LACP frames sent")
	MarkerPDUsTx      = lag("MarkerPDUsTx", "marker frames sent")
	MarkerResponsesTx = lag("MarkerResponsesTx", "marker responses sent")
	QueueIndex        = queue("QueueIndex", "queue", "Number of the queue; Records has the bit queue.")
	QueueSegmentSize  = queue("QueueSegmentSize", "segment size", "Size of one segment of the queue in bytes.")
	QueueSegments     = queue("QueueSegments", "segments", "Segments that the queue can hold.")
	QueueLength0      = length("QueueLength0", "found empty", "was empty")
	QueueLength1      = length("QueueLength1", "found with 1", "held 1 segment")
	QueueLength2      = length("QueueLength2", "found with 2", "held 2 segments")
	QueueLength4      = length("QueueLength4", "found with 3 to 4", "held 3 to 4 segments")
	QueueLength8      = length("QueueLength8", "found with 5 to 8", "held 5 to 8 segments")
	QueueLength32     = length("QueueLength32", "found with 9 to 32", "held 9 to 32 segments")
	QueueLength128    = length("QueueLength128", "found with 33 to 128", "held 33 to 128 segments")
	QueueLength1024   = length("QueueLength1024", "found with 129 to 1024", "held 129 to 1024 segments")
	QueueLengthMore   = length("QueueLengthMore", "found with more", "held more than 1024 segments")
	QueueDropped      = total(column.Field{Name: "QueueDropped", Title: "dropped by the queue", Group: "queue", Unit: column.Packet, Rare: true, Doc: "Packets dropped because the queue was full."})
)

// Packet buffers of the switch chip, and optical modules.
var (
	DeviceBufferUnicast               = percent("DeviceBufferUnicast", "device buffer, unicast", "Utilisation of the device's packet buffer for unicast, in 1/100 percent.")
	DeviceBufferMulticast             = percent("DeviceBufferMulticast", "device buffer, multicast", "Utilisation of the device's packet buffer for multicast, in 1/100 percent.")
	InBufferUnicast, OutBufferUnicast = Table.U64Pair("InBufferUnicast", "OutBufferUnicast", column.Field{Title: "port buffer, unicast", Group: "queue", Role: column.Mark, Rare: true,
		Doc: "Utilisation of the port's share of the packet buffer for unicast, in 1/100 percent."})
	InBufferMulticast, OutBufferMulticast = Table.U64Pair("InBufferMulticast", "OutBufferMulticast", column.Field{Title: "port buffer, multicast", Group: "queue", Role: column.Mark, Rare: true,
		Doc: "Utilisation of the port's share of the packet buffer for multicast, in 1/100 percent."})
	OpticsMilliVolts = gauge(column.Field{Name: "OpticsMilliVolts", Title: "module voltage", Group: "optics", Rare: true,
		Doc: "Supply voltage of the optical module, in millivolts."})
	OpticsMilliDegrees = gauge(column.Field{Name: "OpticsMilliDegrees", Title: "module temperature", Group: "optics", Rare: true,
		Doc: "Temperature of the optical module in 1/1000 degree Celsius; 0 below the freezing point."})
	OpticsTxPower = Table.List32(column.Field{Name: "OpticsTxPower", Title: "power sent", Group: "optics", Role: column.Mark, Rare: true,
		Doc: "Optical power sent by each lane, in microwatts."})
	OpticsRxPower = Table.List32(column.Field{Name: "OpticsRxPower", Title: "power received", Group: "optics", Role: column.Mark, Rare: true,
		Doc: "Optical power received by each lane, in microwatts."})
)

func dot3(name, title, doc string) column.U64 {
	return total(column.Field{Name: name, Title: title, Group: "ethernet", Rare: true, Doc: "dot3Stats" + name + ": " + lower(doc)})
}

func vlan(name, title string, unit column.Unit) column.U64 {
	return total(column.Field{Name: name, Title: title, Group: "layer 2", Unit: unit, Rare: true, Doc: "Number of " + title + "."})
}

func lag(name, title string) column.U64 {
	return total(column.Field{Name: name, Title: title, Group: "layer 2", Rare: true, Doc: "Number of " + title + "."})
}

func queue(name, title, doc string) column.U32 {
	return Table.U32(column.Field{Name: name, Title: title, Group: "queue", Role: column.Mark, Rare: true, Doc: doc})
}

func length(name, title, what string) column.U64 {
	return total(column.Field{Name: name, Title: title, Group: "queue", Rare: true, Doc: "Packets queued when the queue " + what + "."})
}

func lower(s string) string { return string(s[0]|0x20) + s[1:] }

// The device itself: processor, memory, disks, and its network stack (the MIB of
// RFC 1213).
var (
	CPU5s       = percent("CPU5s", "CPU load, 5 s", "Load of the processors over five seconds, in 1/100 percent.")
	CPU1m       = percent("CPU1m", "CPU load, 1 min", "Load of the processors over a minute, in 1/100 percent.")
	CPU5m       = percent("CPU5m", "CPU load, 5 min", "Load of the processors over five minutes, in 1/100 percent.")
	MemoryTotal = memory("MemoryTotal", "memory", "Bytes of memory.")
	MemoryFree  = memory("MemoryFree", "free memory", "Bytes of free memory.")

	HostName = Table.Text(column.Field{Name: "HostName", Title: "host name", Filter: "host", Group: "host", Rare: true,
		Doc: "Host name, as configured on the host."})
	HostSystem = Table.Enum(column.Field{Name: "HostSystem", Title: "operating system", Filter: "system", Group: "host", Rare: true,
		Enum: systems[:],
		Doc:  "Operating system of the host."})
	HostRelease = Table.Text(column.Field{Name: "HostRelease", Title: "release", Group: "host", Rare: true,
		Doc: "Release of the operating system."})
	Load1          = gauges("Load1", "load, 1 min", "host", "Running and waiting processes, mean of one minute, in 1/100.")
	Load5          = gauges("Load5", "load, 5 min", "host", "Running and waiting processes, mean of five minutes, in 1/100.")
	Load15         = gauges("Load15", "load, 15 min", "host", "Running and waiting processes, mean of fifteen minutes, in 1/100.")
	ProcsRunning   = gauges("ProcsRunning", "running processes", "host", "Running processes.")
	Procs          = gauges("Procs", "processes", "host", "Processes.")
	CPUs           = gauges("CPUs", "processors", "host", "Number of processors.")
	CPUMHz         = gauges("CPUMHz", "processor clock", "host", "Clock of the processors in MHz.")
	HostUptime     = Table.U64(column.Field{Name: "HostUptime", Title: "host uptime", Group: "host", Role: column.Mark, Unit: column.Second, Rare: true, Doc: "Uptime of the host in seconds."})
	CPUUser        = cpu("CPUUser", "user programs")
	CPUNice        = cpu("CPUNice", "user programs of low priority")
	CPUSystem      = cpu("CPUSystem", "the kernel")
	CPUIdle        = cpu("CPUIdle", "nothing")
	CPUWait        = cpu("CPUWait", "waiting for disks")
	CPUInterrupt   = cpu("CPUInterrupt", "interrupts")
	CPUSoft        = cpu("CPUSoft", "soft interrupts")
	Interrupts     = host("Interrupts", "interrupts", "host", "Interrupts.")
	Contexts       = host("Contexts", "context switches", "host", "Context switches.")
	CPUSteal       = cpu("CPUSteal", "other virtual machines")
	CPUGuest       = cpu("CPUGuest", "guests")
	CPUGuestNice   = cpu("CPUGuestNice", "guests of low priority")
	MemoryShared   = memory("MemoryShared", "shared memory", "Bytes of shared memory.")
	MemoryBuffers  = memory("MemoryBuffers", "buffers", "Bytes of memory used for buffers.")
	MemoryCached   = memory("MemoryCached", "cache", "Bytes of memory used as cache.")
	SwapTotal      = memory("SwapTotal", "swap", "Bytes of swap space.")
	SwapFree       = memory("SwapFree", "free swap", "Bytes of free swap space.")
	PageIn         = host("PageIn", "pages in", "memory", "Pages read from disk.")
	PageOut        = host("PageOut", "pages out", "memory", "Pages written to disk.")
	SwapIn         = host("SwapIn", "swapped in", "memory", "Pages read from swap space.")
	SwapOut        = host("SwapOut", "swapped out", "memory", "Pages written to swap space.")
	DiskTotal      = bytes("DiskTotal", "disk", "disk", "Bytes of disk space.")
	DiskFree       = bytes("DiskFree", "free disk", "disk", "Bytes of free disk space.")
	DiskMaxUsed    = percent("DiskMaxUsed", "fullest partition", "Utilisation of the fullest partition, in 1/100 percent.")
	DiskReads      = host("DiskReads", "reads", "disk", "Reads from disk.")
	DiskReadBytes  = host("DiskReadBytes", "octets read", "disk", "Bytes read from disk.")
	DiskReadMS     = host("DiskReadMS", "time reading", "disk", "Milliseconds spent reading.")
	DiskWrites     = host("DiskWrites", "writes", "disk", "Writes to disk.")
	DiskWriteBytes = host("DiskWriteBytes", "octets written", "disk", "Bytes written to disk.")
	DiskWriteMS    = host("DiskWriteMS", "time writing", "disk", "Milliseconds spent writing.")

	// Virtual machines and containers, and their hosts.
	VirtualState = Table.Enum(column.Field{Name: "VirtualState", Title: "state", Group: "host", Role: column.Mark, Rare: true,
		Enum: states[:],
		Doc:  "State of the virtual machine or container."})
	VirtualMachines = gauges("VirtualMachines", "virtual machines", "host", "Virtual machines and containers running on the host.")
	CPUVirtual      = cpu("CPUVirtual", "the virtual machine")
	MemoryUsed      = memory("MemoryUsed", "memory used", "Bytes of memory used by the virtual machine.")
	DiskAllocated   = bytes("DiskAllocated", "disk allocated", "disk", "Allocated bytes of the virtual disk.")
	DiskErrors      = host("DiskErrors", "disk errors", "disk", "Read and write errors.")

	InHostOctets, OutHostOctets   = totals("InHostOctets", "OutHostOctets", column.Field{Title: "octets of the host", Group: "host", Unit: column.Byte, Rare: true, Doc: "Bytes of all interfaces of the host."})
	InHostPkts, OutHostPkts       = totals("InHostPkts", "OutHostPkts", column.Field{Title: "packets of the host", Group: "host", Unit: column.Packet, Rare: true, Doc: "Packets of all interfaces of the host."})
	InHostErrors, OutHostErrors   = totals("InHostErrors", "OutHostErrors", column.Field{Title: "errors of the host", Group: "host", Unit: column.Packet, Rare: true, Doc: "Errors of all interfaces of the host."})
	InHostDropped, OutHostDropped = totals("InHostDropped", "OutHostDropped", column.Field{Title: "drops of the host", Group: "host", Unit: column.Packet, Rare: true, Doc: "Packets discarded on all interfaces of the host."})

	IPInReceives      = host("IPInReceives", "IP packets in", "ip", "ipInReceives: IP packets received.")
	IPInHdrErrors     = host("IPInHdrErrors", "IP header errors", "ip", "ipInHdrErrors: packets with an invalid header.")
	IPInAddrErrors    = host("IPInAddrErrors", "IP address errors", "ip", "ipInAddrErrors: packets with an invalid destination address.")
	IPForwDatagrams   = host("IPForwDatagrams", "IP packets forwarded", "ip", "ipForwDatagrams: packets forwarded.")
	IPInUnknownProtos = host("IPInUnknownProtos", "IP unknown protocols", "ip", "ipInUnknownProtos: packets of an unknown protocol.")
	IPInDiscards      = host("IPInDiscards", "IP discards in", "ip", "ipInDiscards: received packets discarded for lack of resources.")
	IPInDelivers      = host("IPInDelivers", "IP delivered", "ip", "ipInDelivers: packets delivered to a protocol above IP.")
	IPOutRequests     = host("IPOutRequests", "IP packets out", "ip", "ipOutRequests: packets submitted for sending.")
	IPOutDiscards     = host("IPOutDiscards", "IP discards out", "ip", "ipOutDiscards: packets not sent for lack of resources.")
	IPOutNoRoutes     = host("IPOutNoRoutes", "IP without route", "ip", "ipOutNoRoutes: packets not sent for lack of a route.")
	IPReasmFails      = host("IPReasmFails", "IP reassembly failures", "ip", "ipReasmFails: failed reassemblies of fragments.")
	IPFragFails       = host("IPFragFails", "IP fragmentation failures", "ip", "ipFragFails: packets that need fragmentation but forbid it.")

	TCPActiveOpens  = host("TCPActiveOpens", "TCP opened", "tcp", "tcpActiveOpens: connections opened by the host.")
	TCPPassiveOpens = host("TCPPassiveOpens", "TCP accepted", "tcp", "tcpPassiveOpens: connections opened by peers.")
	TCPAttemptFails = host("TCPAttemptFails", "TCP attempts failed", "tcp", "tcpAttemptFails: failed connection attempts.")
	TCPEstabResets  = host("TCPEstabResets", "TCP resets", "tcp", "tcpEstabResets: established connections that were reset.")
	TCPCurrEstab    = gauges("TCPCurrEstab", "TCP connections", "tcp", "tcpCurrEstab: established connections.")
	TCPInSegs       = host("TCPInSegs", "TCP segments in", "tcp", "tcpInSegs: segments received.")
	TCPOutSegs      = host("TCPOutSegs", "TCP segments out", "tcp", "tcpOutSegs: segments sent.")
	TCPRetransSegs  = host("TCPRetransSegs", "TCP retransmissions", "tcp", "tcpRetransSegs: segments retransmitted.")
	TCPInErrs       = host("TCPInErrs", "TCP errors in", "tcp", "tcpInErrs: segments received with errors.")
	TCPOutRsts      = host("TCPOutRsts", "TCP resets sent", "tcp", "tcpOutRsts: segments with the flag RST sent.")

	UDPInDatagrams  = host("UDPInDatagrams", "UDP datagrams in", "udp", "udpInDatagrams: datagrams received.")
	UDPNoPorts      = host("UDPNoPorts", "UDP without listener", "udp", "udpNoPorts: datagrams to a port without a listener.")
	UDPInErrors     = host("UDPInErrors", "UDP errors in", "udp", "udpInErrors: datagrams not delivered for another reason.")
	UDPOutDatagrams = host("UDPOutDatagrams", "UDP datagrams out", "udp", "udpOutDatagrams: datagrams sent.")
	UDPRcvbufErrors = host("UDPRcvbufErrors", "UDP receive buffer full", "udp", "Datagrams dropped because the receive buffer was full.")
	UDPSndbufErrors = host("UDPSndbufErrors", "UDP send buffer full", "udp", "Datagrams not sent because the send buffer was full.")
	UDPInCsumErrors = host("UDPInCsumErrors", "UDP checksum errors", "udp", "Datagrams with a wrong checksum.")

	AppUserMS    = host("AppUserMS", "application user time", "application", "Milliseconds of processor time in the application.")
	AppSystemMS  = host("AppSystemMS", "application system time", "application", "Milliseconds of processor time in the kernel for the application.")
	AppMemory    = bytes("AppMemory", "application memory", "application", "Bytes of memory used by the application.")
	AppMemoryMax = bytes("AppMemoryMax", "application memory limit", "application", "Memory limit of the application in bytes.")
	AppFiles     = gauges("AppFiles", "open files", "application", "Open files of the application.")
	AppFilesMax  = gauges("AppFilesMax", "open files limit", "application", "Limit of open files of the application.")
	AppConns     = gauges("AppConns", "connections", "application", "Open connections of the application.")
	AppConnsMax  = gauges("AppConnsMax", "connections limit", "application", "Limit of open connections of the application.")

	OVSHits     = host("OVSHits", "datapath hits", "ovs", "Packets that matched a flow of the Open vSwitch datapath.")
	OVSMisses   = host("OVSMisses", "datapath misses", "ovs", "Packets that matched no flow and were sent to user space.")
	OVSLost     = host("OVSLost", "datapath lost", "ovs", "Packets for user space that were dropped.")
	OVSMaskHits = host("OVSMaskHits", "masks looked at", "ovs", "Masks tried for all packets together.")
	OVSFlows    = gauges("OVSFlows", "datapath flows", "ovs", "Flows in the datapath.")
	OVSMasks    = gauges("OVSMasks", "datapath masks", "ovs", "Masks in the datapath.")
)

func host(name, title, group, doc string) column.U64 {
	return total(column.Field{Name: name, Title: title, Group: group, Rare: true, Doc: doc})
}

func gauges(name, title, group, doc string) column.U64 {
	return gauge(column.Field{Name: name, Title: title, Group: group, Rare: true, Doc: doc})
}

func percent(name, title, doc string) column.U64 {
	return gauge(column.Field{Name: name, Title: title, Group: "host", Rare: true, Doc: doc})
}

func bytes(name, title, group, doc string) column.U64 {
	return gauge(column.Field{Name: name, Title: title, Group: group, Unit: column.Byte, Rare: true, Doc: doc})
}

func memory(name, title, doc string) column.U64 { return bytes(name, title, "memory", doc) }

func cpu(name, what string) column.U64 {
	return total(column.Field{Name: name, Title: "CPU: " + what, Group: "host", Unit: column.Millisecond, Rare: true,
		Doc: "Milliseconds of processor time for " + what + "."})
}

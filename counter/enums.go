package counter // The names in this file are initialised before fields.go, which sorts after it.

// Values of SourceClass (sFlow version 5, section 3.1).
const (
	ClassInterface uint8 = iota // IfIndex is an ifIndex
	ClassVLAN                   // IfIndex is a VLAN (RFC 2613, smonVlanDataSource)
	ClassEntity                 // IfIndex is an entPhysicalIndex (RFC 6933): a host, a line card
	ClassLogical                // IfIndex is an entLogicalIndex
)

var classes = [...]string{"interface", "vlan", "entity", "logical-entity"}

// Bits of Records: the groups of counters in a row. A counter that is zero and whose
// bit is not set was not measured.
const (
	HasInterface uint32 = 1 << iota
	HasEthernet
	HasVLAN
	HasLAG
	HasProcessor
	HasQueue
	HasPort
	HasHost
	HasCPU
	HasMemory
	HasDisk
	HasNetwork
	HasIP
	HasTCP
	HasUDP
	HasApplication
	HasOVS
	HasBuffers
	HasOptics
	HasVirtual
)

var records = [...]string{"interface", "ethernet", "vlan", "lag", "processor", "queue", "port",
	"host", "cpu", "memory", "disk", "network", "ip", "tcp", "udp", "application", "ovs", "buffers", "optics", "virtual"}

var directions = [...]string{"unknown", "full-duplex", "half-duplex", "in", "out"}

// Bits of IfStatus.
const (
	AdminUp uint8 = 1 << iota
	OperUp
)

var statuses = [...]string{"admin-up", "oper-up"}

var systems = [...]string{"unknown", "other", "linux", "windows", "darwin", "hpux", "aix", "dragonfly", "freebsd",
	"netbsd", "openbsd", "osf", "solaris"}

var states = [...]string{"unknown", "running", "blocked", "paused", "shutdown", "off", "crashed"}

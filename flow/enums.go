package flow // The names in this file are initialised before fields.go, which sorts after it.

// Values of FlowType.
const (
	TypeUnknown uint8 = iota
	TypeSFlow
	TypeNetFlow5
	TypeNetFlow9
	TypeIPFIX
	TypeMirror // packets themselves, from a port mirror or a capture
)

var types = [...]string{"unknown", "sflow", "netflow5", "netflow9", "ipfix", "mirror"}

// An Announcement is what a kind of record lets exporters say of themselves, and so what
// can be missing of one.
type Announcement struct {
	Templates bool   `json:"templates"` // its records are described by templates, which come from time to time
	Sampling  bool   `json:"sampling"`  // it can say at what rate it samples
	Clock     bool   `json:"clock"`     // its datagrams have the time at which they were sent
	Sequence  string `json:"sequence"`  // what its sequence numbers count: datagrams or records; empty: it has none
	Names     string `json:"names"`     // how it tells names of interfaces: options or counters; empty: it cannot
}

// announcements has one for each value of FlowType.
var announcements = [len(types)]Announcement{
	TypeSFlow:    {Sampling: true, Sequence: "datagrams", Names: "counters"},
	TypeNetFlow5: {Sampling: true, Clock: true, Sequence: "records"},
	TypeNetFlow9: {Templates: true, Sampling: true, Clock: true, Sequence: "datagrams", Names: "options"},
	TypeIPFIX:    {Templates: true, Sampling: true, Clock: true, Sequence: "records", Names: "options"},
}

// Announces is what exporters of a FlowType can say of themselves; nothing of one that is
// not known.
func Announces(flowType uint8) Announcement {
	if int(flowType) >= len(announcements) {
		return Announcement{}
	}
	return announcements[flowType]
}

// Values of SamplingSource, in rising order of trust.
const (
	SamplingUnknown uint8 = iota // nothing said a rate; the row counts as 1
	SamplingConfig               // the configuration file
	SamplingHeader               // the header of the datagram (v5)
	SamplingOptions              // options data for the sampler, selector, interface or exporter
	SamplingRecord               // the record or sample itself
)

var samplingSources = [...]string{"unknown", "config", "header", "options", "record"}

// Bits of Quality.
const (
	NoSampling    uint16 = 1 << iota // no sampling rate known: counted as 1
	NoInterface                      // neither input nor output interface known
	LateTemplate                     // waited for its template
	ClockSkewed                      // the exporter's clock is off by more than a minute
	TruncatedHead                    // the sampled header ends before its last protocol header does
	NoTime                           // the record carries no start and end; they are the time of arrival
	Thinned                          // of a limited exporter: the sampling rate is higher than the exporter's own
	Implausible                      // no network carries what the record says: see Plausible
)

var qualityBits = [...]string{"no-sampling", "no-interface", "late-template", "clock-skewed", "truncated-header", "no-time", "thinned", "implausible"}

// Values of Direction.
const (
	DirectionUnknown uint8 = iota
	DirectionIn
	DirectionOut
	DirectionInternal
	DirectionTransit
)

var directions = [...]string{"unknown", "in", "out", "internal", "transit"}

// Values of InIfBoundary and OutIfBoundary.
const (
	BoundaryUnknown uint8 = iota
	BoundaryExternal
	BoundaryInternal
)

var boundaries = [...]string{"unknown", "external", "internal"}

// Values of TunnelType.
const (
	TunnelNone uint8 = iota
	TunnelGRE
	TunnelIPIP
	Tunnel6in4
	TunnelVXLAN
	TunnelGeneve
	TunnelGTPU
	TunnelERSPAN
	TunnelSRv6
	TunnelMPLS // MPLS in IP or in UDP
	TunnelL2TP
	TunnelEtherIP
)

var tunnels = [...]string{"none", "gre", "ipip", "6in4", "vxlan", "geneve", "gtp-u", "erspan", "srv6", "mpls", "l2tp", "etherip"}

// EtherTypes that fill EType.
const (
	EtherTypeIPv4 = 0x0800
	EtherTypeIPv6 = 0x86dd
)

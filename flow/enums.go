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

// Announcement is the information that exporters can send with a type of record, and
// that can therefore be missing.
type Announcement struct {
	Templates bool   `json:"templates"`                          // Its records are described by templates, which come from time to time.
	Sampling  bool   `json:"sampling"`                           // It can say at what rate it samples.
	Clock     bool   `json:"clock"`                              // Its datagrams have the time at which they were sent.
	Sequence  string `json:"sequence" enum:",datagrams,records"` // What its sequence numbers count. Empty: it has none.
	Names     string `json:"names" enum:",options,counters"`     // How it reports names of interfaces. Empty: it cannot.
}

// announcements has one for each value of FlowType.
var announcements = [len(types)]Announcement{
	TypeSFlow:    {Sampling: true, Sequence: "datagrams", Names: "counters"},
	TypeNetFlow5: {Sampling: true, Clock: true, Sequence: "records"},
	TypeNetFlow9: {Templates: true, Sampling: true, Clock: true, Sequence: "datagrams", Names: "options"},
	TypeIPFIX:    {Templates: true, Sampling: true, Clock: true, Sequence: "records", Names: "options"},
}

// Announces returns the Announcement of a FlowType; the zero value for an unknown one.
func Announces(flowType uint8) Announcement {
	if int(flowType) >= len(announcements) {
		return Announcement{}
	}
	return announcements[flowType]
}

// Values of SamplingSource, in rising order of trust.
const (
	SamplingUnknown uint8 = iota // no rate reported; counted as unsampled
	SamplingConfig               // the configuration file
	SamplingHeader               // the header of the datagram (v5)
	SamplingOptions              // options data for the sampler, selector, interface or exporter
	SamplingRecord               // the record or sample itself
)

var samplingSources = [...]string{"unknown", "config", "header", "options", "record"}

// Bits of Quality.
const (
	NoSampling    uint16 = 1 << iota // sampling rate unknown; counted as unsampled
	NoInterface                      // neither input nor output interface known
	LateTemplate                     // waited for its template
	ClockSkewed                      // the exporter's clock is off by more than a minute
	TruncatedHead                    // the sampled header ends before its last protocol header does
	NoTime                           // the record carries no start and end; they are the time of arrival
	Thinned                          // of a limited exporter: the sampling rate is higher than the exporter's own
	Implausible                      // values that no network carries; see Plausible
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

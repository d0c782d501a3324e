package netflow

import "netmeta/source"

// Reasons of this package, besides those of several sources.
var (
	NoTemplate = source.NewReason(source.Why{ // data set with an unknown template
		Name:   "unknown template",
		Remedy: "The exporter has not sent its template yet. It will; to lose less after a restart, set a shorter template refresh (30 s)."})
	BadTemplate = source.NewReason(source.Why{ // template with no fields, no length or too many fields
		Name:      "bad template",
		Remedy:    "The exporter sends malformed templates: capture some with `netmeta decode` and report them to its vendor.",
		Malformed: true})
	TooManyTemplates = source.NewReason(source.Why{ // the limit of templates is reached
		Name:   "too many templates",
		Remedy: "More templates than the limit arrived: a broken exporter, or forged datagrams."})
	UnknownSet = source.NewReason(source.Why{ // reserved set ID
		Name:   "unknown set",
		Remedy: "The exporter uses set ids that RFC 7011 reserves."})
	TooManyNames = source.NewReason(source.Why{ // the limit of names from options data is reached
		Name:   "too many names",
		Remedy: "More names of interfaces, VRFs or applications than the limit arrived: a broken exporter, or forged datagrams."})
	TooManyActiveFlows = source.NewReason(source.Why{ // active flows whose counters were evicted
		Name:   "too many living flows",
		Remedy: "More flows with total counters are alive than are remembered: their next records count in full. Let the exporter send delta counters (1, 2)."})
	Implausible = source.NewReason(source.Why{ // starts like NetFlow v5, with values that no exporter sends
		Name:      "implausible",
		Remedy:    "The datagram begins like NetFlow v5, but no exporter sends such times or prefix lengths: check who sends it.",
		Malformed: true})
)

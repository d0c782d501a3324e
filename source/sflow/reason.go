package sflow

import "netmeta/source"

// Reasons of this package, besides those of several sources.
var (
	UnknownSample = source.NewReason(source.Why{ // unknown sample format
		Name:   "unknown sample",
		Remedy: "The agent sends samples that sFlow v5 does not define; flows are not concerned."})
	BadAddress = source.NewReason(source.Why{ // unknown address family
		Name:      "bad address",
		Remedy:    "The exporter sends malformed addresses.",
		Malformed: true})
	TooManySamplers = source.NewReason(source.Why{ // the limit of data sources whose sampling is followed is reached
		Name:   "too many samplers",
		Remedy: "More interfaces or other data sources than the limit sent samples: forged datagrams, or a very large switch. Their flows are decoded; their effective sampling rate is not known."})
)

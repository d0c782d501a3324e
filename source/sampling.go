package source

import (
	"cmp"
	"net/netip"
	"slices"
)

// Sampling is one rate at which an exporter samples packets: the declared rate and, if the exporter counts
// them, the effective one.
type Sampling struct {
	Exporter netip.Addr
	Type     uint8  // flow.Type…
	Domain   uint32 // observation domain, or sub-agent
	Of       string // what samples: exporter for the whole exporter, selector, interface, vlan, …
	ID       uint64 // selector or sampler ID, ifIndex
	From     uint8  // where the rate is from: flow.Sampling…
	Rate     uint32 // declared: one of Rate packets

	Effective float64 // packets per sample taken; 0: unknown
	Samples   uint64  // samples over which Effective is the mean
	Dropped   uint64  // samples that were taken but could not be sent
}

// SortSamplings sorts by exporter and domain, the whole exporter before its parts.
func SortSamplings(list []Sampling) {
	part := func(x Sampling) int {
		if x.Of == "exporter" {
			return 0
		}
		return 1
	}
	slices.SortFunc(list, func(a, b Sampling) int {
		return cmp.Or(a.Exporter.Compare(b.Exporter), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Domain, b.Domain),
			cmp.Compare(part(a), part(b)), cmp.Compare(a.Of, b.Of), cmp.Compare(a.ID, b.ID), cmp.Compare(a.From, b.From))
	})
}

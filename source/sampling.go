package source

import (
	"cmp"
	"net/netip"
	"slices"
)

// A Sampling is one rate at which an exporter looks at packets: what is declared, and,
// where the exporter counts it, what was done.
type Sampling struct {
	Exporter netip.Addr
	Type     uint8  // flow.Type…
	Domain   uint32 // observation domain, or sub-agent
	Of       string // what samples: exporter for all of it, selector, interface, vlan, …
	ID       uint64 // which one: selector or sampler id, ifIndex
	From     uint8  // who says so: flow.Sampling…
	Rate     uint32 // declared: one of this many packets

	Effective float64 // packets for each sample that was taken; 0 when not known
	Samples   uint64  // that Effective is the mean of
	Dropped   uint64  // samples that were taken and could not be sent
}

// SortSamplings sorts by exporter and domain, and what is of all of it before its parts.
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

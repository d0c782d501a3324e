// Package class says which way a flow crosses the border of the network: in, out,
// inside or through. The first of these that knows says it:
//
//  1. the ends: prefixes and ASes that the operator calls own
//  2. the interfaces: those that lead out of the network, and those that do not
//  3. the record, where the exporter says a direction
package class

import (
	"errors"
	"slices"
	"time"

	"github.com/gaissmai/bart"

	"netmeta/column"
	"netmeta/enrich/network"
	"netmeta/enrich/stage"
	"netmeta/flow"
)

// Config is what belongs to the network.
type Config struct {
	// Prefixes of the network, those of customers included. With them every flow between
	// addresses has a direction.
	Prefixes []network.Prefix `yaml:"prefixes" reload:"live"`
	// ASes of the network, those of customers included. They say the direction of a flow
	// whose ASes are known.
	AS []uint32 `yaml:"as" reload:"live"`
}

// Validate checks values. Each error names the key, the value and the remedy.
func (c Config) Validate() error {
	if slices.Contains(c.AS, 0) {
		return errors.New("as: 0: is no AS; leave it out")
	}
	return nil
}

// A Table fills Direction. It does not change.
type Table struct {
	prefixes bart.Lite
	byPrefix bool
	as       []uint32 // rising
	loaded   time.Time
}

// New makes a table of a valid Config.
func New(c Config) *Table {
	t := &Table{as: slices.Compact(slices.Sorted(slices.Values(c.AS))), byPrefix: len(c.Prefixes) > 0, loaded: time.Now()}
	for _, p := range c.Prefixes {
		t.prefixes.Insert(p.Prefix)
	}
	return t
}

// Entries is the number of prefixes and ASes.
func (t *Table) Entries() int { return t.prefixes.Size() + len(t.as) }

// Stage implements stage.Table: the table is a stage itself.
func (t *Table) Stage() stage.Stage { return t }

// Status implements stage.Reporter.
func (t *Table) Status() []stage.Status {
	if t.Entries() == 0 {
		return nil
	}
	return []stage.Status{{Name: "own prefixes and ASes", Entries: t.Entries(), Loaded: t.loaded, Source: "configuration"}}
}

// An end is whose an address is.
type end uint8

const (
	unknown end = iota
	own
	foreign
)

// by says a direction of two ends.
var by = [3][3]uint8{
	own:     {own: flow.DirectionInternal, foreign: flow.DirectionOut},
	foreign: {own: flow.DirectionIn, foreign: flow.DirectionTransit},
}

// byBoundary says a direction of the interfaces. Where traffic came from or went to
// outside it crossed the border, whatever is known of the other interface.
var byBoundary = [3][3]uint8{
	flow.BoundaryUnknown:  {flow.BoundaryExternal: flow.DirectionOut},
	flow.BoundaryExternal: {flow.DirectionIn, flow.DirectionTransit, flow.DirectionIn},
	flow.BoundaryInternal: {flow.BoundaryExternal: flow.DirectionOut, flow.BoundaryInternal: flow.DirectionInternal},
}

// Apply fills Direction. AS numbers and boundaries must be there. It asks the last
// source first, so that those before it have the last word.
func (t *Table) Apply(b *column.Batch) {
	rows := b.Len()
	if b.Used(flow.InIfBoundary.Field) || b.Used(flow.OutIfBoundary.Field) {
		in, out := flow.InIfBoundary.Column(b), flow.OutIfBoundary.Column(b)
		said := flow.Direction.Column(b)
		for row := range rows {
			if d := byBoundary[in[row]][out[row]]; d != flow.DirectionUnknown {
				said[row] = d
			}
		}
	}
	if t.Entries() == 0 {
		return
	}
	src, dst := flow.SrcAddr.Column(b), flow.DstAddr.Column(b)
	srcAS, dstAS := flow.SrcAS.Column(b), flow.DstAS.Column(b)
	said := flow.Direction.Column(b)
	for row := range rows {
		if d := by[t.end(src[row], srcAS[row])][t.end(dst[row], dstAS[row])]; d != flow.DirectionUnknown {
			said[row] = d
		}
	}
}

// end says whose an address is. Without own prefixes only a known AS makes it foreign:
// many exporters send 0 for their own.
func (t *Table) end(a column.Addr, as uint32) end {
	if a == (column.Addr{}) {
		return unknown // not IP
	}
	if t.byPrefix {
		if t.prefixes.Contains(a.IP()) {
			return own
		}
	}
	if as != 0 && len(t.as) > 0 {
		if _, ok := slices.BinarySearch(t.as, as); ok {
			return own
		}
		return foreign
	}
	if t.byPrefix {
		return foreign
	}
	return unknown
}

// Package class determines how a flow crosses the border of the network: in, out, internal or transit. The
// first of these that is known decides:
//
//  1. the ends: own prefixes and ASes in the configuration
//  2. the interfaces: external or internal
//  3. the record, if the exporter sends a direction
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

// Config describes the own network.
type Config struct {
	// Prefixes of the network, including those of customers. With them every flow between IP addresses has a
	// direction.
	Prefixes []network.Prefix `yaml:"prefixes" reload:"live"`
	// ASes of the network, including those of customers. They determine the direction of flows whose ASes are
	// known.
	AS []uint32 `yaml:"as" reload:"live"`
}

// Validate checks values. Each error names the key, the value and the remedy.
func (c Config) Validate() error {
	if slices.Contains(c.AS, 0) {
		return errors.New("as: 0: not an AS number; remove it")
	}
	return nil
}

// Table fills Direction. It is immutable.
type Table struct {
	prefixes bart.Lite
	byPrefix bool
	as       []uint32 // ascending
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

// Entries returns the number of prefixes and ASes.
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

// side says whether an address is local or remote.
type side uint8

const (
	unknown side = iota
	own
	foreign
)

// by is the direction for two sides.
var by = [3][3]uint8{
	own:     {own: flow.DirectionInternal, foreign: flow.DirectionOut},
	foreign: {own: flow.DirectionIn, foreign: flow.DirectionTransit},
}

// byBoundary is the direction for two interfaces. Traffic from or to an external interface crossed the
// border, whatever the other interface is.
var byBoundary = [3][3]uint8{
	flow.BoundaryUnknown:  {flow.BoundaryExternal: flow.DirectionOut},
	flow.BoundaryExternal: {flow.DirectionIn, flow.DirectionTransit, flow.DirectionIn},
	flow.BoundaryInternal: {flow.BoundaryExternal: flow.DirectionOut, flow.BoundaryInternal: flow.DirectionInternal},
}

// Apply fills Direction. AS numbers and boundaries must be filled already. It uses the last criterion first,
// so that earlier ones override it.
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
		if d := by[t.side(src[row], srcAS[row])][t.side(dst[row], dstAS[row])]; d != flow.DirectionUnknown {
			said[row] = d
		}
	}
}

// side returns the side of an address. Without own prefixes only a known AS makes it remote, because many
// exporters send 0 for their own.
func (t *Table) side(a column.Addr, as uint32) side {
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

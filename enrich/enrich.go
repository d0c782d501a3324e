// Package enrich is what we add to flows before they are encoded: names of exporters,
// interfaces and networks, AS and country of addresses, and the direction. Its folders
// are the family of stages; this package puts them in order.
//
//	batch ─► exporter ─► network ─► route ─► class ─► batch
//	            ▲           ▲         ▲
//	          names        feed      feed
//
// A stage fills columns of a batch in place. It never blocks and never fails: what it
// does not know it leaves zero, and no row is dropped for lack of a name. What a stage
// looks things up in may be kept up to date in the background: see Chain.Run.
package enrich

import (
	"net/netip"
	"time"

	"netmeta/column"
	"netmeta/enrich/class"
	"netmeta/enrich/exporter"
	"netmeta/enrich/feed"
	"netmeta/enrich/names"
	"netmeta/enrich/network"
	"netmeta/enrich/route"
	"netmeta/enrich/stage"
)

// An environment is what stages are made with, beside their configuration.
type environment struct {
	book  *names.Book
	feeds feed.Options // that all feeds have in common
}

// stages are the chain, in the order in which they are applied. Each makes its table of
// a valid configuration, and may take over what was learnt by its earlier table, which
// is nil at first. Errors begin with a key below enrich.
var stages = [...]func(cfg Config, env environment, old stage.Table) (stage.Table, error){
	func(cfg Config, env environment, _ stage.Table) (stage.Table, error) {
		return exporter.New(cfg.naming(), env.book), nil
	},
	func(cfg Config, env environment, old stage.Table) (stage.Table, error) {
		was, _ := old.(*network.Table)
		return network.New(cfg.Networks, cfg.NetworkFiles, time.Duration(cfg.Refresh), env.feeds, was)
	},
	func(cfg Config, env environment, old stage.Table) (stage.Table, error) {
		was, _ := old.(*route.Table)
		return route.New(cfg.AS, cfg.Country, cfg.Data, time.Duration(cfg.Refresh), env.feeds, was)
	},
	func(cfg Config, _ environment, _ stage.Table) (stage.Table, error) {
		return class.New(cfg.Own), nil
	},
}

// tables are those of all stages, of one configuration.
type tables [len(stages)]stage.Table

// tableOf is the table of one stage.
func tableOf[T stage.Table](t *tables) T {
	for _, table := range t {
		if x, ok := table.(T); ok {
			return x
		}
	}
	panic("BUG: no stage has such a table")
}

// ExporterName is what an exporter is called, empty if nothing says it.
func (c *Chain) ExporterName(a netip.Addr) string {
	return tableOf[*exporter.Table](c.now.Load()).Name(column.AddrFrom(a))
}

// Described reports that the operator has named an exporter.
func (c *Chain) Described(a netip.Addr) bool {
	return tableOf[*exporter.Table](c.now.Load()).Described(column.AddrFrom(a))
}

// Interface is what the operator says of an interface; see exporter.Table.Configured.
func (c *Chain) Interface(a netip.Addr, index uint32) (name, description, boundary string, speed uint64) {
	return tableOf[*exporter.Table](c.now.Load()).Configured(column.AddrFrom(a), index)
}

// ASName is what an AS is called, empty if that is not known.
func (c *Chain) ASName(as uint32) string { return tableOf[*route.Table](c.now.Load()).Name(as) }

// FindAS calls yield with ASes whose names contain a text; see route.Table.Find.
func (c *Chain) FindAS(text string, yield func(as uint32, name string) bool) {
	tableOf[*route.Table](c.now.Load()).Find(text, yield)
}

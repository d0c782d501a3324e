// Package enrich adds information to flows before they are encoded: names of exporters, interfaces and
// networks, AS and country of addresses, and the direction. Its folders are the stages; this package puts
// them in order.
//
//	batch ─► exporter ─► network ─► route ─► class ─► batch
//	            ▲           ▲         ▲
//	          names        feed      feed
//
// A stage fills columns of a batch in place. It never blocks and never fails: columns that it cannot fill
// stay zero, and no row is dropped for lack of a name. Data of a stage may be updated in the background; see
// Chain.Run.
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

// environment is what stages need besides their configuration.
type environment struct {
	book  *names.Book
	feeds feed.Options // common to all feeds
}

// stages are the chain, in the order of their application. Each makes its table from a valid configuration,
// and may reuse the state of its earlier table, which is nil at first. Errors start with a key below enrich.
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

// tables are those of all stages for one configuration.
type tables [len(stages)]stage.Table

// tableOf returns the table of one stage.
func tableOf[T stage.Table](t *tables) T {
	for _, table := range t {
		if x, ok := table.(T); ok {
			return x
		}
	}
	panic("BUG: no stage has such a table")
}

// ExporterName returns the name of an exporter, empty if it has none.
func (c *Chain) ExporterName(a netip.Addr) string {
	return tableOf[*exporter.Table](c.now.Load()).Name(column.AddrFrom(a))
}

// Described reports whether the configuration names an exporter.
func (c *Chain) Described(a netip.Addr) bool {
	return tableOf[*exporter.Table](c.now.Load()).Described(column.AddrFrom(a))
}

// Interface returns the configured values of an interface; see exporter.Table.Configured.
func (c *Chain) Interface(a netip.Addr, index uint32) (name, description, boundary string, speed uint64) {
	return tableOf[*exporter.Table](c.now.Load()).Configured(column.AddrFrom(a), index)
}

// ASName returns the name of an AS, empty if it is unknown.
func (c *Chain) ASName(as uint32) string { return tableOf[*route.Table](c.now.Load()).Name(as) }

// FindAS calls yield with ASes whose names contain a text; see route.Table.Find.
func (c *Chain) FindAS(text string, yield func(as uint32, name string) bool) {
	tableOf[*route.Table](c.now.Load()).Find(text, yield)
}

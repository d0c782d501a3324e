package source

import "netmeta/column"

// Interface is what an exporter reports about one of its interfaces. Zero values were not reported.
type Interface struct {
	Name        column.Label
	Description column.Label
	Speed       uint64 // bits per second
}

// Names receives what exporters report about their interfaces, each time they do. It
// must be safe for concurrent use and return soon: decoders call it.
type Names func(exporter column.Addr, ifIndex uint32, x Interface)

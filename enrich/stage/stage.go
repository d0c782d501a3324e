// Package stage says what a stage of enrichment is. The members of package enrich are
// stages; package enrich lists them in order and runs them.
package stage

import (
	"context"
	"time"

	"netmeta/column"
)

// A Table is the part of a stage that all workers share: what the configuration says,
// ready for use. It is safe for concurrent use. A Table may be a Runner and a Reporter
// too.
type Table interface {
	// Stage makes the part that one worker owns.
	Stage() Stage
}

// A Stage fills columns of flows. It belongs to one worker, and so to one goroutine.
type Stage interface {
	// Apply fills columns of a batch of flows in place. It does not block, allocate or
	// fail: what it does not know it leaves zero, and it does not touch a column that it
	// has no value for.
	Apply(*column.Batch)
}

// A Runner is a Table that works in the background: it polls, or it listens.
type Runner interface {
	// Run returns when ctx ends: NetMeta stops, or a new configuration has another table.
	Run(ctx context.Context)
}

// A Reporter is a Table that the status page lists.
type Reporter interface {
	Status() []Status
}

// Status is how a table is.
type Status struct {
	Name    string
	Entries int
	Loaded  time.Time // when what it has was read, or confirmed to be the newest
	Source  string    // where it is from
	Error   string    // why there is nothing newer; empty: nothing is wrong
}

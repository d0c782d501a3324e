// Package stage defines the stages of enrichment. The members of package enrich are stages; package enrich
// lists them in order and runs them.
package stage

import (
	"context"
	"time"

	"netmeta/column"
)

// Table is the part of a stage that all workers share: the configuration, ready for use. It is safe for
// concurrent use. A Table may also be a Runner and a Reporter.
type Table interface {
	// Stage makes the part that one worker owns.
	Stage() Stage
}

// Stage fills columns of flows. It belongs to one worker, and so to one goroutine.
type Stage interface {
	// Apply fills columns of a batch of flows in place. It does not block, allocate or fail: unknown values
	// stay zero, and it does not touch a column that it has no value for.
	Apply(*column.Batch)
}

// Runner is a Table that works in the background: it polls or listens.
type Runner interface {
	// Run returns when ctx ends: NetMeta stops, or a new configuration has another table.
	Run(ctx context.Context)
}

// Reporter is a Table that the status page lists.
type Reporter interface {
	Status() []Status
}

// Status is the state of a table.
type Status struct {
	Name    string
	Entries int
	Loaded  time.Time // when its data were read, or confirmed to be the newest
	Source  string    // origin of the data
	Error   string    // why there is nothing newer; empty: no problem
}

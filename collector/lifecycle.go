package collector

import (
	"context"
	"runtime/pprof"
	"slices"
	"sync"

	"netmeta/config"
)

// A part is a piece of the running NetMeta. The list of parts says in which order they
// start and stop, and who takes over which keys of a changed configuration.
type part struct {
	name  string
	stage stage

	// run works until its context ends, and returns when nothing of it goes on. An error
	// stops the program. nil: the part has no goroutine.
	run func(context.Context) error
	// last is called once every run of the stage has returned; nil: nothing is left to do.
	last func()

	// live are the keys of the configuration, or the sections of it, that the part takes
	// over while it runs.
	live []string
	// prepare makes everything that a new configuration needs and changes nothing yet. nil:
	// the part looks at the configuration whenever it needs its keys.
	prepare func(next *config.Config) (change, error)
}

// A stage is a group of parts that stop together. Stages stop one after the other, each
// when the one before has ended, so that what was received still finds its way.
type stage int

const (
	sources stage = iota // what brings rows in, and what looks after the other parts
	writing              // from the queue to the store
	web                  // the page and the API
	storage              // the engine
	stages
)

// A change is what a part has prepared for a new configuration.
type change struct {
	commit func() // takes it over; it cannot fail
	undo   func() // gives back what was prepared; nil: nothing is held
}

// parts are in the order in which data move.
type parts []part

// prepare has every part prepare for a configuration. commit has all of them take it
// over. After an error everything is as it was.
func (list parts) prepare(next *config.Config) (commit func(), err error) {
	var changes []change
	for _, p := range list {
		if p.prepare == nil {
			continue
		}
		c, err := p.prepare(next)
		if err != nil {
			for _, c := range slices.Backward(changes) {
				if c.undo != nil {
					c.undo()
				}
			}
			return nil, err
		}
		changes = append(changes, c)
	}
	return func() {
		for _, c := range changes {
			c.commit()
		}
	}, nil
}

// A lifecycle is the goroutines of parts that were started.
type lifecycle struct {
	parts parts
	stage [stages]struct {
		stop  context.CancelFunc
		ended sync.WaitGroup
	}
}

// start starts the parts from the last to the first, so that each finds the next one
// ready. fail is called with each error of a part; it must not block.
func (list parts) start(fail func(error)) *lifecycle {
	l := &lifecycle{parts: list}
	var contexts [stages]context.Context
	for i := range l.stage {
		contexts[i], l.stage[i].stop = context.WithCancel(context.Background())
	}
	for _, p := range slices.Backward(list) {
		if p.run == nil {
			continue
		}
		// The name shows in profiles.
		ctx := pprof.WithLabels(contexts[p.stage], pprof.Labels("part", p.name))
		l.stage[p.stage].ended.Go(func() {
			pprof.SetGoroutineLabels(ctx)
			if err := p.run(ctx); err != nil {
				fail(err)
			}
		})
	}
	return l
}

// stop stops one stage after the other and returns when all have ended.
func (l *lifecycle) stop() {
	for i := range l.stage {
		l.stage[i].stop()
		l.stage[i].ended.Wait()
		for _, p := range l.parts {
			if p.stage == stage(i) && p.last != nil {
				p.last()
			}
		}
	}
}

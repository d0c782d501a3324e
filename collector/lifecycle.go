package collector

import (
	"context"
	"runtime/pprof"
	"slices"
	"sync"

	"netmeta/config"
)

// part is a part of the running NetMeta. The list of parts has the order in which they start and stop, and
// the keys that each applies at a reload.
type part struct {
	name  string
	stage stage

	// run works until its context ends, and returns when all its goroutines have ended. An error stops the
	// program. nil: the part has no goroutine.
	run func(context.Context) error
	// last is called once every run of the stage has returned; may be nil.
	last func()

	// live are the keys or sections of the configuration that the part applies while it runs.
	live []string
	// prepare makes everything that a new configuration needs without changing anything. nil: the part reads
	// the configuration whenever it needs its keys.
	prepare func(next *config.Config) (change, error)
}

// stage is a group of parts that stop together. Stages stop in turn, each after the previous one has ended,
// so that everything received is still processed.
type stage int

const (
	sources stage = iota // receive rows, or monitor the other parts
	writing              // from the queue to the store
	web                  // the web UI and the API
	storage              // the engine
	stages
)

// change is what a part has prepared for a new configuration.
type change struct {
	commit func() // applies it; cannot fail
	undo   func() // releases what was prepared; nil: nothing is held
}

// parts are in the order in which data moves.
type parts []part

// prepare makes every part prepare for a configuration. commit applies it in all of them. After an error
// nothing has changed.
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

// lifecycle has the goroutines of parts that were started.
type lifecycle struct {
	parts parts
	stage [stages]struct {
		stop  context.CancelFunc
		ended sync.WaitGroup
	}
}

// start starts the parts from the last to the first, so that each finds the next one ready. fail is called
// with each error of a part; it must not block.
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
		// Profiles show the name.
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

// stop stops the stages in turn and returns when all have ended.
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

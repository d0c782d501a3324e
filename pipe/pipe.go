// Package pipe is where the stages meet. A source's worker hands over a full batch
// with a plain call: it is enriched, encoded to a Native block and put into the one
// bounded queue of the system, from which the store's writer takes it.
//
//	worker ─ Emit ─► stages ─► native.Encode ─► queue ─► store.Writer
//
// When the store is slow the queue fills, Emit blocks, the worker stops reading and
// the kernel drops datagrams at the socket, where they are counted. Loss has one
// place.
package pipe

import (
	"sync/atomic"

	"netmeta/column"
	"netmeta/native"
)

// A Stage fills columns of a batch in place. It never blocks and never fails: what
// it does not know it leaves zero. It belongs to one emitter, and so to one goroutine.
// It is given the batches of every table.
type Stage = func(*column.Batch)

// A Pipe joins any number of emitters to one queue.
type Pipe struct {
	stages []func() Stage
	queue  chan native.Block

	Rows   atomic.Uint64 // that went into the queue
	Blocks atomic.Uint64
}

// New makes a pipe whose queue holds up to capacity blocks. A block of 8,192 rows is
// about a megabyte: 256 of them are 4 s of 500,000 flows/s. Each emitter gets stages of
// its own, in this order.
func New(capacity int, stages ...func() Stage) *Pipe {
	return &Pipe{stages: stages, queue: make(chan native.Block, capacity)}
}

// Queue is where blocks come out.
func (p *Pipe) Queue() <-chan native.Block { return p.queue }

// Waiting is the number of blocks in the queue and the most that it holds.
func (p *Pipe) Waiting() (blocks, capacity int) { return len(p.queue), cap(p.queue) }

// Close ends the queue. No emitter may be in use any more.
func (p *Pipe) Close() { close(p.queue) }

// An Emitter is one worker's end of the pipe; it belongs to that goroutine.
type Emitter struct {
	pipe   *Pipe
	stages []Stage
	enc    native.Encoder
}

// Emitter makes an end for one worker.
func (p *Pipe) Emitter() *Emitter {
	e := &Emitter{pipe: p}
	for _, stage := range p.stages {
		e.stages = append(e.stages, stage())
	}
	return e
}

// Emit hands the rows of the batch on and empties it. It waits while the queue is
// full.
func (e *Emitter) Emit(b *column.Batch) {
	if b.Len() == 0 {
		return
	}
	for _, stage := range e.stages {
		stage(b)
	}
	block := e.enc.Encode(b)
	b.Reset()
	e.pipe.queue <- block
	e.pipe.Rows.Add(uint64(block.Rows))
	e.pipe.Blocks.Add(1)
}

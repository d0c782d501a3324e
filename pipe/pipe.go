// Package pipe is where the stages meet. A source hands over a batch with a plain call: it
// is enriched, encoded to a Native block and put into the one bounded queue of the system,
// from which the store's writer takes it.
//
//	source.Out ─ Emit ─► stages ─► native.Encode ─► queue ─► store.Writer
//
// When the store is slow the queue fills and Emit blocks. Sources that can wait do so;
// the workers of UDP stop reading and the kernel drops datagrams at the socket, where they
// are counted. Loss has one place.
package pipe

import (
	"context"
	"sync"
	"sync/atomic"

	"netmeta/column"
	"netmeta/native"
)

// A Stage fills columns of a batch in place. It never blocks and never fails: what
// it does not know it leaves zero. It belongs to one emitter, and so to one goroutine.
// It is given the batches of every table, and one batch again when there was no room for it.
type Stage = func(*column.Batch)

// A Pipe joins any number of emitters to one queue.
type Pipe struct {
	stages []func() Stage
	queue  chan native.Block
	limit  int64 // of the octets in the queue

	mu      sync.Mutex
	room    sync.Cond // of mu: octets have become fewer
	bytes   int64     // in the queue, or about to be
	holding int       // emitters that wait for room

	Rows   atomic.Uint64 // that went into the queue
	Blocks atomic.Uint64
}

// New makes a pipe whose queue holds up to capacity blocks and so many octets, whichever
// comes first; one block it holds in any case. A block of 8,192 rows is about a megabyte,
// though long texts make it up to eight: 256 of them are 4 s of 500,000 flows/s. Each
// emitter gets stages of its own, in this order.
func New(capacity int, limit int64, stages ...func() Stage) *Pipe {
	p := &Pipe{stages: stages, queue: make(chan native.Block, capacity), limit: limit}
	p.room.L = &p.mu
	return p
}

// Queue is where blocks come out. Whoever takes one calls Taken.
func (p *Pipe) Queue() <-chan native.Block { return p.queue }

// Taken gives the room of a block back that was taken from the queue.
func (p *Pipe) Taken(b native.Block) {
	p.mu.Lock()
	p.bytes -= int64(len(b.Data))
	p.mu.Unlock()
	p.room.Broadcast()
}

// hold waits until there is room for so many octets, and takes it, or until ctx ends.
func (p *Pipe) hold(ctx context.Context, size int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.roomLocked(size) {
		p.bytes += size
		return nil
	}
	defer context.AfterFunc(ctx, func() {
		p.mu.Lock() // or it could come between a look at ctx and the wait
		defer p.mu.Unlock()
		p.room.Broadcast()
	})()
	p.holding++
	for !p.roomLocked(size) && ctx.Err() == nil {
		p.room.Wait()
	}
	p.holding--
	if !p.roomLocked(size) {
		return ctx.Err()
	}
	p.bytes += size
	return nil
}

func (p *Pipe) roomLocked(size int64) bool { return p.bytes == 0 || p.bytes+size <= p.limit }

// put puts a block into the queue, unless ctx ends before there is room.
func (p *Pipe) put(ctx context.Context, b native.Block) error {
	if err := p.hold(ctx, int64(len(b.Data))); err != nil {
		return err
	}
	select {
	case p.queue <- b:
		return nil
	case <-ctx.Done():
		p.Taken(b)
		return ctx.Err()
	}
}

// A Level is how full a queue is.
type Level struct {
	Blocks, MaxBlocks int
	Bytes, MaxBytes   int64
	Full              bool // somebody waits for room, or would
}

// Share is the part that is taken, from 0 to 1.
func (l Level) Share() float64 {
	if l.Full {
		return 1
	}
	return max(float64(l.Blocks)/float64(l.MaxBlocks), min(1, float64(l.Bytes)/float64(l.MaxBytes)))
}

// Level is how full the queue is. A block that an emitter waits to put in counts.
func (p *Pipe) Level() Level {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.queue)
	return Level{Blocks: n, MaxBlocks: cap(p.queue), Bytes: p.bytes, MaxBytes: p.limit, Full: n == cap(p.queue) || p.holding > 0}
}

// Close ends the queue. No emitter may be in use any more.
func (p *Pipe) Close() { close(p.queue) }

// An Emitter is the end of the pipe that a goroutine has for itself. It implements
// source.Sink.
type Emitter struct {
	// Synced asks that rows survive a loss of power before they are said to be durable.
	Synced bool

	pipe   *Pipe
	stages []Stage
	enc    native.Encoder
}

// Emitter makes an end for one goroutine.
func (p *Pipe) Emitter() *Emitter {
	e := &Emitter{pipe: p}
	for _, stage := range p.stages {
		e.stages = append(e.stages, stage())
	}
	return e
}

// Emit hands the rows of the batch on and empties it. It waits while the queue is full;
// when ctx ends first the batch keeps its rows. durable is called, on any goroutine, when
// these rows and all that came before are stored or in the spool; nil: nobody wants to know.
func (e *Emitter) Emit(ctx context.Context, b *column.Batch, durable func()) error {
	if b.Len() == 0 {
		if durable == nil {
			return nil
		}
		return e.pipe.put(ctx, native.Block{Table: b.Table(), Safe: durable, Synced: e.Synced})
	}
	for _, stage := range e.stages {
		stage(b)
	}
	block := e.enc.Encode(b)
	block.Safe, block.Synced = durable, e.Synced
	rows := block.Rows // others have the block once it is in the queue
	if err := e.pipe.put(ctx, block); err != nil {
		block.Release()
		return err
	}
	b.Reset()
	e.pipe.Rows.Add(uint64(rows))
	e.pipe.Blocks.Add(1)
	return nil
}

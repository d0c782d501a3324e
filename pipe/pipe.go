// Package pipe connects sources to the store. A source hands over a batch with a plain call: it is enriched,
// encoded to a Native block and put into the only bounded queue of the system, which the store's writer
// reads.
//
//	source.Out ─ Emit ─► stages ─► native.Encode ─► queue ─► store.Writer
//
// If the store is slow, the queue fills and Emit blocks. Sources that can wait do so. The UDP workers stop
// reading, and the kernel drops datagrams at the socket, where they are counted. So loss happens in one
// place.
package pipe

import (
	"context"
	"sync"
	"sync/atomic"

	"netmeta/column"
	"netmeta/native"
)

// Stage fills columns of a batch in place. It never blocks and never fails: columns that it cannot fill stay
// zero. It belongs to one emitter, and so to one goroutine. It receives the batches of every table, and the
// same batch again if there was no room for it.
type Stage = func(*column.Batch)

// Pipe connects any number of emitters to one queue.
type Pipe struct {
	stages []func() Stage
	queue  chan native.Block
	limit  int64 // of the bytes in the queue

	mu      sync.Mutex
	room    sync.Cond // of mu: bytes has decreased
	bytes   int64     // in the queue, or about to be
	holding int       // emitters that wait for room

	Rows   atomic.Uint64 // put into the queue
	Blocks atomic.Uint64
}

// New makes a pipe whose queue holds up to capacity blocks and limit bytes, whichever comes first, and always
// at least one block. A block of 8,192 rows is about a megabyte, or up to eight with long texts: 256 of them
// are 4 s of 500,000 flows/s. Each emitter gets its own stages, in this order.
func New(capacity int, limit int64, stages ...func() Stage) *Pipe {
	p := &Pipe{stages: stages, queue: make(chan native.Block, capacity), limit: limit}
	p.room.L = &p.mu
	return p
}

// Queue returns the queue. Call Taken for each block received from it.
func (p *Pipe) Queue() <-chan native.Block { return p.queue }

// Taken frees the room of a block that was received from the queue.
func (p *Pipe) Taken(b native.Block) {
	p.mu.Lock()
	p.bytes -= int64(len(b.Data))
	p.mu.Unlock()
	p.room.Broadcast()
}

// hold waits until there is room for size bytes and reserves it, or until ctx ends.
func (p *Pipe) hold(ctx context.Context, size int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.roomLocked(size) {
		p.bytes += size
		return nil
	}
	defer context.AfterFunc(ctx, func() {
		p.mu.Lock() // otherwise this could happen between checking ctx and waiting
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

// Level is the fill level of a queue.
type Level struct {
	Blocks, MaxBlocks int
	Bytes, MaxBytes   int64
	Full              bool // an emitter waits for room, or would have to
}

// Share returns the used share, from 0 to 1.
func (l Level) Share() float64 {
	if l.Full {
		return 1
	}
	return max(float64(l.Blocks)/float64(l.MaxBlocks), min(1, float64(l.Bytes)/float64(l.MaxBytes)))
}

// Level returns the fill level of the queue. It includes blocks that an emitter waits to put in.
func (p *Pipe) Level() Level {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.queue)
	return Level{Blocks: n, MaxBlocks: cap(p.queue), Bytes: p.bytes, MaxBytes: p.limit, Full: n == cap(p.queue) || p.holding > 0}
}

// Close closes the queue. No emitter may still be in use.
func (p *Pipe) Close() { close(p.queue) }

// Emitter is the input of the pipe for one goroutine. It implements source.Sink.
type Emitter struct {
	// Synced requires that rows survive a loss of power before they are reported as durable.
	Synced bool

	pipe   *Pipe
	stages []Stage
	enc    native.Encoder
}

// Emitter makes an input for one goroutine.
func (p *Pipe) Emitter() *Emitter {
	e := &Emitter{pipe: p}
	for _, stage := range p.stages {
		e.stages = append(e.stages, stage())
	}
	return e
}

// Emit hands the rows of the batch on and empties it. It waits while the queue is full; if ctx ends first,
// the batch keeps its rows. durable is called, on any goroutine, when these rows and all earlier ones are
// stored or in the spool; it may be nil.
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
	rows := block.Rows // the block belongs to others once it is in the queue
	if err := e.pipe.put(ctx, block); err != nil {
		block.Release()
		return err
	}
	b.Reset()
	e.pipe.Rows.Add(uint64(rows))
	e.pipe.Blocks.Add(1)
	return nil
}

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
	"sync"
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

// hold waits until there is room for so many octets, and takes it.
func (p *Pipe) hold(size int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holding++
	for p.bytes > 0 && p.bytes+size > p.limit {
		p.room.Wait()
	}
	p.holding--
	p.bytes += size
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
func (e *Emitter) Emit(b *column.Batch) { e.EmitThen(b, nil) }

// EmitThen is Emit, and has safe called, on any goroutine, when these rows and all that
// this emitter handed on before are stored or in the spool. nil: nobody wants to know.
func (e *Emitter) EmitThen(b *column.Batch, safe func()) {
	if b.Len() == 0 {
		if safe != nil {
			e.pipe.queue <- native.Block{Table: b.Table(), Safe: safe}
		}
		return
	}
	for _, stage := range e.stages {
		stage(b)
	}
	block := e.enc.Encode(b)
	block.Safe = safe
	b.Reset()
	e.pipe.hold(int64(len(block.Data)))
	e.pipe.queue <- block
	e.pipe.Rows.Add(uint64(block.Rows))
	e.pipe.Blocks.Add(1)
}

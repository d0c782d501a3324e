package source

import (
	"context"
	"time"

	"netmeta/column"
)

const (
	// BatchRows is the size of a batch. A block of this size is cheap to carry and large
	// enough to encode well.
	BatchRows = 8192
	// maxBatchBytes bounds the columns of a batch: tables with wide rows have smaller
	// batches. maxExtent is how much its lists and texts take before it is handed on as if
	// it were full; no number of rows bounds them.
	maxBatchBytes = 5 << 20
	maxExtent     = 2 << 20
	// handOnAfter is how long rows wait for others before they are handed on.
	handOnAfter = 250 * time.Millisecond
)

// A Sink is where an Out hands its batches on. It belongs to the same goroutine. There are
// two: the end of the pipe, which enriches, encodes and queues, and a SinkFunc.
type Sink interface {
	// Emit takes the rows of the batch, which is empty afterwards. It waits while there is
	// no room. When ctx ends first it returns the error of that, and the batch has its rows
	// still. durable is called once, on any goroutine, when these rows and all that the
	// sink took before are durable; nil: nobody wants to know. The batch may be empty.
	Emit(ctx context.Context, b *column.Batch, durable func()) error
}

// A SinkFunc is a Sink that is done with the rows when it returns.
type SinkFunc func(*column.Batch)

// Emit implements Sink.
func (f SinkFunc) Emit(_ context.Context, b *column.Batch, durable func()) error {
	if b.Len() > 0 {
		f(b)
		b.Reset()
	}
	if durable != nil {
		durable()
	}
	return nil
}

// An Out takes rows on. It has a batch for each table, which it hands on when it is full,
// or large, or old. It belongs to one goroutine.
type Out struct {
	sink    Sink
	batches []*column.Batch
	only    bool // takes rows of these tables alone

	mark    func() (durable func())
	durable func()    // what the next batch that is handed on will carry
	used    bool      // since the last time that all was handed on
	since   time.Time // when Tick saw that first; zero: it has not yet
}

// NewOut makes an Out. With batches it takes rows of their tables alone, and puts them
// there; without, rows of any table.
func NewOut(sink Sink, batches ...*column.Batch) *Out {
	return &Out{sink: sink, batches: batches, only: len(batches) > 0}
}

// Acknowledge has mark called whenever all rows are handed on, which may be within Batch.
// The function that mark returns is called once, on any goroutine, when those rows and all
// before them are durable; nil: nobody wants to know. So mark takes note of what it has
// given to the Out as a whole, and the function acknowledges that.
func (o *Out) Acknowledge(mark func() (durable func())) { o.mark = mark }

// Batch is the batch of a table, with room for so many rows at least: a few. When it has
// less, all rows are handed on first, which waits as long as there is no room; to give up
// earlier, call Flush before. It is nil when nobody wants rows of that table. A row is to
// be complete before the next call.
func (o *Out) Batch(t *column.Table, rows int) *column.Batch {
	for _, b := range o.batches {
		if b.Table() != t {
			continue
		}
		if (b.Room() < rows || b.Extent() > maxExtent) && b.Len() > 0 {
			o.handOn(context.Background(), nil) // which does not end, so there is no error
		}
		o.used = true
		return b
	}
	o.used = true
	if o.only {
		return nil
	}
	b := t.NewBatch(min(BatchRows, maxBatchBytes/t.RowBytes()))
	o.batches = append(o.batches, b)
	return b
}

// Tick hands all rows on when the oldest have waited for a quarter of a second. It returns
// how long it may be until the next call; a negative time means that there are no rows.
func (o *Out) Tick(ctx context.Context, now time.Time) (next time.Duration, err error) {
	if !o.used {
		return -1, nil
	}
	if o.since.IsZero() {
		o.since = now
	}
	if left := handOnAfter - now.Sub(o.since); left > 0 {
		return left, nil
	}
	return -1, o.handOn(ctx, nil)
}

// Flush hands all rows on. When ctx ends before there is room the rows stay, and go with
// the next that are handed on.
func (o *Out) Flush(ctx context.Context) error {
	if !o.used {
		return nil
	}
	return o.handOn(ctx, nil)
}

// Settle hands all rows on and waits until they are durable, or ctx ends.
func (o *Out) Settle(ctx context.Context) error {
	if len(o.batches) == 0 {
		return nil
	}
	durable := make(chan struct{})
	if err := o.handOn(ctx, func() { close(durable) }); err != nil {
		return err
	}
	select {
	case <-durable:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// handOn hands all rows on. The last batch carries the acknowledgement, so that all rows
// are before it.
func (o *Out) handOn(ctx context.Context, settled func()) error {
	if o.mark != nil {
		o.durable = both(o.durable, o.mark())
	}
	o.durable = both(o.durable, settled)
	last := o.batches[0]
	for _, b := range o.batches {
		if b.Len() > 0 {
			last = b
		}
	}
	for _, b := range o.batches {
		if b == last || b.Len() == 0 {
			continue
		}
		if err := o.sink.Emit(ctx, b, nil); err != nil {
			return err
		}
	}
	if last.Len() > 0 || o.durable != nil {
		if err := o.sink.Emit(ctx, last, o.durable); err != nil {
			return err
		}
	}
	o.durable, o.used, o.since = nil, false, time.Time{}
	return nil
}

// both calls two functions, of which each may be nil.
func both(f, g func()) func() {
	switch {
	case f == nil:
		return g
	case g == nil:
		return f
	}
	return func() { f(); g() }
}

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
	// maxBatchBytes bounds the columns of a batch: tables with wide rows have smaller batches. A batch is
	// also handed on when its lists and texts, which the number of rows does not bound, reach maxExtent.
	maxBatchBytes = 5 << 20
	maxExtent     = 2 << 20
	// handOnAfter is how long rows wait for more rows before they are handed on.
	handOnAfter = 250 * time.Millisecond
)

// Sink receives the batches of an Out. It belongs to the same goroutine. There are two: the end of the pipe,
// which enriches, encodes and queues, and SinkFunc.
type Sink interface {
	// Emit takes the rows of the batch, which is empty afterwards. It waits while there is no room. If ctx
	// ends first, it returns the context's error and the batch keeps its rows. durable is called once, on any
	// goroutine, when these rows and all that the sink took before are durable; it may be nil. The batch may
	// be empty.
	Emit(ctx context.Context, b *column.Batch, durable func()) error
}

// SinkFunc is a Sink that has used the rows when it returns.
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

// Out hands rows on. It has a batch for each table, which it hands on when it is full, large or old. It
// belongs to one goroutine.
type Out struct {
	sink    Sink
	batches []*column.Batch
	only    bool // accepts rows of these tables only

	mark    func() (durable func())
	durable func()    // for the next batch that is handed on
	used    bool      // has rows since everything was last handed on
	since   time.Time // when Tick first saw that; zero: not yet
}

// NewOut makes an Out. With batches it accepts only rows of their tables and puts them there; without, rows
// of any table.
func NewOut(sink Sink, batches ...*column.Batch) *Out {
	return &Out{sink: sink, batches: batches, only: len(batches) > 0}
}

// Acknowledge calls mark whenever all rows are handed on, which may be within Batch. The function that mark
// returns is called once, on any goroutine, when those rows and all before them are durable; it may be nil.
// So mark records what it has given to the Out completely, and the function acknowledges that.
func (o *Out) Acknowledge(mark func() (durable func())) { o.mark = mark }

// Batch returns the batch of a table with room for at least the given number of rows, which must be small. If it has less
// room, all rows are handed on first, which waits as long as there is no room; to stop waiting earlier, call
// Flush before. It returns nil if rows of that table are not wanted. Complete a row before the next call.
func (o *Out) Batch(t *column.Table, rows int) *column.Batch {
	for _, b := range o.batches {
		if b.Table() != t {
			continue
		}
		if (b.Room() < rows || b.Extent() > maxExtent) && b.Len() > 0 {
			o.handOn(context.Background(), nil) // never ends, so there is no error
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

// Tick hands all rows on once the oldest have waited for handOnAfter. It returns the time until the next
// call; a negative time means that there are no rows.
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

// Flush hands all rows on. If ctx ends before there is room, the rows stay and are handed on next time.
func (o *Out) Flush(ctx context.Context) error {
	if !o.used {
		return nil
	}
	return o.handOn(ctx, nil)
}

// Settle hands all rows on and waits until they are durable or ctx ends.
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

// handOn hands all rows on. The last batch carries the acknowledgement, so that it follows all rows.
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

// both calls two functions; either may be nil.
func both(f, g func()) func() {
	switch {
	case f == nil:
		return g
	case g == nil:
		return f
	}
	return func() { f(); g() }
}

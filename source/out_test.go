package source_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/counter"
	"netmeta/flow"
	"netmeta/health"
	"netmeta/source"
)

var (
	odd     = column.Table{Name: "odd"}
	oddly   = odd.U32(column.Field{Name: "Number"})
	oddText = odd.Map(column.Field{Name: "Text"})
	even    = column.Table{Name: "even"}
	evenly  = even.U32(column.Field{Name: "Number"})
)

// shelf is a Sink that keeps what it is given.
type shelf struct {
	full    bool     // no room: Emit waits for the end of its context
	prompt  bool     // what it is given is durable soon
	numbers []uint32 // of all rows, in order
	batches int
	durable []func()
}

func (s *shelf) Emit(ctx context.Context, b *column.Batch, durable func()) error {
	if s.full {
		<-ctx.Done()
		return ctx.Err()
	}
	h := oddly
	if b.Table() == &even {
		h = evenly
	}
	for row := range b.Len() {
		s.numbers = append(s.numbers, h.At(b, row))
	}
	if s.batches++; durable != nil && s.prompt {
		go durable()
	} else if durable != nil {
		s.durable = append(s.durable, durable)
	}
	b.Reset()
	return nil
}

func (s *shelf) tell() {
	for _, f := range s.durable {
		f()
	}
	s.durable = nil
}

func add(out *source.Out, numbers ...uint32) {
	for _, n := range numbers {
		if n%2 == 0 {
			b := out.Batch(&even, 1)
			evenly.Set(b, b.Add(), n)
		} else {
			b := out.Batch(&odd, 1)
			oddly.Set(b, b.Add(), n)
		}
	}
}

// A full batch is handed on with the rows of all tables, and rows that come after it are
// not forgotten.
func TestOutFull(t *testing.T) {
	s := &shelf{}
	out := source.NewOut(s, odd.NewBatch(2), even.NewBatch(5))
	add(out, 1, 2, 3)
	if s.batches != 0 {
		t.Fatal("handed on before anything is full")
	}
	add(out, 5)
	if !slices.Equal(s.numbers, []uint32{1, 3, 2}) {
		t.Errorf("handed on %v", s.numbers)
	}
	if err := out.Flush(t.Context()); err != nil || !slices.Equal(s.numbers, []uint32{1, 3, 2, 5}) || s.batches != 3 {
		t.Errorf("handed on %v in %d batches, %v", s.numbers, s.batches, err)
	}
	if err := out.Flush(t.Context()); err != nil || s.batches != 3 {
		t.Errorf("an Out without rows handed on %d batches, %v", s.batches-3, err)
	}
	if out.Batch(&flow.Table, 1) != nil {
		t.Error("a batch of a table that nobody wants")
	}
	if b := out.Batch(&even, 5); b.Room() != 5 {
		t.Errorf("room for %d rows", b.Room())
	}
}

// A batch with long texts is handed on long before it is full.
func TestOutLarge(t *testing.T) {
	s := &shelf{}
	out := source.NewOut(s)
	long := []column.Pair{{Key: column.LabelOf("text"), Value: string(make([]byte, 1<<19))}}
	for i := range uint32(6) {
		b := out.Batch(&odd, 1)
		row := b.Add()
		oddly.Set(b, row, i)
		oddText.Set(b, row, long)
	}
	if !slices.Equal(s.numbers, []uint32{0, 1, 2, 3, 4}) {
		t.Errorf("handed on %v", s.numbers)
	}
}

// A quarter of a second after Tick saw rows first it hands them on.
func TestOutTick(t *testing.T) {
	s := &shelf{}
	out := source.NewOut(s)
	now := time.Now()
	f := func(after, want time.Duration, batches int) {
		t.Helper()
		next, err := out.Tick(t.Context(), now.Add(after))
		if next != want || err != nil || s.batches != batches {
			t.Errorf("after %v: next in %v, want %v; %d batches, want %d; %v", after, next, want, s.batches, batches, err)
		}
	}
	f(0, -1, 0)
	add(out, 1)
	f(time.Second, 250*time.Millisecond, 0)
	add(out, 2)
	f(time.Second+249*time.Millisecond, time.Millisecond, 0)
	f(time.Second+250*time.Millisecond, -1, 2)
	f(time.Hour, -1, 2)
}

// What was noted when rows were handed on is acknowledged when they are durable, once, and
// what comes later is not.
func TestOutAcknowledge(t *testing.T) {
	s := &shelf{}
	out := source.NewOut(s, odd.NewBatch(2), even.NewBatch(10))
	given, acknowledged := 0, []int{}
	out.Acknowledge(func() func() {
		n := given
		return func() { acknowledged = append(acknowledged, n) }
	})
	for _, n := range []uint32{1, 2, 3, 5} { // the third odd row finds the batch full
		add(out, n)
		given++
	}
	if len(s.durable) != 1 || len(acknowledged) != 0 {
		t.Fatalf("%d are to be acknowledged, %v are", len(s.durable), acknowledged)
	}
	s.tell()
	if err := out.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(acknowledged, []int{3}) {
		t.Errorf("acknowledged %v before the rest is durable", acknowledged)
	}
	s.tell()
	if !slices.Equal(acknowledged, []int{3, 4}) {
		t.Errorf("acknowledged %v", acknowledged)
	}
}

// Flush ends with its context. The rows stay and go with the next, and so does what was to be
// acknowledged.
func TestOutGivesUp(t *testing.T) {
	s := &shelf{full: true}
	out := source.NewOut(s)
	acknowledged := 0
	out.Acknowledge(func() func() { return func() { acknowledged++ } })
	add(out, 1, 2)
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if err := out.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
	s.full = false
	add(out, 3)
	if err := out.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.tell()
	if !slices.Equal(s.numbers, []uint32{1, 3, 2}) || acknowledged != 3 {
		t.Errorf("rows %v, acknowledged %d times", s.numbers, acknowledged)
	}
}

// Settle waits until all rows are durable, or until its context ends.
func TestOutSettle(t *testing.T) {
	s := &shelf{}
	out := source.NewOut(s)
	if err := out.Settle(t.Context()); err != nil { // nothing was given to it
		t.Fatal(err)
	}
	add(out, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := out.Settle(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("rows that are not durable: %v", err)
	}
	s.tell()
	if err := out.Settle(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("after the end of the context: %v", err)
	}
	s.prompt = true
	if err := out.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A batch of any of our tables has at most 5 MiB, and one of flows 8,192 rows.
func TestOutBatchSize(t *testing.T) {
	for _, table := range []*column.Table{&flow.Table, &counter.Table, &health.Table} {
		b := source.NewOut(&shelf{}).Batch(table, 1)
		if size := b.Room() * table.RowBytes(); size > 5<<20 || b.Room() < 1000 || table == &flow.Table && b.Room() != 8192 {
			t.Errorf("%s: %d rows of %d octets", table.Name, b.Room(), table.RowBytes())
		}
	}
}

func TestOutDoesNotAllocate(t *testing.T) {
	out := source.NewOut(source.SinkFunc(func(*column.Batch) {}), odd.NewBatch(3), even.NewBatch(3))
	now := time.Now()
	if n := testing.AllocsPerRun(100, func() {
		add(out, 1, 2, 3, 4, 5, 6, 7)
		now = now.Add(time.Second)
		if _, err := out.Tick(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%.0f allocations", n)
	}
}

func BenchmarkOutBatch(b *testing.B) {
	out := source.NewOut(source.SinkFunc(func(*column.Batch) {}))
	out.Batch(&counter.Table, 1)
	b.ReportAllocs()
	for b.Loop() {
		out.Batch(&flow.Table, 1)
	}
}

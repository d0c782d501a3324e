package pipe

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"netmeta/column"
	"netmeta/native"
)

var (
	table   = column.Table{Name: "t"}
	number  = table.U32(column.Field{Name: "Number"})
	doubled = table.U32(column.Field{Name: "Doubled"})
)

// Every row that many emitters hand over comes out once, with what the stages added.
func TestEveryRowComesOut(t *testing.T) {
	p := New(4, 1<<20, func() Stage {
		return func(b *column.Batch) {
			for row := range b.Len() {
				doubled.Set(b, row, 2*number.At(b, row))
			}
		}
	})
	const emitters, batches, rows = 4, 50, 100
	var g sync.WaitGroup
	for e := range emitters {
		g.Go(func() {
			em, b := p.Emitter(), table.NewBatch(rows)
			for n := range batches {
				for row := range rows {
					number.Set(b, b.Add(), uint32(1+(e*batches+n)*rows+row))
				}
				em.Emit(t.Context(), b, nil)
				if b.Len() != 0 {
					t.Errorf("%d rows left in the batch", b.Len())
				}
			}
			em.Emit(t.Context(), b, nil) // an empty batch makes no block
		})
	}
	go func() { g.Wait(); p.Close() }()
	seen := map[uint32]bool{}
	blocks := 0
	for block := range p.Queue() {
		blocks++
		p.Taken(block)
		res, err := native.Decode(bytes.NewReader(block.Data))
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range res.Column("Number").([]uint32) {
			if seen[v] || res.Column("Doubled").([]uint32)[i] != 2*v {
				t.Fatalf("row %d came twice or without its stage", v)
			}
			seen[v] = true
		}
	}
	if len(seen) != emitters*batches*rows || blocks != emitters*batches || p.Rows.Load() != uint64(len(seen)) || p.Blocks.Load() != uint64(blocks) {
		t.Errorf("%d rows in %d blocks; counted %d in %d", len(seen), blocks, p.Rows.Load(), p.Blocks.Load())
	}
}

// A full queue holds the emitter back until there is room, be it of blocks or of octets.
// A block that is larger than the queue goes through alone.
func TestFullQueueHoldsBack(t *testing.T) {
	b := table.NewBatch(1)
	f := func(name string, p *Pipe) {
		t.Helper()
		done := make(chan bool)
		go func() {
			em := p.Emitter()
			for range 2 {
				number.Set(b, b.Add(), 1)
				em.Emit(t.Context(), b, nil)
			}
			done <- true
		}()
		for !p.Level().Full {
			time.Sleep(time.Millisecond)
		}
		select {
		case <-done:
			t.Fatalf("%s: two blocks went into a queue of one", name)
		case <-time.After(20 * time.Millisecond):
		}
		if l := p.Level(); l.Blocks != 1 || l.Share() != 1 {
			t.Errorf("%s: %+v", name, l)
		}
		p.Taken(<-p.Queue())
		<-done
		p.Taken(<-p.Queue())
		if l := p.Level(); l.Full || l.Bytes != 0 || l.Share() != 0 {
			t.Errorf("%s: at the end %+v", name, l)
		}
	}
	f("blocks", New(1, 1<<20))
	f("octets", New(100, 30))
	f("a large block", New(100, 1))
}

// The wait for room ends with its context, be it of blocks or of octets. The batch keeps its
// rows, nothing of it is in the queue, and the room is free for others.
func TestEmitGivesUp(t *testing.T) {
	f := func(name string, p *Pipe) {
		t.Helper()
		em, b := p.Emitter(), table.NewBatch(1)
		number.Set(b, b.Add(), 1)
		if err := em.Emit(t.Context(), b, nil); err != nil {
			t.Fatal(err)
		}
		number.Set(b, b.Add(), 2)
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
			defer cancel()
			if err := em.Emit(ctx, b, nil); !errors.Is(err, context.DeadlineExceeded) || b.Len() != 1 {
				t.Fatalf("%s: %v, %d rows in the batch", name, err, b.Len())
			}
		}
		first := <-p.Queue()
		p.Taken(first)
		if l := p.Level(); l.Full || l.Bytes != 0 || p.Rows.Load() != 1 {
			t.Errorf("%s: %+v, %d rows", name, l, p.Rows.Load())
		}
		if err := em.Emit(t.Context(), b, nil); err != nil || b.Len() != 0 {
			t.Fatal(err)
		}
		res, err := native.Decode(bytes.NewReader((<-p.Queue()).Data))
		if err != nil || res.Column("Number").([]uint32)[0] != 2 {
			t.Errorf("%s: %v, %v", name, res, err)
		}
	}
	f("blocks", New(1, 1<<20))
	f("octets", New(100, 30))
}

// What is to be called when rows are durable goes with the last of them, and alone when there
// are none. Blocks ask to be synced if their emitter does.
func TestEmitDurable(t *testing.T) {
	p := New(10, 1<<20)
	em, b := p.Emitter(), table.NewBatch(1)
	told := 0
	emit := func() {
		t.Helper()
		if err := em.Emit(t.Context(), b, func() { told++ }); err != nil {
			t.Fatal(err)
		}
	}
	emit()
	number.Set(b, b.Add(), 1)
	em.Synced = true
	emit()
	for i, want := range []struct {
		rows   int
		synced bool
	}{{0, false}, {1, true}} {
		block := <-p.Queue()
		p.Taken(block)
		if told != i || block.Rows != want.rows || block.Synced != want.synced {
			t.Errorf("block %d: %d rows, synced %v; told %d", i, block.Rows, block.Synced, told)
		}
		block.Safe()
	}
	if told != 2 || p.Blocks.Load() != 1 {
		t.Errorf("told %d times, %d blocks", told, p.Blocks.Load())
	}
}

// BenchmarkEmit is a batch through the queue without encoding much of it.
func BenchmarkEmit(b *testing.B) {
	p := New(256, 1<<30)
	go func() {
		for block := range p.Queue() {
			p.Taken(block)
			block.Release()
		}
	}()
	defer p.Close()
	em, batch := p.Emitter(), table.NewBatch(8192)
	b.ReportAllocs()
	for b.Loop() {
		number.Column(batch)[batch.AddN(8192)] = 1
		if err := em.Emit(context.Background(), batch, nil); err != nil {
			b.Fatal(err)
		}
	}
}

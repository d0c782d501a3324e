package pipe

import (
	"bytes"
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
				em.Emit(b)
				if b.Len() != 0 {
					t.Errorf("%d rows left in the batch", b.Len())
				}
			}
			em.Emit(b) // an empty batch makes no block
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
				em.Emit(b)
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

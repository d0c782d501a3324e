// Package native is the wire form of data inside NetMeta: ClickHouse Native blocks,
// as its HTTP interface reads and writes them. A block names its columns and
// carries each as one run of bytes, so encoding a batch is mostly a copy of memory.
//
//	block   = columns:uvarint rows:uvarint column…
//	column  = name:string type:string [state] data     string = length:uvarint bytes
//
// Blocks may be concatenated: a run of blocks is a valid body of an INSERT, even
// when they carry different columns of the table.
package native

import (
	"sync"
	"unsafe"

	"github.com/ClickHouse/ch-go/proto"

	"netmeta/column"
)

// Block is one encoded batch. It is immutable until Release and may travel between
// goroutines.
type Block struct {
	Table   *column.Table
	Data    []byte
	Rows    int
	Columns []*column.Field // columns of the block: those with a value other than zero

	// Safe is called once when the rows of this block, and of all that were put into the
	// queue before it, are durable: stored, or in the spool; may be nil. A
	// block without rows may carry it.
	Safe func()

	// Synced asks that the rows survive the loss of power too before Safe is called, since
	// the sender deletes what is acknowledged.
	Synced bool
}

// Release returns the memory of the block for reuse. The data must not be used any more,
// and only one of all copies of a block may be released.
func (b *Block) Release() {
	if b.Data != nil {
		data := b.Data[:0]
		buffers.Put(&data)
		b.Data = nil
	}
}

// buffers holds the memory of released blocks. A block is a megabyte, and new memory
// costs more than the encoding, because the kernel must find and clear it.
var buffers sync.Pool

// take returns an empty buffer, with room for a block of the size of the last one.
func take(size int) []byte {
	if b, ok := buffers.Get().(*[]byte); ok && cap(*b) >= size {
		return *b
	}
	return make([]byte, 0, size+size/8+1024)
}

// An Encoder turns batches into blocks. It keeps memory for labels between calls
// and belongs to one goroutine.
type Encoder struct {
	buf  proto.Buffer
	size int // of the last block
	dict dictionary
}

// Encode returns a block with all rows of a batch. It omits columns that are zero in
// every row, because zero is their default in the store. A batch without rows gives a
// block without data.
func (e *Encoder) Encode(b *column.Batch) Block {
	block := Block{Table: b.Table(), Rows: b.Len()}
	if block.Rows == 0 {
		return block
	}
	for _, f := range b.Table().Fields {
		if f.Kind != column.Alias && !b.Zero(f) {
			block.Columns = append(block.Columns, f)
		}
	}
	if len(block.Columns) == 0 { // a block needs a column to have rows
		for _, f := range b.Table().Fields {
			if f.Kind != column.Alias {
				block.Columns = append(block.Columns, f)
				break
			}
		}
	}
	e.buf.Buf = take(e.size)
	e.buf.PutUVarInt(uint64(len(block.Columns)))
	e.buf.PutUVarInt(uint64(block.Rows))
	for _, f := range block.Columns {
		e.buf.PutString(f.Name)
		e.buf.PutString(f.SQLType())
		e.column(f, b)
	}
	block.Data, e.size = e.buf.Buf, len(e.buf.Buf)
	e.buf.Buf = nil // the caller owns the block now
	return block
}

func (e *Encoder) column(f *column.Field, b *column.Batch) {
	n := b.Len()
	switch f.Kind {
	case column.Uint8, column.Enum:
		e.buf.PutRaw(b.Uint8s(f)[:n])
	case column.Uint16:
		e.buf.PutRaw(memory(b.Uint16s(f)[:n]))
	case column.Uint32, column.Time:
		e.buf.PutRaw(memory(b.Uint32s(f)[:n]))
	case column.Uint64, column.Int64, column.TimeMS: // DateTime64 is signed; the times of flows are not negative
		e.buf.PutRaw(memory(b.Uint64s(f)[:n]))
	case column.IP:
		e.buf.PutRaw(memory(b.Addrs(f)[:n]))
	case column.Text:
		labels := b.LabelColumn(f)[:n]
		dictState(&e.buf)
		e.dict.reset()
		for _, l := range labels {
			e.dict.add(l)
		}
		e.dict.encode(&e.buf)
	case column.String:
		for _, l := range b.LabelColumn(f)[:n] {
			e.buf.PutString(l.String())
		}
	case column.Uint32List:
		e.offsets(n, func(row int) int { return len(b.List32At(f, row)) })
		for row := range n {
			e.buf.PutRaw(memory(b.List32At(f, row)))
		}
	case column.Uint128List:
		e.offsets(n, func(row int) int { return len(b.List128At(f, row)) })
		for row := range n {
			for _, v := range b.List128At(f, row) {
				e.buf.PutUInt64(v.Lo)
				e.buf.PutUInt64(v.Hi)
			}
		}
	case column.TextMap:
		dictState(&e.buf)
		e.offsets(n, func(row int) int { return len(b.PairsAt(f, row)) })
		e.dict.reset()
		for row := range n {
			for _, p := range b.PairsAt(f, row) {
				e.dict.add(p.Key)
			}
		}
		e.dict.encode(&e.buf)
		for row := range n {
			for _, p := range b.PairsAt(f, row) {
				e.buf.PutString(p.Value)
			}
		}
	default:
		panic("BUG: column " + f.Name + " has no wire form")
	}
}

// memory returns the bytes of a column in memory. Native is little-endian, and so is
// every machine that the engine runs on.
func memory[T uint16 | uint32 | uint64 | column.Addr](c []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(c))), len(c)*int(unsafe.Sizeof(*new(T))))
}

// offsets writes, for each row, how many elements the rows up to it have.
func (e *Encoder) offsets(rows int, length func(row int) int) {
	end := uint64(0)
	for row := range rows {
		end += uint64(length(row))
		e.buf.PutUInt64(end)
	}
}

// A dictionary is an unfinished LowCardinality(String) column: each text once, and for
// each row the index of its text.
type dictionary struct {
	index map[column.Label]uint32
	texts []column.Label
	keys  []uint32
	last  column.Label // neighbours often repeat
	lastI uint32

	// What index said last for the labels that fall into each place. A column has few
	// labels and many rows, so nearly all are found here, at a tenth of the cost.
	recent [512]recentLabel
	column uint32 // number of the current column; entries of others are stale
}

type recentLabel struct {
	label  column.Label
	index  uint32
	column uint32
}

func (d *dictionary) reset() {
	if d.index == nil {
		d.index = map[column.Label]uint32{}
	}
	clear(d.index)
	clear(d.texts)
	d.texts, d.keys = append(d.texts[:0], column.Label{}), d.keys[:0] // ClickHouse requires the empty text first
	d.index[column.Label{}] = 0
	d.last, d.lastI = column.Label{}, 0
	if d.column++; d.column == 0 {
		clear(d.recent[:])
		d.column = 1
	}
}

func (d *dictionary) add(l column.Label) {
	if l != d.last {
		r := &d.recent[l.Hash()%uint32(len(d.recent))]
		if r.label != l || r.column != d.column {
			*r = recentLabel{l, d.find(l), d.column}
		}
		d.last, d.lastI = l, r.index
	}
	d.keys = append(d.keys, d.lastI)
}

func (d *dictionary) find(l column.Label) uint32 {
	i, ok := d.index[l]
	if !ok {
		i = uint32(len(d.texts))
		d.texts = append(d.texts, l)
		d.index[l] = i
	}
	return i
}

// dictState is the version of the LowCardinality serialization, written before
// the column (before the offsets, in a Map).
func dictState(buf *proto.Buffer) { buf.PutInt64(1) }

// encode writes
//
//	meta:int64 = key size | 0x200 (own dictionary) | 0x400 (replaces the last one)
//	texts:int64 text…  keys:int64 key…
//
// and nothing at all for no rows.
func (d *dictionary) encode(buf *proto.Buffer) {
	if len(d.keys) == 0 {
		return
	}
	const ownDictionary, update = 1 << 9, 1 << 10
	size := int64(0) // log2 of the bytes of a key
	switch {
	case len(d.texts) > 1<<16:
		size = 2
	case len(d.texts) > 1<<8:
		size = 1
	}
	buf.PutInt64(size | ownDictionary | update)
	buf.PutInt64(int64(len(d.texts)))
	for _, l := range d.texts {
		buf.PutString(l.String())
	}
	buf.PutInt64(int64(len(d.keys)))
	switch size {
	case 0:
		for _, k := range d.keys {
			buf.Buf = append(buf.Buf, byte(k))
		}
	case 1:
		for _, k := range d.keys {
			buf.PutUInt16(uint16(k))
		}
	default:
		for _, k := range d.keys {
			buf.PutUInt32(k)
		}
	}
}

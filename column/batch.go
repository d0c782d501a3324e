package column

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"unique"
	"unsafe"
)

// Addr is an IP address in 16 bytes; IPv4 is ::ffff:a.b.c.d.
type Addr [16]byte

// AddrFrom4 maps an IPv4 address into an Addr.
func AddrFrom4(a [4]byte) Addr {
	return Addr{10: 0xff, 11: 0xff, 12: a[0], 13: a[1], 14: a[2], 15: a[3]}
}

// AddrFrom maps an address of either family; the zero netip.Addr is ::.
func AddrFrom(a netip.Addr) Addr {
	if !a.IsValid() {
		return Addr{}
	}
	return a.As16()
}

// IP is the address with IPv4 unmapped.
func (a Addr) IP() netip.Addr { return netip.AddrFrom16(a).Unmap() }

// Uint128 is an unsigned integer of two halves.
type Uint128 struct{ Lo, Hi uint64 }

// Label is an interned text: a site, an interface, an application. The zero
// Label is the empty text. Labels compare as pointers.
type Label struct{ h unique.Handle[string] }

// LabelOf interns a text. Call it where the text is learnt, not per row.
func LabelOf(s string) Label {
	if s == "" {
		return Label{}
	}
	return Label{unique.Make(s)}
}

func (l Label) String() string {
	if l == (Label{}) {
		return ""
	}
	return l.h.Value()
}

// Hash returns an evenly spread hash, which is valid for the life of the process.
func (l Label) Hash() uint32 {
	const golden uint64 = 0x9e3779b97f4a7c15 // 2^64 / the golden ratio
	p := *(*uintptr)(unsafe.Pointer(&l))     // a Handle is a pointer, and the collector moves nothing
	return uint32(uint64(p) * golden >> 32)
}

// Pair is one entry of a TextMap.
type Pair struct {
	Key   Label
	Value string
}

// Batch holds rows of one table, column by column, up to a fixed number.
//
// A column that no row has set has length 0: it costs nothing to hold, to clear or
// to encode. The first Set gives it the length of the whole batch, all zero, so
// the bounds check that Go makes anyway is also the test for "in use".
//
// A batch belongs to one goroutine forever. The immutable block that native makes
// from it travels between goroutines.
type Batch struct {
	table *Table
	rows  int
	cap   int

	u8      store[uint8]
	u16     store[uint16]
	u32     store[uint32]
	u64     store[uint64]
	addr    store[Addr]
	label   store[Label]
	list32  store[span]
	list128 store[span]
	pairs   store[span]

	// What the spans of lists and maps point into, cut to zero by Reset.
	arena32    []uint32
	arena128   []Uint128
	arenaPairs []Pair
	text       int // bytes of their values
}

// A span is a part of an arena: one list of one row.
type span struct{ off, n uint32 }

// A store holds the columns of one Go type. Each has either no length (unused)
// or the length of the batch; memory, once allocated, is kept.
type store[T comparable] [][]T

func (s store[T]) use(slot, rows int) []T {
	if cap(s[slot]) < rows {
		s[slot] = make([]T, rows)
	}
	s[slot] = s[slot][:rows]
	return s[slot]
}

func (s store[T]) clear(from, to int) {
	for _, c := range s {
		if len(c) > 0 {
			clear(c[from:to])
		}
	}
}

func (s store[T]) drop() {
	for i := range s {
		s[i] = s[i][:0]
	}
}

func (s store[T]) at(slot, row int) (v T) {
	if c := s[slot]; row < len(c) {
		v = c[row]
	}
	return v
}

func (s store[T]) swap(a, b, row, rows int) {
	if len(s[a]) == 0 && len(s[b]) == 0 {
		return
	}
	ca, cb := s.use(a, rows), s.use(b, rows)
	ca[row], cb[row] = cb[row], ca[row]
}

func (s store[T]) copyRow(from, to int) {
	for _, c := range s {
		if len(c) > 0 {
			c[to] = c[from]
		}
	}
}

// NewBatch returns an empty batch for up to rows rows.
func (t *Table) NewBatch(rows int) *Batch {
	return &Batch{
		table:   t,
		cap:     rows,
		u8:      make(store[uint8], t.slots[store8]),
		u16:     make(store[uint16], t.slots[store16]),
		u32:     make(store[uint32], t.slots[store32]),
		u64:     make(store[uint64], t.slots[store64]),
		addr:    make(store[Addr], t.slots[storeAddr]),
		label:   make(store[Label], t.slots[storeLabel]),
		list32:  make(store[span], t.slots[storeList32]),
		list128: make(store[span], t.slots[storeList128]),
		pairs:   make(store[span], t.slots[storePairs]),
	}
}

// Table is the table whose rows the batch holds.
func (b *Batch) Table() *Table { return b.table }

// Len is the number of rows.
func (b *Batch) Len() int { return b.rows }

// Room is the number of rows that can still be added.
func (b *Batch) Room() int { return b.cap - b.rows }

// Full reports whether no row can be added before Reset.
func (b *Batch) Full() bool { return b.rows == b.cap }

// Extent is the approximate size of the lists and maps of the rows in bytes, which the
// number of rows does not bound.
func (b *Batch) Extent() int { return 4*len(b.arena32) + 16*len(b.arena128) + b.text }

// Add adds a row whose columns are all zero and returns its number. The batch
// must not be full.
func (b *Batch) Add() int { return b.AddN(1) }

// AddN adds n rows whose columns are all zero and returns the number of the
// first. There must be room for them.
func (b *Batch) AddN(n int) int {
	if b.rows+n > b.cap {
		panic(fmt.Sprintf("BUG: %d rows added to a batch with room for %d", n, b.Room()))
	}
	first := b.rows
	b.rows += n
	return first
}

// AddCopy adds a row that equals another one. The batch must not be full.
func (b *Batch) AddCopy(row int) int {
	to := b.Add()
	b.u8.copyRow(row, to)
	b.u16.copyRow(row, to)
	b.u32.copyRow(row, to)
	b.u64.copyRow(row, to)
	b.addr.copyRow(row, to)
	b.label.copyRow(row, to)
	b.list32.copyRow(row, to)
	b.list128.copyRow(row, to)
	b.pairs.copyRow(row, to)
	return to
}

// Drop removes the last row.
func (b *Batch) Drop() { b.Truncate(b.rows - 1) }

// Truncate removes all rows from number rows on.
func (b *Batch) Truncate(rows int) {
	b.clearRows(rows, b.rows)
	b.rows = rows
}

// Reset removes all rows. Memory is kept.
func (b *Batch) Reset() {
	b.clearRows(0, b.rows)
	b.rows = 0
	b.u8.drop()
	b.u16.drop()
	b.u32.drop()
	b.u64.drop()
	b.addr.drop()
	b.label.drop()
	b.list32.drop()
	b.list128.drop()
	b.pairs.drop()
	b.arena32 = b.arena32[:0]
	b.arena128 = b.arena128[:0]
	clear(b.arenaPairs)
	b.arenaPairs, b.text = b.arenaPairs[:0], 0
}

func (b *Batch) clearRows(from, to int) {
	b.u8.clear(from, to)
	b.u16.clear(from, to)
	b.u32.clear(from, to)
	b.u64.clear(from, to)
	b.addr.clear(from, to)
	b.label.clear(from, to)
	b.list32.clear(from, to)
	b.list128.clear(from, to)
	b.pairs.clear(from, to)
}

// Turn reverses a row: it swaps the two fields of every pair.
func (b *Batch) Turn(row int) {
	for _, f := range b.table.Fields {
		if f.twin == nil || f.twin.index < f.index {
			continue
		}
		x, y := f.slot, f.twin.slot
		switch f.store {
		case store8:
			b.u8.swap(x, y, row, b.cap)
		case store16:
			b.u16.swap(x, y, row, b.cap)
		case store32:
			b.u32.swap(x, y, row, b.cap)
		case store64:
			b.u64.swap(x, y, row, b.cap)
		case storeAddr:
			b.addr.swap(x, y, row, b.cap)
		case storeLabel:
			b.label.swap(x, y, row, b.cap)
		default:
			panic("BUG: pair of lists " + f.Name)
		}
	}
}

// Used reports whether any row since Reset has set the field, if only to zero.
func (b *Batch) Used(f *Field) bool {
	if f.Kind == Alias {
		return false
	}
	switch f.store {
	case store8:
		return len(b.u8[f.slot]) > 0
	case store16:
		return len(b.u16[f.slot]) > 0
	case store32:
		return len(b.u32[f.slot]) > 0
	case store64:
		return len(b.u64[f.slot]) > 0
	case storeAddr:
		return len(b.addr[f.slot]) > 0
	case storeLabel:
		return len(b.label[f.slot]) > 0
	case storeList32:
		return len(b.list32[f.slot]) > 0
	case storeList128:
		return len(b.list128[f.slot]) > 0
	default:
		return len(b.pairs[f.slot]) > 0
	}
}

// Zero reports whether the field is zero in every row. It reads the values of used
// columns and stops at the first that is not zero.
func (b *Batch) Zero(f *Field) bool {
	if !b.Used(f) {
		return true
	}
	switch f.store {
	case store8:
		return allZero(b.u8[f.slot][:b.rows])
	case store16:
		return allZero(b.u16[f.slot][:b.rows])
	case store32:
		return allZero(b.u32[f.slot][:b.rows])
	case store64:
		return allZero(b.u64[f.slot][:b.rows])
	case storeAddr:
		return allZero(b.addr[f.slot][:b.rows])
	case storeLabel:
		return allZero(b.label[f.slot][:b.rows])
	case storeList32:
		return allEmpty(b.list32[f.slot][:b.rows])
	case storeList128:
		return allEmpty(b.list128[f.slot][:b.rows])
	default:
		return allEmpty(b.pairs[f.slot][:b.rows])
	}
}

func allZero[T comparable](c []T) bool {
	var zero T
	for _, v := range c {
		if v != zero {
			return false
		}
	}
	return true
}

func allEmpty(c []span) bool {
	for _, s := range c {
		if s.n != 0 {
			return false
		}
	}
	return true
}

// Column access by field, for code that works on any field: the compiled plans of
// source/netflow and the encoder. The slice has the length of the whole batch and
// is in use from then on; the kind of the field must fit, else it panics.

// Uint8s is the column of a Uint8 or Enum field.
func (b *Batch) Uint8s(f *Field) []uint8 { return b.u8.use(f.in(store8), b.cap) }

// Uint16s is the column of a Uint16 field.
func (b *Batch) Uint16s(f *Field) []uint16 { return b.u16.use(f.in(store16), b.cap) }

// Uint32s is the column of a Uint32 or Time field.
func (b *Batch) Uint32s(f *Field) []uint32 { return b.u32.use(f.in(store32), b.cap) }

// Uint64s is the column of a Uint64, Int64 or TimeMS field.
func (b *Batch) Uint64s(f *Field) []uint64 { return b.u64.use(f.in(store64), b.cap) }

// Addrs is the column of an IP field.
func (b *Batch) Addrs(f *Field) []Addr { return b.addr.use(f.in(storeAddr), b.cap) }

// LabelColumn is the column of a Text or String field.
func (b *Batch) LabelColumn(f *Field) []Label { return b.label.use(f.in(storeLabel), b.cap) }

// List32At returns the list of one row, valid until the next Set or Reset.
func (b *Batch) List32At(f *Field, row int) []uint32 {
	s := b.list32.at(f.in(storeList32), row)
	return b.arena32[s.off : s.off+s.n]
}

// List128At returns the list of one row, valid until the next Set or Reset.
func (b *Batch) List128At(f *Field, row int) []Uint128 {
	s := b.list128.at(f.in(storeList128), row)
	return b.arena128[s.off : s.off+s.n]
}

// PairsAt returns the map of one row, valid until the next Set or Reset.
func (b *Batch) PairsAt(f *Field, row int) []Pair {
	s := b.pairs.at(f.in(storePairs), row)
	return b.arenaPairs[s.off : s.off+s.n]
}

func (f *Field) in(s storeID) int {
	if f.store != s {
		panic("BUG: column " + f.Name + " is of another kind")
	}
	return f.slot
}

// MACFrom returns the value of a MAC address in a column: its 48 bits.
func MACFrom(m [6]byte) uint64 {
	return uint64(binary.BigEndian.Uint16(m[:2]))<<32 | uint64(binary.BigEndian.Uint32(m[2:]))
}

// RowBytes is the memory that a row of a batch takes when all columns are in use, without
// what its lists and maps hold; at least 1.
func (t *Table) RowBytes() int {
	const spans = 8
	n := t.slots[store8] + 2*t.slots[store16] + 4*t.slots[store32] + 8*(t.slots[store64]+t.slots[storeLabel]) + 16*t.slots[storeAddr] +
		spans*(t.slots[storeList32]+t.slots[storeList128]+t.slots[storePairs])
	return max(n, 1)
}

package column

import (
	"fmt"
	"slices"
)

// Table is a list of fields. Its zero value is empty and ready for
// declarations, which happen while the program starts: afterwards a table is
// read-only and safe for use by any goroutine.
type Table struct {
	Name   string
	Fields []*Field

	// How ClickHouse keeps it: expressions of PARTITION BY and ORDER BY. Empty means
	// as flows: by the hour, and by five minutes, exporter and interfaces. The partition
	// tuple() is none.
	Partition string
	Order     string
	Indexes   []string // skipping indexes: "name expression TYPE type GRANULARITY n"

	Engine    Engine
	Version   string    // Replacing: the column that decides which row counts
	Retention Retention // how long rows are kept

	Rollups []Rollup // each after the one that it sums; the first sums the table

	byName map[string]*Field
	slots  [storeCount]int // number of fields in each store
}

// Engine says what the store does with rows with equal keys (Table.Order).
type Engine uint8

const (
	Appending Engine = iota // all of them stay
	Replacing               // the one with the greatest Table.Version stays
	Summing                 // the store adds them up; of rollups
)

// Retention says how long the rows of a table are kept.
type Retention uint8

const (
	Days    Retention = iota // days in the configuration
	Forever                  // until a user deletes them
)

// Rollup is a table that keeps sums of another one: of its measures, and how many
// rows there were (Flows), for each step of time and each combination of the fields
// that it keeps.
type Rollup struct {
	Name string
	Step int64  // seconds
	Of   string // the rollup that it sums; empty: the table itself

	// The fields of the rollup, by group and by name, among those marked Rollup. Default:
	// all of them. The table that it sums must have them too.
	Groups, Fields []string
}

// Keeps reports whether the rollup has a field.
func (r *Rollup) Keeps(f *Field) bool {
	return f.Rollup && (len(r.Groups)+len(r.Fields) == 0 || slices.Contains(r.Groups, f.Group) || slices.Contains(r.Fields, f.Name))
}

// A store of a batch holds the values of one Go type; kinds share stores.
type storeID uint8

const (
	store8 storeID = iota
	store16
	store32
	store64
	storeAddr
	storeLabel
	storeList32
	storeList128
	storePairs
	storeCount
)

func (k Kind) store() storeID {
	switch k {
	case Uint8, Enum:
		return store8
	case Uint16:
		return store16
	case Uint32, Time:
		return store32
	case Uint64, Int64, TimeMS:
		return store64
	case IP:
		return storeAddr
	case Text, String:
		return storeLabel
	case Uint32List:
		return storeList32
	case Uint128List:
		return storeList128
	case TextMap:
		return storePairs
	}
	panic(fmt.Sprintf("BUG: kind %d is not stored", k))
}

// Field finds a field by column name; nil if there is none.
func (t *Table) Field(name string) *Field { return t.byName[name] }

func (t *Table) add(f Field, k Kind) *Field {
	if f.Name == "" || t.byName[f.Name] != nil {
		panic(fmt.Sprintf("BUG: table %s: field name %q is empty or used twice", t.Name, f.Name))
	}
	f.Kind, f.table, f.index = k, t, len(t.Fields)
	if k != Alias {
		f.store = k.store()
		f.slot = t.slots[f.store]
		t.slots[f.store]++
	}
	f.sql = f.sqlType()
	p := &f
	t.Fields = append(t.Fields, p)
	if t.byName == nil {
		t.byName = map[string]*Field{}
	}
	t.byName[f.Name] = p
	return p
}

// pair declares two fields that Turn swaps. Titles and filter names contain the side; Doc
// applies to both.
func (t *Table) pair(src, dst string, f Field, k Kind) (*Field, *Field) {
	a, b := f, f
	a.Name, b.Name = src, dst
	a.IE, b.IE, a.DstIE, b.DstIE = f.IE, f.DstIE, nil, nil
	a.Side, b.Side = Src, Dst
	a.Title, b.Title = "source "+f.Title, "destination "+f.Title
	if len(src) > 1 && src[:2] == "In" {
		a.Side, b.Side = In, Out
		a.Title, b.Title = "input "+f.Title, "output "+f.Title
	}
	pa, pb := t.add(a, k), t.add(b, k)
	pa.twin, pb.twin = pb, pa
	return pa, pb
}

// Declarations: each adds a field and returns its handle.

// Computed declares a column that ClickHouse computes from Field.SQL.
func (t *Table) Computed(f Field) *Field { return t.add(f, Alias) }

func (t *Table) U8(f Field) U8           { return U8{t.add(f, Uint8)} }
func (t *Table) U16(f Field) U16         { return U16{t.add(f, Uint16)} }
func (t *Table) U32(f Field) U32         { return U32{t.add(f, Uint32)} }
func (t *Table) U64(f Field) U64         { return U64{t.add(f, Uint64)} }
func (t *Table) I64(f Field) U64         { return U64{t.add(f, Int64)} }
func (t *Table) Enum(f Field) U8         { return U8{t.add(f, Enum)} }
func (t *Table) Time(f Field) U32        { return U32{t.add(f, Time)} }
func (t *Table) TimeMS(f Field) U64      { return U64{t.add(f, TimeMS)} }
func (t *Table) IP(f Field) IPs          { return IPs{t.add(f, IP)} }
func (t *Table) Text(f Field) Labels     { return Labels{t.add(f, Text)} }
func (t *Table) String(f Field) Labels   { return Labels{t.add(f, String)} }
func (t *Table) List32(f Field) List32   { return List32{t.add(f, Uint32List)} }
func (t *Table) Map(f Field) Pairs       { return Pairs{t.add(f, TextMap)} }
func (t *Table) List128(f Field) List128 { return List128{t.add(f, Uint128List)} }

func (t *Table) U8Pair(src, dst string, f Field) (U8, U8) {
	a, b := t.pair(src, dst, f, Uint8)
	return U8{a}, U8{b}
}

func (t *Table) U16Pair(src, dst string, f Field) (U16, U16) {
	a, b := t.pair(src, dst, f, Uint16)
	return U16{a}, U16{b}
}

func (t *Table) U32Pair(src, dst string, f Field) (U32, U32) {
	a, b := t.pair(src, dst, f, Uint32)
	return U32{a}, U32{b}
}

func (t *Table) U64Pair(src, dst string, f Field) (U64, U64) {
	a, b := t.pair(src, dst, f, Uint64)
	return U64{a}, U64{b}
}

func (t *Table) IPPair(src, dst string, f Field) (IPs, IPs) {
	a, b := t.pair(src, dst, f, IP)
	return IPs{a}, IPs{b}
}

func (t *Table) EnumPair(src, dst string, f Field) (U8, U8) {
	a, b := t.pair(src, dst, f, Enum)
	return U8{a}, U8{b}
}

func (t *Table) TextPair(src, dst string, f Field) (Labels, Labels) {
	a, b := t.pair(src, dst, f, Text)
	return Labels{a}, Labels{b}
}

package native_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"netmeta/column"
	"netmeta/internal/enginetest"
	"netmeta/native"
	"netmeta/store"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// A column of every kind.
var (
	kinds    = column.Table{Name: "kinds"}
	number   = kinds.U32(column.Field{Name: "Row"})
	fU8      = kinds.U8(column.Field{Name: "U8"})
	fU16     = kinds.U16(column.Field{Name: "U16"})
	fU32     = kinds.U32(column.Field{Name: "U32"})
	fU64     = kinds.U64(column.Field{Name: "U64"})
	fI64     = kinds.I64(column.Field{Name: "I64"})
	fEnum    = kinds.Enum(column.Field{Name: "Enum", Enum: []string{"none", "one", "two"}})
	fTime    = kinds.Time(column.Field{Name: "Time"})
	fTimeMS  = kinds.TimeMS(column.Field{Name: "TimeMS"})
	fIP      = kinds.IP(column.Field{Name: "IP"})
	fText    = kinds.Text(column.Field{Name: "Text"})
	fString  = kinds.String(column.Field{Name: "Line"})
	fList    = kinds.List32(column.Field{Name: "List"})
	fList128 = kinds.List128(column.Field{Name: "List128"})
	fMap     = kinds.Map(column.Field{Name: "Map"})
)

// fill sets a random row; texts come from a choice of n.
func fill(r *rand.Rand, b *column.Batch, row, n int) {
	text := func() column.Label {
		if i := r.IntN(n); i > 0 {
			return column.LabelOf(fmt.Sprintf("text %d äöü\t'\"\\", i))
		}
		return column.Label{}
	}
	fU8.Set(b, row, uint8(r.Uint32()))
	fU16.Set(b, row, uint16(r.Uint32()))
	fU32.Set(b, row, r.Uint32())
	fU64.Set(b, row, r.Uint64())
	fI64.Set(b, row, r.Uint64())
	fEnum.Set(b, row, uint8(r.IntN(3)))
	fTime.Set(b, row, r.Uint32())
	fTimeMS.Set(b, row, r.Uint64N(4102444800000)) // until 2100
	var a column.Addr
	if r.IntN(2) == 0 {
		a = column.AddrFrom4([4]byte{byte(r.Uint32()), 2, 3, 4})
	} else {
		for i := range a {
			a[i] = byte(r.Uint32())
		}
	}
	fIP.Set(b, row, a)
	fText.Set(b, row, text())
	fString.Set(b, row, text())
	list := make([]uint32, r.IntN(4))
	for i := range list {
		list[i] = r.Uint32()
	}
	fList.Set(b, row, list)
	big := make([]column.Uint128, r.IntN(3))
	for i := range big {
		big[i] = column.Uint128{Lo: r.Uint64(), Hi: r.Uint64()}
	}
	fList128.Set(b, row, big)
	pairs := make([]column.Pair, r.IntN(3))
	for i := range pairs {
		pairs[i] = column.Pair{Key: column.LabelOf(fmt.Sprintf("key %d", i)), Value: fmt.Sprint(r.Uint32())}
	}
	fMap.Set(b, row, pairs)
}

// asText is the query that writes a row as column.AppendJSON does not: each column
// as ClickHouse prints it, so that nothing of ours is on the way back.
const asText = `SELECT toString(U8), toString(U16), toString(U32), toString(U64), toString(I64), toString(Enum), toString(toUInt32(Time)),
toString(toUnixTimestamp64Milli(TimeMS)), toString(IP), toString(Text), Line, toString(List), toString(List128), toString(Map) FROM kinds ORDER BY Row`

func textOf(b *column.Batch, row int) []string {
	list := func(n int, at func(i int) string) string {
		var s []string
		for i := range n {
			s = append(s, at(i))
		}
		return "[" + strings.Join(s, ",") + "]"
	}
	l32, l128, pairs := fList.At(b, row), fList128.At(b, row), fMap.At(b, row)
	m := list(len(pairs), func(i int) string { return fmt.Sprintf("'%s':'%s'", pairs[i].Key, pairs[i].Value) })
	ip := fIP.At(b, row).IP().String()
	if fIP.At(b, row).IP().Is4() {
		ip = "::ffff:" + ip
	}
	return []string{
		fmt.Sprint(fU8.At(b, row)), fmt.Sprint(fU16.At(b, row)), fmt.Sprint(fU32.At(b, row)), fmt.Sprint(fU64.At(b, row)), fmt.Sprint(int64(fI64.At(b, row))),
		fEnum.Field.Enum[fEnum.At(b, row)], fmt.Sprint(fTime.At(b, row)), fmt.Sprint(fTimeMS.At(b, row)), ip, fText.At(b, row).String(), fString.At(b, row).String(),
		list(len(l32), func(i int) string { return fmt.Sprint(l32[i]) }),
		list(len(l128), func(i int) string { return l128[i].String() }),
		"{" + strings.Trim(m, "[]") + "}",
	}
}

// What is encoded, stored by the engine and read back is what was set, for every
// kind of column and every width of dictionary.
func TestRoundTripThroughEngine(t *testing.T) {
	for _, c := range []struct{ rows, texts int }{{1, 1}, {1, 2}, {100, 3}, {1000, 255}, {1000, 300}, {70_000, 70_000}} {
		t.Run(fmt.Sprintf("%d rows, %d texts", c.rows, c.texts), func(t *testing.T) {
			w, reader := enginetest.Clients(t)
			if err := w.Exec(t.Context(), createKinds()); err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(3, uint64(c.rows+c.texts)))
			b := kinds.NewBatch(c.rows)
			for row := range c.rows {
				b.Add()
				number.Set(b, row, uint32(row))
				fill(r, b, row, c.texts)
			}
			var e native.Encoder
			block := e.Encode(b)
			if err := w.Insert(t.Context(), "kinds", columnNames(block), "1", block.Data); err != nil {
				t.Fatal(err)
			}
			res, _, err := reader.Select(t.Context(), store.Query{SQL: asText})
			if err != nil {
				t.Fatal(err)
			}
			if res.Rows != c.rows {
				t.Fatalf("%d rows came back", res.Rows)
			}
			for row := range c.rows {
				for i, want := range textOf(b, row) {
					if got := res.Columns[i].([]string)[row]; got != want {
						t.Fatalf("row %d, column %s: %s, want %s", row, res.Names[i], got, want)
					}
				}
			}
		})
	}
}

// Columns that are zero in every row are not in the block; blocks with different
// columns can be one insert.
func TestBlocksWithDifferentColumns(t *testing.T) {
	w, reader := enginetest.Clients(t)
	if err := w.Exec(t.Context(), createKinds()); err != nil {
		t.Fatal(err)
	}
	var e native.Encoder
	b := kinds.NewBatch(2)
	number.Set(b, b.Add(), 1)
	fText.Set(b, 0, column.LabelOf("x"))
	first := e.Encode(b)
	b.Reset()
	number.Set(b, b.Add(), 2)
	fU16.Set(b, 0, 7)
	fMap.Set(b, 0, nil) // used but empty
	second := e.Encode(b)
	if got := fmt.Sprint(columnNames(first), columnNames(second)); got != "[Row Text] [Row U16]" {
		t.Errorf("blocks carry %s", got)
	}
	if err := w.Insert(t.Context(), "kinds", []string{"Row", "Text", "U16"}, "1", first.Data, second.Data); err != nil {
		t.Fatal(err)
	}
	res, _, err := reader.Select(t.Context(), store.Query{SQL: "SELECT Row, Text, U16 FROM kinds ORDER BY Row"})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(res.Columns...); got != "[1 2] [x ] [0 7]" {
		t.Errorf("stored %s", got)
	}
}

// A batch without rows has no block; rows that are all zero have one.
func TestZeroRows(t *testing.T) {
	var e native.Encoder
	b := kinds.NewBatch(3)
	if block := e.Encode(b); block.Rows != 0 || block.Data != nil {
		t.Errorf("block of an empty batch: %+v", block)
	}
	b.AddN(3)
	if block := e.Encode(b); block.Rows != 3 || len(block.Columns) != 1 {
		t.Errorf("block of zero rows: %+v", block)
	}
}

func createKinds() string {
	var cols []string
	for _, f := range kinds.Fields {
		cols = append(cols, f.Name+" "+f.SQLType())
	}
	return "CREATE TABLE kinds (" + strings.Join(cols, ", ") + ") ENGINE = MergeTree ORDER BY Row SETTINGS non_replicated_deduplication_window = 100"
}

func columnNames(b native.Block) []string {
	var names []string
	for _, f := range b.Columns {
		names = append(names, f.Name)
	}
	return names
}

package column

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// One field of every kind, and pairs.
var (
	all      = Table{Name: "all"}
	tU8      = all.U8(Field{Name: "U8"})
	tU16     = all.U16(Field{Name: "U16"})
	tU32     = all.U32(Field{Name: "U32"})
	tU64     = all.U64(Field{Name: "U64"})
	tEnum    = all.Enum(Field{Name: "Enum", Enum: []string{"none", "one", "two"}})
	tTime    = all.Time(Field{Name: "Time"})
	tTimeMS  = all.TimeMS(Field{Name: "TimeMS"})
	tIP      = all.IP(Field{Name: "IP"})
	tText    = all.Text(Field{Name: "Text"})
	tLine    = all.String(Field{Name: "Line"})
	tList    = all.List32(Field{Name: "List"})
	tList128 = all.List128(Field{Name: "List128"})
	tMap     = all.Map(Field{Name: "Map"})

	tSrcPort, tDstPort = all.U16Pair("SrcPort", "DstPort", Field{Title: "port", Filter: "port"})
	tSrcIP, tDstIP     = all.IPPair("SrcIP", "DstIP", Field{Title: "address", Filter: "ip"})
	tInName, tOutName  = all.TextPair("InName", "OutName", Field{Title: "name", Filter: "name"})
)

// slowRow is a row of the obvious implementation: a map of what was set.
type slowRow map[string]any

func setRandom(r *rand.Rand, b *Batch, row int, slow slowRow) {
	put := func(name string, v any) {
		if reflect.ValueOf(v).IsZero() || reflect.ValueOf(v).Kind() == reflect.Slice && reflect.ValueOf(v).Len() == 0 {
			delete(slow, name)
			return
		}
		slow[name] = v
	}
	small := func() uint64 { return r.Uint64N(4) } // often zero
	text := func() Label { return LabelOf([]string{"", "a", "b", "Zürich"}[r.IntN(4)]) }
	addr := func() Addr { return AddrFrom4([4]byte{10, 0, 0, byte(small())}) }
	switch r.IntN(17) {
	case 0:
		v := uint8(small())
		tU8.Set(b, row, v)
		put("U8", v)
	case 1:
		v := uint16(small())
		tU16.Set(b, row, v)
		put("U16", v)
	case 2:
		v := uint32(small())
		tU32.Set(b, row, v)
		put("U32", v)
	case 3:
		v := small()
		tU64.Set(b, row, v)
		put("U64", v)
	case 4:
		v := uint8(r.IntN(3))
		tEnum.Set(b, row, v)
		put("Enum", v)
	case 5:
		v := uint32(small())
		tTime.Set(b, row, v)
		put("Time", v)
	case 6:
		v := small()
		tTimeMS.Set(b, row, v)
		put("TimeMS", v)
	case 7:
		v := addr()
		tIP.Set(b, row, v)
		put("IP", v)
	case 8:
		v := text()
		tText.Set(b, row, v)
		put("Text", v)
	case 9:
		v := make([]uint32, r.IntN(3))
		for i := range v {
			v[i] = r.Uint32()
		}
		tList.Set(b, row, v)
		put("List", v)
	case 10:
		v := make([]Uint128, r.IntN(3))
		for i := range v {
			v[i] = Uint128{r.Uint64(), r.Uint64()}
		}
		tList128.Set(b, row, v)
		put("List128", v)
	case 11:
		v := make([]Pair, r.IntN(3))
		for i := range v {
			v[i] = Pair{text(), fmt.Sprint(small())}
		}
		tMap.Set(b, row, v)
		put("Map", v)
	case 12:
		v := uint16(small())
		tSrcPort.Set(b, row, v)
		put("SrcPort", v)
	case 13:
		v := addr()
		tDstIP.Set(b, row, v)
		put("DstIP", v)
	case 14:
		v := text()
		tInName.Set(b, row, v)
		put("InName", v)
	case 15:
		v := text()
		tLine.Set(b, row, v)
		put("Line", v)
	default:
		b.Turn(row)
		for _, p := range [][2]string{{"SrcPort", "DstPort"}, {"SrcIP", "DstIP"}, {"InName", "OutName"}} {
			x, okX := slow[p[0]]
			y, okY := slow[p[1]]
			delete(slow, p[0])
			delete(slow, p[1])
			if okX {
				slow[p[1]] = x
			}
			if okY {
				slow[p[0]] = y
			}
		}
	}
}

func rowOf(b *Batch, row int) slowRow {
	got := slowRow{}
	put := func(name string, v any) {
		if !reflect.ValueOf(v).IsZero() && !(reflect.ValueOf(v).Kind() == reflect.Slice && reflect.ValueOf(v).Len() == 0) {
			got[name] = v
		}
	}
	put("U8", tU8.At(b, row))
	put("U16", tU16.At(b, row))
	put("U32", tU32.At(b, row))
	put("U64", tU64.At(b, row))
	put("Enum", tEnum.At(b, row))
	put("Time", tTime.At(b, row))
	put("TimeMS", tTimeMS.At(b, row))
	put("IP", tIP.At(b, row))
	put("Text", tText.At(b, row))
	put("Line", tLine.At(b, row))
	put("List", slices.Clone(tList.At(b, row)))
	put("List128", slices.Clone(tList128.At(b, row)))
	put("Map", slices.Clone(tMap.At(b, row)))
	put("SrcPort", tSrcPort.At(b, row))
	put("DstPort", tDstPort.At(b, row))
	put("SrcIP", tSrcIP.At(b, row))
	put("DstIP", tDstIP.At(b, row))
	put("InName", tInName.At(b, row))
	put("OutName", tOutName.At(b, row))
	return got
}

// A batch does what a slice of maps would do, whatever is done to it.
func TestBatchAgainstMaps(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	b := all.NewBatch(16)
	var slow []slowRow
	for step := range 50_000 {
		switch n := r.IntN(100); {
		case n < 25 && !b.Full():
			b.Add()
			slow = append(slow, slowRow{})
		case n < 27 && len(slow) > 0 && !b.Full():
			row := r.IntN(len(slow))
			b.AddCopy(row)
			c := slowRow{}
			for k, v := range slow[row] {
				c[k] = v
			}
			slow = append(slow, c)
		case n < 30 && len(slow) > 0:
			b.Drop()
			slow = slow[:len(slow)-1]
		case n < 31:
			b.Reset()
			slow = nil
		case len(slow) > 0:
			row := r.IntN(len(slow))
			setRandom(r, b, row, slow[row])
		}
		if b.Len() != len(slow) || b.Room() != 16-len(slow) {
			t.Fatalf("step %d: %d rows and room for %d, want %d", step, b.Len(), b.Room(), len(slow))
		}
		for row := range slow {
			if got := rowOf(b, row); !reflect.DeepEqual(got, slow[row]) {
				t.Fatalf("step %d, row %d: %v, want %v", step, row, got, slow[row])
			}
		}
		for _, f := range all.Fields {
			zero := true
			for _, s := range slow {
				if _, ok := s[f.Name]; ok {
					zero = false
				}
			}
			if b.Zero(f) != zero {
				t.Fatalf("step %d: Zero(%s) is %v", step, f.Name, b.Zero(f))
			}
		}
	}
}

func TestJSON(t *testing.T) {
	var tab Table
	mac := tab.U64(Field{Name: "Mac", Show: MAC})
	bits := tab.U16(Field{Name: "Bits", Show: Bits, Enum: []string{"a", "b"}})
	enum := tab.Enum(Field{Name: "Enum", Enum: []string{"none", "one"}})
	sec := tab.Time(Field{Name: "Sec"})
	ms := tab.TimeMS(Field{Name: "MS"})
	ip := tab.IP(Field{Name: "IP"})
	text := tab.Text(Field{Name: "Text"})
	line := tab.String(Field{Name: "Line"})
	list := tab.List32(Field{Name: "List"})
	big := tab.List128(Field{Name: "Big"})
	pairs := tab.Map(Field{Name: "Map"})
	unset := tab.U8(Field{Name: "Unset"})
	b := tab.NewBatch(4)
	f := func(want, wantText string, set func(row int)) {
		t.Helper()
		row := b.Add()
		set(row)
		if got := string(AppendJSON(nil, b, row)); got != want {
			t.Errorf("JSON %s\nwant %s", got, want)
		}
		if got := string(AppendText(nil, b, row)); got != wantText {
			t.Errorf("text %s\nwant %s", got, wantText)
		}
		b.Reset()
	}
	f("{}", "", func(row int) { unset.Set(b, row, 0) })
	f(`{"Mac":"02:00:5e:10:00:01"}`, "Mac=02:00:5e:10:00:01", func(row int) { mac.Set(b, row, MACFrom([6]byte{2, 0, 0x5e, 0x10, 0, 1})) })
	f(`{"Bits":["a","b",8]}`, `Bits=["a","b",8]`, func(row int) { bits.Set(b, row, 11) })
	f(`{"Enum":"one"}`, "Enum=one", func(row int) { enum.Set(b, row, 1) })
	f(`{"Enum":9}`, "Enum=9", func(row int) { enum.Set(b, row, 9) })
	f(`{"Sec":"2026-01-02T03:04:05.000Z","MS":"2026-01-02T03:04:05.678Z"}`, "Sec=2026-01-02T03:04:05.000Z MS=2026-01-02T03:04:05.678Z",
		func(row int) { sec.Set(b, row, 1767323045); ms.Set(b, row, 1767323045678) })
	f(`{"IP":"192.0.2.1"}`, "IP=192.0.2.1", func(row int) { ip.Set(b, row, AddrFrom4([4]byte{192, 0, 2, 1})) })
	f(`{"IP":"2001:db8::1"}`, "IP=2001:db8::1", func(row int) { ip.Set(b, row, Addr{0x20, 1, 0xd, 0xb8, 15: 1}) })
	f(`{"Text":"a \"b\"\\\u0001�"}`, `Text="a \"b\"\\\u0001�"`, func(row int) { text.Set(b, row, LabelOf("a \"b\"\\\x01\xff")) })
	f(`{"Line":"a b"}`, `Line="a b"`, func(row int) { line.Set(b, row, LabelOf("a b")) })
	f(`{"List":[1,2]}`, "List=[1,2]", func(row int) { list.Set(b, row, []uint32{1, 2}) })
	f(`{"Big":["18446744073709551617"]}`, `Big=["18446744073709551617"]`, func(row int) { big.Set(b, row, []Uint128{{1, 1}}) })
	f(`{"Map":{"k":"v"}}`, `Map={"k":"v"}`, func(row int) { pairs.Set(b, row, []Pair{{LabelOf("k"), "v"}}) })
}

// Extent counts lists and texts, and Reset takes them back.
func TestExtent(t *testing.T) {
	b := all.NewBatch(4)
	tU64.Set(b, b.Add(), 7)
	if b.Extent() != 0 {
		t.Error("a number counts: ", b.Extent())
	}
	tList.Set(b, 0, []uint32{1, 2, 3})
	tList128.Set(b, 0, []Uint128{{}, {}})
	tMap.Set(b, 0, []Pair{{LabelOf("a"), "four"}, {LabelOf("b"), "fifth"}})
	if got := b.Extent(); got != 3*4+2*16+9 {
		t.Error(got)
	}
	if b.Reset(); b.Extent() != 0 {
		t.Error("after Reset ", b.Extent())
	}
}

func TestPairNames(t *testing.T) {
	f := func(field *Field, side Side, filter, title string) {
		t.Helper()
		if field.Side != side || field.FilterName() != filter || field.Title != title {
			t.Errorf("%s: side %q, filter %q, title %q", field.Name, field.Side, field.FilterName(), field.Title)
		}
	}
	f(tSrcPort.Field, Src, "src.port", "source port")
	f(tDstPort.Field, Dst, "dst.port", "destination port")
	f(tInName.Field, In, "in.name", "input name")
	f(tOutName.Field, Out, "out.name", "output name")
	if tSrcPort.Field.Twin() != tDstPort.Field || tDstPort.Field.Twin() != tSrcPort.Field || tU8.Field.Twin() != nil {
		t.Error("twins are wrong")
	}
}

func TestSetDoesNotAllocate(t *testing.T) {
	b := all.NewBatch(1024)
	fill := func() {
		for !b.Full() {
			row := b.Add()
			tSrcPort.Set(b, row, 1)
			tU64.Set(b, row, 2)
			tIP.Set(b, row, Addr{1})
			tList.Set(b, row, []uint32{1, 2, 3})
		}
		b.Reset()
	}
	fill()
	if n := testing.AllocsPerRun(10, fill); n > 0 {
		t.Errorf("%v allocations for a batch", n)
	}
}

func BenchmarkSet(b *testing.B) {
	batch := all.NewBatch(8192)
	for b.Loop() {
		if batch.Full() {
			batch.Reset()
		}
		tSrcPort.Set(batch, batch.Add(), 443)
	}
}

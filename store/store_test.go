package store_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"netmeta/column"
	"netmeta/internal/enginetest"
	"netmeta/native"
	"netmeta/store"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// quiet is a log that is discarded.
var quiet = slog.New(slog.DiscardHandler)

// text runs a query and gives its answer as tab-separated lines.
func text(t testing.TB, c *store.Client, sql string) string {
	t.Helper()
	res, _, err := c.Select(t.Context(), store.Query{SQL: sql})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	lines := make([]string, res.Rows)
	for row := range lines {
		for i, c := range res.Columns {
			if i > 0 {
				lines[row] += "\t"
			}
			switch c := c.(type) {
			case []uint8:
				lines[row] += fmt.Sprint(c[row])
			case []uint16:
				lines[row] += fmt.Sprint(c[row])
			case []uint32:
				lines[row] += fmt.Sprint(c[row])
			case []uint64:
				lines[row] += fmt.Sprint(c[row])
			case []string:
				lines[row] += c[row]
			default:
				t.Fatalf("%s: column of %T", sql, c)
			}
		}
	}
	return strings.Join(lines, "\n")
}

// A sample is a small flows table, with what the order key needs and a column for
// each kind of change.
type sample struct {
	column.Table
	TimeReceived column.U32
	Exporter     column.IPs
	InIf, OutIf  column.U32
	Colour       column.U8
	Bytes        column.U64
	VNI          column.U32
	Site         column.Labels
	Labels       column.List32
}

// version makes the table as some version of the program declares it.
func version(colours []string, sum string, more func(t *column.Table)) *sample {
	s := &sample{Table: column.Table{Name: "flows"}}
	t := &s.Table
	s.TimeReceived = t.Time(column.Field{Name: "TimeReceived", Codec: "DoubleDelta, ZSTD(1)"})
	s.Exporter = t.IP(column.Field{Name: "ExporterAddress", Doc: `It's a \ device.`})
	s.InIf, s.OutIf = t.U32Pair("InIf", "OutIf", column.Field{})
	if more != nil {
		more(t)
	}
	s.Colour = t.Enum(column.Field{Name: "Colour", Enum: colours})
	s.Bytes = t.U64(column.Field{Name: "Bytes"})
	t.Computed(column.Field{Name: "Bits", Type: "UInt64", SQL: sum})
	s.VNI = t.U32(column.Field{Name: "VNI", Rare: true, Codec: "ZSTD(1)"})
	s.Site = t.Text(column.Field{Name: "Site", Rare: true})
	s.Labels = t.List32(column.Field{Name: "Labels", Rare: true})
	return s
}

func standard() *sample { return version([]string{"none", "red"}, "Bytes * 8", nil) }

// block encodes rows; set fills row i of the block.
func (s *sample) block(rows int, set func(b *column.Batch, i int)) native.Block {
	b := s.NewBatch(rows)
	for i := range rows {
		s.TimeReceived.Set(b, b.Add(), 2000000000)
		set(b, i)
	}
	var e native.Encoder
	return e.Encode(b)
}

func (s *sample) bytes(values ...uint64) native.Block {
	return s.block(len(values), func(b *column.Batch, i int) { s.Bytes.Set(b, i, values[i]) })
}

func names(b native.Block) []string {
	var list []string
	for _, f := range b.Columns {
		list = append(list, f.Name)
	}
	return list
}

func migrate(t testing.TB, c *store.Client, s store.Schema) {
	t.Helper()
	if err := store.Migrate(t.Context(), c, s, quiet); err != nil {
		t.Fatal(err)
	}
}

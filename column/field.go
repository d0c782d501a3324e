// Package column holds data: tables of typed fields, and batches of rows stored
// column by column.
//
// A field is declared once, as a Go value. The declaration returns a handle, and
// the handle is the only way to its values:
//
//	var Flows column.Table
//	var Proto = Flows.U8(column.Field{Name: "Proto", Title: "protocol"})
//
//	b := Flows.NewBatch(8192)
//	row := b.Add()
//	Proto.Set(b, row, 17)
//
// Everything else that the system knows about a field (its ClickHouse type, its
// place in a flow record, its name in the filter language, its unit in the web UI)
// is in the same declaration. The package imports no other package of NetMeta.
package column

import "fmt"

// Kind is the storage of a field: its Go type in a batch and its type in
// ClickHouse.
type Kind uint8

// The kinds, with the Go type of a value and the ClickHouse type.
const (
	Alias       Kind = iota // not stored: computed by ClickHouse from other columns
	Uint8                   // uint8     UInt8
	Uint16                  // uint16    UInt16
	Uint32                  // uint32    UInt32
	Uint64                  // uint64    UInt64
	Int64                   // uint64    Int64, two's complement
	Enum                    // uint8     Enum8, names in Field.Enum
	Time                    // uint32    DateTime('UTC'), seconds since 1970
	TimeMS                  // uint64    DateTime64(3, 'UTC'), milliseconds since 1970
	IP                      // Addr      IPv6, IPv4 as ::ffff:a.b.c.d
	Text                    // Label     LowCardinality(String)
	Uint32List              // []uint32  Array(UInt32)
	Uint128List             // []Uint128 Array(UInt128)
	TextMap                 // Pair list Map(LowCardinality(String), String)
	String                  // Label     String, for texts that hardly repeat
)

// Role is the use of a field in a query.
type Role uint8

const (
	Dimension Role = iota // grouped by and filtered
	Measure               // summed
	Mark                  // describes the record itself: time, type, sampling, quality
)

// Unit is the unit of a number.
type Unit string

const (
	NoUnit      Unit = ""
	Byte        Unit = "bytes"
	Packet      Unit = "packets"
	BitPerSec   Unit = "bits/s"
	Second      Unit = "s"
	Millisecond Unit = "ms"
)

// Show is the notation of a number for people.
type Show uint8

const (
	Plain    Show = iota
	MAC           // aa:bb:cc:dd:ee:ff, from the lower 48 bits
	AS            // AS64496
	Protocol      // an IANA protocol number, by keyword
	EtherTyp      // an EtherType, by name
	Flags         // TCP header flags, by letter
	Bits          // a bit set, names in Field.Enum by bit number
)

// A Side distinguishes the two fields of a pair.
type Side string

const (
	NoSide Side = ""
	Src    Side = "src"
	Dst    Side = "dst"
	In     Side = "in"
	Out    Side = "out"
)

// IE is an information element of IPFIX (RFC 7011); PEN 0 is the IANA
// registry, whose numbers below 128 are also the field types of NetFlow v9.
type IE struct {
	PEN uint32
	ID  uint16
}

// Field describes one column. The declaring method of Table fills Kind and Side.
type Field struct {
	Name    string   // column name in ClickHouse; CamelCase, public, never renamed
	Title   string   // what the page calls it, lower case
	Doc     string   // one sentence: what the value is, with the RFC where there is one
	Filter  string   // name in the filter language without its side ("port"); empty: not to be filtered by
	Group   string   // the group of the field in pick-lists and in the reference
	Role    Role     //
	Unit    Unit     //
	Show    Show     //
	Enum    []string // Enum: the name of each value; Bits: the name of each bit
	IE      []IE     // elements that carry it as a plain number or address
	DstIE   []IE     // of a pair: the elements of the second field
	SQL     string   // Alias: the ClickHouse expression; otherwise empty
	Type    string   // Alias: the ClickHouse type of the expression
	Codec   string   // ClickHouse codec; empty: the server's default
	Default string   // ClickHouse expression for rows that do not carry the column; empty: zero
	Rare    bool     // enters the table only when a value other than zero arrives
	Rollup  bool     // the rollups of the table keep it: it has few values

	Kind Kind // filled by Table
	Side Side // filled by Table for pairs

	table *Table
	index int    // in table.Fields
	sql   string // ClickHouse type
	store storeID
	slot  int // in its store of the batch
	twin  *Field
}

// Twin returns the other field of the pair; nil for a single field.
func (f *Field) Twin() *Field { return f.twin }

// FilterName is the full name in the filter language: "src.port", "proto".
func (f *Field) FilterName() string {
	if f.Side == NoSide || f.Filter == "" {
		return f.Filter
	}
	return string(f.Side) + "." + f.Filter
}

// SQLType is the ClickHouse type of the column.
func (f *Field) SQLType() string { return f.sql }

func (f *Field) sqlType() string {
	switch f.Kind {
	case Alias:
		return f.Type
	case Uint8:
		return "UInt8"
	case Uint16:
		return "UInt16"
	case Uint32:
		return "UInt32"
	case Uint64:
		return "UInt64"
	case Int64:
		return "Int64"
	case Enum:
		return enumType(f.Enum)
	case Time:
		return "DateTime('UTC')"
	case TimeMS:
		return "DateTime64(3, 'UTC')"
	case IP:
		return "IPv6"
	case Text:
		return "LowCardinality(String)"
	case Uint32List:
		return "Array(UInt32)"
	case Uint128List:
		return "Array(UInt128)"
	case TextMap:
		return "Map(LowCardinality(String), String)"
	case String:
		return "String"
	}
	panic(fmt.Sprintf("BUG: field %s has kind %d", f.Name, f.Kind))
}

func enumType(names []string) string {
	t := []byte("Enum8(")
	for i, name := range names {
		if i > 0 {
			t = append(t, ", "...)
		}
		t = fmt.Appendf(t, "'%s' = %d", name, i)
	}
	return string(append(t, ')'))
}

package engine

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Native blocks have two forms. The engine writes the plain one; clients of the native protocol that use HTTP
// (clickhouse-go) request that of the TCP protocol with client_protocol_version:
//
//	plain                        with revision
//	                             01 00             block info: field 1, is_overflows
//	                             02 ff ff ff ff    field 2, bucket_num -1
//	                             00                end of block info
//	uvarint columns              uvarint columns
//	uvarint rows                 uvarint rows
//	per column                   per column
//	  string name                  string name
//	  string type                  string type
//	                               00              no custom serialization (revision ≥ 54454)
//	  data                         data
//
// The plain form does not contain the length of a column's data, so it is parsed by type.

const revisionCustomSerialization = 54454

// errNativeType says that the type does not determine a column's length.
var errNativeType = errors.New("cannot be sent with client_protocol_version: use another FORMAT or convert it with toString()")

// transcodeNative copies plain Native blocks from r to w with a revision, until the end of r.
func transcodeNative(w io.Writer, r *bufio.Reader, revision uint64) error {
	n := nativeCopier{r: r, w: bufio.NewWriterSize(w, 64<<10)}
	for {
		if _, err := r.Peek(1); err == io.EOF {
			return n.w.Flush()
		} else if err != nil {
			return err
		}
		n.w.Write([]byte{1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0})
		columns, err := n.uvarint()
		if err != nil {
			return err
		}
		rows, err := n.uvarint()
		if err != nil {
			return err
		}
		for range columns {
			if _, err := n.text(); err != nil {
				return err
			}
			typ, err := n.text()
			if err != nil {
				return err
			}
			if revision >= revisionCustomSerialization {
				n.w.WriteByte(0)
			}
			if rows == 0 {
				continue
			}
			t, err := parseType(typ)
			if err != nil {
				return err
			}
			if err := n.prefix(t); err != nil {
				return err
			}
			if err := n.column(t, rows); err != nil {
				return fmt.Errorf("%s: %w", typ, err)
			}
		}
		if r.Buffered() == 0 {
			if err := n.w.Flush(); err != nil {
				return err
			}
		}
	}
}

// nativeCopier copies what it reads from r to w.
type nativeCopier struct {
	r *bufio.Reader
	w *bufio.Writer
}

func (n nativeCopier) copy(size uint64) error {
	if size > 1<<62 {
		return fmt.Errorf("native: a length of %d", size)
	}
	for size > 0 {
		b, err := n.r.Peek(int(min(size, uint64(n.r.Size()))))
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		if _, err := n.w.Write(b); err != nil {
			return err
		}
		n.r.Discard(len(b))
		size -= uint64(len(b))
	}
	return nil
}

func (n nativeCopier) uvarint() (uint64, error) {
	v, err := binary.ReadUvarint(n.r)
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return 0, err
	}
	_, err = n.w.Write(binary.AppendUvarint(nil, v))
	return v, err
}

func (n nativeCopier) uint64() (uint64, error) {
	var b [8]byte
	if _, err := io.ReadFull(n.r, b[:]); err != nil {
		return 0, err
	}
	_, err := n.w.Write(b[:])
	return binary.LittleEndian.Uint64(b[:]), err
}

// text copies a short string and returns it.
func (n nativeCopier) text() (string, error) {
	size, err := n.uvarint()
	if err != nil {
		return "", err
	}
	if size > 1<<20 {
		return "", fmt.Errorf("native: a name of %d bytes", size)
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(n.r, b); err != nil {
		return "", err
	}
	_, err = n.w.Write(b)
	return string(b), err
}

// nativeType has the properties of a type that determine its length in a block.
type nativeType struct {
	kind nativeKind
	size uint64 // bytes of a value, for nativeFixed
	args []nativeType
}

type nativeKind uint8

const (
	nativeFixed nativeKind = iota
	nativeString
	nativeNullable
	nativeArray // Map too, whose element is a tuple
	nativeTuple
	nativeLowCardinality
)

// prefix copies the data before a whole column: the version of each LowCardinality in it.
func (n nativeCopier) prefix(t nativeType) error {
	if t.kind == nativeLowCardinality {
		return n.copy(8)
	}
	for _, arg := range t.args {
		if err := n.prefix(arg); err != nil {
			return err
		}
	}
	return nil
}

func (n nativeCopier) column(t nativeType, rows uint64) error {
	if rows > 1<<40 {
		return fmt.Errorf("native: a column of %d rows", rows)
	}
	switch t.kind {
	case nativeFixed:
		return n.copy(t.size * rows)
	case nativeString:
		for range rows {
			size, err := n.uvarint()
			if err != nil {
				return err
			}
			if err := n.copy(size); err != nil {
				return err
			}
		}
		return nil
	case nativeNullable:
		if err := n.copy(rows); err != nil { // the null map
			return err
		}
		return n.column(t.args[0], rows)
	case nativeArray:
		var end uint64
		for range rows { // offsets: the end of each row
			var err error
			if end, err = n.uint64(); err != nil {
				return err
			}
		}
		return n.column(t.args[0], end)
	case nativeTuple:
		if len(t.args) == 0 { // Tuple() has one byte per row
			return n.copy(rows)
		}
		for _, arg := range t.args {
			if err := n.column(arg, rows); err != nil {
				return err
			}
		}
		return nil
	case nativeLowCardinality:
		return n.lowCardinality(t, rows)
	}
	return errNativeType
}

// lowCardinality copies one dictionary and its indexes:
//
//	uint64 flags (low byte: width of an index, 0 … 3 for 1, 2, 4, 8 bytes; bit 9: has keys)
//	uint64 n, n values
//	uint64 rows, rows indexes
//
// A column without rows (an empty array's) has none of it.
func (n nativeCopier) lowCardinality(t nativeType, rows uint64) error {
	if rows == 0 {
		return nil
	}
	flags, err := n.uint64()
	if err != nil {
		return err
	}
	if flags&(1<<9) != 0 {
		keys, err := n.uint64()
		if err != nil {
			return err
		}
		value := t.args[0]
		if value.kind == nativeNullable { // the dictionary's values are not: index 0 is NULL
			value = value.args[0]
		}
		if err := n.column(value, keys); err != nil {
			return err
		}
	}
	count, err := n.uint64()
	if err != nil {
		return err
	}
	if count != rows {
		return fmt.Errorf("native: %d indexes for %d rows", count, rows)
	}
	return n.column(nativeType{size: 1 << (flags & 3)}, count)
}

// parseType parses a type's name as in Native.
func parseType(name string) (nativeType, error) {
	t, rest, err := cutType(name, 0)
	if err == nil && strings.TrimSpace(rest) != "" {
		err = fmt.Errorf("native: type %.100q: %.20q is left over", name, rest)
	}
	return t, err
}

// fixedTypes are the types of a fixed size, whatever their arguments.
var fixedTypes = map[string]uint64{
	"UInt8": 1, "UInt16": 2, "UInt32": 4, "UInt64": 8, "UInt128": 16, "UInt256": 32,
	"Int8": 1, "Int16": 2, "Int32": 4, "Int64": 8, "Int128": 16, "Int256": 32,
	"Float32": 4, "Float64": 8, "BFloat16": 2, "Bool": 1, "Date": 2, "Date32": 4, "DateTime": 4, "DateTime64": 8,
	"Time": 4, "Time64": 8, "UUID": 16, "IPv4": 4, "IPv6": 16, "Enum8": 1, "Enum16": 2, "Nothing": 1,
	"Decimal32": 4, "Decimal64": 8, "Decimal128": 16, "Decimal256": 32,
	"IntervalNanosecond": 8, "IntervalMicrosecond": 8, "IntervalMillisecond": 8, "IntervalSecond": 8, "IntervalMinute": 8, "IntervalHour": 8,
	"IntervalDay": 8, "IntervalWeek": 8, "IntervalMonth": 8, "IntervalQuarter": 8, "IntervalYear": 8,
}

// geoTypes are names of composed types.
var geoTypes = map[string]string{
	"Point": "Tuple(Float64, Float64)", "Ring": "Array(Point)", "LineString": "Array(Point)", "MultiLineString": "Array(LineString)",
	"Polygon": "Array(Ring)", "MultiPolygon": "Array(Polygon)",
}

// cutType parses the type at the start of s and returns the rest.
func cutType(s string, depth int) (t nativeType, rest string, err error) {
	if depth > 32 {
		return t, "", errors.New("native: a type of more than 32 levels")
	}
	s = strings.TrimLeft(s, " \n")
	end := 0
	for end < len(s) && (isWordStart(s[end]) || isDigit(s[end])) {
		end++
	}
	name := s[:end]
	rest = s[end:]
	var args string // between the brackets
	if strings.HasPrefix(rest, "(") {
		n := closing(rest)
		if n < 0 {
			return t, "", fmt.Errorf("native: type %.100q: a bracket is not closed", s)
		}
		args, rest = rest[1:n], rest[n+1:]
	}
	if size, ok := fixedTypes[name]; ok {
		return nativeType{size: size}, rest, nil
	}
	if geo, ok := geoTypes[name]; ok {
		t, _, err = cutType(geo, depth+1)
		return t, rest, err
	}
	switch name {
	case "String":
		return nativeType{kind: nativeString}, rest, nil
	case "FixedString":
		size, err := strconv.ParseUint(strings.TrimSpace(args), 10, 24)
		return nativeType{size: size}, rest, err
	case "Decimal":
		precision, _, _ := strings.Cut(args, ",")
		p, err := strconv.ParseUint(strings.TrimSpace(precision), 10, 8)
		size := uint64(32)
		switch {
		case p <= 9:
			size = 4
		case p <= 18:
			size = 8
		case p <= 38:
			size = 16
		}
		return nativeType{size: size}, rest, err
	case "Nullable", "Array", "Tuple", "Map", "Nested", "LowCardinality", "SimpleAggregateFunction":
	default:
		return t, "", fmt.Errorf("type %.100q %w", s, errNativeType)
	}

	var inner []nativeType
	for i, arg := range splitArgs(args) {
		if name == "SimpleAggregateFunction" && i == 0 {
			continue // the function's name
		}
		if name == "Tuple" || name == "Nested" {
			arg = dropElementName(arg)
		}
		a, left, err := cutType(arg, depth+1)
		if err != nil {
			return t, "", err
		}
		if strings.TrimSpace(left) != "" {
			return t, "", fmt.Errorf("native: type %.100q: %.20q is left over", s, left)
		}
		inner = append(inner, a)
	}
	want := map[string]int{"Nullable": 1, "Array": 1, "LowCardinality": 1, "SimpleAggregateFunction": 1, "Map": 2}[name]
	if want != 0 && len(inner) != want {
		return t, "", fmt.Errorf("native: type %.100q has %d arguments, not %d", s, len(inner), want)
	}
	switch name {
	case "Nullable":
		return nativeType{kind: nativeNullable, args: inner}, rest, nil
	case "Array":
		return nativeType{kind: nativeArray, args: inner}, rest, nil
	case "LowCardinality":
		return nativeType{kind: nativeLowCardinality, args: inner}, rest, nil
	case "SimpleAggregateFunction":
		return inner[0], rest, nil
	case "Map", "Nested":
		return nativeType{kind: nativeArray, args: []nativeType{{kind: nativeTuple, args: inner}}}, rest, nil
	}
	return nativeType{kind: nativeTuple, args: inner}, rest, nil
}

// dropElementName removes the name before a type in Tuple(name Type).
func dropElementName(arg string) string {
	lex := lexer{text: arg}
	first, _ := lex.next()
	second, ok := lex.next()
	if ok && first.kind.name() && second.kind == tokenWord {
		return arg[second.from:]
	}
	return arg
}

// closing returns the offset of the bracket that closes the one at the start of s, -1 without one.
func closing(s string) int {
	depth := 0
	for lex := (lexer{text: s}); ; {
		t, ok := lex.next()
		if !ok {
			return -1
		}
		if depth += opens(t.text(s)); depth == 0 {
			return t.from
		}
	}
}

// splitArgs splits at the commas outside of brackets.
func splitArgs(s string) (args []string) {
	depth, from := 0, 0
	for lex := (lexer{text: s}); ; {
		t, ok := lex.next()
		if !ok {
			break
		}
		depth += opens(t.text(s))
		if depth == 0 && t.text(s) == "," {
			args = append(args, s[from:t.from])
			from = t.to
		}
	}
	if strings.TrimSpace(s[from:]) != "" {
		args = append(args, s[from:])
	}
	return args
}

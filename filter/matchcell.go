package filter

import (
	"cmp"
	"encoding/binary"
	"math"
	"regexp"
	"slices"
	"unicode"
	"unicode/utf8"

	"netmeta/column"
)

// numberTest is a test of a number; one match of its parts is enough.
type numberTest struct {
	ranges []interval // in order, without overlaps
	bits   uint64     // one of these must be set
	masks  []mask
}

// interval is the numbers from lo to hi.
type interval struct{ lo, hi uint64 }

// mask matches numbers whose bits in look equal want.
type mask struct{ look, want uint64 }

func (t *numberTest) met(v uint64) bool {
	if v&t.bits != 0 {
		return true
	}
	for _, k := range t.masks {
		if v&k.look == k.want {
			return true
		}
	}
	return contains(t.ranges, v)
}

func contains(ranges []interval, v uint64) bool {
	lo, hi := 0, len(ranges)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		switch r := ranges[mid]; {
		case v < r.lo:
			hi = mid
		case v > r.hi:
			lo = mid + 1
		default:
			return true
		}
	}
	return false
}

// rangesOf returns the numbers up to largest that an operator with its values matches.
func rangesOf(op Op, values []Value, largest uint64) *numberTest {
	var list []interval
	for _, v := range values {
		switch op {
		case Lt:
			if v.Lo > 0 {
				list = append(list, interval{0, v.Lo - 1})
			}
		case Le:
			list = append(list, interval{0, v.Lo})
		case Gt:
			if v.Lo < largest {
				list = append(list, interval{v.Lo + 1, largest})
			}
		case Ge:
			list = append(list, interval{v.Lo, largest})
		default:
			list = append(list, interval{v.Lo, v.Hi})
		}
	}
	slices.SortFunc(list, func(a, b interval) int { return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(a.hi, b.hi)) })
	joined := list[:0]
	for _, r := range list {
		if n := len(joined); n > 0 && r.lo <= joined[n-1].hi {
			joined[n-1].hi = max(joined[n-1].hi, r.hi)
			continue
		}
		joined = append(joined, r)
	}
	return &numberTest{ranges: joined}
}

func bitsOf(values []Value) *numberTest {
	t := &numberTest{}
	for _, v := range values {
		t.bits |= v.Lo
	}
	return t
}

func flagsOf(values []Value) *numberTest {
	t := &numberTest{}
	for _, v := range values {
		if v.ExactFlags {
			t.masks = append(t.masks, mask{math.MaxUint64, v.Lo})
		} else {
			t.masks = append(t.masks, mask{v.Hi, v.Lo})
		}
	}
	return t
}

// namesOf returns the numbers of names of an enumeration.
func namesOf(f *column.Field, values []Value) *numberTest {
	numbers := make([]Value, 0, len(values))
	for _, v := range values {
		if i := slices.Index(f.Enum, v.Text); i >= 0 {
			numbers = append(numbers, Value{Lo: uint64(i), Hi: uint64(i)})
		}
	}
	return rangesOf(Eq, numbers, math.MaxUint8)
}

// numberOf returns the test of a column of numbers.
func numberOf(f *column.Field, t *numberTest) (node, error) {
	switch f.Kind {
	case column.Uint8, column.Enum:
		return &tableTest[uint8]{f, cells8, t.tabled(1 << 8)}, nil
	case column.Uint16:
		return &tableTest[uint16]{f, cells16, t.tabled(1 << 16)}, nil
	case column.Uint32:
		return &cellTest[uint32]{f, cells32, t}, nil
	case column.Uint64:
		return &cellTest[uint64]{f, cells64, t}, nil
	}
	return nil, unmatchable(f)
}

// tabled returns the test as a set of bits, one for each number below n.
func (t *numberTest) tabled(n int) []uint64 {
	bits := make([]uint64, n/64)
	for v := range n {
		if t.met(uint64(v)) {
			bits[v/64] |= 1 << (v % 64)
		}
	}
	return bits
}

// tableTest is a test of a column of small numbers: a table lookup.
type tableTest[T uint8 | uint16] struct {
	field *column.Field
	cells func(*column.Batch, *column.Field) []T
	bits  []uint64
}

func (n *tableTest[T]) narrow(_ *Matcher, b *column.Batch, keep []bool) {
	cells := n.cells(b, n.field)
	if cells == nil {
		constant(n.bits[0]&1 != 0).narrow(nil, b, keep)
		return
	}
	for i, v := range cells {
		keep[i] = keep[i] && n.bits[v/64]>>(v%64)&1 != 0
	}
}

// cellTest is a test of a column of large numbers.
type cellTest[T uint32 | uint64] struct {
	field *column.Field
	cells func(*column.Batch, *column.Field) []T
	test  *numberTest
}

func (n *cellTest[T]) narrow(_ *Matcher, b *column.Batch, keep []bool) {
	cells := n.cells(b, n.field)
	if cells == nil {
		constant(n.test.met(0)).narrow(nil, b, keep)
		return
	}
	if t := n.test; len(t.ranges) == 1 && t.bits == 0 && len(t.masks) == 0 { // the most common case
		lo, width := t.ranges[0].lo, t.ranges[0].hi-t.ranges[0].lo
		for i, v := range cells {
			keep[i] = keep[i] && uint64(v)-lo <= width
		}
		return
	}
	for i, v := range cells {
		keep[i] = keep[i] && n.test.met(uint64(v))
	}
}

// addressTest is a test of a column of addresses.
type addressTest struct {
	field  *column.Field
	ranges []wideRange // in order, without overlaps
}

// wide is an address as a number of 128 bits.
type wide struct{ hi, lo uint64 }

type wideRange struct{ from, to wide }

func wideOf(a column.Addr) wide {
	return wide{binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(a[8:])}
}

func (a wide) less(b wide) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

func addressOf(f *column.Field, values []Value) node {
	single, ranges := addressRanges(values)
	for _, a := range single {
		ranges = append(ranges, addressRange{a, a})
	}
	t := &addressTest{field: f}
	slices.SortFunc(ranges, func(a, b addressRange) int { return cmp.Or(a.from.Compare(b.from), a.to.Compare(b.to)) })
	for _, r := range ranges {
		next := wideRange{wideOf(r.from.As16()), wideOf(r.to.As16())}
		if next.to.less(next.from) {
			continue // empty: less than the minimum
		}
		if n := len(t.ranges); n > 0 && !t.ranges[n-1].to.less(next.from) {
			if t.ranges[n-1].to.less(next.to) {
				t.ranges[n-1].to = next.to
			}
			continue
		}
		t.ranges = append(t.ranges, next)
	}
	return t
}

func (n *addressTest) met(a wide) bool {
	lo, hi := 0, len(n.ranges)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		switch r := &n.ranges[mid]; {
		case a.less(r.from):
			hi = mid
		case r.to.less(a):
			lo = mid + 1
		default:
			return true
		}
	}
	return false
}

func (n *addressTest) narrow(_ *Matcher, b *column.Batch, keep []bool) {
	cells := addresses(b, n.field)
	if cells == nil {
		constant(n.met(wide{})).narrow(nil, b, keep)
		return
	}
	for i := range cells {
		keep[i] = keep[i] && n.met(wideOf(cells[i]))
	}
}

// labelTest tests whether a text is in a set.
type labelTest struct {
	field *column.Field
	one   column.Label
	more  map[column.Label]bool // nil: a single one
}

// textOf returns the test of a column of texts.
func textOf(f *column.Field, op Op, values []Value) node {
	switch op {
	case Match, NotMatch:
		return &textTest{field: f, test: regexp.MustCompile("(?s)" + values[0].Text).MatchString} // as in the engine: . also matches a line break
	case Has:
		return &textTest{field: f, test: newNeedle(values[0].Text).in}
	}
	t := &labelTest{field: f, one: column.LabelOf(values[0].Text)}
	if len(values) > 1 {
		t.more = make(map[column.Label]bool, len(values))
		for _, v := range values {
			t.more[column.LabelOf(v.Text)] = true
		}
	}
	return t
}

func (n *labelTest) narrow(_ *Matcher, b *column.Batch, keep []bool) {
	cells := labels(b, n.field)
	switch {
	case cells == nil:
		empty := column.Label{}
		constant(n.one == empty || n.more[empty]).narrow(nil, b, keep)
	case n.more == nil:
		for i, v := range cells {
			keep[i] = keep[i] && v == n.one
		}
	default:
		for i, v := range cells {
			keep[i] = keep[i] && n.more[v]
		}
	}
}

// maxKnownTexts bounds the texts whose results a test caches.
const maxKnownTexts = 4096

// textTest tests texts. There are few different ones, so it caches the results.
type textTest struct {
	field *column.Field
	test  func(string) bool
	known map[column.Label]bool
}

func (n *textTest) met(l column.Label) bool {
	met, ok := n.known[l]
	if !ok {
		if n.known == nil || len(n.known) == maxKnownTexts {
			n.known = make(map[column.Label]bool)
		}
		met = n.test(l.String())
		n.known[l] = met
	}
	return met
}

func (n *textTest) narrow(_ *Matcher, b *column.Batch, keep []bool) {
	cells := labels(b, n.field)
	if cells == nil {
		constant(n.met(column.Label{})).narrow(nil, b, keep)
		return
	}
	var last column.Label
	met := n.met(last)
	for i, v := range cells {
		if !keep[i] {
			continue
		}
		if v != last {
			last, met = v, n.met(v)
		}
		keep[i] = met
	}
}

// needle is a text to find in others, ignoring case as positionCaseInsensitiveUTF8 does: letter by letter,
// each by its lower case alone and with the same number of bytes.
type needle []letter

type letter struct {
	lower rune
	size  int // bytes of the letter itself in UTF-8
}

func newNeedle(text string) needle {
	var n needle
	for _, r := range text {
		n = append(n, letter{unicode.ToLower(r), utf8.RuneLen(r)})
	}
	return n
}

func (n needle) in(text string) bool {
	for {
		if n.begins(text) {
			return true
		}
		if text == "" {
			return false
		}
		_, size := utf8.DecodeRuneInString(text)
		text = text[size:]
	}
}

func (n needle) begins(text string) bool {
	for _, want := range n {
		r, size := utf8.DecodeRuneInString(text)
		if size != want.size || r == utf8.RuneError && size == 1 || unicode.ToLower(r) != want.lower {
			return false
		}
		text = text[size:]
	}
	return true
}

// listTest tests whether a list has a number within ranges.
type listTest struct {
	field *column.Field
	in    *numberTest
}

func (n *listTest) narrow(_ *Matcher, b *column.Batch, keep []bool) {
	if !b.Used(n.field) {
		clear(keep)
		return
	}
	for i := range keep {
		keep[i] = keep[i] && n.met(b.List32At(n.field, i))
	}
}

func (n *listTest) met(list []uint32) bool {
	for _, v := range list {
		if contains(n.in.ranges, uint64(v)) {
			return true
		}
	}
	return false
}

// largeTest tests whether a list has one of some large communities.
type largeTest struct {
	field *column.Field
	of    map[column.Uint128]bool
}

func largeOf(f *column.Field, values []Value) node {
	t := &largeTest{f, map[column.Uint128]bool{}}
	for _, v := range values {
		t.of[column.Uint128{Lo: v.Lo, Hi: v.Hi}] = true
	}
	return t
}

func (n *largeTest) narrow(_ *Matcher, b *column.Batch, keep []bool) {
	if !b.Used(n.field) {
		clear(keep)
		return
	}
	for i := range keep {
		keep[i] = keep[i] && n.met(b.List128At(n.field, i))
	}
}

func (n *largeTest) met(list []column.Uint128) bool {
	for _, v := range list {
		if n.of[v] {
			return true
		}
	}
	return false
}

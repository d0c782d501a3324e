package filter

import (
	"bytes"
	"cmp"
	"fmt"

	"netmeta/column"
	"netmeta/flow"
)

// Comparisons of one field with another, and of computed values: the values of the rows are put into columns
// first, then these are compared.

func unmatchable(f *column.Field) error {
	return fmt.Errorf("rows of a batch cannot be matched by %s: unsupported type %s", f.Name, f.SQLType())
}

// real is a number that is either a 64-bit integer or a fraction: the nearest float64, plus the remainder of
// an integer.
type real struct {
	near float64
	more int64
}

func realOf(v uint64) real {
	near := float64(v)
	if near == 1<<64 {
		return real{near, int64(v)} // the difference from 2^64
	}
	return real{near, int64(v - uint64(near))}
}

func realOfSigned(v int64) real {
	if v >= 0 {
		return realOf(uint64(v))
	}
	r := realOf(-uint64(v))
	return real{-r.near, -r.more}
}

func (a real) compare(b real) int {
	if a.near != b.near {
		return cmp.Compare(a.near, b.near)
	}
	return cmp.Compare(a.more, b.more)
}

// meets reports whether an operator holds for the order of two values; Ne stands for its opposite.
func (o Op) meets(order int) bool {
	switch o {
	case Lt:
		return order < 0
	case Le:
		return order <= 0
	case Gt:
		return order > 0
	case Ge:
		return order >= 0
	}
	return order == 0
}

// computed returns the test of a computed value.
func (p program) computed(of *computation, op Op, values []Value) (node, error) {
	n := &realTest{op: op}
	var err error
	n.value.computation, n.value.fields, err = p.computation(of)
	for _, v := range values {
		n.values = append(n.values, [2]real{realOf(v.Lo), realOf(v.Hi)})
	}
	return n, err
}

func (p program) computation(of *computation) (*computation, []*column.Field, error) {
	fields := make([]*column.Field, len(of.fields))
	for i, f := range of.fields {
		var err error
		if fields[i], err = p.field(f); err != nil {
			return nil, nil, err
		}
	}
	return of, fields, nil
}

// realTest compares a computed value with values.
type realTest struct {
	value  operand
	op     Op
	values [][2]real // from, to
}

func (n *realTest) met(v real) bool {
	for _, of := range n.values {
		if n.op >= Lt && n.op <= Ge {
			return n.op.meets(v.compare(of[0]))
		}
		if v.compare(of[0]) >= 0 && v.compare(of[1]) <= 0 {
			return true
		}
	}
	return false
}

func (n *realTest) narrow(m *Matcher, b *column.Batch, keep []bool) {
	values := m.reals.take(len(keep))
	n.value.reals(m, b, values)
	for i, v := range values {
		keep[i] = keep[i] && n.met(v)
	}
	m.reals.give(1)
}

// operand is one side of a comparison of two fields.
type operand struct {
	field, out, direction *column.Field // out and direction: of the remote or local side
	computation           *computation
	fields                []*column.Field // of the computation
}

func (p program) operand(t term) (o operand, err error) {
	if t.of != nil {
		o.computation, o.fields, err = p.computation(t.of)
		return o, err
	}
	if o.field, err = p.field(t.column); err != nil || t.out == nil {
		return o, err
	}
	if o.out, err = p.field(t.out); err != nil {
		return o, err
	}
	o.direction, err = p.field(flow.Direction.Field)
	return o, err
}

// pair returns the comparison of two fields. Ne stands for its opposite.
func (p program) pair(n Compare) (node, error) {
	a, err := p.operand(n.Field.main()[0])
	if err != nil {
		return nil, err
	}
	b, err := p.operand(n.With.main()[0])
	if err != nil {
		return nil, err
	}
	op := n.Op
	switch {
	case n.Field.base.class == classIP:
		return &pairTest{a, b, op, orderAddresses}, nil
	case n.Field.base.class.text():
		return &pairTest{a, b, op, orderLabels}, nil
	case a.computation != nil || b.computation != nil:
		return &pairTest{a, b, op, orderReals}, nil
	}
	for _, f := range []*column.Field{a.field, b.field} {
		if _, err := numberOf(f, &numberTest{}); err != nil {
			return nil, err
		}
	}
	return &pairTest{a, b, op, orderNumbers}, nil
}

// pairTest compares two operands. order has the order of the operands for each row.
type pairTest struct {
	a, b  operand
	op    Op
	order func(m *Matcher, batch *column.Batch, a, b *operand, signs []int8)
}

func (n *pairTest) narrow(m *Matcher, b *column.Batch, keep []bool) {
	signs := m.signs.take(len(keep))
	n.order(m, b, &n.a, &n.b, signs)
	for i, sign := range signs {
		keep[i] = keep[i] && n.op.meets(int(sign))
	}
	m.signs.give(1)
}

func orderNumbers(m *Matcher, batch *column.Batch, a, b *operand, signs []int8) {
	x, y := m.numbers.take(len(signs)), m.numbers.take(len(signs))
	a.numbers(m, batch, x)
	b.numbers(m, batch, y)
	for i := range signs {
		signs[i] = int8(cmp.Compare(x[i], y[i]))
	}
	m.numbers.give(2)
}

func orderReals(m *Matcher, batch *column.Batch, a, b *operand, signs []int8) {
	x, y := m.reals.take(len(signs)), m.reals.take(len(signs))
	a.reals(m, batch, x)
	b.reals(m, batch, y)
	for i := range signs {
		signs[i] = int8(x[i].compare(y[i]))
	}
	m.reals.give(2)
}

func orderAddresses(m *Matcher, batch *column.Batch, a, b *operand, signs []int8) {
	x, y := m.addresses.take(len(signs)), m.addresses.take(len(signs))
	choose(batch, a, addresses, x)
	choose(batch, b, addresses, y)
	for i := range signs {
		signs[i] = int8(bytes.Compare(x[i][:], y[i][:]))
	}
	m.addresses.give(2)
}

// orderLabels distinguishes equal texts from others.
func orderLabels(m *Matcher, batch *column.Batch, a, b *operand, signs []int8) {
	x, y := m.labels.take(len(signs)), m.labels.take(len(signs))
	choose(batch, a, labels, x)
	choose(batch, b, labels, y)
	for i := range signs {
		signs[i] = 0
		if x[i] != y[i] {
			signs[i] = 1
		}
	}
	m.labels.give(2)
}

// choose fills in the values of an operand: of the remote or local side, those that the direction of each row
// selects.
func choose[T any](b *column.Batch, o *operand, cells func(*column.Batch, *column.Field) []T, into []T) {
	var zero T
	if list := cells(b, o.field); list != nil {
		copy(into, list)
	} else {
		fill(into, zero)
	}
	if o.out == nil {
		return
	}
	out := cells(b, o.out)
	for i, d := range cells8(b, o.direction) {
		switch {
		case d != flow.DirectionOut:
		case out == nil:
			into[i] = zero
		default:
			into[i] = out[i]
		}
	}
}

// numbers fills in the values of an operand that is a column of numbers.
func (o *operand) numbers(m *Matcher, b *column.Batch, into []uint64) {
	widen(b, o.field, into)
	if o.out == nil {
		return
	}
	out := m.numbers.take(len(into))
	widen(b, o.out, out)
	for i, d := range cells8(b, o.direction) {
		if d == flow.DirectionOut {
			into[i] = out[i]
		}
	}
	m.numbers.give(1)
}

// widen fills in a column of numbers.
func widen(b *column.Batch, f *column.Field, into []uint64) {
	switch {
	case !b.Used(f):
		clear(into)
	case f.Kind == column.Uint16:
		widenCells(cells16(b, f), into)
	case f.Kind == column.Uint32:
		widenCells(cells32(b, f), into)
	case f.Kind == column.Uint64:
		copy(into, cells64(b, f))
	default:
		widenCells(cells8(b, f), into)
	}
}

func widenCells[T uint8 | uint16 | uint32](cells []T, into []uint64) {
	for i, v := range cells {
		into[i] = uint64(v)
	}
}

// reals fills in the values of an operand.
func (o *operand) reals(m *Matcher, b *column.Batch, into []real) {
	if o.computation == nil {
		numbers := m.numbers.take(len(into))
		o.numbers(m, b, numbers)
		for i, v := range numbers {
			into[i] = realOf(v)
		}
		m.numbers.give(1)
		return
	}
	m.columns = m.columns[:0]
	for _, f := range o.fields {
		cells := m.numbers.take(len(into))
		widenAny(b, f, cells)
		m.columns = append(m.columns, cells)
	}
	o.computation.rows(m.columns, into)
	m.numbers.give(len(o.fields))
}

// widenAny fills in a column of numbers or times, times as stored.
func widenAny(b *column.Batch, f *column.Field, into []uint64) {
	if f.Kind == column.TimeMS && b.Used(f) {
		copy(into, cells64(b, f))
		return
	}
	widen(b, f, into)
}

// Computed values, as in the SQL of each computation.

func dscpOf(columns [][]uint64, into []real) {
	for i, tos := range columns[0] {
		into[i] = realOf(tos >> 2)
	}
}

// milliseconds returns the difference of two times, negative if a record ends before it starts.
func milliseconds(start, end uint64) int64 { return int64(end) - int64(start) }

func durationOf(columns [][]uint64, into []real) {
	for i := range into {
		into[i] = realOfSigned(milliseconds(columns[0][i], columns[1][i]))
	}
}

func rateOf(scale float64) func(columns [][]uint64, into []real) {
	return func(columns [][]uint64, into []real) {
		for i := range into {
			into[i] = real{}
			if d := milliseconds(columns[0][i], columns[1][i]); d > 0 {
				into[i].near = scale * float64(columns[2][i]) / float64(d)
			}
		}
	}
}

func sizeOf(columns [][]uint64, into []real) {
	for i := range into {
		into[i] = real{near: float64(columns[0][i]) / float64(max(columns[1][i], 1))}
	}
}

package filter

import (
	"fmt"

	"netmeta/column"
	"netmeta/flow"
)

// Matcher is a filter compiled for the rows of one table: a tree of loops over columns. It marks the rows
// that the filter's SQL would select. It has its own scratch memory, so it belongs to one goroutine.
type Matcher struct {
	table *column.Table
	root  node
	pools
}

// node clears the marks of rows that do not match. It only reads marked rows. There is one call per batch and
// node, none per row.
type node interface {
	narrow(m *Matcher, b *column.Batch, keep []bool)
}

// Compile makes a matcher for rows of a table. The error names the column that the table lacks.
func (f Filter) Compile(t *column.Table) (*Matcher, error) {
	m := &Matcher{table: t}
	if f.Root == nil {
		m.root = constant(true)
		return m, nil
	}
	var err error
	m.root, err = program{t}.node(f.Root)
	return m, err
}

// Match sets keep[row] for each row of a batch, which must be of the matcher's table. keep
// needs room for all rows.
func (m *Matcher) Match(b *column.Batch, keep []bool) {
	if b.Table() != m.table {
		panic("BUG: a batch of " + b.Table().Name + " for a matcher of " + m.table.Name)
	}
	keep = keep[:b.Len()]
	fill(keep, true)
	m.root.narrow(m, b, keep)
}

// program compiles nodes for a table.
type program struct{ table *column.Table }

// field returns the table's own field for a field of flows.
func (p program) field(f *column.Field) (*column.Field, error) {
	own := p.table.Field(f.Name)
	if own == nil || own.Kind != f.Kind {
		return nil, fmt.Errorf("rows of %s cannot be matched by %s: no such column", p.table.Name, f.Name)
	}
	return own, nil
}

func (p program) node(n Node) (node, error) {
	switch n := n.(type) {
	case And:
		list, err := p.nodes(n.Of)
		return allOf(list), err
	case Or:
		list, err := p.nodes(n.Of)
		return anyOf(list), err
	case Not:
		of, err := p.node(n.Of)
		return noneOf{of}, err
	case Macro:
		if n.Of == nil {
			return constant(true), nil
		}
		return p.node(n.Of)
	case Search:
		return p.search(n.Text)
	case Compare:
		return p.compare(n)
	}
	panic(fmt.Sprintf("BUG: node %T", n))
}

func (p program) nodes(of []Node) ([]node, error) {
	list := make([]node, len(of))
	for i, n := range of {
		var err error
		if list[i], err = p.node(n); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (p program) search(text string) (node, error) {
	needle := newNeedle(text)
	var list anyOf
	for _, f := range searched {
		own, err := p.field(f)
		if err != nil {
			return nil, err
		}
		list = append(list, &textTest{field: own, test: needle.in})
	}
	return list, nil
}

// compare tests the values with each term, as the SQL does: one match is enough.
func (p program) compare(n Compare) (node, error) {
	if n.With != nil {
		of, err := p.pair(n)
		return negated(of, n.Op == Ne), err
	}
	var tests anyOf
	add := func(terms []term, c class, values []Value) error {
		for _, t := range terms {
			of, err := p.term(t, c, n.Op, values)
			if err != nil {
				return err
			}
			tests = append(tests, of)
		}
		return nil
	}
	b := n.Field.base
	main, alt := splitAlt(n.Values)
	if len(main) > 0 {
		if err := add(n.Field.main(), b.class, main); err != nil {
			return nil, err
		}
		if n.textual() {
			if err := add(n.Field.more(), b.class, main); err != nil {
				return nil, err
			}
		}
	}
	if len(alt) > 0 {
		if err := add(n.Field.alt(), b.alt, alt); err != nil {
			return nil, err
		}
	}
	not := n.Op == Ne || n.Op == NotMatch || n.Op == NotIn
	if len(tests) == 1 {
		return negated(tests[0], not), nil
	}
	return negated(tests, not), nil
}

// negated returns the opposite of a node, if not is set.
func negated(of node, not bool) node {
	if not {
		return noneOf{of}
	}
	return of
}

// term returns the test of one side of a field.
func (p program) term(t term, c class, op Op, values []Value) (node, error) {
	if t.of != nil {
		return p.computed(t.of, op, values)
	}
	of, err := p.column(t.column, c, op, values)
	if err != nil || t.out == nil {
		return of, err
	}
	direction, err := p.field(flow.Direction.Field)
	if err != nil {
		return nil, err
	}
	out, err := p.column(t.out, c, op, values)
	return &byDirection{direction: direction, out: out, otherwise: of}, err
}

// column returns the test of a column.
func (p program) column(f *column.Field, c class, op Op, values []Value) (node, error) {
	own, err := p.field(f)
	if err != nil {
		return nil, err
	}
	switch {
	case c.text():
		return textOf(own, op, values), nil
	case c == classIP:
		if op >= Lt && op <= Ge {
			values = []Value{beyond(op, values[0].From)}
		}
		return addressOf(own, values), nil
	case c == classLargeCommunity:
		return largeOf(own, values), nil
	case c == classBits:
		return numberOf(own, bitsOf(values))
	case c == classFlags:
		return numberOf(own, flagsOf(values))
	case c == classEnum:
		return numberOf(own, namesOf(own, values))
	case c.list():
		return &listTest{field: own, in: rangesOf(op, values, 1<<32-1)}, nil
	}
	return numberOf(own, rangesOf(op, values, 1<<64-1))
}

// constant is true for all rows, or for none.
type constant bool

func (c constant) narrow(_ *Matcher, _ *column.Batch, keep []bool) {
	if !c {
		clear(keep)
	}
}

type allOf []node

func (n allOf) narrow(m *Matcher, b *column.Batch, keep []bool) {
	for _, of := range n {
		of.narrow(m, b, keep)
	}
}

type anyOf []node

func (n anyOf) narrow(m *Matcher, b *column.Batch, keep []bool) {
	open := m.marks.take(len(keep)) // marked, and not matched by a node yet
	try := m.marks.take(len(keep))
	copy(open, keep)
	clear(keep)
	for _, of := range n {
		copy(try, open)
		of.narrow(m, b, try)
		for i, met := range try {
			if met {
				keep[i], open[i] = true, false
			}
		}
	}
	m.marks.give(2)
}

type noneOf struct{ of node }

func (n noneOf) narrow(m *Matcher, b *column.Batch, keep []bool) {
	try := m.marks.take(len(keep))
	copy(try, keep)
	n.of.narrow(m, b, try)
	for i, met := range try {
		keep[i] = keep[i] && !met
	}
	m.marks.give(1)
}

// byDirection is a test of the remote or the local side, which is in another column for outbound rows.
type byDirection struct {
	direction      *column.Field
	out, otherwise node
}

func (n *byDirection) narrow(m *Matcher, b *column.Batch, keep []bool) {
	directions := cells8(b, n.direction)
	if directions == nil { // all unknown
		n.otherwise.narrow(m, b, keep)
		return
	}
	out := m.marks.take(len(keep))
	for i, d := range directions {
		out[i] = keep[i] && d == flow.DirectionOut
		keep[i] = keep[i] && d != flow.DirectionOut
	}
	n.out.narrow(m, b, out)
	n.otherwise.narrow(m, b, keep)
	for i, met := range out {
		keep[i] = keep[i] || met
	}
	m.marks.give(1)
}

// Columns of a batch: nil for one that no row has set, whose values are zero.

func cells8(b *column.Batch, f *column.Field) []uint8 {
	if !b.Used(f) {
		return nil
	}
	return b.Uint8s(f)[:b.Len()]
}

func cells16(b *column.Batch, f *column.Field) []uint16 {
	if !b.Used(f) {
		return nil
	}
	return b.Uint16s(f)[:b.Len()]
}

func cells32(b *column.Batch, f *column.Field) []uint32 {
	if !b.Used(f) {
		return nil
	}
	return b.Uint32s(f)[:b.Len()]
}

func cells64(b *column.Batch, f *column.Field) []uint64 {
	if !b.Used(f) {
		return nil
	}
	return b.Uint64s(f)[:b.Len()]
}

func addresses(b *column.Batch, f *column.Field) []column.Addr {
	if !b.Used(f) {
		return nil
	}
	return b.Addrs(f)[:b.Len()]
}

func labels(b *column.Batch, f *column.Field) []column.Label {
	if !b.Used(f) {
		return nil
	}
	return b.LabelColumn(f)[:b.Len()]
}

// pools are the scratch memory of a matcher, reused for each batch.
type pools struct {
	marks     pool[bool]
	signs     pool[int8]
	numbers   pool[uint64]
	reals     pool[real]
	addresses pool[column.Addr]
	labels    pool[column.Label]
	columns   [][]uint64 // input of a computation
}

// pool is a stack of slices.
type pool[T any] struct {
	stack [][]T
	used  int
}

// take returns a slice of n values with arbitrary content, valid until give.
func (p *pool[T]) take(n int) []T {
	if p.used == len(p.stack) {
		p.stack = append(p.stack, nil)
	}
	if cap(p.stack[p.used]) < n {
		p.stack[p.used] = make([]T, n)
	}
	p.used++
	return p.stack[p.used-1][:n]
}

// give frees the last n slices.
func (p *pool[T]) give(n int) { p.used -= n }

func fill[T any](list []T, v T) {
	for i := range list {
		list[i] = v
	}
}

package filter

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/internal/param"
)

// SQL returns the condition as part of a statement, and adds its values to params. It is safe between ANDs,
// and empty if every row matches the filter.
func (f Filter) SQL(params param.Set) string {
	c := compiler{params}
	switch n := f.Root.(type) {
	case nil:
		return ""
	case And:
		return c.joined(n.Of, " AND ")
	default:
		return c.condition(n)
	}
}

// compiler converts nodes to SQL. Everything from outside goes into params; it only writes names of columns,
// functions and {p0:Type}.
type compiler struct{ params param.Set }

// condition returns the SQL of a node, safe between ANDs.
func (c compiler) condition(n Node) string {
	switch n := n.(type) {
	case And:
		return c.junction(n.Of, " AND ")
	case Or:
		return c.junction(n.Of, " OR ")
	case Not:
		switch of := n.Of.(type) {
		case And, Or:
			return "NOT " + c.condition(of) // it has its own parentheses
		case Compare:
			return c.compare(of, true)
		}
		return "NOT (" + c.condition(n.Of) + ")"
	case Macro:
		if n.Of == nil {
			return "1"
		}
		return c.condition(n.Of)
	case Search:
		return c.search(n.Text)
	case Compare:
		return c.compare(n, false)
	}
	panic(fmt.Sprintf("BUG: node %T", n))
}

func (c compiler) junction(nodes []Node, with string) string {
	return "(" + c.joined(nodes, with) + ")"
}

func (c compiler) joined(nodes []Node, with string) string {
	parts := make([]string, len(nodes))
	for i, n := range nodes {
		parts[i] = c.condition(n)
	}
	return strings.Join(parts, with)
}

// searched are the columns that bare text is searched in.
var searched = []*column.Field{
	flow.InIfName.Field, flow.OutIfName.Field, flow.InIfDescription.Field, flow.OutIfDescription.Field, flow.InIfProvider.Field, flow.OutIfProvider.Field,
	flow.ExporterName.Field, flow.SrcNetName.Field, flow.DstNetName.Field, flow.SrcNetTenant.Field, flow.DstNetTenant.Field, flow.ApplicationName.Field,
}

func (c compiler) search(text string) string {
	needle := c.params.Text(text)
	var parts []string
	for _, f := range searched {
		parts = append(parts, "positionCaseInsensitiveUTF8("+f.Name+", "+needle+") > 0")
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// pattern is a condition with a gap for the expression of a side, so that both sides share their parameters.
type pattern struct{ before, after string }

func (p pattern) on(expr string) string { return p.before + expr + p.after }

// compare returns the SQL of a comparison or, with not, of its opposite.
func (c compiler) compare(n Compare, not bool) string {
	negative := (n.Op == Ne || n.Op == NotMatch || n.Op == NotIn) != not
	var parts []string
	add := func(terms []term, patterns []pattern) {
		for _, t := range terms {
			for _, p := range patterns {
				parts = append(parts, p.on(t.sql()))
			}
		}
	}
	f, b := n.Field, n.Field.base
	if n.With != nil {
		op := n.Op
		if op == Ne {
			op = Eq
		}
		other := n.With.main()[0].sql()
		add(f.main(), []pattern{{"", " " + op.String() + " " + other}})
	} else {
		main, alt := splitAlt(n.Values)
		if len(main) > 0 {
			patterns := c.patterns(b, b.class, n.Op, main, b.first)
			add(f.main(), patterns)
			if n.textual() {
				add(f.more(), patterns)
			}
		}
		if len(alt) > 0 {
			add(f.alt(), c.patterns(b, b.alt, n.Op, alt, b.altFirst))
		}
	}
	sql := strings.Join(parts, " OR ")
	switch {
	case negative:
		return "NOT (" + sql + ")"
	case len(parts) > 1:
		return "(" + sql + ")"
	}
	return sql
}

func splitAlt(values []Value) (main, alt []Value) {
	for _, v := range values {
		if v.Alt {
			alt = append(alt, v)
		} else {
			main = append(main, v)
		}
	}
	return main, alt
}

// patterns returns the conditions for the values; one match is enough. Negative operators are handled as
// their opposites.
func (c compiler) patterns(b *base, cl class, op Op, values []Value, f *column.Field) []pattern {
	switch op {
	case Match, NotMatch:
		return []pattern{{"match(", ", " + c.params.Text(values[0].Text) + ")"}}
	case Has:
		if cl.text() {
			return []pattern{{"positionCaseInsensitiveUTF8(", ", " + c.params.Text(values[0].Text) + ") > 0"}}
		}
	case Lt, Le, Gt, Ge:
		v := values[0]
		if cl == classIP {
			return c.addressPatterns([]Value{beyond(op, v.From)})
		}
		return []pattern{{"", " " + op.String() + " " + c.params.Bind(numberType(b, f), strconv.FormatUint(v.Lo, 10))}}
	}
	switch cl {
	case classText, classCountry, classEnum:
		list := make([]string, len(values))
		for i, v := range values {
			list[i] = v.Text
		}
		if len(list) == 1 {
			return []pattern{{"", " = " + c.params.Text(list[0])}}
		}
		return []pattern{{"", " IN " + c.params.Array("String", list)}}
	case classBits: // any of them
		var set uint64
		for _, v := range values {
			set |= v.Lo
		}
		return []pattern{{"bitAnd(", ", " + c.params.Bind(f.SQLType(), strconv.FormatUint(set, 10)) + ") != 0"}}
	case classFlags:
		return c.flagPatterns(values)
	case classIP:
		return c.addressPatterns(values)
	case classLargeCommunity:
		list := make([]string, len(values))
		for i, v := range values {
			list[i] = largeDecimal(v)
		}
		return c.hasPatterns("UInt128", list, nil)
	}
	kind := "UInt32"
	if !cl.list() {
		kind = numberType(b, f)
	}
	var single []string
	var ranges []Value
	for _, v := range values {
		if v.Lo == v.Hi {
			single = append(single, strconv.FormatUint(v.Lo, 10))
		} else {
			ranges = append(ranges, v)
		}
	}
	if cl.list() {
		return c.hasPatterns(kind, single, ranges)
	}
	var patterns []pattern
	switch {
	case len(single) == 1:
		patterns = append(patterns, pattern{"", " = " + c.params.Bind(kind, single[0])})
	case len(single) > 1:
		patterns = append(patterns, pattern{"", " IN " + c.params.Array(kind, single)})
	}
	for _, v := range ranges {
		lo, hi := c.params.Bind(kind, strconv.FormatUint(v.Lo, 10)), c.params.Bind(kind, strconv.FormatUint(v.Hi, 10))
		patterns = append(patterns, pattern{"", " BETWEEN " + lo + " AND " + hi})
	}
	return patterns
}

// numberType returns the type of parameters for a field of numbers: that of the column.
func numberType(b *base, f *column.Field) string {
	if b.of != nil {
		return b.of.kind
	}
	return f.SQLType()
}

func (c compiler) hasPatterns(kind string, single []string, ranges []Value) []pattern {
	var patterns []pattern
	switch {
	case len(single) == 1:
		patterns = append(patterns, pattern{"has(", ", " + c.params.Bind(kind, single[0]) + ")"})
	case len(single) > 1:
		patterns = append(patterns, pattern{"hasAny(", ", " + c.params.Array(kind, single) + ")"})
	}
	for _, v := range ranges {
		lo, hi := c.params.Bind(kind, strconv.FormatUint(v.Lo, 10)), c.params.Bind(kind, strconv.FormatUint(v.Hi, 10))
		patterns = append(patterns, pattern{"arrayExists(x -> x BETWEEN " + lo + " AND " + hi + ", ", ")"})
	}
	return patterns
}

func (c compiler) flagPatterns(values []Value) []pattern {
	var patterns []pattern
	for _, v := range values {
		set := c.params.Bind("UInt16", strconv.FormatUint(v.Lo, 10))
		switch {
		case v.ExactFlags:
			patterns = append(patterns, pattern{"", " = " + set})
		case v.Lo == v.Hi:
			patterns = append(patterns, pattern{"bitAnd(", ", " + set + ") = " + set})
		default:
			patterns = append(patterns, pattern{"bitAnd(", ", " + c.params.Bind("UInt16", strconv.FormatUint(v.Hi, 10)) + ") = " + set})
		}
	}
	return patterns
}

// beyond returns the range of addresses of the same IP version that are less or more than a. If there are
// none, the range ends before it starts.
func beyond(op Op, a netip.Addr) Value {
	whole := prefixValue(netip.PrefixFrom(a, 0))
	v := Value{From: whole.From, To: a}
	switch op {
	case Lt:
		v.To = a.Prev()
	case Gt:
		v = Value{From: a.Next(), To: whole.To}
	case Ge:
		v = Value{From: a, To: whole.To}
	}
	if !v.From.IsValid() || !v.To.IsValid() {
		return Value{From: whole.To, To: whole.From}
	}
	return v
}

// IPv4 is stored within IPv6, as ::ffff:0:0/96. Prefixes of IPv6 that contain this block, including ::/0,
// nevertheless mean IPv6.
var beforeIPv4, afterIPv4 = netip.MustParseAddr("::fffe:ffff:ffff"), netip.MustParseAddr("::1:0:0:0")

// addressRange is addresses from … to, in 16 bytes, both included.
type addressRange struct{ from, to netip.Addr }

// addressRanges returns the addresses of values: single ones, and sorted ranges that neither overlap nor
// touch.
func addressRanges(values []Value) (single []netip.Addr, ranges []addressRange) {
	for _, v := range values {
		from, to := netip.AddrFrom16(v.From.As16()), netip.AddrFrom16(v.To.As16())
		switch {
		case from == to:
			single = append(single, from)
		case !v.From.Is4() && from.Compare(beforeIPv4.Next()) <= 0 && to.Compare(afterIPv4.Prev()) >= 0:
			if from.Compare(beforeIPv4) <= 0 {
				ranges = append(ranges, addressRange{from, beforeIPv4})
			}
			if to.Compare(afterIPv4) >= 0 {
				ranges = append(ranges, addressRange{afterIPv4, to})
			}
		default:
			ranges = append(ranges, addressRange{from, to})
		}
	}
	slices.SortFunc(ranges, func(a, b addressRange) int { return cmp.Or(a.from.Compare(b.from), a.to.Compare(b.to)) })
	merged := ranges[:0]
	for _, r := range ranges {
		if n := len(merged); n > 0 && (r.from.Compare(merged[n-1].to) <= 0 || r.from.Prev() == merged[n-1].to) {
			if r.to.Compare(merged[n-1].to) > 0 {
				merged[n-1].to = r.to
			}
			continue
		}
		merged = append(merged, r)
	}
	return single, merged
}

// addressPatterns puts single addresses into one list.
func (c compiler) addressPatterns(values []Value) []pattern {
	single, ranges := addressRanges(values)
	var patterns []pattern
	switch {
	case len(single) == 1:
		patterns = append(patterns, pattern{"", " = " + c.params.Bind("IPv6", single[0].String())})
	case len(single) > 1:
		texts := make([]string, len(single))
		for i, a := range single {
			texts[i] = a.String()
		}
		patterns = append(patterns, pattern{"", " IN " + c.params.Array("IPv6", texts)})
	}
	for _, r := range ranges {
		patterns = append(patterns, pattern{"", " BETWEEN " + c.params.Bind("IPv6", r.from.String()) + " AND " + c.params.Bind("IPv6", r.to.String())})
	}
	return patterns
}

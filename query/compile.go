package query

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"netmeta/column"
	"netmeta/flow"
)

// A compiler turns nodes into SQL. All that came from outside goes into params;
// what it writes are names of columns, functions and {p0:Type}.
type compiler struct {
	params map[string]string
}

func newCompiler() *compiler { return &compiler{map[string]string{}} }

// param binds a value, in ClickHouse's text form, and gives back its place.
func (c *compiler) param(kind, value string) string {
	name := "p" + strconv.Itoa(len(c.params))
	c.params[name] = value
	return "{" + name + ":" + kind + "}"
}

// escape writes a string as TabSeparated does, which is how parameters are read.
var escape = strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\b", `\b`, "\f", `\f`, "\x00", `\0`, "'", `\'`).Replace

func (c *compiler) text(s string) string { return c.param("String", escape(s)) }

// array binds a list. Elements of a text kind are quoted.
func (c *compiler) array(kind string, values []string) string {
	quoted := kind == "String" || kind == "IPv6"
	var b strings.Builder
	b.WriteByte('[')
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		if quoted {
			b.WriteByte('\'')
			b.WriteString(escape(v))
			b.WriteByte('\'')
		} else {
			b.WriteString(v)
		}
	}
	b.WriteByte(']')
	return c.param("Array("+kind+")", b.String())
}

// sides are the expressions that a field stands for: two for either side of a
// pair, otherwise one.
//
// Remote is the far side: the source of what comes in, the destination of what
// goes out. Of traffic that does neither (internal, transit, unknown) the source
// counts as remote and the destination as local.
func (f *Field) sides(first, second *column.Field) []string {
	if f.base.expr != "" {
		return []string{f.base.expr}
	}
	switch f.Side {
	case "any":
		return []string{first.Name, second.Name}
	case "dst", "out":
		return []string{second.Name}
	case "remote":
		return []string{"if(Direction = 'out', " + second.Name + ", " + first.Name + ")"}
	case "local":
		return []string{"if(Direction = 'out', " + first.Name + ", " + second.Name + ")"}
	}
	return []string{first.Name}
}

// condition is the SQL of a node, safe to stand between AND.
func (c *compiler) condition(n Node) string {
	switch n := n.(type) {
	case And:
		return c.junction(n.Of, " AND ")
	case Or:
		return c.junction(n.Of, " OR ")
	case Not:
		switch of := n.Of.(type) {
		case And, Or:
			return "NOT " + c.condition(of) // brings its parentheses
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

func (c *compiler) junction(nodes []Node, with string) string {
	parts := make([]string, len(nodes))
	for i, n := range nodes {
		parts[i] = c.condition(n)
	}
	return "(" + strings.Join(parts, with) + ")"
}

// searched are the columns in which bare text is looked for.
var searched = []*column.Field{
	flow.InIfName.Field, flow.OutIfName.Field, flow.InIfDescription.Field, flow.OutIfDescription.Field, flow.InIfProvider.Field, flow.OutIfProvider.Field,
	flow.ExporterName.Field, flow.SrcNetName.Field, flow.DstNetName.Field, flow.SrcNetTenant.Field, flow.DstNetTenant.Field, flow.ApplicationName.Field,
}

func (c *compiler) search(text string) string {
	needle := c.text(text)
	var parts []string
	for _, f := range searched {
		parts = append(parts, "positionCaseInsensitiveUTF8("+f.Name+", "+needle+") > 0")
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// A pattern is a condition with a gap for the expression of a side, so that both
// sides share their parameters.
type pattern struct{ before, after string }

func (p pattern) on(expr string) string { return p.before + expr + p.after }

// compare is the SQL of a comparison or, with not, of its opposite.
func (c *compiler) compare(n Compare, not bool) string {
	negative := (n.Op == Ne || n.Op == NotMatch || n.Op == NotIn) != not
	var parts []string
	add := func(exprs []string, patterns []pattern) {
		for _, e := range exprs {
			for _, p := range patterns {
				parts = append(parts, p.on(e))
			}
		}
	}
	f, b := n.Field, n.Field.base
	if n.With != nil {
		op := n.Op
		if op == Ne {
			op = Eq
		}
		other := n.With.sides(n.With.base.first, n.With.base.second)[0]
		add(f.sides(b.first, b.second), []pattern{{"", " " + op.String() + " " + other}})
	} else {
		main, alt := splitAlt(n.Values)
		if len(main) > 0 {
			patterns := c.patterns(b, b.class, n.Op, main, b.first)
			add(f.sides(b.first, b.second), patterns)
			if b.moreFirst != nil && (n.Op == Match || n.Op == NotMatch || n.Op == Has) {
				add(f.sides(b.moreFirst, b.moreSecnd), patterns)
			}
		}
		if len(alt) > 0 {
			add(f.sides(b.altFirst, b.altSecond), c.patterns(b, b.alt, n.Op, alt, b.altFirst))
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

// patterns are the conditions for the values, any of which is enough. Negative
// operators are handled by their opposites.
func (c *compiler) patterns(b *base, cl class, op Op, values []Value, f *column.Field) []pattern {
	switch op {
	case Match, NotMatch:
		return []pattern{{"match(", ", " + c.text(values[0].Text) + ")"}}
	case Has:
		if cl.text() {
			return []pattern{{"positionCaseInsensitiveUTF8(", ", " + c.text(values[0].Text) + ") > 0"}}
		}
	case Lt, Le, Gt, Ge:
		v := values[0]
		if cl == classIP {
			return c.addressPatterns([]Value{beyond(op, v.From)})
		}
		return []pattern{{"", " " + op.String() + " " + c.param(numberType(b, f), strconv.FormatUint(v.Lo, 10))}}
	}
	switch cl {
	case classText, classCountry, classEnum:
		list := make([]string, len(values))
		for i, v := range values {
			list[i] = v.Text
		}
		if len(list) == 1 {
			return []pattern{{"", " = " + c.text(list[0])}}
		}
		return []pattern{{"", " IN " + c.array("String", list)}}
	case classBits: // any of them
		var set uint64
		for _, v := range values {
			set |= v.Lo
		}
		return []pattern{{"bitAnd(", ", " + c.param(f.SQLType(), strconv.FormatUint(set, 10)) + ") != 0"}}
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
		patterns = append(patterns, pattern{"", " = " + c.param(kind, single[0])})
	case len(single) > 1:
		patterns = append(patterns, pattern{"", " IN " + c.array(kind, single)})
	}
	for _, v := range ranges {
		lo, hi := c.param(kind, strconv.FormatUint(v.Lo, 10)), c.param(kind, strconv.FormatUint(v.Hi, 10))
		patterns = append(patterns, pattern{"", " BETWEEN " + lo + " AND " + hi})
	}
	return patterns
}

// numberType is the type of parameters for a field of numbers: that of the column.
func numberType(b *base, f *column.Field) string {
	if b.expr != "" {
		return b.exprType
	}
	return f.SQLType()
}

func (c *compiler) hasPatterns(kind string, single []string, ranges []Value) []pattern {
	var patterns []pattern
	switch {
	case len(single) == 1:
		patterns = append(patterns, pattern{"has(", ", " + c.param(kind, single[0]) + ")"})
	case len(single) > 1:
		patterns = append(patterns, pattern{"hasAny(", ", " + c.array(kind, single) + ")"})
	}
	for _, v := range ranges {
		lo, hi := c.param(kind, strconv.FormatUint(v.Lo, 10)), c.param(kind, strconv.FormatUint(v.Hi, 10))
		patterns = append(patterns, pattern{"arrayExists(x -> x BETWEEN " + lo + " AND " + hi + ", ", ")"})
	}
	return patterns
}

func (c *compiler) flagPatterns(values []Value) []pattern {
	var patterns []pattern
	for _, v := range values {
		set := c.param("UInt16", strconv.FormatUint(v.Lo, 10))
		switch {
		case v.ExactFlags:
			patterns = append(patterns, pattern{"", " = " + set})
		case v.Lo == v.Hi:
			patterns = append(patterns, pattern{"bitAnd(", ", " + set + ") = " + set})
		default:
			patterns = append(patterns, pattern{"bitAnd(", ", " + c.param("UInt16", strconv.FormatUint(v.Hi, 10)) + ") = " + set})
		}
	}
	return patterns
}

// beyond is the range of addresses that are less or more than a, of its version of
// IP. Where there are none the range ends before it begins.
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

// IPv4 is stored inside of IPv6, as ::ffff:0:0/96. Prefixes of IPv6 that hold this
// block, ::/0 among them, mean IPv6 all the same.
var beforeIPv4, afterIPv4 = netip.MustParseAddr("::fffe:ffff:ffff"), netip.MustParseAddr("::1:0:0:0")

// addressPatterns put single addresses into one list and merge ranges that touch.
func (c *compiler) addressPatterns(values []Value) []pattern {
	var single []string
	type span struct{ from, to netip.Addr }
	var ranges []span
	for _, v := range values {
		from, to := netip.AddrFrom16(v.From.As16()), netip.AddrFrom16(v.To.As16())
		switch {
		case from == to:
			single = append(single, ip6(from))
		case !v.From.Is4() && from.Compare(beforeIPv4.Next()) <= 0 && to.Compare(afterIPv4.Prev()) >= 0:
			if from.Compare(beforeIPv4) <= 0 {
				ranges = append(ranges, span{from, beforeIPv4})
			}
			if to.Compare(afterIPv4) >= 0 {
				ranges = append(ranges, span{afterIPv4, to})
			}
		default:
			ranges = append(ranges, span{from, to})
		}
	}
	slices.SortFunc(ranges, func(a, b span) int { return cmp.Or(a.from.Compare(b.from), a.to.Compare(b.to)) })
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
	var patterns []pattern
	switch {
	case len(single) == 1:
		patterns = append(patterns, pattern{"", " = " + c.param("IPv6", single[0])})
	case len(single) > 1:
		patterns = append(patterns, pattern{"", " IN " + c.array("IPv6", single)})
	}
	for _, r := range merged {
		patterns = append(patterns, pattern{"", " BETWEEN " + c.param("IPv6", ip6(r.from)) + " AND " + c.param("IPv6", ip6(r.to))})
	}
	return patterns
}

// ip6 is an address as it is stored: IPv4 as ::ffff:a.b.c.d.
func ip6(a netip.Addr) string { return netip.AddrFrom16(a.As16()).String() }

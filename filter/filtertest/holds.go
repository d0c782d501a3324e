// Package filtertest has what tests of filters share: what a filter means, row by row and in
// the plainest way, and random filters and rows that meet each other.
package filtertest

import (
	"fmt"
	"math/big"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"netmeta/column"
	"netmeta/filter"
	"netmeta/flow"
)

// Holds says, slowly and obviously, whether a row meets a filter.
func Holds(n filter.Node, b *column.Batch, row int) bool {
	switch n := n.(type) {
	case filter.And:
		return !slices.ContainsFunc(n.Of, func(n filter.Node) bool { return !Holds(n, b, row) })
	case filter.Or:
		return slices.ContainsFunc(n.Of, func(n filter.Node) bool { return Holds(n, b, row) })
	case filter.Not:
		return !Holds(n.Of, b, row)
	case filter.Macro:
		return n.Of == nil || Holds(n.Of, b, row)
	case filter.Search:
		for _, name := range []string{"in.if", "out.if", "in.ifdescription", "out.ifdescription", "in.provider", "out.provider", "exportername", "src.netname", "dst.netname", "src.nettenant", "dst.nettenant", "app"} {
			if strings.Contains(fold(Value(Field(name), b, row).(string)), fold(n.Text)) {
				return true
			}
		}
		return false
	case filter.Compare:
		return compare(n, b, row)
	}
	panic(fmt.Sprintf("node %T", n))
}

func compare(n filter.Compare, b *column.Batch, row int) bool {
	positive := map[filter.Op]filter.Op{filter.Ne: filter.Eq, filter.NotMatch: filter.Match, filter.NotIn: filter.In}
	if op, ok := positive[n.Op]; ok {
		n.Op = op
		return !compare(n, b, row)
	}
	if n.With != nil {
		x, y := Values(n.Field.Name, b, row)[0], Values(n.With.Name, b, row)[0]
		return ordered(n.Op, order(x, y))
	}
	for _, v := range n.Values {
		names := []string{n.Field.Name}
		_, name, sided := strings.Cut(n.Field.Name, ".")
		if !sided {
			name = n.Field.Name
		}
		side := strings.TrimSuffix(n.Field.Name, name)
		switch {
		case name == "if" && v.Alt:
			names = []string{side + "ifindex"}
		case name == "if" && (n.Op == filter.Match || n.Op == filter.Has):
			names = append(names, side+"ifdescription")
		case name == "exporter" && v.Alt:
			names = []string{"exportername"}
		case name == "community" && v.Alt:
			names = []string{"largecommunity"}
		}
		for _, name := range names {
			for _, x := range Values(name, b, row) {
				if meets(n.Op, x, v, name) {
					return true
				}
			}
		}
	}
	return false
}

func ordered(op filter.Op, c int) bool {
	switch op {
	case filter.Lt:
		return c < 0
	case filter.Le:
		return c <= 0
	case filter.Gt:
		return c > 0
	case filter.Ge:
		return c >= 0
	}
	return c == 0
}

func order(x, y any) int {
	switch x := x.(type) {
	case netip.Addr:
		a, b := x.As16(), y.(netip.Addr).As16()
		return slices.Compare(a[:], b[:])
	case string:
		return strings.Compare(x, y.(string))
	}
	return number(x).Cmp(number(y))
}

// number is the exact value.
func number(x any) *big.Rat {
	switch x := x.(type) {
	case uint64:
		return new(big.Rat).SetInt(new(big.Int).SetUint64(x))
	case int64:
		return new(big.Rat).SetInt64(x)
	case float64:
		return new(big.Rat).SetFloat64(x)
	}
	panic(fmt.Sprintf("%T", x))
}

// fold writes letters as their lower case where that has as many octets.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if low := unicode.ToLower(r); utf8.RuneLen(low) == utf8.RuneLen(r) {
			return low
		}
		return r
	}, s)
}

func meets(op filter.Op, x any, v filter.Value, name string) bool {
	switch x := x.(type) {
	case string:
		switch op {
		case filter.Match:
			return regexp.MustCompile("(?s)" + v.Text).MatchString(x)
		case filter.Has:
			return strings.Contains(fold(x), fold(v.Text))
		}
		return x == v.Text
	case netip.Addr:
		switch {
		case x.Is4() != v.From.Is4():
			return false
		case op != filter.Eq && op != filter.In:
			return ordered(op, order(x, v.From))
		}
		return order(x, v.From) >= 0 && order(x, v.To) <= 0
	case []uint64:
		return slices.ContainsFunc(x, func(n uint64) bool { return n >= v.Lo && n <= v.Hi })
	case []column.Uint128:
		return slices.Contains(x, column.Uint128{Lo: v.Lo, Hi: v.Hi})
	case uint64:
		switch {
		case name == "quality":
			return x&v.Lo != 0
		case name == "flags" && v.ExactFlags:
			return x == v.Lo
		case name == "flags":
			return x&v.Hi == v.Lo
		}
	}
	if op != filter.Eq && op != filter.In {
		return ordered(op, order(x, v.Lo))
	}
	return order(x, v.Lo) >= 0 && order(x, v.Hi) <= 0
}

// Field finds the column of a name with its side.
func Field(name string) *column.Field {
	for _, f := range flow.Table.Fields {
		if f.FilterName() == name {
			return f
		}
	}
	panic("no field " + name)
}

// Values are those that a name of the filter language stands for in a row.
func Values(name string, b *column.Batch, row int) []any {
	duration := int64(flow.FlowEnd.At(b, row)) - int64(flow.FlowStart.At(b, row))
	perSecond := func(v float64) []any {
		if duration <= 0 {
			return []any{0.0}
		}
		return []any{v / float64(duration)}
	}
	packets := flow.Packets.At(b, row)
	switch name {
	case "dscp":
		return []any{uint64(flow.IPTos.At(b, row) >> 2)}
	case "duration":
		return []any{duration}
	case "bps":
		return perSecond(float64(flow.Bytes.At(b, row)) * 8000)
	case "pps":
		return perSecond(float64(packets) * 1000)
	case "bpp":
		return []any{float64(flow.Bytes.At(b, row)) / float64(max(packets, 1))}
	}
	side, rest, sided := strings.Cut(name, ".")
	if !sided {
		for _, pair := range [][2]string{{"src.", "dst."}, {"in.", "out."}} {
			for _, f := range flow.Table.Fields {
				if f.FilterName() == pair[0]+name {
					return []any{Value(f, b, row), Value(f.Twin(), b, row)}
				}
			}
		}
	}
	out := flow.Direction.At(b, row) == flow.DirectionOut
	switch {
	case side == "remote" && out, side == "local" && !out:
		name = "dst." + rest
	case side == "remote", side == "local":
		name = "src." + rest
	}
	return []any{Value(Field(name), b, row)}
}

// Value is the value of a column: uint64, string, netip.Addr or a list.
func Value(f *column.Field, b *column.Batch, row int) any {
	switch f.Kind {
	case column.Uint8:
		return uint64(b.Uint8s(f)[row])
	case column.Enum:
		return f.Enum[b.Uint8s(f)[row]]
	case column.Uint16:
		return uint64(b.Uint16s(f)[row])
	case column.Uint32:
		return uint64(b.Uint32s(f)[row])
	case column.Uint64:
		return b.Uint64s(f)[row]
	case column.IP:
		return b.Addrs(f)[row].IP()
	case column.Text:
		return b.LabelColumn(f)[row].String()
	case column.Uint32List:
		var list []uint64
		for _, v := range b.List32At(f, row) {
			list = append(list, uint64(v))
		}
		return list
	case column.Uint128List:
		return slices.Clone(b.List128At(f, row))
	}
	panic("kind of " + f.Name)
}

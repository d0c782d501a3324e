package class

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"netmeta/column"
	"netmeta/enrich/network"
	"netmeta/flow"
)

// slow says the direction of a row as the package comment tells it.
func slow(c Config, b *column.Batch, row int) string {
	owns := func(a column.Addr, as uint32) (own, known bool) {
		if a == (column.Addr{}) {
			return false, false
		}
		for _, p := range c.Prefixes {
			if p.Contains(a.IP()) {
				return true, true
			}
		}
		if slices.Contains(c.AS, as) {
			return true, true
		}
		return false, len(c.Prefixes) > 0 || len(c.AS) > 0 && as != 0
	}
	src, srcKnown := owns(flow.SrcAddr.At(b, row), flow.SrcAS.At(b, row))
	dst, dstKnown := owns(flow.DstAddr.At(b, row), flow.DstAS.At(b, row))
	if srcKnown && dstKnown {
		switch {
		case src && dst:
			return "internal"
		case src:
			return "out"
		case dst:
			return "in"
		}
		return "transit"
	}
	in := flow.InIfBoundary.Field.Enum[flow.InIfBoundary.At(b, row)]
	out := flow.OutIfBoundary.Field.Enum[flow.OutIfBoundary.At(b, row)]
	switch {
	case in == "external" && out == "external":
		return "transit"
	case in == "external":
		return "in"
	case out == "external":
		return "out"
	case in == "internal" && out == "internal":
		return "internal"
	}
	return flow.Direction.Field.Enum[flow.Direction.At(b, row)]
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// Every combination of what is configured, what the interfaces are and what the record
// says gives what the slow, obvious version gives.
func TestAgainstSlow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[string]int{}
	for _, c := range []Config{
		{},
		{Prefixes: []network.Prefix{pfx("10.0.0.0/8"), pfx("2001:db8::/32")}},
		{AS: []uint32{64500, 64501}},
		{Prefixes: []network.Prefix{pfx("10.0.0.0/8")}, AS: []uint32{64500}},
	} {
		table := New(c)
		b := flow.Table.NewBatch(4096)
		for !b.Full() {
			row := b.Add()
			addr := func() column.Addr {
				return pick(r, column.Addr{}, column.AddrFrom4([4]byte{10, 1, 2, 3}), column.AddrFrom4([4]byte{192, 0, 2, 1}), column.Addr{0x20, 1, 0xd, 0xb8, 15: 1}, column.Addr{0x20, 2})
			}
			flow.SrcAddr.Set(b, row, addr())
			flow.DstAddr.Set(b, row, addr())
			flow.SrcAS.Set(b, row, pick[uint32](r, 0, 64500, 64501, 174))
			flow.DstAS.Set(b, row, pick[uint32](r, 0, 64500, 64501, 174))
			flow.InIfBoundary.Set(b, row, uint8(r.IntN(3)))
			flow.OutIfBoundary.Set(b, row, uint8(r.IntN(3)))
			flow.Direction.Set(b, row, uint8(r.IntN(3)))
		}
		want := make([]string, b.Len())
		for row := range want {
			want[row] = slow(c, b, row)
			seen[want[row]]++
		}
		table.Apply(b)
		for row := range want {
			if got := flow.Direction.Field.Enum[flow.Direction.At(b, row)]; got != want[row] {
				t.Fatalf("%+v: %s is %s, want %s", c, column.AppendJSON(nil, b, row), got, want[row])
			}
		}
	}
	if len(seen) != len(flow.Direction.Field.Enum) {
		t.Errorf("only %v were tried", seen)
	}
}

func TestMistakes(t *testing.T) {
	if err := (Config{AS: []uint32{64500, 0}}).Validate(); err == nil || !strings.Contains(err.Error(), "as: 0: not an AS number") {
		t.Errorf("AS 0: %v", err)
	}
	if err := (Config{AS: []uint32{64500}}).Validate(); err != nil {
		t.Error(err)
	}
}

// Without anything to go by, no column is touched.
func TestNothingKnown(t *testing.T) {
	b := flow.Table.NewBatch(1)
	b.Add()
	New(Config{}).Apply(b)
	if b.Used(flow.Direction.Field) {
		t.Error("the direction is in use without a value")
	}
}

func pfx(text string) network.Prefix {
	p, err := network.ParsePrefix(text)
	if err != nil {
		panic(err)
	}
	return p
}

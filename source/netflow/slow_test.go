package netflow

import (
	"math/rand/v2"
	"slices"
	"testing"

	"netmeta/column"
	"netmeta/flow"
)

// fillNumber sets a column that is zero.
func fillNumber(b *column.Batch, f *column.Field, row int, v uint64) {
	switch f.Kind {
	case column.Uint8:
		if c := b.Uint8s(f); c[row] == 0 {
			c[row] = uint8(v)
		}
	case column.Uint16:
		if c := b.Uint16s(f); c[row] == 0 {
			c[row] = uint16(v)
		}
	case column.Uint32:
		if c := b.Uint32s(f); c[row] == 0 {
			c[row] = uint32(v)
		}
	case column.Uint64:
		if c := b.Uint64s(f); c[row] == 0 {
			c[row] = v
		}
	}
}

// slowRecord decodes one record the obvious way, into a row: for every field, the
// elements that carry it, one after the other.
func slowRecord(b *column.Batch, elements []element, values [][]byte, exported int64, uptime uint32, v9 bool) {
	row := b.Add()
	all := func(id uint16) (list [][]byte) {
		for i, e := range elements {
			if e.IE == (column.IE{ID: id}) && e.length > 0 {
				list = append(list, values[i])
			}
		}
		return list
	}
	first := func(id uint16) ([]byte, bool) {
		if list := all(id); len(list) > 0 {
			return list[0], true
		}
		return nil, false
	}
	num := func(p []byte) (v uint64) {
		for _, c := range p {
			v = v<<8 + uint64(c)
		}
		return v
	}
	num1 := func(id uint16) uint64 { p, _ := first(id); return num(p) }
	addr := func(p []byte) (a column.Addr, ok bool) {
		switch len(p) {
		case 4:
			return column.AddrFrom4([4]byte(p)), true
		case 16:
			return column.Addr(p), true
		}
		return a, false
	}

	for _, f := range flow.Table.Fields {
		for _, ie := range f.IE {
			for _, p := range all(ie.ID) {
				switch {
				case f == flow.EType.Field:
				case f == flow.SrcAddr.Field || f == flow.DstAddr.Field:
				case f == flow.Bytes.Field || f == flow.Packets.Field:
				case f.Kind == column.IP:
					if a, ok := addr(p); ok && !unset(a) && b.Addrs(f)[row] == (column.Addr{}) {
						b.Addrs(f)[row] = a
					}
				case len(p) <= 8:
					fillNumber(b, f, row, num(p))
				}
			}
		}
	}
	for f, list := range map[column.U64][]uint16{flow.Bytes: {1, 23, 85, 171, 231, 352, 417, 353, 420}, flow.Packets: {2, 24, 86, 172, 298, 430, 431}} {
		for _, id := range list {
			if p, ok := first(id); ok {
				if len(p) <= 8 {
					f.Set(b, row, num(p))
				}
				break
			}
		}
	}
	for f, outer := range map[column.IPs]column.IPs{flow.SrcAddr: flow.OuterSrcAddr, flow.DstAddr: flow.OuterDstAddr} {
		found := false
		for i, e := range elements {
			a, ok := addr(values[i])
			switch {
			case e.length == variable || !ok || !slices.Contains(f.Field.IE, e.IE):
			case !found || !unset(a) && unset(f.At(b, row)):
				f.Set(b, row, a)
				found = true
			case !unset(a):
				if outer.At(b, row) == (column.Addr{}) {
					outer.Set(b, row, f.At(b, row))
				}
				f.Set(b, row, a)
			}
		}
	}
	clock := func(f column.U64, s, ms, us, ns, up uint16) {
		t := num1(ms)
		if t == 0 {
			t = ntpMillis(num1(ns))
		}
		if t == 0 {
			t = ntpMillis(num1(us))
		}
		if t == 0 {
			t = num1(s) * 1000
		}
		if p, ok := first(up); ok && t == 0 && v9 {
			t = uint64(exported - int64(int32(uptime-uint32(num(p)))))
		}
		f.Set(b, row, t)
	}
	clock(flow.FlowStart, 150, 152, 154, 156, 22)
	clock(flow.FlowEnd, 151, 153, 155, 157, 21)

	if r := num1(34); r > 0 {
		flow.SamplingRate.Set(b, row, uint32(min(r, 1<<32-1)))
		flow.SamplingSource.Set(b, row, flow.SamplingRecord)
	}
	for _, id := range []uint16{32, 139} {
		if v := num1(id); v != 0 && flow.IcmpType.At(b, row) == 0 && flow.IcmpCode.At(b, row) == 0 {
			flow.IcmpType.Set(b, row, uint8(v>>8))
			flow.IcmpCode.Set(b, row, uint8(v))
		}
	}
	if p, _ := first(61); len(p) > 0 && num(p) < 2 {
		flow.Direction.Set(b, row, flow.DirectionIn+uint8(num(p)))
	}
	src, dst := flow.SrcAddr.At(b, row), flow.DstAddr.At(b, row)
	version := num1(60)
	if flow.OuterSrcAddr.At(b, row) != (column.Addr{}) {
		version = 0 // of the outer header
	}
	v4, v6 := false, false
	for i, e := range elements {
		if slices.Contains([]uint16{8, 12, 27, 28}, e.ID) && e.PEN == 0 && e.length != variable {
			v4, v6 = v4 || len(values[i]) == 4, v6 || len(values[i]) == 16
		}
	}
	switch {
	case version == 4:
		flow.EType.Set(b, row, flow.EtherTypeIPv4)
	case version == 6:
		flow.EType.Set(b, row, flow.EtherTypeIPv6)
	case !unset(src):
		flow.EType.Set(b, row, etherTypeOf(src))
	case !unset(dst):
		flow.EType.Set(b, row, etherTypeOf(dst))
	case v4 && !v6:
		flow.EType.Set(b, row, flow.EtherTypeIPv4)
	case v6 && !v4:
		flow.EType.Set(b, row, flow.EtherTypeIPv6)
	}
}

var addressElements = []uint16{8, 12, 27, 28, 15, 62, 18, 63, 225, 226, 281, 282}

// slowElements are the elements that slowRecord knows.
func slowElements() (pool []uint16) {
	for _, f := range flow.Table.Fields {
		for _, ie := range f.IE {
			if ie.ID != 256 && f != flow.IcmpType.Field && f != flow.IcmpCode.Field {
				pool = append(pool, ie.ID)
			}
		}
	}
	return append(pool, 21, 22, 150, 151, 152, 153, 154, 155, 156, 157, 34, 32, 61, 60, 231, 298, 352, 353, 417, 420, 430, 431, 9999, 210)
}

// slowFinish does to the rows of slowRecord what finish does, which is not in the
// slow version.
func slowFinish(d *Decoder, want, got *column.Batch, version uint16, list []element) {
	if want.Len() == 0 {
		return
	}
	d.message = message{version: version, typ: got.Uint8s(flow.FlowType.Field)[0], received: arrival.UnixMilli(), exporter: router,
		addr: column.AddrFrom(router.Addr()), reported: noOptions, entry: d.last.entry}
	d.batch = want
	d.finish(compile(list), 0, want.Len())
}

// TestPlan compares the plan with slowRecord on random templates and records.
func TestPlan(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pool := slowElements()
	for range 3000 {
		version := uint16(9 + r.IntN(2))
		var list []element
		variables := r.IntN(3) == 0
		seen := map[uint16]bool{}
		for range 1 + r.IntN(25) {
			id := pool[r.IntN(len(pool))]
			if id == 4 && seen[4] {
				continue // twice the protocol means two headers: TestTwoHeaders
			}
			seen[id] = true
			e := iana(id, uint16(r.IntN(9)))
			switch {
			case slices.Contains(addressElements, id):
				e.length = []uint16{4, 16, 4, 16, 5}[r.IntN(5)]
			case id >= 154 && id <= 157:
				e.length = 8
			case id == 21 || id == 22:
				e.length = 4
			case variables && r.IntN(4) == 0:
				e.length = variable
			case version == 10 && r.IntN(20) == 0:
				e.PEN = 9999
			}
			list = append(list, e)
		}
		// Something that is not zero, so that a record has a length and is no padding.
		list = append(list, iana(9999, 1))

		want, got := flow.Table.NewBatch(64), flow.Table.NewBatch(64)
		n := 1 + r.IntN(5)
		var body []byte
		for range n {
			values := make([][]byte, len(list))
			for i, e := range list {
				size := int(e.length)
				if e.length == variable {
					size = r.IntN(9)
					body = append(body, byte(size))
				}
				values[i] = make([]byte, size)
				if r.IntN(3) > 0 {
					for j := range values[i] {
						values[i][j] = byte(r.Uint32())
					}
				}
				if i == len(list)-1 {
					values[i][0] |= 1
				}
				body = append(body, values[i]...)
			}
			slowRecord(want, list, values, arrival.Unix()*1000, 1_000_000, version == 9)
		}
		d := New(Options{}).Decoder()
		m := datagram{version: version, body: slices.Concat(templateOf(version, 300, list...), set16(300, body...))}
		m.decode(d, got)
		if got.Len() != n {
			t.Fatalf("%v: %d rows, want %d", list, got.Len(), n)
		}
		slowFinish(d, want, got, version, list)
		for row := range n {
			g, w := column.AppendJSON(nil, got, row), column.AppendJSON(nil, want, row)
			if string(g) != string(w) {
				t.Fatalf("version %d, elements %v, row %d:\n got %s\nwant %s", version, list, row, g, w)
			}
		}
	}
}

package filtertest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"

	"netmeta/column"
	"netmeta/filter"
	"netmeta/flow"
)

// Few values, so that random filters find some of the random rows; and the ends of their
// types.
var (
	numbers    = []uint64{0, 1, 2, 6, 17, 46, 53, 64, 80, 100, 174, 184, 255, 443, 1000, 1500, 2048, 65535, 65536, 1 << 24, 1<<32 - 1, 1 << 32, 1<<53 + 1, 1<<63 - 1, 1 << 63, 1<<64 - 1}
	hosts      = []string{"10.0.0.1", "10.0.0.2", "10.0.0.200", "10.1.2.3", "0.0.0.0", "255.255.255.255", "192.0.2.1", "203.0.113.7", "2001:db8::1", "2001:db8:1::2", "::", "::1", "::fffe:ffff:ffff", "::1:0:0:0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}
	prefixes   = []string{"10.0.0.0/8", "10.0.0.0/24", "0.0.0.0/0", "::/0", "2001:db8::/32", "::ffff:10.0.0.0/104", "10.0.0.1-10.0.0.200", "::-2001:db8::1", "2001:db8::/48", "192.0.2.0/31"}
	texts      = []string{"", "et-0/0/1", "ae1", "transit Cogent", "cogent", "DE", "FR", "de", "fra1", "it's \"quoted\" \\ text", "100% \\ of 'it'\ttab", "zeile\nzwei", "MÜNCHEN", "münchen", "Straße", "Ünï", "İstanbul", "ΣΊΣΥΦΟΣ", "σίσυφος", "Жук", "жУК", "日本", "'; DROP TABLE flows; --"}
	parts      = []string{"", "e", "ET", "cogent", "CoGent", "ü", "Ü", "ss", "SE", "ßE", "%", "'", "\\", "\n", "ж", "Σ", "ς", "i", "İ", "本", "x"}
	patterns   = []string{"", "^et-0/0/", "cogent$", "(?i)COGENT", ".", "^$", "zeile.zwei", "[a-f]{2}", `\d+`, `\\`, "^m.nchen$", "(de|fr)", "(?-s)zeile.zwei", "ü|ß", `\bfra`, "^[^a-z]+$"}
	milli      = []uint64{0, 1, 1_700_000_000_000, 1_700_000_000_001, 1_700_000_000_500, 1_700_000_001_500, 1_700_000_060_000, 1_700_003_600_000, 1<<63 - 1}
	durations  = []string{"0", "1", "500", "1500ms", "1s", "60s", "1m", "1h", "1d", "0-1500ms"}
	flagTexts  = []string{"S", "SA", "S/SA", "S/*", "0", "F/FRU", "A", "0x12", "none/SA", "511"}
	macs       = []string{"00:11:22:33:44:55", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"}
	largeTexts = []string{"65000:1:2", "0:0:5", "1:2:3"}
)

func pick[T any](rnd *rand.Rand, of []T) T { return of[rnd.IntN(len(of))] }

// Fill sets the fields of a row, of the flows or of another table. Some stay unset; without
// rare all of the rare ones do.
func Fill(rnd *rand.Rand, b *column.Batch, row int, rare bool) {
	for _, f := range b.Table().Fields {
		if f.Kind == column.Alias || rnd.IntN(6) == 0 || f.Rare && (!rare || rnd.IntN(3) == 0) {
			continue
		}
		set(rnd, b, f, row)
	}
}

func set(rnd *rand.Rand, b *column.Batch, f *column.Field, row int) {
	switch f.Kind {
	case column.Enum:
		b.Uint8s(f)[row] = uint8(rnd.IntN(len(f.Enum)))
	case column.Uint8:
		b.Uint8s(f)[row] = uint8(pick(rnd, numbers))
	case column.Uint16:
		b.Uint16s(f)[row] = uint16(pick(rnd, numbers))
		if f.Show == column.Bits {
			b.Uint16s(f)[row] &= 1<<len(f.Enum) - 1
		}
	case column.Uint32:
		b.Uint32s(f)[row] = uint32(pick(rnd, numbers))
	case column.Time:
		b.Uint32s(f)[row] = uint32(pick(rnd, milli) / 1000)
	case column.Uint64, column.Int64:
		b.Uint64s(f)[row] = pick(rnd, numbers)
		if f.Show == column.MAC {
			b.Uint64s(f)[row] = pick(rnd, []uint64{0, 0x001122334455, 1<<48 - 1})
		}
	case column.TimeMS:
		b.Uint64s(f)[row] = pick(rnd, milli)
	case column.IP:
		b.Addrs(f)[row] = column.AddrFrom(netip.MustParseAddr(pick(rnd, hosts)))
	case column.Text:
		b.LabelColumn(f)[row] = column.LabelOf(pick(rnd, texts))
	case column.Uint32List:
		list := make([]uint32, rnd.IntN(4))
		for i := range list {
			list[i] = uint32(pick(rnd, numbers))
		}
		column.List32{Field: f}.Set(b, row, list)
	case column.Uint128List:
		column.List128{Field: f}.Set(b, row, pick(rnd, [][]column.Uint128{nil, {{Lo: 1<<32 | 2, Hi: 65000}}, {{Lo: 5}, {Lo: 2<<32 | 3, Hi: 1}}}))
	}
}

// Macros are those that Text uses.
var Macros = map[string]string{"dns": "port 53 (tcp or udp)", "internal": "src net 10.0.0.0/8 dst net 10.0.0.0/8", "empty": "", "deep": "@dns or not @internal"}

// Text is a random filter, which Parse takes; depth bounds what is inside each other.
func Text(rnd *rand.Rand, depth int) string {
	if depth > 0 {
		switch rnd.IntN(7) {
		case 0:
			return "(" + Text(rnd, depth-1) + " and " + Text(rnd, depth-1) + ")"
		case 1:
			return "(" + Text(rnd, depth-1) + " or " + Text(rnd, depth-1) + " or " + Text(rnd, depth-1) + ")"
		case 2:
			return "not " + Text(rnd, depth-1)
		}
	}
	for {
		text := condition(rnd)
		if _, err := filter.Parse(text, filter.Names{Macros: Macros}); err == nil {
			return text
		}
	}
}

var catalogue = filter.Catalogue()

func condition(rnd *rand.Rand) string {
	f := pick(rnd, catalogue)
	switch rnd.IntN(16) {
	case 0:
		return quote(pick(rnd, parts))
	case 1:
		return "@" + pick(rnd, []string{"dns", "internal", "empty", "deep"})
	case 2:
		return pick(rnd, []string{"tcp", "udp", "ip4", "ip6", ":53", "AS174", "10.0.0.0/8", "2001:db8::1"})
	case 3, 4: // two fields
		return f.Name + " " + pick(rnd, []string{"=", "!=", "<", "<=", ">", ">="}) + " " + pick(rnd, catalogue).Name
	}
	op := pick(rnd, f.Ops)
	switch op {
	case "~", "!~":
		return f.Name + " " + op + " " + quote(pick(rnd, patterns))
	case "in", "not in":
		values := make([]string, 1+rnd.IntN(4))
		for i := range values {
			values[i] = value(rnd, f, op)
		}
		return f.Name + " " + op + " [" + strings.Join(values, ", ") + "]"
	}
	return f.Name + " " + op + " " + value(rnd, f, op)
}

// value is a value of a field as a filter writes it; not all are of its type.
func value(rnd *rand.Rand, f filter.FieldInfo, op string) string {
	number := strconv.FormatUint(pick(rnd, numbers), 10)
	if rnd.IntN(4) == 0 {
		number += "-" + strconv.FormatUint(pick(rnd, numbers), 10)
	}
	switch {
	case len(f.Values) > 0 && rnd.IntN(8) > 0:
		return pick(rnd, f.Values)
	case f.Kind == "ip" && f.Name == "exporter" && rnd.IntN(2) == 0, f.Kind == "string" && (f.Page != "interface" || rnd.IntN(2) == 0):
		if op == "has" {
			return quote(pick(rnd, parts))
		}
		return quote(pick(rnd, texts))
	case f.Kind == "ip" && rnd.IntN(2) == 0:
		return pick(rnd, prefixes)
	case f.Kind == "ip":
		return pick(rnd, hosts)
	case f.Kind == "mac":
		return pick(rnd, macs)
	case f.Kind == "flags":
		return pick(rnd, flagTexts)
	case f.Kind == "duration":
		return pick(rnd, durations)
	case f.Name == "community":
		return pick(rnd, append([]string{fmt.Sprintf("%d:%d", rnd.IntN(3), rnd.IntN(300)), "0:174", "1:0", "65535:65535", "blackhole"}, largeTexts...))
	case f.Name == "largecommunity":
		return pick(rnd, largeTexts)
	}
	return number
}

func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// Batch is a batch of random flows.
func Batch(rnd *rand.Rand, rows int, rare bool) *column.Batch {
	b := flow.Table.NewBatch(rows)
	for range rows {
		Fill(rnd, b, b.Add(), rare)
	}
	return b
}

package column

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"net/netip"
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendJSON appends one row as a JSON object with the column names of the table.
// Columns that are zero or unset are omitted. Addresses are text with IPv4
// unmapped, MAC addresses aa:bb:cc:dd:ee:ff, times RFC 3339 in UTC with
// milliseconds, enums and bit sets by name.
func AppendJSON(dst []byte, b *Batch, row int) []byte {
	dst = append(dst, '{')
	empty := true
	for _, f := range b.table.Fields {
		if !b.Used(f) || b.zeroAt(f, row) {
			continue
		}
		if !empty {
			dst = append(dst, ',')
		}
		empty = false
		dst = append(dst, '"')
		dst = append(dst, f.Name...)
		dst = append(dst, '"', ':')
		dst = b.appendValue(dst, f, row)
	}
	return append(dst, '}')
}

func (b *Batch) zeroAt(f *Field, row int) bool {
	switch f.store {
	case store8:
		return b.u8[f.slot][row] == 0
	case store16:
		return b.u16[f.slot][row] == 0
	case store32:
		return b.u32[f.slot][row] == 0
	case store64:
		return b.u64[f.slot][row] == 0
	case storeAddr:
		return b.addr[f.slot][row] == Addr{}
	case storeLabel:
		return b.label[f.slot][row] == Label{}
	case storeList32:
		return b.list32[f.slot][row].n == 0
	case storeList128:
		return b.list128[f.slot][row].n == 0
	default:
		return b.pairs[f.slot][row].n == 0
	}
}

func (b *Batch) appendValue(dst []byte, f *Field, row int) []byte {
	switch f.Kind {
	case Enum:
		v := b.u8[f.slot][row]
		if int(v) < len(f.Enum) {
			return AppendString(dst, f.Enum[v])
		}
		return strconv.AppendUint(dst, uint64(v), 10)
	case Time:
		return appendTime(dst, time.Unix(int64(b.u32[f.slot][row]), 0))
	case TimeMS:
		return appendTime(dst, time.UnixMilli(int64(b.u64[f.slot][row])))
	case IP:
		dst = append(dst, '"')
		dst = b.addr[f.slot][row].IP().AppendTo(dst)
		return append(dst, '"')
	case Text, String:
		return AppendString(dst, b.label[f.slot][row].String())
	case Uint32List:
		dst = append(dst, '[')
		for i, v := range b.List32At(f, row) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = strconv.AppendUint(dst, uint64(v), 10)
		}
		return append(dst, ']')
	case Uint128List:
		dst = append(dst, '[')
		for i, v := range b.List128At(f, row) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendString(dst, v.String())
		}
		return append(dst, ']')
	case TextMap:
		dst = append(dst, '{')
		for i, p := range b.PairsAt(f, row) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendString(dst, p.Key.String())
			dst = append(dst, ':')
			dst = AppendString(dst, p.Value)
		}
		return append(dst, '}')
	}
	v := b.numberAt(f, row)
	if f.Kind == Int64 {
		return strconv.AppendInt(dst, int64(v), 10)
	}
	switch f.Show {
	case MAC:
		dst = append(dst, '"')
		dst = AppendMAC(dst, v)
		return append(dst, '"')
	case Bits:
		dst = append(dst, '[')
		first := true
		for bit := range 64 {
			if v>>bit&1 == 0 {
				continue
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			if bit < len(f.Enum) {
				dst = AppendString(dst, f.Enum[bit])
			} else {
				dst = strconv.AppendUint(dst, 1<<bit, 10)
			}
		}
		return append(dst, ']')
	}
	return strconv.AppendUint(dst, v, 10)
}

func (b *Batch) numberAt(f *Field, row int) uint64 {
	switch f.store {
	case store8:
		return uint64(b.u8[f.slot][row])
	case store16:
		return uint64(b.u16[f.slot][row])
	case store32:
		return uint64(b.u32[f.slot][row])
	default:
		return b.u64[f.slot][row]
	}
}

// String returns the number in decimal.
func (u Uint128) String() string {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], u.Hi)
	binary.BigEndian.PutUint64(raw[8:], u.Lo)
	return new(big.Int).SetBytes(raw[:]).String()
}

// AppendMAC appends the lower 48 bits of v as aa:bb:cc:dd:ee:ff.
func AppendMAC(dst []byte, v uint64) []byte {
	const hex = "0123456789abcdef"
	for shift := 40; shift >= 0; shift -= 8 {
		o := byte(v >> shift)
		dst = append(dst, hex[o>>4], hex[o&15])
		if shift > 0 {
			dst = append(dst, ':')
		}
	}
	return dst
}

// AppendAddr appends the address as text, IPv4 unmapped.
func AppendAddr(dst []byte, a [16]byte) []byte { return netip.AddrFrom16(a).Unmap().AppendTo(dst) }

func appendTime(dst []byte, t time.Time) []byte {
	dst = append(dst, '"')
	dst = t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z07:00")
	return append(dst, '"')
}

// AppendString appends s as a JSON string. Texts may come from the network, so
// invalid UTF-8 becomes the replacement character.
func AppendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < 0x20 || r == 0x7f:
			dst = append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

// AppendText appends one row as NAME=VALUE words for terminals. It omits the same
// columns as AppendJSON.
func AppendText(dst []byte, b *Batch, row int) []byte {
	start := len(dst)
	for _, f := range b.table.Fields {
		if !b.Used(f) || b.zeroAt(f, row) {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		dst = append(dst, f.Name...)
		dst = append(dst, '=')
		from := len(dst)
		dst = b.appendValue(dst, f, row)
		if dst[from] == '"' && dst[len(dst)-1] == '"' && !bytes.ContainsAny(dst[from+1:len(dst)-1], ` "\`) {
			dst = append(dst[:from], dst[from+1:len(dst)-1]...)
		}
	}
	return dst
}

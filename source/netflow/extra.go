package netflow

import (
	"bytes"
	"encoding/hex"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"netmeta/column"
	"netmeta/flow"
)

// Elements listed in the configuration go into the map Extra, as text: they may be of any vendor and any
// type.

// extra is an element of a template that goes into Extra.
type extra struct {
	pos  uint16
	typ  valueType
	name column.Label
	of   func(Application) column.Label // not nil: of the application whose ID is at pos
}

// attributes of applications, which options data have for all records with the ID.
var attributes = map[column.IE]func(Application) column.Label{
	{ID: 372}: func(a Application) column.Label { return a.Category },
	{ID: 373}: func(a Application) column.Label { return a.SubCategory },
	{ID: 374}: func(a Application) column.Label { return a.Group },
}

// SetExtra changes the elements that go into Extra; see Options. It takes effect with the next message of
// each decoder.
func (s *State) SetExtra(list []Element) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.Extra = list
	for _, x := range s.exporters {
		for _, dom := range x.domains {
			for _, ses := range dom.sessions {
				for id, t := range ses.templates {
					again := *t // views may have the old one
					again.plan = nil
					ses.templates[id] = &again
				}
			}
		}
		x.everyGenerationLocked()
	}
}

// extras returns the elements of a template that go into Extra. If a record has one twice, the first counts.
// Attributes of applications come from options data if the record has only the ID (95).
func (s *State) extras(elements []element) (list []extra) {
	find := func(ie column.IE) int {
		return slices.IndexFunc(elements, func(e element) bool { return e.IE == ie && e.length > 0 })
	}
	for _, want := range s.options.Extra {
		x := extra{typ: want.typ, name: column.LabelOf(want.Name)}
		pos := find(want.IE)
		if of, ok := attributes[want.IE]; ok && pos < 0 {
			pos, x.of = find(column.IE{ID: 95}), of
		}
		if pos >= 0 {
			x.pos = uint16(pos)
			list = append(list, x)
		}
	}
	return list
}

// putExtras fills Extra of one row. Values that occurred before do not allocate.
func (d *Decoder) putExtras(list []extra, at *layout, record []byte, row int) {
	d.pairs = d.pairs[:0]
	for _, x := range list {
		raw := record[at.offset[x.pos]:][:at.width[x.pos]]
		if x.of != nil {
			if text := x.of(d.metadata.application(appKey(raw))).String(); text != "" {
				d.pairs = append(d.pairs, column.Pair{Key: x.name, Value: text})
			}
			continue
		}
		d.text = appendValue(d.text[:0], x.typ, raw)
		if len(d.text) == 0 {
			continue
		}
		value, ok := d.values[string(d.text)]
		if !ok {
			if len(d.values) >= maxLabels {
				clear(d.values)
			}
			value = string(d.text)
			d.values[value] = value
		}
		d.pairs = append(d.pairs, column.Pair{Key: x.name, Value: value})
	}
	if len(d.pairs) > 0 {
		flow.Extra.Set(d.batch, row, d.pairs)
	}
}

// maxText bounds a value, in bytes.
const maxText = 512

// appendValue writes a value as text: numbers in decimal, addresses and times in their usual form, everything
// else in hexadecimal. A value whose length does not suit its type is also hexadecimal.
func appendValue(dst []byte, typ valueType, p []byte) []byte {
	if len(p) > maxText {
		p = p[:maxText]
	}
	n := len(p)
	switch {
	case n == 0:
		return dst
	case typ == unknownType && n <= 8, typ == unsigned && n <= 8:
		return strconv.AppendUint(dst, number(p, n), 10)
	case typ == unknownType && printable(p):
		return appendText(dst, p)
	case typ == signed && n <= 8:
		shift := 64 - 8*n
		return strconv.AppendInt(dst, int64(number(p, n)<<shift)>>shift, 10)
	case typ == float && n == 4:
		return strconv.AppendFloat(dst, float64(math.Float32frombits(uint32(number(p, 4)))), 'g', -1, 32)
	case typ == float && n == 8:
		return strconv.AppendFloat(dst, math.Float64frombits(number(p, 8)), 'g', -1, 64)
	case typ == boolean && n == 1 && p[0] == 1: // RFC 7011 §6.1.5
		return append(dst, "true"...)
	case typ == boolean && n == 1 && p[0] == 2:
		return append(dst, "false"...)
	case (typ == ipv4Address || typ == ipv6Address) && (n == 4 || n == 16):
		a, _ := netip.AddrFromSlice(p)
		return a.AppendTo(dst)
	case typ == macAddress && n == 6:
		return column.AppendMAC(dst, number(p, 6))
	case typ == text:
		return appendText(dst, p)
	case typ == dateTimeSeconds && n == 4:
		return appendTime(dst, time.Unix(int64(number(p, 4)), 0))
	case typ == dateTimeMilliseconds && n == 8 && number(p, 8) < 1<<48:
		return appendTime(dst, time.UnixMilli(int64(number(p, 8))))
	case typ == dateTimeNTP && n == 8:
		return appendTime(dst, time.UnixMilli(int64(ntpMillis(number(p, 8)))))
	}
	return hex.AppendEncode(dst, p)
}

func appendTime(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z07:00")
}

// appendText appends a string up to its padding, and replaces what is not UTF-8.
func appendText(dst, p []byte) []byte {
	for p = untilZero(p); len(p) > 0; {
		r, size := utf8.DecodeRune(p)
		if r == utf8.RuneError && size == 1 && !utf8.FullRune(p) {
			break // a rune that maxText or the exporter cut
		}
		dst = utf8.AppendRune(dst, r)
		p = p[size:]
	}
	return dst
}

// printable reports that bytes of an unknown type are a string.
func printable(p []byte) bool {
	p = bytes.TrimRight(p, "\x00")
	for len(p) > 0 {
		r, size := utf8.DecodeRune(p)
		if r == utf8.RuneError || !unicode.IsPrint(r) && !unicode.IsSpace(r) {
			return false
		}
		p = p[size:]
	}
	return true
}

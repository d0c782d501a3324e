package filter

import (
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"net/netip"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"netmeta/column"
	"netmeta/internal/nearest"
)

// Values: text of a filter ⇄ Value, by the class of the field.

// value parses one value of the field. Quoted text is never a range.
func (f *Field) value(text string, quoted bool) (Value, error) {
	if f.dual() {
		return f.dualValue(text, quoted)
	}
	return f.base.value(f.base.class, text)
}

// dualValue decides by the form of the text: an interface by number or by name, an exporter by address or by
// name. Quoted text is a name.
func (f *Field) dualValue(text string, quoted bool) (Value, error) {
	b := f.base
	if b.alt == classLargeCommunity {
		if strings.Count(text, ":") == 2 {
			v, err := b.value(classLargeCommunity, text)
			v.Alt = true
			return v, err
		}
		return b.value(b.class, text)
	}
	if b.class.text() {
		if !quoted && startsWithDigit(text) {
			if v, err := numberRange(text, b.altMax(), parsePlain); err == nil {
				v.Alt = true
				return v, nil
			}
		}
		return Value{Text: text}, nil
	}
	if !quoted {
		if v, err := b.value(b.class, text); err == nil {
			return v, nil
		}
	}
	return Value{Text: text, Alt: true}, nil
}

func (b *base) altMax() uint64 { return maxOf(b.altFirst) }

func startsWithDigit(text string) bool { return text != "" && text[0] >= '0' && text[0] <= '9' }

func (b *base) value(c class, text string) (Value, error) {
	switch c {
	case classNumber:
		return numberRange(text, b.max, parsePlain)
	case classPort:
		return numberRange(text, b.max, parseNamed(services, "port", "name of a service (dns, https …)"))
	case classProtocol:
		return numberRange(text, b.max, parseNamed(protocols, "IP protocol", "keyword (tcp, udp, gre …)"))
	case classEtherType:
		return numberRange(text, b.max, parseNamed(etherTypes, "EtherType", "name (ip4, ip6, arp …)"))
	case classCodepoint:
		return numberRange(text, b.max, parseNamed(codepoints, "DSCP", "name (ef, af41, cs6 …)"))
	case classAS, classASList:
		return numberRange(text, b.max, parseAS)
	case classNumberList:
		return numberRange(text, b.max, parsePlain)
	case classDuration:
		return numberRange(text, b.max, ParseDuration)
	case classFlags:
		return parseFlagValue(text)
	case classMAC:
		n, err := parseMAC(text)
		return Value{Lo: n, Hi: n}, err
	case classIP:
		return parseIP(text)
	case classEnum:
		low := strings.ToLower(text)
		if low == "undefined" { // as other flow stores write it
			low = "unknown"
		}
		if !slices.Contains(b.enum, low) {
			return Value{}, &valueError{fmt.Sprintf("%s is none of the values of %s", quoteText(text), b.name), b.enum, nearest.Word(low, b.enum)}
		}
		return Value{Text: low}, nil
	case classBits:
		low := strings.ToLower(text)
		i := slices.Index(b.enum, low)
		if i < 0 {
			return Value{}, &valueError{fmt.Sprintf("%s is none of the values of %s", quoteText(text), b.name), b.enum, nearest.Word(low, b.enum)}
		}
		return Value{Lo: 1 << i, Hi: 1 << i}, nil
	case classText:
		return Value{Text: text}, nil
	case classCountry:
		return Value{Text: strings.ToUpper(text)}, nil
	case classCommunity:
		return parseCommunity(text)
	case classLargeCommunity:
		return parseLargeCommunity(text)
	}
	panic("BUG: a class without values")
}

// valueError is an error with a suggestion.
type valueError struct {
	message    string
	expected   []string
	suggestion string
}

func (e *valueError) Error() string { return e.message }

// numberRange parses "a" or "a-b". A name with a hyphen takes precedence over a range.
func numberRange(text string, largest uint64, parse func(string) (uint64, error)) (Value, error) {
	lo, err := parse(text)
	hi := lo
	if err != nil {
		from, to, ok := strings.Cut(text, "-")
		if !ok || from == "" || to == "" {
			return Value{}, err
		}
		var err1, err2 error
		lo, err1 = parse(from)
		hi, err2 = parse(to)
		switch {
		case err1 != nil:
			return Value{}, err1
		case err2 != nil:
			return Value{}, err2
		case lo > hi:
			return Value{}, &valueError{fmt.Sprintf("the range %s is empty: it ends before it starts", quoteText(text)), nil, to + "-" + from}
		}
	}
	if hi > largest {
		return Value{}, fmt.Errorf("%d is more than %d, the largest value", hi, largest)
	}
	return Value{Lo: lo, Hi: hi}, nil
}

// parsePlain reads 80, 0x50, 10k, 1.5M, 2G, 1T.
func parsePlain(text string) (uint64, error) {
	if low := strings.ToLower(text); strings.HasPrefix(low, "0x") {
		n, err := strconv.ParseUint(low[2:], 16, 64)
		if err != nil {
			return 0, fmt.Errorf("%s is not a number", quoteText(text))
		}
		return n, nil
	}
	return parseScaled(text, "number", "k, M, G or T", func(unit string) uint64 {
		switch unit {
		case "":
			return 1
		case "k", "K":
			return 1e3
		case "m", "M":
			return 1e6
		case "g", "G":
			return 1e9
		case "t", "T":
			return 1e12
		}
		return 0
	})
}

// ParseDuration reads 1500ms, 90s, 5m, 1h, 1d; a plain number is milliseconds, as
// in nfdump.
func ParseDuration(text string) (uint64, error) {
	return parseScaled(text, "duration", "ms, s, m, h or d", func(unit string) uint64 {
		switch unit {
		case "", "ms":
			return 1
		case "s":
			return 1000
		case "m":
			return 60_000
		case "h":
			return 3_600_000
		case "d":
			return 86_400_000
		}
		return 0
	})
}

func parseScaled(text, what, units string, scale func(unit string) uint64) (uint64, error) {
	n := 0
	for n < len(text) && (text[n] >= '0' && text[n] <= '9' || text[n] == '.') {
		n++
	}
	factor := scale(text[n:])
	if n == 0 {
		return 0, fmt.Errorf("%s is not a %s", quoteText(text), what)
	}
	if factor == 0 {
		return 0, fmt.Errorf("%s is not a %s; units are %s", quoteText(text), what, units)
	}
	whole, fraction, _ := strings.Cut(text[:n], ".")
	if whole == "" || strings.Contains(fraction, ".") || len(fraction) > 12 {
		return 0, fmt.Errorf("%s is not a %s", quoteText(text), what)
	}
	v, err := strconv.ParseUint(whole, 10, 64)
	high, low := bits.Mul64(v, factor)
	if err != nil || high != 0 {
		return 0, fmt.Errorf("%s is too large", quoteText(text))
	}
	for _, digit := range fraction {
		if factor%10 != 0 {
			if digit != '0' {
				return 0, fmt.Errorf("%s is not a whole number", quoteText(text))
			}
			continue
		}
		factor /= 10
		var carry uint64
		if low, carry = bits.Add64(low, uint64(digit-'0')*factor, 0); carry != 0 {
			return 0, fmt.Errorf("%s is too large", quoteText(text))
		}
	}
	return low, nil
}

func parseNamed(table *registry, what, hint string) func(string) (uint64, error) {
	return func(text string) (uint64, error) {
		low := strings.ToLower(text)
		if n, ok := table.number[low]; ok {
			return n, nil
		}
		if n, err := parsePlain(text); err == nil {
			return n, nil
		}
		return 0, &valueError{fmt.Sprintf("%s is no %s; write a number or the %s", quoteText(text), what, hint), nil, nearest.Word(low, table.words())}
	}
}

// parseAS reads 174, AS174 and the dotted form 1.10 (RFC 5396).
func parseAS(text string) (uint64, error) {
	digits := text
	if len(text) > 2 && strings.EqualFold(text[:2], "as") {
		digits = text[2:]
	}
	if high, low, ok := strings.Cut(digits, "."); ok {
		h, err1 := strconv.ParseUint(high, 10, 16)
		l, err2 := strconv.ParseUint(low, 10, 16)
		if err1 != nil || err2 != nil {
			return 0, fmt.Errorf("%s is not an AS number", quoteText(text))
		}
		return h<<16 | l, nil
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("%s is more than 4294967295, the largest AS number", quoteText(text))
	case err != nil:
		return 0, fmt.Errorf("%s is not an AS number; names of ASes are unknown, use the number", quoteText(text))
	}
	return n, nil
}

// parseFlagValue reads S (set, others do not matter), S/SA (of S and A, S alone
// is set), S/* (exactly these) and a number (exactly these).
func parseFlagValue(text string) (Value, error) {
	if startsWithDigit(text) && !strings.Contains(text, "/") {
		n, err := parsePlain(text)
		if err != nil {
			return Value{}, err
		}
		if n > 1<<16-1 {
			return Value{}, fmt.Errorf("%d is more than 65535, the largest value", n)
		}
		return Value{Lo: n, ExactFlags: true}, nil
	}
	wanted, mask, masked := strings.Cut(text, "/")
	set, err := parseFlags(wanted)
	if err != nil {
		return Value{}, err
	}
	if !masked {
		if set == 0 {
			return Value{ExactFlags: true}, nil
		}
		return Value{Lo: set, Hi: set}, nil
	}
	if mask == "*" {
		return Value{Lo: set, ExactFlags: true}, nil
	}
	of, err := parseFlags(mask)
	if err != nil {
		return Value{}, err
	}
	if of == 0 {
		return Value{}, fmt.Errorf("%s compares no flag; use the flags to compare after the /, or *", quoteText(text))
	}
	if set&^of != 0 {
		return Value{}, &valueError{fmt.Sprintf("%s wants %s, which is not among the flags to look at", quoteText(text), formatFlags(set&^of)), nil, formatFlags(set) + "/" + formatFlags(set|of)}
	}
	return Value{Lo: set, Hi: of}, nil
}

// parseMAC reads aa:bb:cc:dd:ee:ff, with - for :, and aabb.ccdd.eeff.
func parseMAC(text string) (uint64, error) {
	digits := strings.NewReplacer(":", "", "-", "", ".", "").Replace(text)
	groups := strings.FieldsFunc(text, func(r rune) bool { return r == ':' || r == '-' || r == '.' })
	n, err := strconv.ParseUint(digits, 16, 64)
	ok := err == nil && len(digits) == 12 && (len(groups) == 1 || len(groups) == 6 || len(groups) == 3)
	for _, g := range groups {
		ok = ok && len(g) == 12/len(groups)
	}
	if !ok {
		return 0, fmt.Errorf("%s is not a MAC address; use aa:bb:cc:dd:ee:ff", quoteText(text))
	}
	return n, nil
}

func formatMAC(n uint64) string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// parseIP parses an address, a prefix, or a range of addresses. It clears the bits of a prefix after its
// length.
func parseIP(text string) (Value, error) {
	if from, to, ok := strings.Cut(text, "-"); ok {
		a, err1 := parseAddr(from)
		b, err2 := parseAddr(to)
		switch {
		case err1 != nil:
			return Value{}, err1
		case err2 != nil:
			return Value{}, err2
		case a.Is4() != b.Is4():
			return Value{}, fmt.Errorf("the range %s mixes IPv4 and IPv6", quoteText(text))
		case b.Less(a):
			return Value{}, &valueError{fmt.Sprintf("the range %s is empty: it ends before it starts", quoteText(text)), nil, to + "-" + from}
		}
		return Value{From: a, To: b}, nil
	}
	if addr, length, ok := strings.Cut(text, "/"); ok {
		a, err := parseAddr(partialPrefix(addr))
		if err != nil {
			return Value{}, err
		}
		n, err := strconv.ParseUint(length, 10, 16)
		limit := uint64(a.BitLen())
		if a.Is4() && strings.Contains(addr, ":") { // ::ffff:10.0.0.0/104 is 10.0.0.0/8
			limit = 128
			n -= 96
		}
		if err != nil || n > uint64(a.BitLen()) {
			return Value{}, fmt.Errorf("%s is not a prefix: the length is a number up to %d", quoteText(text), limit)
		}
		return prefixValue(netip.PrefixFrom(a, int(n))), nil
	}
	a, err := parseAddr(text)
	return Value{From: a, To: a}, err
}

func parseAddr(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("%s is not an IP address", quoteText(text))
	}
	return a.Unmap(), nil
}

func prefixValue(p netip.Prefix) Value {
	p = p.Masked()
	return Value{From: p.Addr(), To: lastAddr(p)}
}

func lastAddr(p netip.Prefix) netip.Addr {
	bytes := p.Addr().AsSlice()
	for i := p.Bits(); i < len(bytes)*8; i++ {
		bytes[i/8] |= 0x80 >> (i % 8)
	}
	last, _ := netip.AddrFromSlice(bytes)
	return last
}

func formatIP(from, to netip.Addr) string {
	if from == to {
		return from.String()
	}
	for n := range from.BitLen() {
		p := netip.PrefixFrom(from, n)
		if p.Masked().Addr() == from && lastAddr(p) == to {
			return p.String()
		}
	}
	return from.String() + "-" + to.String()
}

func parseCommunity(text string) (Value, error) {
	if n, ok := communities.number[strings.ToLower(text)]; ok {
		return Value{Lo: n, Hi: n}, nil
	}
	as, value, ok := strings.Cut(text, ":")
	a, err1 := strconv.ParseUint(as, 10, 16)
	v, err2 := strconv.ParseUint(value, 10, 16)
	if !ok || err1 != nil || err2 != nil {
		return Value{}, &valueError{fmt.Sprintf("%s is not a community; write 65000:666, 65000:1:2 for a large one, or a well-known name", quoteText(text)), nil, nearest.Word(text, communities.words())}
	}
	n := a<<16 | v
	return Value{Lo: n, Hi: n}, nil
}

// A large community in the lower 96 bits of a UInt128:
//
//	Hi: 32 zero bits, global administrator; Lo: local data part 1, part 2
func parseLargeCommunity(text string) (Value, error) {
	parts := strings.Split(text, ":")
	var n [3]uint64
	ok := len(parts) == 3
	for i := 0; ok && i < 3; i++ {
		var err error
		n[i], err = strconv.ParseUint(parts[i], 10, 32)
		ok = err == nil
	}
	if !ok {
		return Value{}, fmt.Errorf("%s is not a large community; use 65000:1:2", quoteText(text))
	}
	return Value{Hi: n[0], Lo: n[1]<<32 | n[2]}, nil
}

func largeDecimal(v Value) string {
	n := new(big.Int).SetUint64(v.Hi)
	return n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(v.Lo)).String()
}

func parseRegexp(text string) error {
	if _, err := syntax.Parse(text, syntax.Perl); err != nil {
		var e *syntax.Error
		if errors.As(err, &e) {
			return fmt.Errorf("%s is not a regular expression: %s %s", quoteText(text), e.Code, quoteText(e.Expr))
		}
		return fmt.Errorf("%s is not a regular expression", quoteText(text))
	}
	return nil
}

// format writes a value as in the filter language.
func (f *Field) format(v Value) string {
	b := f.base
	c := b.class
	if v.Alt {
		c = b.alt
	}
	number := func(name func(uint64) string) string {
		if v.Lo == v.Hi {
			return name(v.Lo)
		}
		return name(v.Lo) + "-" + name(v.Hi)
	}
	plain := func(n uint64) string { return strconv.FormatUint(n, 10) }
	named := func(table *registry) string {
		if v.Lo == v.Hi {
			return table.name(v.Lo)
		}
		return number(plain)
	}
	switch c {
	case classProtocol:
		return named(protocols)
	case classEtherType:
		return named(etherTypes)
	case classCodepoint:
		return named(codepoints)
	case classNumber:
		if b.first == nil || b.unit != column.NoUnit {
			return number(formatScaled)
		}
		return number(plain)
	case classDuration:
		return number(formatDuration)
	case classFlags:
		switch {
		case v.ExactFlags && v.Lo >= 1<<len(flagLetters): // bits that are no flags: only forged packets have them
			return plain(v.Lo)
		case v.ExactFlags:
			return formatFlags(v.Lo) + "/*"
		case v.Lo == v.Hi:
			return formatFlags(v.Lo)
		}
		return formatFlags(v.Lo) + "/" + formatFlags(v.Hi)
	case classMAC:
		return formatMAC(v.Lo)
	case classIP:
		return formatIP(v.From, v.To)
	case classEnum:
		return v.Text
	case classBits:
		return b.enum[bits.TrailingZeros64(v.Lo)]
	case classText, classCountry:
		return quoteText(v.Text)
	case classCommunity:
		return plain(v.Lo>>16) + ":" + plain(v.Lo&0xffff)
	case classLargeCommunity:
		return plain(v.Hi) + ":" + plain(v.Lo>>32) + ":" + plain(v.Lo&0xffffffff)
	}
	return number(plain)
}

// formatScaled writes 10000000 as 10M.
func formatScaled(n uint64) string {
	for _, s := range []struct {
		factor uint64
		unit   string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if n != 0 && n%s.factor == 0 {
			return strconv.FormatUint(n/s.factor, 10) + s.unit
		}
	}
	return strconv.FormatUint(n, 10)
}

func formatDuration(ms uint64) string {
	for _, s := range []struct {
		factor uint64
		unit   string
	}{{86_400_000, "d"}, {3_600_000, "h"}, {60_000, "m"}, {1000, "s"}} {
		if ms != 0 && ms%s.factor == 0 {
			return strconv.FormatUint(ms/s.factor, 10) + s.unit
		}
	}
	return strconv.FormatUint(ms, 10) + "ms"
}

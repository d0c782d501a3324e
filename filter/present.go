package filter

import (
	"net/netip"
	"strconv"
)

// Present converts a value of the field, as the store writes it, for display: the key, its label, and the
// value as in a filter.
func (f *Field) Present(value string, names Names) (key, label, literal string) {
	b := f.base
	if b.class == classIP {
		key = Unmap(value)
		return key, key, key
	}
	if b.class.text() {
		if value == "" {
			return "", "(none)", `""`
		}
		return value, value, quoteText(value)
	}
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil { // names of an enumeration
		return value, value, value
	}
	switch b.class {
	case classMAC:
		key = formatMAC(n)
		return key, key, key
	case classAS:
		label = "AS" + value
		if name := names.AS(uint32(n)); name != "" {
			label += " " + name
		}
		return value, label, value
	case classProtocol:
		return value, protocols.title(n, "protocol "), protocols.name(n)
	case classEtherType:
		return value, etherTypes.title(n, "EtherType "), etherTypes.name(n)
	case classCodepoint:
		return value, codepoints.title(n, "DSCP "), codepoints.name(n)
	case classPort:
		if e, ok := services.first[n]; ok {
			return value, value + " " + e.name, value
		}
	case classFlags:
		if n < 1<<len(flagLetters) {
			label = formatFlags(n)
			if n == 0 {
				label = "none"
			}
			return value, label, formatFlags(n) + "/*"
		}
	}
	return value, value, value
}

func (r *registry) title(n uint64, otherwise string) string {
	if e, ok := r.first[n]; ok && e.title != "" {
		return e.title
	}
	return otherwise + strconv.FormatUint(n, 10)
}

// Unmap writes ::ffff:192.0.2.1 as 192.0.2.1.
func Unmap(text string) string {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return text
	}
	return a.Unmap().String()
}

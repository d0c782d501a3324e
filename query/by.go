package query

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"netmeta/column"
	"netmeta/flow"
)

// A dim is what rows are grouped by: one item of by=.
type dim struct {
	field   *Field // nil for time
	v4, v6  int    // src.net:24:48 groups addresses by prefix; 0 is not at all
	ts      string // ts:1h, time as a group: its length as it was written,
	step    int64  // in seconds,
	buckets *Range // and its buckets in the window of the request
}

const defaultV4, defaultV6 = 24, 48

// parseBy reads the list of by= and writes each item as the formatter does.
func parseBy(text string) ([]string, error) {
	var by []string
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		d, err := parseDim(item)
		if err != nil {
			return nil, err
		}
		if len(by) == maxBy {
			return nil, &KeyError{"by", text, fmt.Sprintf("has more than %d fields", maxBy)}
		}
		for _, have := range by {
			if have == d.String() {
				return nil, &KeyError{"by", text, "has " + have + " twice"}
			}
		}
		by = append(by, d.String())
	}
	return by, nil
}

func (d dim) String() string {
	switch {
	case d.ts != "":
		return "ts:" + d.ts
	case d.v4 != 0:
		side, _, _ := strings.Cut(d.field.Name, ".")
		if d.field.base.name != "ip" {
			return fmt.Sprintf("%s:%d:%d", d.field.Name, d.v4, d.v6)
		}
		return fmt.Sprintf("%s.net:%d:%d", side, d.v4, d.v6)
	}
	return d.field.Name
}

func parseDim(item string) (dim, error) {
	parts := strings.Split(item, ":")
	name := strings.ToLower(parts[0])
	if name == "ts" {
		return parseTimeDim(item, strings.Join(parts[1:], ":"))
	}
	f := find(name)
	if f == nil {
		// "remote as" as in a filter
		if side, rest, ok := strings.Cut(name, " "); ok && isDir(side) {
			f = lookup(side, strings.TrimSpace(rest))
		}
	}
	if f == nil {
		side, rest, ok := strings.Cut(name, ".")
		if !ok || !isDir(side) {
			side, rest = "", name
		}
		e := &KeyError{"by", item, "is not a field"}
		if s := nearest(rest, candidates(side)); s != "" {
			if side != "" {
				s = side + "." + s
			}
			e.Message += "; did you mean " + s + "?"
		} else {
			e.Message += "; the list is at /api/v1/fields"
		}
		return dim{}, e
	}
	if !f.groupable() {
		e := &KeyError{"by", item, "cannot be grouped by: it is a measure or a list"}
		if f.either() {
			e.Message = "is either side; say which: " + strings.Join(sided(f.base), ", ")
		}
		return dim{}, e
	}
	d := dim{field: f}
	if strings.HasSuffix(name, ".net") || strings.HasSuffix(name, ".prefix") {
		d.v4, d.v6 = defaultV4, defaultV6
	}
	if len(parts) == 1 {
		return d, nil
	}
	var lengths [2]int
	for i, s := range parts[1:] {
		n, err := strconv.Atoi(s)
		if i > 1 || f.base.class != classIP || f.dual() || err != nil || n < 1 || n > 128 || i == 0 && n > 32 {
			return dim{}, &KeyError{"by", item, "has an option that it does not take; prefixes are src.net:24:48, lengths for IPv4 and IPv6"}
		}
		lengths[i] = n
	}
	d.v4, d.v6 = lengths[0], lengths[1]
	if d.v6 == 0 {
		d.v6 = defaultV6
	}
	return d, nil
}

// sided are the names of a base with a side.
func sided(b *base) []string {
	var list []string
	for _, side := range b.sides()[1:] {
		list = append(list, side+"."+b.name)
	}
	return list
}

// groupable says that each record has one value of the field that a chart can be
// split by.
func (f *Field) groupable() bool {
	b := f.base
	return !f.either() && (b.expr == "" || b.class == classCodepoint) && !b.class.list() && (b.first == nil || b.first.Role != column.Measure)
}

// isInterface says that the field is the interface, which is known by its exporter
// and its number; the name is only its label.
func (d dim) isInterface() bool { return d.ts == "" && d.field.base.altFirst == flow.InIf.Field }

func (d dim) isExporter() bool { return d.ts == "" && d.field.base.first == flow.ExporterAddress.Field }

// keys are the expressions that the rows are grouped by.
func (d dim) keys(c *compiler) []string {
	if d.ts != "" {
		return []string{d.timeKey(c)}
	}
	b := d.field.base
	switch {
	case d.isInterface():
		return []string{flow.ExporterAddress.Field.Name, d.field.sides(b.altFirst, b.altSecond)[0]}
	case d.v4 != 0:
		e := d.field.sides(b.first, b.second)[0]
		return []string{fmt.Sprintf("tupleElement(IPv6CIDRToRange(%s, if(%s BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), %d, %d)), 1)", e, e, 96+d.v4, d.v6)}
	}
	return []string{d.field.sides(b.first, b.second)[0]}
}

// labels are expressions for what describes a key without being part of it.
func (d dim) labels() []string {
	switch {
	case d.isInterface():
		return []string{flow.ExporterName.Field.Name, d.field.sides(d.field.base.first, d.field.base.second)[0]}
	case d.isExporter():
		return []string{flow.ExporterName.Field.Name}
	}
	return nil
}

// present turns the text of keys and labels into what the page shows: the key, its
// label, and the filter that lets through this key alone; of a time there is none.
func (d dim) present(keys, labels []string, s Schema) (key, label, filter string) {
	if d.ts != "" {
		key, label = d.presentTime(keys[0])
		return key, label, ""
	}
	b := d.field.base
	is := func(value string) string { return d.field.Name + " = " + value }
	switch {
	case d.isInterface():
		exporter, name := unmap(keys[0]), labels[1]
		if name == "" {
			name = "if " + keys[1]
		}
		if labels[0] != "" {
			label = labels[0] + " " + name
		} else {
			label = exporter + " " + name
		}
		return exporter + "#" + keys[1], label, "exporter = " + exporter + " and " + is(keys[1])
	case d.isExporter():
		key = unmap(keys[0])
		if label = labels[0]; label == "" {
			label = key
		}
		return key, label, is(key)
	}
	key = keys[0]
	if b.class == classIP {
		key = unmap(key)
		if d.v4 != 0 {
			length := d.v6
			if strings.Contains(key, ".") {
				length = d.v4
			}
			key += "/" + strconv.Itoa(length)
		}
		return key, key, is(key)
	}
	if b.class.text() {
		if key == "" {
			return "", "(none)", is(`""`)
		}
		return key, key, is(quoteText(key))
	}
	n, err := strconv.ParseUint(key, 10, 64)
	if err != nil { // names of an enumeration
		return key, key, is(key)
	}
	switch b.class {
	case classMAC:
		key = formatMAC(n)
		return key, key, is(key)
	case classAS:
		label = "AS" + key
		if name := s.asName(uint32(n)); name != "" {
			label += " " + name
		}
		return key, label, is(key)
	case classProtocol:
		return key, title(protocols, n, "protocol "), is(protocols.name(n))
	case classEtherType:
		return key, title(etherTypes, n, "EtherType "), is(etherTypes.name(n))
	case classCodepoint:
		return key, title(codepoints, n, "DSCP "), is(codepoints.name(n))
	case classPort:
		if e, ok := services.first[n]; ok {
			return key, key + " " + e.name, is(key)
		}
	case classFlags:
		if n < 1<<len(flagLetters) {
			label = formatFlags(n)
			if n == 0 {
				label = "none"
			}
			return key, label, is(formatFlags(n) + "/*")
		}
	}
	return key, key, is(key)
}

func title(table *names, n uint64, otherwise string) string {
	if e, ok := table.first[n]; ok && e.title != "" {
		return e.title
	}
	return otherwise + strconv.FormatUint(n, 10)
}

// unmap writes ::ffff:192.0.2.1 as 192.0.2.1.
func unmap(text string) string {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return text
	}
	return a.Unmap().String()
}

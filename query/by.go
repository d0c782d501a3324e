package query

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netmeta/column"
	"netmeta/filter"
	"netmeta/flow"
	"netmeta/internal/nearest"
)

// dim is one item of by=, which rows are grouped by.
type dim struct {
	field   *filter.Field // nil for time
	v4, v6  int           // src.net:24:48 groups addresses by prefix; 0: not at all
	ts      string        // ts:1h, time as a group: its length as written,
	step    int64         // in seconds,
	buckets *Range        // and its buckets in the window of the request
}

const defaultV4, defaultV6 = 24, 48

// parseBy parses the list of by= into canonical items.
func parseBy(text string) ([]string, error) {
	var by []string
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		d, err := parseDim("by", item)
		if err != nil {
			return nil, err
		}
		if len(by) == maxBy {
			return nil, Invalid("by", text, fmt.Sprintf("has more than %d fields", maxBy))
		}
		for _, have := range by {
			if have == d.String() {
				return nil, Invalid("by", text, "has "+have+" twice")
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
		if side, ok := strings.CutSuffix(d.field.Name, ".ip"); ok {
			return fmt.Sprintf("%s.net:%d:%d", side, d.v4, d.v6)
		}
		return fmt.Sprintf("%s:%d:%d", d.field.Name, d.v4, d.v6)
	}
	return d.field.Name
}

// parseDim parses a field of by, or of another key with the same syntax.
func parseDim(key, item string) (dim, error) {
	parts := strings.Split(item, ":")
	name := strings.ToLower(parts[0])
	if name == "ts" {
		return parseTimeDim(key, item, strings.Join(parts[1:], ":"))
	}
	f := filter.Find(name)
	if f == nil {
		// "remote as" as in a filter
		if side, rest, ok := strings.Cut(name, " "); ok && filter.IsSide(side) {
			f = filter.Lookup(side, strings.TrimSpace(rest))
		}
	}
	if f == nil {
		side, rest, ok := strings.Cut(name, ".")
		if !ok || !filter.IsSide(side) {
			side, rest = "", name
		}
		e := Invalid(key, item, "is not a field")
		if s := nearest.Word(rest, filter.Candidates(side)); s != "" {
			if side != "" {
				s = side + "." + s
			}
			e.Detail += "; did you mean " + s + "?"
		} else {
			e.Detail += "; the list is at /api/v1/fields"
		}
		return dim{}, e
	}
	if !f.Groupable() {
		if f.Either() {
			return dim{}, Invalid(key, item, "is either side; say which: "+strings.Join(f.Sided(), ", "))
		}
		return dim{}, Invalid(key, item, "cannot be grouped by: it is a measure or a list")
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
		if i > 1 || !f.HasPrefixes() || err != nil || n < 1 || n > 128 || i == 0 && n > 32 {
			return dim{}, Invalid(key, item, "has an option that it does not take; prefixes are src.net:24:48, lengths for IPv4 and IPv6")
		}
		lengths[i] = n
	}
	d.v4, d.v6 = lengths[0], lengths[1]
	if d.v6 == 0 {
		d.v6 = defaultV6
	}
	return d, nil
}

func (d dim) isInterface() bool { return d.ts == "" && d.field.IsInterface() }

func (d dim) isExporter() bool { return d.ts == "" && d.field.IsExporter() }

// keys returns the expressions that the rows are grouped by.
func (d dim) keys(c *compiler) []string {
	if d.ts != "" {
		return []string{d.timeKey(c)}
	}
	switch {
	case d.isInterface():
		return []string{flow.ExporterAddress.Field.Name, d.field.NumberExpr().SQL}
	case d.v4 != 0:
		e := d.field.Expr().SQL
		return []string{fmt.Sprintf("tupleElement(IPv6CIDRToRange(%s, if(%s BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), %d, %d)), 1)", e, e, 96+d.v4, d.v6)}
	}
	return []string{d.field.Expr().SQL}
}

// labels returns expressions that describe a key without being part of it.
func (d dim) labels() []string {
	switch {
	case d.isInterface():
		return []string{flow.ExporterName.Field.Name, d.field.Expr().SQL}
	case d.isExporter():
		return []string{flow.ExporterName.Field.Name}
	}
	return nil
}

// keyFields returns the fields of the flows that keys reads; none for a time.
func (d dim) keyFields() []*column.Field {
	switch {
	case d.ts != "":
		return nil
	case d.isInterface():
		return append(d.field.NumberExpr().Fields, flow.ExporterAddress.Field)
	}
	return d.field.Expr().Fields
}

// fields returns the fields that keys and labels read.
func (d dim) fields() []*column.Field {
	list := slices.Clip(d.keyFields())
	switch {
	case d.isInterface():
		return append(append(list, flow.ExporterName.Field), d.field.Expr().Fields...)
	case d.isExporter():
		return append(list, flow.ExporterName.Field)
	}
	return list
}

// present converts the text of keys and labels for display: the key, its label, and a filter that matches
// only this key; none for a time.
func (d dim) present(keys, labels []string, s Schema) (key, label, condition string) {
	if d.ts != "" {
		key, label = d.presentTime(keys[0])
		return key, label, ""
	}
	is := func(value string) string { return d.field.Name + " = " + value }
	switch {
	case d.isInterface():
		exporter, name := filter.Unmap(keys[0]), labels[1]
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
		key = filter.Unmap(keys[0])
		if label = labels[0]; label == "" {
			label = key
		}
		return key, label, is(key)
	}
	key, label, value := d.field.Present(keys[0], s.Names)
	if d.v4 != 0 {
		length := d.v6
		if strings.Contains(key, ".") {
			length = d.v4
		}
		key += "/" + strconv.Itoa(length)
		return key, key, is(key)
	}
	return key, label, is(value)
}

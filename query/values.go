package query

import (
	"slices"
	"strconv"
	"strings"

	"netmeta/filter"
	"netmeta/flow"
)

// valuesWindow is the age of the oldest rows in which values are searched: completion offers current ones.
const valuesWindow = 900

// ValuesQuery finds the values of one field with the most traffic.
type ValuesQuery struct {
	Statement
	dim dim
}

// Values returns the query for a name of the filter language, in the scope; false if a list of its values is
// useless, as for a time or a measure.
func Values(field string, s Schema) (ValuesQuery, bool) {
	f := filter.Find(field)
	if f == nil {
		return ValuesQuery{}, false
	}
	dims := []dim{{field: f}}
	if f.Either() { // both sides, each row counted on both
		dims = dims[:0]
		for _, name := range f.Sided()[:2] {
			dims = append(dims, dim{field: filter.Find(name)})
		}
	}
	c := newCompiler(s.Scope)
	var keys, labels []string
	for _, d := range dims {
		if !d.field.Groupable() {
			return ValuesQuery{}, false
		}
		keys = append(keys, "("+tuple(d.keys(nil))+")")
		labels = append(labels, "("+tuple(d.labels())+")")
	}
	st := Statement{
		SQL: lines(
			"SELECT v.1 AS keys, v.2 AS labels, sum(toFloat64(Bytes) * SamplingRate) * 8 / "+strconv.Itoa(valuesWindow)+" AS rate",
			c.from(flow.Table.Name, "\nARRAY JOIN ["+zip(keys, labels)+"] AS v\nWHERE ", "TimeReceived >= now() - "+strconv.Itoa(valuesWindow)),
			"GROUP BY keys, labels",
			"ORDER BY rate DESC",
			"LIMIT 200"),
		Params:  c.params,
		Columns: []ResultColumn{{"keys", "Array(String)"}, {"labels", "Array(String)"}, {"rate", "Float64"}},
	}
	return ValuesQuery{st, dim{field: dims[0].field}}, true
}

// tuple is an array of texts, so that a query has the same form for each field.
func tuple(exprs []string) string {
	if len(exprs) == 0 {
		return "CAST([], 'Array(String)')"
	}
	texts := make([]string, len(exprs))
	for i, e := range exprs {
		texts[i] = "toString(" + e + ")"
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

func zip(keys, labels []string) string {
	pairs := make([]string, len(keys))
	for i := range keys {
		pairs[i] = "(" + keys[i] + ", " + labels[i] + ")"
	}
	return strings.Join(pairs, ", ")
}

// Items converts the result for completion, the largest first.
func (q ValuesQuery) Items(keys, labels [][]string, rate []float64, s Schema) []filter.Item {
	items := make([]filter.Item, 0, len(keys))
	for i := range keys {
		_, label, is := q.dim.present(keys[i], labels[i], s)
		_, value, _ := cutLast(is, " = ")
		if value == "" || value == `""` {
			continue
		}
		it := filter.Item{Insert: value + " ", Label: value, Kind: "value", Detail: formatRate(rate[i])}
		if label != value {
			it.Detail = label + " · " + it.Detail
		}
		items = append(items, it)
	}
	return items
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// formatRate writes bits per second with three digits.
func formatRate(v float64) string { return scaled(v, "b/s") }

// scaled writes a number with three digits and an SI prefix.
func scaled(v float64, unit string) string {
	prefixes := []string{"", "k", "M", "G", "T", "P"}
	i := 0
	for v >= 999.5 && i < len(prefixes)-1 {
		v, i = v/1000, i+1
	}
	return strconv.FormatFloat(v, 'g', 3, 64) + " " + prefixes[i] + unit
}

// MatchValues returns the items that start with the prefix and then those that contain it, in their order.
func MatchValues(items []filter.Item, prefix string) []filter.Item {
	prefix = strings.ToLower(prefix)
	var begins, contains []filter.Item
	for _, it := range items {
		text := strings.ToLower(it.Label)
		switch {
		case strings.HasPrefix(strings.Trim(text, `"`), prefix):
			begins = append(begins, it)
		case strings.Contains(text, prefix), strings.Contains(strings.ToLower(it.Detail), prefix):
			contains = append(contains, it)
		}
	}
	return slices.Concat(begins, contains)
}

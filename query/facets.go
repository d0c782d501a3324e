package query

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netmeta/flow"
)

// Facets are the largest values of several fields, found in one reading of the rows.
// Each list is kept in a bounded number of counters, so that a field with millions of
// values costs no more than one with ten: a total may be too large by as much as its
// error says, and a field with fewer values than counters is exact.

const (
	facetValues = 10
	facetFactor = 30     // counters for each value that is wanted
	facetLabels = 10_000 // keys with names that are looked at: interfaces and exporters
	maxFacets   = 16
)

// A facet is a field, or several whose values belong together.
type facet []dim

// standardFacets are those of a request that names none.
var standardFacets = "dst.ip,src.ip,proto/dst.port,proto/src.port,src.as,dst.as,in.if,out.if,exporter,flags"

// parseFacets reads a list of names as by= takes them; a / joins those of a pair.
func parseFacets(text string) ([]facet, error) {
	if text == "" {
		text = standardFacets
	}
	var list []facet
	for item := range strings.SplitSeq(text, ",") {
		var f facet
		for name := range strings.SplitSeq(item, "/") {
			d, err := parseDim(strings.TrimSpace(name))
			if err == nil && d.ts != "" {
				err = &KeyError{Value: name, Message: "is a time; the values of a facet are over the whole window"}
			}
			if err != nil {
				if key, ok := err.(*KeyError); ok {
					key.Key = "facets"
				}
				return nil, err
			}
			f = append(f, d)
		}
		list = append(list, f)
	}
	if len(list) > maxFacets {
		return nil, &KeyError{"facets", text, fmt.Sprintf("names more than %d", maxFacets)}
	}
	return list, nil
}

func (f facet) by() []string {
	names := make([]string, len(f))
	for i, d := range f {
		names[i] = d.String()
	}
	return names
}

// keys and labels are the expressions of all its fields.
func (f facet) keys() (list []string) {
	for _, d := range f {
		list = append(list, d.keys()...)
	}
	return list
}

func (f facet) labels() (list []string) {
	for _, d := range f {
		list = append(list, d.labels()...)
	}
	return list
}

// present makes of the texts of keys and labels what the page shows.
func (f facet) present(keys, labels []string, s Schema) (key, label []string, filter string) {
	var filters []string
	for _, d := range f {
		nk, nl := d.widths()
		k, l, is := d.present(keys[:nk], labels[:nl], s)
		keys, labels = keys[nk:], labels[nl:]
		key, label, filters = append(key, k), append(label, l), append(filters, is)
	}
	return key, label, strings.Join(filters, " and ")
}

// A Facet is the largest values of one field or pair.
type Facet struct {
	By       []string     `json:"by"`
	Distinct uint64       `json:"distinct"` // values in all, about: within 1 %
	Values   []FacetValue `json:"values"`   // largest first
}

// A FacetValue is one of the largest values of a field.
type FacetValue struct {
	Key    []string `json:"key"`
	Label  []string `json:"label"`
	Filter string   `json:"filter"` // a condition that lets through this value alone
	Rate   float64  `json:"rate"`   // in the unit of the request, the mean over the window
	Total  uint64   `json:"total"`  // bytes, packets or flows
	Share  float64  `json:"share"`  // of everything that the filter lets through
	Error  uint64   `json:"error"`  // Total may be too large by as much; 0: it is exact
}

// A FacetsQuery is the statement of Facets with what is needed to read its result.
type FacetsQuery struct {
	Statement
	facets []facet
	rg     Range
	unit   string
	schema Schema
}

// Facets is the query for the lists of facets=, or for the standard ones. Its result
// is one row: total UInt64, then for each facet its values, which are keys, the total and
// the error; the keys with their labels; and the number of values.
func (r Request) Facets(rg Range, s Schema, names string) (FacetsQuery, error) {
	q := FacetsQuery{rg: rg, unit: r.Unit, schema: s}
	if r.Unit == "bpp" || r.Unit == "pct" {
		return q, &KeyError{"unit", r.Unit, "is a ratio, and values are ranked by sums here; write unit=bps or unit=pps"}
	}
	var err error
	if q.facets, err = parseFacets(names); err != nil {
		return q, err
	}
	c := newCompiler()
	where, err := r.where(c, s, rg.From, rg.To)
	if err != nil {
		return q, err
	}
	columns := []string{"sum(v) AS total"}
	inner := []string{r.valueSQL(flow.Table.Name) + " AS v"}
	name := func(exprs []string) []string { // an expression is worked out once for all lists
		names := make([]string, len(exprs))
		for i, e := range exprs {
			j := slices.IndexFunc(inner, func(have string) bool { return strings.HasPrefix(have, e+" AS ") })
			if j < 0 {
				j = len(inner)
				inner = append(inner, fmt.Sprintf("%s AS e%d", e, j))
			}
			names[i] = fmt.Sprintf("e%d", j)
		}
		return names
	}
	q.Columns = []ResultColumn{{"total", "UInt64"}}
	texts := func(tuple string, n int) []string {
		list := make([]string, n)
		for j := range list {
			list[j] = fmt.Sprintf("toString(tupleElement(%s, %d))", tuple, j+1)
		}
		return list
	}
	for i, f := range q.facets {
		keys, labels := name(f.keys()), name(f.labels())
		of := append(texts("tupleElement(x, 1)", len(keys)), "toString(tupleElement(x, 2))", "toString(tupleElement(x, 3))")
		named := "CAST([], 'Array(String)')"
		if len(labels) > 0 {
			named = fmt.Sprintf("arrayFlatten(arrayMap(x -> [%s], groupUniqArray(%d)(tuple(%s))))",
				strings.Join(texts("x", len(keys)+len(labels)), ", "), facetLabels, strings.Join(slices.Concat(keys, labels), ", "))
		}
		columns = append(columns,
			fmt.Sprintf("arrayFlatten(arrayMap(x -> [%s], topKWeighted(%d, %d, 'counts')(tuple(%s), v))) AS f%d",
				strings.Join(of, ", "), facetValues, facetFactor, strings.Join(keys, ", "), i),
			fmt.Sprintf("%s AS l%d", named, i),
			fmt.Sprintf("uniqCombined64(%s) AS n%d", strings.Join(keys, ", "), i))
		for _, c := range []ResultColumn{{"f", "Array(String)"}, {"l", "Array(String)"}, {"n", "UInt64"}} {
			q.Columns = append(q.Columns, ResultColumn{c.Name + strconv.Itoa(i), c.Type})
		}
	}
	q.SQL = lines(
		"SELECT",
		"    "+strings.Join(columns, ",\n    "),
		"FROM (SELECT "+strings.Join(inner, ", ")+" FROM "+flow.Table.Name+" WHERE "+where+")")
	q.Params = c.params
	return q, nil
}

// Read makes facets of the result: for each its values, its labels and the number of
// values.
func (q FacetsQuery) Read(total uint64, values, labels [][]string, distinct []uint64) ([]Facet, error) {
	list := make([]Facet, len(q.facets))
	for i, f := range q.facets {
		list[i] = Facet{By: f.by(), Distinct: distinct[i], Values: []FacetValue{}}
		nk, nl := len(f.keys()), len(f.labels())
		names := map[string][]string{}
		for row := range slices.Chunk(labels[i], nk+nl) {
			key := strings.Join(row[:nk], "\x00")
			if have := names[key]; have == nil || slices.Compare(have, row[nk:]) < 0 { // a name rather than none
				names[key] = row[nk:]
			}
		}
		for row := range slices.Chunk(values[i], nk+2) {
			v := FacetValue{}
			var err1, err2 error
			v.Total, err1 = strconv.ParseUint(row[nk], 10, 64)
			v.Error, err2 = strconv.ParseUint(row[nk+1], 10, 64)
			if err1 != nil || err2 != nil {
				return nil, fmt.Errorf("query: facet %d has the total %q and the error %q", i, row[nk], row[nk+1])
			}
			label := names[strings.Join(row[:nk], "\x00")]
			if label == nil {
				label = make([]string, nl)
			}
			v.Key, v.Label, v.Filter = f.present(row[:nk], label, q.schema)
			v.Rate = Rate(q.unit, v.Total, q.rg)
			if total > 0 {
				v.Share = float64(v.Total) / float64(total)
			}
			list[i].Values = append(list[i].Values, v)
		}
	}
	return list, nil
}

// Rate is a sum over the window as the unit shows it.
func Rate(unit string, total uint64, rg Range) float64 {
	return rate(unit, float64(total), float64(rg.To-rg.From))
}

// rate is a sum over a window as the unit shows it: per second, or as it is.
func rate(unit string, total, seconds float64) float64 {
	switch unit {
	case "bps":
		return total * 8 / seconds
	case "pps", "fps":
		return total / seconds
	}
	return total
}

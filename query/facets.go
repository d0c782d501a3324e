package query

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"netmeta/column"
	"netmeta/filter"
	"netmeta/flow"
)

// Facets are the largest values of several fields, from rollups that have these. The sums are exact, up to
// 2^64−1: bounded counters took twice the time and gave sums that could be too large.

const (
	facetValues    = 10
	maxFacets      = 16
	maxFacetFields = 8 // of one facet, so that its keys fit into a grouping
)

// facet is a field, or several whose values belong together.
type facet []dim

// standardFacets are the default facets of a request.
var standardFacets = "dst.ip,src.ip,proto/dst.port,proto/src.port,src.as,dst.as,in.if,out.if,exporter,flags"

// parseFacets parses a list of names in the syntax of by=; a / joins those of a pair.
func parseFacets(text string) ([]facet, error) {
	if text == "" {
		text = standardFacets
	}
	var list []facet
	for item := range strings.SplitSeq(text, ",") {
		var f facet
		for name := range strings.SplitSeq(item, "/") {
			d, err := parseDim("facets", strings.TrimSpace(name))
			if err != nil {
				return nil, err
			}
			if d.ts != "" {
				return nil, Invalid("facets", name, "is a time; the values of a facet are over the whole window")
			}
			f = append(f, d)
		}
		if len(f) > maxFacetFields {
			return nil, Invalid("facets", item, fmt.Sprintf("joins more than %d fields", maxFacetFields))
		}
		list = append(list, f)
	}
	if len(list) > maxFacets {
		return nil, Invalid("facets", text, fmt.Sprintf("names more than %d", maxFacets))
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

// keys and labels return the expressions of all its fields.
func (f facet) keys() (list []string) {
	for _, d := range f {
		list = append(list, d.keys(nil)...)
	}
	return list
}

func (f facet) labels() (list []string) {
	for _, d := range f {
		list = append(list, d.labels()...)
	}
	return list
}

func (f facet) fields() (list []*column.Field) {
	for _, d := range f {
		list = append(list, d.fields()...)
	}
	return list
}

// present converts the texts of keys and labels for display.
func (f facet) present(keys, labels []string, s Schema) (key, label []string, condition string) {
	var filters []string
	for _, d := range f {
		nk, nl := d.widths()
		k, l, is := d.present(keys[:nk], labels[:nl], s)
		keys, labels = keys[nk:], labels[nl:]
		key, label, filters = append(key, k), append(label, l), append(filters, is)
	}
	return key, label, strings.Join(filters, " and ")
}

// Facet is the largest values of one field or pair.
type Facet struct {
	By       []string     `json:"by"`
	Distinct uint64       `json:"distinct"` // Number of values.
	Values   []FacetValue `json:"values"`   // The ten largest.
}

// FacetValue is one of the largest values of a field.
type FacetValue struct {
	Key    []string `json:"key"`
	Label  []string `json:"label"`
	Filter string   `json:"filter"` // A condition that matches only this value.
	Rate   float64  `json:"rate"`   // In the unit, the mean over the range.
	Total  uint64   `json:"total"`  // Bytes, packets or flows.
	Share  float64  `json:"share"`  // Of everything that the filter matches.
}

// FacetsQuery is the statement of Facets with the data needed to read its result.
type FacetsQuery struct {
	Statement
	Rolled, Raw []string // names of the lists that come from rollups for most of the range, and from the flows

	facets []facet
	rg     Range
	unit   string
	schema Schema
}

// Facets returns the query for the lists of facets=, or for the standard ones. Its result has a row for each
// value: facet UInt8, the number of its list; keys and labels Array(String); total UInt64; and for the whole
// list the number of its values, distinct UInt64, and their sum, whole UInt64.
func (r Request) Facets(rg Range, s Schema, names string) (FacetsQuery, error) {
	q := FacetsQuery{rg: rg, unit: r.Unit, schema: s}
	if r.Unit == "bpp" || r.Unit == "pct" {
		return q, Invalid("unit", r.Unit, "is a ratio, and values are ranked by sums here; write unit=bps or unit=pps")
	}
	var err error
	if q.facets, err = parseFacets(names); err != nil {
		return q, err
	}
	c := newCompiler(s.Scope)
	condition, err := filter.Parse(r.Filter, s.Names)
	if err != nil {
		return q, err
	}
	rest, needs := r.conditionOf(c, condition), slices.Concat(r.conditionFields(condition), r.valueFields())
	// Facets answered by the same rollups are read together, the others from the flows.
	type reading struct {
		pieces []piece
		list   []set
	}
	var readings []reading
	for i, f := range q.facets {
		g := set{i, f.keys(), f.labels()}
		pieces := rg.whole(s.answering(append(slices.Clip(needs), f.fields()...)))
		if pieces[0].table == flow.Table.Name {
			q.Raw = append(q.Raw, strings.Join(f.by(), "/"))
		} else {
			q.Rolled = append(q.Rolled, strings.Join(f.by(), "/"))
		}
		same := func(other reading) bool { return samePieces(other.pieces, pieces) }
		if at := slices.IndexFunc(readings, same); at >= 0 {
			readings[at].list = append(readings[at].list, g)
		} else {
			readings = append(readings, reading{pieces, []set{g}})
		}
	}
	var parts []string
	for window, of := range readings {
		var tables, where []string
		for _, p := range of.pieces {
			tables, where = append(tables, p.table), append(where, c.during(window, p)+rest)
		}
		for _, group := range gather(of.list) {
			var rows []string
			for j, table := range tables {
				rows = append(rows, "SELECT "+strings.Join(append(group.columns(), r.valueSQL(table)+" AS v", r.roughSQL(table)+" AS r"), ", ")+" "+c.from(table, " WHERE ", where[j]))
			}
			parts = append(parts, group.sql("facet", largest, rows))
		}
	}
	q.SQL, q.Params = strings.Join(parts, "\nUNION ALL\n"), c.params
	q.Columns = []ResultColumn{{"facet", "UInt8"}, {"keys", "Array(String)"}, {"labels", "Array(String)"}, {"total", "UInt64"}, {"distinct", "UInt64"}, {"whole", "UInt64"}}
	return q, nil
}

// whole divides the range like cover for a chart without buckets.
func (rg Range) whole(rollups []Rollup) []piece {
	rg.calendar, rg.Step = false, 0
	return rg.cover(0, rollups)
}

// samePieces reports that two ranges are divided in the same way.
func samePieces(a, b []piece) bool {
	return slices.EqualFunc(a, b, func(a, b piece) bool { return a.table == b.table && slices.Equal(a.spans, b.spans) })
}

// largest are the values with the largest sums of v.
var largest = ranking{
	sums:  []string{saturated("sum(f.v)", "sum(f.r)") + " AS total_v"},
	whole: []string{"count() AS distinct_values", saturatedSum("total_v") + " AS whole_v"},
	first: "-toFloat64(total_v)",
	n:     facetValues,
	shown: []string{"total_v"},
	result: func(shown []string) []string {
		return []string{"toUInt64(" + shown[0] + ") AS total", "toUInt64(distinct_values) AS distinct", "toUInt64(whole_v) AS whole"}
	},
}

// FacetRows are the columns of the result of a FacetsQuery.
type FacetRows struct {
	Facet                  []uint8
	Keys, Labels           [][]string
	Total, Distinct, Whole []uint64
}

// Read makes the lists, and returns the total of everything that the filter matches.
func (q FacetsQuery) Read(rows FacetRows) (facets []Facet, total uint64, err error) {
	facets = make([]Facet, len(q.facets))
	for i, f := range q.facets {
		facets[i] = Facet{By: f.by(), Values: []FacetValue{}}
	}
	order := make([]int, len(rows.Facet))
	for row := range order {
		order[row] = row
		total = max(total, rows.Whole[row])
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rows.Total[b], rows.Total[a]) })
	for _, row := range order {
		i := int(rows.Facet[row])
		if i >= len(facets) {
			return nil, 0, fmt.Errorf("query: the result has the facet %d of %d", i, len(facets))
		}
		v := FacetValue{Total: rows.Total[row], Rate: Rate(q.unit, rows.Total[row], q.rg)}
		v.Key, v.Label, v.Filter = q.facets[i].present(rows.Keys[row], rows.Labels[row], q.schema)
		if total > 0 {
			v.Share = float64(v.Total) / float64(total)
		}
		facets[i].Distinct = rows.Distinct[row]
		facets[i].Values = append(facets[i].Values, v)
	}
	return facets, total, nil
}

// Rate converts a sum over the range to the unit.
func Rate(unit string, total uint64, rg Range) float64 {
	return rate(unit, float64(total), float64(rg.To-rg.From))
}

// rate converts a sum over a range to the unit: per second, or unchanged.
func rate(unit string, total, seconds float64) float64 {
	switch unit {
	case "bps":
		return total * 8 / seconds
	case "pps", "fps":
		return total / seconds
	}
	return total
}

package query

import (
	"strconv"
	"strings"

	"netmeta/column"
	"netmeta/flow"
)

// coverageWindow is the age of the oldest rows that are checked.
const coverageWindow = 300

// CoverageFields returns the columns that Coverage checks: those that exporters fill or leave empty.
func CoverageFields() []string {
	var names []string
	for _, f := range coverageFields() {
		names = append(names, f.Name)
	}
	return names
}

func coverageFields() []*column.Field {
	var list []*column.Field
	for _, f := range flow.Table.Fields {
		if len(f.IE) > 0 || f.Kind == column.Uint32List || f == flow.Direction.Field {
			list = append(list, f)
		}
	}
	return list
}

// Coverage returns the statement for the number of rows of the last five minutes with a value in each column
// of CoverageFields, per exporter and type of record: exporter String, type String, rows UInt64, then filled
// Array(String), decimal numbers.
func Coverage(s Schema) Statement {
	var counts []string
	for _, f := range coverageFields() {
		test := f.Name + " != defaultValueOfTypeName('" + strings.ReplaceAll(f.SQLType(), "'", `\'`) + "')"
		if f.Kind == column.Uint32List {
			test = "notEmpty(" + f.Name + ")"
		}
		counts = append(counts, "countIf("+test+")")
	}
	c := newCompiler(s.Scope)
	return Statement{
		SQL: lines(
			"SELECT toString(ExporterAddress) AS exporter, toString(FlowType) AS type, count() AS rows,",
			"    arrayMap(n -> toString(n), ["+strings.Join(counts, ",\n    ")+"]) AS filled",
			c.from(flow.Table.Name, "\nWHERE ", "TimeReceived >= now() - "+strconv.Itoa(coverageWindow)),
			"GROUP BY exporter, type"),
		Params:  c.params,
		Columns: []ResultColumn{{"exporter", "String"}, {"type", "String"}, {"rows", "UInt64"}, {"filled", "Array(String)"}},
	}
}

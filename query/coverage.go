package query

import (
	"strconv"
	"strings"

	"netmeta/column"
	"netmeta/flow"
)

// coverageWindow is how far back the rows are looked at.
const coverageWindow = 300

// CoverageFields are the columns that Coverage looks at: what exporters fill, or
// leave empty, themselves.
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

// Coverage is the statement that says, for each exporter and type of record, how
// many rows of the last five minutes have a value in each column of CoverageFields:
// exporter String, type String, rows UInt64, then filled Array(String), decimal numbers.
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

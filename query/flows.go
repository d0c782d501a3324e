package query

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/internal/nearest"
)

// Flows is a request for records as they were stored, in the order of time or of a column. Its range, filter
// and direction are those of a Request.
type Flows struct {
	Request
	Columns []*column.Field
	Limit   int
	Sort    *column.Field // column of the order; nil: time
	Asc     bool          // oldest or smallest first
	Raw     bool          // CSV: cells that a spreadsheet would execute are unchanged
	cursor  cursor
}

// Limits of one page and of one export. Records in the order of time leave the store as they are found; in
// another order all are held until the last is read.
const (
	defaultFlows = 200
	maxFlows     = 10_000
	maxExport    = 1_000_000
	maxSorted    = 100_000
)

// standardColumns are the default columns of a page: as many as fit on a screen of 1440 pixels.
var standardColumns = []*column.Field{
	flow.TimeReceived.Field, flow.ExporterAddress.Field, flow.Direction.Field,
	flow.SrcAddr.Field, flow.SrcPort.Field, flow.DstAddr.Field, flow.DstPort.Field, flow.Proto.Field,
	flow.Bytes.Field, flow.Packets.Field, flow.InIf.Field, flow.OutIf.Field, flow.SrcAS.Field, flow.DstAS.Field,
}

// tied are the columns that order the records of a second: all that every exporter fills, so that records
// with equal values look the same.
var tied = func() []string {
	var names []string
	for _, f := range flow.Table.Fields {
		if !f.Rare && f.Kind != column.Alias && f != flow.TimeReceived.Field {
			names = append(names, f.Name)
		}
	}
	return names
}()

// ParseFlows parses the keys of a URL: those of ParseURL and columns, limit, sort, order and cursor; for CSV
// also raw. An export may have more rows than a page.
func ParseFlows(v url.Values, export bool) (f Flows, unknown []string, err error) {
	most, standard := maxFlows, defaultFlows
	if export {
		most, standard = maxExport, maxFlows
	}
	if f.Sort, f.Asc, err = parseSort(v.Get("sort"), v.Get("order")); err != nil {
		return f, nil, err
	}
	if f.Sort != nil {
		most = min(most, maxSorted)
	}
	if f.Limit, err = number(v, "limit", 1, most, standard); err != nil {
		return f, nil, err
	}
	if f.cursor, err = parseCursor(v.Get("cursor"), f.Sort != nil); err != nil {
		return f, nil, err
	}
	if f.Columns, err = parseColumns(v.Get("columns")); err != nil {
		return f, nil, err
	}
	if f.Raw, err = ParseRaw(v); err != nil {
		return f, nil, err
	}
	rest := url.Values{}
	for key, values := range v {
		if !slices.Contains([]string{"limit", "sort", "order", "cursor", "columns", "raw"}, key) {
			rest[key] = values
		}
	}
	f.Request, unknown, err = ParseURL(rest)
	return f, unknown, err
}

// parseColumns parses names of columns or of fields with their own column; "all" is every column.
func parseColumns(text string) ([]*column.Field, error) {
	switch text {
	case "":
		return standardColumns, nil
	case "all":
		return flow.Table.Fields, nil
	}
	var list []*column.Field
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		f := columnOf(name)
		if f == nil {
			return nil, noColumn("columns", name, "SrcAddr or src.ip, or all")
		}
		if !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	return list, nil
}

// noColumn returns the error for a key without a valid column, with the correct form.
func noColumn(key, name, form string) error {
	e := Invalid(key, name, "is not a column")
	var names []string
	for _, f := range flow.Table.Fields {
		names = append(names, f.Name)
	}
	if s := nearest.Word(name, names); s != "" {
		e.Detail += "; did you mean " + s + "?"
	} else {
		e.Detail += "; write names as " + form + "; the list is at /api/v1/fields"
	}
	return e
}

// columnOf finds a column by its name or by the name of its field.
func columnOf(name string) *column.Field {
	for _, f := range flow.Table.Fields {
		if strings.EqualFold(f.Name, name) || f.FilterName() != "" && strings.EqualFold(f.FilterName(), name) {
			return f
		}
	}
	return nil
}

// FlowColumn describes a column of a page.
type FlowColumn struct {
	Column string `json:"column"` // Name in the table.
	Name   string `json:"name"`   // Name in the filter language, or empty.
	Title  string `json:"title"`
	Unit   string `json:"unit"`
	Kind   string `json:"kind" enum:"number,text,list,time,time-ms"` // number, text, list, time (seconds) or time-ms.
}

// Describe returns the columns of the page, in order.
func (f Flows) Describe() []FlowColumn {
	list := make([]FlowColumn, len(f.Columns))
	for i, c := range f.Columns {
		_, kind := shown(c, asPage)
		list[i] = FlowColumn{Column: c.Name, Name: c.FilterName(), Title: c.Title, Unit: string(c.Unit), Kind: kind}
	}
	return list
}

// ASNames returns the names of the ASes in the first rows of a page, whose columns c0, c1 … it finds by name.
// It omits those without a name.
func (f Flows) ASNames(s Schema, rows int, column func(name string) any) map[uint64]string {
	names := map[uint64]string{}
	for i, c := range f.Columns {
		list, ok := column("c" + strconv.Itoa(i)).([]uint64)
		if !ok || !isAS(c) {
			continue
		}
		for _, as := range list[:min(rows, len(list))] {
			if _, known := names[as]; !known {
				names[as] = s.AS(uint32(as))
			}
		}
	}
	maps.DeleteFunc(names, func(_ uint64, name string) bool { return name == "" })
	return names
}

func isAS(f *column.Field) bool { return f.Show == column.AS }

// form is how values of records are written.
type form uint8

const (
	asPage form = iota
	asCSV
	asRawCSV // formulas unchanged
	asJSONL
)

// shown returns the output expression of a column, and the kind of its values.
func shown(f *column.Field, as form) (sql, kind string) {
	name := "r." + f.Name
	list := func(each string) (string, string) {
		e := "arrayMap(x -> " + each + ", " + name + ")"
		if as == asCSV || as == asRawCSV {
			e = "arrayStringConcat(" + e + ", ' ')"
		}
		return e, "list"
	}
	switch f.Kind {
	case column.Uint8, column.Uint16, column.Uint32, column.Uint64:
		if f.Show == column.MAC {
			return "lower(MACNumToString(" + name + "))", "text"
		}
		return "toUInt64(" + name + ")", "number"
	case column.Int64:
		return name, "number"
	case column.Time:
		if as != asPage {
			return "concat(replaceOne(toString(" + name + "), ' ', 'T'), 'Z')", "text"
		}
		return "toUInt64(toUnixTimestamp(" + name + "))", "time"
	case column.TimeMS:
		if as != asPage {
			return "concat(replaceOne(toString(" + name + "), ' ', 'T'), 'Z')", "text"
		}
		return "toUnixTimestamp64Milli(" + name + ")", "time-ms"
	case column.IP:
		return "replaceRegexpOne(toString(" + name + "), '^::ffff:', '')", "text"
	case column.Uint32List:
		if f.Filter == "community" {
			return list("concat(toString(intDiv(x, 65536)), ':', toString(x % 65536))")
		}
		return list("toString(x)")
	case column.Uint128List:
		return list("concat(toString(bitShiftRight(x, 64)), ':', toString(bitAnd(bitShiftRight(x, 32), 4294967295)), ':', toString(bitAnd(x, 4294967295)))")
	case column.TextMap:
		return "toJSONString(" + name + ")", "text"
	}
	text := "toString(" + name + ")"
	if as == asCSV {
		text = guarded(text)
	}
	return text, "text"
}

// Page returns the statement for one page. Its columns are c0, c1 … in the order of Describe, then ts UInt64,
// tie UInt64 and value String, from which Places makes the cursors. It returns one more row than the page if
// there are more.
func (f Flows) Page(rg Range, s Schema) (Statement, error) {
	columns := make([]string, 0, len(f.Columns)+2)
	for i, c := range f.Columns {
		sql, _ := shown(c, asPage)
		columns = append(columns, sql+" AS c"+strconv.Itoa(i))
	}
	value := "''"
	if f.Sort != nil {
		value = "toString(r.x)"
	}
	columns = append(columns, "toUInt64(toUnixTimestamp(r.TimeReceived)) AS ts", "r.tie AS tie", value+" AS value")
	return f.statement(rg, s, columns, f.Limit+1)
}

// Export returns the statement whose result is sent unchanged, with names of columns as the header: CSV or
// JSON lines.
func (f Flows) Export(rg Range, s Schema, csv bool) (Statement, error) {
	as := asJSONL
	if csv && f.Raw {
		as = asRawCSV
	} else if csv {
		as = asCSV
	}
	columns := make([]string, len(f.Columns))
	for i, c := range f.Columns {
		sql, _ := shown(c, as)
		columns[i] = sql + " AS `" + c.Name + "`"
	}
	return f.statement(rg, s, columns, f.Limit)
}

// statement reads the table twice, see edge. Names of the outer statement hide those of columns; the inner
// one has the condition.
func (f Flows) statement(rg Range, s Schema, columns []string, limit int) (Statement, error) {
	c := newCompiler(s.Scope)
	where, err := f.within(c, rg, s)
	if err != nil {
		return Statement{}, err
	}
	inner := []string{"TimeReceived", "cityHash64(" + strings.Join(tied, ", ") + ") AS tie"}
	order := []string{"TimeReceived", "tie"}
	if f.Sort != nil {
		inner = append(inner, sortKey(f.Sort).expr+" AS x")
		order = append([]string{"x"}, order...)
	}
	for _, f := range f.Columns {
		if f != flow.TimeReceived.Field {
			inner = append(inner, f.Name)
		}
	}
	offset := ""
	if f.cursor.skip > 0 {
		offset = " OFFSET " + strconv.Itoa(f.cursor.skip)
	}
	return Statement{
		SQL: lines(
			"SELECT",
			"    "+strings.Join(columns, ",\n    "),
			"FROM",
			"(",
			"    SELECT "+strings.Join(inner, ", "),
			"    "+f.rows(c, where, limit),
			"    ORDER BY "+f.ordered("", append(f.reading(), "tie")),
			"    LIMIT "+strconv.Itoa(limit)+offset,
			") AS r",
			"ORDER BY "+f.ordered("r.", order)),
		Params: c.params,
	}, nil
}

// rows returns the rows of the page, and those before its cursor at the same position. Both passes read few
// columns first, except within a scope: there no condition precedes that of the scope, which the store also
// adds.
func (f Flows) rows(c *compiler, where string, limit int) string {
	where += f.edge(c, where, limit)
	behind := f.behind(c)
	if !c.scope.IsEverything() {
		return c.from(flow.Table.Name, "\n    WHERE ", where+" AND "+behind)
	}
	return c.from(flow.Table.Name, "\n    PREWHERE ", where) + "\n    WHERE " + behind
}

// ordered returns the expressions of ORDER BY.
func (f Flows) ordered(prefix string, exprs []string) string {
	direction := " DESC"
	if f.Asc {
		direction = " ASC"
	}
	all := make([]string, len(exprs))
	for i, e := range exprs {
		all[i] = prefix + e + direction
	}
	return strings.Join(all, ", ")
}

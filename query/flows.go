package query

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"netmeta/column"
	"netmeta/flow"
)

// A Flows asks for records as they were stored, in the order of time. Its window,
// filter and direction are those of a Request.
type Flows struct {
	Request
	Columns []*column.Field
	Limit   int
	Asc     bool // oldest first
	cursor  cursor
}

// Limits of one page and of one export.
const (
	defaultFlows = 200
	maxFlows     = 10_000
	maxExport    = 1_000_000
)

// A cursor is the last record that was given: its second, its place in it, and how
// many records with both were given. Records have no number of their own; those of a
// second are put in order by a hash of what they hold.
type cursor struct {
	set  bool
	ts   int64
	tie  uint64
	skip int
}

func (c cursor) String() string { return fmt.Sprintf("%d.%d.%d", c.ts, c.tie, c.skip) }

func parseCursor(text string) (c cursor, err error) {
	if text == "" {
		return c, nil
	}
	parts := strings.Split(text, ".")
	var errs [3]error
	if len(parts) == 3 {
		c.set = true
		c.ts, errs[0] = strconv.ParseInt(parts[0], 10, 64)
		c.tie, errs[1] = strconv.ParseUint(parts[1], 10, 64)
		c.skip, errs[2] = strconv.Atoi(parts[2])
	}
	if !c.set || errs != [3]error{} || c.ts < 0 || c.ts > maxTime || c.skip < 0 || c.skip > maxExport {
		return c, &KeyError{"cursor", text, "is not a cursor; take the one that the page before gave as next"}
	}
	return c, nil
}

// standardColumns are those of a page that names none.
var standardColumns = []*column.Field{
	flow.TimeReceived.Field, flow.ExporterAddress.Field, flow.Direction.Field,
	flow.SrcAddr.Field, flow.SrcPort.Field, flow.DstAddr.Field, flow.DstPort.Field, flow.Proto.Field, flow.TCPFlags.Field,
	flow.Bytes.Field, flow.Packets.Field, flow.SamplingRate.Field, flow.InIf.Field, flow.OutIf.Field, flow.SrcAS.Field, flow.DstAS.Field,
}

// tied are the columns that put the records of a second in order: all that every
// exporter fills, so that records that are equal in them are equal to the eye.
var tied = func() []string {
	var names []string
	for _, f := range flow.Table.Fields {
		if !f.Rare && f.Kind != column.Alias && f != flow.TimeReceived.Field {
			names = append(names, f.Name)
		}
	}
	return names
}()

// ParseFlows reads the keys of a URL: those of ParseURL and columns, limit, order and
// cursor. An export may have more rows than a page.
func ParseFlows(v url.Values, export bool) (f Flows, unknown []string, err error) {
	most, standard := maxFlows, defaultFlows
	if export {
		most, standard = maxExport, maxFlows
	}
	if f.Limit, err = number(v, "limit", 1, most, standard); err != nil {
		return f, nil, err
	}
	switch order := v.Get("order"); order {
	case "", "desc":
	case "asc":
		f.Asc = true
	default:
		return f, nil, &KeyError{"order", order, "is neither desc, newest first, nor asc"}
	}
	if f.cursor, err = parseCursor(v.Get("cursor")); err != nil {
		return f, nil, err
	}
	if f.Columns, err = parseColumns(v.Get("columns")); err != nil {
		return f, nil, err
	}
	rest := url.Values{}
	for key, values := range v {
		if !slices.Contains([]string{"limit", "order", "cursor", "columns"}, key) {
			rest[key] = values
		}
	}
	f.Request, unknown, err = ParseURL(rest)
	return f, unknown, err
}

// parseColumns reads names of columns or of fields with a column of their own; "all"
// is every column.
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
			e := &KeyError{"columns", name, "is not a column"}
			var names []string
			for _, f := range flow.Table.Fields {
				names = append(names, f.Name)
			}
			if s := nearest(name, names); s != "" {
				e.Message += "; did you mean " + s + "?"
			} else {
				e.Message += "; write names as SrcAddr or src.ip, or all; the list is at /api/v1/fields"
			}
			return nil, e
		}
		if !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	return list, nil
}

// columnOf finds a column by its own name or by the name of its field.
func columnOf(name string) *column.Field {
	for _, f := range flow.Table.Fields {
		if strings.EqualFold(f.Name, name) || f.FilterName() != "" && strings.EqualFold(f.FilterName(), name) {
			return f
		}
	}
	return nil
}

// A FlowColumn describes a column of a page.
type FlowColumn struct {
	Column string `json:"column"` // its name in the table
	Name   string `json:"name"`   // in the filter language; empty: not to be filtered by
	Title  string `json:"title"`
	Unit   string `json:"unit"`
	Kind   string `json:"kind"` // of the values: number, text, list, time (seconds) or time-ms
}

// Describe gives the columns of the page, in order.
func (f Flows) Describe() []FlowColumn {
	list := make([]FlowColumn, len(f.Columns))
	for i, c := range f.Columns {
		_, kind := shown(c, asPage)
		list[i] = FlowColumn{Column: c.Name, Name: c.FilterName(), Title: c.Title, Unit: string(c.Unit), Kind: kind}
	}
	return list
}

// A form is how values of records are written.
type form uint8

const (
	asPage form = iota
	asCSV
	asJSONL
)

// shown is the expression of a column as it is given out, and the kind of its values.
func shown(f *column.Field, as form) (sql, kind string) {
	name := "r." + f.Name
	list := func(each string) (string, string) {
		e := "arrayMap(x -> " + each + ", " + name + ")"
		if as == asCSV {
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
	return "toString(" + name + ")", "text"
}

// Page is the statement for one page. Its columns are c0, c1 … as Describe has them,
// then ts UInt64 and tie UInt64, from which Next makes the cursor; it gives one row
// more than the page has when there are more.
func (f Flows) Page(rg Range, s Schema) (Statement, error) {
	columns := make([]string, 0, len(f.Columns)+2)
	for i, c := range f.Columns {
		sql, _ := shown(c, asPage)
		columns = append(columns, sql+" AS c"+strconv.Itoa(i))
	}
	columns = append(columns, "toUInt64(toUnixTimestamp(r.TimeReceived)) AS ts", "r.tie AS tie")
	return f.statement(rg, s, columns, f.Limit+1)
}

// Export is the statement whose result goes out as it is, with names of columns as the
// header: CSV or JSON lines.
func (f Flows) Export(rg Range, s Schema, csv bool) (Statement, error) {
	as := asJSONL
	if csv {
		as = asCSV
	}
	columns := make([]string, len(f.Columns))
	for i, c := range f.Columns {
		sql, _ := shown(c, as)
		columns[i] = sql + " AS `" + c.Name + "`"
	}
	return f.statement(rg, s, columns, f.Limit)
}

// statement reads the table in the order of its key, which begins with the five
// minutes, so that the engine stops when it has enough. Names of the outer statement
// hide those of columns; the inner one has the condition.
func (f Flows) statement(rg Range, s Schema, columns []string, limit int) (Statement, error) {
	c := newCompiler()
	from, to := rg.From, rg.To
	page := ""
	if at := f.cursor; at.set {
		less := "<"
		if f.Asc {
			less = ">"
			from = max(from, at.ts)
		} else {
			to = min(to, at.ts+1)
		}
		c.params["ts"], c.params["last"] = strconv.FormatInt(at.ts, 10), strconv.FormatUint(at.tie, 10)
		page = fmt.Sprintf(" AND (TimeReceived %s {ts:DateTime('UTC')} OR TimeReceived = {ts:DateTime('UTC')} AND tie %[1]s= {last:UInt64})", less)
	}
	where, err := f.where(c, s, from, to)
	if err != nil {
		return Statement{}, err
	}
	order := "DESC"
	if f.Asc {
		order = "ASC"
	}
	offset := ""
	if f.cursor.skip > 0 {
		offset = " OFFSET " + strconv.Itoa(f.cursor.skip)
	}
	var names []string
	for _, f := range f.Columns {
		if f != flow.TimeReceived.Field {
			names = append(names, f.Name)
		}
	}
	inner := slices.Concat([]string{"TimeReceived", "cityHash64(" + strings.Join(tied, ", ") + ") AS tie"}, names)
	return Statement{
		SQL: lines(
			"SELECT",
			"    "+strings.Join(columns, ",\n    "),
			"FROM",
			"(",
			"    SELECT "+strings.Join(inner, ", "),
			"    FROM "+flow.Table.Name,
			"    WHERE "+where+page,
			fmt.Sprintf("    ORDER BY toStartOfFiveMinutes(TimeReceived) %s, TimeReceived %[1]s, tie %[1]s", order),
			"    LIMIT "+strconv.Itoa(limit)+offset,
			") AS r",
			fmt.Sprintf("ORDER BY r.TimeReceived %s, r.tie %[1]s", order)),
		Params: c.params,
	}, nil
}

// Next is the cursor of the page after one whose rows have these seconds and places;
// empty when the page is the last. A page has Limit rows at most: the caller drops the
// row behind them.
func (f Flows) Next(ts, tie []uint64) string {
	if len(ts) <= f.Limit {
		return ""
	}
	last := f.Limit - 1
	next := cursor{ts: int64(ts[last]), tie: tie[last]}
	for i := last; i >= 0 && ts[i] == ts[last] && tie[i] == tie[last]; i-- {
		next.skip++
	}
	if f.cursor.set && f.cursor.ts == next.ts && f.cursor.tie == next.tie { // the whole page is more of the same
		next.skip += f.cursor.skip
	}
	return next.String()
}

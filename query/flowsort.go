package query

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"netmeta/column"
	"netmeta/flow"
	"netmeta/internal/param"
)

// cursor is the last record that was returned: its second, its position in it, how many records with both
// were returned, and the value that the records are ordered by if that is not the time. Records have no
// number; those of a second are ordered by a hash of their content.
type cursor struct {
	set   bool
	ts    int64
	tie   uint64
	skip  int
	value *string // nil in the order of time
}

func (c cursor) String() string {
	s := fmt.Sprintf("%d.%d.%d", c.ts, c.tie, c.skip)
	if c.value != nil {
		s += "." + base64.RawURLEncoding.EncodeToString([]byte(*c.value))
	}
	return s
}

// maxSortText bounds the part of a text or a list that records are ordered by, which bounds the cursor.
const (
	maxSortText = 256
	maxSortList = 64
	maxCursor   = 8 << 10
)

func parseCursor(text string, sorted bool) (c cursor, err error) {
	if text == "" {
		return c, nil
	}
	bad := func(message string) error { return Invalid("cursor", text[:min(len(text), 64)], message) }
	const none = "is not a cursor; take the one that the page before gave as next"
	parts := strings.Split(text, ".")
	if len(text) > maxCursor || len(parts) < 3 || len(parts) > 4 {
		return c, bad(none)
	}
	var errs [4]error
	c.set = true
	c.ts, errs[0] = strconv.ParseInt(parts[0], 10, 64)
	c.tie, errs[1] = strconv.ParseUint(parts[1], 10, 64)
	c.skip, errs[2] = strconv.Atoi(parts[2])
	if len(parts) == 4 {
		var value []byte
		value, errs[3] = base64.RawURLEncoding.DecodeString(parts[3])
		c.value = new(string(value))
	}
	if errs != [4]error{} || c.ts < 0 || c.ts > maxTime || c.skip < 0 || c.skip > maxExport {
		return c, bad(none)
	}
	if sorted != (c.value != nil) {
		return c, bad("is of a list in another order; begin again without it")
	}
	return c, nil
}

// parseSort parses sort, a column with - before it for the largest first, and order, which applies to the
// time if sort is empty.
func parseSort(sort, order string) (by *column.Field, asc bool, err error) {
	switch {
	case order != "" && order != "asc" && order != "desc":
		return nil, false, Invalid("order", order, "is neither desc, newest first, nor asc")
	case sort == "":
		return nil, order == "asc", nil
	case order != "":
		return nil, false, Invalid("order", order, "is the order of time, and sort="+sort+" is there; leave one out")
	}
	name, down := strings.CutPrefix(sort, "-")
	if name == "ts" {
		return nil, !down, nil
	}
	if by = columnOf(name); by == nil {
		return nil, false, noColumn("sort", name, "Bytes or bytes, for the largest first -Bytes, for the newest -ts")
	}
	if by == flow.TimeReceived.Field {
		by = nil
	}
	return by, !down, nil
}

// key is what records are ordered by.
type key struct {
	expr, kind string // and its ClickHouse type
}

// sortKey returns the sort key of a column: names sort alphabetically, and only the start of texts and lists
// counts.
func sortKey(f *column.Field) key {
	begin := func(expr string) key {
		return key{fmt.Sprintf("substring(%s, 1, %d)", expr, maxSortText), "String"}
	}
	some := func(kind string) key {
		return key{fmt.Sprintf("arraySlice(%s, 1, %d)", f.Name, maxSortList), "Array(" + kind + ")"}
	}
	switch f.Kind {
	case column.Enum, column.Text:
		return begin("toString(" + f.Name + ")")
	case column.TextMap:
		return begin("toJSONString(" + f.Name + ")")
	case column.Time:
		return key{"toUnixTimestamp(" + f.Name + ")", "UInt32"}
	case column.TimeMS:
		return key{"toUnixTimestamp64Milli(" + f.Name + ")", "Int64"}
	case column.Uint32List:
		return some("UInt32")
	case column.Uint128List:
		return some("UInt128")
	}
	return key{f.Name, f.SQLType()}
}

// within returns the condition of the range; a page in the order of time only reads what follows its cursor.
func (f Flows) within(c *compiler, rg Range, s Schema) (string, error) {
	from, to := rg.From, rg.To
	switch at := f.cursor; {
	case !at.set || f.Sort != nil:
	case f.Asc:
		from = max(from, at.ts)
	default:
		to = min(to, at.ts+1)
	}
	return f.where(c, s, from, to)
}

// less returns the comparison of the order.
func (f Flows) less() string {
	if f.Asc {
		return ">"
	}
	return "<"
}

// place returns the position of a record in the order; their tie orders records with the same position.
func (f Flows) place() string {
	if f.Sort == nil {
		return "TimeReceived"
	}
	return "(x, TimeReceived)"
}

// at returns the position of the cursor.
func (f Flows) at() string {
	if f.Sort == nil {
		return "{ts:DateTime('UTC')}"
	}
	return "({value:" + sortKey(f.Sort).kind + "}, {ts:DateTime('UTC')})"
}

// behind returns the condition of the records from the cursor on; it skips those of completely equal records
// that were already returned.
func (f Flows) behind(c *compiler) string {
	if !f.cursor.set {
		return "1"
	}
	c.params["ts"], c.params["last"] = strconv.FormatInt(f.cursor.ts, 10), strconv.FormatUint(f.cursor.tie, 10)
	if f.Sort != nil {
		c.params["value"] = param.Escape(*f.cursor.value)
	}
	return fmt.Sprintf("(%s %s %s OR %[1]s = %[3]s AND tie %[2]s= {last:UInt64})", f.place(), f.less(), f.at())
}

// edge returns the condition that excludes records after the page. A first pass, which only reads the
// positions, finds it. The second pass, which needs all columns for the ties of equal records, then reads few
// records.
func (f Flows) edge(c *compiler, where string, limit int) string {
	last, beyond := "min", ">="
	if f.Asc {
		last, beyond = "max", "<="
	}
	edge, behind := last+"("+f.place()+")", ""
	if f.cursor.set {
		// Records at the position of the last one are not counted: all of them may have been returned.
		edge = "if(count() = 0, " + f.at() + ", " + edge + ")"
		behind = fmt.Sprintf(" AND %s %s %s", f.place(), f.less(), f.at())
	}
	return lines(
		" AND "+f.place()+" "+beyond,
		"        (",
		"            SELECT "+edge,
		"            FROM ("+f.first(c, where+behind)+" ORDER BY "+f.ordered("", f.reading())+" LIMIT "+strconv.Itoa(limit)+")",
		"        )")
}

// first returns the statement of the first pass.
func (f Flows) first(c *compiler, where string) string {
	columns := "TimeReceived"
	if f.Sort != nil {
		columns = sortKey(f.Sort).expr + " AS x, TimeReceived"
	}
	return "SELECT " + columns + " " + c.from(flow.Table.Name, " WHERE ", where)
}

// reading returns the order in which the table is read. In the order of time it starts with the five minutes,
// as does the key of the table, so that the engine stops when it has enough; any other order reads the whole
// range.
func (f Flows) reading() []string {
	if f.Sort == nil {
		return []string{"toStartOfFiveMinutes(TimeReceived)", "TimeReceived"}
	}
	return []string{"x", "TimeReceived"}
}

// Reads returns a statement for the cost estimate of a page in another order than that of time: both passes
// read the range.
func (f Flows) Reads(rg Range, s Schema) (Statement, error) {
	c := newCompiler(s.Scope)
	where, err := f.within(c, rg, s)
	if err != nil {
		return Statement{}, err
	}
	once := f.first(c, where)
	return Statement{SQL: lines(once, "UNION ALL", once), Params: c.params}, nil
}

// Places returns the cursor of the page after one whose rows have these seconds, ties and values, empty if
// the page is the last, and for each of its rows the cursor with which the order of time starts at that row.
// A page has at most Limit rows: the caller drops the row after them.
func (f Flows) Places(ts, tie []uint64, value []string) (next string, each []string) {
	rows := min(len(ts), f.Limit)
	each = make([]string, rows)
	for i := range each {
		each[i] = cursor{ts: int64(ts[i]), tie: tie[i]}.String()
	}
	if len(ts) <= f.Limit {
		return "", each
	}
	last := rows - 1
	c := cursor{ts: int64(ts[last]), tie: tie[last]}
	if f.Sort != nil {
		c.value = &value[last]
	}
	same := func(i int) bool { return ts[i] == ts[last] && tie[i] == tie[last] && value[i] == value[last] }
	for i := last; i >= 0 && same(i); i-- {
		c.skip++
	}
	if f.cursor.isAt(c) { // the whole page consists of equal records
		c.skip += f.cursor.skip
	}
	return c.String(), each
}

// isAt reports that a page started with records that are equal to its last one.
func (c cursor) isAt(last cursor) bool {
	return c.set && c.ts == last.ts && c.tie == last.tie && (c.value == nil || *c.value == *last.value)
}

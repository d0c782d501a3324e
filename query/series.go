package query

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netmeta/flow"
)

// The series of a chart come from one statement. It reads the flows twice: once to
// rank the groups, once to draw those that won, with the rest folded into Other.
// Sums come back, not rates: the sum of all series, Other included, is exactly the
// sum over the rows. The columns of the result are
//
//	t         start of the bucket, seconds since 1970
//	dir       direction, or 'sum'
//	top       1: the row is of a group that won; 0: it is of Other, keys mean nothing
//	groups    how many groups there are, of this direction when each is ranked apart
//	k0 k1 …   keys: as many as the dims have expressions
//	l0 l1 …   labels
//	value     bytes, packets or flows, scaled by sampling
//	packets   packets, scaled by sampling
//	n         packets as sampled
//	variance  of the estimate of packets: Σ packets·rate·(rate−1)

// bucketSQL is the start of the bucket of a row.
func (rg *Range) bucketSQL(c *compiler) string {
	if !rg.calendar {
		c.params["step"] = strconv.FormatInt(rg.Step, 10)
		return "toUInt32(intDiv(toUInt32(TimeReceived), {step:UInt32}) * {step:UInt32})"
	}
	var b strings.Builder
	for i, t := range rg.Times {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(t, 10))
	}
	c.params["buckets"] = "[" + b.String() + "]"
	return "roundDown(toUInt32(TimeReceived), {buckets:Array(UInt32)})"
}

// valueSQL is what a row counts.
func (r *Request) valueSQL() string {
	switch r.Unit {
	case "pps", "packets":
		return "Packets * SamplingRate"
	case "fps", "flows":
		return "toUInt64(1)"
	}
	switch r.Layer {
	case "l2": // Ethernet header 14 and FCS 4: what octet counters count (RFC 3635 §3.2.5)
		return "(Bytes + 18 * Packets) * SamplingRate"
	case "l1": // and preamble 8 and gap 12: what occupies the line
		return "(Bytes + 38 * Packets) * SamplingRate"
	}
	return "Bytes * SamplingRate"
}

// where is the condition of a request: half-open in time, the direction, the filter.
func (r *Request) where(c *compiler, s Schema, from, to int64) (string, error) {
	filter, err := ParseFilter(r.Filter, s)
	if err != nil {
		return "", err
	}
	c.params["from"] = strconv.FormatInt(from, 10)
	c.params["to"] = strconv.FormatInt(to, 10)
	sql := "TimeReceived >= {from:DateTime('UTC')} AND TimeReceived < {to:DateTime('UTC')}"
	switch r.Dir {
	case "in", "out", "internal":
		sql += " AND Direction = '" + r.Dir + "'"
	}
	if filter.Root == nil {
		return sql, nil
	}
	condition := c.condition(filter.Root)
	if and, ok := filter.Root.(And); ok && len(and.Of) > 0 {
		condition = condition[1 : len(condition)-1] // its parentheses
	}
	return sql + " AND " + condition, nil
}

// dims are the groups of a request that can be answered as series.
func (r *Request) dims() ([]dim, error) {
	dims := make([]dim, len(r.By))
	for i, item := range r.By {
		d, err := parseDim(item)
		if err != nil {
			return nil, err
		}
		if d.ts != "" {
			return nil, &KeyError{"by", item, "time as a group is not answered yet; leave it out, the chart goes over time anyway"}
		}
		dims[i] = d
	}
	return dims, nil
}

// Series is the statement for a chart and its table. The error is a *FilterError
// or a *KeyError.
func (r Request) Series(rg Range, s Schema) (Statement, error) {
	switch {
	case r.Unit == "pct":
		return Statement{}, &KeyError{"unit", r.Unit, "the share of an interface's speed is not answered yet; write unit=bps"}
	case r.Rank == "delta":
		return Statement{}, &KeyError{"rank", r.Rank, "ranking by change is not answered yet; write rank=avg"}
	}
	dims, err := r.dims()
	if err != nil {
		return Statement{}, err
	}
	c := newCompiler()
	where, err := r.where(c, s, rg.From, rg.To)
	if err != nil {
		return Statement{}, err
	}
	q := series{request: &r, rg: &rg, c: c, where: where, split: r.Dir != "sum"}
	for _, d := range dims {
		q.keys = append(q.keys, d.keys()...)
		q.labels = append(q.labels, d.labels()...)
	}
	st := Statement{SQL: q.sql(), Params: c.params, Columns: q.columns(), Notes: r.notes()}
	return st, nil
}

// notes say what of a request has no answer yet.
func (r *Request) notes() []string {
	var notes []string
	if r.VS != "" {
		notes = append(notes, "vs: the comparison is not answered yet")
	}
	if r.Agg == "peak" {
		notes = append(notes, "agg=peak: the peak inside a bucket is not answered yet")
	}
	return notes
}

// series is a statement in the making.
type series struct {
	request      *Request
	rg           *Range
	c            *compiler
	where        string
	split        bool // a direction has rows of its own
	keys, labels []string
}

// list writes name0, name1 … with a prefix, n times.
func list(n int, format string) []string {
	s := make([]string, n)
	for i := range s {
		s[i] = strings.ReplaceAll(format, "#", strconv.Itoa(i))
	}
	return s
}

func (q *series) sql() string {
	dir := "'sum'"
	if q.split {
		dir = "toString(f.d)"
	}
	if len(q.keys) == 0 {
		return lines(
			"WITH",
			q.rows(),
			"SELECT",
			"    f.t AS t,",
			"    "+dir+" AS dir,",
			"    toUInt8(1) AS top,",
			"    toUInt64(1) AS groups,",
			sums,
			"FROM f",
			"GROUP BY "+strings.Join(q.group("f.t", nil), ", "),
		)
	}
	match := list(len(q.keys), "f.g# = best.g#")
	if q.split && q.request.RankDir == "each" {
		match = append([]string{"f.d = best.d"}, match...)
	}
	out := append(list(len(q.keys), "    toString(best.g#) AS k#,"), list(len(q.labels), "    max(f.m#) AS l#,")...)
	return lines(
		"WITH",
		q.rows()+",",
		q.best(),
		"SELECT",
		"    f.t AS t,",
		"    "+dir+" AS dir,",
		"    toUInt8(best.groups > 0) AS top,",
		"    best.groups AS groups,",
		strings.Join(out, "\n"),
		sums,
		"FROM f",
		"ANY LEFT JOIN best ON "+strings.Join(match, " AND "),
		"GROUP BY "+strings.Join(q.group("f.t", append([]string{"best.groups"}, list(len(q.keys), "best.g#")...)), ", "),
	)
}

// lines joins lines; empty ones are left out.
func lines(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "\n")
}

// group is a list of names to group by: the first, the direction if rows are split
// by it, the others.
func (q *series) group(first string, others []string) []string {
	list := []string{first}
	if q.split {
		list = append(list, "f.d")
	}
	return append(list, others...)
}

// rows is f: the rows of the window with what the rest needs of them.
func (q *series) rows() string {
	columns := []string{q.rg.bucketSQL(q.c) + " AS t"}
	if q.split {
		columns = append(columns, "Direction AS d")
	}
	for i, k := range q.keys {
		columns = append(columns, k+" AS g"+strconv.Itoa(i))
	}
	for i, l := range q.labels {
		columns = append(columns, l+" AS m"+strconv.Itoa(i))
	}
	columns = append(columns, q.request.valueSQL()+" AS v", "Packets * SamplingRate AS p", "Packets AS n",
		"toFloat64(Packets) * SamplingRate * (SamplingRate - 1) AS e")
	return lines(
		"    f AS",
		"    (",
		"        SELECT",
		"            "+strings.Join(columns, ",\n            "),
		"        FROM "+flow.Table.Name,
		"        WHERE "+q.where,
		"    )",
	)
}

// sums are what is added up in each cell.
const sums = "    sum(f.v) AS value,\n    sum(f.p) AS packets,\n    sum(f.n) AS n,\n    sum(f.e) AS variance"

// best is the groups that win, each with the number of groups that were ranked.
// The first N are picked while the groups are counted, without sorting them all:
// by score, then by total, then by key, so that the same rows give the same order.
func (q *series) best() string {
	keys := strings.Join(list(len(q.keys), "g#"), ", ")
	ranked := keys
	each := q.split && q.request.RankDir == "each"
	if each {
		ranked = "d, " + keys
	}
	score := []string{
		"            (",
		"                SELECT " + ranked + ", toFloat64(sum(v)) AS score, score AS total",
		"                FROM f",
		"                GROUP BY " + ranked,
		"            )",
	}
	if by := q.score(); by != "" {
		score = []string{
			"            (",
			"                SELECT " + ranked + ", toFloat64(" + by + ") AS score, toFloat64(sum(whole)) AS total",
			"                FROM (SELECT " + ranked + ", t, sum(f.v) AS whole, " + q.shown() + " AS v FROM f GROUP BY " + ranked + ", t)",
			"                GROUP BY " + ranked,
			"            )",
		}
	}
	pick := fmt.Sprintf("count() AS groups, groupArraySorted(%d)((-score, -total, %s)) AS picked", q.request.N, keys)
	chosen := list(len(q.keys), "")
	for i := range chosen {
		chosen[i] = fmt.Sprintf("tupleElement(pick, %d) AS g%d", i+3, i)
	}
	head, from := "groups, "+strings.Join(chosen, ", "), []string{"            SELECT " + pick, "            FROM"}
	tail := []string{}
	if each {
		head = "d, " + head
		from[0] = "            SELECT d, " + pick
		tail = []string{"            GROUP BY d"}
	}
	return lines(
		"    best AS",
		"    (",
		"        SELECT "+head,
		"        FROM",
		"        (",
		lines(from...),
		lines(score...),
		lines(tail...),
		"        )",
		"        ARRAY JOIN picked AS pick",
		"    )",
	)
}

// shown is the value of a bucket as the chart shows it, but for a factor.
func (q *series) shown() string {
	if q.request.Unit == "bpp" {
		return "sum(f.v) / greatest(sum(f.p), 1)"
	}
	return "sum(f.v)"
}

// score is what groups are ranked by over their buckets v at t; empty: their sum.
// As in the table, buckets that the window cuts do not count.
func (q *series) score() string {
	a, b := q.rg.full()
	bind := func(name string, v int64) string {
		q.c.params[name] = strconv.FormatInt(v, 10)
		return "{" + name + ":UInt32}"
	}
	switch q.request.Rank {
	case "max":
		return "maxIf(v, t BETWEEN " + bind("first", q.rg.Times[a]) + " AND " + bind("last", q.rg.Times[b-1]) + ")"
	case "last":
		return "sumIf(v, t = " + bind("last", q.rg.Times[b-1]) + ")"
	case "p95":
		// Buckets without a row are zeros: they sort last, and an index beyond the end
		// gives zero.
		return "arrayReverseSort(groupArrayIf(v, t BETWEEN " + bind("first", q.rg.Times[a]) + " AND " + bind("last", q.rg.Times[b-1]) + "))[" +
			bind("p95", int64((b-a)*5/100+1)) + "]"
	}
	return ""
}

func (q *series) columns() []ResultColumn {
	columns := []ResultColumn{{"t", "UInt32"}, {"dir", "String"}, {"top", "UInt8"}, {"groups", "UInt64"}}
	for _, name := range append(list(len(q.keys), "k#"), list(len(q.labels), "l#")...) {
		columns = append(columns, ResultColumn{name, "String"})
	}
	return append(columns, ResultColumn{"value", "UInt64"}, ResultColumn{"packets", "UInt64"}, ResultColumn{"n", "UInt64"}, ResultColumn{"variance", "Float64"})
}

// Probe is the statement that says whether any record of a window meets the
// request: one row with the column found, UInt8.
func (r Request) Probe(from, to int64, s Schema) (Statement, error) {
	c := newCompiler()
	where, err := r.where(c, s, from, to)
	if err != nil {
		return Statement{}, err
	}
	return Statement{
		SQL:     lines("SELECT toUInt8(count() > 0) AS found", "FROM (SELECT 1 FROM "+flow.Table.Name+" WHERE "+where+" LIMIT 1)"),
		Params:  c.params,
		Columns: []ResultColumn{{"found", "UInt8"}},
	}, nil
}

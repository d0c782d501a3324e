package query

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netmeta/column"
	"netmeta/filter"
	"netmeta/flow"
)

// The series of a chart come from one statement:
//
//	f     the rows of the range or, with few groups, their sums: cells
//	best  the best groups, ranked by f
//	      the cells of the best, and the rest folded into Other: f with best
//
// So f is read twice. If it is cells and the engine can cache them, the flows are read once. The result has
// sums, not rates: the sum of all series, including Other, is exactly the sum of the rows. The columns of the
// result are
//
//	t         start of the bucket, seconds since 1970
//	dir       direction, or 'sum'
//	top       1: the row is of one of the best; 0: of Other, 2: of those that skip
//	          omits at the top; keys are then meaningless
//	groups    number of groups, of this direction if each is ranked separately
//	k0 k1 …   keys: one per expression of the dims
//	l0 l1 …   labels
//	value     bytes, packets or flows, scaled by sampling; 2^64−1 also means more
//	packets   packets, scaled by sampling: Float64, at most 2^64
//	n         packets as sampled; 2^64−1 where packets are more than 9e18
//	variance  of the estimate of packets: Σ packets·rate·(rate−1)
//	speed     with unit=pct: of the interface, bits per second; 0: unknown
//	paceless  with unit=pct: number of interfaces without a speed
//	w         with vs: the window, 0 for that of the request, then the earlier ones
//	peak      with agg=peak: the largest value of one second in the bucket
//	edge      with agg=peak: the largest sum over all series of one second in which this one has rows

// bucketSQL is the start of the bucket of a row; at is the row's second. The suffix distinguishes the
// parameters of several ranges.
func (rg *Range) bucketSQL(c *compiler, at, suffix string) string {
	if !rg.calendar {
		c.params["step"+suffix] = strconv.FormatInt(rg.Step, 10)
		return "toUInt32(intDiv(" + at + ", {step" + suffix + ":UInt32}) * {step" + suffix + ":UInt32})"
	}
	var b strings.Builder
	for i, t := range rg.Times {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(t, 10))
	}
	c.params["buckets"+suffix] = "[" + b.String() + "]"
	return "roundDown(" + at + ", {buckets" + suffix + ":Array(UInt32)})"
}

// valueSQL is the value of a row of a table, modulo 2^64.
func (r *Request) valueSQL(table string) string { return r.valueAs(table, "") }

// roughSQL is the same as Float64.
func (r *Request) roughSQL(table string) string { return r.valueAs(table, "toFloat64") }

// valueAs is the value of a row, computed in a type: to is the name of a function.
func (r *Request) valueAs(table, to string) string {
	cast := func(expr string) string {
		if to == "" {
			return expr
		}
		return to + "(" + expr + ")"
	}
	octets, packets := cast("Bytes"), cast("Packets")
	switch r.Unit {
	case "pps", "packets":
		return packets + " * SamplingRate"
	case "fps", "flows":
		return cast(flowsSQL(table))
	}
	// The lengths of sFlow are those of whole frames (sFlow version 5, struct sampled_header).
	switch r.Layer {
	case "l2": // Ethernet header 14 and FCS 4: what octet counters count (RFC 3635 §3.2.5)
		return "(" + octets + " + if(FlowType = 'sflow', 0, 18) * " + packets + ") * SamplingRate"
	case "l1": // and preamble 8 and gap 12: what occupies the line
		return "(" + octets + " + if(FlowType = 'sflow', 20, 38) * " + packets + ") * SamplingRate"
	}
	return octets + " * SamplingRate"
}

// valueFields returns the fields that valueSQL reads besides the measures.
func (r *Request) valueFields() []*column.Field {
	rate := flow.SamplingRate.Field
	switch {
	case r.Unit == "fps" || r.Unit == "flows":
		return nil
	case r.Unit == "pps" || r.Unit == "packets" || r.Layer != "l2" && r.Layer != "l1":
		return []*column.Field{rate}
	}
	return []*column.Field{rate, flow.FlowType.Field}
}

// conditionFields returns the fields that the direction and the filter of a request read.
func (r *Request) conditionFields(f filter.Filter) []*column.Field {
	switch r.Dir {
	case "in", "out", "internal":
		return append(f.Fields(), flow.Direction.Field)
	}
	return f.Fields()
}

// where returns the condition of a request: half-open in time, the direction, the filter.
func (r *Request) where(c *compiler, s Schema, from, to int64) (string, error) {
	rest, err := r.condition(c, s)
	return c.window(0, from, to) + rest, err
}

// condition returns the condition of a request without the time, each part with its AND.
func (r *Request) condition(c *compiler, s Schema) (string, error) {
	f, err := filter.Parse(r.Filter, s.Names)
	if err != nil {
		return "", err
	}
	return r.conditionOf(c, f), nil
}

func (r *Request) conditionOf(c *compiler, f filter.Filter) (sql string) {
	switch r.Dir {
	case "in", "out", "internal":
		sql += " AND Direction = '" + r.Dir + "'"
	}
	if condition := f.SQL(c.params); condition != "" {
		sql += " AND " + condition
	}
	return sql
}

// dims returns the groups of a request.
func (r *Request) dims(rg *Range) ([]dim, error) {
	dims := make([]dim, len(r.By))
	for i, item := range r.By {
		d, err := parseDim("by", item)
		if err != nil {
			return nil, err
		}
		if d.ts != "" {
			if err := d.over(rg); err != nil {
				return nil, err
			}
			if r.Spread {
				return nil, Invalid("spread", "1", "counts a record in several times, and "+item+" groups it by one; write spread=0 or leave "+item+" out")
			}
		}
		dims[i] = d
	}
	return dims, nil
}

// Series returns the statement for a chart and its table. The error is a *filter.Error or a *problem.Error.
func (r Request) Series(rg Range, s Schema) (Statement, error) {
	switch {
	case r.Rank == "delta" && r.VS == "":
		return Statement{}, Invalid("rank", r.Rank, "ranks by the change against an earlier window: say which with vs=prev or vs=-7d")
	case r.Agg == "peak" && r.Unit == "bpp":
		return Statement{}, Invalid("agg", r.Agg, "is the largest sum of one second, and bytes per packet are no sum; write agg=avg or unit=bps")
	}
	if r.Spread && r.Agg == "peak" {
		return Statement{}, Invalid("spread", "1", "has no peaks: a record that counts over its whole time has no second of its own; write agg=avg or spread=0")
	}
	dims, err := r.dims(&rg)
	if err != nil {
		return Statement{}, err
	}
	shifts, err := r.shifts(&rg)
	if err != nil {
		return Statement{}, err
	}
	c := newCompiler(s.Scope)
	f, err := filter.Parse(r.Filter, s.Names)
	if err != nil {
		return Statement{}, err
	}
	rest := r.conditionOf(c, f)
	q := series{request: &r, rg: &rg, c: c, rest: rest, split: r.Dir != "sum", peak: r.Agg == "peak"}
	needs := slices.Concat(r.conditionFields(f), r.valueFields())
	if r.Unit == "pct" {
		var speed *column.Field
		if speed, q.link, err = speedOf(dims); err != nil {
			return Statement{}, err
		}
		q.speed, needs = speed.Name, append(needs, speed)
	}
	for _, d := range dims {
		q.keys = append(q.keys, d.keys(c)...)
		q.labels = append(q.labels, d.labels()...)
		needs = append(needs, d.fields()...)
	}
	few := len(dims) == 1 && rolled(dims[0].keyFields()) || len(dims) > 0 && s.Once && f.OneHost()
	q.few = few && !q.peak || q.speed != ""
	q.once = few && !q.peak && s.Once
	var rollups []Rollup
	if q.spread = r.Spread && !rg.calendar; !q.peak && !q.spread {
		rollups = s.answering(needs)
	}
	rollups = slices.DeleteFunc(rollups, func(t Rollup) bool {
		return slices.ContainsFunc(dims, func(d dim) bool { return d.ts != "" && !d.buckets.aligned(0, t.Step) })
	})
	for i, shift := range append([]int64{0}, shifts...) {
		window := rg.cover(shift, rollups)
		if q.spread {
			window[0].spans[0].to += spreadLate
		}
		q.windows = append(q.windows, window)
		if i > 0 {
			c.params[fmt.Sprintf("shift%d", i)] = strconv.FormatInt(shift, 10)
		}
	}
	st := Statement{SQL: q.sql(), Params: c.params, Columns: q.columns(), Tables: tables(q.windows)}
	if q.spread {
		st.Notes = append(st.Notes, "spread: a record counts from its start to its end; those that still run are not here yet, so the newest buckets will grow")
	} else if r.Spread {
		st.Notes = append(st.Notes, "spread: buckets of days are not spread, records are shorter")
	}
	for _, note := range []string{rg.expired(q.windows[0], s), rg.notFolded(slices.Concat(q.windows...), s), rg.blank(q.windows[0], s)} {
		if note != "" {
			st.Notes = append(st.Notes, note)
		}
	}
	return st, nil
}

// series is a statement under construction.
type series struct {
	request      *Request
	rg           *Range
	c            *compiler
	rest         string    // the condition without the time, each part with its AND
	windows      [][]piece // of the request and its comparisons: the pieces of their rows
	split        bool      // directions have separate rows
	peak         bool      // seconds are separate until their maximum is known
	few          bool      // there are few groups
	once         bool      // their cells are computed once
	spread       bool      // a row counts from its start to its end
	speed        string    // with unit=pct: the column with the speed of the interface,
	link         [2]string // and the keys that identify it
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
	columns := []string{"f.t AS t", dir + " AS dir"}
	group := []string{"f.t"}
	if q.split {
		group = append(group, "f.d")
	}
	from := "FROM f"
	with := q.rows()
	if len(q.keys) == 0 {
		columns = append(columns, "toUInt8(1) AS top", "toUInt64(1) AS groups")
	} else {
		match := list(len(q.keys), "f.g# = best.g#")
		if q.each() {
			match = append([]string{"f.d = best.d"}, match...)
		}
		top, key, by := "toUInt8(best.groups > 0)", "toString(best.g#)", list(len(q.keys), "best.g#")
		if q.request.Skip > 0 { // keys of omitted groups are not distinguished
			top, key, by = "toUInt8(if(best.rank > {skip:UInt16}, 1, if(best.rank > 0, 2, 0)))", "if(best.rank > {skip:UInt16}, toString(best.g#), '')", append([]string{"top"}, list(len(q.keys), "k#")...)
			q.c.params["skip"] = strconv.Itoa(q.request.Skip)
		}
		columns = append(columns, top+" AS top", "best.groups AS groups")
		columns = append(columns, list(len(q.keys), key+" AS k#")...)
		columns = append(columns, list(len(q.labels), "max(f.m#) AS l#")...)
		group = append(group, "best.groups")
		group = append(group, by...)
		from += "\nANY LEFT JOIN best ON " + strings.Join(match, " AND ")
		with += ",\n" + q.best()
	}
	columns = append(columns, q.sums()...)
	if q.speed != "" {
		columns = append(columns, "max(f.speed) AS speed", "max(f.paceless) AS paceless")
	}
	if len(q.windows) > 1 {
		columns, group = append(columns, "f.w AS w"), append(group, "f.w")
	}
	if q.peak {
		columns, group = append(columns, "f.s AS s"), append(group, "f.s")
	}
	cells := lines("SELECT", "    "+strings.Join(columns, ",\n    "), from, "GROUP BY "+strings.Join(group, ", "))
	if q.peak {
		return lines("WITH", with+",", q.seconds(cells))
	}
	return lines("WITH", with, cells, q.setting())
}

// OnceState returns the statement for whether the engine can compute a common table expression once: can
// UInt8.
func OnceState() string {
	return "SELECT toUInt8(count() > 0) AS can FROM system.settings WHERE name = 'enable_materialized_cte'"
}

// as is the text between the name of a common table expression and its statement.
func (q *series) as() string {
	if q.once {
		return " AS MATERIALIZED"
	}
	return " AS"
}

func (q *series) setting() string {
	if q.once {
		return "SETTINGS enable_materialized_cte = 1"
	}
	return ""
}

// seconds sums the sums of each second, cells, to those of the buckets, with the largest second of each
// series and of all together.
func (q *series) seconds(cells string) string {
	group := append([]string{"t", "dir", "top", "groups"}, list(len(q.keys), "k#")...)
	of := "(PARTITION BY dir, s)"
	if len(q.windows) > 1 {
		of = "(PARTITION BY dir, w, s)"
	}
	columns := append(slices.Clone(group), list(len(q.labels), "max(l#) AS l#")...)
	columns = append(columns, saturatedSum("c.value")+" AS value", packetsOf("sum(c.packets)")+" AS packets", sampledOf("sum(c.n)", "sum(c.packets)")+" AS n", "sum(c.variance) AS variance")
	if q.speed != "" {
		columns = append(columns, "max(c.speed) AS speed", "max(c.paceless) AS paceless")
	}
	if len(q.windows) > 1 {
		group, columns = append(group, "w"), append(columns, "w")
	}
	columns = append(columns, "max(c.value) AS peak", "max(c.whole) AS edge")
	return lines(
		"    seconds AS",
		"    (",
		"        "+strings.ReplaceAll(cells, "\n", "\n        "),
		"    )",
		"SELECT",
		"    "+strings.Join(columns, ",\n    "),
		"FROM (SELECT *, "+saturated("sum(value) OVER "+of, "sum(toFloat64(value)) OVER "+of)+" AS whole FROM seconds) AS c",
		"GROUP BY "+strings.Join(group, ", "),
	)
}

// each reports that directions are ranked separately.
func (q *series) each() bool { return q.split && q.request.RankDir == "each" }

// lines joins lines, without empty ones.
func lines(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "\n")
}

// rows is f: the rows of the windows with the values that the rest needs.
func (q *series) rows() string {
	if q.speed != "" {
		var all []string
		for i := range q.windows {
			all = append(all, q.window(i, "                "))
		}
		return lines("    f"+q.as(), "    (", q.paced(strings.Join(all, "\n                UNION ALL\n")), "    )")
	}
	if len(q.windows) == 1 {
		return lines("    f"+q.as(), "    (", q.window(0, "        "), "    )")
	}
	parts := []string{"        SELECT * FROM f0"}
	for i := 1; i < len(q.windows); i++ {
		parts = append(parts, "        UNION ALL", q.window(i, "        "))
	}
	return lines(
		"    f0"+q.as(), "    (", q.window(0, "        "), "    ),",
		"    f"+q.as(), "    (", lines(parts...), "    )",
	)
}

// window returns the rows of window i. Few groups are summed to cells first, which is faster than looking up
// the group of each row among the best.
func (q *series) window(i int, indent string) string {
	at := timeSQL(i)
	columns := []string{q.rg.bucketSQL(q.c, at, "") + " AS t"}
	with, join, and := "", "", ""
	if q.spread {
		with, join, and = q.spreadSQL(i, indent)
		columns[0] = "toUInt32(k * {step:UInt32}) AS t"
	}
	cell := []string{"t"}
	if len(q.windows) > 1 {
		columns = append(columns, fmt.Sprintf("toUInt8(%d) AS w", i))
	}
	if q.peak {
		columns, cell = append(columns, at+" AS s"), append(cell, "s")
	}
	if q.split {
		columns, cell = append(columns, "Direction AS d"), append(cell, "d")
	}
	for i, k := range q.keys {
		columns = append(columns, strings.ReplaceAll(k, secondOf, at)+" AS g"+strconv.Itoa(i))
	}
	label, group := "#", ""
	if q.few {
		label, group = "max(#)", indent+"GROUP BY "+strings.Join(append(cell, list(len(q.keys), "g#")...), ", ")
	}
	for i, l := range q.labels {
		columns = append(columns, strings.ReplaceAll(label, "#", l)+" AS m"+strconv.Itoa(i))
	}
	var parts []string
	for _, p := range q.windows[i] {
		all := slices.Clone(columns)
		all = append(all, q.volume(p.table)...)
		if q.speed != "" {
			all = append(all, "max("+q.speed+") AS pace")
		}
		parts = append(parts, lines(
			with,
			indent+"SELECT",
			indent+"    "+strings.Join(all, ",\n"+indent+"    "),
			indent+q.c.from(p.table, "\n"+join+indent+"WHERE ", q.c.during(i, p)+q.rest+and),
			group,
		))
	}
	return strings.Join(parts, "\n"+indent+"UNION ALL\n")
}

// volume returns the columns of f that are summed: v, p, n and e, and for rows that are not cells r, the
// rough v, since their v is modulo 2^64.
func (q *series) volume(table string) []string {
	value, rough, p, n, e := q.request.valueSQL(table), q.request.roughSQL(table), packetsSQL, "Packets", squaresSQL
	if q.spread {
		value, n = spreadPart("least("+q.request.valueAs(table, "toUInt128")+", "+maxSum+")"), spreadPart("toUInt128(Packets)")
		rough, p, e = "toFloat64("+value+")", spreadFloat(p), spreadFloat(e)
	}
	if !q.few {
		return []string{value + " AS v", rough + " AS r", p + " AS p", n + " AS n", e + " AS e"}
	}
	return []string{saturated("sum("+value+")", "sum("+rough+")") + " AS v", "sum(" + p + ") AS p", "sum(" + n + ") AS n", "sum(" + e + ") AS e"}
}

// sumOf is the sum of v over rows of f, where prefix is empty or "f.", and a condition holds, which is empty
// for all.
func (q *series) sumOf(prefix, condition string) string {
	rough := prefix + "r"
	if q.few {
		rough = "toFloat64(" + prefix + "v)"
	}
	if condition == "" {
		return saturated("sum("+prefix+"v)", "sum("+rough+")")
	}
	return saturated("sumIf("+prefix+"v, "+condition+")", "sumIf("+rough+", "+condition+")")
}

// sums returns the sums of each cell.
func (q *series) sums() []string {
	return []string{q.sumOf("f.", "") + " AS value", packetsOf("sum(f.p)") + " AS packets", sampledOf("sum(f.n)", "sum(f.p)") + " AS n", varianceOf("sum(f.e)", "sum(f.p)") + " AS variance"}
}

// best returns the best groups, each with the number of groups that were ranked. The first N are picked while
// the groups are counted, without sorting them all: by score, then by total, then by key, so that the same
// rows give the same order.
func (q *series) best() string {
	keys := strings.Join(list(len(q.keys), "g#"), ", ")
	ranked, of := keys, "FROM f"
	each := q.each()
	if each {
		ranked = "d, " + keys
	}
	sum, known := "toFloat64("+q.sumOf("", "")+") AS score, score AS total", ""
	switch {
	case q.speed != "" && q.request.Rank == "delta":
		sum, known = fmt.Sprintf("abs(sumIf(v / speed, w = 0) - sumIf(v / speed, w > 0) / %d) AS score, sum(v / speed) AS total", len(q.windows)-1), " WHERE speed > 0"
	case q.speed != "":
		sum, known = q.sumOf("", "")+" / max(speed) AS score, score AS total", " WHERE speed > 0"
		if len(q.windows) > 1 {
			known += " AND w = 0"
		}
	case q.request.Rank == "delta":
		sum = fmt.Sprintf("abs(toFloat64(%s) - toFloat64(%s) / %d) AS score, toFloat64(%s) AS total", q.sumOf("", "w = 0"), q.sumOf("", "w > 0"), len(q.windows)-1, q.sumOf("", ""))
	case len(q.windows) > 1: // who wins is decided by the window of the request
		of = "FROM f0 AS f"
	}
	score := []string{
		"            (",
		"                SELECT " + ranked + ", " + sum,
		"                " + of + known,
		"                GROUP BY " + ranked,
		"            )",
	}
	if by := q.score(); by != "" {
		score = []string{
			"            (",
			"                SELECT " + ranked + ", toFloat64(" + by + ") AS score, toFloat64(" + saturatedSum("whole") + ") AS total",
			"                FROM (SELECT " + ranked + ", t, " + q.sumOf("f.", "") + " AS whole, " + q.shown() + " AS v " + of + known + " GROUP BY " + ranked + ", t)",
			"                GROUP BY " + ranked,
			"            )",
		}
	}
	pick := fmt.Sprintf("count() AS groups, groupArraySorted(%d)((-score, -total, %s)) AS picked", q.request.Skip+q.request.N, keys)
	chosen := list(len(q.keys), "")
	for i := range chosen {
		chosen[i] = fmt.Sprintf("tupleElement(pick, %d) AS g%d", i+3, i)
	}
	joined := "picked AS pick"
	if q.request.Skip > 0 {
		chosen, joined = append(chosen, "rank"), joined+", arrayEnumerate(picked) AS rank"
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
		"        ARRAY JOIN "+joined,
		"    )",
	)
}

// shown is the displayed value of a bucket, except for a factor.
func (q *series) shown() string {
	switch q.request.Unit {
	case "bpp":
		return "whole / greatest(" + packetsOf("sum(f.p)") + ", 1)"
	case "pct":
		return "whole / max(f.speed)"
	}
	return "whole"
}

// score is the ranking of groups over their buckets v at t; empty: their sum. As in the table, partial
// buckets do not count.
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
		// Buckets without a row are zeros: they sort last, and an index beyond the end gives zero.
		return "arrayReverseSort(groupArrayIf(v, t BETWEEN " + bind("first", q.rg.Times[a]) + " AND " + bind("last", q.rg.Times[b-1]) + "))[" +
			bind("rank95", int64((b-a)*5/100+1)) + "]"
	}
	return ""
}

func (q *series) columns() []ResultColumn {
	columns := []ResultColumn{{"t", "UInt32"}, {"dir", "String"}, {"top", "UInt8"}, {"groups", "UInt64"}}
	for _, name := range append(list(len(q.keys), "k#"), list(len(q.labels), "l#")...) {
		columns = append(columns, ResultColumn{name, "String"})
	}
	tail := []ResultColumn{{"value", "UInt64"}, {"packets", "Float64"}, {"n", "UInt64"}, {"variance", "Float64"}}
	if q.speed != "" {
		tail = append(tail, ResultColumn{"speed", "UInt64"}, ResultColumn{"paceless", "UInt64"})
	}
	if len(q.windows) > 1 {
		tail = append(tail, ResultColumn{"w", "UInt8"})
	}
	if q.peak {
		tail = append(tail, ResultColumn{"peak", "UInt64"}, ResultColumn{"edge", "UInt64"})
	}
	return append(columns, tail...)
}

// Probe returns the statement for whether any record of a range matches the request: one row with the column
// found, UInt8.
func (r Request) Probe(from, to int64, s Schema) (Statement, error) {
	c := newCompiler(s.Scope)
	where, err := r.where(c, s, from, to)
	if err != nil {
		return Statement{}, err
	}
	return Statement{
		SQL:     lines("SELECT toUInt8(count() > 0) AS found", "FROM (SELECT 1 "+c.from(flow.Table.Name, " WHERE ", where)+" LIMIT 1)"),
		Params:  c.params,
		Columns: []ResultColumn{{"found", "UInt8"}},
	}, nil
}

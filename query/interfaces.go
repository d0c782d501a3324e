package query

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"netmeta/column"
	"netmeta/diagnosis"
	"netmeta/flow"
)

// Interfaces have two sources. Flows show observed traffic: a record counts as received on its InIf and as
// sent on its OutIf, in bytes of layer 2, which is what the device counts. The counters of the device show
// the total. The quotient of both, the coverage, is 1 if the sampling is right.

// MaxInterfaces is the number of interfaces in one result.
const MaxInterfaces = 2000

const (
	courseValues = 60
	internalIf   = 0x3FFFFFFF // sFlow: within the device, or dropped

)

// Interface is an interface of an exporter with its flows and counters.
type Interface struct {
	Exporter    string   `json:"exporter"`              // Address.
	Name        string   `json:"name,omitempty"`        // Of the exporter; absent if it has none.
	Index       uint32   `json:"index"`                 // ifIndex.
	Interface   string   `json:"interface,omitempty"`   // Name; absent if unknown.
	Description string   `json:"description,omitempty"` // ifAlias.
	Boundary    string   `json:"boundary,omitempty"`    // external or internal.
	Speed       uint64   `json:"speed"`                 // Bits per second; 0: unknown.
	Status      *uint8   `json:"status,omitempty"`      // Bits: 1 administratively up, 2 operationally up. Absent without counters.
	In          LinkSide `json:"in"`
	Out         LinkSide `json:"out"`

	Problems []diagnosis.Problem `json:"problems"` // Problems of the interface.
}

// LinkSide is one direction of an interface. Rates are bits per second of layer 2.
type LinkSide struct {
	Avg    float64   `json:"avg"`    // Over the range.
	P95    float64   `json:"p95"`    // Of the intervals completely in the range; one without flows counts as zero.
	Max    float64   `json:"max"`    // Of the same intervals.
	Last   float64   `json:"last"`   // The last complete interval.
	Error  *float64  `json:"error"`  // Relative error of avg with 95% confidence, from sampling; null without flows.
	Course []float64 `json:"course"` // At most 60 rates over the range.

	UseP95 *float64 `json:"use_p95"` // p95 as a share of the speed; null if that is unknown.
	UseMax *float64 `json:"use_max"` // max as a share of the speed.

	// Bits per second by the device's counters; null without counters. Excludes intervals in which the
	// counters restarted.
	Counter  *float64 `json:"counter"`
	Errors   *float64 `json:"errors"`   // Per second.
	Discards *float64 `json:"discards"` // Per second.
	// Flows divided by counters: 1 if the sampling is right. Null unless counters cover half the range.
	Coverage *float64 `json:"coverage"`

	UseLevel  diagnosis.Level `json:"use_level" enum:",warn,bad"` // Level of utilisation, by use_p95.
	Uncovered bool            `json:"uncovered"`                  // Flows and counters differ more than sampling explains.
}

// Unnamed is the share of an exporter's bytes on interfaces without a name.
type Unnamed struct {
	Exporter string  `json:"exporter"` // Address.
	Share    float64 `json:"share"`
}

// InterfaceList is the result of an InterfacesQuery.
type InterfaceList struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
	// Seconds of the intervals of p95 and max: 60; 300 above 2 days, 3600 above a week, 86400 above 120 days.
	Step       int64       `json:"step"`
	Interfaces []Interface `json:"interfaces"`
	More       uint64      `json:"more"` // Interfaces with less traffic that are not listed.
	// By exporter, the share of its bytes on interfaces without a name: index 0, 0x3FFFFFFF, or an unknown
	// name.
	Unnamed []Unnamed `json:"unnamed"`

	Exporters []InterfacesOf `json:"exporters"` // Of the exporters in either list, problems of their interfaces.
}

// InterfacesOf describes all interfaces of an exporter.
type InterfacesOf struct {
	Exporter string              `json:"exporter"`        // Address.
	Problems []diagnosis.Problem `json:"problems"`        // Each kind once, with the name of the first interface that has it; also problems of the names.
	Names    *diagnosis.Step     `json:"names,omitempty"` // whether names have arrived; nil: its interfaces are unknown
}

// InterfacesQuery is the statement for a list of interfaces.
type InterfacesQuery struct {
	Statement
	rg   Range
	s    Schema
	from int64 // start of the range, or time of the very first flow
	span int64 // seconds of a value of the course
}

// Interfaces returns the query for the interfaces of a range, of one exporter or of all.
func (r Request) Interfaces(now time.Time, s Schema, exporter string) (InterfacesQuery, error) {
	window, err := Request{From: r.From, To: r.To, TZ: r.TZ}.Resolve(now)
	if err != nil {
		return InterfacesQuery{}, err
	}
	step := 60
	switch length := window.To - window.From; {
	case length > 120*86400:
		step = 86400
	case length > 7*86400:
		step = 3600
	case length > 2*86400:
		step = 300
	}
	rg, err := Request{From: strconv.FormatInt(window.From, 10), To: strconv.FormatInt(window.To, 10), TZ: "utc", Step: step}.Resolve(now)
	if err != nil {
		return InterfacesQuery{}, err
	}
	c := newCompiler(s.Scope)
	of := ""
	if exporter != "" {
		a, err := netip.ParseAddr(exporter)
		if err != nil {
			return InterfacesQuery{}, Invalid("exporter", exporter, "is not an address")
		}
		of = " AND ExporterAddress = " + c.params.Bind("IPv6", netip.AddrFrom16(a.As16()).String())
	}
	q := InterfacesQuery{rg: rg, s: s}
	q.span = int64(len(rg.Times)+courseValues-1) / courseValues * rg.Step
	pieces := rg.cover(0, s.answering(append(slices.Clip(fieldsOfInterfaces), volumeL2.valueFields()...)))
	// Traffic before the first flow is unknown, so that time does not count, not even as idle.
	first, last := rg.full()
	q.from = rg.From
	if begun := s.begun(); begun > rg.From && begun < rg.To {
		q.from = begun
		for first < last-1 && rg.Times[first] < begun {
			first++
		}
	}
	for name, v := range map[string]int64{
		"step": rg.Step, "start": rg.Times[0], "span": q.span,
		"first": rg.Times[first], "last": rg.Times[last-1], "rank95": int64((last-first)*5/100 + 1),
	} {
		c.params[name] = strconv.FormatInt(v, 10)
	}
	q.SQL, q.Params, q.Tables = interfacesSQL(c, &rg, pieces, of), c.params, tables([][]piece{pieces})
	for _, note := range []string{rg.expired(pieces, s), rg.notFolded(pieces, s)} {
		if note != "" {
			q.Notes = append(q.Notes, note)
		}
	}
	return q, nil
}

// lengthL2 is the estimate of the layer 2 bytes of rows, as Float64, which rates are computed from.
var lengthL2 = volumeL2.roughSQL(flow.Table.Name)

var volumeL2 = &Request{Layer: "l2"}

// toldOfInterfaces are the columns that identify the interfaces of rows, and their reported values.
var toldOfInterfaces = []string{
	"ExporterAddress AS e", "InIf", "OutIf", "max(ExporterName) AS called",
	"max(InIfName) AS n0", "max(InIfDescription) AS d0", "max(InIfSpeed) AS s0", "max(if(InIfBoundary = 'unknown', '', toString(InIfBoundary))) AS b0",
	"max(OutIfName) AS n1", "max(OutIfDescription) AS d1", "max(OutIfSpeed) AS s1", "max(if(OutIfBoundary = 'unknown', '', toString(OutIfBoundary))) AS b1",
}

// fieldsOfInterfaces are the fields that those columns read.
var fieldsOfInterfaces = []*column.Field{
	flow.ExporterAddress.Field, flow.InIf.Field, flow.OutIf.Field, flow.ExporterName.Field,
	flow.InIfName.Field, flow.InIfDescription.Field, flow.InIfSpeed.Field, flow.InIfBoundary.Field,
	flow.OutIfName.Field, flow.OutIfDescription.Field, flow.OutIfSpeed.Field, flow.OutIfBoundary.Field,
}

func interfacesSQL(c *compiler, rg *Range, pieces []piece, of string) string {
	var rows []string
	for _, p := range pieces {
		rows = append(rows, lines(
			"            SELECT "+rg.bucketSQL(c, timeSQL(0), "")+" AS t, "+strings.Join(toldOfInterfaces, ", ")+",",
			"                sum("+lengthL2+") AS v, sum("+packetsSQL+") AS p,",
			"                "+varianceOf("sum("+squaresSQL+")", "p")+" AS x",
			"            "+c.from(p.table, "\n            WHERE ", c.during(0, p)+of),
			"            GROUP BY e, t, InIf, OutIf",
		))
	}
	during := c.window(1, rg.From, rg.To) // with its own parameter names: the pieces divide window 0
	packets := []string{"InErrors", "OutErrors", "InDiscards", "OutDiscards"}
	var rise []string
	for _, name := range packets {
		// Counters of packets have 32 bits (sFlow version 5, struct if_counters).
		rise = append(rise, "sumIf(bitAnd("+name+" - p"+name+", 0xFFFFFFFF), whole) / seconds AS r"+name)
	}
	var values []string
	for side, name := range []string{"in", "out"} {
		for _, v := range []string{
			"sumIf(v, side = #) AS @_total",
			"arrayReverseSort(groupArrayIf(v, side = # AND t BETWEEN {first:UInt32} AND {last:UInt32}))[{rank95:UInt32}] AS @_p95",
			"maxIf(v, side = # AND t BETWEEN {first:UInt32} AND {last:UInt32}) AS @_max",
			"maxIf(v, side = # AND t = {last:UInt32}) AS @_last",
			"sumIf(v, side = # AND t >= since AND t + {step:UInt32} <= until) AS @_beside",
			"sumIf(p, side = #) AS @_packets",
			"sumIf(x, side = #) AS @_variance",
			"sumMapIf([intDiv(t - {start:UInt32}, {span:UInt32})], [v], side = #) AS @_map",
			"arrayMap(k -> toString(k), tupleElement(@_map, 1)) AS @_at",
			"arrayMap(k -> toString(k), tupleElement(@_map, 2)) AS @_course",
		} {
			values = append(values, strings.NewReplacer("#", strconv.Itoa(side), "@", name).Replace(v))
		}
	}
	outputs := []string{"toString(e) AS exporter", "i AS index", "max(label) OVER (PARTITION BY e) AS called", "name", "port", "description", "boundary", "speed", "told",
		"toUInt32(begun) AS counters_from", "toUInt32(ended) AS counters_to", "counted", "status"}
	for _, side := range []string{"in", "out"} {
		for _, v := range []string{"total", "p95", "max", "last", "beside", "packets", "variance", "at", "course", "rate", "errors", "discards"} {
			outputs = append(outputs, side+"_"+v)
		}
	}
	nameless := "(name = '' AND port = '' OR i IN (0, " + strconv.Itoa(internalIf) + "))"
	return lines(
		"WITH",
		"    cells AS",
		"    (",
		"        SELECT e, tupleElement(k, 1) AS i, tupleElement(k, 2) AS side, t, sum(v) AS v, sum(p) AS p, sum(x) AS x, max(called) AS called,",
		"            max(tupleElement(k, 3)) AS name, max(tupleElement(k, 4)) AS description, max(tupleElement(k, 5)) AS speed, max(tupleElement(k, 6)) AS boundary",
		"        FROM",
		"        (",
		strings.Join(rows, "\n            UNION ALL\n"),
		"        )",
		"        ARRAY JOIN [(InIf, 0, n0, d0, s0, b0), (OutIf, 1, n1, d1, s1, b1)] AS k",
		"        GROUP BY e, i, side, t",
		"    ),",
		c.readings(during+of, []string{"IfName", "IfSpeed", "IfStatus"}, packets...),
		"    parts AS",
		"    (",
		"        SELECT e, i, max(IfName) AS ifname, argMax(IfSpeed, at) AS speed, argMax(IfStatus, at) AS status, min(at) AS begun, max(at) AS ended,",
		"            toFloat64(sumIf(at - since, whole)) AS seconds,",
		"            8 * sumIf(toFloat64(InOctets - pInOctets), whole) / seconds AS rate_in, 8 * sumIf(toFloat64(OutOctets - pOutOctets), whole) / seconds AS rate_out,",
		"            "+strings.Join(rise, ", "),
		"        FROM readings",
		"        GROUP BY e, d, i",
		"    ),",
		"    devices AS", // sub-agents that share an interface each count a part of it
		"    (",
		"        SELECT e, i, max(ifname) AS ifname, max(speed) AS ifspeed, max(status) AS state, min(begun) AS since, max(ended) AS until, max(seconds) AS secs,",
		"            sum(rate_in) AS r0, sum(rate_out) AS r1, sum(rInErrors) AS e0, sum(rOutErrors) AS e1, sum(rInDiscards) AS x0, sum(rOutDiscards) AS x1",
		"        FROM parts",
		"        WHERE seconds > 0",
		"        GROUP BY e, i",
		"    ),",
		"    interfaces AS",
		"    (",
		"        SELECT e, i, max(c.called) AS label, max(c.name) AS name, any(ifname) AS port, max(c.description) AS description, max(c.boundary) AS boundary,",
		"            max(c.speed) AS speed, any(ifspeed) AS told, any(state) AS status, any(secs) AS counted,",
		"            any(r0) AS in_rate, any(r1) AS out_rate, any(e0) AS in_errors, any(e1) AS out_errors, any(x0) AS in_discards, any(x1) AS out_discards,",
		"            any(since) AS begun, any(until) AS ended,",
		"            "+strings.Join(values, ",\n            "),
		"        FROM cells AS c",
		"        FULL JOIN devices AS w USING (e, i)",
		"        GROUP BY e, i",
		"    )",
		"SELECT",
		"    "+strings.Join(outputs, ",\n    ")+",",
		"    "+fmt.Sprintf("countIf(i NOT IN (0, %d)) OVER () AS found,", internalIf),
		"    sum(in_total + out_total) OVER (PARTITION BY e) AS octets,",
		"    sum(if("+nameless+", in_total + out_total, 0)) OVER (PARTITION BY e) AS unnamed",
		"FROM interfaces",
		"ORDER BY in_total + out_total DESC, in_rate + out_rate DESC, exporter, index",
		fmt.Sprintf("LIMIT %d", MaxInterfaces),
	)
}

// describe adds the configured values of an interface. Flows have those from the time of their arrival; port
// and told are name and speed from the counters, which have none.
func (s Schema) describe(i *Interface, a netip.Addr, port string, told uint64) {
	if s.ExporterName != nil {
		i.Name = cmp.Or(s.ExporterName(a), i.Name)
	}
	var name, description, boundary string
	var speed uint64
	if s.Interface != nil {
		name, description, boundary, speed = s.Interface(a, i.Index)
	}
	i.Interface = cmp.Or(i.Interface, name, port)
	i.Description = cmp.Or(i.Description, description)
	i.Boundary = cmp.Or(i.Boundary, boundary)
	if speed > 0 {
		i.Speed = cmp.Or(i.Speed, speed)
	} else {
		i.Speed = cmp.Or(told, i.Speed)
	}
}

// Read makes the list from the result, whose columns it finds by name.
func (q InterfacesQuery) Read(rows int, column func(name string) any) (InterfaceList, error) {
	list := InterfaceList{From: q.rg.From, To: q.rg.To, Step: q.rg.Step, Interfaces: []Interface{}, Unnamed: []Unnamed{}, Exporters: []InterfacesOf{}}
	r := interfaceRows{column: column, rows: rows}
	exporters, indexes := get[string](&r, "exporter"), get[uint32](&r, "index")
	speeds, toldSpeeds, ports := get[uint64](&r, "speed"), get[uint64](&r, "told"), get[string](&r, "port")
	called, names, descriptions, boundaries := get[string](&r, "called"), get[string](&r, "name"), get[string](&r, "description"), get[string](&r, "boundary")
	begun, ended, counted, status := get[uint32](&r, "counters_from"), get[uint32](&r, "counters_to"), get[float64](&r, "counted"), get[uint8](&r, "status")
	found, octets, unnamed := get[uint64](&r, "found"), get[float64](&r, "octets"), get[float64](&r, "unnamed")
	sides := [2]sideRows{q.side(&r, "in_"), q.side(&r, "out_")}
	if r.err != nil {
		return list, r.err
	}
	told := map[string]bool{}
	for i := range rows {
		a, err := netip.ParseAddr(exporters[i])
		if err != nil {
			return list, err
		}
		a = a.Unmap()
		address := a.String()
		if !told[address] && octets[i] > 0 {
			told[address] = true
			list.Unnamed = append(list.Unnamed, Unnamed{address, unnamed[i] / octets[i]})
		}
		if indexes[i] == 0 || indexes[i] == internalIf {
			continue
		}
		one := Interface{Exporter: address, Name: called[i], Index: indexes[i], Interface: names[i], Description: descriptions[i], Boundary: boundaries[i], Speed: speeds[i]}
		q.s.describe(&one, a, ports[i], toldSpeeds[i])
		// Complete buckets between the first and the last reading of the counters.
		beside := floor(int64(ended[i]), q.rg.Step) - floor(int64(begun[i])+q.rg.Step-1, q.rg.Step)
		if counted[i] > 0 {
			one.Status = &status[i]
		}
		for side, to := range []*LinkSide{&one.In, &one.Out} {
			if *to, err = q.link(sides[side], i, one.Speed, counted[i], beside); err != nil {
				return list, err
			}
		}
		list.Interfaces = append(list.Interfaces, one)
	}
	if rows > 0 {
		list.More = found[0] - uint64(len(list.Interfaces))
	}
	list.judge()
	return list, nil
}

// sideRows are the columns of one direction.
type sideRows struct {
	total, p95, max, last, beside []float64
	packets, variance             []float64
	rate, errors, discards        []float64
	at, course                    [][]string
}

func (q InterfacesQuery) side(r *interfaceRows, prefix string) sideRows {
	return sideRows{
		total: get[float64](r, prefix+"total"), p95: get[float64](r, prefix+"p95"), max: get[float64](r, prefix+"max"), last: get[float64](r, prefix+"last"),
		beside: get[float64](r, prefix+"beside"), packets: get[float64](r, prefix+"packets"), variance: get[float64](r, prefix+"variance"),
		rate: get[float64](r, prefix+"rate"), errors: get[float64](r, prefix+"errors"), discards: get[float64](r, prefix+"discards"),
		at: get[[]string](r, prefix+"at"), course: get[[]string](r, prefix+"course"),
	}
}

// link returns one direction of row i; beside is the number of seconds that flows and counters share.
func (q InterfacesQuery) link(s sideRows, i int, speed uint64, counted float64, beside int64) (l LinkSide, err error) {
	window, step := float64(q.rg.To-q.from), float64(q.rg.Step)
	l.Avg, l.P95, l.Max, l.Last = 8*s.total[i]/window, 8*s.p95[i]/step, 8*s.max[i]/step, 8*s.last[i]/step
	if s.packets[i] > 0 {
		e := confidence * math.Sqrt(max(s.variance[i], 0)) / s.packets[i]
		l.Error = &e
	}
	if l.Course, err = q.course(s.at[i], s.course[i]); err != nil {
		return l, err
	}
	if speed > 0 {
		p95, most := l.P95/float64(speed), l.Max/float64(speed)
		l.UseP95, l.UseMax = &p95, &most
	}
	if counted > 0 {
		l.Counter, l.Errors, l.Discards = &s.rate[i], &s.errors[i], &s.discards[i]
		if counted >= window/2 && beside > 0 && s.rate[i] > 0 {
			c := 8 * s.beside[i] / float64(beside) / s.rate[i]
			l.Coverage = &c
		}
	}
	return l, nil
}

// course returns the rates over the range: keys and sums as received, zero where there are none.
func (q InterfacesQuery) course(at, sums []string) ([]float64, error) {
	n := (q.rg.End - q.rg.Times[0] + q.span - 1) / q.span
	list := make([]float64, n)
	for i := range at {
		k, err1 := strconv.ParseInt(at[i], 10, 64)
		v, err2 := strconv.ParseFloat(sums[i], 64)
		if err1 != nil || err2 != nil || k >= n {
			return nil, fmt.Errorf("query: the course has %q at %q", sums[i], at[i])
		}
		from := q.rg.Times[0] + k*q.span
		list[k] = 8 * v / float64(min(from+q.span, q.rg.To)-max(from, q.rg.From))
	}
	return list, nil
}

// interfaceRows finds columns and stores the first error.
type interfaceRows struct {
	column func(name string) any
	rows   int
	err    error
}

func get[T any](r *interfaceRows, name string) []T {
	list, ok := r.column(name).([]T)
	if !ok && r.rows > 0 || len(list) != r.rows {
		r.err = cmp.Or(r.err, fmt.Errorf("query: column %s of the interfaces is %T", name, r.column(name)))
	}
	return list
}

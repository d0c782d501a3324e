package query

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"netmeta/column"
	"netmeta/counter"
	"netmeta/flow"
)

// One interface over time: the device's counters in the buckets of a chart, and its weeks, hour by hour.

// Link identifies one interface.
type Link struct {
	Exporter netip.Addr
	Index    uint32
}

// ParseLink parses an interface in a path. The error is a *problem.Error.
func ParseLink(exporter, index string) (l Link, err error) {
	if l.Exporter, err = netip.ParseAddr(exporter); err != nil {
		return l, Invalid("exporter", exporter, "is not an address; write that of the exporter, such as 192.0.2.1")
	}
	n, err := strconv.ParseUint(index, 10, 32)
	if err != nil || n == 0 {
		return l, Invalid("index", index, "is not the number of an interface, 1 to 4294967295; /api/v1/interfaces has them")
	}
	l.Index = uint32(n)
	return l, nil
}

func (l Link) address(c *compiler) string {
	return c.params.Bind("IPv6", netip.AddrFrom16(l.Exporter.As16()).String())
}

// fieldsOfLink identify the interface of flows.
var fieldsOfLink = slices.Clip([]*column.Field{flow.ExporterAddress.Field, flow.InIf.Field, flow.OutIf.Field})

// countersReach is the number of seconds around the range in which readings of the counters are used.
const countersReach = 120

// Counted returns the statement for the device's counters of an interface, bucket by bucket. A reading
// applies to the time since the previous one, and is divided among the buckets in that time. A bucket of
// which readings cover less than half is omitted: t UInt32, in Float64, out Float64 (bits per second).
func (l Link) Counted(rg Range, s Schema) Statement {
	c := newCompiler(s.Scope)
	c.params["begin"], c.params["end"] = strconv.FormatInt(rg.From, 10), strconv.FormatInt(rg.To, 10)
	// Days of a time zone are only multiples of a quarter of an hour.
	piece := rg.Step
	if rg.calendar {
		piece = 900
	}
	c.params["piece"] = strconv.FormatInt(piece, 10)
	during := c.window(0, rg.From-countersReach, rg.To+countersReach)
	sql := lines(
		"WITH",
		c.readings(during+" AND ExporterAddress = "+l.address(c)+" AND IfIndex = "+c.params.Bind("UInt32", strconv.FormatUint(uint64(l.Index), 10)), nil),
		"    pieces AS", // of a reading
		"    (",
		"        SELECT d, "+rg.bucketSQL(c, "toUInt32(k * {piece:UInt32})", "")+" AS t,",
		"            least(at, (k + 1) * {piece:UInt32}, {end:UInt32}) - greatest(since, k * {piece:UInt32}, {begin:UInt32}) AS seconds,",
		"            8 * toFloat64(InOctets - pInOctets) / (at - since) AS rate_in, 8 * toFloat64(OutOctets - pOutOctets) / (at - since) AS rate_out",
		"        FROM readings",
		"        ARRAY JOIN range(intDiv(greatest(since, {begin:UInt32}), {piece:UInt32}), intDiv(least(at, {end:UInt32}) - 1, {piece:UInt32}) + 1) AS k",
		"        WHERE whole AND at > since AND at > {begin:UInt32} AND since < {end:UInt32}",
		"    ),",
		"    parts AS",
		"    (",
		"        SELECT d, t, toFloat64(sum(seconds)) AS known, sum(rate_in * seconds) / known AS mean_in, sum(rate_out * seconds) / known AS mean_out",
		"        FROM pieces",
		"        GROUP BY d, t",
		"    )",
		"SELECT t, max(known) AS known, sum(mean_in) AS in, sum(mean_out) AS out", // sub-agents each count a part
		"FROM parts",
		"GROUP BY t",
		"ORDER BY t",
	)
	return Statement{SQL: sql, Params: c.params, Columns: []ResultColumn{{"t", "UInt32"}, {"known", "Float64"}, {"in", "Float64"}, {"out", "Float64"}}, Tables: []string{counter.Table.Name}}
}

// CounterSeries is the rates of both directions, bucket by bucket; nil without counters.
type CounterSeries struct {
	In  []*float64 `json:"in"`
	Out []*float64 `json:"out"`
}

// ReadCounted makes the course from the result of Counted. It is nil if the device sends no counters.
func ReadCounted(rg Range, rows int, column func(name string) any) (*CounterSeries, error) {
	r := interfaceRows{column: column, rows: rows}
	at, known, in, out := get[uint32](&r, "t"), get[float64](&r, "known"), get[float64](&r, "in"), get[float64](&r, "out")
	if r.err != nil || rows == 0 {
		return nil, r.err
	}
	c := CounterSeries{make([]*float64, len(rg.Times)), make([]*float64, len(rg.Times))}
	for row := range rows {
		i, ok := slices.BinarySearch(rg.Times, int64(at[row]))
		if !ok {
			return nil, fmt.Errorf("query: the counters have a bucket at %d that the range has not", at[row])
		}
		if known[row] >= float64(rg.covered(i))/2 {
			c.In[i], c.Out[i] = &in[row], &out[row]
		}
	}
	return &c, nil
}

const (
	weeksBack = 28 // days that Weeks covers
	trendDays = 7  // minimum for a trend
	hoursDay  = 23 // minimum for a day to count: the clock may go forward
)

// WeeksQuery is the statement for the weeks of an interface.
type WeeksQuery struct {
	Statement
	from, to int64 // whole hours
	begun    int64 // time of the very first flow, which may be within an hour; 0: long before
	zone     *time.Location
}

// Weeks returns the query for the traffic of an interface in each hour of the last four weeks, from hourly
// sums; ok is false if there are none.
func (l Link) Weeks(now time.Time, tz string, s Schema) (q WeeksQuery, ok bool, err error) {
	if q.zone, err = location(tz); err != nil {
		return q, false, err
	}
	i := slices.IndexFunc(s.Rollups, func(r Rollup) bool { return r.Step == 3600 })
	if i < 0 {
		return q, false, nil
	}
	hours := s.Rollups[i]
	q.from, q.to = max(hours.Since, floor(now.Unix(), 3600)-weeksBack*86400), min(hours.Until, floor(now.Unix(), 3600))
	if q.from >= q.to {
		return q, false, nil
	}
	q.begun = s.begun()
	c := newCompiler(s.Scope)
	index := c.params.Bind("UInt32", strconv.FormatUint(uint64(l.Index), 10))
	value := volumeL2.roughSQL(hours.Table)
	rg := Range{From: q.from, To: q.to, Step: 3600}
	var selects []string
	pieces := rg.cover(0, s.answering(append(fieldsOfLink, volumeL2.valueFields()...))) // others than the hours for fields that those lack
	for _, p := range pieces {
		at := "TimeReceived"
		if p.table != hours.Table {
			at = "toStartOfHour(TimeReceived)"
		}
		selects = append(selects, lines(
			"SELECT toUInt32("+at+") AS t, sumIf("+value+", InIf = "+index+") AS in, sumIf("+value+", OutIf = "+index+") AS out",
			c.from(p.table, "\nWHERE ", c.during(0, p)+" AND ExporterAddress = "+l.address(c)+" AND (InIf = "+index+" OR OutIf = "+index+")"),
			"GROUP BY t",
		))
	}
	if q.SQL = selects[0] + "\nORDER BY t"; len(selects) > 1 {
		q.SQL = "SELECT t, sum(s.in) AS in, sum(s.out) AS out FROM (\n" + strings.Join(selects, "\nUNION ALL\n") + "\n) AS s GROUP BY t\nORDER BY t"
	}
	q.Params, q.Tables = c.params, tables([][]piece{pieces})
	q.Columns = []ResultColumn{{"t", "UInt32"}, {"in", "Float64"}, {"out", "Float64"}}
	return q, true, nil
}

// Weeks are the hours of an interface, in bits per second of layer 2 by flows.
type Weeks struct {
	From int64     `json:"from"` // Start of the first hour.
	In   []float64 `json:"in"`   // Received, hour by hour.
	Out  []float64 `json:"out"`  // Sent, hour by hour.
	// The straight line through the 95th percentiles of the hours of each complete day; null with fewer than
	// seven of them.
	Trend *Trends `json:"trend"`
}

// Trends are those of both directions.
type Trends struct {
	Days int   `json:"days"` // Number of complete days.
	In   Trend `json:"in"`
	Out  Trend `json:"out"`
}

// Trend is the straight line through the 95th percentiles of the hours of each day, by least squares.
type Trend struct {
	P95    float64 `json:"p95"`     // On the last complete day, by the line: bits per second.
	PerDay float64 `json:"per_day"` // Increase per day, bits per second.
	Error  float64 `json:"error"`   // Standard error of per_day.
}

// Read makes the weeks from the result. An hour without a row had no traffic.
func (q WeeksQuery) Read(rows int, column func(name string) any) (*Weeks, error) {
	r := interfaceRows{column: column, rows: rows}
	at, in, out := get[uint32](&r, "t"), get[float64](&r, "in"), get[float64](&r, "out")
	if r.err != nil {
		return nil, r.err
	}
	n := (q.to - q.from) / 3600
	w := &Weeks{From: q.from, In: make([]float64, n), Out: make([]float64, n)}
	for row := range rows {
		i := (int64(at[row]) - q.from) / 3600
		if i < 0 || i >= n {
			return nil, fmt.Errorf("query: the weeks have an hour at %d that was not asked for", at[row])
		}
		seconds := 3600.
		if before := q.begun - int64(at[row]); before > 0 && before < 3600 {
			seconds -= float64(before)
		}
		w.In[i], w.Out[i] = 8*in[row]/seconds, 8*out[row]/seconds
	}
	// Hours before the first traffic do not mean that the line was idle: flows may not have been collected.
	first := slices.IndexFunc(w.In, func(v float64) bool { return v > 0 })
	if o := slices.IndexFunc(w.Out, func(v float64) bool { return v > 0 }); first < 0 || o >= 0 && o < first {
		first = o
	}
	if first < 0 {
		return nil, nil
	}
	w.From, w.In, w.Out = w.From+int64(first)*3600, w.In[first:], w.Out[first:]
	days, received := daily(w.From, w.In, q.zone)
	_, sent := daily(w.From, w.Out, q.zone)
	if len(days) >= trendDays {
		w.Trend = &Trends{Days: len(days), In: trend(days, received), Out: trend(days, sent)}
	}
	return w, nil
}

// daily returns the 95th percentile of the hours of each complete day: the time, in days, and the value.
func daily(from int64, hours []float64, zone *time.Location) (days, p95 []float64) {
	for i := 0; i < len(hours); {
		year, month, d := time.Unix(from+int64(i)*3600, 0).In(zone).Date()
		midnight := time.Date(year, month, d+1, 0, 0, 0, 0, zone).Unix()
		n := int((midnight - from - int64(i)*3600 + 3599) / 3600)
		if end := i + n; n >= hoursDay && end <= len(hours) {
			day := slices.Sorted(slices.Values(hours[i:end]))
			days = append(days, float64(time.Date(year, month, d, 0, 0, 0, 0, time.UTC).Unix())/86400)
			p95 = append(p95, day[n-1-n*5/100])
		}
		i += n
	}
	return days, p95
}

// trend returns the line of least squares through (x, y), at least three points.
func trend(x, y []float64) Trend {
	n := float64(len(x))
	var mx, my, sxx, sxy float64
	for i := range x {
		mx, my = mx+x[i]/n, my+y[i]/n
	}
	for i := range x {
		sxx, sxy = sxx+(x[i]-mx)*(x[i]-mx), sxy+(x[i]-mx)*(y[i]-my)
	}
	slope := sxy / sxx
	var rest float64
	for i := range x {
		e := y[i] - my - slope*(x[i]-mx)
		rest += e * e
	}
	return Trend{P95: my + slope*(x[len(x)-1]-mx), PerDay: slope, Error: math.Sqrt(rest / (n - 2) / sxx)}
}

// String returns the interface as in a path.
func (l Link) String() string { return l.Exporter.Unmap().String() + "/" + strconv.Itoa(int(l.Index)) }

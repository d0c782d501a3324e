package query

import (
	"fmt"
	"strconv"
)

// With spread a record counts evenly from its start to its end, in place of in the second
// in which it came: what an exporter with an active timeout of minutes reports is then not
// a row of peaks. A record that reaches beyond the window counts with the part that is
// inside. The parts of a record are whole numbers that add up to it.

// spreadLate is how long after its end a record may come, in seconds: an active timeout of
// half an hour, and a minute.
const spreadLate = 1860

// spreadSQL are the parts of a statement that repeat the rows of window i for each bucket k
// that they are in: expressions before it, the join, and a condition. In milliseconds a and
// z are where a row begins and ends, by its exporter's clock; but none ends later than it
// came, or more than spreadLate before, however wrong that clock is.
func (q *series) spreadSQL(i int, indent string) (with, join, and string) {
	q.c.params["begin"], q.c.params["end"] = strconv.FormatInt(q.rg.From*1000, 10), strconv.FormatInt(q.rg.To*1000, 10)
	came := "toInt64(" + timeSQL(i) + ") * 1000 + 999"
	shift := ""
	if i > 0 {
		shift = fmt.Sprintf(" + toInt64({shift%d:UInt32}) * 1000", i)
	}
	until := func(k string) string {
		return "least(greatest(" + k + " * 1000 * toInt64({step:UInt32}), a, {begin:Int64}), z + 1, {end:Int64}) - a"
	}
	with = lines(
		indent+"WITH",
		indent+"    if(FlowEnd > FlowStart, greatest(least(toUnixTimestamp64Milli(FlowEnd)"+shift+", "+came+"), "+came+" - "+strconv.Itoa(1000*spreadLate)+"), "+came+") AS z,",
		indent+"    if(FlowEnd > FlowStart AND toUnixTimestamp64Milli(FlowStart) > 0, z - least(toUnixTimestamp64Milli(FlowEnd) - toUnixTimestamp64Milli(FlowStart), 86400000), z) AS a,",
		indent+"    "+until("k")+" AS c0,",
		indent+"    "+until("(k + 1)")+" AS c1")
	join = indent + "ARRAY JOIN range(toUInt32(intDiv(greatest(a, {begin:Int64}), 1000 * {step:UInt32})), toUInt32(intDiv(least(z, {end:Int64} - 1), 1000 * {step:UInt32})) + 1) AS k\n"
	and = " AND z >= {begin:Int64} AND a < {end:Int64}"
	return with, join, and
}

// spreadPart is what of a measure, a UInt128 of less than 2^64, falls into bucket k: what it
// has until the bucket's end, c1 milliseconds after its beginning, less what it has until the
// bucket begins.
func spreadPart(expr string) string {
	return "toUInt64(intDiv(" + expr + " * c1, z - a + 1) - intDiv(" + expr + " * c0, z - a + 1))"
}

// spreadFloat is the same of a Float64.
func spreadFloat(expr string) string { return expr + " * (c1 - c0) / (z - a + 1)" }

package query

import (
	"fmt"
	"strconv"
)

// With spread a record counts evenly from its start to its end, instead of in the second of its arrival. So
// the reports of an exporter with an active timeout of minutes are not a series of peaks. Of a record that
// extends beyond the range, the part inside counts. The parts of a record are integers that add up to it.

// spreadLate is the maximum time in seconds from the end of a record to its arrival: an active timeout of
// half an hour, and a minute.
const spreadLate = 1860

// spreadSQL returns the parts of a statement that repeat the rows of window i for each of their buckets k:
// expressions before it, the join, and a condition. In milliseconds a and z are the start and the end of a
// row by its exporter's clock; but the end is never after its arrival, nor more than spreadLate before,
// however wrong that clock is.
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

// spreadPart is the part of a measure, a UInt128 of less than 2^64, in bucket k: its part until the bucket's
// end, c1 milliseconds after its start, minus its part until the bucket's start.
func spreadPart(expr string) string {
	return "toUInt64(intDiv(" + expr + " * c1, z - a + 1) - intDiv(" + expr + " * c0, z - a + 1))"
}

// spreadFloat is the same for a Float64.
func spreadFloat(expr string) string { return expr + " * (c1 - c0) / (z - a + 1)" }

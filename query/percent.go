package query

import (
	"fmt"

	"netmeta/column"
	"netmeta/flow"
)

// With unit=pct a series is the traffic of an interface in one direction, or a part of it, as a percentage of
// its speed: the bits of its rows, normally of layer 1, which is what occupies the line, per second, divided
// by the speed. The speed is the highest in the rows of the interface in the range; an earlier range, of vs,
// uses that of its own time, and a range whose rows have none the highest of the others. Interfaces without a
// speed are omitted and counted in a note.
//
// Shares of different speeds cannot be added, so there is neither Other nor a total.

// speedOf returns the column with the speed of the interface that the dims identify, and the keys that
// identify it.
func speedOf(dims []dim) (speed *column.Field, keys [2]string, err error) {
	at := 0
	for _, d := range dims {
		if d.isInterface() {
			if speed != nil {
				return nil, keys, Invalid("unit", "pct", "is of the speed of one interface; leave in.if or out.if out of by")
			}
			speed = map[string]*column.Field{"in": flow.InIfSpeed.Field, "out": flow.OutIfSpeed.Field}[d.field.Side]
			keys = [2]string{fmt.Sprintf("g%d", at), fmt.Sprintf("g%d", at+1)}
			if speed == nil {
				return nil, keys, Invalid("by", d.field.Name, "is not one interface of each record; write by=in.if or by=out.if")
			}
		}
		width, _ := d.widths()
		at += width
	}
	if speed == nil {
		return nil, keys, Invalid("unit", "pct", "is of the speed of an interface: write by=in.if or by=out.if, or unit=bps")
	}
	return speed, keys, nil
}

// paced gives each cell of f the speed of its interface, 0 if unknown, and the number of interfaces with
// unknown speed.
func (q *series) paced(cells string) string {
	e, i := q.link[0], q.link[1]
	speed := "max(pace) OVER (PARTITION BY " + e + ", " + i + ")"
	if len(q.windows) > 1 {
		speed = "coalesce(nullIf(max(pace) OVER (PARTITION BY w, " + e + ", " + i + "), 0), " + speed + ")"
	}
	return lines(
		"        SELECT *, "+fmt.Sprintf("uniqExactIf((%s, %s), speed = 0 AND %[2]s NOT IN (0, %d)) OVER () AS paceless", e, i, internalIf),
		"        FROM",
		"        (",
		"            SELECT *, "+speed+" AS speed",
		"            FROM",
		"            (",
		cells,
		"            )",
		"        )",
	)
}

// percent is the share of the speed of a byte in one second; 0 if the speed is unknown.
func (c *cells) percent() float64 {
	if c.speed == 0 {
		return 0
	}
	return 800 / float64(c.speed)
}

// pacelessNote says how many interfaces are omitted.
func pacelessNote(n uint64) string {
	many := "1 interface is"
	if n != 1 {
		many = fmt.Sprintf("%d interfaces are", n)
	}
	return "pct: " + many + " left out, whose speed neither records nor the configuration say"
}

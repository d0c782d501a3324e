package query

import (
	"fmt"

	"netmeta/column"
	"netmeta/flow"
)

// With unit=pct a series is what an interface carries in one direction, or a part of it,
// in per cent of its speed: the bits of its rows, of layer 1 as a rule since that is what
// occupies the line, by the second, by the speed. The speed is the highest that the rows
// of the interface in the window say; an earlier window, of vs, has that of its own time,
// and a window whose rows say none has the highest of the others. Of an interface without
// one nothing is said; they are counted in a note.
//
// Shares of different speeds do not add up, so there is neither Other nor a total.

// speedOf is the column with the speed of the interface that the dims tell apart, and
// which of the keys say which it is.
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

// paced gives each cell of f the speed of its interface, 0 when nobody says, and the
// number of interfaces of which nobody does.
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

// percent is what a byte in one second is of the speed; 0 when nobody says the speed.
func (c *cells) percent() float64 {
	if c.speed == 0 {
		return 0
	}
	return 800 / float64(c.speed)
}

// pacelessNote says how many interfaces are left out.
func pacelessNote(n uint64) string {
	many := "1 interface is"
	if n != 1 {
		many = fmt.Sprintf("%d interfaces are", n)
	}
	return "pct: " + many + " left out, whose speed neither records nor the configuration say"
}

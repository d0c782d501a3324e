package query

import (
	"strings"

	"netmeta/counter"
)

// readings is the common table expression of what devices counted on their interfaces,
// each reading beside the one before it:
//
//	e, d, i  whose it is: the exporter, its sub-agent, the interface
//	at       when it was taken
//	since    when the one before it was; 0: there is none
//	X, pX    of each counter what it said, and what it had said before
//	whole    it stands for the time from since to at: the device has not started anew
//	         between them, for then its octets would have fallen
//
// beside are columns that go along. The counters of octets are always there.
func (c *compiler) readings(condition string, beside []string, counters ...string) string {
	columns := append([]string{"ExporterAddress AS e", "ObservationDomain AS d", "IfIndex AS i", "toUInt32(TimeReceived) AS at", "lagInFrame(at) OVER w AS since"}, beside...)
	for _, name := range append([]string{"InOctets", "OutOctets"}, counters...) {
		columns = append(columns, name+", lagInFrame("+name+") OVER w AS p"+name)
	}
	columns = append(columns, "since > 0 AND InOctets >= pInOctets AND OutOctets >= pOutOctets AS whole")
	return lines(
		"    readings AS",
		"    (",
		"        SELECT",
		"            "+strings.Join(columns, ",\n            "),
		"        "+c.from(counter.Table.Name, "\n        WHERE ", condition+" AND SourceClass = 'interface' AND bitTest(Records, 0) AND IfIndex > 0"),
		"        WINDOW w AS (PARTITION BY e, d, i ORDER BY TimeReceived, SequenceNum ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
		"    ),",
	)
}

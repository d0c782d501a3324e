package query

import (
	"strings"

	"netmeta/counter"
)

// readings is the common table expression of the counters of interfaces, each reading next to the previous
// one:
//
//	e, d, i  the exporter, its sub-agent, the interface
//	at       when it was taken
//	since    time of the previous one; 0: none
//	X, pX    each counter, and its previous value
//	whole    it covers the time from since to at: the device has not restarted
//	         in between, because its octets have not decreased
//
// beside are additional columns. The counters of octets are always included.
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

// Package gen generates the reference documents from the code. Its test compares them
// with doc/; `go test ./internal/gen -update` rewrites them.
package gen

import (
	"fmt"
	"strings"

	"netmeta/column"
	"netmeta/counter"
	"netmeta/flow"
	"netmeta/health"
)

// Fields returns doc/fields.md: every column of the flows table.
func Fields() []byte {
	return fields(`# The flows table

Generated from flow/fields.go; do not edit. One row is one flow record as received.
Names and types are a public API: columns are added, never renamed. A *rare* column is
added to the table when its first value other than zero arrives. Until then SQL can name
it and reads zero. IPv4 addresses are stored as `+"`::ffff:a.b.c.d`"+`.
`, &flow.Table)
}

// Counters returns doc/counters.md: every column of the counters table.
func Counters() []byte {
	return fields(`# The counters table

Generated from counter/fields.go; do not edit. One row is one reading of an interface, a
queue or a device from an sFlow counter sample. Counters only increase, so use the difference
between two rows. For example, the traffic of an interface in bits per second:

    SELECT TimeReceived, (InOctets - lagInFrame(InOctets) OVER w) * 8 / (TimeReceived - lagInFrame(TimeReceived) OVER w) AS bps
    FROM counters WHERE ExporterAddress = toIPv6('192.0.2.1') AND IfIndex = 3 AND bitTest(Records, 0)
    WINDOW w AS (ORDER BY TimeReceived ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)

Skip the first row, because it has no predecessor. A counter that the device does not have
is zero. Columns are *rare* as in the [flows table](fields.md).
`, &counter.Table)
}

// Exporters returns doc/exporters.md: every column of the exporters table.
func Exporters() []byte {
	return fields(`# The exporters table

Generated from health/health.go; do not edit. One row is one exporter in one minute: what it
sent, what was lost, and how far its data can be trusted. For example, the exporters with
losses in the last hour:

    SELECT ExporterAddress, FlowType, sum(Lost) AS lost, sum(Datagrams) AS datagrams
    FROM exporters WHERE TimeReceived > now() - 3600 GROUP BY ALL HAVING lost > 0
`, &health.Table)
}

func fields(head string, table *column.Table) []byte {
	var b strings.Builder
	b.WriteString(head)
	b.WriteString(`
| column | type | filter name | IPFIX elements | description |
|---|---|---|---|---|
`)
	for _, f := range table.Fields {
		var ies []string
		for _, ie := range f.IE {
			ies = append(ies, fmt.Sprint(ie.ID))
		}
		doc := f.Doc
		if f.Kind == column.Alias {
			doc += " Computed: `" + f.SQL + "`."
		}
		if f.Rare {
			doc += " *Rare.*"
		}
		filter := f.FilterName()
		if filter != "" {
			filter = "`" + filter + "`"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s |\n", f.Name, strings.ReplaceAll(f.SQLType(), "|", `\|`), filter, strings.Join(ies, ", "), doc)
	}
	return []byte(b.String())
}

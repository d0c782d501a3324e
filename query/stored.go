package query

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"netmeta/access"
	"netmeta/flow"
	"netmeta/internal/param"
)

// Statements about stored data.

// Stored returns the statement for the newest second of the rows of some exporters, by address, since a
// second: address String, type String, newest UInt32.
func Stored(scope access.Scope, since int64, exporters []string) Statement {
	c := newCompiler(scope)
	c.params["since"], c.params["exporters"] = strconv.FormatInt(since, 10), param.Array("String", exporters)
	return Statement{
		SQL: lines(
			"SELECT toString(ExporterAddress) AS address, toString(FlowType) AS type, toUInt32(max(TimeReceived)) AS newest",
			c.from(flow.Table.Name, "\nWHERE ", "TimeReceived >= toDateTime({since:UInt32}) AND ExporterAddress IN (SELECT arrayJoin(arrayMap(a -> toIPv6(a), {exporters:Array(String)})))"),
			"GROUP BY address, type"),
		Params:  c.params,
		Columns: []ResultColumn{{"address", "String"}, {"type", "String"}, {"newest", "UInt32"}},
	}
}

// Storage returns the statement for the size of the flows: total_rows UInt64, total_bytes UInt64 (on disk).
func Storage() Statement {
	return Statement{
		SQL: lines(
			"SELECT sum(rows) AS total_rows, sum(bytes_on_disk) AS total_bytes",
			"FROM system.parts WHERE active AND database = currentDatabase() AND table = '"+flow.Table.Name+"'"),
		Columns: []ResultColumn{{"total_rows", "UInt64"}, {"total_bytes", "UInt64"}},
	}
}

// Disks returns the statement for the space of the store's disks, in bytes: free_bytes UInt64, all_bytes
// UInt64.
func Disks() Statement {
	return Statement{
		SQL:     "SELECT sum(unreserved_space) AS free_bytes, sum(total_space) AS all_bytes FROM system.disks",
		Columns: []ResultColumn{{"free_bytes", "UInt64"}, {"all_bytes", "UInt64"}},
	}
}

// Gap is a range of sequence numbers of one exporter, of which some may be stored.
type Gap struct {
	Exporter netip.Addr // as in the rows
	Type     uint8      // value of flow.FlowType
	Domain   uint32
	From     uint32 // first sequence number
	Length   uint64 // number of them, which may wrap around
}

// LastOfGaps returns the statement for the last stored number of each gap, among the rows received from one
// second to another, inclusive: i UInt32, the index of the gap; seq UInt32, the number minus From; units
// UInt32, the number of rows that have it. Gaps without a stored number have no row.
func LastOfGaps(scope access.Scope, gaps []Gap, from, to int64) Statement {
	c := newCompiler(scope)
	values := make([]string, len(gaps))
	for i, g := range gaps {
		values[i] = fmt.Sprintf("(%d, toIPv6('%s'), %d, %d, %d, %d)", i, g.Exporter, g.Type, g.Domain, g.From, g.Length)
	}
	return Statement{
		SQL: lines(
			"SELECT i, max(ahead) AS seq, argMax(n, ahead) AS units",
			"FROM (",
			"    SELECT i, toUInt32(SequenceNum - first) AS ahead, toUInt32(count()) AS n",
			"    "+c.from(flow.Table.Name, "\n"+lines(
				"    INNER JOIN (SELECT * FROM values('i UInt32, address IPv6, type UInt8, domain UInt32, first UInt32, length UInt64', "+strings.Join(values, ", ")+")) AS gaps",
				"        ON ExporterAddress = address AND toUInt8(FlowType) = type AND ObservationDomain = domain",
				"    WHERE "), fmt.Sprintf("TimeReceived BETWEEN %d AND %d AND toUInt32(SequenceNum - first) < length", from, to)),
			"    GROUP BY i, ahead)",
			"GROUP BY i"),
		Params:  c.params,
		Columns: []ResultColumn{{"i", "UInt32"}, {"seq", "UInt32"}, {"units", "UInt32"}},
	}
}

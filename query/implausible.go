package query

import (
	"strconv"

	"netmeta/flow"
)

// Implausible is the statement that counts the records of a window that meet the request and
// that no network carries, by flow.Plausible: one row with the column records, UInt64. The
// rows are looked at only when an exporter has sent such records in that time, which the
// table of the exporters says by the minute.
func (r Request) Implausible(rg Range, s Schema) (Statement, error) {
	c := newCompiler()
	where, err := r.where(c, s, rg.From, rg.To)
	if err != nil {
		return Statement{}, err
	}
	bit := c.params.Bind("UInt16", strconv.Itoa(int(flow.Implausible)))
	sent := c.during(1, piece{table: flow.Table.Name, spans: []span{{floor(rg.From, 60), rg.To}}})
	return Statement{
		SQL: lines(
			"SELECT count() AS records",
			"FROM "+flow.Table.Name,
			"WHERE (SELECT sum(Implausible) FROM exporters WHERE "+sent+") > 0",
			"    AND "+where+" AND bitAnd(Quality, "+bit+") != 0"),
		Params:  c.params,
		Columns: []ResultColumn{{"records", "UInt64"}},
	}, nil
}

package query

import (
	"strconv"

	"netmeta/flow"
)

// Implausible returns the statement that counts the records of a range that match the request and that no
// network carries, by flow.Plausible: one row with the column records, UInt64. It reads the rows only if an
// exporter has sent such records in that time, according to the table exporters, which a scope does not have.
func (r Request) Implausible(rg Range, s Schema) (Statement, error) {
	c := newCompiler(s.Scope)
	where, err := r.where(c, s, rg.From, rg.To)
	if err != nil {
		return Statement{}, err
	}
	bit := c.params.Bind("UInt16", strconv.Itoa(int(flow.Implausible)))
	sent := c.during(1, piece{table: flow.Table.Name, spans: []span{{floor(rg.From, 60), rg.To}}})
	counted := where + " AND bitAnd(Quality, " + bit + ") != 0"
	if s.Scope.IsEverything() {
		counted = "(SELECT sum(Implausible) " + c.from("exporters", " WHERE ", sent) + ") > 0\n    AND " + counted
	}
	return Statement{
		SQL: lines(
			"SELECT count() AS records",
			c.from(flow.Table.Name, "\nWHERE ", counted)),
		Params:  c.params,
		Columns: []ResultColumn{{"records", "UInt64"}},
	}, nil
}

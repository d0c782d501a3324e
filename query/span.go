package query

// Span is the statement for the newest and the oldest second of the flows, 0 when there are
// none: newest UInt32, oldest UInt32. The parts of the table know both, so no rows are read.
func Span() Statement {
	return Statement{
		SQL:     "SELECT toUInt32(max(TimeReceived)) AS newest, toUInt32(min(TimeReceived)) AS oldest FROM " + FlowsTable,
		Columns: []ResultColumn{{"newest", "UInt32"}, {"oldest", "UInt32"}},
	}
}

// First is the statement for the oldest second of a rollup, 0 when it is empty: first UInt32.
// As with Span, no rows are read.
func (r Rollup) First() Statement {
	return Statement{
		SQL:     "SELECT toUInt32(min(TimeReceived)) AS first FROM " + r.Table,
		Columns: []ResultColumn{{"first", "UInt32"}},
	}
}

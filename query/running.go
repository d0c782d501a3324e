package query

import "netmeta/internal/param"

// Running returns the statement for the queries that the store is executing, longest first, except those
// whose comment ends with own: query_id, tag (the comment), teller (the tag of the embedded engine, which
// starts with the user), user String; elapsed Float64 (seconds); read_rows, total_rows_approx, read_bytes
// UInt64; memory_usage Int64; sql String, its start.
func Running(own string) Statement {
	return Statement{
		SQL: lines(
			"SELECT query_id, Settings['log_comment'] AS tag, Settings['query_cache_tag'] AS teller, user, elapsed, read_rows, total_rows_approx, read_bytes, memory_usage, substring(query, 1, 1000) AS sql",
			"FROM system.processes",
			"WHERE query_kind IN ('Select', '') AND tag NOT LIKE {own:String} AND is_initial_query",
			"ORDER BY elapsed DESC LIMIT 200"),
		Params: map[string]string{"own": param.Escape("%" + own)},
		Columns: []ResultColumn{{"query_id", "String"}, {"tag", "String"}, {"teller", "String"}, {"user", "String"}, {"elapsed", "Float64"},
			{"read_rows", "UInt64"}, {"total_rows_approx", "UInt64"}, {"read_bytes", "UInt64"}, {"memory_usage", "Int64"}, {"sql", "String"}},
	}
}

// Kill returns the statement that cancels a query. It never cancels an insert.
func Kill(id string) Statement {
	return Statement{SQL: "KILL QUERY WHERE query_id = {id:String} AND query_kind IN ('Select', '') ASYNC", Params: map[string]string{"id": param.Escape(id)}}
}

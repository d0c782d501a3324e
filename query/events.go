package query

import (
	"maps"
	"slices"
	"strconv"

	"netmeta/access"
	"netmeta/internal/param"
)

// Statements about the table events.

// EventRow is a row of the table events. Times are seconds since 1970.
type EventRow struct {
	ID, Kind, Target, Severity, Text string
	Start, End                       int64
	Attrs                            map[string]string
}

// maxEvents is the number of events in one result: the newest.
const maxEvents = 1000

// PutEvent returns the statement that adds a row.
func PutEvent(e EventRow) Statement {
	keys := slices.Sorted(maps.Keys(e.Attrs))
	values := make([]string, len(keys))
	for i, k := range keys {
		values[i] = e.Attrs[k]
	}
	return Statement{
		SQL: lines(
			"INSERT INTO events (id, kind, start, end, target, severity, text, attrs)",
			"SELECT {id:String}, {kind:String}, toDateTime({start:UInt32}, 'UTC'), toDateTime({end:UInt32}, 'UTC'), {target:String}, {severity:String}, {text:String},",
			"    mapFromArrays({keys:Array(String)}, {values:Array(String)})"),
		Params: map[string]string{
			"id": param.Escape(e.ID), "kind": param.Escape(e.Kind), "start": strconv.FormatInt(e.Start, 10), "end": strconv.FormatInt(e.End, 10),
			"target": param.Escape(e.Target), "severity": param.Escape(e.Severity), "text": param.Escape(e.Text),
			"keys": param.Array("String", keys), "values": param.Array("String", values),
		},
	}
}

// EventReports returns the statement that counts the rows of an event: reports UInt64.
func EventReports(scope access.Scope, id string) Statement {
	c := newCompiler(scope)
	c.params["id"] = param.Escape(id)
	return Statement{
		SQL:     "SELECT count() AS reports " + c.from("events", " WHERE ", "id = {id:String}"),
		Params:  c.params,
		Columns: []ResultColumn{{"reports", "UInt64"}},
	}
}

// DeleteEvent returns the statement that deletes the rows of an event, to append to ALTER TABLE and the name
// of the table.
func DeleteEvent(id string) Statement {
	return Statement{SQL: "DELETE WHERE id = {id:String} SETTINGS mutations_sync = 1", Params: map[string]string{"id": param.Escape(id)}}
}

// Events returns the statement for the events that overlap a range, newest first. An event that lasts
// overlaps everything after its start; one without duration only its start. kind is empty for all.
func Events(scope access.Scope, from, to int64, kind string) Statement {
	c := newCompiler(scope)
	c.params["from"], c.params["to"], c.params["kind"] = strconv.FormatInt(from, 10), strconv.FormatInt(to, 10), param.Escape(kind)
	return Statement{
		SQL: lines(
			"SELECT id, kind, toUInt32(start) AS begin, toUInt32(end) AS until, target, severity, text, toJSONString(attrs) AS more",
			c.from("events", " FINAL\nWHERE ", lines(
				"start < toDateTime({to:UInt32}, 'UTC') AND (start >= toDateTime({from:UInt32}, 'UTC') OR end = toDateTime(0, 'UTC') OR end > toDateTime({from:UInt32}, 'UTC'))",
				"    AND ({kind:String} = '' OR kind = {kind:String})")),
			"ORDER BY start DESC, id LIMIT "+strconv.Itoa(maxEvents)),
		Params: c.params,
		Columns: []ResultColumn{{"id", "String"}, {"kind", "String"}, {"begin", "UInt32"}, {"until", "UInt32"},
			{"target", "String"}, {"severity", "String"}, {"text", "String"}, {"more", "String"}},
	}
}

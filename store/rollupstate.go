package store

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"netmeta/column"
)

// StateTable has the state of each rollup: from Since until before Until it has the sums of every row.
// Outside, there may be sums that a process left behind when it died, which must not be used. Until advances
// as steps are summed. Since moves back, hour by hour, to the oldest row of the table, if rows are older than
// the rollup. Of several collectors one keeps the rollups: Owner of the first one, until Lease.
//
// A row applies to a table and not to its name: to that with the UUID Current, and that with the UUID Next,
// which is about to replace it. So a rollup that a user drops loses its state, and an exchange of tables,
// which is atomic, needs no second step. The row with the greatest Revision counts.
const StateTable = "rollup_state"

// stateTable returns the schema of StateTable.
func (s Schema) stateTable() Schema {
	t := &column.Table{Name: StateTable, Partition: "tuple()", Order: "Name", Engine: column.Replacing, Version: "Revision", Retention: column.Forever}
	t.String(column.Field{Name: "Name", Doc: "Name of the rollup."})
	t.String(column.Field{Name: "Current", Doc: "UUID of the table that this row is about; empty: of none, the sums are made again."})
	t.String(column.Field{Name: "Next", Doc: "UUID of a table that may have taken its place; empty: none."})
	t.Time(column.Field{Name: "Since", Doc: "It has the sums of every row received from then on,"})
	t.Time(column.Field{Name: "Until", Doc: "and before then."})
	t.String(column.Field{Name: "Owner", Doc: "Of the first rollup: the collector that keeps the rollups."})
	t.Time(column.Field{Name: "Lease", Doc: "Until when another collector leaves them alone."})
	t.U64(column.Field{Name: "Revision", Doc: "Rises with each change: the row with the greatest one counts."})
	return Schema{Table: t, Layout: s.Layout}
}

// rollupState is the state of a rollup in StateTable.
type rollupState struct {
	timeRange
	owner    string
	lease    int64
	revision uint64 // of the row; 0: no row

	table   string // UUID of the table with the rollup's name
	holds   bool   // for that table; otherwise its sums are unknown
	current string // in the row
}

// readStates reads the states of rollups, in their order.
func readStates(ctx context.Context, c *Client, l Layout, rollups ...string) ([]rollupState, error) {
	res, err := c.rows(ctx, `
SELECT t.name, toString(t.uuid), s.Current, s.Next, toUInt32(s.Since), toUInt32(s.Until), s.Owner, toUInt32(s.Lease), s.Revision
FROM (SELECT name, uuid FROM system.tables WHERE database = currentDatabase() AND name IN (`+quoted(rollups)+`)) AS t
LEFT JOIN (SELECT * FROM `+l.Distributed(StateTable)+` FINAL) AS s ON s.Name = t.name`)
	if err != nil {
		return nil, fmt.Errorf("state of rollups: %w", err)
	}
	states := make([]rollupState, len(rollups))
	for row := range res.Rows {
		text := func(column int) string { return res.Columns[column].([]string)[row] }
		second := func(column int) int64 { return int64(res.Columns[column].([]uint32)[row]) }
		st := rollupState{table: text(1), current: text(2), timeRange: timeRange{second(4), second(5)}, owner: text(6), lease: second(7), revision: res.Columns[8].([]uint64)[row]}
		st.holds = st.revision > 0 && (st.table == st.current || st.table == text(3))
		states[slices.Index(rollups, text(0))] = st
	}
	return states, nil
}

// write stores the state for the table that has the rollup's name now, and for the one with the UUID next
// unless that is empty.
func (st *rollupState) write(ctx context.Context, c *Client, l Layout, rollup, next string) error {
	sql := fmt.Sprintf("INSERT INTO %s (Name, Current, Next, Since, Until, Owner, Lease, Revision) VALUES (%s, %s, %s, %d, %d, %s, %d, %d)",
		l.Distributed(StateTable), quote(rollup), quote(st.table), quote(next), st.from, st.to, quote(st.owner), st.lease, st.revision+1)
	if err := c.change(ctx, Query{SQL: sql, Settings: quietly}); err != nil {
		return fmt.Errorf("state of %s: %w", rollup, err)
	}
	st.revision, st.holds, st.current = st.revision+1, true, st.table
	return nil
}

// forget returns the statement that clears a rollup's state.
func (s Schema) forget(rollup string) string {
	return fmt.Sprintf("INSERT INTO %s (Name, Revision) SELECT %s, max(Revision) + 1 FROM %[1]s WHERE Name = %[2]s", s.Layout.Distributed(StateTable), quote(rollup))
}

// beginRollup stores the state of a rollup that has none yet: a new one, or that of an earlier version.
func beginRollup(ctx context.Context, c *Client, s Schema, name string) error {
	states, err := readStates(ctx, c, s.Layout, name)
	if err != nil {
		return err
	}
	st := states[0]
	if !st.holds {
		if err := st.find(ctx, c, s, name); err != nil {
			return err
		}
		if err := st.write(ctx, c, s.Layout, name, ""); err != nil {
			return err
		}
	}
	return endComment(ctx, c, s, name, st)
}

// find sets the times that the rollup has the sums of.
func (st *rollupState) find(ctx context.Context, c *Client, s Schema, name string) error {
	res, err := c.rows(ctx, fmt.Sprintf("SELECT toUInt32(now('UTC')), toUInt64(count()), toUInt64(assumeNotNull((SELECT count() FROM %s))) FROM %s",
		s.Layout.Distributed(name), s.Layout.Distributed(s.Table.Name)))
	if err != nil {
		return fmt.Errorf("rows of %s: %w", s.Table.Name, err)
	}
	hour := floor(int64(res.Columns[0].([]uint32)[0]), rollHour)
	rows, sums := res.Columns[1].([]uint64)[0], res.Columns[2].([]uint64)[0]
	text, said, err := readComment(ctx, c, name)
	switch {
	case err != nil:
		return err
	case st.revision > 0 && st.current != "" && sums > 0: // the table was restored from a backup, with its rows
	case st.revision == 0 && said: // an earlier version kept it
		st.timeRange, st.owner, st.lease = text.timeRange, text.owner, text.lease
		if text.to < 0 { // a view filled it until now
			st.to = hour
		}
	case rows > 0:
		st.timeRange = timeRange{hour, hour}
	default:
		st.timeRange = timeRange{}
	}
	return nil
}

// Before this version the comment of a rollup's table had its state:
//
//	complete from 1795000000 until 1795003660; kept by collector-1 until 1795003720
//
// It is read once. A comment that excludes other collectors replaces it, so that a collector of an earlier
// version that writes the same tables leaves them alone.
var stateComment = regexp.MustCompile(`^complete from (\d+)(?: until (\d+)(?:; kept by (.*) until (\d+))?)?$`)

const endOfTime = 1<<32 - 1

// readComment reads the comment of a rollup's table; until is −1 if it is not in there.
func readComment(ctx context.Context, c *Client, rollup string) (st rollupState, said bool, err error) {
	res, err := c.rows(ctx, "SELECT comment FROM system.tables WHERE database = currentDatabase() AND name = "+quote(rollup))
	if err != nil {
		return st, false, fmt.Errorf("comment of %s: %w", rollup, err)
	}
	if res.Rows == 0 {
		return st, false, nil
	}
	m := stateComment.FindStringSubmatch(res.Columns[0].([]string)[0])
	if m == nil || m[3] == StateTable {
		return st, false, nil
	}
	st.to = -1
	st.from, _ = strconv.ParseInt(m[1], 10, 64)
	if m[2] != "" {
		st.to, _ = strconv.ParseInt(m[2], 10, 64)
	}
	st.owner = m[3]
	st.lease, _ = strconv.ParseInt(m[4], 10, 64)
	return st, true, nil
}

// endComment replaces the comment of an earlier version by the final one.
func endComment(ctx context.Context, c *Client, s Schema, rollup string, st rollupState) error {
	_, said, err := readComment(ctx, c, rollup)
	if err != nil || !said {
		return err
	}
	text := fmt.Sprintf("complete from %d until %d; kept by %s until %d", st.from, st.to, StateTable, int64(endOfTime))
	return c.change(ctx, Query{SQL: s.Layout.Alter(rollup) + " MODIFY COMMENT " + quote(text)})
}

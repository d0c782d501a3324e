package store

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"netmeta/column"
)

// Rollups. A materialized view adds each insert up and puts the sums into a table of
// its own, which is fed by the same insert and under the same token: what a retry
// does not store twice it does not count twice. The rollups of a table are a chain, so
// that the rows themselves are added up only once.
//
// A rollup has the fields that it keeps as real columns from the start, rare ones too:
// its rows are few. The view reads a rare column of the table by its name, as alias or
// as real column, so nothing is to be done when one becomes real.
//
// Rows from before the view are not in it. From when on a rollup has every row is kept
// in the comment of its table, "complete from <seconds since 1970>"; without it the
// rollup is not to be used. See doc/decisions/0008-rollups.md.

// flowsColumn counts the rows that a row of a rollup stands for.
const flowsColumn = "Flows"

// viewOf is the name of the view that feeds a rollup.
func viewOf(rollup string) string { return rollup + "_view" }

// rollup is the schema of the i-th rollup's table.
func (s Schema) rollup(i int) Schema {
	r := s.Table.Rollups[i]
	t := &column.Table{Name: r.Name, Partition: "toDate(TimeReceived)"}
	if r.Step >= 3600 {
		t.Partition = "toYYYYMM(TimeReceived)"
	}
	out := Schema{Table: t, TTLDays: s.RollupDays[i]}
	for _, f := range s.Table.Fields {
		kept := *f
		kept.Rare = false
		switch {
		case f.Kind == column.Time && f.Name == "TimeReceived":
			kept.Doc = fmt.Sprintf("Start of the %d seconds that the row is of.", r.Step)
			out.key = append(out.key, f.Name)
		case f.Rollup:
			out.key = append(out.key, f.Name)
		case f.Role == column.Measure && f.Kind != column.Alias:
			kept.Doc = "Sum of " + f.Name + " of the rows."
			out.sums = append(out.sums, f.Name)
		case f.Role == column.Measure:
		default:
			continue
		}
		t.Fields = append(t.Fields, &kept)
	}
	out.sums = append(out.sums, flowsColumn)
	t.U64(column.Field{Name: flowsColumn, Title: "flows", Role: column.Measure, Doc: "How many rows of " + s.Table.Name + " it stands for."})
	return out
}

// rollupEngine is what CREATE TABLE says of how a rollup is kept.
func (s Schema) rollupEngine() string {
	// The time alone in the primary key: it is what a question always says, and the
	// other columns are many.
	return fmt.Sprintf("ENGINE = SummingMergeTree((%s))\nPARTITION BY %s\nPRIMARY KEY (%s)\nORDER BY (%s)\n",
		strings.Join(s.sums, ", "), s.Table.Partition, s.key[0], strings.Join(s.key, ", "))
}

// view is the statement that makes the view that feeds the i-th rollup.
func (s Schema) view(i int) string {
	r := s.rollup(i)
	from, count := s.Table.Name, "count()"
	if i > 0 {
		from, count = s.Table.Rollups[i-1].Name, "sum(f."+flowsColumn+")"
	}
	step := s.Table.Rollups[i].Step
	columns := []string{fmt.Sprintf("toDateTime(intDiv(toUInt32(f.TimeReceived), %d) * %[1]d, 'UTC') AS TimeReceived", step)}
	for _, name := range r.key[1:] {
		columns = append(columns, "f."+name+" AS "+name)
	}
	for _, name := range r.sums {
		expr := "sum(f." + name + ")"
		if name == flowsColumn {
			expr = count
		}
		columns = append(columns, expr+" AS "+name)
	}
	return fmt.Sprintf("CREATE MATERIALIZED VIEW IF NOT EXISTS %s TO %s AS\nSELECT\n    %s\nFROM %s AS f\nGROUP BY ALL",
		viewOf(r.Table.Name), r.Table.Name, strings.Join(columns, ",\n    "), from)
}

// CreateAll is every statement that a table and its rollups need, in order.
func (s Schema) CreateAll() []string {
	list := []string{s.Create()}
	for i := range s.RollupDays {
		list = append(list, s.rollup(i).Create(), s.view(i))
	}
	return list
}

var sortingKey = regexp.MustCompile(` ORDER BY \(([^)]*)\)`)

// keyOf is the sorting key in the CREATE statement of a rollup.
func keyOf(create string) []string {
	m := sortingKey.FindStringSubmatch(create)
	if m == nil {
		return nil
	}
	return strings.Split(m[1], ", ")
}

// planRollups lists what must be done for the rollups and their views.
func planRollups(ctx context.Context, c *Client, s Schema) (changes []Change, err error) {
	cut := false // the chain is broken above this rollup, so it loses rows too
	for i := range s.RollupDays {
		r := s.rollup(i)
		have, create, err := Describe(ctx, c, r.Table.Name)
		if err != nil {
			return nil, err
		}
		name, view := r.Table.Name, viewOf(r.Table.Name)
		if len(have) == 0 {
			changes = append(changes, Change{SQL: r.Create(), Reason: "rollup " + name + " is new"})
		} else {
			more, err := r.Diff(have, create)
			if err != nil {
				return nil, err
			}
			changes = append(changes, more...)
		}
		fed, _, err := Describe(ctx, c, view)
		if err != nil {
			return nil, err
		}
		stale := slices.ContainsFunc(slices.Concat(r.key, r.sums), func(name string) bool {
			return !slices.ContainsFunc(fed, func(c Column) bool { return c.Name == name })
		})
		if cut = cut || stale; cut && len(have) > 0 {
			changes = append(changes, Change{SQL: "ALTER TABLE " + name + " MODIFY COMMENT ''", Reason: "rollup " + name + " misses rows: what it has is not used"})
		}
		if !stale {
			continue
		}
		if len(fed) > 0 {
			changes = append(changes, Change{SQL: "DROP VIEW IF EXISTS " + view, Reason: "view " + view + " lacks columns"})
		}
		changes = append(changes, Change{SQL: s.view(i), Reason: "view " + view + " is new", feeds: name})
	}
	return changes, nil
}

// completeRollups notes from when on the rollups have every row, where that is not
// known or was changed by what has just been done.
//
// Rows that were there before the view, or came by an insert that had begun before, were
// received before now. A table without any row has lost none to the rollup.
func completeRollups(ctx context.Context, c *Client, s Schema, done []Change) error {
	for i := range s.RollupDays {
		r := s.Table.Rollups[i]
		fresh := slices.ContainsFunc(done, func(ch Change) bool {
			return ch.feeds != "" && slices.ContainsFunc(s.Table.Rollups[:i+1], func(up column.Rollup) bool { return up.Name == ch.feeds })
		})
		res, _, err := c.Select(ctx, Query{Params: map[string]string{"table": r.Name}, SQL: `
SELECT comment FROM system.tables WHERE database = currentDatabase() AND name = {table:String}`})
		if err != nil {
			return fmt.Errorf("comment of %s: %w", r.Name, err)
		}
		if res.Rows == 0 || !fresh && strings.HasPrefix(res.Columns[0].([]string)[0], "complete from ") {
			continue
		}
		res, _, err = c.Select(ctx, Query{SQL: "SELECT if(count() = 0, 0, toUInt32(greatest(now('UTC'), max(TimeReceived))) + 1) FROM " + s.Table.Name})
		if err != nil {
			return fmt.Errorf("newest row of %s: %w", s.Table.Name, err)
		}
		from := (int64(res.Columns[0].([]uint64)[0]) + r.Step - 1) / r.Step * r.Step
		if err := c.Exec(ctx, fmt.Sprintf("ALTER TABLE %s MODIFY COMMENT 'complete from %d'", r.Name, from)); err != nil {
			return fmt.Errorf("comment of %s: %w", r.Name, err)
		}
	}
	return nil
}

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
// What a view costs is the number of its columns: to add up by forty took twice the CPU
// of the insert itself. So a rare column is an alias in the rollup too, and not in the
// view, until it becomes real.
//
// Rows from before the view are not in it. From when on a rollup has every row is kept
// in the comment of its table, "complete from <seconds since 1970>"; without it the
// rollup is not to be used. See doc/decisions/0008-rollups.md.

// flowsColumn counts the rows that a row of a rollup stands for.
const flowsColumn = "Flows"

// viewOf is the name of the view that feeds a rollup.
func viewOf(rollup string) string { return rollup + "_view" }

// rollup is the schema of the i-th rollup's table. Its rare columns are real when they
// are to be in the table, or are there, which have says.
func (s Schema) rollup(i int, have []Column) Schema {
	r := s.Table.Rollups[i]
	t := &column.Table{Name: r.Name, Partition: "toDate(TimeReceived)"}
	if r.Step >= 3600 {
		t.Partition = "toYYYYMM(TimeReceived)"
	}
	out := Schema{Table: t, TTLDays: s.RollupDays[i], Columns: s.Columns}
	for _, c := range have {
		if c.Kind == "" {
			out.Columns = append(out.Columns[:len(out.Columns):len(out.Columns)], c.Name)
		}
	}
	for _, f := range s.Table.Fields {
		kept := *f
		switch {
		case f.Kind == column.Time && f.Name == "TimeReceived":
			kept.Doc = fmt.Sprintf("Start of the %d seconds that the row is of.", r.Step)
			out.key = append(out.key, f.Name)
		case f.Rollup && out.real(f):
			out.key = append(out.key, f.Name)
		case f.Rollup:
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

// viewQuery is what the view of the rollup r, the i-th, selects. Addresses are grouped by
// a hash of 64 bits of them: they are few, and the key is then short enough for the
// engine's fast tables.
func (s Schema) viewQuery(r Schema, i int) string {
	from, count := s.Table.Name, "count()"
	if i > 0 {
		from, count = s.Table.Rollups[i-1].Name, "sum(f."+flowsColumn+")"
	}
	columns := []string{fmt.Sprintf("toDateTime(intDiv(toUInt32(f.TimeReceived), %d) * %[1]d, 'UTC') AS TimeReceived", s.Table.Rollups[i].Step)}
	group := []string{"TimeReceived"}
	for _, name := range r.key[1:] {
		expr, by := "f."+name, "f."+name
		if r.Table.Fields[slices.IndexFunc(r.Table.Fields, func(f *column.Field) bool { return f.Name == name })].Kind == column.IP {
			expr, by = "any(f."+name+")", "cityHash64(f."+name+")"
		}
		columns, group = append(columns, expr+" AS "+name), append(group, by)
	}
	for _, name := range r.sums {
		expr := "sum(f." + name + ")"
		if name == flowsColumn {
			expr = count
		}
		columns = append(columns, expr+" AS "+name)
	}
	return fmt.Sprintf("SELECT\n    %s\nFROM %s AS f\nGROUP BY\n    %s", strings.Join(columns, ",\n    "), from, strings.Join(group, ",\n    "))
}

// view is the statement that makes the view that feeds the rollup r, the i-th.
func (s Schema) view(r Schema, i int) string {
	return fmt.Sprintf("CREATE MATERIALIZED VIEW IF NOT EXISTS %s TO %s AS\n%s", viewOf(r.Table.Name), r.Table.Name, s.viewQuery(r, i))
}

// CreateAll is every statement that a table and its rollups need, in order.
func (s Schema) CreateAll() []string {
	list := []string{s.Create()}
	for i := range s.RollupDays {
		r := s.rollup(i, nil)
		list = append(list, r.Create(), s.view(r, i))
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

// planRollups lists what must be done for the rollups and their views; have are the
// columns of the table.
func planRollups(ctx context.Context, c *Client, s Schema, have []Column) (changes []Change, err error) {
	cut := false // rows were lost on the way to this rollup
	for i := range s.RollupDays {
		r := s.rollup(i, have)
		name, view := r.Table.Name, viewOf(r.Table.Name)
		columns, create, err := Describe(ctx, c, name)
		if err != nil {
			return nil, err
		}
		if len(columns) == 0 {
			changes = append(changes, Change{SQL: r.Create(), Reason: "rollup " + name + " is new"})
		} else {
			more, err := r.Diff(columns, create)
			if err != nil {
				return nil, err
			}
			changes = append(changes, more...)
		}
		_, create, err = Describe(ctx, c, view)
		if err != nil {
			return nil, err
		}
		var lacks []string
		for _, name := range slices.Concat(r.key, r.sums) {
			if !strings.Contains(create+",", " AS "+name+",") && !strings.Contains(create, " AS "+name+" ") {
				lacks = append(lacks, name)
			}
		}
		if len(lacks) == 0 && !cut {
			continue
		}
		// What a column of the table was while the view did not look is lost, but for a
		// column that is not real yet.
		cut = cut || create == "" || slices.ContainsFunc(have, func(c Column) bool { return c.Kind == "" && slices.Contains(lacks, c.Name) })
		if cut && len(columns) > 0 {
			changes = append(changes, Change{SQL: "ALTER TABLE " + name + " MODIFY COMMENT ''", Reason: "rollup " + name + " misses rows: what it has is not used"})
		}
		switch {
		case create == "":
			changes = append(changes, Change{SQL: s.view(r, i), Reason: "view " + view + " is new", feeds: name})
		case len(lacks) > 0:
			changes = append(changes, Change{SQL: "ALTER TABLE " + view + " MODIFY QUERY\n" + s.viewQuery(r, i), Reason: "view " + view + " keeps " + strings.Join(lacks, ", "), feeds: name})
		}
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
		reset := "ALTER TABLE " + r.Name + " MODIFY COMMENT ''"
		fresh := slices.ContainsFunc(done, func(ch Change) bool { return ch.SQL == reset })
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

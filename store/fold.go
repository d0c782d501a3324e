package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"

	"netmeta/column"
)

// A rollup has a limit of rows. Flows whose keys hardly repeat (random ASes in forged datagrams) add up to
// nearly as many sums as flows, which costs more than the flows themselves. So a step with too many sums is
// folded: keys with many flows are unchanged, the others lose most of their fields. The column Folded marks
// such rows, and FoldedTable the steps of a rollup that have them. Queries about these steps read the flows
// as long as they exist, and then the folded sums. See doc/decisions/0018-rollups-have-a-bound.md.

// FoldedTable has the folded steps of the rollups; the last row of a step counts.
const FoldedTable = "rollup_folded"

const (
	// foldedColumn marks rows that have lost fields.
	foldedColumn = "Folded"
	// foldFloor is the number of sums that a step may always have. A small network has one sum for six flows,
	// at no noticeable cost.
	foldFloor = 50_000
	// foldShare is the average number of flows per sum beyond that.
	foldShare = 10
	// foldBuckets bounds the memory for finding the keys with many flows.
	foldBuckets = 1 << 21
)

const codeTooManyRows = 158 // TOO_MANY_ROWS, also of a GROUP BY

// foldedTable returns the schema of FoldedTable.
func (s Schema) foldedTable() Schema {
	t := &column.Table{Name: FoldedTable, Order: "Name, TimeReceived", Partition: "toYYYYMM(TimeReceived)"}
	t.Time(column.Field{Name: "TimeReceived", Doc: "Start of the step."})
	t.Text(column.Field{Name: "Name", Doc: "Name of the rollup's table."})
	t.U8(column.Field{Name: foldedColumn, Doc: "1: the step has rows that stand for flows of different keys; 0: no longer."})
	t.U64(column.Field{Name: "Noted", Doc: "When that was noted, nanoseconds since 1970: the last one counts."})
	days := 0
	for _, r := range s.rollups() {
		if n := s.RollupDays[r.Step]; n == 0 {
			days = 0
			break
		} else {
			days = max(days, n)
		}
	}
	return Schema{Table: t, Layout: s.Layout, TTLDays: days}
}

// stepSet is a set of steps: a bit per step of each hour.
type stepSet map[int64]uint64

func (s stepSet) bit(at, step int64) (hour int64, bit uint64) {
	hour = floor(at, rollHour)
	return hour, 1 << ((at - hour) / max(step, 60))
}

func (s stepSet) has(at, step int64) bool {
	hour, bit := s.bit(at, step)
	return s[hour]&bit != 0
}

func (s stepSet) put(at, step int64, in bool) {
	hour, bit := s.bit(at, step)
	if s[hour] &^= bit; in {
		s[hour] |= bit
	}
	if s[hour] == 0 {
		delete(s, hour)
	}
}

// readFolded reads the folded steps of the rollups.
func (r *Roller) readFolded(ctx context.Context, s Schema) error {
	res, err := r.Client.rows(ctx, `
SELECT Name, toUInt32(TimeReceived) FROM `+FoldedTable+`
GROUP BY Name, TimeReceived HAVING argMax(Folded, Noted) = 1`)
	if err != nil {
		return fmt.Errorf("folded steps of rollups: %w", err)
	}
	r.folded = map[string]stepSet{}
	steps := map[string]int64{}
	for i := range s.rollups() {
		r.folded[s.Table.Rollups[i].Name], steps[s.Table.Rollups[i].Name] = stepSet{}, s.Table.Rollups[i].Step
	}
	for i := range res.Rows {
		name := res.Columns[0].([]string)[i]
		if set := r.folded[name]; set != nil {
			set.put(int64(res.Columns[1].([]uint32)[i]), steps[name], true)
		}
	}
	return nil
}

// noteFolded records that steps are folded, or no longer. It is called before the folded sums are written,
// and after those that replace them: at worst, queries read the flows although the rollup would do.
func (u *rollup) noteFolded(ctx context.Context, steps []int64, is bool) error {
	set := u.roller.folded[u.name]
	steps = slices.DeleteFunc(slices.Clone(steps), func(at int64) bool { return set.has(at, u.step) == is })
	if len(steps) == 0 {
		return nil
	}
	flag, list := 0, make([]string, len(steps))
	if is {
		flag = 1
	}
	for i, at := range steps {
		list[i] = fmt.Sprint(at)
	}
	if err := u.do(ctx, fmt.Sprintf("INSERT INTO %s (TimeReceived, Name, Folded, Noted) SELECT toDateTime(arrayJoin([%s]), 'UTC'), %s, %d, toUInt64(toUnixTimestamp64Nano(now64(9)))",
		FoldedTable, strings.Join(list, ", "), quote(u.name), flag)); err != nil {
		return err
	}
	for _, at := range steps {
		set.put(at, u.step, is)
	}
	if is {
		u.roller.Stats.Folded.Add(uint64(len(steps)))
	}
	return nil
}

// tableShare says what one table has for some times.
type tableShare struct {
	table string
	spans []timeRange
}

// shares returns the tables that the rollup sums for some times. The sums of a folded minute lack fields, so
// other rollups sum its rows; an hour is folded if one of its minutes is.
func (u *rollup) shares(of []timeRange) []tableShare {
	source := u.table.source(u.index)
	set := u.roller.folded[source]
	if len(set) == 0 || u.step >= rollHour {
		return []tableShare{{source, of}}
	}
	var narrow, wide []timeRange
	join := func(list []timeRange, s timeRange) []timeRange {
		if n := len(list); n > 0 && list[n-1].to == s.from {
			list[n-1].to = s.to
			return list
		}
		return append(list, s)
	}
	for _, s := range of {
		for at := s.from; at < s.to; at += u.step {
			if set.has(at, u.step) {
				wide = join(wide, timeRange{at, at + u.step})
			} else {
				narrow = join(narrow, timeRange{at, at + u.step})
			}
		}
	}
	var list []tableShare
	if len(narrow) > 0 {
		list = append(list, tableShare{source, narrow})
	}
	if len(wide) > 0 {
		list = append(list, tableShare{u.table.Table.Name, wide})
	}
	return list
}

// sums writes the sums of a table for some times into another one. Steps with too many sums are folded.
func (u *rollup) sums(ctx context.Context, into, source string, of []timeRange) error {
	counted := "count()"
	if source != u.table.Table.Name {
		counted = added
	}
	rows, err := u.count(ctx, fmt.Sprintf("intDiv(toUInt32(TimeReceived), %d) * %[1]d", u.step), counted, source, during("TimeReceived", of))
	if err != nil {
		return err
	}
	return u.sumsOf(ctx, into, source, slices.Sorted(maps.Keys(rows)), rows)
}

// sumsOf does that for steps with rows, in order.
func (u *rollup) sumsOf(ctx context.Context, into, source string, steps []int64, rows map[int64]uint64) error {
	if len(steps) == 0 {
		return nil
	}
	var all uint64
	var of []timeRange
	for _, at := range steps {
		all += rows[at]
		if n := len(of); n > 0 && of[n-1].to == at {
			of[n-1].to += u.step
		} else {
			of = append(of, timeRange{at, at + u.step})
		}
	}
	limit := u.roller.limit(all)
	// The engine aborts before it has written a row, because it groups first.
	err := u.group(ctx, u.table.addUp(u.own, u.index, source, into, of), limit)
	switch {
	case err == nil:
		return u.noteSums(ctx, into, source, steps)
	case !tooManyRows(err):
		return err
	case len(steps) > 1:
		half := len(steps) / 2
		if err := u.sumsOf(ctx, into, source, steps[:half], rows); err != nil {
			return err
		}
		return u.sumsOf(ctx, into, source, steps[half:], rows)
	}
	if err := u.noteFolded(ctx, steps, true); err != nil {
		return err
	}
	err = u.group(ctx, u.table.fold(u.own, u.index, source, into, of[0], rows[steps[0]], limit, rand.Uint64()), 2*limit)
	if tooManyRows(err) { // somebody has guessed the salt
		err = u.group(ctx, u.table.fold(u.own, u.index, source, into, of[0], 0, limit, 0), 0)
	}
	return err
}

// limit returns the maximum number of sums for some flows, of one step or several.
func (r *Roller) limit(flows uint64) uint64 {
	return max(cmp.Or(r.Floor, foldFloor), flows/foldShare)
}

func tooManyRows(err error) bool {
	var e *Exception
	return errors.As(err, &e) && e.Code == codeTooManyRows
}

// group runs a summing statement, unless it makes too many groups; 0: any number.
func (u *rollup) group(ctx context.Context, sql string, limit uint64) error {
	settings := maps.Clone(quietly)
	if limit > 0 {
		settings["max_rows_to_group_by"], settings["group_by_overflow_mode"] = fmt.Sprint(limit), "throw"
	}
	if err := u.roller.Client.change(ctx, Query{SQL: sql, Settings: settings}); err != nil {
		return fmt.Errorf("rollup %s: %w", u.name, err)
	}
	return nil
}

// noteSums records which of some steps are folded, now that their sums are in a table; an hour is folded if
// one of its minutes is. Steps that are no longer folded are recorded once the table is the rollup itself;
// see exchange.
func (u *rollup) noteSums(ctx context.Context, into, source string, steps []int64) error {
	set := u.roller.folded[source]
	isFolded := func(at int64) bool { return u.step >= rollHour && set[floor(at, rollHour)] != 0 }
	var plain, folded []int64
	for _, at := range steps {
		if isFolded(at) {
			folded = append(folded, at)
		} else {
			plain = append(plain, at)
		}
	}
	if err := u.noteFolded(ctx, folded, true); err != nil {
		return err
	}
	if u.plain = append(u.plain, plain...); into != u.name {
		return nil
	}
	return u.notePlain(ctx)
}

// notePlain records that the steps whose new sums are in the rollup are not folded.
func (u *rollup) notePlain(ctx context.Context) error {
	err := u.noteFolded(ctx, u.plain, false)
	u.plain = nil
	return err
}

// Levels of a row in a folded step: it keeps all fields, those that say where the flow came from, or those
// with few values by nature.
const (
	keepsAll = iota
	keepsOrigin
	keepsNames
)

// level returns the last level that keeps a field.
func level(f *column.Field) int {
	switch {
	case f.Kind == column.Enum:
		return keepsNames
	case f.Group == "record" || f.Group == "exporter":
		return keepsOrigin
	}
	return keepsAll
}

// fold returns the statement that writes the sums of a step with too many of them into a table like the
// rollup r, the i-th. A key keeps its fields if it has many flows. Counting keys would need the memory that
// is to be saved, so their hashes are counted, with a salt against chosen collisions. If rows is 0, all keys
// lose them.
func (s Schema) fold(r Schema, i int, source, into string, of timeRange, rows, limit, salt uint64) string {
	count := "count()"
	if source != s.Table.Name {
		count = "sum(f." + flowsColumn + ")"
	}
	buckets := min(max(uint64(1)<<bits.Len64(rows), 1<<16), foldBuckets)
	least := max(2, (2*rows+limit-1)/limit) + 8*rows/buckets
	when := during("f.TimeReceived", []timeRange{of})
	many := func(kept int) string {
		names := []string{fmt.Sprint(salt)}
		for _, name := range r.key[1:] {
			if name == foldedColumn || level(s.Table.Field(name)) >= kept {
				names = append(names, "f."+name)
			}
		}
		if source == s.Table.Name {
			names = slices.DeleteFunc(names, func(name string) bool { return name == "f."+foldedColumn })
		}
		hash := fmt.Sprintf("toUInt32(cityHash64(%s) %% %d)", strings.Join(names, ", "), buckets)
		return fmt.Sprintf("%s IN (SELECT %[1]s AS h FROM %s AS f WHERE %s GROUP BY h HAVING %s >= %d SETTINGS max_rows_to_group_by = 0), %d", hash, source, when, count, least, kept)
	}
	levels := fmt.Sprintf("multiIf(%s, %s, %d)", many(keepsAll), many(keepsOrigin), keepsNames)
	if rows == 0 {
		levels = fmt.Sprint(keepsNames)
	}
	columns := []string{fmt.Sprintf("toDateTime(%d, 'UTC') AS TimeReceived", of.from)}
	group := []string{"f.Level"}
	for _, name := range r.key[1:] {
		if name == foldedColumn {
			folded := fmt.Sprintf("f.Level > %d", keepsAll)
			if source != s.Table.Name {
				folded = fmt.Sprintf("f.%s OR %s", foldedColumn, folded)
			}
			columns, group = append(columns, "toUInt8("+folded+") AS "+name), append(group, folded)
			continue
		}
		f := s.Table.Field(name)
		none := zero(f)
		if name == "SamplingRate" {
			none = "1" // the sums are scaled
		}
		keep := func(expr, none string) string {
			return fmt.Sprintf("if(f.Level <= %d, %s, %s)", level(f), expr, none)
		}
		expr, by := keep("f."+name, none), keep("f."+name, none)
		if f.Kind == column.IP {
			expr, by = "any("+expr+")", keep("cityHash64(f."+name+")", "0")
		}
		columns, group = append(columns, expr+" AS "+name), append(group, by)
	}
	from := []string{"*"}
	for _, name := range r.sums {
		expr := saturated("f." + name)
		switch scaled := "Scaled" + name; {
		case name == flowsColumn:
			expr = count
		case slices.Contains(r.key, "SamplingRate") && s.Table.Field(scaled) != nil:
			expr = fmt.Sprintf("toUInt64(least(sum(if(f.Level <= %d, toUInt128(f.%s), f.%s)), %s))", keepsOrigin, name, scaled, maxSum)
			from = append(from, scaled)
		}
		columns = append(columns, expr+" AS "+name)
	}
	return fmt.Sprintf("INSERT INTO %s (%s)\nSELECT\n    %s\nFROM (SELECT %s, %s AS Level FROM %s AS f WHERE %s) AS f\nGROUP BY\n    %s",
		into, strings.Join(r.stored(), ", "), strings.Join(columns, ",\n    "), strings.Join(from, ", "), levels, source, when, strings.Join(group, ",\n    "))
}

package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// mend rebuilds the hours for which the table and the rollup have different rows, the newest first, and sums
// one that is older than the rollup. It reports whether there may be more.
func (u *rollup) mend(ctx context.Context, rows map[int64]uint64) (more bool, err error) {
	suspects, older, err := u.suspects(ctx, rows)
	if err != nil {
		return false, err
	}
	right, wrong := maps.Clone(rows), []int64(nil)
	u.waiting = map[int64]bool{}
	for _, hour := range suspects {
		if len(wrong) == mendHours || u.source.lacks(hour, min(hour+rollHour, u.state.to)) {
			u.waiting[hour] = true
			delete(right, hour)
		} else {
			wrong = append(wrong, hour)
		}
	}
	more = len(wrong) == mendHours
	u.roller.right[u.index] = nil
	if len(wrong) > 0 {
		slices.Sort(wrong)
		steps, err := u.steps(ctx, wrong)
		if err == nil {
			err = u.remake(ctx, steps)
		}
		if err != nil {
			return false, err
		}
	}
	u.roller.right[u.index] = right
	if len(older) == 0 || u.source.lacks(older[0], older[0]+rollHour) {
		return more, nil
	}
	// Queries do not use sums from before the start, so these need no exchange.
	if err := u.add(ctx, u.name, []timeRange{{older[0], older[0] + rollHour}}); err != nil {
		return false, err
	}
	u.roller.Stats.Remade.Add(1)
	u.state.from = older[0]
	return more || len(older) > 1, u.note(ctx)
}

// lacks reports that the rollup's sums of an hour until a time are wrong.
func (u *rollup) lacks(hour, until int64) bool {
	return hour < u.state.from || until > u.state.to || u.waiting[hour]
}

// suspects returns the hours whose sums are of other rows than the table has, and those older than the
// rollup, both with the newest first.
func (u *rollup) suspects(ctx context.Context, rows map[int64]uint64) (wrong, older []int64, err error) {
	if len(rows) == 0 {
		return nil, nil, nil
	}
	u.roller.oldest = max(u.roller.oldest, slices.Min(slices.Collect(maps.Keys(rows))))
	right, hours := u.roller.right[u.index], map[int64]bool{}
	for hour, n := range rows {
		switch {
		case hour >= u.state.to:
		case hour < u.state.from:
			older = append(older, hour)
		case right[hour] != n:
			hours[hour] = true
		}
	}
	for hour := range right {
		if _, ok := rows[hour]; !ok && hour >= u.state.from && hour < u.state.to {
			hours[hour] = true
		}
	}
	newest := func(a, b int64) int { return cmp.Compare(b, a) }
	slices.SortFunc(older, newest)
	if right != nil && len(hours) == 0 {
		return nil, older, nil
	}
	of := timeRange{u.state.from, u.state.to}
	if right != nil { // otherwise everything in the rollup is checked
		list := slices.Collect(maps.Keys(hours))
		of = timeRange{slices.Min(list), min(slices.Max(list)+rollHour, u.state.to)}
	}
	sums, err := u.count(ctx, "toStartOfHour(TimeReceived)", added, u.name, during("TimeReceived", []timeRange{of}))
	if err != nil {
		return nil, nil, err
	}
	if right == nil {
		for hour := range sums {
			hours[hour] = true
		}
	}
	for hour := range hours {
		n, has := rows[hour], sums[hour]
		// The oldest rows expire part by part; their sums stay. So do sums of rows that cannot be read; see
		// steps.
		if n != has && (n > has || hour >= u.roller.oldest+2*rollHour) && (n > has || !u.roller.held[hour] || right != nil && n > right[hour]) {
			wrong = append(wrong, hour)
		}
	}
	slices.SortFunc(wrong, newest)
	return wrong, older, nil
}

// steps returns the steps of some hours, in order, whose sums are of other rows than the table has.
func (u *rollup) steps(ctx context.Context, hours []int64) (list []timeRange, err error) {
	var of []timeRange
	for _, hour := range hours {
		of = append(of, timeRange{hour, min(hour+rollHour, u.state.to)})
	}
	if u.step >= rollHour {
		return of, nil
	}
	where := during("TimeReceived", of)
	step := fmt.Sprintf("intDiv(toUInt32(TimeReceived), %d) * %[1]d", u.step)
	rows, err := u.count(ctx, step, "count()", u.table.Table.Name, where)
	if err != nil {
		return nil, err
	}
	sums, err := u.count(ctx, step, added, u.name, where)
	if err != nil {
		return nil, err
	}
	for _, s := range of {
		for at := s.from; at < s.to; at += u.step {
			if rows[at] != sums[at] && (rows[at] > sums[at] || !u.roller.held[floor(at, rollHour)]) {
				list = append(list, timeRange{at, at + u.step})
			}
		}
	}
	return list, nil
}

const added = "sum(" + flowsColumn + ")" // rows that a rollup has counted

// count sums over the rows of a table that meet a condition, by their times.
func (u *rollup) count(ctx context.Context, by, sum, table, where string) (map[int64]uint64, error) {
	res, err := u.roller.Client.rows(ctx, fmt.Sprintf("SELECT toUInt32(%s) AS at, toUInt64(%s) AS n FROM %s WHERE %s GROUP BY at", by, sum, table, where))
	if err != nil {
		return nil, fmt.Errorf("rows of %s: %w", table, err)
	}
	out := make(map[int64]uint64, res.Rows)
	for i := range res.Rows {
		out[int64(res.Columns[0].([]uint32)[i])] = res.Columns[1].([]uint64)[i]
	}
	return out, nil
}

// clear removes sums after the rollup's end, or between the oldest row and its start: a process died before
// it had recorded them, or they lack a column.
func (u *rollup) clear(ctx context.Context) error {
	res, err := u.roller.Client.rows(ctx, "SELECT toUInt32(min(at)) FROM (SELECT toStartOfHour(TimeReceived) AS at, count() FROM "+u.table.Table.Name+" GROUP BY at)")
	if err != nil {
		return err
	}
	oldest := int64(res.Columns[0].([]uint32)[0])
	outside := []timeRange{{u.state.to, math.MaxUint32}}
	if oldest < u.state.from {
		outside = append(outside, timeRange{oldest, u.state.from})
	}
	if res, err = u.roller.Client.rows(ctx, "SELECT DISTINCT _partition_id FROM "+u.name+" WHERE "+during("TimeReceived", outside)); err != nil {
		return err
	}
	for i := range res.Rows {
		if err := u.exchange(ctx, res.Columns[0].([]string)[i], outside, false); err != nil {
			return err
		}
	}
	return nil
}

// hold finds the hours with rows that cannot be read or were detached: fewer rows than sums do not mean there
// that rows were deleted on purpose.
func (r *Roller) hold(ctx context.Context, table string) error {
	r.held = map[int64]bool{}
	for _, part := range r.Client.Parts.Of(table, 0, math.MaxInt64) {
		for hour := floor(part.From, rollHour); hour <= part.To; hour += rollHour {
			r.held[hour] = true
		}
	}
	detached, err := DetachedParts(ctx, r.Client)
	if err != nil {
		return err
	}
	for _, d := range detached {
		if hour, err := strconv.ParseInt(d.Partition, 10, 64); err == nil && d.Table == table && hour%rollHour == 0 {
			r.held[hour] = true
		}
	}
	return nil
}

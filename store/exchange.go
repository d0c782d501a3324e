package store

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"strings"
	"time"
)

// remake replaces the sums of some steps by the current ones, in their order.
func (u *rollup) remake(ctx context.Context, steps []timeRange) error {
	for len(steps) > 0 {
		id, n := u.partition(steps[0].from), 0
		var of []timeRange // with neighbours merged
		for ; n < len(steps) && u.partition(steps[n].from) == id; n++ {
			if n > 0 && of[len(of)-1].to == steps[n].from {
				of[len(of)-1].to = steps[n].to
			} else {
				of = append(of, steps[n])
			}
		}
		if err := u.exchange(ctx, id, of, true); err != nil {
			return err
		}
		u.roller.Stats.Remade.Add(uint64(n))
		steps = steps[n:]
	}
	return nil
}

// exchange rebuilds a partition in a table next to the rollup, with copies of all others, and exchanges the
// tables. The sums of some times are left out, or replaced by the current ones. (REPLACE PARTITION would be
// simpler, but the replaced parts stay on disk for minutes, and an engine that is killed counts them again.)
func (u *rollup) exchange(ctx context.Context, id string, of []timeRange, sums bool) error {
	aside, columns := fmt.Sprintf("%s_new_%08x", u.name, crc32.ChecksumIEEE([]byte(u.roller.Owner))), strings.Join(u.own.stored(), ", ")
	others, err := u.roller.Client.rows(ctx, "SELECT DISTINCT _partition_id FROM "+u.name+" WHERE _partition_id != '"+id+"'")
	if err != nil {
		return err
	}
	l := u.table.Layout
	steps := []string{
		l.Drop(aside),
		l.createAs(aside, u.name),
		fmt.Sprintf("INSERT INTO %s (%s) SELECT %[2]s FROM %s WHERE _partition_id = '%s' AND NOT (%s)", aside, columns, u.name, id, during("TimeReceived", of)),
	}
	for i := range others.Rows {
		steps = append(steps, l.Alter(aside)+" ATTACH PARTITION ID '"+others.Columns[0].([]string)[i]+"' FROM "+u.name)
	}
	for _, sql := range steps {
		if err := u.do(ctx, sql); err != nil {
			return err
		}
	}
	if sums {
		if err := u.add(ctx, aside, of); err != nil {
			return err
		}
	}
	now, err := columnsOf(ctx, u.roller.Client, u.name, aside)
	if err == nil && !slices.Equal(now[u.name], now[aside]) {
		err = fmt.Errorf("rollup %s: its table has changed meanwhile; retrying", u.name)
	}
	if err == nil {
		err = u.check(ctx)
	}
	if err != nil {
		return err
	}
	leave, err := u.leave(ctx, aside, id)
	if err != nil {
		return err
	}
	next, err := tableID(ctx, u.roller.Client, aside)
	if err != nil {
		return err
	}
	if err := u.noteWith(ctx, next); err != nil {
		return err
	}
	if err := u.do(ctx, l.exchange(aside, u.name)); err != nil {
		return err
	}
	u.state.table, u.noted.table = next, next
	u.roller.Client.Parts.forget(u.name)
	if err := u.do(ctx, leave); err != nil {
		return err
	}
	return u.notePlain(ctx)
}

// leave returns the statement that removes the former table of the rollup. The table is kept under another
// name if it has sums that cannot be read or were detached, and that cannot be rebuilt because their rows no
// longer exist.
func (u *rollup) leave(ctx context.Context, aside, id string) (string, error) {
	detached, err := DetachedParts(ctx, u.roller.Client)
	if err != nil {
		return "", err
	}
	keep := slices.ContainsFunc(detached, func(d Detached) bool { return d.Table == u.name })
	for _, part := range u.roller.Client.Parts.Of(u.name, 0, math.MaxInt64) {
		keep = keep || part.Partition == id && part.From < u.roller.oldest
	}
	if !keep {
		return u.table.Layout.Drop(aside), nil
	}
	name := fmt.Sprintf("%s_unreadable_%d", u.name, u.roller.clock)
	u.roller.Log.Warn("unreadable sums are kept in a separate table", "rollup", u.name, "table", name)
	return u.table.Layout.rename(aside, name), nil
}

// tableID returns the UUID of a table.
func tableID(ctx context.Context, c *Client, table string) (string, error) {
	res, err := c.rows(ctx, "SELECT toString(uuid) FROM system.tables WHERE database = currentDatabase() AND name = "+quote(table))
	if err == nil && res.Rows != 1 {
		err = errors.New("no such table")
	}
	if err != nil {
		return "", fmt.Errorf("identity of %s: %w", table, err)
	}
	return res.Columns[0].([]string)[0], nil
}

// partition returns the ID of the partition of a time.
func (u *rollup) partition(at int64) string {
	if u.step >= rollHour {
		return time.Unix(at, 0).UTC().Format("200601")
	}
	return time.Unix(at, 0).UTC().Format("20060102")
}

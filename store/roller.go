package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"netmeta/native"
)

// Roller sums the rows of a table into its rollups. StateTable has the state of each rollup; see
// rollupstate.go.
//
// Rows may be late, from the spool or inserted by a user. So the rows of each hour are counted, which the
// engine does without reading them. If the rollup was made from a different number, its steps are summed
// again in a table next to it, which replaces it atomically: no query ever gets sums that are neither old nor
// new.

const (
	rollHour  = 3600 // seconds that are counted and rebuilt at a time
	leaseTime = 600  // seconds for which a collector keeps the rollups
	mendHours = 24   // hours rebuilt in one round; the next round continues
	maxStale  = 16   // ranges that Stale distinguishes; the last one includes those after it
)

// Roller updates the rollups of a table.
type Roller struct {
	Client *Client
	Schema func() Schema // with RollupDays; it may change
	Owner  string        // name of this collector, unchanged by restarts
	Log    *slog.Logger
	Floor  uint64 // sums that a step may always have, see fold.go; 0: 50,000

	folded map[string]stepSet // folded steps, by rollup
	lost   []string           // for each rollup: its unreadable parts when its sums were counted
	held   map[int64]bool     // hours with rows that cannot be read now: their sums stay

	states []uint64           // revisions of the rollups' states after the last round
	begun  bool               // sums after the rollups' ends were removed
	right  []map[int64]uint64 // for each rollup: rows of each hour when its sums were right
	oldest int64              // the latest value of the oldest hour of the table

	clock int64 // the store's time at the start of the round, seconds since 1970
	since time.Time

	latest atomic.Pointer[hourRows] // after the last round; nil: unknown, or another collector keeps the rollups

	Stats RollerStats
}

// hourRows are the numbers of rows that the sums of rollups were made from, by hour.
type hourRows struct {
	until []int64            // of each rollup
	rows  []map[int64]uint64 // of each rollup, up to its end
}

// RollerStats count the work of a Roller. They are safe for concurrent use.
type RollerStats struct {
	Remade atomic.Uint64 // steps and hours rebuilt because their rows had changed
	Folded atomic.Uint64 // steps folded because of too many different keys
	Errors atomic.Uint64
	Until  atomic.Int64 // the first rollup has every row from before then, seconds since 1970; 0: unknown, or another collector keeps it
}

// timeRange is the time from from until before to, in seconds since 1970.
type timeRange struct{ from, to int64 }

// during returns the condition that a column of times is in one of the ranges.
func during(column string, spans []timeRange) string {
	list := make([]string, len(spans))
	for i, s := range spans {
		list[i] = fmt.Sprintf("(%s >= toDateTime(%d, 'UTC') AND %[1]s < toDateTime(%[3]d, 'UTC'))", column, s.from, s.to)
	}
	return strings.Join(list, " OR ")
}

// rows runs a query of the writer.
func (c *Client) rows(ctx context.Context, sql string) (*native.Result, error) {
	res, _, err := c.Select(ctx, Query{SQL: sql})
	return res, err
}

func floor(t, step int64) int64 { return t - t%step }

// Roll updates the rollups. Normally no row received before settled, in seconds since 1970, is still on its
// way to the store. It reports whether there is more to do at once: a backlog is summed one hour at a time,
// so that the present is never delayed.
//
// A part that cannot be read is left out from then on: its rows do not exist for the rollup, and are summed
// when they can be read again.
func (r *Roller) Roll(ctx context.Context, settled int64) (more bool, err error) {
	for range maxParts {
		var met *partError
		if more, err = r.roll(ctx, settled); !errors.As(err, &met) {
			break
		}
	}
	return more, err
}

func (r *Roller) roll(ctx context.Context, settled int64) (more bool, err error) {
	defer func() {
		if err != nil {
			r.begun = false // the effect of the last statement is unknown
			r.Stats.Errors.Add(1)
		}
	}()
	s := r.Schema()
	rollups, err := r.rollups(ctx, s, settled)
	if err != nil {
		return false, err
	}
	if !slices.Equal(r.states, revisions(rollups)) { // another process has changed one
		r.begun, r.right = false, nil
	}
	if ours, err := r.claim(ctx, rollups[0]); err != nil || !ours {
		r.begun, r.right = false, nil
		r.latest.Store(nil)
		r.Stats.Until.Store(0)
		return false, err
	}
	r.noteLost(rollups)
	if err := r.hold(ctx, s.Table.Name); err != nil {
		return false, err
	}
	if !r.begun {
		if err := r.readFolded(ctx, s); err != nil {
			return false, err
		}
		for _, u := range rollups {
			if err := u.clear(ctx); err != nil {
				return false, err
			}
		}
		r.begun = true
	}
	for _, u := range rollups {
		if err := u.advance(ctx); err != nil {
			return false, err
		}
	}
	rows, err := r.hours(ctx, s.Table.Name, rollups[0].state.to)
	if err != nil {
		return false, err
	}
	for _, u := range rollups {
		left, err := u.mend(ctx, rows)
		if err != nil {
			return false, err
		}
		more = more || left
	}
	now := &hourRows{rows: slices.Clone(r.right)}
	for _, u := range rollups {
		now.until = append(now.until, u.state.to)
	}
	r.latest.Store(now)
	r.states = revisions(rollups)
	r.Stats.Until.Store(rollups[0].state.to)
	return more, nil
}

// rollups returns the current rollups of the table.
func (r *Roller) rollups(ctx context.Context, s Schema, settled int64) ([]*rollup, error) {
	names := []string{s.Table.Name}
	for i := range s.rollups() {
		names = append(names, s.Table.Rollups[i].Name)
	}
	columns, err := columnsOf(ctx, r.Client, names...)
	if err != nil {
		return nil, err
	}
	states, err := readStates(ctx, r.Client, s.Layout, names[1:]...)
	if err != nil {
		return nil, err
	}
	table := &rollup{state: rollupState{timeRange: timeRange{0, settled}}}
	rollups := make([]*rollup, len(states))
	for i := range rollups {
		u := &rollup{roller: r, own: s.rollup(i, columns[s.Table.Name]), table: s, index: i, columns: columns[s.Table.Name], state: states[i], noted: states[i], source: table}
		u.name, u.step = u.own.Table.Name, s.Table.Rollups[i].Step
		for _, other := range rollups[:i] {
			if other.name == s.source(i) {
				u.source = other
			}
		}
		for _, name := range u.own.stored() {
			if !real(columns[u.name], name) {
				return nil, fmt.Errorf("rollup %s lacks the column %s: its table is being changed; retrying", u.name, name)
			}
		}
		if !u.state.holds {
			return nil, fmt.Errorf("rollup %s has no state: its table is being changed; retrying", u.name)
		}
		rollups[i] = u
	}
	return rollups, nil
}

// noteLost clears the right sums of a rollup if its unreadable parts have changed.
func (r *Roller) noteLost(rollups []*rollup) {
	if len(r.right) != len(rollups) {
		r.right, r.lost = make([]map[int64]uint64, len(rollups)), make([]string, len(rollups))
	}
	for i, u := range rollups {
		var lost []string
		for _, part := range r.Client.Parts.Of(u.name, 0, math.MaxInt64) {
			lost = append(lost, part.Name)
		}
		if now := strings.Join(lost, " "); now != r.lost[i] {
			r.right[i], r.lost[i] = nil, now
		}
	}
}

func revisions(rollups []*rollup) []uint64 {
	list := make([]uint64, len(rollups))
	for i, u := range rollups {
		list[i] = u.state.revision
	}
	return list
}

// Stale returns the times, from and until before, in seconds since 1970, for which a rollup lacks rows of the
// table because they were late: queries must not use the rollups for them. Rows from before the last round
// are never among them, nor times older than the rollups. Nil if another collector keeps the rollups. It is
// safe for concurrent use.
func (r *Roller) Stale(ctx context.Context) (times [][2]int64, err error) {
	c := r.latest.Load()
	if c == nil || len(c.until) == 0 {
		return nil, nil
	}
	rows, err := r.hours(ctx, r.Schema().Table.Name, c.until[0])
	if err != nil {
		return nil, err
	}
	for _, hour := range slices.Sorted(maps.Keys(rows)) {
		for i, until := range c.until {
			if hour >= until || rows[hour] <= c.rows[i][hour] {
				continue
			}
			if n := len(times); n > 0 && (times[n-1][1] == hour || n == maxStale) {
				times[n-1][1] = hour + rollHour
			} else {
				times = append(times, [2]int64{hour, hour + rollHour})
			}
			break
		}
	}
	return times, nil
}

// claim reports whether this collector keeps the rollups. A collector that finds another name than its own
// before it writes leaves them alone.
func (r *Roller) claim(ctx context.Context, first *rollup) (bool, error) {
	res, err := r.Client.rows(ctx, "SELECT toUInt32(now('UTC'))")
	if err != nil {
		return false, err
	}
	r.clock, r.since = int64(res.Columns[0].([]uint32)[0]), time.Now()
	switch ours := first.state.owner == r.Owner; {
	case ours && first.state.lease > r.clock+leaseTime/2:
		return true, nil
	case !ours && first.state.lease > r.clock:
		return false, nil
	case !ours:
		r.Log.Info("this collector now keeps the rollups", "name", r.Owner)
	}
	if err := first.note(ctx); err != nil {
		return false, err
	}
	return true, first.check(ctx)
}

// rollup is one of a table's rollups while it is updated.
type rollup struct {
	roller  *Roller
	own     Schema   // of the rollup's table
	table   Schema   // of the table whose rows it sums
	index   int      // in table.Table.Rollups
	columns []Column // of that table
	name    string
	step    int64

	state   rollupState
	noted   rollupState    // as in StateTable
	source  *rollup        // what it sums; of the table itself only the time until which its rows are complete
	waiting map[int64]bool // wrong hours that a later round will rebuild
	plain   []int64        // steps whose new sums are not folded
}

// quietly are the settings of a summing statement. It uses one core, whatever the backlog. Rebuilt sums may
// equal some that the table remembers, and must be inserted nevertheless.
var quietly = map[string]string{"max_threads": "1", "insert_deduplicate": "0"}

func (u *rollup) do(ctx context.Context, sql string) error {
	if err := u.roller.Client.change(ctx, Query{SQL: sql, Settings: quietly}); err != nil {
		return fmt.Errorf("rollup %s: %w", u.name, err)
	}
	return nil
}

// add writes the sums of a time into a table. Columns that became real meanwhile may be missing.
func (u *rollup) add(ctx context.Context, into string, of []timeRange) error {
	for _, part := range u.shares(of) {
		if err := u.sums(ctx, into, part.table, part.spans); err != nil {
			return err
		}
	}
	now, err := columnsOf(ctx, u.roller.Client, u.table.Table.Name)
	if err == nil && !slices.Equal(now[u.table.Table.Name], u.columns) {
		err = fmt.Errorf("rollup %s: table %s has changed meanwhile; retrying", u.name, u.table.Table.Name)
	}
	return err
}

// advance sums the completed steps.
func (u *rollup) advance(ctx context.Context) error {
	source := u.source.state
	limit := floor(source.to, u.step)
	for u.state.to < limit && source.from <= u.state.to {
		hour := floor(u.state.to, rollHour)
		if limit-u.state.to > rollHour { // skips nights without traffic
			res, err := u.roller.Client.rows(ctx, fmt.Sprintf("SELECT toUInt32(min(at)) FROM (SELECT toStartOfHour(TimeReceived) AS at, count() FROM %s WHERE at >= toDateTime(%d, 'UTC') GROUP BY at)", u.table.source(u.index), hour))
			if err != nil {
				return err
			}
			if hour = int64(res.Columns[0].([]uint32)[0]); hour == 0 || hour > limit {
				hour = limit
			}
			u.state.to = max(u.state.to, hour)
		}
		if to := min(limit, hour+rollHour); to > u.state.to {
			if err := u.add(ctx, u.name, []timeRange{{u.state.to, to}}); err != nil {
				return err
			}
			u.state.to = to
		}
		if err := u.note(ctx); err != nil {
			return err
		}
	}
	return nil
}

// note records what the rollup has, and that this collector keeps it.
func (u *rollup) note(ctx context.Context) error { return u.noteWith(ctx, "") }

// noteWith does that, and says that the table with the UUID next has the same.
func (u *rollup) noteWith(ctx context.Context, next string) error {
	now, err := readStates(ctx, u.roller.Client, u.table.Layout, u.name)
	if err != nil {
		return err
	}
	if now[0] != u.noted {
		return fmt.Errorf("rollup %s: another process has changed its state", u.name)
	}
	if u.index == 0 {
		u.state.owner, u.state.lease = u.roller.Owner, u.roller.clock+int64(time.Since(u.roller.since).Seconds())+leaseTime
	}
	if err := u.state.write(ctx, u.roller.Client, u.table.Layout, u.name, next); err != nil {
		return err
	}
	u.noted = u.state
	return nil
}

// check fails if another collector now keeps the rollups.
func (u *rollup) check(ctx context.Context) error {
	first, err := readStates(ctx, u.roller.Client, u.table.Layout, u.table.Table.Rollups[0].Name)
	if err == nil && first[0].owner != u.roller.Owner {
		err = fmt.Errorf("rollup %s: %s keeps it now", u.name, first[0].owner)
	}
	return err
}

// hours counts the rows of a table by hour, and in the last hour those before the end of the first rollup.
// The engine knows the number of rows of a part, so only the newest are read.
func (r *Roller) hours(ctx context.Context, table string, until int64) (map[int64]uint64, error) {
	last := floor(until, rollHour)
	open := timeRange{until, last + rollHour}
	res, err := r.Client.rows(ctx, fmt.Sprintf("SELECT toUInt32(at), toUInt64(n), toUInt64(assumeNotNull((SELECT count() FROM %s WHERE %s))) FROM (SELECT toStartOfHour(TimeReceived) AS at, count() AS n FROM %[1]s WHERE toStartOfHour(TimeReceived) <= toDateTime(%[3]d, 'UTC') GROUP BY at)",
		table, during("TimeReceived", []timeRange{open}), last))
	if err != nil {
		return nil, fmt.Errorf("rows of %s: %w", table, err)
	}
	rows := make(map[int64]uint64, res.Rows)
	for i := range res.Rows {
		at, n, newer := int64(res.Columns[0].([]uint32)[i]), res.Columns[1].([]uint64)[i], res.Columns[2].([]uint64)[i]
		if at == last {
			n -= min(n, newer)
		}
		rows[at] = n
	}
	return rows, nil
}

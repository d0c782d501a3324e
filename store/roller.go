package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"netmeta/native"
)

// What a rollup has stands in the comment of its table:
//
//	complete from 1795000000 until 1795003660; kept by collector-1 until 1795003720
//
// The times are seconds since 1970. From the first until before the second it has the sums
// of every row; beyond that there may be sums that a process left behind when it died, and
// nobody may use them. The second time moves on as steps are added up. The first one moves
// back, hour by hour, to the oldest row of the table, when rows are older than the rollup.
// Of several collectors one keeps the rollups: whose name stands in the first one.
//
// Rows may come late, out of the spool or by a person's hand. So the rows of each hour are
// counted, which the engine does without reading them, and where the rollup has counted
// others its steps are added up anew in a table beside it, which takes its place, so that
// all change at once: at no time does a question get sums that are neither old nor new.

const (
	rollHour  = 3600 // seconds: what is counted, and made anew, at a time
	leaseTime = 600  // seconds that the rollups are kept by whoever said so last
	mendHours = 24   // hours that are made anew in one round: of more the rest comes in the next
	maxStale  = 16   // times that Stale tells apart; the last one takes in those behind it
)

// A Roller keeps the rollups of a table.
type Roller struct {
	Client *Client
	Schema func() Schema // with RollupDays; it may change
	Owner  string        // a name of this collector that outlives its process
	Log    *slog.Logger
	Floor  uint64 // sums that a step may always have, see fold.go; 0: 50,000

	folded map[string]stepSet // steps that are folded, by rollup
	lost   []string           // for each rollup: its parts that could not be read when its sums were counted
	held   map[int64]bool     // hours of which rows cannot be read now: their sums stay

	begun  bool               // what lies beyond the rollups' ends was taken away
	right  []map[int64]uint64 // for each rollup: how many rows each hour had when its sums were right
	oldest int64              // the latest that the oldest hour of the table has been

	clock int64 // of the store when the round began, seconds since 1970
	since time.Time

	counted atomic.Pointer[counted] // as of the last round; nil: not known, or another collector keeps the rollups

	Stats RollerStats
}

// A counted is what the sums of rollups are of: how many rows each hour had.
type counted struct {
	until []int64            // of each rollup
	rows  []map[int64]uint64 // of each rollup, up to its end
}

// RollerStats count what a Roller did. They are safe for concurrent use.
type RollerStats struct {
	Remade atomic.Uint64 // steps and hours that were added up anew, since their rows were others
	Folded atomic.Uint64 // steps that had too many different keys and were folded
	Errors atomic.Uint64
	Until  atomic.Int64 // the first rollup has every row from before then, seconds since 1970; 0: not known, or another collector keeps it
}

// A span is a time from, and to before, seconds since 1970.
type span struct{ from, to int64 }

// during is the condition that a column of times is in one of the spans.
func during(column string, spans []span) string {
	list := make([]string, len(spans))
	for i, s := range spans {
		list[i] = fmt.Sprintf("(%s >= toDateTime(%d, 'UTC') AND %[1]s < toDateTime(%[3]d, 'UTC'))", column, s.from, s.to)
	}
	return strings.Join(list, " OR ")
}

// A rolled is what a rollup has.
type rolled struct {
	span
	known bool // else a view of an earlier version feeds it, or nothing was said
	owner string
	lease int64
}

func (r rolled) comment() string {
	text := fmt.Sprintf("complete from %d until %d", r.from, r.to)
	if r.owner != "" {
		text += fmt.Sprintf("; kept by %s until %d", r.owner, r.lease)
	}
	return text
}

var rolledComment = regexp.MustCompile(`^complete from (\d+)(?: until (\d+)(?:; kept by (.*) until (\d+))?)?$`)

// readRolled reads the comments of rollups.
func readRolled(ctx context.Context, c *Client, rollups ...string) ([]rolled, error) {
	res, err := c.rows(ctx, "SELECT name, comment FROM system.tables WHERE database = currentDatabase() AND name IN ("+quoted(rollups)+")")
	if err != nil {
		return nil, fmt.Errorf("comments of rollups: %w", err)
	}
	list := make([]rolled, len(rollups))
	for row := range res.Rows {
		i := slices.Index(rollups, res.Columns[0].([]string)[row])
		m := rolledComment.FindStringSubmatch(res.Columns[1].([]string)[row])
		if m == nil {
			list[i].from = -1
			continue
		}
		r := rolled{known: m[2] != "", owner: m[3]}
		r.from, _ = strconv.ParseInt(m[1], 10, 64)
		r.to, _ = strconv.ParseInt(m[2], 10, 64)
		r.lease, _ = strconv.ParseInt(m[4], 10, 64)
		list[i] = r
	}
	return list, nil
}

// rows runs a question that the writer has for itself.
func (c *Client) rows(ctx context.Context, sql string) (*native.Result, error) {
	res, _, err := c.Select(ctx, Query{SQL: sql})
	return res, err
}

func writeRolled(ctx context.Context, c *Client, rollup string, r rolled) error {
	if err := c.change(ctx, Query{SQL: "ALTER TABLE " + rollup + " MODIFY COMMENT " + quote(r.comment())}); err != nil {
		return fmt.Errorf("comment of %s: %w", rollup, err)
	}
	return nil
}

// beginRollups notes what new rollups have, and those of versions that fed them by views.
func beginRollups(ctx context.Context, c *Client, s Schema) error {
	for i := range s.rollups() {
		name := s.Table.Rollups[i].Name
		list, err := readRolled(ctx, c, name)
		if err != nil {
			return err
		}
		has := list[0]
		if has.known {
			continue
		}
		res, err := c.rows(ctx, "SELECT toUInt32(now('UTC')), toUInt64(count()) FROM "+s.Table.Name)
		if err != nil {
			return fmt.Errorf("rows of %s: %w", s.Table.Name, err)
		}
		hour := floor(int64(res.Columns[0].([]uint32)[0]), rollHour)
		switch {
		case has.from >= 0: // a view fed it until now
			has.to = hour
		case res.Columns[1].([]uint64)[0] > 0:
			has.span = span{hour, hour}
		default:
			has.span = span{}
		}
		if err := writeRolled(ctx, c, name, has); err != nil {
			return err
		}
	}
	return nil
}

func floor(t, step int64) int64 { return t - t%step }

// Roll brings the rollups up to date: no row received before settled, seconds since 1970,
// is on its way to the store as a rule. It says whether there is more to be done at once:
// of a time long past an hour is made at a time, so that the present is never behind.
//
// A part that cannot be read is left out from then on: what it has is as if it were not
// there, and is added up when it can be read again.
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
			r.begun = false // nobody knows what the last statement did
			r.Stats.Errors.Add(1)
		}
	}()
	s := r.Schema()
	names := []string{s.Table.Name}
	for i := range s.rollups() {
		names = append(names, s.Table.Rollups[i].Name)
	}
	columns, err := columnsOf(ctx, r.Client, names...)
	if err != nil {
		return false, err
	}
	states, err := readRolled(ctx, r.Client, names[1:]...)
	if err != nil {
		return false, err
	}
	table := &rollup{has: rolled{span: span{0, settled}}}
	rollups := make([]*rollup, len(states))
	for i := range rollups {
		u := &rollup{Roller: r, s: s, i: i, Schema: s.rollup(i, columns[s.Table.Name]), flows: columns[s.Table.Name], has: states[i], had: states[i], of: table}
		u.name, u.step = u.Table.Name, s.Table.Rollups[i].Step
		for _, other := range rollups[:i] {
			if other.name == s.source(i) {
				u.of = other
			}
		}
		for _, name := range u.stored() {
			if !real(columns[u.name], name) {
				return false, fmt.Errorf("rollup %s lacks the column %s: its table is being changed", u.name, name)
			}
		}
		if !u.has.known {
			return false, fmt.Errorf("rollup %s does not say what it has: its table is being changed", u.name)
		}
		rollups[i] = u
	}
	if ours, err := r.claim(ctx, rollups[0]); err != nil || !ours {
		r.begun, r.right = false, nil
		r.counted.Store(nil)
		r.Stats.Until.Store(0)
		return false, err
	}
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
	rows, err := r.hours(ctx, s.Table.Name, rollups[0].has.to)
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
	now := &counted{rows: slices.Clone(r.right)}
	for _, u := range rollups {
		now.until = append(now.until, u.has.to)
	}
	r.counted.Store(now)
	r.Stats.Until.Store(rollups[0].has.to)
	return more, nil
}

// Stale are the times, from and to before, seconds since 1970, of which the table has rows
// that a rollup lacks, since they came after it was added up: for them the rollups are not
// to be asked. Rows that came before the last round are never among them, and of a time
// that is older than the rollups nothing is said. Nil when another collector keeps the
// rollups. It is safe for concurrent use.
func (r *Roller) Stale(ctx context.Context) (times [][2]int64, err error) {
	c := r.counted.Load()
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

// claim says whether this collector keeps the rollups. Whoever finds another name than its
// own, when it is about to write, leaves them alone.
func (r *Roller) claim(ctx context.Context, first *rollup) (bool, error) {
	res, err := r.Client.rows(ctx, "SELECT toUInt32(now('UTC'))")
	if err != nil {
		return false, err
	}
	r.clock, r.since = int64(res.Columns[0].([]uint32)[0]), time.Now()
	switch ours := first.has.owner == r.Owner; {
	case ours && first.has.lease > r.clock+leaseTime/2:
		return true, nil
	case !ours && first.has.lease > r.clock:
		return false, nil
	case !ours:
		r.Log.Info("this collector keeps the rollups from now on", "name", r.Owner)
	}
	if err := first.note(ctx); err != nil {
		return false, err
	}
	return true, first.check(ctx)
}

// A rollup is one of a table's while it is brought up to date.
type rollup struct {
	*Roller
	Schema          // of the rollup
	s      Schema   // of the table
	i      int      // which one
	flows  []Column // of the table
	name   string
	step   int64
	has    rolled
	had    rolled         // as its table says
	of     *rollup        // what it adds up; of the table itself nothing is known but when it has rows
	waits  map[int64]bool // hours that are wrong and will be made anew in a later round
	plain  []int64        // steps whose new sums are not folded
}

// quietly are the settings of a statement that adds up. It takes one core, whatever there
// is to do. Sums that are made anew are equal to others that the table may remember, and
// must go in all the same.
var quietly = map[string]string{"max_threads": "1", "insert_deduplicate": "0"}

func (u *rollup) do(ctx context.Context, sql string) error {
	if err := u.Client.change(ctx, Query{SQL: sql, Settings: quietly}); err != nil {
		return fmt.Errorf("rollup %s: %w", u.name, err)
	}
	return nil
}

// add puts the sums of a time into a table. Columns that became real meanwhile may be
// missing in them.
func (u *rollup) add(ctx context.Context, into string, of []span) error {
	for _, part := range u.shares(of) {
		if err := u.sums(ctx, into, part.table, part.spans); err != nil {
			return err
		}
	}
	now, err := columnsOf(ctx, u.Client, u.s.Table.Name)
	if err == nil && !slices.Equal(now[u.s.Table.Name], u.flows) {
		err = fmt.Errorf("rollup %s: table %s was changed meanwhile: it is added up again", u.name, u.s.Table.Name)
	}
	return err
}

// advance adds up the steps that are over.
func (u *rollup) advance(ctx context.Context) error {
	source := u.of.has
	limit := floor(source.to, u.step)
	for u.has.to < limit && source.from <= u.has.to {
		hour := floor(u.has.to, rollHour)
		if limit-u.has.to > rollHour { // nights without traffic are jumped over
			res, err := u.Client.rows(ctx, fmt.Sprintf("SELECT toUInt32(min(at)) FROM (SELECT toStartOfHour(TimeReceived) AS at, count() FROM %s WHERE at >= toDateTime(%d, 'UTC') GROUP BY at)", u.s.source(u.i), hour))
			if err != nil {
				return err
			}
			if hour = int64(res.Columns[0].([]uint32)[0]); hour == 0 || hour > limit {
				hour = limit
			}
			u.has.to = max(u.has.to, hour)
		}
		if to := min(limit, hour+rollHour); to > u.has.to {
			if err := u.add(ctx, u.name, []span{{u.has.to, to}}); err != nil {
				return err
			}
			u.has.to = to
		}
		if err := u.note(ctx); err != nil {
			return err
		}
	}
	return nil
}

// note writes down what the rollup has, and that it is kept on.
func (u *rollup) note(ctx context.Context) error {
	now, err := readRolled(ctx, u.Client, u.name)
	if err != nil {
		return err
	}
	if now[0] != u.had {
		return fmt.Errorf("rollup %s: somebody else has changed what it says of itself", u.name)
	}
	if u.i == 0 {
		u.has.owner, u.has.lease = u.Owner, u.clock+int64(time.Since(u.since).Seconds())+leaseTime
	}
	if err := writeRolled(ctx, u.Client, u.name, u.has); err != nil {
		return err
	}
	u.had = u.has
	return nil
}

// check fails when another collector has come to keep the rollups.
func (u *rollup) check(ctx context.Context) error {
	first, err := readRolled(ctx, u.Client, u.s.Table.Rollups[0].Name)
	if err == nil && first[0].owner != u.Owner {
		err = fmt.Errorf("rollup %s: %s keeps it now", u.name, first[0].owner)
	}
	return err
}

// hours counts the rows that a table has of each hour, and of the last one those from
// before the end of the first rollup: the engine knows how many a part has, so only the
// newest are read.
func (r *Roller) hours(ctx context.Context, table string, until int64) (map[int64]uint64, error) {
	last := floor(until, rollHour)
	open := span{until, last + rollHour}
	res, err := r.Client.rows(ctx, fmt.Sprintf("SELECT toUInt32(at), toUInt64(n), toUInt64(assumeNotNull((SELECT count() FROM %s WHERE %s))) FROM (SELECT toStartOfHour(TimeReceived) AS at, count() AS n FROM %[1]s WHERE toStartOfHour(TimeReceived) <= toDateTime(%[3]d, 'UTC') GROUP BY at)",
		table, during("TimeReceived", []span{open}), last))
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

// mend makes the hours anew of which the table has other rows than the rollup, the newest
// first, and adds up one that is older than the rollup. It says whether there may be more.
func (u *rollup) mend(ctx context.Context, rows map[int64]uint64) (more bool, err error) {
	suspects, older, err := u.suspects(ctx, rows)
	if err != nil {
		return false, err
	}
	right, wrong := maps.Clone(rows), []int64(nil)
	u.waits = map[int64]bool{}
	for _, hour := range suspects {
		if len(wrong) == mendHours || u.of.lacks(hour, min(hour+rollHour, u.has.to)) {
			u.waits[hour] = true
			delete(right, hour)
		} else {
			wrong = append(wrong, hour)
		}
	}
	more = len(wrong) == mendHours
	u.right[u.i] = nil
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
	u.right[u.i] = right
	if len(older) == 0 || u.of.lacks(older[0], older[0]+rollHour) {
		return more, nil
	}
	// Nobody asks for the sums of before the beginning: they need no exchange.
	if err := u.add(ctx, u.name, []span{{older[0], older[0] + rollHour}}); err != nil {
		return false, err
	}
	u.Stats.Remade.Add(1)
	u.has.from = older[0]
	return more || len(older) > 1, u.note(ctx)
}

// lacks says that the rollup has not the right sums of an hour until a time.
func (u *rollup) lacks(hour, until int64) bool {
	return hour < u.has.from || until > u.has.to || u.waits[hour]
}

// suspects are the hours whose sums are of other rows than the table has, and those that
// are older than the rollup, both with the newest first.
func (u *rollup) suspects(ctx context.Context, rows map[int64]uint64) (wrong, older []int64, err error) {
	if len(rows) == 0 {
		return nil, nil, nil
	}
	u.oldest = max(u.oldest, slices.Min(slices.Collect(maps.Keys(rows))))
	right, hours := u.right[u.i], map[int64]bool{}
	for hour, n := range rows {
		switch {
		case hour >= u.has.to:
		case hour < u.has.from:
			older = append(older, hour)
		case right[hour] != n:
			hours[hour] = true
		}
	}
	for hour := range right {
		if _, ok := rows[hour]; !ok && hour >= u.has.from && hour < u.has.to {
			hours[hour] = true
		}
	}
	newest := func(a, b int64) int { return cmp.Compare(b, a) }
	slices.SortFunc(older, newest)
	if right != nil && len(hours) == 0 {
		return nil, older, nil
	}
	of := span{u.has.from, u.has.to}
	if right != nil { // else whatever the rollup has is looked at
		list := slices.Collect(maps.Keys(hours))
		of = span{slices.Min(list), min(slices.Max(list)+rollHour, u.has.to)}
	}
	sums, err := u.count(ctx, "toStartOfHour(TimeReceived)", added, u.name, during("TimeReceived", []span{of}))
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
		// The oldest rows go by their age, part by part; their sums stay. Of rows that
		// cannot be read they stay too, see steps.
		if n != has && (n > has || hour >= u.oldest+2*rollHour) && (n > has || !u.held[hour] || right != nil && n > right[hour]) {
			wrong = append(wrong, hour)
		}
	}
	slices.SortFunc(wrong, newest)
	return wrong, older, nil
}

// steps are those of some hours, in order, whose sums are of other rows than the table has.
func (u *rollup) steps(ctx context.Context, hours []int64) (list []span, err error) {
	var of []span
	for _, hour := range hours {
		of = append(of, span{hour, min(hour+rollHour, u.has.to)})
	}
	if u.step >= rollHour {
		return of, nil
	}
	where := during("TimeReceived", of)
	step := fmt.Sprintf("intDiv(toUInt32(TimeReceived), %d) * %[1]d", u.step)
	rows, err := u.count(ctx, step, "count()", u.s.Table.Name, where)
	if err != nil {
		return nil, err
	}
	sums, err := u.count(ctx, step, added, u.name, where)
	if err != nil {
		return nil, err
	}
	for _, s := range of {
		for at := s.from; at < s.to; at += u.step {
			if rows[at] != sums[at] && (rows[at] > sums[at] || !u.held[floor(at, rollHour)]) {
				list = append(list, span{at, at + u.step})
			}
		}
	}
	return list, nil
}

const added = "sum(" + flowsColumn + ")" // rows that a rollup has counted

// count sums over the rows of a table that meet a condition, by their times.
func (u *rollup) count(ctx context.Context, by, sum, table, where string) (map[int64]uint64, error) {
	res, err := u.Client.rows(ctx, fmt.Sprintf("SELECT toUInt32(%s) AS at, toUInt64(%s) AS n FROM %s WHERE %s GROUP BY at", by, sum, table, where))
	if err != nil {
		return nil, fmt.Errorf("rows of %s: %w", table, err)
	}
	out := make(map[int64]uint64, res.Rows)
	for i := range res.Rows {
		out[int64(res.Columns[0].([]uint32)[i])] = res.Columns[1].([]uint64)[i]
	}
	return out, nil
}

// clear takes away what lies beyond the rollup's end, or between the oldest row and its
// beginning: a process died before it had noted that it was there, or it lacks a column.
func (u *rollup) clear(ctx context.Context) error {
	res, err := u.Client.rows(ctx, "SELECT toUInt32(min(at)) FROM (SELECT toStartOfHour(TimeReceived) AS at, count() FROM "+u.s.Table.Name+" GROUP BY at)")
	if err != nil {
		return err
	}
	oldest := int64(res.Columns[0].([]uint32)[0])
	outside := []span{{u.has.to, math.MaxUint32}}
	if oldest < u.has.from {
		outside = append(outside, span{oldest, u.has.from})
	}
	if res, err = u.Client.rows(ctx, "SELECT DISTINCT _partition_id FROM "+u.name+" WHERE "+during("TimeReceived", outside)); err != nil {
		return err
	}
	for i := range res.Rows {
		if err := u.exchange(ctx, res.Columns[0].([]string)[i], outside, false); err != nil {
			return err
		}
	}
	return nil
}

// remake puts the sums of now in the place of those of some steps, in their order.
func (u *rollup) remake(ctx context.Context, steps []span) error {
	for len(steps) > 0 {
		id, n := u.partition(steps[0].from), 0
		var of []span // neighbours joined
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
		u.Stats.Remade.Add(uint64(n))
		steps = steps[n:]
	}
	return nil
}

// exchange makes a partition anew in a table beside the rollup, with all others as they are,
// and exchanges the tables: without the sums of some times, or with what they are now.
// (REPLACE PARTITION would do, but for minutes the parts that it replaced are on the disk,
// and an engine that is killed then counts them again.)
func (u *rollup) exchange(ctx context.Context, id string, of []span, sums bool) error {
	aside, columns := fmt.Sprintf("%s_new_%08x", u.name, crc32.ChecksumIEEE([]byte(u.Owner))), strings.Join(u.stored(), ", ")
	others, err := u.Client.rows(ctx, "SELECT DISTINCT _partition_id FROM "+u.name+" WHERE _partition_id != '"+id+"'")
	if err != nil {
		return err
	}
	steps := []string{
		"DROP TABLE IF EXISTS " + aside + " SYNC",
		"CREATE TABLE " + aside + " AS " + u.name,
		"ALTER TABLE " + aside + " MODIFY COMMENT " + quote(u.had.comment()),
		fmt.Sprintf("INSERT INTO %s (%s) SELECT %[2]s FROM %s WHERE _partition_id = '%s' AND NOT (%s)", aside, columns, u.name, id, during("TimeReceived", of)),
	}
	for i := range others.Rows {
		steps = append(steps, "ALTER TABLE "+aside+" ATTACH PARTITION ID '"+others.Columns[0].([]string)[i]+"' FROM "+u.name)
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
	now, err := columnsOf(ctx, u.Client, u.name, aside)
	if err == nil && !slices.Equal(now[u.name], now[aside]) {
		err = fmt.Errorf("rollup %s: its table was changed meanwhile: it is mended again", u.name)
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
	if err := u.do(ctx, "EXCHANGE TABLES "+aside+" AND "+u.name); err != nil {
		return err
	}
	u.Client.Parts.forget(u.name)
	if err := u.do(ctx, leave); err != nil {
		return err
	}
	return u.notePlain(ctx)
}

// leave is the statement that takes the table away which was the rollup until now. It
// stays under another name when it has sums that cannot be read, or were put aside, and
// cannot be made again since their rows are gone.
func (u *rollup) leave(ctx context.Context, aside, id string) (string, error) {
	detached, err := DetachedParts(ctx, u.Client)
	if err != nil {
		return "", err
	}
	keep := slices.ContainsFunc(detached, func(d Detached) bool { return d.Table == u.name })
	for _, part := range u.Client.Parts.Of(u.name, 0, math.MaxInt64) {
		keep = keep || part.Partition == id && part.From < u.oldest
	}
	if !keep {
		return "DROP TABLE " + aside + " SYNC", nil
	}
	name := fmt.Sprintf("%s_unreadable_%d", u.name, u.clock)
	u.Log.Warn("sums that cannot be read are kept in a table of their own", "rollup", u.name, "table", name)
	return "RENAME TABLE " + aside + " TO " + name, nil
}

// hold finds the hours of which rows cannot be read, or were put aside: fewer rows than
// there are sums of do not mean there that somebody wanted them gone.
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

// partition is the id of the partition that has a time.
func (u *rollup) partition(at int64) string {
	if u.step >= rollHour {
		return time.Unix(at, 0).UTC().Format("200601")
	}
	return time.Unix(at, 0).UTC().Format("20060102")
}

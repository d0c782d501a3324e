package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
// others its steps are added up anew beside it and exchanged for those that were there,
// all at once: at no time does a question get sums that are neither old nor new.

const (
	rollHour  = 3600 // seconds: what is counted, and made anew, at a time
	leaseTime = 600  // seconds that the rollups are kept by whoever said so last
)

// A Roller keeps the rollups of a table.
type Roller struct {
	Client *Client
	Schema func() Schema // with RollupDays; it may change
	Owner  string        // a name of this collector that outlives its process
	Log    *slog.Logger

	begun bool               // what lies beyond the rollups' ends was taken away
	right []map[int64]uint64 // for each rollup: how many rows each hour had when its sums were right

	Stats RollerStats
}

// RollerStats count what a Roller did. They are safe for concurrent use.
type RollerStats struct {
	Remade atomic.Uint64 // steps and hours that were added up anew, since their rows were others
	Errors atomic.Uint64
	Until  atomic.Int64 // the first rollup has every row from before then, seconds since 1970; 0: not known yet
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

var rolledComment = regexp.MustCompile(`^complete from (\d+)(?: until (\d+))?(?:; kept by (.*) until (\d+))?$`)

// readRolled reads the comment of a rollup; false when it says nothing.
func readRolled(ctx context.Context, c *Client, rollup string) (r rolled, until, ok bool, err error) {
	res, err := c.rows(ctx, "SELECT comment FROM system.tables WHERE database = currentDatabase() AND name = "+quote(rollup))
	if err != nil || res.Rows == 0 {
		return r, false, false, err
	}
	m := rolledComment.FindStringSubmatch(res.Columns[0].([]string)[0])
	if m == nil {
		return r, false, false, nil
	}
	r.from, _ = strconv.ParseInt(m[1], 10, 64)
	r.to, _ = strconv.ParseInt(m[2], 10, 64)
	r.owner = m[3]
	r.lease, _ = strconv.ParseInt(m[4], 10, 64)
	return r, m[2] != "", true, nil
}

// rows runs a question that the writer has for itself.
func (c *Client) rows(ctx context.Context, sql string) (*native.Result, error) {
	res, _, err := c.Select(ctx, Query{SQL: sql})
	return res, err
}

func writeRolled(ctx context.Context, c *Client, rollup string, r rolled) error {
	if err := c.Exec(ctx, "ALTER TABLE "+rollup+" MODIFY COMMENT "+quote(r.comment())); err != nil {
		return fmt.Errorf("comment of %s: %w", rollup, err)
	}
	return nil
}

// beginRollups notes what new rollups have, and those of versions that fed them by views.
func beginRollups(ctx context.Context, c *Client, s Schema) error {
	for i := range s.RollupDays {
		name := s.Table.Rollups[i].Name
		has, until, ok, err := readRolled(ctx, c, name)
		if err != nil {
			return fmt.Errorf("comment of %s: %w", name, err)
		}
		if ok && until {
			continue
		}
		res, err := c.rows(ctx, "SELECT toUInt32(now('UTC')), toUInt64(count()) FROM "+s.Table.Name)
		if err != nil {
			return fmt.Errorf("rows of %s: %w", s.Table.Name, err)
		}
		now, rows := int64(res.Columns[0].([]uint32)[0]), res.Columns[1].([]uint64)[0]
		switch {
		case ok: // a view fed it until now
			has.to = floor(now, rollHour)
		case rows > 0:
			has.from, has.to = floor(now, rollHour), floor(now, rollHour)
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
func (r *Roller) Roll(ctx context.Context, settled int64) (more bool, err error) {
	defer func() {
		if err != nil {
			r.begun = false // nobody knows what the last statement did
			r.Stats.Errors.Add(1)
		}
	}()
	s := r.Schema()
	rollups := make([]*rollup, len(s.RollupDays))
	have, _, err := Describe(ctx, r.Client, s.Table.Name)
	if err != nil {
		return false, err
	}
	for i := range rollups {
		u := &rollup{Roller: r, s: s, i: i, Schema: s.rollup(i, have), flows: have}
		u.name, u.step = u.Table.Name, s.Table.Rollups[i].Step
		columns, _, err := Describe(ctx, r.Client, u.name)
		if err != nil {
			return false, err
		}
		for _, name := range u.stored() {
			if !real(columns, name) {
				return false, fmt.Errorf("rollup %s lacks the column %s: its table is being changed", u.name, name)
			}
		}
		var until, ok bool
		if u.has, until, ok, err = readRolled(ctx, r.Client, u.name); err != nil || !ok || !until {
			return false, errors.Join(err, fmt.Errorf("rollup %s does not say what it has: its table is being changed", u.name))
		}
		rollups[i] = u
	}
	if ours, err := r.claim(ctx, rollups[0]); err != nil || !ours {
		return false, err
	}
	if r.right == nil {
		r.right = make([]map[int64]uint64, len(rollups))
	}
	if !r.begun {
		for _, u := range rollups {
			if err := u.clear(ctx); err != nil {
				return false, err
			}
		}
		r.begun = true
	}
	source := rolled{span: span{0, settled}}
	for _, u := range rollups {
		if err := u.advance(ctx, source); err != nil {
			return false, err
		}
		older, err := u.mend(ctx, source)
		if err != nil {
			return false, err
		}
		more = more || older
		source = u.has
	}
	r.Stats.Until.Store(rollups[0].has.to)
	return more, nil
}

// claim says whether this collector keeps the rollups. Two that claim them in the same
// moment may both go on for a round; the sums that are then there twice are made anew.
func (r *Roller) claim(ctx context.Context, first *rollup) (bool, error) {
	res, err := r.Client.rows(ctx, "SELECT toUInt32(now('UTC'))")
	if err != nil {
		return false, err
	}
	now := int64(res.Columns[0].([]uint32)[0])
	ours := first.has.owner == r.Owner
	switch {
	case ours && first.has.lease > now+leaseTime/2:
		return true, nil
	case !ours && first.has.lease > now:
		r.begun = false
		return false, nil
	}
	first.has.owner, first.has.lease = r.Owner, now+leaseTime
	if err := first.note(ctx); err != nil || ours {
		return err == nil, err
	}
	r.Log.Info("this collector keeps the rollups from now on", "name", r.Owner)
	has, _, _, err := readRolled(ctx, r.Client, first.name)
	return has.owner == r.Owner, err
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
}

// quietly are the settings of a statement that adds up. It takes one core, whatever there
// is to do. Sums that are made anew are equal to others that the table may remember, and
// must go in all the same.
var quietly = map[string]string{"max_threads": "1", "insert_deduplicate": "0"}

func (u *rollup) do(ctx context.Context, sql string) error {
	if err := u.Client.Do(ctx, Query{SQL: sql, Settings: quietly}); err != nil {
		return fmt.Errorf("rollup %s: %w", u.name, err)
	}
	return nil
}

// add puts the sums of a time into a table. Columns that became real meanwhile may be
// missing in them.
func (u *rollup) add(ctx context.Context, into string, of []span) error {
	if err := u.do(ctx, u.s.addUp(u.Schema, u.i, into, of)); err != nil {
		return err
	}
	now, _, err := Describe(ctx, u.Client, u.s.Table.Name)
	if err == nil && !slices.Equal(now, u.flows) {
		err = fmt.Errorf("rollup %s: table %s was changed meanwhile: it is added up again", u.name, u.s.Table.Name)
	}
	return err
}

// advance adds up the steps that are over.
func (u *rollup) advance(ctx context.Context, source rolled) error {
	limit := floor(source.to, u.step)
	for u.has.to < limit && source.from <= u.has.to {
		// Nights without traffic are jumped over.
		if limit-u.has.to > rollHour {
			res, err := u.Client.rows(ctx, fmt.Sprintf("SELECT toUInt32(min(TimeReceived)) FROM %s WHERE TimeReceived >= toDateTime(%d, 'UTC')", u.s.source(u.i), u.has.to))
			if err != nil {
				return err
			}
			first := int64(res.Columns[0].([]uint32)[0])
			if first == 0 || first > limit {
				first = limit
			}
			u.has.to = max(u.has.to, floor(first, u.step))
		}
		to := min(limit, floor(u.has.to, rollHour)+rollHour)
		if to > u.has.to {
			if err := u.add(ctx, u.name, []span{{u.has.to, to}}); err != nil {
				return err
			}
		}
		u.has.to = to
		if err := u.note(ctx); err != nil {
			return err
		}
	}
	return nil
}

// note writes down what the rollup has.
func (u *rollup) note(ctx context.Context) error { return writeRolled(ctx, u.Client, u.name, u.has) }

// mend makes the hours anew of which the table has other rows than the rollup, and one that
// is older than the rollup. It says whether there may be more of those.
func (u *rollup) mend(ctx context.Context, source rolled) (older bool, err error) {
	rows, err := u.count(ctx, rollHour, "count()", u.s.Table.Name, []span{{0, u.has.to}})
	if err != nil {
		return false, err
	}
	var oldest, next int64 // hours: the oldest there is, and the newest that the rollup lacks
	var suspect []span
	for hour, n := range rows {
		if oldest == 0 || hour < oldest {
			oldest = hour
		}
		switch right, ok := u.right[u.i][hour]; {
		case hour < u.has.from:
			next = max(next, hour)
		case !ok || right != n:
			suspect = append(suspect, span{hour, min(hour+rollHour, u.has.to)})
		}
	}
	u.right[u.i] = nil
	if len(suspect) > 0 {
		wrong, err := u.wrong(ctx, rows, suspect, oldest)
		if err == nil && len(wrong) > 0 {
			err = u.remake(ctx, wrong, true)
		}
		if err != nil {
			return false, err
		}
	}
	if next > 0 && source.from <= next {
		if err := u.remake(ctx, []span{{next, next + rollHour}}, true); err != nil {
			return false, err
		}
		u.has.from = next
		older = next > oldest
		err = u.note(ctx)
	}
	u.right[u.i] = rows
	return older, err
}

// count sums over the rows of a table, by times of a length.
func (u *rollup) count(ctx context.Context, length int64, sum, table string, of []span) (map[int64]uint64, error) {
	at := fmt.Sprintf("intDiv(toUInt32(TimeReceived), %d) * %[1]d", length)
	if length == rollHour {
		at = "toStartOfHour(TimeReceived)" // of which the engine knows the counts
	}
	res, err := u.Client.rows(ctx, fmt.Sprintf("SELECT toUInt32(%s) AS at, toUInt64(%s) AS n FROM %s WHERE %s GROUP BY at", at, sum, table, during("TimeReceived", of)))
	if err != nil {
		return nil, fmt.Errorf("rows of %s: %w", table, err)
	}
	out := make(map[int64]uint64, res.Rows)
	for i := range res.Rows {
		out[int64(res.Columns[0].([]uint32)[i])] = res.Columns[1].([]uint64)[i]
	}
	return out, nil
}

// wrong are the steps, within the suspect hours, whose sums are of other rows than the
// table has; rows are its rows hour by hour.
func (u *rollup) wrong(ctx context.Context, rows map[int64]uint64, suspect []span, oldest int64) (list []span, err error) {
	sums, err := u.count(ctx, rollHour, "sum("+flowsColumn+")", u.name, suspect)
	if err != nil {
		return nil, err
	}
	suspect = slices.DeleteFunc(suspect, func(s span) bool {
		n, has := rows[s.from], sums[s.from]
		// The oldest rows go by their age, part by part; their sums stay.
		return n == has || n < has && s.from < oldest+2*rollHour
	})
	if len(suspect) == 0 || u.step >= rollHour {
		return suspect, nil
	}
	steps, err := u.count(ctx, u.step, "count()", u.s.Table.Name, suspect)
	if err != nil {
		return nil, err
	}
	if sums, err = u.count(ctx, u.step, "sum("+flowsColumn+")", u.name, suspect); err != nil {
		return nil, err
	}
	for _, s := range suspect {
		for at := s.from; at < s.to; at += u.step {
			if steps[at] != sums[at] {
				list = append(list, span{at, at + u.step})
			}
		}
	}
	return list, nil
}

// clear takes away what lies beyond the rollup's end: a process died before it had noted
// that it was there.
func (u *rollup) clear(ctx context.Context) error {
	res, err := u.Client.rows(ctx, fmt.Sprintf("SELECT toUInt32(max(TimeReceived)) FROM %s WHERE TimeReceived >= toDateTime(%d, 'UTC')", u.name, u.has.to))
	if err != nil {
		return err
	}
	if last := int64(res.Columns[0].([]uint32)[0]); last > 0 {
		return u.remake(ctx, []span{{u.has.to, last + u.step}}, false)
	}
	return nil
}

// remake puts other sums in the place of those of some times: what is there now, or
// nothing. It makes a table beside the rollup for each partition and exchanges it whole.
func (u *rollup) remake(ctx context.Context, of []span, sums bool) error {
	for len(of) > 0 {
		id, end := u.partition(of[0].from)
		var here, later []span
		for _, s := range of {
			if pid, _ := u.partition(s.from); pid != id {
				later = append(later, s)
				continue
			}
			here = append(here, span{s.from, min(s.to, end)})
			if s.to > end {
				later = append(later, span{end, s.to})
			}
		}
		if err := u.exchange(ctx, id, here, sums); err != nil {
			return err
		}
		of = later
	}
	return nil
}

func (u *rollup) exchange(ctx context.Context, id string, of []span, sums bool) error {
	aside := u.name + "_new"
	columns := strings.Join(u.stored(), ", ")
	steps := []string{
		"DROP TABLE IF EXISTS " + aside + " SYNC",
		"CREATE TABLE " + aside + " AS " + u.name,
		fmt.Sprintf("INSERT INTO %s (%s) SELECT %[2]s FROM %s WHERE _partition_id = '%s' AND NOT (%s)", aside, columns, u.name, id, during("TimeReceived", of)),
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
		u.Stats.Remade.Add(uint64(len(of)))
	}
	for _, sql := range []string{
		"ALTER TABLE " + u.name + " REPLACE PARTITION ID '" + id + "' FROM " + aside,
		"DROP TABLE " + aside + " SYNC",
	} {
		if err := u.do(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// partition is the id of the partition that has a time, and the time at which it ends.
func (u *rollup) partition(at int64) (id string, end int64) {
	t := time.Unix(at, 0).UTC()
	if u.step >= rollHour {
		return t.Format("200601"), time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC).Unix()
	}
	return t.Format("20060102"), floor(at, 86400) + 86400
}

package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync/atomic"
	"time"
)

// Retention by age is the TTL of the tables, which the engine applies. Retention by free
// space is here: while a file system has less free space than is to be kept, the
// largest table gives its oldest partition, an hour of flows, and so on. The hour that
// is being written always stays.
//
// Temporary data go by themselves, so no row is dropped for them: they count as free, are
// named first, and the readers' statements that hold them are ended when that is not
// enough.

// A Retention keeps space free: Check is called again and again.
type Retention struct {
	Client  *Client                                               // as the user who may write
	Keep    func() Room                                           // asked each time: it may change
	Space   func(context.Context) (free, total uint64, err error) // of the file system of the store
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now
	Reserve *Reserve         // nil: the store is not on this machine

	// Temporary says what temporary data take of that file system; nil: nothing.
	Temporary func() TemporaryData

	reserveFailed bool // and that was said
	temporarySaid bool

	Stats RetentionStats
}

// TemporaryData is what temporary data take of a file system.
type TemporaryData struct {
	Bytes  uint64 // of statements and of held answers
	Merges uint64 // of parts that are being written
	What   string // all of it, by name
}

// RetentionStats count what was dropped for want of space. They are safe for concurrent
// use.
type RetentionStats struct {
	Partitions, Rows, Bytes atomic.Uint64
	Last                    atomic.Int64  // when, Unix seconds; 0: never
	Stuck                   atomic.Bool   // too little is free, and nothing is left that may be dropped
	Ended                   atomic.Uint64 // times that readers' statements were ended for the temporary data that they held
}

// errNothing says that no partition may be dropped.
var errNothing = errors.New("nothing is left that is older than this hour: give the store a larger disk, or let other programs free some of it")

// Check drops what it takes to have enough space free.
func (r *Retention) Check(ctx context.Context) error {
	free, total, err := r.Space(ctx)
	if err != nil {
		return fmt.Errorf("free space: %w", err)
	}
	keep := r.Keep().Of(total)
	if free >= keep {
		r.Stats.Stuck.Store(false)
		r.temporarySaid = false
		r.keepReserve(free-keep, keep > 0)
		return nil
	}
	// What the engine has replaced or dropped already goes by itself within minutes.
	soon, err := r.number(ctx, `SELECT sum(bytes_on_disk) FROM system.parts WHERE NOT active AND database = currentDatabase()`)
	if err != nil {
		return err
	}
	temporary, err := r.temporary(ctx, free, keep, soon)
	if err != nil {
		return err
	}
	for free += soon + temporary; free < keep; {
		freed, err := r.drop(ctx, free, keep)
		r.Stats.Stuck.Store(errors.Is(err, errNothing))
		if err != nil {
			return err
		}
		free += freed
	}
	return nil
}

// temporary names the temporary data that space is short for, ends the statements that
// hold them when there is too little without, and returns how much counts as free.
func (r *Retention) temporary(ctx context.Context, free, keep, soon uint64) (uint64, error) {
	if r.Temporary == nil {
		return 0, nil
	}
	t := r.Temporary()
	bytes := t.Bytes
	if free >= keep/4 { // else the disk may be full before a merge is over
		bytes += t.Merges
	}
	if bytes == 0 {
		return 0, nil
	}
	if !r.temporarySaid {
		r.temporarySaid = true
		r.Log.Warn("temporary data take space that is to be kept free: no rows are dropped for them", "temporary", t.What, "bytes", t.Bytes+t.Merges, "free", free, "keep_free", keep)
	}
	if t.Bytes > 0 && (free < keep/2 || free+soon+bytes < keep) {
		ended, err := r.number(ctx, `SELECT count() FROM system.processes WHERE `+holdsTemporary)
		if err != nil {
			return 0, err
		}
		if ended > 0 {
			if err := r.Client.Exec(ctx, `KILL QUERY WHERE `+holdsTemporary+` ASYNC`); err != nil {
				return 0, fmt.Errorf("end the statements that hold temporary data: %w", err)
			}
			r.Stats.Ended.Add(ended)
			r.Log.Warn("the disk is nearly full: readers' statements that hold temporary data are ended", "statements", ended, "temporary", t.What, "free", free, "keep_free", keep)
		}
	}
	return bytes, nil
}

// holdsTemporary selects the statements of readers that wrote temporary data.
const holdsTemporary = `Settings['readonly'] = '1' AND arraySum(mapValues(mapFilter((k, v) -> k LIKE 'External%', ProfileEvents))) > 0`

// keepReserve makes the reserve when there is room for it; where nothing is dropped none is
// needed.
func (r *Retention) keepReserve(spare uint64, needed bool) {
	if r.Reserve == nil {
		return
	}
	var err error
	if needed {
		err = r.Reserve.Make(spare)
	} else {
		_, err = r.Reserve.Free()
	}
	if err != nil && !r.reserveFailed {
		r.Log.Warn("without a reserve the oldest rows cannot be dropped once the disk is full to the last octet", "err", err)
	}
	r.reserveFailed = err != nil
}

// drop has the largest table give its oldest partition and returns its bytes.
func (r *Retention) drop(ctx context.Context, free, keep uint64) (uint64, error) {
	now := time.Now()
	if r.Now != nil {
		now = r.Now()
	}
	res, _, err := r.Client.Select(ctx, Query{Params: map[string]string{"hour": fmt.Sprint(now.Truncate(time.Hour).Unix())}, SQL: `
SELECT table, partition_id, toUInt64(toUnixTimestamp(max(max_time))) AS newest, sum(rows) AS rows, sum(bytes_on_disk) AS bytes, sum(bytes) OVER (PARTITION BY table) AS of_table
FROM system.parts WHERE active AND database = currentDatabase()
GROUP BY table, partition_id
QUALIFY newest > 0 AND newest < {hour:UInt64}
ORDER BY of_table DESC, newest LIMIT 1`})
	switch {
	case err != nil:
		return 0, fmt.Errorf("oldest partition: %w", err)
	case res.Rows == 0:
		return 0, errNothing
	}
	table, partition := res.Columns[0].([]string)[0], res.Columns[1].([]string)[0]
	newest, rows, bytes := res.Columns[2].([]uint64)[0], res.Columns[3].([]uint64)[0], res.Columns[4].([]uint64)[0]
	sql := Layout{}.Alter(table) + " DROP PARTITION ID " + quote(partition)
	err = r.Client.Exec(ctx, sql)
	if OutOfSpace(err) && r.Reserve != nil {
		if had, removed := r.Reserve.Free(); removed != nil {
			return 0, fmt.Errorf("reserve: %w", removed)
		} else if had {
			r.Log.Warn("the disk is full: the reserve is given up, to drop the oldest rows", "file", r.Reserve.Path)
			err = r.Client.Exec(ctx, sql)
		}
	}
	if err != nil {
		return 0, fmt.Errorf("drop the oldest partition %s of %s: %w", partition, table, err)
	}
	r.Log.Warn("the disk is nearly full: the oldest rows are dropped", "table", table, "partition", partition,
		"until", time.Unix(int64(newest), 0).UTC().Format(time.RFC3339), "rows", rows, "bytes", bytes, "free", free, "keep_free", keep)
	r.Stats.Partitions.Add(1)
	r.Stats.Rows.Add(rows)
	r.Stats.Bytes.Add(bytes)
	r.Stats.Last.Store(now.Unix())
	return bytes, nil
}

func (r *Retention) number(ctx context.Context, sql string) (uint64, error) {
	res, _, err := r.Client.Select(ctx, Query{SQL: sql})
	if err != nil {
		return 0, err
	}
	return res.Columns[0].([]uint64)[0], nil
}

// DiskSpace asks the store for the space of its disks, those that are directories.
func DiskSpace(ctx context.Context, c *Client) (free, total uint64, err error) {
	res, _, err := c.Select(ctx, Query{SQL: `SELECT sum(free_space), sum(total_space) FROM system.disks WHERE type = 'Local'`})
	if err != nil {
		return 0, 0, err
	}
	return res.Columns[0].([]uint64)[0], res.Columns[1].([]uint64)[0], nil
}

// A Forecast says how far back the store will reach when rows go on coming as in the
// last day.
type Forecast struct {
	BytesPerDay float64 `json:"bytes_per_day"` // On disk; 0: not known yet.
	Days        float64 `json:"days"`          // That fit on the disk, or that are kept by age if these are fewer; 0: not known yet.
	LimitedBy   string  `json:"limited_by"`    // age, disk, or empty when not known yet.
	FullInDays  float64 `json:"full_in_days"`  // Until the disk has only as much free as is kept free; 0: never, or not known.
}

// NewForecast computes one: stored bytes there are, free on their disk, of which keep
// stay free; rows are kept for ttl days, 0 for ever.
func NewForecast(perDay float64, stored, free, keep uint64, ttl int) (f Forecast) {
	if f.BytesPerDay = perDay; perDay <= 0 {
		return f
	}
	room := max(float64(free)-float64(keep), 0)
	f.Days, f.LimitedBy = (float64(stored)+room)/perDay, "disk"
	if ttl > 0 && float64(ttl) <= f.Days {
		f.Days, f.LimitedBy = float64(ttl), "age"
		return f
	}
	f.FullInDays = math.Max(room/perDay, 1.0/24)
	return f
}

// BytesPerDay is how many bytes on disk a day makes: those of the whole hours of the
// last day, of what was first stored then.
func BytesPerDay(ctx context.Context, c *Client) (float64, error) {
	res, _, err := c.Select(ctx, Query{SQL: `
WITH toStartOfHour(now()) AS hour
SELECT toFloat64(sum(bytes_on_disk)), toFloat64(greatest(dateDiff('second', greatest(min(min_time), hour - 86400), hour), 0))
FROM system.parts WHERE active AND database = currentDatabase() AND table = 'flows' AND max_time < hour AND min_time >= hour - 86400`})
	if err != nil || res.Rows == 0 {
		return 0, err
	}
	bytes, seconds := res.Columns[0].([]float64)[0], res.Columns[1].([]float64)[0]
	if seconds < 60 {
		return 0, nil
	}
	return bytes / seconds * 86400, nil
}
